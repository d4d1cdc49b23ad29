import { expect, test } from '@jest/globals';
import { OFFERS_PER_MACHINE } from '../market.js';
import { builtIndex } from '../reference/builtIndex.js';
import { plainMachine } from '../reference/plainRound.js';
import { isNearlyFull } from './bucketBuilder.js';
import { LEAF_ROWS } from './leafRows.js';

/** Machines of plain price and, every other one, of twice that. */
function twoPrices(count: number): ReturnType<typeof builtIndex> {
  return builtIndex(
    Array.from({ length: count }, (_, index) =>
      plainMachine({}, { gpuMicroPerHour: 1_000_000 * (1 + (index % 2)), coreMicroPerHour: 20_000 }),
    ),
  );
}

function sorted(leaves: readonly (readonly number[])[]): number[] {
  return leaves.flat().sort((a, b) => a - b);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('places every machine once, at most thirty a leaf, those that score alike together', () => {
  const index = twoPrices(60);
  const leaves = index.machinesByLeaf(0);
  expect(leaves.map(({ length }) => length)).toEqual([30, 30]);
  expect(leaves.map((machines) => new Set(machines.map((id) => id % 2)).size)).toEqual([1, 1]);
  expect(sorted(leaves)).toEqual(upTo(60));
  expect(twoPrices(61).machinesByLeaf(0)).toHaveLength(3);
  index.verify();
});

test('gives each offer a row in the bucket of its token, and none to a machine that does not take part', () => {
  const index = builtIndex([
    plainMachine({}, { tokenId: 1 }, { tokenId: 2 }),
    plainMachine({ activeUntilRound: 1 }),
    plainMachine({}, { tokenId: 0 }, { tokenId: 2 }),
    plainMachine({ region: 40 }),
  ]);
  expect(index.buckets.buckets.map(({ region, forest }) => [region, forest.tokenId])).toEqual([
    [33, 1],
    [33, 2],
    [40, 1],
  ]);
  expect([0, 1, 2].map((bucket) => index.machinesByLeaf(bucket))).toEqual([[[1]], [[1, 3]], [[4]]]);
  index.verify();
});

test('sets typical prices to medians, and the least prices to lower bounds of all', () => {
  const index = builtIndex(
    [30, 10, 20].map((core) => plainMachine({}, { coreMicroPerHour: core * 1000, storageTibMicroPerHour: core })),
  );
  const [bucket] = index.buckets.buckets;
  expect(Math.abs(bucket!.typicalCore - 20_000)).toBeLessThan(20_000 / 100);
  expect(bucket!.leastStorage).toBeLessThanOrEqual(10);
  expect(bucket!.leastStorage).toBeGreaterThan(9);
});

test('places a full bucket anew with one more machine', () => {
  const index = twoPrices(60);
  const { market, builder, buckets, rowsByMachine } = index;
  const [bucket] = buckets.buckets;
  const { machine, offers } = plainMachine();
  market.setMachine(61, machine);
  market.setOffer(61, 0, offers[0]!);
  builder.regrow(bucket!, 61);
  expect([bucket!.rows, bucket!.leaves]).toEqual([61, 3]);
  expect(sorted(index.machinesByLeaf(0))).toEqual(upTo(61));
  expect(rowsByMachine.entryOf(61) >>> 5).toBeGreaterThanOrEqual(bucket!.leafBase);
  index.verify();
});

test('clusters the rows below a node anew, and no others, unless they are more than asked for', () => {
  const index = twoPrices(120);
  const { market, builder, buckets, rows, rowBounds } = index;
  const [bucket] = buckets.buckets;
  expect(bucket!.leaves).toBe(4);
  const before = index.machinesByLeaf(0);
  // Every other row of the two leaves below local node 3 becomes ten times as dear.
  for (const leaf of [bucket!.leafBase + 2, bucket!.leafBase + 3]) {
    for (let row = leaf * LEAF_ROWS; row < leaf * LEAF_ROWS + rows.used[leaf]!; row += 2) {
      const id = rows.machineOf(row);
      market.setOffer(id, 0, { ...plainMachine().offers[0]!, gpuMicroPerHour: 20_000_000 });
      rows.write(row, id, rowBounds.loadValues(id, id * OFFERS_PER_MACHINE, bucket!));
    }
  }
  bucket!.misplaced.set(3, 5).set(6, 5).set(2, 5);
  expect(builder.recluster(bucket!, 3, 59)).toBe(0);
  expect(index.machinesByLeaf(0)).toEqual(before);
  expect(builder.recluster(bucket!, 3, 60)).toBe(60);
  const after = index.machinesByLeaf(0);
  expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(sorted(after.slice(2))).toEqual(sorted(before.slice(2)));
  const dear = (id: number): boolean => market.offerGpuMicroPerHour[id * OFFERS_PER_MACHINE] === 20_000_000;
  expect(
    after
      .slice(2)
      .map((machines) => machines.filter(dear).length)
      .sort((a, b) => a - b),
  ).toEqual([0, 30]);
  // What is below is no longer worn, what is beside still is.
  expect([...bucket!.misplaced.keys()]).toEqual([2]);
});

test('goes up where there is too little room below a node, up to the whole bucket, which gets more leaves', () => {
  const index = twoPrices(120);
  const { market, builder, buckets, rows, rowBounds, rowsByMachine, treeBounds } = index;
  const [bucket] = buckets.buckets;
  const { machine, offers } = plainMachine();
  // The two leaves below local node 3 become full.
  for (let id = 121; id <= 124; id++) {
    market.setMachine(id, machine);
    market.setOffer(id, 0, offers[0]!);
    rowBounds.load(id, id * OFFERS_PER_MACHINE, bucket!);
    const leaf = bucket!.leafBase + 2 + (id % 2);
    const row = leaf * LEAF_ROWS + rows.used[leaf]!;
    rows.used[leaf]! += 1;
    bucket!.rows++;
    rows.write(row, id, rowBounds.values);
    rowsByMachine.add(id, row);
    treeBounds.widen(bucket!, 6 + (id % 2));
  }
  index.verify();
  expect(builder.recluster(bucket!, 2, Infinity)).toBe(60);
  expect(bucket!.leaves).toBe(4);
  expect(builder.recluster(bucket!, 3, Infinity)).toBe(124);
  expect(bucket!.leaves).toBe(5);
  index.verify();
});

test('is nearly full where leaves have more than thirty-one rows on average', () => {
  expect([isNearlyFull(31, 1), isNearlyFull(32, 1), isNearlyFull(62, 2), isNearlyFull(63, 2)]).toEqual([
    false,
    true,
    false,
    true,
  ]);
});
