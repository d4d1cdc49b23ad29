import { describe, expect, test } from '@jest/globals';
import { matchRound } from '../matchRound.js';
import { snapshotOf } from '../reference/arbitrarySnapshot.js';
import { plainMachine, plainProvider, plainRound } from '../reference/plainRound.js';
import { IndexedMatcher } from './indexedMatcher.js';

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
});
