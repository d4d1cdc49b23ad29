import { expect, test } from '@jest/globals';
import { keccakP } from '@noble/hashes/sha3.js';
import * as fc from 'fast-check';
import { byteSwapped, keccakState, permuteKeccak } from './keccak.js';

test('permutes as another implementation does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(0xffff_ffff), { minLength: 50, maxLength: 50 }),
      fc.integer({ min: 1, max: 3 }),
      (words, times) => {
        const reference = Uint32Array.from(words);
        keccakState.set(words);
        for (let time = 0; time < times; time++) {
          keccakP(reference);
          permuteKeccak();
        }
        expect(Array.from(keccakState)).toEqual(Array.from(reference));
      },
    ),
    { numRuns: 300 },
  );
});

test('swaps the bytes of a word', () => {
  expect(byteSwapped(0x0102_03f4)).toBe(0xf403_0201);
});
