import { Jitter } from '../jitter.js';
import type { Market } from '../market.js';
import type { Order } from '../order.js';
import { recordOf } from '../orderMatcher.js';
import { packingOf } from '../packing.js';
import type { Policy } from '../policy.js';
import type { MatchRecord } from '../record.js';
import type { Hex, Snapshot } from '../snapshot.js';
import type { Chosen } from '../stages.js';
import { MarketIndex } from './marketIndex.js';
import { OrderSearch } from './orderSearch.js';
import { Reservations } from './reservations.js';

/** The index of a market between rounds; it lives as long as the market. */
const matchers = new WeakMap<Market, IndexedMatcher>();

/** Matches one order after the other by an index of the market, which is kept from round to round and follows the market's changes. */
export class IndexedMatcher {
  readonly index: MarketIndex;
  readonly #search: OrderSearch;
  readonly #reservations: Reservations;

  constructor(index: MarketIndex) {
    this.index = index;
    this.#search = new OrderSearch(index);
    this.#reservations = new Reservations(index);
  }

  /** Runs `work` with a round's matcher, then gives back what was reserved, so that the snapshot is left as it was. */
  static withRound<T>(snapshot: Snapshot, policy: Policy, seed: Hex, work: (matcher: IndexedMatcher) => T): T {
    const { market } = snapshot;
    let matcher = matchers.get(market);
    // Whatever ends the work early must not leave an index behind that is half brought forward.
    matchers.delete(market);
    if (matcher === undefined || !matcher.index.fits(policy)) {
      matcher = new IndexedMatcher(new MarketIndex(snapshot, policy));
    } else {
      matcher.index.follow(snapshot);
    }
    const packing = packingOf(policy);
    matcher.#search.start(snapshot, policy, packing, new Jitter(seed, policy.jitterRange));
    matcher.#reservations.start(packing?.deviceValue ?? null);
    try {
      return work(matcher);
    } finally {
      matcher.#reservations.undo();
      matchers.set(market, matcher);
    }
  }

  /** Does some of what rounds leave for later on the index of a market: see MarketIndex.maintain. Whether there is more to do. */
  static maintain(market: Market, leaves: number): boolean {
    const matcher = matchers.get(market);
    if (matcher === undefined) return false;
    matchers.delete(market);
    const isMore = matcher.index.maintain(leaves);
    matchers.set(market, matcher);
    return isMore;
  }

  /** Gives the order to its best machine and takes the capacity; undefined when no machine can take it. */
  match(order: Order): MatchRecord | undefined {
    const placement = this.#search.place(order);
    if (placement === undefined) return undefined;
    return recordOf(order, placement, this.#reservations.reserve(placement.machineId, order));
  }

  /** The machine that the order goes to with what capacity there is, nothing taken yet; undefined when no machine can take it. */
  choose(order: Order): Chosen | undefined {
    return this.#search.choose(order);
  }
}
