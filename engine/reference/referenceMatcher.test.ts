import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { explainOrder } from '../explainOrder.js';
import { matchRound } from '../matchRound.js';
import { roundPlanArbitrary, snapshotOf } from './arbitrarySnapshot.js';
import { referenceMachines, referenceMatchRound, referenceVerdict } from './referenceMatcher.js';

// fast-check prints seed and path of a failing run; set FC_SEED to run the same cases again.
const parameters = { numRuns: 600, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) };

describe('matchRound against the brute-force reference', () => {
  test('gives the same records, and does so whatever the order of insertion', () => {
    let matches = 0;
    fc.assert(
      fc.property(roundPlanArbitrary, (plan) => {
        const expected = referenceMatchRound(snapshotOf(plan, 'ascending'), plan.policy, plan.seed);
        matches += expected.length;
        expect(matchRound(snapshotOf(plan, 'ascending'), plan.policy, plan.seed)).toEqual(expected);
        expect(matchRound(snapshotOf(plan, 'descending'), plan.policy, plan.seed)).toEqual(expected);
      }),
      parameters,
    );
    // A generator whose orders never match would make the comparison empty.
    expect(matches).toBeGreaterThan(parameters.numRuns / 2);
  });

  test('leaves the snapshot as it was', () => {
    fc.assert(
      fc.property(roundPlanArbitrary, (plan) => {
        const snapshot = snapshotOf(plan, 'ascending');
        matchRound(snapshot, plan.policy, plan.seed);
        expect(snapshot).toEqual(snapshotOf(plan, 'ascending'));
      }),
      { ...parameters, numRuns: 100 },
    );
  });
});

describe('explainOrder against the brute-force reference', () => {
  test('names for each machine of the first order the reason that the reference finds, or its components and base', () => {
    const reasons = new Set<number>();
    fc.assert(
      fc.property(roundPlanArbitrary, (plan) => {
        const snapshot = snapshotOf(plan, 'ascending');
        const order = plan.orders[0]!;
        const explanation = explainOrder(snapshot, plan.policy, plan.seed, order.orderId);
        for (const machine of referenceMachines(snapshot, plan.policy)) {
          const verdict = referenceVerdict(
            snapshot,
            plan.policy,
            order,
            snapshot.bids.get(order.orderId) ?? [],
            machine,
          );
          reasons.add(verdict.reason);
          if (verdict.reason === 1) {
            expect(explanation.outcome).toBe('notEligible');
          } else if ('base' in verdict) {
            const score = explanation.scores.find(({ machineId }) => machineId === machine.machineId);
            expect(score).toMatchObject({ base: Number(verdict.base), priceMicroPerHour: Number(verdict.price) });
            expect(Object.values(score!.components)).toEqual(verdict.components.map(Number));
          } else {
            const rejection = explanation.rejections.find(({ machineId }) => machineId === machine.machineId);
            expect(rejection?.reason).toBe(verdict.reason);
          }
        }
      }),
      parameters,
    );
    expect([...reasons].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, reason) => reason));
  });

  test('agrees with the round about every order', () => {
    fc.assert(
      fc.property(roundPlanArbitrary, (plan) => {
        const snapshot = snapshotOf(plan, 'ascending');
        const records = new Map(matchRound(snapshot, plan.policy, plan.seed).map((record) => [record.orderId, record]));
        for (const { orderId } of plan.orders) {
          const explanation = explainOrder(snapshot, plan.policy, plan.seed, orderId);
          expect(explanation.record).toEqual(records.get(orderId));
          if (explanation.outcome === 'matched') {
            expect(explanation.scores[0]?.machineId).toBe(explanation.record?.machineId);
          }
          if (explanation.outcome === 'unmatched') expect(explanation.scores).toEqual([]);
        }
      }),
      { ...parameters, numRuns: 150 },
    );
  });
});
