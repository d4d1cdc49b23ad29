import { expect, test } from '@jest/globals';
import type { MachineFields, OfferFields } from '../market.js';
import { builtIndex } from '../reference/builtIndex.js';
import { plainMachine } from '../reference/plainRound.js';
import type { EnvelopeRow } from './envelope.js';
import { IdLog } from './idLog.js';
import { FIRST_NODE, NODE_WORDS } from './nodeTable.js';
import { NO_ROW } from './rowTable.js';

/** Two leaves: machines 1 to 30 at the plain price, 31 to 60 at twice that. */
function twoLeaves(): ReturnType<typeof builtIndex> {
  return builtIndex(
    Array.from({ length: 60 }, (_, index) => plainMachine({}, { gpuMicroPerHour: index < 30 ? 1_000_000 : 2_000_000 })),
  );
}

/** Writes a machine, and lets the index follow it and others. */
function change(
  index: ReturnType<typeof builtIndex>,
  machineId: number,
  machine: Partial<MachineFields>,
  offer: Partial<OfferFields> = {},
): void {
  const { machine: fields, offers } = plainMachine(machine, offer);
  index.market.setMachine(machineId, fields);
  index.market.setOffer(machineId, 0, offers[0]!);
}

function touched(...machineIds: readonly number[]): IdLog {
  const log = new IdLog();
  for (const machineId of machineIds) log.note(machineId);
  return log;
}

/** Place of the leaf, among those of the first bucket, in which a machine's only row is. */
function leafOf({ rowsByMachine, buckets }: ReturnType<typeof builtIndex>, machineId: number): number {
  return (rowsByMachine.entryOf(machineId) >>> 5) - buckets.buckets[0]!.leafBase;
}

test('writes a row in place where its leaf bounds it already', () => {
  const index = twoLeaves();
  const row = index.rowsByMachine.entryOf(7);
  const words = index.nodes.words.slice(FIRST_NODE * NODE_WORDS);
  const read: EnvelopeRow = { referencePrice: 0, corePrice: 0, standing: 0, complianceBps: 0, total: 0, devices: 0 };
  index.rows.read(row, true, read);
  const before = read.referencePrice;
  change(index, 7, {}, { gpuMicroPerHour: 1_500_000 });
  index.follower.follow(touched(7));
  expect(index.rowsByMachine.entryOf(7)).toBe(row);
  index.rows.read(row, true, read);
  expect(read.referencePrice - before).toBe(500_000);
  expect(index.nodes.words.slice(FIRST_NODE * NODE_WORDS)).toEqual(words);
  index.verify();
});

test('moves a row to where rows like it are when its leaf does not bound it', () => {
  const index = twoLeaves();
  const [cheap, dear] = [leafOf(index, 1), leafOf(index, 31)];
  expect(cheap).not.toBe(dear);
  change(index, 40, {}, { gpuMicroPerHour: 999_000 });
  index.follower.follow(touched(40));
  expect(leafOf(index, 40)).toBe(cheap);
  expect(index.machinesByLeaf(0)[cheap]).toHaveLength(31);
  index.verify();
});

test('follows a row that another one, changed as well, left its place to', () => {
  const index = twoLeaves();
  const dear = index.machinesByLeaf(0)[leafOf(index, 31)]!;
  const [first, last] = [dear[0]!, dear.at(-1)!];
  const place = index.rowsByMachine.entryOf(first);
  change(index, first, {}, { gpuMicroPerHour: 999_000 });
  change(index, last, {}, { gpuMicroPerHour: 2_500_000 });
  index.follower.follow(touched(first, last));
  expect(index.rowsByMachine.entryOf(last)).toBe(place);
  const read: EnvelopeRow = { referencePrice: 0, corePrice: 0, standing: 0, complianceBps: 0, total: 0, devices: 0 };
  index.rows.read(place, true, read);
  expect(read.referencePrice).toBeGreaterThan(2_500_000);
  index.verify();
});

