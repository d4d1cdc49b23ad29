import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { keccak256 } from 'viem';
import { keccakHex } from './keccakHex.js';

const bytes = fc.uint8Array({ minLength: 0, maxLength: 500 }).map((array) => Buffer.from(array).toString('hex'));

test('hashes parts of any length as viem hashes them in one piece', () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 4 }), (parts) => {
      expect(keccakHex(...parts)).toBe(keccak256(`0x${parts.join('')}`));
    }),
    { numRuns: 500 },
  );
});

test.each([0, 1, 134, 135, 136, 137, 271, 272, 273])('pads %i bytes as viem does', (length) => {
  const hex = 'a7'.repeat(length);
  expect(keccakHex(hex)).toBe(keccak256(`0x${hex}`));
  expect(keccakHex(hex.toUpperCase())).toBe(keccak256(`0x${hex}`));
});
