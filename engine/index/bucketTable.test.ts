import { expect, test } from '@jest/globals';
import { Market } from '../market.js';
import { plainMachine } from '../reference/plainRound.js';
import { BucketTable } from './bucketTable.js';
import { FIRST_NODE, NodeTable } from './nodeTable.js';
import { RowTable } from './rowTable.js';

/** A table of no buckets over machines, one for each pair of model and region. */
function tableOf(...places: readonly (readonly [model: number, region: number])[]): {
  table: BucketTable;
  nodes: NodeTable;
  rows: RowTable;
} {
  const market = new Market();
  places.forEach(([model, region], index) => {
    const freeMilliGpu = model === 0 ? [] : [1000];
    market.setMachine(index + 1, plainMachine({ model, region, freeMilliGpu }).machine);
  });
  const nodes = new NodeTable(FIRST_NODE);
  const rows = new RowTable();
  return { table: new BucketTable(market, nodes, rows), nodes, rows };
}

test('has one bucket for each token, model and region, and one forest for each token with and without GPUs', () => {
  const { table } = tableOf([5, 33], [5, 33], [5, 34], [6, 33], [0, 33]);
  const first = table.bucketFor(1, 1);
  expect(table.bucketFor(2, 1)).toBe(first);
  const others = [table.bucketFor(3, 1), table.bucketFor(4, 1), table.bucketFor(5, 1), table.bucketFor(1, 2)];
  expect(new Set([first, ...others]).size).toBe(5);
  expect(table.buckets.map(({ number, model, region }) => [number, model, region])).toEqual([
    [0, 5, 33],
    [1, 5, 34],
    [2, 6, 33],
    [3, 0, 33],
    [4, 5, 33],
  ]);
  expect(table.forestOf(1, true)!.buckets).toHaveLength(3);
  expect(table.forestOf(1, false)!.buckets).toEqual([others[2]]);
  expect(table.forestOf(2, true)!.buckets).toEqual([others[3]]);
  expect(table.forestOf(2, false)).toBeUndefined();
});

test('gives buckets leaves and nodes of their own, and what one gave back to the next that needs as much', () => {
  const { table, nodes, rows } = tableOf([5, 33], [6, 33], [7, 33]);
  const [a, b, c] = [1, 2, 3].map((machineId) => table.bucketFor(machineId, 1));
  table.makeRoom(a!, 3);
  table.makeRoom(b!, 5);
  expect([a!.leafBase, a!.leaves, b!.leafBase, b!.leaves]).toEqual([0, 3, 3, 5]);
  // Local node 0 of a bucket is none, so b may begin right after the last of a's.
  expect([a!.nodeBase, b!.nodeBase]).toEqual([FIRST_NODE, FIRST_NODE + 6]);
  expect(rows.leaves).toBeGreaterThanOrEqual(8);
  expect(nodes.count).toBeGreaterThanOrEqual(FIRST_NODE + 16);
  const before = { ...a! };
  table.makeRoom(a!, 4);
  expect([a!.leafBase, a!.nodeBase]).toEqual([8, FIRST_NODE + 16]);
  table.makeRoom(c!, 3);
  expect([c!.leafBase, c!.nodeBase]).toEqual([before.leafBase, before.nodeBase]);
  table.makeRoom(c!, 3);
  expect(c!.leafBase).toBe(before.leafBase);
});

test('tells the bucket of a leaf, and sorts the buckets of a forest by model and region', () => {
  const { table, nodes, rows } = tableOf([6, 1], [5, 40], [5, 2]);
  for (const machineId of [1, 2, 3]) {
    const bucket = table.bucketFor(machineId, 1);
    table.makeRoom(bucket, 1);
    rows.bucket[bucket.leafBase] = bucket.number;
    nodes.clear(bucket.nodeBase + 1);
  }
  const forest = table.forestOf(1, true)!;
  expect(forest.isStale).toBe(true);
  table.rebuildStaleForests();
  expect(forest.isStale).toBe(false);
  expect(forest.buckets.map(({ model, region }) => [model, region])).toEqual([
    [5, 2],
    [5, 40],
    [6, 1],
  ]);
  expect([0, 1, 2].map((leaf) => table.bucketOf(leaf).position)).toEqual([2, 1, 0]);
  const { nodeBase } = forest;
  table.rebuildStaleForests();
  expect(forest.nodeBase).toBe(nodeBase);
});
