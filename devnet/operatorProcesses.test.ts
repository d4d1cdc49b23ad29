import { describe, expect, it } from '@jest/globals';
import { seatsBeyondQuorum } from './operatorProcesses.js';

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
