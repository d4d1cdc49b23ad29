import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Jitter, MAX_JITTER_RANGE } from './jitter.js';
import { referenceJitter } from './reference/referenceMatcher.js';

describe('Jitter', () => {
  test('is the hash modulo J + 1, for any seed, order, provider and range', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
        fc.integer({ min: 1, max: 0xffff_ffff }),
        fc.integer({ min: 1, max: 5000 }),
        fc.oneof(fc.constantFrom(0, 1, 6_000_000_000, MAX_JITTER_RANGE), fc.integer({ min: 0, max: MAX_JITTER_RANGE })),
        (seedNumber, orderId, providerId, range) => {
          const seed = `0x${seedNumber.toString(16).padStart(64, '0')}` as const;
          const expected = Number(referenceJitter(seed, orderId, providerId, range));
          expect(new Jitter(seed, range).of(orderId, providerId)).toBe(expected);
        },
      ),
    );
  });

  test('hashes the three bytes of the highest provider id', () => {
    const seed = `0x${'01'.repeat(32)}` as const;
    const jitter = new Jitter(seed, 1000);
    expect(jitter.of(7, 0xff_fffe)).toBe(Number(referenceJitter(seed, 7, 0xff_fffe, 1000)));
  });

  test('gives each order its own value, in any order of asking', () => {
    const seed = `0x${'01'.repeat(32)}` as const;
    const jitter = new Jitter(seed, 6_000_000_000);
    const values = [1, 2, 1, 1].map((orderId) => jitter.of(orderId, 2));
    expect(values).toEqual([1, 2, 1, 1].map((orderId) => Number(referenceJitter(seed, orderId, 2, 6_000_000_000))));
    expect(values[0]).not.toBe(values[1]);
  });
});
