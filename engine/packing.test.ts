import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Capacity } from './capacity.js';
import { chooseShare } from './devices.js';
import { PolicyOutOfRangeError } from './engineError.js';
import { matchRound } from './matchRound.js';
import {
  isSameLack,
  LACKS_CPU,
  LACKS_MEMORY,
  PACKING_BOUNDS,
  Packing,
  packingOf,
  requirePackingTerms,
  weightedPacking,
} from './packing.js';
import type { PackingTerms, Policy } from './policy.js';
import { roundPlanArbitrary, snapshotOf } from './reference/arbitrarySnapshot.js';
import { PLAIN_POLICY, plainMachine, plainOrder, plainProvider, plainRound } from './reference/plainRound.js';
import { referencePacking } from './reference/referenceMatcher.js';

// fast-check prints seed and path of a failing run; set FC_SEED to run the same cases again.
const parameters = { numRuns: 400, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) };

/** V: 0 below 250, then 200, 500 from 500 on, 900 for a wholly free device; a core counts for 100 of value, a GiB for 16. */
const TERMS: PackingTerms = {
  fromMilli: [250, 500, 1000],
  value: [200, 500, 900],
  deviceWeight: 30,
  cpuWeight: 20,
  memoryWeight: 2,
  cpuRate: 6554,
  memoryRate: 1024,
  models: [7],
  modelFactor: [512],
};

const BOTH = LACKS_CPU | LACKS_MEMORY;

const PACKING_ONLY: Policy = {
  ...PLAIN_POLICY,
  rulesVersion: 2,
  weightPriceBps: 0,
  weightStakeBps: 0,
  weightFitBps: 0,
  weightRegionBps: 0,
  weightUptimeBps: 0,
  weightReputationBps: 0,
  weightPackingBps: 10_000,
  packing: TERMS,
};

/** Capacity of one machine, id 1. */
function capacityOf(freeMilliGpu: readonly number[], freeCpuMilli = 1_000_000, freeMemoryMib = 10_000_000): Capacity {
  const machine = plainMachine({ freeMilliGpu: padded(freeMilliGpu), freeCpuMilli, freeMemoryMib });
  const plan = plainRound({ market: { providers: [plainProvider()], machines: [machine] } });
  return new Capacity(snapshotOf(plan, 'ascending').market, new Packing(TERMS).deviceValue);
}

function padded(freeMilliGpu: readonly number[]): number[] {
  return [...freeMilliGpu, 0, 0, 0, 0, 0, 0, 0, 0].slice(0, 8);
}

function resources(milliGpu: number, cpuMilli = 0, memoryMib = 0) {
  return { milliGpu, cpuMilli, memoryMib, storageGib: 0 };
}

describe('V and the potential', () => {
  test('V is 0 below the first step and the last step reached above it', () => {
    const { deviceValue } = new Packing(TERMS);
    expect([0, 249, 250, 499, 500, 999, 1000].map((free) => deviceValue[free])).toEqual([
      0, 0, 200, 200, 500, 500, 900,
    ]);
  });

  test.each([
    // 30 x 1400 + 20 x 1400 + 2 x 1400: cpu and memory are no limit.
    { cpu: 1_000_000, memory: 10_000_000, expected: 72_800 },
    // 8000 milli x 6554 / 65536 = 800.04, floored; so 20 x 800.
    { cpu: 8000, memory: 10_000_000, expected: 42_000 + 16_000 + 2800 },
    // 32767 MiB x 1024 / 65536 = 511.98, floored; so 2 x 511.
    { cpu: 1_000_000, memory: 32_767, expected: 42_000 + 28_000 + 1022 },
    { cpu: 0, memory: 0, expected: 42_000 },
  ])('is $expected with $cpu milli and $memory MiB free beside devices worth 1400', ({ cpu, memory, expected }) => {
    expect(new Packing(TERMS).potential(1400, cpu, memory)).toBe(expected);
  });
});

