import { expect, test } from '@jest/globals';
import { concat, keccak256 } from 'viem';
import type { Hex } from 'viem';
import {
  hashTable,
  packTable,
  reachesQuorum,
  TableMalformedError,
  totalWeight,
  unpackTable,
  WeightTooLargeError,
} from './operatorTable.js';

const key: Hex = '0x00000000000000000000000000000000000000aa';
const longKey: Hex = `0x${'ab'.repeat(64)}`;
const [one, max] = [`0x${'00'.repeat(11)}01`, `0x${'ff'.repeat(12)}`] as const;

test('the hash covers the key and 12 bytes of weight, in the given order', () => {
  for (const id of [key, longKey]) {
    const entries = [
      { key: id, weight: 1n },
      { key: id, weight: 2n ** 96n - 1n },
    ] as const;
    expect(packTable(entries)).toBe(concat([id, one, id, max]));
    expect(hashTable(entries)).toBe(keccak256(concat([id, one, id, max])));
    expect(hashTable([entries[1], entries[0]])).not.toBe(hashTable(entries));
    expect(totalWeight(entries)).toBe(2n ** 96n);
    expect(unpackTable(id === key ? 'ecdsa' : 'bn254', packTable(entries))).toEqual(entries);
  }
  expect(unpackTable('bn254', '0x')).toEqual([]);
});

test.each([2n ** 96n, -1n])('a weight of %d is refused', (weight) => {
  expect(() => hashTable([{ key, weight }])).toThrow(WeightTooLargeError);
});

test('a key of another length and bytes that are no entries are refused', () => {
  for (const bad of ['0x', `0x${'aa'.repeat(32)}`, '0xzz'] as const) {
    expect(() => packTable([{ key: bad, weight: 1n }])).toThrow(TableMalformedError);
  }
  const packed = packTable([{ key, weight: 1n }]);
  expect(() => unpackTable('bn254', packed)).toThrow(TableMalformedError);
  expect(() => unpackTable('ecdsa', packed.slice(0, -2) as Hex)).toThrow(TableMalformedError);
});

test('the quorum must be exceeded', () => {
  expect(reachesQuorum(6667n, 10_000n, 6667)).toBe(false);
  expect(reachesQuorum(6668n, 10_000n, 6667)).toBe(true);
  expect(reachesQuorum(2n, 3n, 6666)).toBe(true);
  expect(reachesQuorum(2n, 3n, 6667)).toBe(false);
  expect(reachesQuorum(0n, 0n, 6667)).toBe(false);
});
