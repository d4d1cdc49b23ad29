import { IndexedMatcher } from './index/indexedMatcher.js';
import type { Market } from './market.js';

/**
 * Takes over some of what a market was changed to since its last round, and does some of what its rounds left for later, about as much as
 * reading `leaves` times 32 machines, so that later rounds are faster; no result ever differs for it, whatever is changed after, or back.
 * Returns whether there is more to do. To be called between rounds.
 */
export function maintainIndex(market: Market, leaves: number): boolean {
  return IndexedMatcher.maintain(market, leaves);
}