describe('the loss', () => {
  test.each([
    // 1000 -> 750 loses 900 - 500, of 52; 750 milli are left.
    { name: 'a share of a wholly free device', free: [1000], milliGpu: 250, loss: 400 * 52 + 750 },
    // 480 -> 230 loses 200, as 700 -> 450 would lose 300.
    { name: 'a share where it costs least', free: [700, 480], milliGpu: 250, loss: 200 * 52 + 230 },
    { name: 'two whole devices', free: [1000, 300, 1000], milliGpu: 2000, loss: 1800 * 52 },
    { name: 'no GPU and no limit by cpu or memory', free: [1000], milliGpu: 0, loss: 0 },
  ])('of $name', ({ free, milliGpu, loss }) => {
    expect(new Packing(TERMS).lossOn(capacityOf(free), 1, 5, resources(milliGpu))).toBe(loss);
  });

  test('of an order without GPU is the value that the remaining cpu and memory no longer serve', () => {
    // Devices worth 1800. cpu 17000 serves 1700, 16000 serves 1600; memory 100000 MiB serves 1562, 99000 serves 1546.
    const capacity = capacityOf([1000, 1000], 17_000, 100_000);
    expect(new Packing(TERMS).lossOn(capacity, 1, 5, resources(0, 1000, 1000))).toBe(100 * 20 + 16 * 2);
  });

  test('of a listed model counts by its factor, floored, and what is left on the device does not', () => {
    const packing = new Packing({ ...TERMS, modelFactor: [511] });
    // 400 x 52 x 511 / 1024 = 10379.69
    expect(packing.lossOn(capacityOf([1000]), 1, 7, resources(250))).toBe(10_379 + 750);
  });

  test('is what the reference finds, and below the bound, whatever the policy and the machine', () => {
    let shares = 0;
    fc.assert(
      fc.property(roundPlanArbitrary, ({ market, orders, policy }) => {
        if (policy.packing === null) return;
        const packing = new Packing(policy.packing);
        for (const { machine } of market.machines) {
          for (const order of orders) {
            const plan = plainRound({ market: { providers: [plainProvider()], machines: [{ machine, offers: [] }] } });
            const capacity = new Capacity(snapshotOf(plan, 'ascending').market, packing.deviceValue);
            if (order.cpuMilli > machine.freeCpuMilli || order.memoryMib > machine.freeMemoryMib) continue;
            if (!capacity.fitsDevices(1, order.milliGpu)) continue;
            if (order.milliGpu % 1000 > 0) shares++;
            const expected = referencePacking(policy.packing, order, {
              ...machine,
              devices: [...machine.freeMilliGpu],
            });
            const loss = packing.lossOn(capacity, 1, machine.model, order);
            expect({ loss, most: packing.largestLoss(order) }).toEqual({
              loss: Number(expected.loss),
              most: Number(expected.most),
            });
            const devicesValue = machine.freeMilliGpu.reduce((sum, free) => sum + packing.deviceValue[free]!, 0);
            const lack = packing.lackOf(devicesValue, machine.freeCpuMilli, machine.freeMemoryMib);
            const isPartlyFree = machine.freeMilliGpu.some((free) => free % 1000 > 0);
            const least = packing.leastLoss(order, lack, isPartlyFree, machine.model);
            expect(loss).toBeGreaterThanOrEqual(least);
            expect(least).toBeGreaterThanOrEqual(packing.leastLoss(order, lack, isPartlyFree));
            expect(least).toBeGreaterThanOrEqual(packing.leastLoss(order, lack, true, machine.model));
            expect(least).toBeGreaterThanOrEqual(packing.leastLoss(order, BOTH, isPartlyFree, machine.model));
            expect(loss).toBeLessThan(packing.largestLoss(order));
          }
        }
      }),
      { ...parameters, numRuns: 100 },
    );
    expect(shares).toBeGreaterThan(20);
  });
});

describe('the least loss', () => {
  // A whole device is worth 900; 1000 cpu-milli serve 100 of value, and so do 6400 MiB.
  test.each([
    { name: 'a whole device where nothing is lacking', milliGpu: 1000, lack: 0, isPartlyFree: false, least: 900 * 52 },
    { name: 'one where cpu is', milliGpu: 1000, lack: LACKS_CPU, isPartlyFree: false, least: 900 * 32 + 100 * 20 },
    { name: 'one where memory is', milliGpu: 1000, lack: LACKS_MEMORY, isPartlyFree: true, least: 900 * 50 + 100 * 2 },
    { name: 'one where both are', milliGpu: 1000, lack: BOTH, isPartlyFree: true, least: 900 * 30 + 100 * 22 },
    { name: 'a share of a device that keeps its value', milliGpu: 250, lack: 0, isPartlyFree: true, least: 0 },
    // 1000 -> 750 loses 900 - 500, and 750 are left.
    { name: 'a share of a whole device', milliGpu: 250, lack: 0, isPartlyFree: false, least: 400 * 52 + 750 },
    { name: 'no GPU', milliGpu: 0, lack: 0, isPartlyFree: false, least: 0 },
  ])('of $name', ({ milliGpu, lack, isPartlyFree, least }) => {
    expect(new Packing(TERMS).leastLoss(resources(milliGpu, 1000, 6400), lack, isPartlyFree, 5)).toBe(least);
  });
});

