import { describe, expect, it } from '@jest/globals';
import { reachesQuorum } from '../protocol/operatorTable.js';
import { OperatorCountError, operatorStakes } from './operatorStakes.js';
import { loadDefaultPolicy } from './parameters.js';

describe('operatorStakes', () => {
  it('is 30, 27, 23 and 20 percent of four', () => {
    expect(operatorStakes(4)).toEqual([30_000, 27_000, 23_000, 20_000]);
  });

  it('differs from operator to operator and lets the quorum be reached without any one of them', () => {
    const { quorumBps } = loadDefaultPolicy();
    for (let count = 4; count <= 64; count++) {
      const stakes = operatorStakes(count);
      expect(new Set(stakes).size).toBe(count);
      const total = stakes.reduce((sum, stake) => sum + stake, 0);
      for (const stake of stakes) expect(reachesQuorum(BigInt(total - stake), BigInt(total), quorumBps)).toBe(true);
    }
  });

  it.each([0, 3, 65, 4.5])('refuses %s operators', (count) => {
    expect(() => operatorStakes(count)).toThrow(OperatorCountError);
  });
});
