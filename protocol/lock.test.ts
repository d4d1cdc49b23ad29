import { describe, expect, test } from '@jest/globals';
import {
  accruedAmount,
  chargeOnTenantClose,
  costAmount,
  leaseAccrued,
  leaseCost,
  type LeaseMeter,
  lockAmount,
  lockAmountWithFee,
  LockTooLargeError,
  paidThroughSeconds,
  paymentOf,
  splitAccrued,
  TokenDecimalsUnsupportedError,
  userFeeAmount,
} from './lock.js';

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
  expect(() => costAmount(1, 1, decimals)).toThrow(TokenDecimalsUnsupportedError);
});

test.each([
  [0n, 200, 0n],
  [1n, 200, 1n],
  [50n, 200, 1n],
  [51n, 200, 2n],
  [10_000n, 0, 0n],
  [10_000n, 1, 1n],
])('locks a user fee of %s at %s bps as %s, rounded up', (cost, bps, fee) => {
  expect(userFeeAmount(cost, bps)).toBe(fee);
});

test('a lock holds the cost and its fee, and is refused from 2^96 on', () => {
  expect(lockAmountWithFee(101n, 200)).toBe(104n);
  const cost = ((2n ** 96n - 1n) * 10_000n) / 10_200n;
  expect(lockAmountWithFee(cost, 200)).toBeLessThan(2n ** 96n);
  expect(() => lockAmountWithFee(2n ** 96n - 1n, 200)).toThrow(LockTooLargeError);
});

test.each([
  [1, 3599, 6, 1n],
  [1, 3600, 6, 1n],
  [1, 3601, 6, 2n],
  [1, 1, 18, 277_777_778n],
  [5_000_000, 0, 6, 0n],
])('%d micro an hour for %d seconds at %d decimals cost %d', (price, seconds, decimals, cost) => {
  expect(costAmount(price, seconds, decimals)).toBe(cost);
});

test('the paid time ends after the minutes, or where 32 bits do', () => {
  expect(paidThroughSeconds(1_800_000_000, 600)).toBe(1_800_036_000);
  expect(paidThroughSeconds(4_294_967_000, 600)).toBe(4_294_967_295);
});

describe('a lease', () => {
  const meter: LeaseMeter = {
    readyAtSeconds: 1000,
    pricedAtSeconds: 2001,
    paidThroughSeconds: 37_000,
    priceMicroPerHour: 400_000,
    decimals: 6,
    earnedBefore: 293_897n,
  };

  test('earns each segment rounded down once, and nothing after its paid time', () => {
    expect(leaseAccrued(meter, 2001)).toBe(293_897n);
    expect(leaseAccrued(meter, 3003)).toBe(293_897n + 111_333n);
    expect(leaseAccrued(meter, 99_999)).toBe(leaseAccrued(meter, 37_000));
  });

  test('is locked up to its paid time, rounded up', () => {
    expect(leaseCost(meter)).toBe(293_897n + 3_888_778n);
    expect(leaseCost(meter) - leaseAccrued(meter, 37_000)).toBe(1n);
  });

  test('is charged the minimum when its tenant closes early, and never more than the whole', () => {
    expect(chargeOnTenantClose(meter, 3003, 60)).toBe(leaseAccrued(meter, 3003));
    expect(chargeOnTenantClose(meter, 3003, 3600)).toBe(leaseAccrued(meter, 4600));
    expect(chargeOnTenantClose(meter, 3003, 86_400)).toBe(leaseAccrued(meter, 37_000));
  });
});

describe('fees', () => {
  const fees = { userFeeBps: 200, providerFeeBps: 100, foundationFeeBps: 2000 };

  test.each([
    [0n, 0n, 0n, 0n],
    [49n, 40n, 0n, 9n],
    [99n, 80n, 1n, 19n],
    [1000n, 790n, 30n, 200n],
  ])('of %d share it as %d, %d and %d', (accrued, toProvider, toTreasury, toFoundation) => {
    expect(splitAccrued(accrued, fees)).toEqual({ toProvider, toTreasury, toFoundation });
  });

  test('are the same in however many steps the accrual was paid, and no credit is ever negative', () => {
    let paid = 0n;
    const sums = { toProvider: 0n, toTreasury: 0n, toFoundation: 0n };
    let waits = 0;
    for (let accrued = 1n; accrued <= 1001n; accrued++) {
      const payment = paymentOf(paid, accrued, fees);
      if (payment.paid === paid) waits++;
      for (const key of ['toProvider', 'toTreasury', 'toFoundation'] as const) {
        expect(payment[key]).toBeGreaterThanOrEqual(0n);
        sums[key] += payment[key];
      }
      paid = payment.paid;
      expect(sums).toEqual(splitAccrued(paid, fees));
    }
    expect(waits).toBe(10);
    expect(paid).toBe(1001n);
    expect(paymentOf(paid, 900n, fees)).toEqual({ toProvider: 0n, toTreasury: 0n, toFoundation: 0n, paid });
  });
});
