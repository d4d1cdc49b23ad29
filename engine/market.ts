import { IdLog } from './index/idLog.js';

/** A machine's matching word, decoded. */
export interface MachineFields {
  readonly activeFromRound: number;
  readonly activeUntilRound: number;
  readonly providerId: number;
  /** 0 for a machine without GPU. */
  readonly model: number;
  readonly region: number;
  readonly offersWritten: number;
  readonly freeMemoryMib: number;
  readonly freeCpuMilli: number;
  readonly freeStorageGib: number;
  /** Free milli-GPU of the eight devices, 0..1000 each. */
  readonly freeMilliGpu: readonly number[];
}

/** Unit prices of one offer; tokenId 0 is a withdrawn or never written offer. */
export interface OfferFields {
  readonly tokenId: number;
  readonly gpuMicroPerHour: number;
  readonly coreMicroPerHour: number;
  readonly memoryGibMicroPerHour: number;
  readonly storageTibMicroPerHour: number;
}

/** A provider's score word, decoded. */
export interface ProviderFields {
  readonly stakeWhole: number;
  readonly status: number;
  /** Trust tier 1..7. */
  readonly tier: number;
  /** 0x3fff when there is none yet. */
  readonly uptimeBps: number;
  /** 0x3fff when there is none yet. */
  readonly reputationBps: number;
  readonly slashes: number;
  readonly attributes: bigint;
  /** Four compliance reports of 32 bits: standard 6, expiry day 16, bps 10. */
  readonly reports: readonly [number, number, number, number];
}

/** Value of `status` of a provider that may be matched. */
export const PROVIDER_ACTIVE = 2;
export const DEVICES_PER_MACHINE = 8;
export const OFFERS_PER_MACHINE = 4;
/** Uptime or reputation not measured yet: filters and score use the policy's default. */
export const UNMEASURED_BPS = 0x3fff;

/** Ids written since the changes were last taken. */
export interface MarketChanges {
  /** Machines whose row or one of whose offers was written. */
  readonly machines: IdLog;
  readonly providers: IdLog;
}

/**
 * Machines, offers and providers in typed columns, indexed by id (ids count from 1, row 0 is unused).
 * Whoever follows the chain writes it, by the three setters alone, so that an index over the columns hears of every change.
 */
export class Market {
  #changes: MarketChanges | undefined;

  machineCount = 0;
  providerCount = 0;

  activeFromRound = new Uint32Array(0);
  activeUntilRound = new Uint32Array(0);
  providerId = new Uint32Array(0);
  model = new Uint16Array(0);
  region = new Uint16Array(0);
  offersWritten = new Uint8Array(0);
  freeMemoryMib = new Uint32Array(0);
  freeCpuMilli = new Uint32Array(0);
  freeStorageGib = new Uint32Array(0);
  /** Eight entries a machine, at 8 x id + device. */
  freeMilliGpu = new Uint16Array(0);

  /** Four entries a machine, at 4 x id + offer. */
  offerTokenId = new Uint16Array(0);
  offerGpuMicroPerHour = new Float64Array(0);
  offerCoreMicroPerHour = new Uint32Array(0);
  offerMemoryGibMicroPerHour = new Uint32Array(0);
  offerStorageTibMicroPerHour = new Uint32Array(0);

  stakeWhole = new Uint32Array(0);
  status = new Uint8Array(0);
  tier = new Uint8Array(0);
  uptimeBps = new Uint16Array(0);
  reputationBps = new Uint16Array(0);
  slashes = new Uint8Array(0);
  /** Bits 0..26 and 27..53 of the attribute bitmap. */
  attributesLow = new Uint32Array(0);
  attributesHigh = new Uint32Array(0);
  /** Four entries a provider, at 4 x id + report. */
  reports = new Uint32Array(0);

  /** Notes from now on what is written. There is one reader: a second call starts the notes again for a new one. */
  watchChanges(): MarketChanges {
    this.#changes = { machines: new IdLog(), providers: new IdLog() };
    return this.#changes;
  }

