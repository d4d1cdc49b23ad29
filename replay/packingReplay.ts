import { derivePackingTerms, GENERIC_PACKING_TERMS } from '../engine/derivation/derivePackingTerms.js';
import type { PastOrder } from '../engine/derivation/derivePackingTerms.js';
import { matchRound } from '../engine/matchRound.js';
import type { PackingTerms, Policy } from '../engine/policy.js';
import type { MatchRecord } from '../engine/record.js';
import type { Snapshot } from '../engine/snapshot.js';
import { arrivalsOf } from './arrivals.js';
import type { WorkloadMachine, WorkloadTask } from './parseWorkload.js';
import { PACKING_ALONE, ReplayMarket } from './replayMarket.js';
import type { ReplayPrices } from './replayMarket.js';

/** A workload and how it arrives. */
export interface ReplayOptions {
  readonly machines: readonly WorkloadMachine[];
  readonly tasks: readonly WorkloadTask[];
  /** Requested GPU in thousandths of what is installed. */
  readonly inflatePermille: number;
  readonly seed: number;
  /** Terms for the whole run; null to derive them again and again from the tasks that have arrived. */
  readonly terms: PackingTerms | null;
}

/** What a run may be made with beside the published experiment's own. */
export interface ReplayRules {
  /** The policy of the next tasks, by the terms in force. */
  readonly policyOf: (packing: PackingTerms) => Policy;
  readonly prices: ReplayPrices | undefined;
  /** Matches one stretch of arrivals. */
  readonly match: (snapshot: Snapshot, policy: Policy) => MatchRecord[];
}

/** Loads that the published experiment is reported at, percent of installed GPU requested so far. */
export const REPORTED_LOADS = [95, 100, 110, 120, 130] as const;

/** Percent of installed GPU that is allocated at each of the reported loads, two decimals; null for a load that is not reached. */
export type Allocation = Readonly<Record<(typeof REPORTED_LOADS)[number], number | null>>;

/** What became of a workload. */
export interface ReplayResult {
  readonly seed: number;
  readonly allocation: Allocation;
  readonly placed: number;
  readonly skipped: number;
}

const SEED = `0x${'00'.repeat(32)}` as const;

/** Packing alone counts, nothing has a price, and the engine matches each stretch as a round. */
export const PUBLISHED_EXPERIMENT: ReplayRules = {
  policyOf: (packing) => ({ ...PACKING_ALONE, packing }),
  prices: undefined,
  match: (snapshot, policy) => matchRound(snapshot, policy, SEED),
};

/** Arrivals before terms are derived for the first time. */
const FIRST_DERIVATION = 50;
/** Most arrivals between two derivations. */
const MOST_BETWEEN = 500;

/**
 * Replays a workload through the engine: tasks arrive one by one, never leave, and go where the policy says; one that fits nowhere is
 * skipped. Without given terms the run starts with generic ones and derives them anew from the tasks that have arrived, placed or not,
 * and the installed machines: after 50 arrivals, then whenever their number has grown by a quarter, at least every 500.
 */
export function replayPacking(options: ReplayOptions, rules = PUBLISHED_EXPERIMENT): ReplayResult {
  const market = new ReplayMarket(options.machines, options.tasks, rules.prices);
  const arrivals = arrivalsOf(options.tasks, market.installedMilliGpu, options.inflatePermille, options.seed);
  const gauge = new AllocationGauge(market.installedMilliGpu);
  const past: PastOrder[] = [];
  let terms = options.terms ?? GENERIC_PACKING_TERMS;
  let placed = 0;
  for (let from = 0; from < arrivals.length;) {
    const until = nextDerivation(from);
    const stretch = arrivals.slice(from, until);
    const records = rules.match(market.snapshotOf(stretch, from + 1), rules.policyOf(terms));
    market.settle(records);
    const matched = new Set(records.map(({ orderId }) => orderId));
    stretch.forEach((task, index) => gauge.arrived(task.milliGpu, matched.has(from + 1 + index)));
    placed += records.length;
    past.push(...stretch.map((task) => market.pastOrderOf(task)));
    if (options.terms === null) ({ terms } = derivePackingTerms(past, market.supply));
    from = until;
  }
  return { seed: options.seed, allocation: gauge.allocation(), placed, skipped: arrivals.length - placed };
}

/** Number of arrivals at which the stretch that begins after `arrived` of them ends. */
function nextDerivation(arrived: number): number {
  return Math.max(FIRST_DERIVATION, Math.min(arrived + MOST_BETWEEN, Math.ceil((arrived * 5) / 4)));
}

/** Notes after every arrival what is requested and what is allocated, and averages the latter over arrivals of one load. */
class AllocationGauge {
  readonly #installed: number;
  readonly #sums = new Map<number, { total: number; arrivals: number }>();
  #requested = 0;
  #allocated = 0;

  constructor(installedMilliGpu: number) {
    this.#installed = installedMilliGpu;
  }

  arrived(milliGpu: number, isPlaced: boolean): void {
    this.#requested += milliGpu;
    if (isPlaced) this.#allocated += milliGpu;
    const load = Math.round((100 * this.#requested) / this.#installed);
    const sum = this.#sums.get(load) ?? { total: 0, arrivals: 0 };
    sum.total += this.#allocated;
    sum.arrivals++;
    this.#sums.set(load, sum);
  }

  allocation(): Allocation {
    const at = (load: number): number | null => {
      const sum = this.#sums.get(load);
      return sum === undefined ? null : Math.round((10_000 * sum.total) / (sum.arrivals * this.#installed)) / 100;
    };
    return { 95: at(95), 100: at(100), 110: at(110), 120: at(120), 130: at(130) };
  }
}
