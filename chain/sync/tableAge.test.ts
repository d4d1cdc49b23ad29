import { describe, expect, test } from '@jest/globals';

import { describeTableAge, tableAge, tableAgeAtSettlement, tableTermsOf } from './tableAge.js';

const terms = { tableTimestamp: 1_000, maxTableAgeSeconds: 600, verifierMaxAgeSeconds: null };

describe('the age of a table', () => {
  test.each([
    [1_000, 'fresh', 600],
    [1_480, 'fresh', 120],
    [1_481, 'ageing', 119],
    [1_600, 'ageing', 0],
    [1_601, 'stale', -1],
    [9_000, 'stale', -7_400],
  ])('at second %d is %s with %d seconds left', (timestampSeconds, status, secondsLeft) => {
    expect(tableAge(terms, timestampSeconds, 2_000)).toEqual({
      status,
      secondsLeft,
      tableTimestamp: 1_000,
      ageSeconds: timestampSeconds - 1_000,
      maxAgeSeconds: 600,
    });
  });

  test.each([
    [null, 600],
    [599, 599],
    [601, 600],
    [0, 0],
  ])('is held against the shorter limit: the verifier has %s, so %d', (verifierMaxAgeSeconds, maxAgeSeconds) => {
    const age = tableAge({ ...terms, verifierMaxAgeSeconds }, 1_001 + maxAgeSeconds, 0);
    expect(age).toMatchObject({ status: 'stale', maxAgeSeconds, secondsLeft: -1 });
  });

  test('without an alarm goes from fresh to stale', () => {
    expect(tableAge(terms, 1_600, 0).status).toBe('fresh');
    expect(tableAge(terms, 1_601, 0).status).toBe('stale');
  });

  test('with an alarm at the whole of its time is ageing from its second second on', () => {
    expect(tableAge(terms, 1_000, 10_000).status).toBe('fresh');
    expect(tableAge(terms, 1_001, 10_000).status).toBe('ageing');
  });

  test('is what the round and its table say', () => {
    const round = { table: { timestamp: 1_000, verifierMaxAgeSeconds: 7 }, policy: { maxTableAgeSeconds: 600 } };
    expect(tableTermsOf(round)).toEqual({ tableTimestamp: 1_000, maxTableAgeSeconds: 600, verifierMaxAgeSeconds: 7 });
  });
});

test.each([
  [12_000, 1_588, 'ageing'],
  [12_000, 1_589, 'stale'],
  [250, 1_600, 'ageing'],
  [250, 1_601, 'stale'],
])('with blocks of %d ms a snapshot at %d can settle under a table that is %s by then', (blockTimeMs, at, status) => {
  expect(tableAgeAtSettlement(terms, { timestampSeconds: at, blockTimeMs }, 2_000).status).toBe(status);
});

test('says what is left, or what has to happen', () => {
  expect(describeTableAge(tableAge(terms, 1_500, 0))).toBe(
    'the operator table of 1000 is 500 s old, of at most 600 s: 100 s left',
  );
  expect(describeTableAge(tableAge(terms, 1_700, 0))).toContain('until a newer one is carried here and recorded');
});