describe('what a machine lacks', () => {
  // Devices worth 900 need 9000 cpu-milli (900.05 of value) and 57,600 MiB (900).
  test.each([
    { cpu: 9000, memory: 57_600, lack: 0 },
    { cpu: 8999, memory: 57_600, lack: LACKS_CPU },
    { cpu: 9000, memory: 57_599, lack: LACKS_MEMORY },
    { cpu: 0, memory: 0, lack: BOTH },
  ])('with $cpu milli and $memory MiB free beside a device worth 900 is $lack', ({ cpu, memory, lack }) => {
    expect(new Packing(TERMS).lackOf(900, cpu, memory)).toBe(lack);
  });

  test.each<[string, Partial<PackingTerms> | null, boolean]>([
    ['weights and factors', { deviceWeight: 1, cpuWeight: 1, memoryWeight: 1, models: [8], modelFactor: [3] }, true],
    ['cpu rates', { cpuRate: 6555 }, false],
    ['memory rates', { memoryRate: 1023 }, false],
    ['steps', { fromMilli: [250, 501, 1000] }, false],
    ['values', { value: [200, 501, 900] }, false],
    ['numbers of steps', { fromMilli: [250, 500], value: [200, 500] }, false],
    ['no terms', null, false],
  ])('is the same whatever the policy but where it has other %s', (_, changes, isSame) => {
    const other = changes === null ? null : { ...TERMS, ...changes };
    expect([isSameLack(TERMS, other), isSameLack(other, TERMS)]).toEqual([isSame, isSame]);
  });
});

describe('exactness', () => {
  const { steps: _, models: __, value, modelFactor: ___, ...highest } = PACKING_BOUNDS;
  const packing = new Packing({ ...highest, fromMilli: [1], value: [value], models: [], modelFactor: [] });

  test('at every bound the potential times a factor stays below 2^31 and the weighted loss below 2^53', () => {
    expect(packing.potential(8000, 2 ** 20, 2 ** 24) * PACKING_BOUNDS.modelFactor).toBeLessThan(2 ** 31);
    const largest = packing.largestLoss(resources(8000, 2 ** 20, 2 ** 24));
    expect(largest).toBeLessThan(2 ** 26);
    expect(10_000 * 10_000 * largest).toBeLessThan(2 ** 53);
  });

  test('the weighted component is floored as integers are', () => {
    const largest = packing.largestLoss(resources(8000, 2 ** 20 - 1, 2 ** 24 - 1));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: largest }), fc.integer({ min: 0, max: 10_000 }), (loss, weight) => {
        const exact = (BigInt(weight) * 10_000n * BigInt(largest - loss)) / BigInt(largest);
        expect(weightedPacking(weight, loss, largest)).toBe(Number(exact));
      }),
      parameters,
    );
  });
});

describe('the device of a share', () => {
  const { deviceValue } = new Packing(TERMS);
  test.each([
    { why: 'loses the least value, not the least free', free: [500, 499, 700], milliGpu: 250, device: 1 },
    { why: 'has the least free of those that lose as much', free: [1000, 485, 480], milliGpu: 240, device: 2 },
    { why: 'has the lowest index of equal ones', free: [0, 480, 480], milliGpu: 100, device: 1 },
    { why: 'has enough free', free: [240, 260], milliGpu: 250, device: 1 },
    { why: 'is none when none has', free: [240, 249], milliGpu: 250, device: -1 },
  ])('$why', ({ free, milliGpu, device }) => {
    expect(chooseShare(padded(free), 0, milliGpu, deviceValue)).toBe(device);
  });

  test('is the fullest that fits in rules version 1', () => {
    expect(chooseShare(padded([500, 499, 700]), 0, 250, null)).toBe(1);
    expect(chooseShare(padded([1000, 500, 460, 460]), 0, 240, null)).toBe(2);
  });
});

