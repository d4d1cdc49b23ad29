import { expect, test } from '@jest/globals';
import { crowdedRound } from '../reference/crowdedRound.js';
import { PLAIN_POLICY } from '../reference/plainRound.js';
import { MarketIndex } from './marketIndex.js';
import { MAX_CPU, NODE_BYTES } from './nodeTable.js';

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
