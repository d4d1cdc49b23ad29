import { chooseDevices, WHOLE_DEVICE } from '../../engine/devices.js';
import { Jitter } from '../../engine/jitter.js';
import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE, PROVIDER_ACTIVE, UNMEASURED_BPS } from '../../engine/market.js';
import type { Market } from '../../engine/market.js';
import type { Order } from '../../engine/order.js';
import type { Policy } from '../../engine/policy.js';
import { priceAt } from '../../engine/price.js';
import type { MatchRecord } from '../../engine/record.js';
import { fitScore, priceScore, regionScoresOf, stakeScore } from '../../engine/score.js';
import type { Hex, Snapshot } from '../../engine/snapshot.js';

const IDS = 1024;
/** Model of the machines that take no part in the round: no order names it. */
const NO_MODEL = IDS;

/**
 * The baseline: one pass over typed columns for every order, with the full rules for snapshots without bids.
 * Everything that does not depend on the order is folded beforehand, the cheapest and sharpest filters come first, and the jitter is
 * computed only where it can change the winner.
 */
export class SoaScan {
  readonly #market: Market;
  readonly #policy: Policy;
  readonly #jitter: Jitter;
  readonly #model: Uint16Array;
  readonly #uptimeBps: Uint16Array;
  readonly #reputationBps: Uint16Array;
  readonly #complianceBps: Uint16Array;
  /** Weighted stake, uptime and reputation by provider. */
  readonly #standing: Float64Array;
  readonly #offersByToken = new Map<number, Int8Array>();
  readonly #freeCpuMilli: Uint32Array;
  readonly #freeMemoryMib: Uint32Array;
  readonly #freeStorageGib: Uint32Array;
  readonly #freeMilliGpu: Uint16Array;
  readonly #totalMilliGpu: Uint16Array;
  readonly #largestMilliGpu: Uint16Array;
  readonly #wholeDevices: Uint8Array;
  readonly #nearMachine: Uint32Array;
  readonly #nearBase: Float64Array;

  constructor({ market, round, timestampSeconds }: Snapshot, policy: Policy, seed: Hex) {
    this.#market = market;
    this.#policy = policy;
    this.#jitter = new Jitter(seed, policy.jitterRange);
    const rows = market.machineCount + 1;
    const providers = market.providerCount + 1;
    this.#uptimeBps = market.uptimeBps.slice(0, providers).map((bps) => measured(bps, policy.defaultUptimeBps));
    this.#reputationBps = market.reputationBps
      .slice(0, providers)
      .map((bps) => measured(bps, policy.defaultReputationBps));
    this.#complianceBps = new Uint16Array(providers);
    this.#standing = new Float64Array(providers);
    const today = Math.floor(timestampSeconds / 86_400);
    for (let provider = 1; provider < providers; provider++) {
      this.#complianceBps[provider] = complianceBps(market, provider, today, policy.complianceCapBps);
      this.#standing[provider] =
        policy.weightStakeBps * stakeScore(market.stakeWhole[provider]!, policy.saturationWhole) +
        policy.weightUptimeBps * this.#uptimeBps[provider]! +
        policy.weightReputationBps * this.#reputationBps[provider]!;
    }
    this.#model = market.model.slice(0, rows);
    for (let machine = 0; machine < rows; machine++) {
      const isLive =
        round >= market.activeFromRound[machine]! &&
        round < market.activeUntilRound[machine]! &&
        market.status[market.providerId[machine]!] === PROVIDER_ACTIVE;
      if (!isLive) this.#model[machine] = NO_MODEL;
    }
    this.#freeCpuMilli = market.freeCpuMilli.slice(0, rows);
    this.#freeMemoryMib = market.freeMemoryMib.slice(0, rows);
    this.#freeStorageGib = market.freeStorageGib.slice(0, rows);
    this.#freeMilliGpu = market.freeMilliGpu.slice(0, rows * DEVICES_PER_MACHINE);
    this.#totalMilliGpu = new Uint16Array(rows);
    this.#largestMilliGpu = new Uint16Array(rows);
    this.#wholeDevices = new Uint8Array(rows);
    for (let machine = 1; machine < rows; machine++) this.#sumDevices(machine);
    this.#nearMachine = new Uint32Array(rows);
    this.#nearBase = new Float64Array(rows);
  }

