import { describe, expect, test } from '@jest/globals';
import { LACKS_CPU, LACKS_MEMORY } from '../packing.js';
import type { Policy } from '../policy.js';
import { snapshotOf } from '../reference/arbitrarySnapshot.js';
import { PLAIN_POLICY, plainMachine, plainOrder, plainProvider, plainRound } from '../reference/plainRound.js';
import { IndexedMatcher } from './indexedMatcher.js';
import type { MarketIndex } from './marketIndex.js';
import { ATTRIBUTES, NODE_WORDS, TRAIT_SHIFT } from './nodeTable.js';
import { lackIn, PARTLY_FREE, traitsOf } from './packingTraits.js';

/** A whole device is worth 1000 and half of one 400; 10 cpu-milli and 64 MiB serve a value of 1. */
const POLICY: Policy = {
  ...PLAIN_POLICY,
  rulesVersion: 2,
  weightPriceBps: 3000,
  weightPackingBps: 1500,
  packing: {
    fromMilli: [500, 1000],
    value: [400, 1000],
    deviceWeight: 32,
    cpuWeight: 32,
    memoryWeight: 2,
    cpuRate: 6554,
    memoryRate: 1024,
    models: [],
    modelFactor: [],
  },
};

const FREE = { freeMilliGpu: [1000, 1000, 0, 0, 0, 0, 0, 0], freeCpuMilli: 20_000, freeMemoryMib: 128_000 };

/** A round on 200 machines in two regions, each with just the cpu and memory that its two devices are worth. */
function evenRound() {
  const machines = Array.from({ length: 200 }, (_, index) =>
    plainMachine({ ...FREE, model: 5, region: 1 + (index % 2) }),
  );
  const plan = plainRound({ market: { providers: [plainProvider()], machines }, policy: POLICY });
  const snapshot = snapshotOf(plan, 'ascending');
  return { snapshot, market: snapshot.market, seed: plan.seed };
}

/** Traits at the root of a region's bucket and at that of the forest; all of the index verified. */
function rootTraits(index: MarketIndex, region: number): [ofBucket: number, ofForest: number] {
  index.verify();
  const bucket = index.buckets.find((known) => known.region === region)!;
  return [bucket.nodeBase + 1, bucket.forest.nodeBase + 1].map(
    (node) => index.nodes.words[node * NODE_WORDS + ATTRIBUTES]! >>> TRAIT_SHIFT,
  ) as [number, number];
}

test.each([
  { name: 'wholly free devices alone', total: 2000, devices: (2 << 10) | 1000, traits: 0 },
  { name: 'nothing free', total: 0, devices: 0, traits: 0 },
  { name: 'a part of a device beside a whole one', total: 1001, devices: (1 << 10) | 1000, traits: PARTLY_FREE },
  { name: 'a part of a device', total: 300, devices: 300, traits: PARTLY_FREE },
  { name: 'eight devices and no cpu', total: 8000, devices: (1 << 14) | (8 << 10) | 1000, traits: LACKS_CPU },
  { name: 'no memory', total: 1000, devices: (2 << 14) | (1 << 10) | 1000, traits: LACKS_MEMORY },
])('traits of a machine with $name', ({ total, devices, traits }) => {
  expect(traitsOf(total, devices)).toBe(traits);
  expect(lackIn(traits | PARTLY_FREE)).toBe(lackIn(traits));
});

describe('the traits that nodes tell', () => {
  const withIndex = <T>(
    { snapshot, seed }: Pick<ReturnType<typeof evenRound>, 'snapshot' | 'seed'>,
    look: (matcher: IndexedMatcher) => T,
    policy = POLICY,
  ): T => IndexedMatcher.withRound(snapshot, policy, seed, look);

  test.each([
    { name: 'cpu', change: { freeCpuMilli: 19_998 }, traits: LACKS_CPU },
    { name: 'memory', change: { freeMemoryMib: 127_999 }, traits: LACKS_MEMORY },
    { name: 'a part of a device', change: { freeMilliGpu: [1000, 499, 0, 0, 0, 0, 0, 0] }, traits: PARTLY_FREE },
  ])('are none until an update takes $name, and none again once that is undone and tightened', ({ change, traits }) => {
    const round = evenRound();
    expect(withIndex(round, ({ index }) => rootTraits(index, 1))).toEqual([0, 0]);
    round.market.setMachine(77, plainMachine({ ...FREE, model: 5, region: 1, ...change }).machine);
    withIndex(round, ({ index }) => {
      expect(rootTraits(index, 1)).toEqual([traits, traits]);
      expect(rootTraits(index, 2)).toEqual([0, traits]);
    });
    round.market.setMachine(77, plainMachine({ ...FREE, model: 5, region: 1 }).machine);
    withIndex(round, ({ index }) => index.verify());
    while (IndexedMatcher.maintain(round.market, 10));
    expect(withIndex(round, ({ index }) => rootTraits(index, 1))).toEqual([0, 0]);
  });

  test.each([
    { name: 'cpu', order: { milliGpu: 0, cpuMilli: 10, memoryMib: 0 }, traits: LACKS_CPU },
    { name: 'memory', order: { milliGpu: 0, cpuMilli: 1, memoryMib: 64 }, traits: LACKS_MEMORY },
    { name: 'a part of a device', order: { milliGpu: 500, cpuMilli: 1000, memoryMib: 1000 }, traits: PARTLY_FREE },
    { name: 'a device and its due', order: { milliGpu: 1000, cpuMilli: 10_000, memoryMib: 64_000 }, traits: 0 },
  ])('are what a reservation of $name makes them, until it is undone', ({ order, traits }) => {
    const round = evenRound();
    withIndex(round, (matcher) => {
      matcher.match(plainOrder({ ...order, storageGib: 0, regions: [2], regionRequired: true }));
      expect(rootTraits(matcher.index, 2)).toEqual([traits, traits]);
      expect(rootTraits(matcher.index, 1)).toEqual([0, traits]);
    });
    expect(withIndex(round, ({ index }) => rootTraits(index, 2))).toEqual([0, 0]);
  });

  test('are those of a policy that values cpu by another rate, with all weights the same', () => {
    const round = evenRound();
    const stingy = { ...POLICY, packing: { ...POLICY.packing!, cpuRate: 6000 } };
    expect(withIndex(round, ({ index }) => rootTraits(index, 1))).toEqual([0, 0]);
    expect(withIndex(round, ({ index }) => rootTraits(index, 1), stingy)).toEqual([LACKS_CPU, LACKS_CPU]);
    expect(withIndex(round, ({ index }) => rootTraits(index, 1))).toEqual([0, 0]);
  });

  test('are none where packing has no weight', () => {
    const round = evenRound();
    round.market.setMachine(77, plainMachine({ ...FREE, model: 5, region: 1, freeCpuMilli: 1 }).machine);
    const policy = { ...POLICY, weightPriceBps: 4500, weightPackingBps: 0 };
    withIndex(
      round,
      (matcher) => {
        matcher.match(plainOrder({ milliGpu: 500, regions: [1], regionRequired: true }));
        expect(rootTraits(matcher.index, 1)).toEqual([0, 0]);
      },
      policy,
    );
  });
});
