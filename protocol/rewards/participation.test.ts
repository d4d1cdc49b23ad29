import { expect, test } from '@jest/globals';
import { concat, keccak256, numberToHex } from 'viem';
import { earnerAt } from '../../test/support/eraInputs.js';
import { participationHash } from './participation.js';

test('the participation list is hashed as Solidity encodes it, ascending by operator', () => {
  const [one, two] = [
    { operator: earnerAt(0xa1), batches: 3 },
    { operator: earnerAt(0xb2), batches: 9 },
  ];
  const word = (value: number): `0x${string}` => numberToHex(value, { size: 32 });
  const expected = keccak256(concat([word(32), word(2), word(0xa1), word(3), word(0xb2), word(9)]));
  expect(participationHash([one, two])).toBe(expected);
  expect(participationHash([two, one])).toBe(expected);
  expect(participationHash([one])).not.toBe(expected);
});
