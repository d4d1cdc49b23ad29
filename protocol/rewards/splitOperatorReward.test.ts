import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Address } from 'viem';
import { splitOperatorReward } from './splitOperatorReward.js';

const account = (index: number): Address => `0x${index.toString(16).padStart(40, '0')}`;
const OPERATOR = account(0xff);

test('gives the operator its split and stakers the rest by stake', () => {
  const stakers = [
    { staker: account(1), weight: 1n },
    { staker: account(2), weight: 2n },
  ];
  expect(splitOperatorReward(1_000n, { operator: OPERATOR, splitBps: 1_000 }, stakers)).toEqual([
    { earner: OPERATOR, amount: 100n },
    { earner: account(1), amount: 300n },
    { earner: account(2), amount: 600n },
  ]);
});

test('rounds the split and the shares down, what is left goes to the operator', () => {
  // 10 % of 19 is 1.9: 1 for the operator, 18 for stakers: 18/7 = 2.57 each, 2 each, 4 left.
  const stakers = Array.from({ length: 7 }, (_, index) => ({ staker: account(index + 1), weight: 1n }));
  const parts = splitOperatorReward(19n, { operator: OPERATOR, splitBps: 1_000 }, stakers);
  expect(parts[0]).toEqual({ earner: OPERATOR, amount: 5n });
  expect(parts.slice(1).every((part) => part.amount === 2n)).toBe(true);
});

test('gives all of it to an operator without stake behind it', () => {
  const all = [{ earner: OPERATOR, amount: 7n }];
  expect(splitOperatorReward(7n, { operator: OPERATOR, splitBps: 0 }, [])).toEqual(all);
  expect(splitOperatorReward(7n, { operator: OPERATOR, splitBps: 0 }, [{ staker: account(1), weight: 0n }])).toEqual(
    all,
  );
});

test('names an operator that is its own staker twice', () => {
  expect(splitOperatorReward(10n, { operator: OPERATOR, splitBps: 5_000 }, [{ staker: OPERATOR, weight: 3n }])).toEqual(
    [
      { earner: OPERATOR, amount: 5n },
      { earner: OPERATOR, amount: 5n },
    ],
  );
});

test('the parts always add up, and a part of nothing is left out', () => {
  const weights = fc.array(fc.bigInt({ min: 0n, max: 2n ** 128n }), { maxLength: 20 });
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 120n }),
      fc.integer({ min: 0, max: 10_000 }),
      weights,
      (amount, splitBps, list) => {
        const stakers = list.map((weight, index) => ({ staker: account(index + 1), weight }));
        const parts = splitOperatorReward(amount, { operator: OPERATOR, splitBps }, stakers);
        expect(parts.reduce((sum, part) => sum + part.amount, 0n)).toBe(amount);
        expect(parts.every((part) => part.amount > 0n)).toBe(true);
      },
    ),
  );
});
