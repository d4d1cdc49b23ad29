import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { idleSecondsOf } from './idleSeconds.js';

const ERA = { fromSeconds: 1_000, toSeconds: 1_100 };

describe('idle seconds', () => {
  test.each([
    ['no outage', [], 0],
    ['an outage and its cooldown', [[1_010, 1_020]], 20],
    ['one that is not over', [[1_090, null]], 10],
    ['the cooldown of the era before', [[900, 995]], 5],
    ['one that began in the era before', [[900, 1_005]], 15],
    ['a cooldown that the era cuts off', [[1_080, 1_095]], 20],
    [
      'two whose cooldown overlaps',
      [
        [1_010, 1_020],
        [1_025, 1_030],
      ],
      30,
    ],
    [
      'one inside another',
      [
        [1_010, 1_050],
        [1_020, 1_030],
      ],
      50,
    ],
    ['one of the era after', [[1_100, 1_200]], 0],
    ['the whole era', [[0, null]], 100],
  ])('%s', (_, outages, expected) => {
    const spans = outages.map(([fromSeconds, toSeconds]) => ({
      fromSeconds: fromSeconds ?? 0,
      toSeconds: toSeconds ?? null,
    }));
    expect(idleSecondsOf(spans, ERA, 10)).toBe(expected);
  });

  test('are the seconds that some outage or its cooldown covers, each counted by itself', () => {
    const outage = fc
      .record({ fromSeconds: fc.integer({ min: 900, max: 1_150 }), length: fc.option(fc.integer({ min: 0, max: 60 })) })
      .map(({ fromSeconds, length }) => ({ fromSeconds, toSeconds: length === null ? null : fromSeconds + length }));
    fc.assert(
      fc.property(fc.array(outage, { maxLength: 6 }), fc.integer({ min: 0, max: 40 }), (outages, cooldown) => {
        let covered = 0;
        for (let second = ERA.fromSeconds; second < ERA.toSeconds; second++) {
          const idle = outages.some(
            ({ fromSeconds, toSeconds }) =>
              fromSeconds <= second && (toSeconds === null || second < toSeconds + cooldown),
          );
          if (idle) covered++;
        }
        expect(idleSecondsOf(outages, ERA, cooldown)).toBe(covered);
      }),
    );
  });

  test('an outage that ends before it begins is refused', () => {
    expect(() => idleSecondsOf([{ fromSeconds: 5, toSeconds: 4 }], ERA, 0)).toThrow(RangeError);
  });
});
