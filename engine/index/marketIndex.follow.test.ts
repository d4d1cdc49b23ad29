import { describe, expect, test } from '@jest/globals';
import type { Market } from '../market.js';
import { matchRound } from '../matchRound.js';
import { takeBack } from '../reference/arbitraryChange.js';
import { ROUND, snapshotOf } from '../reference/arbitrarySnapshot.js';
import { plainMachine, plainProvider, plainRound } from '../reference/plainRound.js';
import type { Snapshot } from '../snapshot.js';
import { IndexedMatcher } from './indexedMatcher.js';
import { MarketIndex } from './marketIndex.js';
import { NO_ROW } from './rowTable.js';

describe('an index that follows its market', () => {
  test('takes in machines beyond a full bucket while another one there withdraws its offer', () => {
    const { policy, seed } = plainRound();
    const waiting = Array.from({ length: 70 }, () => plainMachine({ activeUntilRound: 1 }));
    const offered = Array.from({ length: 60 }, () => plainMachine());
    const { market, ...snapshot } = snapshotOf(
      plainRound({ market: { providers: [plainProvider()], machines: [...waiting, ...offered] } }),
      'ascending',
    );
    expect(matchRound({ ...snapshot, market }, policy, seed)[0]?.machineId).toBe(71);
    for (let machineId = 2; machineId <= 70; machineId++) market.setMachine(machineId, plainMachine().machine);
    market.setOffer(130, 0, { ...plainMachine().offers[0]!, tokenId: 0 });
    expect(matchRound({ ...snapshot, market }, policy, seed)[0]?.machineId).toBe(2);
    IndexedMatcher.withRound({ ...snapshot, market }, policy, seed, ({ index }) => index.verify());
  });

  test('changes machines in a bucket without a free place', () => {
    const { policy, seed } = plainRound();
    const machines = Array.from({ length: 60 }, () => plainMachine());
    const { market, ...snapshot } = snapshotOf(
      plainRound({ market: { providers: [plainProvider()], machines } }),
      'ascending',
    );
    matchRound({ ...snapshot, market }, policy, seed);
    for (let machineId = 61; machineId <= 64; machineId++) {
      market.setMachine(machineId, plainMachine().machine);
      market.setOffer(machineId, 0, plainMachine().offers[0]!);
    }
    matchRound({ ...snapshot, market }, policy, seed);
    for (let machineId = 1; machineId <= 64; machineId++) {
      const [offer] = plainMachine().offers;
      const gpuMicroPerHour = offer!.gpuMicroPerHour - 1000 * machineId;
      market.setOffer(machineId, 0, { ...offer!, gpuMicroPerHour });
    }
    expect(matchRound({ ...snapshot, market }, policy, seed)[0]?.machineId).toBe(64);
    IndexedMatcher.withRound({ ...snapshot, market }, policy, seed, ({ index }) => {
      expect(index.buckets.map(({ leaves }) => leaves)).toEqual([2]);
      index.verify();
    });
  });

  test('has nothing left to do in a round once it has followed early, step by step', () => {
    const { index, snapshot, market } = followed(60);
    for (let machineId = 11; machineId <= 20; machineId++) market.setMachine(machineId, plainMachine(GONE).machine);
    market.setMachine(61, plainMachine().machine);
    market.setOffer(61, 0, plainMachine().offers[0]!);
    market.setProvider(1, plainProvider({ stakeWhole: 7 }));
    expect(rowsOf(index)).toBe(60);
    let steps = 0;
    while (index.maintain(1)) steps++;
    // Each of the 61 machines was touched, by its provider at least, and a step reads four.
    expect(steps).toBeGreaterThanOrEqual(16);
    index.verify();
    expect(rowsOf(index)).toBe(51);
    const bytes = index.rows.halves.slice();
    index.follow(snapshot);
    expect(index.rows.halves).toEqual(bytes);
  });

  test('takes over as of its round, and what begins later when that round comes', () => {
    const { index, snapshot, market } = followed(3);
    market.setMachine(2, plainMachine({ activeUntilRound: ROUND + 1 }).machine);
    market.setMachine(4, plainMachine({ activeFromRound: ROUND + 1 }).machine);
    market.setOffer(4, 0, plainMachine().offers[0]!);
    while (index.maintain(1));
    index.verify();
    expect(rowsByMachine(index)).toEqual([1, 2, 3]);
    index.follow({ ...snapshot, round: ROUND + 1 });
    index.verify();
    expect(rowsByMachine(index)).toEqual([1, 3, 4]);
  });

  test.each([0, 1, 2, 1000])('goes back with a chain that takes back what it followed early in %d steps', (steps) => {
    const { index, snapshot, market } = followed(10);
    const before = market.copy();
    const { offers } = plainMachine();
    market.setOffer(3, 0, { ...offers[0]!, tokenId: 0 });
    market.setMachine(4, plainMachine({ region: 40 }).machine);
    market.setProvider(1, plainProvider({ attributes: 3n }));
    for (let machineId = 11; machineId <= 70; machineId++) {
      market.setMachine(machineId, plainMachine().machine);
      market.setOffer(machineId, 0, offers[0]!);
    }
    for (let step = 0; step < steps; step++) index.maintain(1);
    takeBack(market, before);
    while (index.maintain(1));
    index.verify();
    expect(rowsByMachine(index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    index.follow(snapshot);
    index.verify();
  });

  test('enters machines into a full bucket while rows of others are not up to date', () => {
    const { index, snapshot, market } = followed(64);
    const { offers } = plainMachine();
    // The new machines are noted first, so that they enter before the others leave.
    for (let machineId = 65; machineId <= 90; machineId++) {
      market.setMachine(machineId, plainMachine().machine);
      market.setOffer(machineId, 0, offers[0]!);
    }
    for (let machineId = 40; machineId <= 64; machineId++) {
      market.setMachine(machineId, plainMachine(machineId % 2 === 0 ? GONE : { region: 40 }).machine);
    }
    while (index.maintain(1));
    index.verify();
    expect(rowsOf(index)).toBe(64 + 26 - 13);
    index.follow(snapshot);
    index.verify();
  });
});

const GONE = { activeUntilRound: 1 };

/** The index of a market of plain machines of one provider. */
function followed(machines: number): { index: MarketIndex; snapshot: Snapshot; market: Market } {
  const plan = plainRound({
    market: { providers: [plainProvider()], machines: Array.from({ length: machines }, () => plainMachine()) },
  });
  const snapshot = snapshotOf(plan, 'ascending');
  return { index: new MarketIndex(snapshot, plan.policy), snapshot, market: snapshot.market };
}

function rowsOf({ buckets }: MarketIndex): number {
  return buckets.reduce((sum, { rows }) => sum + rows, 0);
}

/** Machines that have a row, ascending. */
function rowsByMachine({ rowsByMachine: table }: MarketIndex): number[] {
  return Array.from({ length: 100 }, (_, machineId) => machineId).filter((id) => table.entryOf(id) !== NO_ROW);
}
