import { LIMBS } from '../../protocol/words/wordLimbs.js';
import type { WordLimbs } from '../../protocol/words/wordLimbs.js';

/**
 * Hex digits laid out in memory, so that they are read two at a time. The digits of a string read one by one cost several times as much,
 * and how much depends on what the compiler has seen of strings before.
 */

const PREFIX = 2;
const WORD_DIGITS = 64;
/** Words whose digits are laid out at a time: all of an order, or the ends of a batch but not its records. */
export const WINDOW_WORDS = 64;
/** Digits are looked at by eights: as floating point numbers, which are equal when their digits are. */
const OCTET_DIGITS = 8;
/** Room for the prefix in front of the words, so that a string need not be cut. */
const HEAD = OCTET_DIGITS;
const digits = Buffer.from(new ArrayBuffer(HEAD + WINDOW_WORDS * WORD_DIGITS));
const octets = new Float64Array(digits.buffer, HEAD);
/** The same, two digits at a time. */
const pairs = new Uint16Array(digits.buffer, HEAD);
const OCTET_PAIRS = OCTET_DIGITS / 2;
/** Octets of a word. */
export const WORD_OCTETS = WORD_DIGITS / OCTET_DIGITS;
/** Bits that an octet's digits write. */
export const OCTET_BITS = 32;
/** Eight digits 0. */
const ZEROS = new Float64Array(Uint8Array.from('00000000', (digit) => digit.charCodeAt(0)).buffer)[0]!;
/** The byte that two digits write, by the digits as a number of `pairs`; 0 for what are none. */
const BYTES = new Uint8Array(1 << 16);
const DIGITS = '0123456789abcdefABCDEF';
for (const high of DIGITS) {
  for (const low of DIGITS) {
    digits.write(high + low, HEAD, 'latin1');
    BYTES[pairs[0]!] = Number.parseInt(high + low, 16);
  }
}

/** Lays out the first words of `hex`, which has a two-character prefix, at most WINDOW_WORDS of them, in place of what was laid out before. */
export function layOutDigits(hex: string): void {
  digits.write(hex, HEAD - PREFIX, 'latin1');
}

/** Whether the eight digits of an octet laid out are all 0. */
export function isZeroOctet(octet: number): boolean {
  return octets[octet] === ZEROS;
}

/** The number below 2^32 that the eight digits of an octet laid out write. */
export function octetAt(octet: number): number {
  return octetBits(octet) >>> 0;
}

/** Reads a word, `0x` and 64 hex digits, into limbs. The caller has them be hex digits. */
export function readHexWord(hex: string, limbs: WordLimbs): void {
  layOutDigits(hex);
  for (let limb = 0; limb < LIMBS; limb++) limbs[limb] = octetBits(limb);
}

function octetBits(octet: number): number {
  const pair = octet * OCTET_PAIRS;
  return (
    (BYTES[pairs[pair]!]! << 24) |
    (BYTES[pairs[pair + 1]!]! << 16) |
    (BYTES[pairs[pair + 2]!]! << 8) |
    BYTES[pairs[pair + 3]!]!
  );
}