  /** Writes a machine, growing the columns to hold its id. */
  setMachine(machineId: number, machine: MachineFields): void {
    this.#growMachines(machineId);
    this.#changes?.machines.note(machineId);
    this.activeFromRound[machineId] = machine.activeFromRound;
    this.activeUntilRound[machineId] = machine.activeUntilRound;
    this.providerId[machineId] = machine.providerId;
    this.model[machineId] = machine.model;
    this.region[machineId] = machine.region;
    this.offersWritten[machineId] = machine.offersWritten;
    this.freeMemoryMib[machineId] = machine.freeMemoryMib;
    this.freeCpuMilli[machineId] = machine.freeCpuMilli;
    this.freeStorageGib[machineId] = machine.freeStorageGib;
    for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
      this.freeMilliGpu[machineId * DEVICES_PER_MACHINE + device] = machine.freeMilliGpu[device] ?? 0;
    }
  }

  /** Writes one of a machine's four offers. */
  setOffer(machineId: number, offerIndex: number, offer: OfferFields): void {
    this.#growMachines(machineId);
    this.#changes?.machines.note(machineId);
    const row = machineId * OFFERS_PER_MACHINE + offerIndex;
    this.offerTokenId[row] = offer.tokenId;
    this.offerGpuMicroPerHour[row] = offer.gpuMicroPerHour;
    this.offerCoreMicroPerHour[row] = offer.coreMicroPerHour;
    this.offerMemoryGibMicroPerHour[row] = offer.memoryGibMicroPerHour;
    this.offerStorageTibMicroPerHour[row] = offer.storageTibMicroPerHour;
  }

  /** Writes a provider, growing the columns to hold its id. */
  setProvider(providerId: number, provider: ProviderFields): void {
    this.#growProviders(providerId);
    this.#changes?.providers.note(providerId);
    this.stakeWhole[providerId] = provider.stakeWhole;
    this.status[providerId] = provider.status;
    this.tier[providerId] = provider.tier;
    this.uptimeBps[providerId] = provider.uptimeBps;
    this.reputationBps[providerId] = provider.reputationBps;
    this.slashes[providerId] = provider.slashes;
    this.attributesLow[providerId] = Number(provider.attributes & 0x7ff_ffffn);
    this.attributesHigh[providerId] = Number(provider.attributes >> 27n);
    for (let report = 0; report < 4; report++) {
      this.reports[providerId * 4 + report] = provider.reports[report] ?? 0;
    }
  }

  /** The market as it is now, which no later write changes. */
  copy(): Market {
    return Object.assign(new Market(), structuredClone(this));
  }

  #growMachines(machineId: number): void {
    if (machineId > this.machineCount) this.machineCount = machineId;
    if (machineId < this.providerId.length) return;
    const rows = capacityFor(machineId);
    this.activeFromRound = grown(this.activeFromRound, new Uint32Array(rows));
    this.activeUntilRound = grown(this.activeUntilRound, new Uint32Array(rows));
    this.providerId = grown(this.providerId, new Uint32Array(rows));
    this.model = grown(this.model, new Uint16Array(rows));
    this.region = grown(this.region, new Uint16Array(rows));
    this.offersWritten = grown(this.offersWritten, new Uint8Array(rows));
    this.freeMemoryMib = grown(this.freeMemoryMib, new Uint32Array(rows));
    this.freeCpuMilli = grown(this.freeCpuMilli, new Uint32Array(rows));
    this.freeStorageGib = grown(this.freeStorageGib, new Uint32Array(rows));
    this.freeMilliGpu = grown(this.freeMilliGpu, new Uint16Array(rows * DEVICES_PER_MACHINE));
    this.offerTokenId = grown(this.offerTokenId, new Uint16Array(rows * OFFERS_PER_MACHINE));
    this.offerGpuMicroPerHour = grown(this.offerGpuMicroPerHour, new Float64Array(rows * OFFERS_PER_MACHINE));
    this.offerCoreMicroPerHour = grown(this.offerCoreMicroPerHour, new Uint32Array(rows * OFFERS_PER_MACHINE));
    this.offerMemoryGibMicroPerHour = grown(
      this.offerMemoryGibMicroPerHour,
      new Uint32Array(rows * OFFERS_PER_MACHINE),
    );
    this.offerStorageTibMicroPerHour = grown(
      this.offerStorageTibMicroPerHour,
      new Uint32Array(rows * OFFERS_PER_MACHINE),
    );
  }

  #growProviders(providerId: number): void {
    if (providerId > this.providerCount) this.providerCount = providerId;
    if (providerId < this.status.length) return;
    const rows = capacityFor(providerId);
    this.stakeWhole = grown(this.stakeWhole, new Uint32Array(rows));
    this.status = grown(this.status, new Uint8Array(rows));
    this.tier = grown(this.tier, new Uint8Array(rows));
    this.uptimeBps = grown(this.uptimeBps, new Uint16Array(rows));
    this.reputationBps = grown(this.reputationBps, new Uint16Array(rows));
    this.slashes = grown(this.slashes, new Uint8Array(rows));
    this.attributesLow = grown(this.attributesLow, new Uint32Array(rows));
    this.attributesHigh = grown(this.attributesHigh, new Uint32Array(rows));
    this.reports = grown(this.reports, new Uint32Array(rows * 4));
  }
}

function capacityFor(id: number): number {
  return Math.max(64, 2 ** Math.ceil(Math.log2(id + 1)));
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(old: T, bigger: T): T {
  bigger.set(old);
  return bigger;
}
