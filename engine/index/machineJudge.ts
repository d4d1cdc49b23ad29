import { WHOLE_DEVICE } from '../devices.js';
import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../market.js';
import type { Order } from '../order.js';
import { weightedPacking } from '../packing.js';
import type { Packing } from '../packing.js';
import type { Policy } from '../policy.js';
import { priceAt } from '../price.js';
import { measured } from '../roundTerms.js';
import { fitScore, priceScore } from '../score.js';
import type { MarketIndex } from './marketIndex.js';
import { lackIn, PARTLY_FREE } from './packingTraits.js';

const LOW_ATTRIBUTES = 0x7ff_ffffn;
const HIGH_SHIFT = 27n;
const ALL_SLASHES = 0xff;

/**
 * The rules' filters and base for single machines and one order after the other, by the market's own columns. What an order does not ask
 * for is not looked up.
 */
export class MachineJudge {
  readonly #index: MarketIndex;
  #policy!: Policy;
  /** Null when the policy gives packing no weight. */
  #packing: Packing | null = null;
  #largestLoss = 0;
  /** Takes what is read ahead, so that the reads are not left out as without effect. */
  readonly #ahead = new Float64Array(1);
  #order!: Order;
  #milliGpu = 0;
  #wholeDevices = 0;
  #listsProviders = false;
  /** Attribute bits 0..26 and 27..53 that the order requires. */
  attributesLow = 0;
  attributesHigh = 0;

  constructor(index: MarketIndex) {
    this.#index = index;
  }

  /** Sets the round that the next orders are of. */
  start(policy: Policy, packing: Packing | null): void {
    this.#policy = policy;
    this.#packing = policy.weightPackingBps === 0 ? null : packing;
  }

  /** Sets the order. */
  begin(order: Order): void {
    this.#order = order;
    this.#milliGpu = order.milliGpu;
    this.#wholeDevices = order.milliGpu < WHOLE_DEVICE ? 0 : order.milliGpu / WHOLE_DEVICE;
    this.#listsProviders = order.providersExcluded.length > 0 || order.providersWanted.length > 0;
    const { attributes } = order;
    this.attributesLow = attributes === 0n ? 0 : Number(attributes & LOW_ATTRIBUTES);
    this.attributesHigh = attributes === 0n ? 0 : Number(attributes >> HIGH_SHIFT);
    this.#largestLoss = this.#packing === null ? 0 : this.#packing.largestLoss(order);
  }

