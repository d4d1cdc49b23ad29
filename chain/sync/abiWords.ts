import { isZeroOctet, layOutDigits, OCTET_BITS, octetAt, WINDOW_WORDS, WORD_OCTETS } from './hexDigits.js';

const PREFIX = 2;
const WORD_DIGITS = 64;
const WORD_BYTES = 32;
/** Of an offset or a length: more than any log has bytes. */
const SIZE_BITS = 32;
/** 2^bits. */
const LIMITS = Array.from({ length: 65 }, (_, bits) => 2 ** bits);
const WIDE_BITS = 64;

/**
 * Reads ABI-encoded data (hex with its prefix, lower case) at fixed places, where it is laid out as Solidity lays it out: the dynamic parts
 * one behind the other in the order of their offsets, nothing in the spare bits of a word, nothing behind the last part. What was read
 * counts only if `isLaidOut` holds in the end. One reader at a time: they share what they read into.
 */
export class AbiWords {
  readonly #data: string;
  readonly #words: number;
  /** First word of those that are laid out, and the one behind them. */
  #window = 0;
  #windowEnd = 0;
  /** Word at which the next dynamic part must begin. */
  #next: number;
  #isLaidOut: boolean;

  /** Dynamic parts begin at word `firstDynamic`. */
  constructor(data: string, firstDynamic: number) {
    this.#data = data;
    this.#words = (data.length - PREFIX) / WORD_DIGITS;
    this.#next = firstDynamic;
    this.#isLaidOut = Number.isInteger(this.#words);
  }

  /** Whether everything was read, and was laid out as Solidity does it. */
  isLaidOut(): boolean {
    return this.#isLaidOut && this.#words === this.#next;
  }

  /** A number below 2^bits, exact below 2^53. */
  number(word: number, bits: number): number {
    const at = this.#open(word) * WORD_OCTETS;
    if (
      !isZeroOctet(at) ||
      !isZeroOctet(at + 1) ||
      !isZeroOctet(at + 2) ||
      !isZeroOctet(at + 3) ||
      !isZeroOctet(at + 4) ||
      !isZeroOctet(at + 5)
    )
      this.#isLaidOut = false;
    let value = octetAt(at + 7);
    if (!isZeroOctet(at + 6)) value += octetAt(at + 6) * LIMITS[OCTET_BITS]!;
    if (value >= LIMITS[bits]!) this.#isLaidOut = false;
    return value;
  }

  /** A bool. */
  flag(word: number): boolean {
    return this.number(word, 1) === 1;
  }

  /** A number below 2^64. */
  wide(word: number): bigint {
    const value = this.number(word, WIDE_BITS);
    return value <= Number.MAX_SAFE_INTEGER ? BigInt(value) : this.#whole(word);
  }

  /** Requires the offset in `word`, which counts from word `base`, to be that of word `expected`. */
  offset(word: number, base: number, expected: number): void {
    this.#require(this.number(word, SIZE_BITS) === WORD_BYTES * (expected - base));
  }

  /** A list of numbers below 2^bits, whose offset in `word` counts from word `base`. */
  numbers(word: number, base: number, bits: number): number[] {
    const [first, length] = this.#part(word, base, WORD_BYTES);
    const entries: number[] = [];
    for (let entry = first; entry < first + length; entry++) entries.push(this.number(entry, bits));
    return entries;
  }

  /** A list of whole words. */
  words(word: number, base: number): bigint[] {
    const [first, length] = this.#part(word, base, WORD_BYTES);
    const entries: bigint[] = [];
    for (let entry = first; entry < first + length; entry++) entries.push(this.#whole(entry));
    return entries;
  }

  /** Bytes as hex without a prefix. */
  bytes(word: number, base: number): string {
    const [first, length] = this.#part(word, base, 1);
    const start = PREFIX + WORD_DIGITS * first;
    const end = start + 2 * length;
    for (let digit = end; digit < PREFIX + WORD_DIGITS * this.#next; digit++) this.#require(this.#data[digit] === '0');
    return this.#data.slice(start, end);
  }

  /** First word and length of the dynamic part whose offset is in `word`; nothing of one that the data does not have in full. */
  #part(word: number, base: number, unitBytes: number): [first: number, length: number] {
    const at = this.#next;
    this.offset(word, base, at);
    const length = this.number(at, SIZE_BITS);
    this.#next = at + 1 + Math.ceil((length * unitBytes) / WORD_BYTES);
    this.#require(this.#next <= this.#words);
    if (this.#isLaidOut) return [at + 1, length];
    this.#next = at + 1;
    return [at + 1, 0];
  }

  #whole(word: number): bigint {
    const at = PREFIX + WORD_DIGITS * word;
    this.#require(word < this.#words);
    return word < this.#words ? BigInt(`0x${this.#data.slice(at, at + WORD_DIGITS)}`) : 0n;
  }

  /** Where a word is among those that are laid out; the first place for a word that the data does not have. */
  #open(word: number): number {
    if (word >= this.#words) {
      this.#isLaidOut = false;
      return 0;
    }
    if (word < this.#window || word >= this.#windowEnd) {
      this.#window = word;
      this.#windowEnd = Math.min(word + WINDOW_WORDS, this.#words);
      const from = WORD_DIGITS * word;
      const data = from === 0 ? this.#data : this.#data.slice(from);
      layOutDigits(data);
    }
    return word - this.#window;
  }

  #require(holds: boolean): void {
    if (!holds) this.#isLaidOut = false;
  }
}
