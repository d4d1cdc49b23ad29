import { describe, expect, test } from '@jest/globals';
import { accruedAmount, lockAmount, LockTooLargeError, TokenDecimalsUnsupportedError } from './lock.js';

describe('lockAmount', () => {
  test.each([
    [60, 60, 6, 60n],
    [1, 1, 6, 1n],
    [61, 1, 6, 2n],
    [120, 1, 6, 2n],
    [1, 60, 18, 10n ** 12n],
    [1, 1, 18, 16_666_666_667n],
  ])('%d micro an hour for %d minutes at %d decimals locks %d', (price, minutes, decimals, amount) => {
    expect(lockAmount(price, minutes, decimals)).toBe(amount);
  });

  test('is refused from 2^96 on', () => {
    const [price, minutes] = [2 ** 39 - 1, 2 ** 24 - 1];
    expect(lockAmount(price, minutes, 15)).toBeLessThan(2n ** 96n);
    expect(() => lockAmount(price, minutes, 18)).toThrow(LockTooLargeError);
  });
});

describe('accruedAmount', () => {
  test('floors once, not for each second', () => {
    expect(accruedAmount(1, 3599, 6)).toBe(0n);
    expect(accruedAmount(1, 3600, 6)).toBe(1n);
    expect(accruedAmount(7, 5400, 6)).toBe(10n);
  });

  test('never exceeds the lock of the same price and whole minutes', () => {
    for (const price of [1, 7, 59, 61, 1_000_003]) {
      for (const minutes of [1, 59, 60, 61, 1441]) {
        expect(accruedAmount(price, minutes * 60, 6)).toBeLessThanOrEqual(lockAmount(price, minutes, 6));
      }
    }
  });
});

test.each([5, 19, 6.5])('a token of %d decimals is refused', (decimals) => {
  expect(() => lockAmount(1, 1, decimals)).toThrow(TokenDecimalsUnsupportedError);
  expect(() => accruedAmount(1, 1, decimals)).toThrow(TokenDecimalsUnsupportedError);
});
