import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { matchRound } from '../matchRound.js';
import type { Policy } from '../policy.js';
import { changeArbitrary, changed, takeBack } from '../reference/arbitraryChange.js';
import { policyArbitrary, roundPlanArbitrary, snapshotOf } from '../reference/arbitrarySnapshot.js';
import { crowdedRound } from '../reference/crowdedRound.js';
import { PLAIN_POLICY, plainMachine, plainProvider, plainRound } from '../reference/plainRound.js';
import { referenceMatchRound } from '../reference/referenceMatcher.js';
import type { MatchRecord } from '../record.js';
import type { Hex, Snapshot } from '../snapshot.js';
import { IndexedMatcher } from './indexedMatcher.js';

// fast-check prints seed and path of a failing run; set FC_SEED to run the same cases again.
const seeded = process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {};

/** Matches by the index, checks its bounds while capacity is taken and after, and compares with the reference. */
function matchedAsReference(snapshot: Snapshot, policy: Policy, seed: Hex): MatchRecord[] {
  const records = matchRound(snapshot, policy, seed);
  IndexedMatcher.withRound(snapshot, policy, seed, (matcher) => {
    matcher.index.verify();
    for (const order of snapshot.orders.slice(0, 5)) matcher.match(order);
    matcher.index.verify();
  });
  IndexedMatcher.withRound(snapshot, policy, seed, (matcher) => matcher.index.verify());
  expect(records).toEqual(referenceMatchRound(snapshot, policy, seed));
  return records;
}

/** What happens between two rounds, and first perhaps what a reorg then takes back. */
const changesArbitrary = fc.array(
  fc.record({ takenBack: fc.option(changeArbitrary, { freq: 2 }), change: changeArbitrary }),
  { minLength: 5, maxLength: 5 },
);

/** Lets the index of a market follow some of its changes, or do some of what rounds left. */
function maintained(snapshot: Snapshot, leaves: number): void {
  if (leaves > 0) IndexedMatcher.maintain(snapshot.market, leaves);
}

describe('the index against the brute-force reference', () => {
  test('gives the same records for 10,000 markets, whatever was changed from one to the next', () => {
    let markets = 0;
    let matches = 0;
    fc.assert(
      fc.property(roundPlanArbitrary, changesArbitrary, fc.nat(2), (plan, changes, leaves) => {
        let at = { snapshot: snapshotOf(plan, 'ascending'), policy: plan.policy };
        let records = matchedAsReference(at.snapshot, at.policy, plan.seed);
        for (const { takenBack, change } of changes) {
          if (takenBack !== null) {
            const before = at.snapshot.market.copy();
            changed(at.snapshot, at.policy, records, takenBack);
            maintained(at.snapshot, leaves);
            takeBack(at.snapshot.market, before);
            maintained(at.snapshot, leaves);
          }
          at = changed(at.snapshot, at.policy, records, change);
          maintained(at.snapshot, leaves);
          records = matchedAsReference(at.snapshot, at.policy, plan.seed);
          matches += records.length;
        }
        markets += 1 + changes.length;
      }),
      { numRuns: 1670, ...seeded },
    );
    expect(markets).toBeGreaterThanOrEqual(10_000);
    // A generator whose orders never match would make the comparison empty.
    expect(matches).toBeGreaterThan(markets / 2);
  });

  test('gives the same records for markets of many leaves, clustered and worn', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.oneof(policyArbitrary, fc.constant(PLAIN_POLICY)),
        fc.boolean(),
        fc.nat(20),
        fc.nat(20),
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        (number, policy, isUniform, leaves, steps, reorgs) => {
          const crowd = crowdedRound(number, isUniform);
          const { seed } = crowd;
          let { snapshot } = crowd;
          let records = matchedAsReference(snapshot, policy, seed);
          for (const isTakenBack of reorgs) {
            const before = snapshot.market.copy();
            let next = crowd.churn(snapshot, records);
            for (let step = 0; step < steps; step++) maintained(snapshot, leaves);
            if (isTakenBack) {
              takeBack(snapshot.market, before);
              for (let step = 0; step < steps; step += 2) maintained(snapshot, leaves);
              next = crowd.churn(snapshot, records);
              maintained(snapshot, leaves);
            }
            snapshot = next;
            records = matchedAsReference(snapshot, policy, seed);
          }
        },
      ),
      { numRuns: 40, ...seeded },
    );
  });
});

test.each([
  { name: 'no component has a weight but stake, and nothing is staked', changes: { weightStakeBps: 10_000 } },
  { name: 'compliance is capped at nothing', changes: { weightPriceBps: 10_000, complianceCapBps: 0 } },
])('an order goes to a machine of total 0 where $name', ({ changes }) => {
  const none = { weightPriceBps: 0, weightStakeBps: 0, weightFitBps: 0, weightRegionBps: 0, weightUptimeBps: 0 };
  const policy = { ...PLAIN_POLICY, ...none, weightReputationBps: 0, ...changes };
  const plan = plainRound({ market: { providers: [plainProvider({ stakeWhole: 0 })], machines: [plainMachine()] } });
  expect(matchedAsReference(snapshotOf(plan, 'ascending'), policy, plan.seed)).toHaveLength(1);
});
