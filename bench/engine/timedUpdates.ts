import { matchRound } from '../../engine/matchRound.js';
import type { Policy } from '../../engine/policy.js';
import type { Hex, Snapshot } from '../../engine/snapshot.js';
import type { BenchMarket } from './benchMarket.js';
import { MarketUpdates } from './marketUpdates.js';

const UPDATES_A_ROUND = 1000;

/**
 * Microseconds that one update of price and capacity costs: the writes, and the round of one order after every thousand of them that
 * takes them over, less what such a round costs without updates. Leaves the market updated.
 */
export function timeUpdates(market: BenchMarket, snapshot: Snapshot, policy: Policy, seed: Hex, count: number): number {
  const updates = new MarketUpdates(market, 1);
  const round = { ...snapshot, orders: snapshot.orders.slice(0, 1) };
  const timeOfRound = (): number => {
    const start = performance.now();
    matchRound(round, policy, seed);
    return performance.now() - start;
  };
  timeOfRound();
  let spentMs = 0;
  for (let written = 0; written < count; written += UPDATES_A_ROUND) {
    const drawn = updates.draw(Math.min(UPDATES_A_ROUND, count - written));
    const start = performance.now();
    updates.apply(drawn);
    spentMs += performance.now() - start + timeOfRound();
    spentMs -= timeOfRound();
  }
  return (spentMs * 1000) / count;
}
