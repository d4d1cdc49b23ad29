import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { divideUp, parseBytes, parseCpuMilli, parseDecimal, parseDurationMinutes } from './quantities.js';

test.each([
  ['1', 1000n],
  ['0.5', 500n],
  ['100m', 100n],
  ['0.001', 1n],
  ['16.000', 16_000n],
  ['0.0001', null],
  ['0.5m', null],
  ['-1', null],
  ['1e3', null],
  ['0x10', null],
  ['.5', null],
  ['', null],
  ['m', null],
])('CPU %s', (text, milli) => expect(parseCpuMilli(text)).toBe(milli));

test.each([
  ['1', 1n],
  ['1k', 1_000n],
  ['1Ki', 1_024n],
  ['1M', 1_000_000n],
  ['512Mi', 536_870_912n],
  ['1G', 10n ** 9n],
  ['1.5Gi', 1_610_612_736n],
  ['1T', 10n ** 12n],
  ['1Ti', 2n ** 40n],
  ['1P', 10n ** 15n],
  ['1Pi', 2n ** 50n],
  ['1E', 10n ** 18n],
  ['1Ei', 2n ** 60n],
  ['0.0000001k', 1n],
  ['1K', null],
  ['1GiB', null],
  ['1 Gi', null],
  ['1..5Gi', null],
  ['Gi', null],
])('size %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

test.each([
  ['60s', 1n],
  ['61s', 2n],
  ['1s', 1n],
  ['0s', 0n],
  ['1min', 1n],
  ['0.5min', 1n],
  ['12h', 720n],
  ['1.5h', 90n],
  ['1d', 1_440n],
  ['1mon', 43_200n],
  ['1y', 525_600n],
  ['1w', null],
  ['12', null],
  ['h', null],
])('duration %s', (text, minutes) => expect(parseDurationMinutes(text)).toBe(minutes));

test('decimals come back exactly', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: 0, max: 18 }), (value, decimals) => {
      const digits = value.toString().padStart(decimals + 1, '0');
      const text = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
      expect(parseDecimal(text, decimals)).toBe(value);
    }),
  );
});

test('division rounds up', () => {
  expect([divideUp(0n, 5n), divideUp(1n, 5n), divideUp(5n, 5n), divideUp(6n, 5n)]).toEqual([0n, 1n, 1n, 2n]);
});
