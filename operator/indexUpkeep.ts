import { maintainIndex } from '../engine/maintainIndex.js';
import type { Market } from '../engine/market.js';

/** Leaves at a time: a few hundred microseconds, for which blocks and signatures may wait. */
const LEAVES_AT_ONCE = 32;

/**
 * Brings the index of a market up to what blocks changed, and tends it, while nothing else is to be done, a little at a time, so that the
 * next round finds less to do.
 */
export class IndexUpkeep {
  #market: Market | undefined;
  #next: NodeJS.Immediate | undefined;

  /** Begins, or goes on with another market; rests when there is nothing left to do. */
  begin(market: Market): void {
    this.#market = market;
    this.goOn();
  }

  /** Goes on with the market that was begun with, which may have changed; does nothing where there is none. */
  goOn(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      if (this.#market !== undefined && maintainIndex(this.#market, LEAVES_AT_ONCE)) this.goOn();
    });
  }

  /** Leaves the rest for another time. */
  pause(): void {
    clearImmediate(this.#next);
    this.#next = undefined;
  }

  /** Leaves the market alone and forgets it. */
  stop(): void {
    this.pause();
    this.#market = undefined;
  }
}
