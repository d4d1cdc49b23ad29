import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compactPrice, expandPrice } from './compactPrice.js';

test('a kept price is never above the true one, and below it by less than a 4096th', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 27 - 1 }), (price) => {
      const kept = expandPrice(compactPrice(price));
      expect(kept).toBeLessThanOrEqual(price);
      expect(price - kept).toBeLessThan(Math.max(1, price / 4096));
    }),
  );
});

test.each([0, 4095, 4096, 8191, 8192, 10_000, 2 ** 26])('%d is kept as it is', (price) => {
  expect(expandPrice(compactPrice(price))).toBe(price);
});

test('what does not fit becomes the highest value, still below', () => {
  expect(compactPrice(2 ** 30 - 1)).toBe(0xffff);
  expect(expandPrice(0xffff)).toBeLessThan(2 ** 27);
});

test('order is kept', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 30 - 1), fc.nat(2 ** 30 - 1), (one, other) => {
      if (one <= other) expect(compactPrice(one)).toBeLessThanOrEqual(compactPrice(other));
    }),
  );
});
