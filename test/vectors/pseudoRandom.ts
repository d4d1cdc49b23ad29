/** Numbers that look random and are the same on every machine and in every version of every package: a 32-bit counter through a mixer. */
export class PseudoRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `limit` - 1, `limit` at most 2^53. */
  below(limit: number): number {
    // Rounding may lift the highest fraction to 1.
    return Math.min(limit - 1, Math.floor((this.#next() / 2 ** 32 + this.#next() / 2 ** 64) * limit));
  }

  /** An integer of `width` bits: often 0 or all ones, where layouts break. */
  bits(width: number): number {
    const kind = this.below(8);
    if (kind === 0) return 0;
    if (kind === 1) return 2 ** width - 1;
    return this.below(2 ** width);
  }

  /** The same of any width. */
  wideBits(width: number): bigint {
    let value = 0n;
    for (let done = 0; done < width; done += 16) value = (value << 16n) | BigInt(this.bits(16));
    return value & ((1n << BigInt(width)) - 1n);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** `common` in `odds` of `odds` + 1 cases, else one of `rare`. */
  mostly<T>(odds: number, common: T, ...rare: readonly T[]): T {
    return this.below(odds + 1) < odds ? common : this.pick(rare);
  }

  #next(): number {
    this.#state = (this.#state + 0x9e37_79b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  }
}
