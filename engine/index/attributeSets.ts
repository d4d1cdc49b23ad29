/** Number of every set that found no number of its own. */
const UNNUMBERED = 0xffff;
const ALL_BITS = 0x7ff_ffff;

/** Numbers the attribute bitmaps that providers have, so that a row names its provider's in 16 bits. */
export class AttributeSets {
  /** Bits 0..26 and 27..53 by number; every bit for the sets without a number. */
  low = new Uint32Array(16);
  high = new Uint32Array(16);
  readonly #numbers = new Map<number, Map<number, number>>();
  #count = 0;

  /** Number of a bitmap, given on first sight while there are numbers left. */
  numberOf(low: number, high: number): number {
    let byLow = this.#numbers.get(high);
    if (byLow === undefined) this.#numbers.set(high, (byLow = new Map()));
    const known = byLow.get(low);
    if (known !== undefined) return known;
    if (this.#count === UNNUMBERED) return this.#unnumbered();
    const number = this.#count++;
    byLow.set(low, number);
    this.#put(number, low, high);
    return number;
  }

  #unnumbered(): number {
    this.#put(UNNUMBERED, ALL_BITS, ALL_BITS);
    return UNNUMBERED;
  }

  #put(number: number, low: number, high: number): void {
    if (number >= this.low.length) {
      this.low = enlarged(this.low, number);
      this.high = enlarged(this.high, number);
    }
    this.low[number] = low;
    this.high[number] = high;
  }
}

function enlarged(old: Uint32Array<ArrayBuffer>, number: number): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(Math.max(number + 1, old.length * 2));
  bigger.set(old);
  return bigger;
}
