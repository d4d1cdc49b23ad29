import { expect, test } from '@jest/globals';
import { slopeOf } from './leastSquares.js';

test('the slope of a straight line is its own', () => {
  expect(slopeOf([0, 1, 2, 5].map((x) => ({ x, y: 7 - 3 * x })))).toBeCloseTo(-3, 12);
});

test('what lies evenly on both sides of a line does not turn it', () => {
  const points = [0, 1, 2, 3].flatMap((x) => [
    { x, y: 2 * x + 5 },
    { x, y: 2 * x - 5 },
  ]);
  expect(slopeOf(points)).toBeCloseTo(2, 12);
});

test('points without a spread in x have no slope', () => {
  expect(slopeOf([])).toBeNull();
  expect(slopeOf([{ x: 4, y: 1 }])).toBeNull();
  expect(
    slopeOf([
      { x: 4, y: 1 },
      { x: 4, y: 9 },
    ]),
  ).toBeNull();
});
