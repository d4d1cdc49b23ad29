import { rejectionOf } from '../engine/filter.js';
import { OrderMatcher } from '../engine/orderMatcher.js';
import { eligibilityOf, orderTermsOf } from '../engine/orderTerms.js';
import type { OrderTerms } from '../engine/orderTerms.js';
import type { Policy } from '../engine/policy.js';
import { priceAt } from '../engine/price.js';
import type { Quote } from '../engine/quote.js';
import type { MatchRecord } from '../engine/record.js';
import type { Snapshot } from '../engine/snapshot.js';
import { replayPacking } from './packingReplay.js';
import type { Allocation, ReplayOptions } from './packingReplay.js';
import type { WorkloadTask } from './parseWorkload.js';
import { PACKING_ALONE } from './replayMarket.js';
import type { ReplayPrices, UnitPrices } from './replayMarket.js';
import { seededNumbers } from './seededNumbers.js';

/** The trade at one choice of weights. */
export interface TradeRow {
  readonly weightFitBps: number;
  readonly weightPackingBps: number;
  /** Mean over the placed tasks of the price paid to the lowest price of a machine that could take the task then. */
  readonly paidToCheapest: number;
  readonly allocation: Allocation;
  readonly placed: number;
  readonly skipped: number;
}

/** Packing weights that are compared, of 10000. */
export const TRADE_WEIGHTS = [0, 250, 500, 1000, 1500, 2000, 3000, 5000, 7500, 10_000] as const;

/** Version 1's default: the fit component in the place of packing. */
const FIT_FIRST = {
  weightPriceBps: 4500,
  weightStakeBps: 1500,
  weightFitBps: 1500,
  weightRegionBps: 1000,
  weightUptimeBps: 1000,
  weightReputationBps: 500,
  weightPackingBps: 0,
} as const;
/** What its terms other than fit weigh together. */
const BESIDE_FIT = 8500;

/** Middle of the machines' unit prices: 1 a GPU, 0.01 a core, 0.001 a GiB of memory, an hour. */
const MIDDLE: UnitPrices = { gpu: 1_000_000, core: 10_000, memoryGib: 1000 };
const SEED = `0x${'00'.repeat(32)}` as const;

/**
 * What packing costs where prices differ: each machine asks the middle prices plus up to `spreadPercent` more or less, drawn by the
 * seed; each task pays up to twice the middle price. The first row has version 1's default weights; in the others packing takes the
 * place of fit, and leaves the rest to the other terms in their proportions there. Stake, region, uptime and reputation are the same
 * for all machines.
 */
export function tradeReport(options: ReplayOptions & { readonly spreadPercent: number }): TradeRow[] {
  return [FIT_FIRST, ...TRADE_WEIGHTS.map(weightsAt)].map((weights) => {
    const paid = new PaidPrices();
    const { allocation, placed, skipped } = replayPacking(options, {
      policyOf: (packing) => ({ ...PACKING_ALONE, ...weights, packing }),
      prices: pricesOf(options.spreadPercent, options.seed),
      match: (snapshot, policy) => matchNotingPrices(snapshot, policy, paid),
    });
    const { weightFitBps, weightPackingBps } = weights;
    return { weightFitBps, weightPackingBps, paidToCheapest: paid.mean(), allocation, placed, skipped };
  });
}

/** The weights beside one of packing: in proportion, floored, what is left over to price. */
function weightsAt(weightPackingBps: number): Record<keyof typeof FIT_FIRST, number> {
  const rest = 10_000 - weightPackingBps;
  const share = (weight: number): number => Math.floor((weight * rest) / BESIDE_FIT);
  const others = {
    weightStakeBps: share(FIT_FIRST.weightStakeBps),
    weightRegionBps: share(FIT_FIRST.weightRegionBps),
    weightUptimeBps: share(FIT_FIRST.weightUptimeBps),
    weightReputationBps: share(FIT_FIRST.weightReputationBps),
  };
  const given = Object.values(others).reduce((sum, weight) => sum + weight, 0);
  return { ...others, weightPriceBps: rest - given, weightFitBps: 0, weightPackingBps };
}

function pricesOf(spreadPercent: number, seed: number): ReplayPrices {
  const draw = seededNumbers(seed);
  const permille = new Map<number, number>();
  return {
    offerOf(machineId) {
      const factor = permille.get(machineId) ?? 1000 + draw(20 * spreadPercent + 1) - 10 * spreadPercent;
      permille.set(machineId, factor);
      const scaled = (price: number): number => Math.floor((price * factor) / 1000);
      return { gpu: scaled(MIDDLE.gpu), core: scaled(MIDDLE.core), memoryGib: scaled(MIDDLE.memoryGib) };
    },
    maxPriceOf: (task) => 2 * middlePriceOf(task),
  };
}

function middlePriceOf({ milliGpu, cpuMilli, memoryMib }: WorkloadTask): number {
  return priceAt({ milliGpu, cpuMilli, memoryMib, storageGib: 0 }, MIDDLE.gpu, MIDDLE.core, MIDDLE.memoryGib, 0);
}

class PaidPrices {
  #sum = 0;
  #count = 0;

  add(paid: number, cheapest: number): void {
    this.#sum += paid / cheapest;
    this.#count++;
  }

  /** Four decimals. */
  mean(): number {
    return Math.round((10_000 * this.#sum) / this.#count) / 10_000;
  }
}

function matchNotingPrices(snapshot: Snapshot, policy: Policy, paid: PaidPrices): MatchRecord[] {
  const matcher = new OrderMatcher(snapshot, policy, SEED);
  const records: MatchRecord[] = [];
  for (const order of snapshot.orders) {
    if (eligibilityOf(order, snapshot) !== 'eligible') continue;
    const terms = orderTermsOf(order, snapshot, matcher.round);
    const cheapest = cheapestOf(matcher, terms);
    const record = matcher.match(terms);
    if (record === undefined) continue;
    records.push(record);
    paid.add(record.priceMicroPerHour, cheapest);
  }
  return records;
}

function cheapestOf({ round, capacity }: OrderMatcher, terms: OrderTerms): number {
  const quote: Quote = { priceMicroPerHour: 0, offerIndex: 0, bidIndex: -1 };
  let cheapest = Infinity;
  for (const machineId of round.liveMachines) {
    if (rejectionOf(round, capacity, terms, machineId, quote) !== 0) continue;
    if (quote.priceMicroPerHour < cheapest) cheapest = quote.priceMicroPerHour;
  }
  return cheapest;
}
