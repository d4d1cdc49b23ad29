import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { matchRound } from '../matchRound.js';
import { OrderMatcher } from '../orderMatcher.js';
import { orderTermsOf } from '../orderTerms.js';
import type { Policy } from '../policy.js';
import { snapshotOf } from '../reference/arbitrarySnapshot.js';
import type { RoundPlan } from '../reference/arbitrarySnapshot.js';
import {
  PLAIN_POLICY,
  plainMachine,
  plainOrder,
  plainProvider,
  plainRound,
  reportUntil,
} from '../reference/plainRound.js';

// fast-check prints seed and path of a failing run; set FC_SEED to run the same cases again.
const seeded = process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {};

const PRICE_ALONE: Policy = {
  ...PLAIN_POLICY,
  weightPriceBps: 10_000,
  weightStakeBps: 0,
  weightFitBps: 0,
  weightRegionBps: 0,
  weightUptimeBps: 0,
  weightReputationBps: 0,
};

const offerArbitrary = fc.record({
  gpuMicroPerHour: fc.constantFrom(0, 1, 100_000, 500_000, 1_000_000),
  coreMicroPerHour: fc.constantFrom(0, 1, 10_000, 100_000, 300_000),
  memoryGibMicroPerHour: fc.constantFrom(0, 1, 1000, 20_000, 50_000),
  storageTibMicroPerHour: fc.constantFrom(0, 1, 100_000),
});

const orderArbitrary = fc.record({
  milliGpu: fc.constantFrom(0, 100, 500, 1000, 4000),
  cpuMilli: fc.constantFrom(1, 100, 4000, 8000, 64_000),
  memoryMib: fc.constantFrom(0, 1024, 49_152, 262_144),
  storageGib: fc.constantFrom(0, 10, 4096),
  maxPriceMicroPerHour: fc.constantFrom(200_000, 2_000_000, 20_000_000, 2 ** 39 - 1),
});

/** Matches a round by the index and by the scan, which must agree; returns how many matches there are. */
function matchedAsScan(plan: RoundPlan): number {
  const snapshot = snapshotOf(plan, 'ascending');
  const scan = new OrderMatcher(snapshot, plan.policy, plan.seed);
  const expected = snapshot.orders.flatMap((order) => scan.match(orderTermsOf(order, snapshot, scan.round)) ?? []);
  expect(matchRound(snapshot, plan.policy, plan.seed)).toEqual(expected);
  return expected.length;
}

test('finds the cheapest of many machines, whatever their prices and the order are made of', () => {
  let matches = 0;
  fc.assert(
    fc.property(
      fc.array(offerArbitrary, { minLength: 70, maxLength: 200 }),
      fc.array(orderArbitrary, { minLength: 12, maxLength: 12 }),
      (offers, orders) => {
        const free = { freeCpuMilli: 500_000, freeMemoryMib: 2_000_000, freeStorageGib: 90_000 };
        matches += matchedAsScan(
          plainRound({
            market: {
              providers: [plainProvider()],
              machines: offers.map((offer) => plainMachine({ ...free, freeMilliGpu: Array(8).fill(1000) }, offer)),
            },
            orders: orders.map((order, index) => plainOrder({ ...order, orderId: index + 1 })),
            policy: PRICE_ALONE,
          }),
        );
      },
    ),
    { numRuns: 100, ...seeded },
  );
  expect(matches).toBeGreaterThan(300);
});

const machineArbitrary = fc.record({
  providerId: fc.integer({ min: 1, max: 4 }),
  freeMilliGpu: fc.array(fc.constantFrom(0, 0, 240, 500, 730, 1000, 1000, 1000), { minLength: 8, maxLength: 8 }),
  freeCpuMilli: fc.constantFrom(1000, 8000, 20_000, 60_000, 200_000),
  freeMemoryMib: fc.constantFrom(4096, 65_536, 200_000, 1_000_000),
});

const needArbitrary = fc.record({
  milliGpu: fc.constantFrom(100, 240, 500, 730, 1000, 2000),
  cpuMilli: fc.constantFrom(1, 1000, 8000, 20_000),
  memoryMib: fc.constantFrom(0, 1024, 49_152, 100_000),
});

test('finds the machine that packs best, whatever machines lack and providers report', () => {
  const packing = {
    fromMilli: [220, 460, 690, 1000],
    value: [200, 485, 728, 1000],
    deviceWeight: 32,
    cpuWeight: 32,
    memoryWeight: 16,
    cpuRate: 5984,
    memoryRate: 1024,
    models: [],
    modelFactor: [],
  };
  const providers = [0, 200, 1000].map((bps) => plainProvider({ reports: [bps && reportUntil(9, bps), 0, 0, 0] }));
  providers.push(plainProvider({ stakeWhole: 30_000 }));
  const weights = { ...PRICE_ALONE, rulesVersion: 2, packing };
  let matches = 0;
  fc.assert(
    fc.property(
      fc.array(machineArbitrary, { minLength: 40, maxLength: 150 }),
      fc.array(needArbitrary, { minLength: 12, maxLength: 12 }),
      fc.constantFrom(10_000, 6000),
      (machines, needs, weightPackingBps) => {
        matches += matchedAsScan(
          plainRound({
            market: { providers, machines: machines.map((machine) => plainMachine(machine)) },
            orders: needs.map((need, index) =>
              plainOrder({ ...need, storageGib: 0, maxPriceMicroPerHour: 20_000_000, orderId: index + 1 }),
            ),
            policy: { ...weights, weightPackingBps, weightPriceBps: 10_000 - weightPackingBps },
          }),
        );
      },
    ),
    { numRuns: 100, ...seeded },
  );
  expect(matches).toBeGreaterThan(600);
});