  /**
   * The most that the packing component adds to the order's weighted components on any machine of a GPU model, or on any at all, that has
   * no other traits than those given.
   */
  mostPacking(traits: number, model?: number): number {
    if (this.#packing === null) return 0;
    const leastLoss = this.#packing.leastLoss(this.#order, lackIn(traits), (traits & PARTLY_FREE) !== 0, model);
    return weightedPacking(this.#policy.weightPackingBps, leastLoss, this.#largestLoss);
  }

  /** Filters 4, 5 and 10 to 14: what the order asks of a provider. */
  admits(provider: number): boolean {
    const { market } = this.#index;
    const order = this.#order;
    if (this.#listsProviders) {
      if (order.providersExcluded.includes(provider)) return false;
      if (order.providersWanted.length > 0 && !order.providersWanted.includes(provider)) return false;
    }
    if (order.tiers !== 0) {
      const tier = market.tier[provider]!;
      if (tier === 0 || ((order.tiers >> (tier - 1)) & 1) === 0) return false;
    }
    const { attributesLow, attributesHigh } = this;
    if (attributesLow !== 0 && (market.attributesLow[provider]! & attributesLow) !== attributesLow) return false;
    if (attributesHigh !== 0 && (market.attributesHigh[provider]! & attributesHigh) !== attributesHigh) return false;
    if (
      order.minUptimeBps > 0 &&
      measured(market.uptimeBps[provider]!, this.#policy.defaultUptimeBps) < order.minUptimeBps
    ) {
      return false;
    }
    if (
      order.minReputationBps > 0 &&
      measured(market.reputationBps[provider]!, this.#policy.defaultReputationBps) < order.minReputationBps
    ) {
      return false;
    }
    return order.maxSlashes >= ALL_SLASHES || market.slashes[provider]! <= order.maxSlashes;
  }

  /**
   * Reads what judging a machine and taking its capacity read, before the first branch on any of it: the columns lie far apart, and
   * memory fetches them side by side only as far as they are asked for before a wait.
   */
  readAhead(machineId: number, provider: number): void {
    const { market, rowsByMachine, weightedStanding, complianceBps } = this.#index;
    const offer = machineId * OFFERS_PER_MACHINE;
    this.#ahead[0] =
      market.freeCpuMilli[machineId]! +
      market.freeMemoryMib[machineId]! +
      market.freeStorageGib[machineId]! +
      market.model[machineId]! +
      market.freeMilliGpu[machineId * DEVICES_PER_MACHINE]! +
      market.offerTokenId[offer]! +
      market.offerGpuMicroPerHour[offer]! +
      market.offerCoreMicroPerHour[offer]! +
      market.offerMemoryGibMicroPerHour[offer]! +
      market.offerStorageTibMicroPerHour[offer]! +
      rowsByMachine.entryOf(machineId) +
      weightedStanding[provider]! +
      complianceBps[provider]!;
  }

  /** Filters 15 to 17. */
  hasRoom(machineId: number): boolean {
    const { market } = this.#index;
    const order = this.#order;
    return (
      market.freeCpuMilli[machineId]! >= order.cpuMilli &&
      market.freeMemoryMib[machineId]! >= order.memoryMib &&
      market.freeStorageGib[machineId]! >= order.storageGib
    );
  }

  /** Filter 18. */
  hasDevices(machineId: number): boolean {
    if (this.#milliGpu === 0) return true;
    const { freeMilliGpu } = this.#index.market;
    const first = machineId * DEVICES_PER_MACHINE;
    let whole = 0;
    for (let device = first; device < first + DEVICES_PER_MACHINE; device++) {
      if (this.#wholeDevices === 0 && freeMilliGpu[device]! >= this.#milliGpu) return true;
      if (freeMilliGpu[device] === WHOLE_DEVICE) whole++;
    }
    return this.#wholeDevices > 0 && whole >= this.#wholeDevices;
  }

  /** Price of the order at an offer, a row of the market's columns. */
  priceOf(offer: number): number {
    const { market } = this.#index;
    return priceAt(
      this.#order,
      market.offerGpuMicroPerHour[offer]!,
      market.offerCoreMicroPerHour[offer]!,
      market.offerMemoryGibMicroPerHour[offer]!,
      market.offerStorageTibMicroPerHour[offer]!,
    );
  }

  /** Total without jitter on a machine that passed every filter; `regionPoints` is the weighted component of its region. */
  baseOf(machineId: number, provider: number, price: number, regionPoints: number): number {
    const { market, weightedStanding, complianceBps } = this.#index;
    const order = this.#order;
    const policy = this.#policy;
    const model = market.model[machineId]!;
    let free = 0;
    if (this.#milliGpu > 0) {
      const { freeMilliGpu } = market;
      const first = machineId * DEVICES_PER_MACHINE;
      for (let device = first; device < first + DEVICES_PER_MACHINE; device++) free += freeMilliGpu[device]!;
    }
    const fit = fitScore(this.#milliGpu, order.cpuMilli, model, free, market.freeCpuMilli[machineId]!);
    let weighted =
      policy.weightPriceBps * priceScore(order.maxPriceMicroPerHour, price) +
      policy.weightFitBps * fit +
      regionPoints +
      weightedStanding[provider]!;
    if (this.#packing !== null) {
      const loss = this.#packing.lossOn(market, machineId, model, order);
      weighted += weightedPacking(policy.weightPackingBps, loss, this.#largestLoss);
    }
    return complianceBps[provider]! * weighted;
  }
}
