import { OrdersNotAscendingError } from './engineError.js';
import { IndexedMatcher } from './index/indexedMatcher.js';
import { requireSupported } from './orderMatcher.js';
import { eligibilityOf } from './orderTerms.js';
import type { Policy } from './policy.js';
import type { MatchRecord } from './record.js';
import type { Hex, Snapshot } from './snapshot.js';

/**
 * The match of a round: eligible orders by ascending id, each to the machine with the highest total, capacity taken before the next
 * order, at most `policy.maxMatches` records. A pure function of its arguments; the snapshot is left as it was.
 * Throws RulesVersionUnsupportedError, PolicyOutOfRangeError or OrdersNotAscendingError.
 */
export function matchRound(snapshot: Snapshot, policy: Policy, seed: Hex): MatchRecord[] {
  requireAscending(snapshot);
  requireSupported(policy);
  return IndexedMatcher.withRound(snapshot, policy, seed, (matcher) => {
    const records: MatchRecord[] = [];
    for (const order of snapshot.orders) {
      if (records.length >= policy.maxMatches) break;
      if (eligibilityOf(order, snapshot) !== 'eligible') continue;
      const record = matcher.match(order);
      if (record !== undefined) records.push(record);
    }
    return records;
  });
}

/** Throws OrdersNotAscendingError unless the snapshot's orders ascend strictly by id. */
export function requireAscending(snapshot: Snapshot): void {
  let before = 0;
  for (const { orderId } of snapshot.orders) {
    if (orderId <= before) throw new OrdersNotAscendingError(before, orderId);
    before = orderId;
  }
}
