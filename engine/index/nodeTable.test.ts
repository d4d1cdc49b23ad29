import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { amountByte, floatBelow, foldAttributes27 } from './nodeTable.js';
import { foldAttributes } from './rowTable.js';

test('an amount that is not less has a byte that is not less', () => {
  const amount = fc.nat(2 ** 24 - 1);
  fc.assert(
    fc.property(amount, amount, (one, other) => {
      if (one <= other) expect(amountByte(one)).toBeLessThanOrEqual(amountByte(other));
    }),
  );
  expect(amountByte(2 ** 24 - 1)).toBeLessThan(256);
  expect(amountByte(4000)).toBeGreaterThan(amountByte(3000));
});

test('a 32-bit float is never above the price that it stands for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 36 - 1 }), (price) => {
      expect(floatBelow(price)).toBeLessThanOrEqual(price);
      expect(price - floatBelow(price)).toBeLessThanOrEqual(price / 2 ** 23);
    }),
  );
});

test("who has all of an order's attributes has all of their folds", () => {
  const bits = fc.nat(2 ** 27 - 1);
  fc.assert(
    fc.property(bits, bits, bits, bits, (low, high, someLow, someHigh) => {
      for (const fold of [foldAttributes, foldAttributes27]) {
        const asked = fold(low & someLow, high & someHigh);
        expect(fold(low, high) & asked).toBe(asked);
      }
    }),
  );
  expect(foldAttributes(0b1, 0) & foldAttributes(0b10, 0)).toBe(0);
  expect(foldAttributes27(0b1, 0) & foldAttributes27(0b10, 0)).toBe(0);
});
