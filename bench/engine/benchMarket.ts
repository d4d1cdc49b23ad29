import { SeededRandom } from '../../devnet/random.js';
import { DEVICES_PER_MACHINE, Market, PROVIDER_ACTIVE, UNMEASURED_BPS } from '../../engine/market.js';
import type { MachineFields, OfferFields, ProviderFields } from '../../engine/market.js';

/** How machines lie over models and regions, and what sets their providers apart. */
export type MarketKind = 'uniform' | 'skewed' | 'adversarial' | 'identical';

export const MODELS = 32;
export const REGIONS = 16;
export const TOKEN = 1;
export const ROUND = 1000;
export const TODAY = 20_000;
/** A round that no benchmark reaches. */
export const NEVER = 0xffff_ffff;
/** Attribute bits that providers may have. */
export const ATTRIBUTE_BITS = 16;

const MACHINES_PER_PROVIDER = 6;
const WHOLE_DEVICE = 1000;
const DEVICE_COUNTS = [1, 1, 2, 2, 4, 4, 4, 8, 8, 8] as const;
const CORES_MILLI_PER_DEVICE = 16_000;
const MEMORY_MIB_PER_DEVICE = 131_072;
const STORAGE_GIB_PER_DEVICE = 1024;
const ALL_ATTRIBUTES = (1n << BigInt(ATTRIBUTE_BITS)) - 1n;
/** Providers with a price factor up to here are the better half, in thousandths. */
const MEDIAN_FACTOR = 1000;

/** Unit prices in micro-units an hour at a price factor of 1. */
export function listPrices(model: number): OfferFields {
  return {
    tokenId: TOKEN,
    gpuMicroPerHour: 300_000 + 125_000 * model,
    coreMicroPerHour: 8000,
    memoryGibMicroPerHour: 1500,
    storageTibMicroPerHour: 20_000,
  };
}

/** Region ids in four groups of four, the n-th at 32 x group + place. */
export function regionId(index: number): number {
  return (index >> 2) * 32 + (index & 3);
}

/** A number below `count`: even, or with the cube of a fraction, which puts most on the first. */
export function drawIndex(random: SeededRandom, count: number, isSkewed: boolean): number {
  if (!isSkewed) return random.below(count);
  const fraction = random.below(2 ** 20) / 2 ** 20;
  return Math.floor(count * fraction ** 3);
}

/** A market whose machines, offers and providers follow from kind, number of machines and seed alone. */
export class BenchMarket {
  readonly market = new Market();
  readonly kind: MarketKind;
  /** Price factor by provider id, in thousandths. */
  readonly #factors: Uint16Array;

