import { keccak_256 } from '@noble/hashes/sha3.js';

/** A facts word holds how many facts there were in its lowest 48 bits, and the rolling hash of them above. */
const COUNT_BITS = 48n;
const COUNT_MASK = (1n << COUNT_BITS) - 1n;
const WORD_BYTES = 32;
const LIMB_BYTES = 8;

/**
 * The facts word after the fact that `slot` now holds `value`:
 * the top 208 bits of keccak256(word, slot, value), and the count one higher.
 */
export function foldFact(word: bigint, slot: bigint, value: bigint): bigint {
  // In bytes throughout: a node folds every fact of the chain's history, and text in between would cost ten times the hash.
  const message = new DataView(new ArrayBuffer(3 * WORD_BYTES));
  setWord(message, 0, word);
  setWord(message, WORD_BYTES, slot);
  setWord(message, 2 * WORD_BYTES, value);
  const hash = getWord(keccak_256(new Uint8Array(message.buffer)));
  return ((hash >> COUNT_BITS) << COUNT_BITS) | ((word & COUNT_MASK) + 1n);
}

/** Writes a 256-bit word big-endian. */
function setWord(view: DataView, offset: number, word: bigint): void {
  for (let limb = 0; limb < WORD_BYTES / LIMB_BYTES; limb++) {
    view.setBigUint64(offset + limb * LIMB_BYTES, BigInt.asUintN(64, word >> BigInt(192 - 64 * limb)));
  }
}

function getWord(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, WORD_BYTES);
  let word = 0n;
  for (let limb = 0; limb < WORD_BYTES / LIMB_BYTES; limb++)
    word = (word << 64n) | view.getBigUint64(limb * LIMB_BYTES);
  return word;
}
