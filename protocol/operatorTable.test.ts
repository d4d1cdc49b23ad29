import { expect, test } from '@jest/globals';
import { concat, keccak256 } from 'viem';
import { hashTable, reachesQuorum, totalWeight, WeightTooLargeError } from './operatorTable.js';

const key = '0x00000000000000000000000000000000000000aa';

test('the hash covers 20 bytes of key and 12 of weight, in the given order', () => {
  const entries = [
    { key, weight: 1n },
    { key, weight: 2n ** 96n - 1n },
  ] as const;
  const [one, max] = [`0x${'00'.repeat(11)}01`, `0x${'ff'.repeat(12)}`] as const;
  expect(hashTable(entries)).toBe(keccak256(concat([key, one, key, max])));
  expect(hashTable([entries[1], entries[0]])).not.toBe(hashTable(entries));
  expect(totalWeight(entries)).toBe(2n ** 96n);
});

test.each([2n ** 96n, -1n])('a weight of %d is refused', (weight) => {
  expect(() => hashTable([{ key, weight }])).toThrow(WeightTooLargeError);
});

test('the quorum must be exceeded', () => {
  expect(reachesQuorum(6667n, 10_000n, 6667)).toBe(false);
  expect(reachesQuorum(6668n, 10_000n, 6667)).toBe(true);
  expect(reachesQuorum(2n, 3n, 6666)).toBe(true);
  expect(reachesQuorum(2n, 3n, 6667)).toBe(false);
  expect(reachesQuorum(0n, 0n, 6667)).toBe(false);
});