  constructor(kind: MarketKind, machineCount: number, seed: number) {
    this.kind = kind;
    const random = new SeededRandom(seed);
    const providerCount = Math.ceil(machineCount / MACHINES_PER_PROVIDER);
    this.#factors = new Uint16Array(providerCount + 1);
    for (let providerId = 1; providerId <= providerCount; providerId++) {
      const factor = kind === 'identical' ? MEDIAN_FACTOR : 700 + random.below(301) + random.below(301);
      this.#factors[providerId] = factor;
      this.market.setProvider(providerId, kind === 'identical' ? PLAIN_PROVIDER : this.#provider(random, factor));
    }
    for (let machineId = 1; machineId <= machineCount; machineId++) {
      const providerId = Math.ceil(machineId / MACHINES_PER_PROVIDER);
      const model = 1 + drawIndex(random, MODELS, kind === 'skewed');
      const region = regionId(drawIndex(random, REGIONS, kind === 'skewed'));
      this.market.setMachine(machineId, this.#machine(random, providerId, model, region));
      this.market.setOffer(machineId, 0, this.#offer(random, providerId, model));
    }
  }

  /** New capacity of a machine, as a lease's begin or end would leave it; its other fields stay. */
  drawMachine(random: SeededRandom, machineId: number): MachineFields {
    const { market } = this;
    return this.#machine(random, market.providerId[machineId]!, market.model[machineId]!, market.region[machineId]!);
  }

  /** New prices of a machine, as its provider would set them. */
  drawOffer(random: SeededRandom, machineId: number): OfferFields {
    return this.#offer(random, this.market.providerId[machineId]!, this.market.model[machineId]!);
  }

  #machine(random: SeededRandom, providerId: number, model: number, region: number): MachineFields {
    const isIdentical = this.kind === 'identical';
    const devices = isIdentical ? DEVICES_PER_MACHINE : random.pick(DEVICE_COUNTS);
    // Two in five machines have leases already.
    const isUsed = !isIdentical && random.chance(40);
    const free = Array.from({ length: devices }, () =>
      isUsed ? random.pick([0, 0, 250, 500, 750, WHOLE_DEVICE, WHOLE_DEVICE]) : WHOLE_DEVICE,
    );
    const share = free.reduce((sum, milli) => sum + milli, 0) / WHOLE_DEVICE;
    return {
      activeFromRound: 1,
      activeUntilRound: !isIdentical && random.below(200) === 0 ? ROUND : NEVER,
      providerId,
      model,
      region,
      offersWritten: 1,
      freeMemoryMib: Math.floor(MEMORY_MIB_PER_DEVICE * share),
      freeCpuMilli: Math.floor(CORES_MILLI_PER_DEVICE * share),
      freeStorageGib: Math.floor(STORAGE_GIB_PER_DEVICE * share),
      freeMilliGpu: free,
    };
  }

  #offer(random: SeededRandom, providerId: number, model: number): OfferFields {
    const list = listPrices(model);
    const priced = (micro: number): number => {
      const noise = this.kind === 'identical' ? MEDIAN_FACTOR : random.between(950, 1050);
      return Math.floor((micro * this.#factors[providerId]! * noise) / 1_000_000);
    };
    return {
      tokenId: TOKEN,
      gpuMicroPerHour: priced(list.gpuMicroPerHour),
      coreMicroPerHour: priced(list.coreMicroPerHour),
      memoryGibMicroPerHour: priced(list.memoryGibMicroPerHour),
      storageTibMicroPerHour: priced(list.storageTibMicroPerHour),
    };
  }

  #provider(random: SeededRandom, factor: number): ProviderFields {
    return {
      stakeWhole: Math.floor(200_000 * (random.below(1000) / 1000) ** 2),
      status: random.below(100) === 0 ? PROVIDER_ACTIVE + 1 : PROVIDER_ACTIVE,
      tier: random.between(1, 7),
      uptimeBps: random.chance(5) ? UNMEASURED_BPS : random.between(9000, 10_000),
      reputationBps: random.chance(10) ? UNMEASURED_BPS : random.between(3000, 10_000),
      slashes: random.chance(90) ? 0 : random.between(1, 3),
      attributes: this.#attributes(random, factor),
      reports: [report(random, 40), report(random, 10), 0, 0],
    };
  }

  /** Ten of sixteen bits on average; in the adversarial market all of them, but every provider of the better half lacks one. */
  #attributes(random: SeededRandom, factor: number): bigint {
    if (this.kind === 'adversarial') {
      const missing = 1n << BigInt(random.below(ATTRIBUTE_BITS));
      return factor <= MEDIAN_FACTOR ? ALL_ATTRIBUTES ^ missing : ALL_ATTRIBUTES;
    }
    let attributes = 0n;
    for (let bit = 0; bit < ATTRIBUTE_BITS; bit++) {
      if (random.below(8) < 5) attributes |= 1n << BigInt(bit);
    }
    return attributes;
  }
}

const PLAIN_PROVIDER: ProviderFields = {
  stakeWhole: 50_000,
  status: PROVIDER_ACTIVE,
  tier: 3,
  uptimeBps: 9900,
  reputationBps: 7000,
  slashes: 0,
  attributes: ALL_ATTRIBUTES,
  reports: [0, 0, 0, 0],
};

/** In `percent` of 100 cases a compliance report worth 2 % to 10 %, one in ten of them expired; else none. */
function report(random: SeededRandom, percent: number): number {
  if (!random.chance(percent)) return 0;
  const expiryDay = random.chance(10) ? TODAY - 1 : TODAY + random.between(0, 300);
  return 2 ** 26 + expiryDay * 2 ** 10 + random.between(200, 1000);
}
