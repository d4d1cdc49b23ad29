import { concat, keccak256, numberToHex } from 'viem';
import { wordLayout } from './wordLayout.js';

/** A rolling hash of all facts of one contract, and how many there were. */
export interface FactsWordFields {
  /** 208 bits. */
  readonly accumulator: bigint;
  readonly count: number;
}

const layout = wordLayout('facts', { count: [0, 48] }, { accumulator: [48, 208] });

/** Decodes a facts word. */
export function decodeFactsWord(word: bigint): FactsWordFields {
  return layout.decode(word);
}

/** Encodes a facts word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeFactsWord(fields: FactsWordFields): bigint {
  return layout.encode(fields);
}

/**
 * The facts word after the fact that `slot` now holds `value`:
 * the top 208 bits of keccak256(word, slot, value), and the count one higher.
 */
export function foldFact(word: bigint, slot: bigint, value: bigint): bigint {
  const hash = BigInt(
    keccak256(
      concat([numberToHex(word, { size: 32 }), numberToHex(slot, { size: 32 }), numberToHex(value, { size: 32 })]),
    ),
  );
  return encodeFactsWord({ accumulator: hash >> 48n, count: decodeFactsWord(word).count + 1 });
}
