import type { Clock } from '../service/clock.js';

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A token bucket for each address, so that one client's flood costs the others nothing. Remembers a bounded number of addresses. */
export class TokenBuckets {
  readonly #options: { perSecond: number; burst: number; maxAddresses: number };
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: { perSecond: number; burst: number; maxAddresses: number }, dependencies: { clock: Clock }) {
    this.#options = options;
    this.#clock = dependencies.clock;
  }

  /** Takes one token of an address; false when it has none left. */
  take(address: string): boolean {
    const { perSecond, burst, maxAddresses } = this.#options;
    const now = this.#clock.monotonicMs();
    const known = this.#buckets.get(address);
    const bucket = known ?? { tokens: burst, atMs: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.atMs) / 1000) * perSecond);
    bucket.atMs = now;
    // Insertion order is age: the address that was quiet longest is forgotten first.
    this.#buckets.delete(address);
    if (this.#buckets.size >= maxAddresses) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    this.#buckets.set(address, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
