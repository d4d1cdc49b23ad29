import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { getAddress, type Address } from 'viem';
import {
  MOST_PAID_AT_ONCE,
  NoParticipationError,
  operatorPayout,
  PayoutAmountError,
  signingCredits,
} from './operatorPayout.js';

const operator = (index: number): Address => `0x${index.toString(16).padStart(40, '0')}`;
const credit = (index: number, weight: bigint, rounds = 1) => ({ operator: operator(index), rounds, weight });

describe('signingCredits', () => {
  test('adds weights over rounds, ascending by operator', () => {
    expect(
      signingCredits([
        { round: 7, operator: operator(0xb), weight: 30n },
        { round: 8, operator: operator(0xb), weight: 25n },
        { round: 8, operator: operator(0xa), weight: 10n },
      ]),
    ).toEqual([credit(0xa, 10n, 1), credit(0xb, 55n, 2)]);
  });

  test('counts an operator once a round, whatever the order of its signatures', () => {
    const twice = [
      { round: 7, operator: operator(1), weight: 5n },
      { round: 7, operator: operator(1), weight: 8n },
    ];
    expect(signingCredits(twice)).toEqual([credit(1, 8n)]);
    expect(signingCredits(twice.toReversed())).toEqual([credit(1, 8n)]);
  });
});

describe('operatorPayout', () => {
  test('divides by signing weight', () => {
    expect(operatorPayout(1_000n, [credit(2, 3n), credit(1, 1n)])).toEqual([
      { operator: operator(1), amount: 250n },
      { operator: operator(2), amount: 750n },
    ]);
  });

  test('gives the units that are left to those who lost most by rounding', () => {
    // 100/7 = 14 rest 2, 200/7 = 28 rest 4, 400/7 = 57 rest 1: one unit is left and goes to the second.
    expect(operatorPayout(100n, [credit(1, 1n), credit(2, 2n), credit(3, 4n)])).toEqual([
      { operator: operator(1), amount: 14n },
      { operator: operator(2), amount: 29n },
      { operator: operator(3), amount: 57n },
    ]);
  });

  test('gives it to the lower address when they lost the same', () => {
    const amounts = operatorPayout(5n, [credit(9, 1n), credit(3, 1n), credit(4, 1n)]);
    expect(amounts).toEqual([
      { operator: operator(3), amount: 2n },
      { operator: operator(4), amount: 2n },
      { operator: operator(9), amount: 1n },
    ]);
  });

  test('leaves out who gets nothing', () => {
    expect(operatorPayout(1n, [credit(1, 1n), credit(2, 10n), credit(3, 0n)])).toEqual([
      { operator: operator(2), amount: 1n },
    ]);
  });

  test('orders addresses as numbers, whatever their case', () => {
    const lower = '0x00000000000000000000000000000000000000ab' as const;
    const upper = getAddress('0x00000000000000000000000000000000000000ac');
    const paid = operatorPayout(4n, [
      { operator: upper, rounds: 1, weight: 1n },
      { operator: lower, rounds: 1, weight: 1n },
    ]);
    expect(paid.map((entry) => entry.operator)).toEqual([lower, upper]);
  });

  test.each([0n, -1n, MOST_PAID_AT_ONCE + 1n])('refuses to pay %p units', (amount) => {
    expect(() => operatorPayout(amount, [credit(1, 1n)])).toThrow(PayoutAmountError);
  });

  test('pays the most that one submission may', () => {
    expect(operatorPayout(MOST_PAID_AT_ONCE, [credit(1, 1n)])).toEqual([
      { operator: operator(1), amount: MOST_PAID_AT_ONCE },
    ]);
  });

  test.each([[[]], [[credit(1, 0n)]]])('refuses a period without signatures', (credits) => {
    expect(() => operatorPayout(1n, credits)).toThrow(NoParticipationError);
  });

  test('pays exactly the amount, each share within one unit of its proportion', () => {
    const amounts = fc.bigInt({ min: 1n, max: MOST_PAID_AT_ONCE });
    const weights = fc.array(fc.bigInt({ min: 0n, max: 2n ** 112n }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(amounts, weights, (amount, list) => {
        const total = list.reduce((sum, weight) => sum + weight, 0n);
        fc.pre(total > 0n);
        const credits = list.map((weight, index) => credit(index + 1, weight));
        const paid = operatorPayout(amount, credits);
        expect(paid.reduce((sum, entry) => sum + entry.amount, 0n)).toBe(amount);
        const byOperator = new Map(paid.map((entry) => [entry.operator, entry.amount]));
        for (const entry of credits) {
          const difference = (byOperator.get(entry.operator) ?? 0n) * total - amount * entry.weight;
          expect(difference < total && difference > -total).toBe(true);
        }
        const order = paid.map((entry) => BigInt(entry.operator));
        expect(order.every((value, index) => index === 0 || value > (order[index - 1] ?? 0n))).toBe(true);
      }),
    );
  });
});