  /** The machine that an order goes to and its total, nothing taken yet; undefined when no machine can take it. */
  choose(order: Order): ScanChoice | undefined {
    const { jitterRange } = this.#policy;
    const nearMachine = this.#nearMachine;
    const nearBase = this.#nearBase;
    const near = this.#collect(order);
    let highest = -1;
    for (let index = 0; index < near; index++) if (nearBase[index]! > highest) highest = nearBase[index]!;
    let machineId = 0;
    let providerId = 0;
    let total = -1;
    for (let index = 0; index < near; index++) {
      // Nothing below the best total so far, or below the highest base, can win even with the whole jitter.
      if (nearBase[index]! + jitterRange < Math.max(total, highest)) continue;
      const machine = nearMachine[index]!;
      const provider = this.#market.providerId[machine]!;
      const candidate = nearBase[index]! + this.#jitter.of(order.orderId, provider);
      const isBetter =
        candidate > total ||
        (candidate === total && (provider < providerId || (provider === providerId && machine < machineId)));
      if (!isBetter) continue;
      machineId = machine;
      providerId = provider;
      total = candidate;
    }
    return machineId === 0 ? undefined : { machineId, providerId, total };
  }

  /** Gives an order to its best machine and takes the capacity; undefined when no machine can take it. */
  match(order: Order): MatchRecord | undefined {
    const chosen = this.choose(order);
    if (chosen === undefined) return undefined;
    const { machineId, providerId } = chosen;
    const offerIndex = this.#offersIn(order.tokenId)[machineId]!;
    const record: MatchRecord = {
      orderId: order.orderId,
      machineId,
      priceMicroPerHour: this.#price(order, machineId * OFFERS_PER_MACHINE + offerIndex),
      deviceMask: chooseDevices(this.#freeMilliGpu, machineId * DEVICES_PER_MACHINE, order.milliGpu, null),
      milliGpu: order.milliGpu,
      cpuMilli: order.cpuMilli,
      memoryMib: order.memoryMib,
      storageGib: order.storageGib,
      offerIndex,
      fromBid: false,
      tokenId: order.tokenId,
      providerId,
      bidIndex: 0,
    };
    this.take(record);
    return record;
  }

  /** Takes the capacity of a match that was found elsewhere. */
  take({ machineId, deviceMask, milliGpu, cpuMilli, memoryMib, storageGib }: MatchRecord): void {
    for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
      if (((deviceMask >> device) & 1) === 1) {
        this.#freeMilliGpu[machineId * DEVICES_PER_MACHINE + device]! -= Math.min(milliGpu, WHOLE_DEVICE);
      }
    }
    this.#freeCpuMilli[machineId]! -= cpuMilli;
    this.#freeMemoryMib[machineId]! -= memoryMib;
    this.#freeStorageGib[machineId]! -= storageGib;
    this.#sumDevices(machineId);
  }

