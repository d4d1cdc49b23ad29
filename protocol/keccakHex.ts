import type { Hex } from 'viem';
import { byteSwapped, keccakState, permuteKeccak } from '../engine/keccak.js';
import { hexNumber } from './words/wordLimbs.js';

/** Words of 32 bits that keccak256 takes in before each permutation. */
const RATE_WORDS = 34;
const DIGEST_WORDS = 8;
const WORD_DIGITS = 8;
const PADDING_START = 0x01;
const PADDING_END = 0x8000_0000;

/** keccak256 of the bytes that `parts` spell in hex one after the other, each part without a prefix and of whole bytes. */
export function keccakHex(...parts: readonly string[]): Hex {
  keccakState.fill(0);
  // Bytes that do not fill a word of the state yet, the first one lowest.
  let word = 0;
  let bytes = 0;
  let position = 0;
  const absorb = (): void => {
    keccakState[position]! ^= word;
    word = 0;
    bytes = 0;
    position += 1;
    if (position === RATE_WORDS) {
      permuteKeccak();
      position = 0;
    }
  };
  for (const part of parts) {
    let at = 0;
    for (; bytes === 0 && at + WORD_DIGITS <= part.length; at += WORD_DIGITS) {
      word = byteSwapped(hexNumber(part, at, WORD_DIGITS));
      absorb();
    }
    for (; at < part.length; at += 2) {
      word |= hexNumber(part, at, 2) << (8 * bytes);
      bytes += 1;
      if (bytes === 4) absorb();
    }
  }
  keccakState[position]! ^= word | (PADDING_START << (8 * bytes));
  keccakState[RATE_WORDS - 1]! ^= PADDING_END;
  permuteKeccak();
  let digest = '';
  for (let index = 0; index < DIGEST_WORDS; index++)
    digest += byteSwapped(keccakState[index]!).toString(16).padStart(WORD_DIGITS, '0');
  return `0x${digest}`;
}
