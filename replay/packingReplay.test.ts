import { describe, expect, test } from '@jest/globals';
import { derivePackingTerms, GENERIC_PACKING_TERMS } from '../engine/derivation/derivePackingTerms.js';
import type { Order } from '../engine/order.js';
import type { Policy } from '../engine/policy.js';
import type { Snapshot } from '../engine/snapshot.js';
import { PUBLISHED_EXPERIMENT, replayPacking } from './packingReplay.js';
import type { ReplayOptions } from './packingReplay.js';
import type { WorkloadTask } from './parseWorkload.js';
import { TRADE_WEIGHTS, tradeReport } from './tradeReport.js';

function task(name: string, milliGpu: number, changes: Partial<WorkloadTask> = {}): WorkloadTask {
  return { name, cpuMilli: 1000, memoryMib: 1024, milliGpu, models: [], ...changes };
}

const machine = { cpuMilli: 32_000, memoryMib: 65_536, devices: 2, model: 'A' };
const options: ReplayOptions = {
  machines: [machine, { ...machine, model: 'B' }, { ...machine, devices: 0, model: '' }],
  tasks: [task('a', 1000)],
  inflatePermille: 1300,
  seed: 42,
  terms: null,
};

describe('a replay', () => {
  test('fills what can be filled, skips the rest, and reads the allocation after every arrival', () => {
    // Four devices, five tasks of one: 25, 50, 75, 100 % and one more, which finds nothing.
    expect(replayPacking(options)).toEqual({
      seed: 42,
      allocation: { 95: null, 100: 100, 110: null, 120: null, 130: null },
      placed: 4,
      skipped: 1,
    });
  });

  test('averages the allocation over the arrivals of one load', () => {
    // 3000 of 4000 fit; at 100 % requested two arrivals are noted, the task without GPU among them.
    const tasks = [task('a', 2000), task('b', 1000, { models: ['C'] }), task('c', 1000), task('d', 0)];
    const { allocation, placed, skipped } = replayPacking({ ...options, tasks, inflatePermille: 1000 });
    expect(allocation[100]).toBe(75);
    expect([placed, skipped]).toEqual([3, 1]);
  });

  test('lets tasks without GPU compete for the cpu of machines with GPUs, and none but those', () => {
    const tasks = [task('a', 0, { cpuMilli: 32_000 }), task('b', 0, { cpuMilli: 32_000 }), task('c', 0)];
    expect(replayPacking({ ...options, tasks })).toMatchObject({ placed: 2, skipped: 1 });
  });

  test('sends a task to a model that it accepts', () => {
    const tasks = [task('a', 2000, { models: ['B', 'C'] }), task('b', 2000, { models: ['B'] })];
    expect(replayPacking({ ...options, tasks, inflatePermille: 1000 })).toMatchObject({ placed: 1, skipped: 1 });
  });

  test('goes by generic terms, then by terms from what has arrived until then, and by nothing that comes later', () => {
    const tasks = Array.from({ length: 120 }, (_, index) => task(`t${index}`, index % 3 === 0 ? 470 : 320));
    const run = { ...options, tasks, machines: Array.from({ length: 40 }, () => machine), inflatePermille: 500 };
    const stretches = stretchesOf(run);
    expect(stretches.map(({ snapshot }) => snapshot.orders.length).slice(0, 3)).toEqual([50, 13, 16]);
    const past: Order[] = [];
    for (const { snapshot, policy } of stretches) {
      const known = past.length === 0 ? GENERIC_PACKING_TERMS : derivePackingTerms(past, supplyOf(40)).terms;
      expect(policy.packing).toEqual(known);
      past.push(...snapshot.orders);
    }
    expect(stretches.at(-1)!.policy.packing).not.toEqual(GENERIC_PACKING_TERMS);
  });

  test('goes by given terms throughout', () => {
    const terms = { ...GENERIC_PACKING_TERMS, cpuRate: 1 };
    const tasks = Array.from({ length: 60 }, (_, index) => task(`t${index}`, 10));
    for (const { policy } of stretchesOf({ ...options, tasks, terms })) expect(policy.packing).toEqual(terms);
  });

  test('is scored by packing alone, without jitter', () => {
    const [first] = stretchesOf(options);
    expect(first?.policy).toMatchObject({ rulesVersion: 2, weightPackingBps: 10_000, jitterRange: 0 });
    const { weightPriceBps, weightStakeBps, weightFitBps, weightRegionBps, weightUptimeBps, weightReputationBps } =
      first!.policy;
    expect([
      weightPriceBps,
      weightStakeBps,
      weightFitBps,
      weightRegionBps,
      weightUptimeBps,
      weightReputationBps,
    ]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

/** What the engine is given, stretch by stretch. */
function stretchesOf(run: ReplayOptions): { readonly snapshot: Snapshot; readonly policy: Policy }[] {
  const stretches: { readonly snapshot: Snapshot; readonly policy: Policy }[] = [];
  replayPacking(run, {
    ...PUBLISHED_EXPERIMENT,
    match(snapshot, policy) {
      stretches.push({ snapshot, policy });
      return PUBLISHED_EXPERIMENT.match(snapshot, policy);
    },
  });
  return stretches;
}

function supplyOf(machines: number) {
  return Array.from({ length: machines }, () => ({ model: 1, milliGpu: 2000 }));
}

describe('the trade report', () => {
  const tasks = [task('a', 500), task('b', 300), task('c', 1000), task('d', 2000), task('e', 0)];
  const machines = Array.from({ length: 10 }, () => machine);
  const rows = tradeReport({ ...options, machines, tasks, spreadPercent: 30 });

  test('has a row for every weight, and nothing is paid below the cheapest', () => {
    expect(rows.map(({ weightPackingBps }) => weightPackingBps)).toEqual([0, ...TRADE_WEIGHTS]);
    expect(rows.map(({ weightFitBps }) => weightFitBps)).toEqual([1500, ...TRADE_WEIGHTS.map(() => 0)]);
    for (const { paidToCheapest } of rows) expect(paidToCheapest).toBeGreaterThanOrEqual(1);
  });

  test('shows that packing alone pays more than price first', () => {
    expect(rows.at(-1)!.paidToCheapest).toBeGreaterThan(rows[1]!.paidToCheapest);
  });

  test('pays the same everywhere when all ask the same', () => {
    const same = tradeReport({ ...options, machines, tasks, spreadPercent: 0 });
    for (const { paidToCheapest } of same) expect(paidToCheapest).toBe(1);
  });
});
