import { keccak256 } from 'viem';
import type { Hex } from 'viem';

/** The three bits of a block's bloom filter that an address or topic sets (Yellow Paper 4.3.1). */
export function bloomBitsOf(item: Hex): readonly number[] {
  const hash = keccak256(item);
  return [0, 1, 2].map((pair) => Number.parseInt(hash.slice(2 + pair * 4, 6 + pair * 4), 16) & 2047);
}

/** Whether a bloom filter of 256 bytes has all of `bits`: the block may then hold such a log, otherwise it does not. */
export function bloomHas(bloom: Hex, bits: readonly number[]): boolean {
  return bits.every((bit) => {
    const byte = 255 - (bit >> 3);
    return ((Number.parseInt(bloom.slice(2 + byte * 2, 4 + byte * 2), 16) >> (bit & 7)) & 1) === 1;
  });
}
