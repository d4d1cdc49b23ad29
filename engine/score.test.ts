import { describe, expect, test } from '@jest/globals';
import { fitScore, priceScore, regionScoresOf, stakeScore } from './score.js';

describe('components', () => {
  test('price: nothing saved is 0, everything is S, floored between', () => {
    expect(priceScore(3, 3)).toBe(0);
    expect(priceScore(3, 0)).toBe(10_000);
    expect(priceScore(3, 1)).toBe(6666);
    expect(priceScore(2 ** 39 - 1, 1)).toBe(9999);
  });

  test('stake: full from the saturation on', () => {
    expect(stakeScore(99_999, 100_000)).toBe(9999);
    expect(stakeScore(100_000, 100_000)).toBe(10_000);
    expect(stakeScore(0xffff_ffff, 1)).toBe(10_000);
    expect(stakeScore(2, 0xffff_ffff)).toBe(0);
  });

  test('fit: milli-GPU of all devices for an order with GPU', () => {
    expect(fitScore(500, 4000, 5, 1500, 4000)).toBe(3333);
    expect(fitScore(1000, 1, 5, 1000, 4000)).toBe(10_000);
  });

  test('fit: cpu for an order without GPU, and 0 on a machine with GPU', () => {
    expect(fitScore(0, 4000, 0, 0, 12_000)).toBe(3333);
    expect(fitScore(0, 4000, 5, 8000, 4000)).toBe(0);
  });

  test('region: listed, same group, elsewhere', () => {
    const scores = regionScoresOf([33, 1023]);
    expect([33, 32, 63, 64, 31, 1023, 992, 991].map((region) => scores[region])).toEqual([
      10_000, 5000, 5000, 0, 0, 10_000, 5000, 0,
    ]);
    expect(regionScoresOf([]).every((score) => score === 10_000)).toBe(true);
  });

  test('region: a listed region stays whole when another of its group is listed after it', () => {
    const scores = regionScoresOf([33, 34]);
    expect([scores[33], scores[34], scores[35]]).toEqual([10_000, 10_000, 5000]);
  });
});
