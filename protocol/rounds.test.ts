import { describe, expect, test } from '@jest/globals';
import { fromRoundAt, openRoundAt, periodOf, RoundClosedError, snapshotBlockOf } from './rounds.js';
import type { Schedule } from './rounds.js';

const first = { fromRound: 1, fromBlock: 18, lengthBlocks: 8 };
const single: Schedule = { newest: first, previous: null };
/** Round 11 keeps its block 98 of the old period; from there a round is 4 blocks. */
const changed: Schedule = { newest: { fromRound: 11, fromBlock: 98, lengthBlocks: 4 }, previous: first };
const twiceChanged: Schedule = { newest: { fromRound: 21, fromBlock: 138, lengthBlocks: 2 }, previous: changed.newest };

describe('one period', () => {
  test.each([
    [0, 1, 0],
    [17, 1, 0],
    [18, 1, 0],
    [19, 2, 1],
    [26, 2, 1],
    [27, 3, 2],
  ])('block %d: fromRound %d, open round %d', (block, fromRound, open) => {
    expect(fromRoundAt(single, block)).toBe(fromRound);
    expect(openRoundAt(single, block)).toBe(open);
  });

  test('round 0 does not exist', () => {
    expect(() => snapshotBlockOf(single, 0)).toThrow(RoundClosedError);
  });
});

describe('two periods', () => {
  test.each([
    [1, 18],
    [10, 90],
    [11, 98],
    [12, 102],
  ])('B(%d) = %d', (round, block) => {
    expect(snapshotBlockOf(changed, round)).toBe(block);
  });

  test('fromRound(n) is the smallest round with B(r) >= n, across the change', () => {
    for (let block = 18; block < 140; block++) {
      const round = fromRoundAt(changed, block);
      expect(snapshotBlockOf(changed, round)).toBeGreaterThanOrEqual(block);
      if (round > 1) expect(snapshotBlockOf(changed, round - 1)).toBeLessThan(block);
    }
  });

  test('a round belongs to the newest period that began with or before it', () => {
    expect(periodOf(changed, 10)).toBe(changed.previous);
    expect(periodOf(changed, 11)).toBe(changed.newest);
  });

  test('rounds and blocks before the previous period are closed', () => {
    expect(() => snapshotBlockOf(twiceChanged, 10)).toThrow(RoundClosedError);
    expect(() => fromRoundAt(twiceChanged, 97)).toThrow(RoundClosedError);
    expect(fromRoundAt(twiceChanged, 98)).toBe(11);
  });
});
