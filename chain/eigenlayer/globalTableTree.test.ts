import { expect, test } from '@jest/globals';
import { keccak256 } from 'viem';
import { operatorTableLeaf } from './globalTableTree.js';

test('a table leaf is salted with 0x8e', () => {
  expect(operatorTableLeaf('0x1234')).toBe(keccak256('0x8e1234'));
});
