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

test('goes on once a block changed the market that it has done with, and results are those of the changed market', async () => {
  const { snapshot, churn, seed } = churned();
  const upkeep = new IndexUpkeep();
  upkeep.begin(snapshot.market);
  for (let turn = 0; turn < 1000; turn++) await setImmediate();
  const next = churn(snapshot, matchRound(snapshot, PLAIN_POLICY, seed));
  upkeep.goOn();
  for (let turn = 0; turn < 1000; turn++) await setImmediate();
  expect(maintainIndex(snapshot.market, 1)).toBe(false);
  expect(matchRound(next, PLAIN_POLICY, seed)).toEqual(referenceMatchRound(next, PLAIN_POLICY, seed));
});

test('goes on with another market where it was to do something for one', async () => {
  const { snapshot } = churned();
  const other = churned();
  const upkeep = new IndexUpkeep();
  upkeep.begin(snapshot.market);
  upkeep.begin(other.snapshot.market);
  for (let turn = 0; turn < 1000; turn++) await setImmediate();
  expect(maintainIndex(other.snapshot.market, 1)).toBe(false);
  expect(maintainIndex(snapshot.market, 1)).toBe(true);
});

test('leaves the rest once it pauses, until it is to go on', async () => {
  const { snapshot } = churned();
  const upkeep = new IndexUpkeep();
  upkeep.begin(snapshot.market);
  upkeep.pause();
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  expect(maintainIndex(snapshot.market, 1)).toBe(true);
  upkeep.goOn();
  for (let turn = 0; turn < 1000; turn++) await setImmediate();
  expect(maintainIndex(snapshot.market, 1)).toBe(false);
});

test('does nothing any more once it is stopped, whoever asks it to go on', async () => {
  const { snapshot } = churned();
  const upkeep = new IndexUpkeep();
  upkeep.begin(snapshot.market);
  upkeep.stop();
  upkeep.goOn();
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  expect(maintainIndex(snapshot.market, 1)).toBe(true);
});
