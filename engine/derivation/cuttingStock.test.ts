import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { shadowPrices, worthByRoom } from './cuttingStock.js';

// fast-check prints seed and path of a failing run; set FC_SEED to run the same cases again.
const parameters = { numRuns: 200, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) };

function fractionsOf(sizes: readonly number[], demands: readonly number[]): number[] {
  const { numerators, denominator } = shadowPrices(sizes, demands, 1000);
  return numerators.map((numerator) => Number(numerator) / Number(denominator));
}

/** Every filling of a bin that no further piece fits into. */
function fillings(sizes: readonly number[], room: number, from = 0): number[][] {
  if (from === sizes.length) return [[]];
  const result: number[][] = [];
  for (let count = Math.floor(room / sizes[from]!); count >= 0; count--) {
    for (const rest of fillings(sizes, room - count * sizes[from]!, from + 1)) result.push([count, ...rest]);
  }
  return result;
}

const instance = fc.uniqueArray(fc.integer({ min: 120, max: 1000 }), { minLength: 1, maxLength: 5 }).chain((sizes) =>
  fc.record({
    sizes: fc.constant(sizes),
    demands: fc.array(fc.integer({ min: 1, max: 500 }), { minLength: sizes.length, maxLength: sizes.length }),
  }),
);

describe('shadow prices', () => {
  test.each([
    // Each piece is alone in its bin.
    { sizes: [810], demands: [10], prices: [1] },
    { sizes: [300], demands: [7], prices: [1 / 3] },
    // Twice as many halves as 700s: the few 300s fit beside the 700s and cost nothing.
    { sizes: [700, 500, 300], demands: [10, 20, 5], prices: [1, 1 / 2, 0] },
    // More 300s than 700s to put them beside: three of them make a bin, and what is left of a 700's bin is worth the third that it holds.
    { sizes: [700, 300], demands: [10, 40], prices: [2 / 3, 1 / 3] },
  ])('of sizes $sizes ordered $demands times are $prices', ({ sizes, demands, prices }) => {
    fractionsOf(sizes, demands).forEach((price, index) => expect(price).toBeCloseTo(prices[index]!, 12));
  });

  test('are never negative, never make a filling worth more than a bin, and are worth as many bins as the demand takes', () => {
    fc.assert(
      fc.property(instance, ({ sizes, demands }) => {
        const { numerators, denominator } = shadowPrices(sizes, demands, 1000);
        expect(denominator > 0n).toBe(true);
        expect(numerators.every((price) => price >= 0n)).toBe(true);
        const worthOf = (counts: readonly number[]): bigint =>
          counts.reduce((sum, count, index) => sum + BigInt(count) * numerators[index]!, 0n);
        const all = fillings(sizes, 1000);
        for (const counts of all) expect(worthOf(counts) <= denominator).toBe(true);
        // Optimal: no vertex of the dual found by raising one price alone is better, so each priced size is in a filling worth a bin.
        numerators.forEach((price, index) => {
          expect(all.some((counts) => counts[index]! > 0 && worthOf(counts) === denominator) || price === 0n).toBe(
            true,
          );
        });
        const bins = Number(worthOf(demands)) / Number(denominator);
        const packed = sizes.reduce((sum, size, index) => sum + demands[index]! / Math.floor(1000 / size), 0);
        const amount = sizes.reduce((sum, size, index) => sum + (size * demands[index]!) / 1000, 0);
        expect(bins).toBeLessThanOrEqual(packed + 1e-9);
        expect(bins).toBeGreaterThanOrEqual(amount - 1e-9);
      }),
      parameters,
    );
  });

  test('end with many sizes, and equal input gives equal prices', () => {
    const sizes = Array.from({ length: 24 }, (_, index) => 997 - 37 * index);
    const demands = sizes.map((size) => 1 + (size % 90));
    expect(shadowPrices(sizes, demands, 1000)).toEqual(shadowPrices(sizes, demands, 1000));
  });
});

test('the worth of a room is that of the best pieces in it', () => {
  const prices = { numerators: [2n, 1n], denominator: 3n };
  const worth = worthByRoom([700, 300], prices, 999);
  expect([0, 299, 300, 599, 600, 699, 700, 899, 900, 999].map((room) => worth[room])).toEqual([
    0n,
    0n,
    1n,
    1n,
    2n,
    2n,
    2n,
    2n,
    3n,
    3n,
  ]);
});
