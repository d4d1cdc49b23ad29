import type { Market } from '../market.js';
import type { Policy } from '../policy.js';
import { complianceBpsOf, weightedStandingOf } from '../roundTerms.js';
import { withReserve } from './reserve.js';

/** By provider what of its terms every row of its machines has. */
export class ProviderTerms {
  weightedStanding = new Uint32Array(0);
  complianceBps = new Uint16Array(0);
  readonly #market: Market;
  readonly #policy: Policy;
  #today: number;
  #count = 0;

  /** Reads all providers as they are on a day, counted from 1970. */
  constructor(market: Market, policy: Policy, today: number) {
    this.#market = market;
    this.#policy = policy;
    this.#today = today;
    this.readNew();
  }

  /** Providers read so far. */
  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.weightedStanding.byteLength + this.complianceBps.byteLength;
  }

  /** Reads providers beyond those read so far, and forgets those that are gone. */
  readNew(): void {
    const { providerCount } = this.#market;
    if (providerCount >= this.weightedStanding.length) {
      const providers = withReserve(providerCount + 1);
      const standing = new Uint32Array(providers);
      const compliance = new Uint16Array(providers);
      standing.set(this.weightedStanding);
      compliance.set(this.complianceBps);
      this.weightedStanding = standing;
      this.complianceBps = compliance;
    }
    const before = this.#count;
    this.#count = providerCount;
    for (let provider = before + 1; provider <= providerCount; provider++) this.read(provider);
  }

  read(provider: number): void {
    const { complianceCapBps } = this.#policy;
    this.weightedStanding[provider] = weightedStandingOf(this.#market, provider, this.#policy);
    this.complianceBps[provider] = complianceBpsOf(this.#market, provider, this.#today, complianceCapBps);
  }

  /** Goes to a day, forward or back, and calls `touch` with every provider whose reports count otherwise on it. */
  goTo(today: number, touch: (provider: number) => void): void {
    if (today === this.#today) return;
    this.#today = today;
    for (let provider = 1; provider <= this.#count; provider++) {
      const kept = this.complianceBps[provider]!;
      if (complianceBpsOf(this.#market, provider, today, this.#policy.complianceCapBps) === kept) continue;
      this.read(provider);
      touch(provider);
    }
  }
}
