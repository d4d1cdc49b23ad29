import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { OrdersNotAscendingError } from './engineError.js';
import type { Market } from './market.js';
import type { Order } from './order.js';
import { matchRound } from './matchRound.js';
import { roundPlanArbitrary, snapshotOf } from './reference/arbitrarySnapshot.js';
import type { RoundPlan } from './reference/arbitrarySnapshot.js';
import { plainOrder, plainRound } from './reference/plainRound.js';
import { marketOfCells, mergeShardRecords, snapshotOfShard, splitRound } from './shards.js';
import type { MachineCell } from './shards.js';

const parameters = { numRuns: 400, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) };

const target = fc.record({
  models: fc.constantFrom([1], [2], [1023], [1, 2]),
  regions: fc.oneof(fc.constantFrom([], [0], [1], [33, 1], [1023]), fc.uniqueArray(fc.constantFrom(0, 1, 31, 32, 33))),
  regionRequired: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});

/** Random rounds whose GPU orders mostly name models and often require regions, so that most of them fall into several parts. */
const roundOfNamedModels: fc.Arbitrary<RoundPlan> = fc
  .tuple(
    roundPlanArbitrary,
    fc.array(target, { minLength: 12, maxLength: 12 }),
    fc.constantFrom(1000, 250),
    fc.nat({ max: 9 }),
  )
  .map(([plan, targets, milliGpu, oneInTenTakesAny]) => ({
    ...plan,
    orders: plan.orders.map((order, index) => ({
      ...order,
      ...targets[index],
      milliGpu: order.milliGpu === 0 ? milliGpu : order.milliGpu,
      ...(oneInTenTakesAny === 0 && index === 0 ? { models: [] } : {}),
    })),
  }));

function matchedInShards(plan: RoundPlan, shardCount: number): ReturnType<typeof matchRound> {
  const snapshot = snapshotOf(plan, 'ascending');
  const parts = splitRound(snapshot, shardCount).map((shard) =>
    matchRound(snapshotOfShard(snapshot, shard, marketOfCells(snapshot.market, shard.cells)), plan.policy, plan.seed),
  );
  return mergeShardRecords(parts, plan.policy.maxMatches);
}

describe('a round in shards', () => {
  test('gives the records of the round in one part', () => {
    let matchedApart = 0;
    fc.assert(
      fc.property(roundOfNamedModels, fc.integer({ min: 1, max: 4 }), (plan, shardCount) => {
        const snapshot = snapshotOf(plan, 'ascending');
        const whole = matchRound(snapshot, plan.policy, plan.seed);
        expect(matchedInShards(plan, shardCount)).toEqual(whole);
        if (splitRound(snapshot, shardCount).length > 1) matchedApart += whole.length;
      }),
      parameters,
    );
    // Rounds that never split, or in which nothing matches, would make the comparison empty.
    expect(matchedApart).toBeGreaterThan(parameters.numRuns / 8);
  });

  test('gives the records of any random round', () => {
    fc.assert(
      fc.property(roundPlanArbitrary, fc.integer({ min: 1, max: 4 }), (plan, shardCount) => {
        expect(matchedInShards(plan, shardCount)).toEqual(
          matchRound(snapshotOf(plan, 'ascending'), plan.policy, plan.seed),
        );
      }),
      { ...parameters, numRuns: 100 },
    );
  });
});

