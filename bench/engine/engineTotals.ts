import { IndexedMatcher } from '../../engine/index/indexedMatcher.js';
import type { Policy } from '../../engine/policy.js';
import type { Hex, Snapshot } from '../../engine/snapshot.js';

/** Totals of a round's matches, in the order of its records, from the matcher behind `matchRound`: records do not carry them. */
export function engineTotals(snapshot: Snapshot, policy: Policy, seed: Hex): Float64Array {
  return IndexedMatcher.withRound(snapshot, policy, seed, (matcher) => {
    const totals: number[] = [];
    for (const order of snapshot.orders) {
      const chosen = matcher.choose(order);
      if (chosen !== undefined) totals.push(chosen.total);
      matcher.match(order);
    }
    return Float64Array.from(totals);
  });
}
