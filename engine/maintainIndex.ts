import { IndexedMatcher } from './index/indexedMatcher.js';
import type { Market } from './market.js';

/**
 * Does some of what the rounds of a market leave for later, about as much as reading `leaves` times 32 machines, so that later rounds are
 * faster; no result ever differs for it. Returns whether there is more to do. To be called between rounds; the market may have changed.
 */
export function maintainIndex(market: Market, leaves: number): boolean {
  return IndexedMatcher.maintain(market, leaves);
}
