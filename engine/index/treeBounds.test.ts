import { expect, test } from '@jest/globals';
import { builtIndex } from '../reference/builtIndex.js';
import { plainMachine } from '../reference/plainRound.js';
import { MAX_CPU, NODE_BYTES, ROW_NODE, amountByte } from './nodeTable.js';

/** Four leaves, each with the machines of one price: machines 1 to 25, 26 to 50, 51 to 75 and 76 to 100 are dearer and dearer. */
function fourLeaves(): ReturnType<typeof builtIndex> {
  return builtIndex(
    Array.from({ length: 100 }, (_, index) =>
      plainMachine({}, { gpuMicroPerHour: 1_000_000 + 500_000 * Math.floor(index / 25) }),
    ),
  );
}

/** Most free cpu by node, as a byte: of the local nodes 1 to 7 of the only bucket. */
function cpuByNode({ nodes, buckets }: ReturnType<typeof builtIndex>): number[] {
  const { nodeBase } = buckets.buckets[0]!;
  return [1, 2, 3, 4, 5, 6, 7].map((local) => nodes.bytes[(nodeBase + local) * NODE_BYTES + MAX_CPU]!);
}

const PLAIN = amountByte(32_000);
const MORE = amountByte(64_000);

test('widens a leaf and what is above it, and nothing beside', () => {
  const index = fourLeaves();
  const [bucket] = index.buckets.buckets;
  expect(bucket!.leaves).toBe(4);
  expect(cpuByNode(index)).toEqual(Array(7).fill(PLAIN));
  index.market.freeCpuMilli[1] = 64_000;
  index.rowBounds.load(1, 4, bucket!);
  index.treeBounds.widen(bucket!, 6);
  expect(cpuByNode(index)).toEqual([MORE, PLAIN, MORE, PLAIN, PLAIN, MORE, PLAIN]);
});

test('tightens leaves, and what is above them as far as it changes; filters only where it is told to', () => {
  const index = fourLeaves();
  const [bucket] = index.buckets.buckets;
  for (const local of [5, 6]) {
    index.rowBounds.load(1, 4, bucket!);
    index.nodes.bytes[ROW_NODE * NODE_BYTES + MAX_CPU] = MORE;
    index.treeBounds.widen(bucket!, local);
  }
  const leafOf = (local: number): number => bucket!.leafBase + local - bucket!.leaves;
  index.treeBounds.tighten(Uint32Array.of(leafOf(5), leafOf(6)), false);
  expect(cpuByNode(index)).toEqual([MORE, MORE, MORE, PLAIN, MORE, MORE, PLAIN]);
  index.treeBounds.tighten(Uint32Array.of(leafOf(5)), true);
  expect(cpuByNode(index)).toEqual([MORE, PLAIN, MORE, PLAIN, PLAIN, MORE, PLAIN]);
  index.treeBounds.tighten(Uint32Array.of(leafOf(6)), true);
  expect(cpuByNode(index)).toEqual(Array(7).fill(PLAIN));
  index.verify();
});

test('passes over leaves that no bucket has any more', () => {
  const index = fourLeaves();
  const [bucket] = index.buckets.buckets;
  const left = bucket!.leafBase;
  index.buckets.makeRoom(bucket!, 5);
  const before = index.nodes.words.slice();
  index.treeBounds.tighten(Uint32Array.of(left), true);
  expect(index.nodes.words).toEqual(before);
});

test('bounds the nodes of a forest where a bucket below them changed', () => {
  const machines = [1, 2, 3].map((region) => plainMachine({ region }));
  const index = builtIndex(machines);
  const [forest] = index.buckets.forests;
  const { bytes } = index.nodes;
  const cpuOf = (local: number): number => bytes[forest!.nodeOf(local) * NODE_BYTES + MAX_CPU]!;
  expect([1, 2, 3, 4, 5].map(cpuOf)).toEqual(Array(5).fill(PLAIN));
  // Local nodes 3, 4 and 5 are the buckets of regions 1, 2 and 3: see Forest.
  const [, second] = index.buckets.buckets;
  index.market.freeCpuMilli[2] = 64_000;
  index.rowBounds.load(2, 8, second!);
  index.treeBounds.widen(second!, 1);
  expect([1, 2, 3, 4, 5].map(cpuOf)).toEqual([MORE, MORE, PLAIN, MORE, PLAIN]);
  index.market.freeCpuMilli[2] = 32_000;
  index.treeBounds.tighten(Uint32Array.of(second!.leafBase), true);
  expect([1, 2, 3, 4, 5].map(cpuOf)).toEqual(Array(5).fill(PLAIN));
});
