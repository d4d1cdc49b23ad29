import { expect, test } from '@jest/globals';
import { crowdedRound } from '../reference/crowdedRound.js';
import { PLAIN_POLICY } from '../reference/plainRound.js';
import { LEAF_ROWS } from './leafRows.js';
import { MarketIndex } from './marketIndex.js';
import { ATTRIBUTE_MASK, ATTRIBUTES, MAX_CPU, NODE_BYTES, NODE_WORDS, TRAIT_SHIFT } from './nodeTable.js';
import { halfOf, ROW_DEVICES } from './rowTable.js';

function crowdedIndex(): MarketIndex {
  return new MarketIndex(crowdedRound(7, false).snapshot, PLAIN_POLICY);
}

test('a built index verifies', () => {
  expect(() => crowdedIndex().verify()).not.toThrow();
});

test('a node that says less than a row below it does not', () => {
  const index = crowdedIndex();
  const root = index.buckets[0]!.nodeBase + 1;
  index.nodes.bytes[root * NODE_BYTES + MAX_CPU] = 0;
  expect(() => index.verify()).toThrow(`node ${root} does not bound a row below it`);
});

test.each([1, 2, 4])('a node without a trait (%d) of a row below it does not', (trait) => {
  const packing = {
    fromMilli: [1],
    value: [1000],
    deviceWeight: 32,
    cpuWeight: 32,
    memoryWeight: 2,
    cpuRate: 1024,
    memoryRate: 1024,
    models: [],
    modelFactor: [],
  };
  const policy = { ...PLAIN_POLICY, rulesVersion: 2, weightPriceBps: 3000, weightPackingBps: 1500, packing };
  const index = new MarketIndex(crowdedRound(7, false).snapshot, policy);
  expect(() => index.verify()).not.toThrow();
  const root = index.buckets.find(({ forest, rows }) => forest.isGpu && rows > 10)!.nodeBase + 1;
  const word = root * NODE_WORDS + ATTRIBUTES;
  expect(index.nodes.words[word]! >>> TRAIT_SHIFT).toBe(7);
  index.nodes.words[word]! &= ATTRIBUTE_MASK | ((7 - trait) << TRAIT_SHIFT);
  expect(() => index.verify()).toThrow(`node ${root} does not bound a row below it`);
});

test.each(['leastMemory', 'leastGpuRatio', 'leastCoreRatio', 'leastMemoryRatio', 'leastStorageRatio'] as const)(
  'a bucket whose %s is above that of a row does not',
  (least) => {
    const index = crowdedIndex();
    index.buckets[0]![least] *= 1.5;
    expect(() => index.verify()).toThrow(/^bucket 0 does not bound the prices of row \d+$/);
  },
);

test.each(['mostCoreRatio', 'mostMemoryRatio'] as const)(
  'a bucket whose %s is below that of a row does not',
  (most) => {
    const index = crowdedIndex();
    index.buckets[0]![most] *= 0.9;
    expect(() => index.verify()).toThrow(/^bucket 0 does not bound the prices of row \d+$/);
  },
);

test('a row that says its machine has more free does not', () => {
  const index = crowdedIndex();
  const row = index.buckets[0]!.leafBase * 32;
  index.rows.halves[halfOf(row) + ROW_DEVICES]! ^= 1 << 10;
  expect(() => index.verify()).toThrow(`row ${row} is not what machine ${index.rows.machineOf(row)} has free`);
});

test('a row that lacks an attribute of its provider does not', () => {
  const index = crowdedIndex();
  const rows = index.buckets.map(({ leafBase }) => leafBase * LEAF_ROWS);
  const row = rows.find((first) => index.rows.attributes.of(first) !== 0)!;
  const attributes = index.rows.attributes.of(row);
  index.rows.attributes.set(row, attributes & (attributes - 1));
  expect(() => index.verify()).toThrow(`row ${row} lacks attributes`);
});

test('a row too few does not', () => {
  const index = crowdedIndex();
  index.rows.used[index.buckets[0]!.leafBase]! -= 1;
  expect(() => index.verify()).toThrow(/rows for \d+ live offers/);
});

test('a row that its machine does not know of does not', () => {
  const index = crowdedIndex();
  const row = index.buckets[0]!.leafBase * 32;
  index.rowsByMachine.move(index.rows.machineOf(row), row, row + 1);
  expect(() => index.verify()).toThrow(`lost row ${row}`);
});
