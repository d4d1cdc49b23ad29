import { expect, test } from '@jest/globals';
import { snapshotOf } from '../reference/arbitrarySnapshot.js';
import { plainMachine, plainProvider, plainRound } from '../reference/plainRound.js';
import { RoundBoundaries } from './roundBoundaries.js';

const NEVER = 0xffff_ffff;

function boundariesAt(round: number, terms: readonly (readonly [from: number, until: number])[]): RoundBoundaries {
  const machines = terms.map(([activeFromRound, activeUntilRound]) =>
    plainMachine({ activeFromRound, activeUntilRound }),
  );
  const { market } = snapshotOf(plainRound({ market: { providers: [plainProvider()], machines } }), 'ascending');
  const boundaries = new RoundBoundaries(market, round);
  for (let machineId = 1; machineId <= market.machineCount; machineId++) boundaries.note(machineId);
  return boundaries;
}

function touchedOnTheWayTo(boundaries: RoundBoundaries, round: number): number[] {
  const touched: number[] = [];
  boundaries.goTo(round, (machineId) => touched.push(machineId));
  return touched.sort((a, b) => a - b);
}

test('tells each machine that begins or ceases to take part on the way, and no other', () => {
  const boundaries = boundariesAt(5, [
    [1, NEVER],
    [6, NEVER],
    [1, 7],
    [8, 9],
  ]);
  expect(touchedOnTheWayTo(boundaries, 5)).toEqual([]);
  expect(touchedOnTheWayTo(boundaries, 7)).toEqual([2, 3]);
  expect(touchedOnTheWayTo(boundaries, 8)).toEqual([4]);
  expect(boundaries.round).toBe(8);
});

test('goes back as well, over boundaries that it has passed before', () => {
  const boundaries = boundariesAt(5, [
    [1, NEVER],
    [6, NEVER],
    [1, 7],
  ]);
  touchedOnTheWayTo(boundaries, 9);
  expect(touchedOnTheWayTo(boundaries, 6)).toEqual([3]);
  expect(touchedOnTheWayTo(boundaries, 5)).toEqual([2]);
});