describe('splitting a round', () => {
  type Target = Partial<Pick<Order, 'models' | 'regions' | 'regionRequired'>>;

  const splitTargets = (
    targets: readonly Target[],
    shardCount: number,
  ): readonly (readonly [MachineCell[], number[]])[] => {
    const orders = targets.map((named, index) => plainOrder({ ...named, orderId: index + 1 }));
    return splitRound(snapshotOf(plainRound({ orders }), 'ascending'), shardCount).map((shard) => [
      [...shard.cells],
      shard.orders.map(({ orderId }) => orderId),
    ]);
  };
  const split = (models: readonly (readonly number[])[], shardCount: number) =>
    splitTargets(
      models.map((named) => ({ models: named })),
      shardCount,
    );
  const whole = (...models: number[]): MachineCell[] => models.map((model) => ({ model, region: null }));
  const inRegions = (model: number, ...regions: number[]): Target => ({
    models: [model],
    regions,
    regionRequired: true,
  });

  test('gives each order to the shard of its model, the largest models apart', () => {
    expect(split([[5], [7], [5], [9], [5], [7]], 2)).toEqual([
      [whole(5), [1, 3, 5]],
      [whole(7, 9), [2, 4, 6]],
    ]);
  });

  test('joins the models that one order names', () => {
    expect(split([[5], [9, 5], [7], [9], [11, 7]], 4)).toEqual([
      [whole(5, 9), [1, 2, 4]],
      [whole(7, 11), [3, 5]],
    ]);
  });

  test('tells the regions of a model apart where every order requires some', () => {
    expect(splitTargets([inRegions(5, 1), inRegions(5, 2), inRegions(5, 3, 1), inRegions(7, 1)], 3)).toEqual([
      [
        [
          { model: 5, region: 1 },
          { model: 5, region: 3 },
        ],
        [1, 3],
      ],
      [[{ model: 5, region: 2 }], [2]],
      [[{ model: 7, region: 1 }], [4]],
    ]);
  });

  test('keeps a model whole that one order takes in any region, or only prefers in some', () => {
    for (const region of [{}, { regions: [2] }, { regions: [], regionRequired: true }]) {
      expect(splitTargets([inRegions(5, 1), inRegions(5, 2), inRegions(7, 1), { models: [5], ...region }], 3)).toEqual([
        [whole(5), [1, 2, 4]],
        [[{ model: 7, region: 1 }], [3]],
      ]);
    }
  });

  test('tells regions that no machine can have from the next model', () => {
    expect(splitTargets([inRegions(5, 1024), inRegions(6, 0)], 2).map(([, orderIds]) => orderIds)).toEqual([[1], [2]]);
  });

  test('leaves one part when an order takes any model', () => {
    const [all, ...others] = split([[5], [], [7]], 2);
    expect(others).toEqual([]);
    expect(all?.[0]).toEqual(whole(...Array.from({ length: 1024 }, (_, model) => model)));
    expect(all?.[1]).toEqual([1, 2, 3]);
  });

  test('has no part without orders', () => {
    expect(split([], 2)).toEqual([]);
    expect(split([[5]], 2)).toEqual([[whole(5), [1]]]);
  });

  test('refuses orders that do not ascend', () => {
    const orders = [plainOrder({ orderId: 2, models: [5] }), plainOrder({ orderId: 1, models: [7] })];
    expect(() => splitRound(snapshotOf(plainRound({ orders }), 'ascending'), 2)).toThrow(OrdersNotAscendingError);
  });
});

describe('merging the records of shards', () => {
  const [first, second, third] = [1, 2, 3].map((orderId) => {
    const snapshot = snapshotOf(plainRound({ orders: [plainOrder({ orderId })] }), 'ascending');
    return matchRound(snapshot, plainRound().policy, plainRound().seed)[0]!;
  }) as [never, never, never];

  test('puts them in the order of their ids and stops at the batch limit', () => {
    expect(mergeShardRecords([[first, third], [second]], 512)).toEqual([first, second, third]);
    expect(mergeShardRecords([[first, third], [second]], 2)).toEqual([first, second]);
    expect(mergeShardRecords([], 512)).toEqual([]);
  });
});

describe('the market of some cells', () => {
  const MACHINE_COLUMNS = [
    'activeFromRound',
    'activeUntilRound',
    'providerId',
    'model',
    'region',
    'offersWritten',
  ] as const;
  const FREE_COLUMNS = ['freeMemoryMib', 'freeCpuMilli', 'freeStorageGib'] as const;
  const OFFER_COLUMNS = [
    'offerTokenId',
    'offerGpuMicroPerHour',
    'offerCoreMicroPerHour',
    'offerMemoryGibMicroPerHour',
    'offerStorageTibMicroPerHour',
  ] as const;
  const PROVIDER_COLUMNS = [
    'stakeWhole',
    'status',
    'tier',
    'uptimeBps',
    'reputationBps',
    'slashes',
    'attributesLow',
    'attributesHigh',
  ] as const;

  /** Every column's values of one machine. */
  function machineIn(market: Market, machineId: number): number[] {
    const rows = (column: ArrayLike<number>, width: number): number[] =>
      Array.from({ length: width }, (_, index) => column[machineId * width + index] ?? 0);
    return [
      ...[...MACHINE_COLUMNS, ...FREE_COLUMNS].flatMap((name) => rows(market[name], 1)),
      ...rows(market.freeMilliGpu, 8),
      ...OFFER_COLUMNS.flatMap((name) => rows(market[name], 4)),
    ];
  }

  const cell = fc.record({
    model: fc.constantFrom(0, 1, 2, 1023, 1024),
    region: fc.constantFrom(null, 0, 1, 31, 33, 1023, 1024),
  });

  test('keeps all providers and those machines under their ids, and empties the rows of the others', () => {
    fc.assert(
      fc.property(roundPlanArbitrary, fc.array(cell), (plan, cells) => {
        const whole = snapshotOf(plan, 'ascending').market;
        const part = marketOfCells(whole, cells);
        for (let machineId = 1; machineId <= whole.machineCount; machineId++) {
          const kept = machineIn(whole, machineId);
          const isKept = cells.some(
            ({ model, region }) =>
              model === whole.model[machineId] && (region === null || region === whole.region[machineId]),
          );
          expect(machineIn(part, machineId)).toEqual(isKept ? kept : kept.map(() => 0));
        }
        expect(part.providerCount).toBe(whole.providerCount);
        for (const name of PROVIDER_COLUMNS) expect(part[name]).toEqual(whole[name]);
        expect(part.reports).toEqual(whole.reports);
      }),
      { ...parameters, numRuns: 50 },
    );
  });
});
