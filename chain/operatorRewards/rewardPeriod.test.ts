import { expect, test } from '@jest/globals';
import { checkPeriod, RewardPeriodError, type PeriodLimits } from './rewardPeriod.js';

const LIMITS: PeriodLimits = {
  nowSeconds: 100_050,
  intervalSeconds: 100,
  maxDurationSeconds: 5_000,
  maxRetroactiveSeconds: 20_000,
  genesisSeconds: 1_000,
};

test.each([
  [{ fromSeconds: 99_900, toSeconds: 100_000 }],
  [{ fromSeconds: 95_000, toSeconds: 100_000 }],
  [{ fromSeconds: 80_100, toSeconds: 80_200 }],
])('takes %p', (period) => {
  expect(() => checkPeriod(period, LIMITS)).not.toThrow();
});

test.each([
  [{ fromSeconds: 99_950, toSeconds: 100_000 }, 'name 99900 or 100000'],
  [{ fromSeconds: 99_900, toSeconds: 99_999 }, 'name 99900 or 100000'],
  [{ fromSeconds: 99_900, toSeconds: 99_900 }, 'to is not after from'],
  [{ fromSeconds: 94_900, toSeconds: 100_000 }, 'longer than 5000 s'],
  [{ fromSeconds: 100_000, toSeconds: 100_100 }, 'to must be before 100050'],
  [{ fromSeconds: 80_000, toSeconds: 80_100 }, 'begins before 80050'],
])('refuses %p', (period, problem) => {
  expect(() => checkPeriod(period, LIMITS)).toThrow(RewardPeriodError);
  expect(() => checkPeriod(period, LIMITS)).toThrow(problem);
});

test('a period must be over, not just end', () => {
  const limits = { ...LIMITS, nowSeconds: 100_000 };
  expect(() => checkPeriod({ fromSeconds: 99_900, toSeconds: 100_000 }, limits)).toThrow('must be before 100000');
});

test('nothing is paid from before the genesis', () => {
  const limits = { ...LIMITS, genesisSeconds: 99_000 };
  expect(() => checkPeriod({ fromSeconds: 98_900, toSeconds: 99_000 }, limits)).toThrow('begins before 99000');
});
