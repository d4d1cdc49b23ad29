import { percentile } from '../../devnet/percentile.js';
import { matchRound } from '../../engine/matchRound.js';
import type { Policy } from '../../engine/policy.js';
import type { MatchRecord } from '../../engine/record.js';
import type { Hex, Snapshot } from '../../engine/snapshot.js';

/** A whole round, matched several times. */
export interface TimedRound {
  readonly records: MatchRecord[];
  readonly medianMs: number;
  readonly runs: number;
}

/** Matches the same round until `runs` runs or `budgetMs` are over, at least once; what it has to build comes before the clock starts. */
export function timeRound(snapshot: Snapshot, policy: Policy, seed: Hex, runs: number, budgetMs: number): TimedRound {
  matchRound({ ...snapshot, orders: snapshot.orders.slice(0, 1) }, policy, seed);
  const times: number[] = [];
  let records: MatchRecord[] = [];
  let spentMs = 0;
  while (times.length < runs && spentMs < budgetMs) {
    const start = performance.now();
    records = matchRound(snapshot, policy, seed);
    const ms = performance.now() - start;
    times.push(ms);
    spentMs += ms;
  }
  return { records, medianMs: percentile(times, 50)!, runs: times.length };
}

/** Microseconds of rounds that have one order each, everything that a call costs included. */
export function timeSingleOrders(
  snapshot: Snapshot,
  policy: Policy,
  seed: Hex,
  budgetMs: number,
): { readonly p50: number; readonly p99: number; readonly rounds: number } {
  const times: number[] = [];
  const end = performance.now() + budgetMs;
  for (const order of snapshot.orders) {
    const round = { ...snapshot, orders: [order] };
    const start = performance.now();
    matchRound(round, policy, seed);
    const stop = performance.now();
    times.push((stop - start) * 1000);
    if (stop > end) break;
  }
  return { p50: percentile(times, 50)!, p99: percentile(times, 99)!, rounds: times.length };
}
