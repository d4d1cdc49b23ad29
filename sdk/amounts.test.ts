import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { AmountInvalidError, formatAmount, formatMicro, parseAmount } from './amounts.js';

test('amounts are read and written exactly', () => {
  expect(parseAmount('12.5', 6)).toBe(12_500_000n);
  expect(formatAmount(12_500_000n, 6)).toBe('12.5');
  expect(formatAmount(1n, 18)).toBe('0.000000000000000001');
  expect(formatAmount(7n, 0)).toBe('7');
  expect(formatMicro(4_250_000)).toBe('4.25');
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n }), fc.integer({ min: 0, max: 18 }), (units, decimals) => {
      expect(parseAmount(formatAmount(units, decimals), decimals)).toBe(units);
    }),
  );
});

test.each(['', '-1', '1e3', '1,5', '0.0000001', '0x10', ' 1', '.5'])('%j is refused', (text) => {
  expect(() => parseAmount(text, 6)).toThrow(AmountInvalidError);
});
