import { describe, expect, it } from '@jest/globals';
import { percentile } from './percentile.js';

describe('percentile', () => {
  it('is the nearest rank, whatever the order of the values', () => {
    const values = [50, 15, 40, 20, 35];
    expect([5, 30, 40, 50, 99, 100].map((percent) => percentile(values, percent))).toEqual([15, 20, 20, 35, 50, 50]);
  });

  it('is null of nothing and the value of one', () => {
    expect(percentile([], 50)).toBe(null);
    expect(percentile([7], 99)).toBe(7);
  });
});