test('takes a row out, and moves the last row of its leaf into its place', () => {
  const index = twoLeaves();
  const leaf = index.machinesByLeaf(0).find((machines) => machines.includes(5))!;
  const last = leaf.at(-1)!;
  const [gone] = leaf;
  const row = index.rowsByMachine.entryOf(gone!);
  change(index, gone!, { activeUntilRound: 1 });
  index.follower.follow(touched(gone!));
  expect(index.rowsByMachine.entryOf(gone!)).toBe(NO_ROW);
  expect(index.rowsByMachine.entryOf(last)).toBe(row);
  expect(index.buckets.buckets[0]!.rows).toBe(59);
  index.verify();
});

test('moves a machine to another bucket, and gives one that joins a row for each token', () => {
  const index = twoLeaves();
  change(index, 5, { region: 40 });
  change(index, 61, {});
  index.market.setOffer(61, 2, { ...plainMachine().offers[0]!, tokenId: 2 });
  index.follower.follow(touched(5, 61));
  expect(index.buckets.buckets.map(({ region, rows, forest }) => [region, forest.tokenId, rows])).toEqual([
    [33, 1, 60],
    [40, 1, 1],
    [33, 2, 1],
  ]);
  index.verify();
});

test('reads four machines a leaf in a step, and says so until none is left and the trees are tight', () => {
  const index = twoLeaves();
  const { follower } = index;
  const log = touched(1, 2, 3, 4, 5, 6, 7, 8, 9);
  for (let id = 1; id <= 9; id++) change(index, id, { freeMilliGpu: [250 + id] });
  expect([follower.maintain(log, 1), log.count]).toEqual([true, 5]);
  expect([follower.maintain(log, 1), log.count]).toEqual([true, 1]);
  expect([follower.maintain(log, 1), log.count]).toEqual([true, 0]);
  index.verify();
  // One leaf is loose, for scores and for filters.
  expect([follower.maintain(log, 1), follower.maintain(log, 1), follower.maintain(log, 1)]).toEqual([
    true,
    false,
    false,
  ]);
});

test('leaves what a round loosened to be tightened between rounds, and tightens in a round what nobody tightened before', () => {
  const index = twoLeaves();
  const { follower, nodes, buckets } = index;
  const cheapest = (): number => nodes.envelopeSum(buckets.buckets[0]!.nodeBase + 1);
  const before = cheapest();
  for (let id = 1; id <= 30; id++) change(index, id, {}, { gpuMicroPerHour: 2_000_000 });
  follower.follow(touched(...Array.from({ length: 30 }, (_, at) => at + 1)));
  expect(cheapest()).toBe(before);
  follower.follow(touched(1));
  const after = cheapest();
  expect(after).toBeLessThan(before);
  index.verify();
  while (follower.maintain(touched(), 8));
  expect(cheapest()).toBe(after);
});

test('has a bucket placed anew between rounds before it is full', () => {
  const index = twoLeaves();
  const [bucket] = index.buckets.buckets;
  for (let id = 61; id <= 63; id++) change(index, id, {});
  index.follower.follow(touched(61, 62));
  expect([bucket!.rows, bucket!.leaves]).toEqual([62, 2]);
  while (index.follower.maintain(touched(), 8));
  expect(bucket!.leaves).toBe(2);
  index.follower.follow(touched(63));
  expect(bucket!.leaves).toBe(2);
  while (index.follower.maintain(touched(), 8));
  expect([bucket!.rows, bucket!.leaves]).toEqual([63, 3]);
  index.verify();
});

test('finds room in a full bucket within a round where nobody tended it', () => {
  const index = twoLeaves();
  const [bucket] = index.buckets.buckets;
  const ids = Array.from({ length: 5 }, (_, at) => 61 + at);
  for (const id of ids) change(index, id, {});
  index.follower.follow(touched(...ids));
  expect([bucket!.rows, bucket!.leaves]).toEqual([65, 3]);
  index.verify();
});
