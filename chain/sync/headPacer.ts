export interface HeadPacerOptions {
  /** Longest pause between two looks once a block is due, milliseconds. */
  readonly pollIntervalMs: number;
  /** Time between blocks as a rule, milliseconds; without it every pause is `pollIntervalMs`. */
  readonly blockTimeMs?: number | undefined;
}

/** Share of the block time by which a look comes before the block, so that the looks drift to just after it. */
const LEAD_SHARE = 1 / 32;
/** How fast the pauses grow back to the block time after blocks came faster. */
const EASING = 1.25;

/**
 * When to look for a chain's next block. On a chain with even block times the first look comes when the next block is due, and the others
 * follow at growing pauses: a block is seen within a thirty-second of the block time, with about two looks a block. Where blocks come
 * faster than told the pace is learned, and no pause for a block that is due is longer than `pollIntervalMs`.
 */
export class HeadPacer {
  readonly #pollIntervalMs: number;
  readonly #blockTimeMs: number;
  readonly #leadMs: number;
  readonly #monotonicMs: () => number;
  #head: number | null = null;
  #headSeenAtMs = 0;
  /** How far apart blocks are expected to come. */
  #spacingMs: number;
  #stepMs: number;
  #nextLookAtMs = 0;

  constructor(options: HeadPacerOptions, dependencies: { readonly monotonicMs: () => number }) {
    const { pollIntervalMs, blockTimeMs } = options;
    this.#pollIntervalMs = pollIntervalMs;
    this.#blockTimeMs = Math.max(pollIntervalMs, blockTimeMs ?? 0);
    this.#leadMs = blockTimeMs === undefined ? pollIntervalMs : Math.min(pollIntervalMs, blockTimeMs * LEAD_SHARE);
    this.#monotonicMs = dependencies.monotonicMs;
    this.#spacingMs = this.#blockTimeMs;
    this.#stepMs = this.#leadMs;
  }

  /** Takes what a look just found: the number of the newest block. */
  saw(number: number): void {
    const now = this.#monotonicMs();
    if (number === this.#head) {
      this.#nextLookAtMs = now + this.#stepMs;
      this.#stepMs = Math.min(2 * this.#stepMs, this.#pollIntervalMs);
      return;
    }
    const passed = this.#head === null ? 1 : number - this.#head;
    if (passed > 1) this.#spacingMs = this.#bounded((now - this.#headSeenAtMs) / passed);
    else this.#spacingMs = this.#bounded(this.#spacingMs * EASING);
    this.#head = number;
    this.#headSeenAtMs = now;
    this.#stepMs = this.#leadMs;
    this.#nextLookAtMs = now + Math.max(this.#pollIntervalMs, this.#spacingMs - this.#leadMs);
  }

  /** Pause until the next look, milliseconds. */
  pauseMs(): number {
    return Math.max(0, this.#nextLookAtMs - this.#monotonicMs());
  }

  #bounded(spacingMs: number): number {
    return Math.min(this.#blockTimeMs, Math.max(this.#pollIntervalMs, spacingMs));
  }
}
