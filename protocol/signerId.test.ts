import { expect, test } from '@jest/globals';
import { getAddress, keccak256, slice } from 'viem';

import { signerId, SignerKeyInvalidError } from './signerId.js';

test('an address stands for itself, a BN254 key for the low bytes of its hash', () => {
  const address = '0x7e5f4552091a69125d5dfcb7b8c2659029395bdf';
  expect(signerId(address)).toBe(getAddress(address));
  const point = `0x${'ab'.repeat(64)}` as const;
  expect(signerId(point)).toBe(getAddress(slice(keccak256(point), 12, 32)));
});

test('nothing else is a key', () => {
  expect(() => signerId('0x1234')).toThrow(SignerKeyInvalidError);
});
