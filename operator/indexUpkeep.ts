import { maintainIndex } from '../engine/maintainIndex.js';
import type { Market } from '../engine/market.js';

/** Leaves at a time: a few hundred microseconds, for which blocks and signatures may wait. */
const LEAVES_AT_ONCE = 32;

/** Tends the index of a market while nothing else is to be done, a little at a time, so that the next round finds less to do. */
export class IndexUpkeep {
  #next: NodeJS.Immediate | undefined;

  /** Begins, or goes on with another market; ends by itself when there is nothing left to do. */
  begin(market: Market): void {
    this.stop();
    this.#next = setImmediate(() => {
      this.#next = undefined;
      if (maintainIndex(market, LEAVES_AT_ONCE)) this.begin(market);
    });
  }

  /** Leaves the rest for another time. */
  stop(): void {
    clearImmediate(this.#next);
    this.#next = undefined;
  }
}
