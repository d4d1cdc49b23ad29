import { Capacity } from '../../engine/capacity.js';
import { WHOLE_DEVICE } from '../../engine/devices.js';
import { Jitter } from '../../engine/jitter.js';
import { OFFERS_PER_MACHINE } from '../../engine/market.js';
import type { Market } from '../../engine/market.js';
import type { Order } from '../../engine/order.js';
import { weightedPacking } from '../../engine/packing.js';
import type { Policy } from '../../engine/policy.js';
import { priceAt } from '../../engine/price.js';
import type { MatchRecord } from '../../engine/record.js';
import { RoundTerms } from '../../engine/roundTerms.js';
import { fitScore, priceScore, regionScoresOf } from '../../engine/score.js';
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
  readonly #round: RoundTerms;
  readonly #capacity: Capacity;
  readonly #model: Uint16Array;
  readonly #nearMachine: Uint32Array;
  readonly #nearBase: Float64Array;

  constructor(snapshot: Snapshot, policy: Policy, seed: Hex) {
    const { market } = snapshot;
    this.#market = market;
    this.#policy = policy;
    this.#jitter = new Jitter(seed, policy.jitterRange);
    this.#round = new RoundTerms(snapshot, policy);
    this.#capacity = new Capacity(market, this.#round.packing?.deviceValue ?? null);
    const rows = market.machineCount + 1;
    this.#model = market.model.slice(0, rows).fill(NO_MODEL, 0, 1);
    this.#round.standing.forEach((rejection, machine) => {
      if (rejection !== 0) this.#model[machine] = NO_MODEL;
    });
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
    const offerIndex = this.#round.offersIn(order.tokenId)[machineId]!;
    return {
      orderId: order.orderId,
      machineId,
      priceMicroPerHour: this.#price(order, machineId * OFFERS_PER_MACHINE + offerIndex),
      deviceMask: this.#capacity.reserve(machineId, order),
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
  }

  /** Takes the capacity of a match that was found elsewhere. */
  take(record: MatchRecord): void {
    this.#capacity.takeAsStated(record.machineId, record.deviceMask, record);
  }

  /** Writes the machines that pass every filter and may still win into the columns of near machines; returns how many. */
  #collect(order: Order): number {
    const model = this.#model;
    const { region, providerId, attributesLow, attributesHigh, tier, slashes } = this.#market;
    const { uptimeBps, reputationBps, complianceBps, weightedStanding, packing } = this.#round;
    const capacity = this.#capacity;
    const { freeCpuMilli, freeMemoryMib, freeStorageGib, totalMilliGpu } = capacity;
    const device = order.milliGpu < WHOLE_DEVICE ? capacity.largestMilliGpu : capacity.wholeDevices;
    const deviceNeed = order.milliGpu < WHOLE_DEVICE ? order.milliGpu : order.milliGpu / WHOLE_DEVICE;
    const offers = this.#round.offersIn(order.tokenId);
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
    const { weightPriceBps, weightFitBps, weightRegionBps, weightPackingBps, jitterRange } = this.#policy;
    const largestLoss = packing === null ? 0 : packing.largestLoss(order);
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
      const id = model[machine]!;
      const fit = fitScore(order.milliGpu, cpuMilli, id, totalMilliGpu[machine]!, freeCpuMilli[machine]!);
      const packed =
        packing === null || weightPackingBps === 0
          ? 0
          : weightedPacking(weightPackingBps, packing.lossOn(capacity, machine, id, order), largestLoss);
      const base =
        complianceBps[provider]! *
        (weightPriceBps * priceScore(maxPriceMicroPerHour, price) +
          weightFitBps * fit +
          weightRegionBps * regionScores[region[machine]!]! +
          weightedStanding[provider]! +
          packed);
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
