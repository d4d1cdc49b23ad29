/** A 256-bit word as eight 32-bit limbs, the highest first. */
export type WordLimbs = Uint32Array;

/** Limbs of a word. */
export const LIMBS = 8;
const LIMB_DIGITS = 8;

/** Value of a hex digit by its character code; 0 for what is none. */
const DIGITS = new Uint8Array(256);
for (let digit = 0; digit < 16; digit++) {
  DIGITS[digit.toString(16).charCodeAt(0)] = digit;
  DIGITS[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** Reads `digits` hex digits of `hex` from character `at` on, exact below 2^53. The caller has them be hex digits. */
export function hexNumber(hex: string, at: number, digits: number): number {
  let value = 0;
  for (let index = at; index < at + digits; index++) value = value * 16 + DIGITS[hex.charCodeAt(index)]!;
  return value;
}

/** The word as 64 hex digits, without a prefix. */
export function hexOfLimbs(limbs: WordLimbs): string {
  let hex = '';
  for (let limb = 0; limb < LIMBS; limb++) hex += limbs[limb]!.toString(16).padStart(LIMB_DIGITS, '0');
  return hex;
}

/** The word as a number. */
export function wordOfLimbs(limbs: WordLimbs): bigint {
  return BigInt(`0x${hexOfLimbs(limbs)}`);
}

/** A word, 0 <= word < 2^256, as limbs of its own. */
export function limbsOf(word: bigint): WordLimbs {
  const limbs = new Uint32Array(LIMBS);
  setLimbs(limbs, word);
  return limbs;
}

/** Writes a word, 0 <= word < 2^256, into limbs. */
export function setLimbs(limbs: WordLimbs, word: bigint): void {
  let rest = word;
  for (let limb = LIMBS - 1; limb >= 0; limb--) {
    limbs[limb] = Number(rest & 0xffff_ffffn);
    rest >>= 32n;
  }
}