  /** Writes the machines that pass every filter and may still win into the columns of near machines; returns how many. */
  #collect(order: Order): number {
    const model = this.#model;
    const { region, providerId, attributesLow, attributesHigh, tier, slashes } = this.#market;
    const uptimeBps = this.#uptimeBps;
    const reputationBps = this.#reputationBps;
    const freeCpuMilli = this.#freeCpuMilli;
    const freeMemoryMib = this.#freeMemoryMib;
    const freeStorageGib = this.#freeStorageGib;
    const device = order.milliGpu < WHOLE_DEVICE ? this.#largestMilliGpu : this.#wholeDevices;
    const deviceNeed = order.milliGpu < WHOLE_DEVICE ? order.milliGpu : order.milliGpu / WHOLE_DEVICE;
    const offers = this.#offersIn(order.tokenId);
    const modelFits = idTable(order.models);
    modelFits[NO_MODEL] = 0;
    const regionFits = idTable(order.regionRequired ? order.regions : []);
    for (const excluded of order.regionsExcluded) regionFits[excluded] = 0;
    const regionScores = regionScoresOf(order.regions);
    const excluded = new Set(order.providersExcluded);
    const wanted = order.providersWanted.length === 0 ? undefined : new Set(order.providersWanted);
    const needsLow = Number(order.attributes & 0x7ff_ffffn);
    const needsHigh = Number(order.attributes >> 27n);
    const tiers = order.tiers === 0 ? -1 : order.tiers << 1;
    const { minUptimeBps, minReputationBps, maxSlashes, cpuMilli, memoryMib, storageGib } = order;
    const { maxPriceMicroPerHour } = order;
    const { weightPriceBps, weightFitBps, weightRegionBps, jitterRange } = this.#policy;
    const nearMachine = this.#nearMachine;
    const nearBase = this.#nearBase;
    let near = 0;
    let highest = -1;
    for (let machine = 1; machine < model.length; machine++) {
      if (modelFits[model[machine]!] === 0 || regionFits[region[machine]!] === 0) continue;
      if (device[machine]! < deviceNeed || freeCpuMilli[machine]! < cpuMilli) continue;
      if (freeMemoryMib[machine]! < memoryMib || freeStorageGib[machine]! < storageGib) continue;
      const provider = providerId[machine]!;
      if ((attributesLow[provider]! & needsLow) !== needsLow) continue;
      if ((attributesHigh[provider]! & needsHigh) !== needsHigh) continue;
      if (uptimeBps[provider]! < minUptimeBps || reputationBps[provider]! < minReputationBps) continue;
      if (slashes[provider]! > maxSlashes || ((tiers >> tier[provider]!) & 1) === 0) continue;
      const offer = offers[machine]!;
      if (offer < 0 || excluded.has(provider) || wanted?.has(provider) === false) continue;
      const price = this.#price(order, machine * OFFERS_PER_MACHINE + offer);
      if (price > maxPriceMicroPerHour) continue;
      const fit = fitScore(
        order.milliGpu,
        cpuMilli,
        model[machine]!,
        this.#totalMilliGpu[machine]!,
        freeCpuMilli[machine]!,
      );
      const base =
        this.#complianceBps[provider]! *
        (weightPriceBps * priceScore(maxPriceMicroPerHour, price) +
          weightFitBps * fit +
          weightRegionBps * regionScores[region[machine]!]! +
          this.#standing[provider]!);
      if (base + jitterRange < highest) continue;
      if (base > highest) highest = base;
      nearMachine[near] = machine;
      nearBase[near++] = base;
    }
    return near;
  }

  #price(order: Order, row: number): number {
    const market = this.#market;
    return priceAt(
      order,
      market.offerGpuMicroPerHour[row]!,
      market.offerCoreMicroPerHour[row]!,
      market.offerMemoryGibMicroPerHour[row]!,
      market.offerStorageTibMicroPerHour[row]!,
    );
  }

  #offersIn(tokenId: number): Int8Array {
    const known = this.#offersByToken.get(tokenId);
    if (known !== undefined) return known;
    const { offerTokenId, machineCount } = this.#market;
    const offers = new Int8Array(machineCount + 1).fill(-1);
    for (let row = (machineCount + 1) * OFFERS_PER_MACHINE - 1; row >= OFFERS_PER_MACHINE; row--) {
      if (offerTokenId[row] === tokenId) offers[Math.floor(row / OFFERS_PER_MACHINE)] = row % OFFERS_PER_MACHINE;
    }
    this.#offersByToken.set(tokenId, offers);
    return offers;
  }

  #sumDevices(machine: number): void {
    const first = machine * DEVICES_PER_MACHINE;
    let total = 0;
    let largest = 0;
    let whole = 0;
    for (let device = first; device < first + DEVICES_PER_MACHINE; device++) {
      const free = this.#freeMilliGpu[device]!;
      total += free;
      if (free > largest) largest = free;
      if (free === WHOLE_DEVICE) whole++;
    }
    this.#totalMilliGpu[machine] = total;
    this.#largestMilliGpu[machine] = largest;
    this.#wholeDevices[machine] = whole;
  }
}

/** Where the scan would put an order. */
export interface ScanChoice {
  readonly machineId: number;
  readonly providerId: number;
  readonly total: number;
}

/** 1 at the listed ids; at all of them when none is listed. */
function idTable(ids: readonly number[]): Uint8Array {
  const table = new Uint8Array(IDS + 1);
  if (ids.length === 0) return table.fill(1);
  for (const id of ids) table[id] = 1;
  return table;
}

function measured(bps: number, defaultBps: number): number {
  return bps === UNMEASURED_BPS ? defaultBps : bps;
}

function complianceBps(market: Market, provider: number, today: number, capBps: number): number {
  let sum = 10_000;
  for (let row = provider * 4; row < provider * 4 + 4; row++) {
    const report = market.reports[row]!;
    if (today <= ((report >>> 10) & 0xffff)) sum += report & 0x3ff;
  }
  return Math.min(capBps, sum);
}