describe('a round of version 2', () => {
  test('goes to the machine that loses the least, on the device that does', () => {
    const machines = [
      plainMachine({ freeMilliGpu: padded([1000, 1000]) }),
      plainMachine({ freeMilliGpu: padded([700, 600]) }),
      plainMachine({ freeMilliGpu: padded([1000, 480, 490]) }),
    ];
    const plan = plainRound({
      market: { providers: [plainProvider()], machines },
      orders: [plainOrder({ milliGpu: 240, storageGib: 0 })],
      policy: PACKING_ONLY,
    });
    // 490 -> 250 keeps its 200; 480 -> 240 would lose them, 700 and 600 300, a wholly free device 400.
    expect(matchRound(snapshotOf(plan, 'ascending'), plan.policy, plan.seed)).toMatchObject([
      { machineId: 3, deviceMask: 0b100 },
    ]);
  });

  test('spares the cpu beside idle devices where price alone would not', () => {
    const machines = [
      plainMachine({ freeMilliGpu: padded([1000, 1000]), freeCpuMilli: 18_000 }, { coreMicroPerHour: 1 }),
      plainMachine({ freeMilliGpu: padded([]), freeCpuMilli: 18_000, model: 0 }, { coreMicroPerHour: 2 }),
    ];
    const chosenBy = (weightPackingBps: number): number | undefined => {
      const plan = plainRound({
        market: { providers: [plainProvider()], machines },
        orders: [plainOrder({ milliGpu: 0 })],
        policy: { ...PACKING_ONLY, weightPriceBps: 10_000 - weightPackingBps, weightPackingBps },
      });
      return matchRound(snapshotOf(plan, 'ascending'), plan.policy, plan.seed)[0]?.machineId;
    };
    expect([chosenBy(0), chosenBy(10_000)]).toEqual([1, 2]);
  });
});

describe('terms', () => {
  const sixteen = Array.from({ length: 17 }, (_, index) => index + 1);
  const manyModels = Array.from({ length: 33 }, (_, index) => index + 1);
  test.each<[string, Partial<PackingTerms>]>([
    ['packing.fromMilli.length', { fromMilli: sixteen, value: sixteen }],
    ['packing.fromMilli[0]', { fromMilli: [0, 500, 1000] }],
    ['packing.fromMilli[1]', { fromMilli: [250, 250, 1000] }],
    ['packing.fromMilli[2]', { fromMilli: [250, 500, 1001] }],
    ['packing.value.length', { value: [1, 2] }],
    ['packing.value[0]', { value: [0, 1, 2] }],
    ['packing.value[1]', { value: [5, 4, 6] }],
    ['packing.value[2]', { value: [5, 6, 1001] }],
    ['packing.deviceWeight', { deviceWeight: 65 }],
    ['packing.cpuWeight', { cpuWeight: 65 }],
    ['packing.memoryWeight', { memoryWeight: 17 }],
    ['packing.cpuRate', { cpuRate: 2 ** 14 + 1 }],
    ['packing.cpuRate', { cpuRate: 0.5 }],
    ['packing.memoryRate', { memoryRate: 2 ** 12 + 1 }],
    ['packing.models.length', { models: manyModels, modelFactor: manyModels }],
    ['packing.models[0]', { models: [0] }],
    ['packing.models[1]', { models: [8, 7], modelFactor: [1, 1] }],
    ['packing.modelFactor.length', { modelFactor: [] }],
    ['packing.modelFactor[0]', { modelFactor: [0] }],
    ['packing.modelFactor[0]', { modelFactor: [1025] }],
  ])('are refused for %s', (field, changes) => {
    expect(() => requirePackingTerms({ ...TERMS, ...changes })).toThrow(PolicyOutOfRangeError);
    expect(() => requirePackingTerms({ ...TERMS, ...changes })).toThrow(`policy: ${field} is `);
  });

  test.each<[string, Partial<Policy>]>([
    ['weightPackingBps', { weightPackingBps: 1 }],
    ['packing', { packing: TERMS }],
    ['packing', { rulesVersion: 2 }],
    ['weightPackingBps', { rulesVersion: 2, packing: TERMS, weightPackingBps: 10_001 }],
  ])('or a weight where the version has no place for them are refused: %s', (field, changes) => {
    expect(() => packingOf({ ...PLAIN_POLICY, ...changes })).toThrow(`policy: ${field} is `);
  });

  test('that say nothing leave every machine equal', () => {
    const nothing = { ...TERMS, fromMilli: [], value: [], models: [], modelFactor: [] };
    expect(new Packing(nothing).lossOn(capacityOf([1000]), 1, 5, resources(1000, 1000, 1000))).toBe(0);
  });
});
