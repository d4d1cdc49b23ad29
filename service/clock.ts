import { setTimeout as delay } from 'node:timers/promises';

/** Time as a dependency: wall clock for what people read, monotonic for every interval. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch; may jump. */
  nowMs(): number;
  /** Milliseconds that only grow; use it to measure. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, or at once (without error) when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  },
};
