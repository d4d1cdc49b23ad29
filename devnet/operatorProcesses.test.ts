import { describe, expect, it } from '@jest/globals';
import { seatsBeyondQuorum, smallestQuorum } from './operatorProcesses.js';

const seats = (...stakes: number[]): { stakeWhole: number }[] => stakes.map((stakeWhole) => ({ stakeWhole }));

describe('seatsBeyondQuorum', () => {
  it('takes the largest until the others are no quorum', () => {
    expect(seatsBeyondQuorum(seats(20_000, 30_000, 23_000, 27_000), 6_667)).toEqual(seats(30_000, 27_000));
  });

  it('takes one more while those left have a unit above the quorum, none once they have just the quorum', () => {
    expect(seatsBeyondQuorum(seats(1, 1), 5_000)).toEqual(seats(1));
    expect(seatsBeyondQuorum(seats(1, 1), 4_999)).toEqual(seats(1, 1));
  });
});

describe('smallestQuorum', () => {
  it('takes the largest, and one more where they have just the share that must be exceeded', () => {
    const seats = [20, 30, 23, 27].map((stakeWhole) => ({ stakeWhole }));
    const stakes = (quorumBps: number): number[] =>
      smallestQuorum(seats, quorumBps).map(({ stakeWhole }) => stakeWhole);
    expect(stakes(6_667)).toEqual([30, 27, 23]);
    expect(stakes(5_700)).toEqual([30, 27, 23]);
    expect(stakes(5_699)).toEqual([30, 27]);
    expect(stakes(10_000)).toEqual([30, 27, 23, 20]);
  });
});
