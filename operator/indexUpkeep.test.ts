import { expect, test } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { maintainIndex } from '../engine/maintainIndex.js';
import { matchRound } from '../engine/matchRound.js';
import { crowdedRound } from '../engine/reference/crowdedRound.js';
import { PLAIN_POLICY } from '../engine/reference/plainRound.js';
import { referenceMatchRound } from '../engine/reference/referenceMatcher.js';
import { IndexUpkeep } from './indexUpkeep.js';

function churned(): ReturnType<typeof crowdedRound> {
  const round = crowdedRound(11, false);
  const { seed } = round;
  let { snapshot } = round;
  for (let step = 0; step < 3; step++) {
    snapshot = round.churn(snapshot, matchRound(snapshot, PLAIN_POLICY, seed));
  }
  matchRound(snapshot, PLAIN_POLICY, seed);
  return { ...round, snapshot };
}

test('does all there is to do, and results stay as they are', async () => {
  const { snapshot, seed } = churned();
  const upkeep = new IndexUpkeep();
  upkeep.begin(snapshot.market);
  for (let turn = 0; turn < 1000; turn++) await setImmediate();
  expect(maintainIndex(snapshot.market, 1)).toBe(false);
  expect(matchRound(snapshot, PLAIN_POLICY, seed)).toEqual(referenceMatchRound(snapshot, PLAIN_POLICY, seed));
});

test('does nothing any more once it is stopped', async () => {
  const { snapshot } = churned();
  const upkeep = new IndexUpkeep();
  upkeep.begin(snapshot.market);
  upkeep.stop();
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  expect(maintainIndex(snapshot.market, 1)).toBe(true);
});
