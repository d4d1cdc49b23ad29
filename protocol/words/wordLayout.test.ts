import { describe, expect, test } from '@jest/globals';
import { decodeBidWord } from './bidWord.js';
import { decodeMachineWord, encodeMachineWord } from './machineWord.js';
import { decodeOfferWord } from './offerWord.js';
import { decodeLeaseWord, decodeOpenOrderWord, encodeOpenOrderWord, orderStateOf, OrderState } from './orderWord.js';
import { decodeScheduleWord } from './scheduleWord.js';
import { decodeTableWord } from './tableWord.js';
import { wordLayout, WordFieldInvalidError, WordMalformedError } from './wordLayout.js';

describe('wordLayout', () => {
  const layout = wordLayout('sample', { low: [0, 8], high: [248, 8] }, { wide: [64, 60] });

  test('places and reads fields', () => {
    const fields = { low: 0x12, high: 0xff, wide: 0xabc_def0_1234_5678n };
    expect(layout.encode(fields)).toBe((0xffn << 248n) | (0xabc_def0_1234_5678n << 64n) | 0x12n);
    expect(layout.decode(layout.encode(fields))).toEqual(fields);
  });

  test.each([{ low: 256 }, { low: -1 }, { low: 0.5 }, { low: Number.NaN }, { wide: 1n << 60n }, { wide: -1n }])(
    'refuses %o',
    (changes) => {
      expect(() => layout.encode({ low: 0, high: 0, wide: 0n, ...changes })).toThrow(WordFieldInvalidError);
    },
  );

  test.each([1n << 8n, 1n << 63n, 1n << 124n, 1n << 247n, 1n << 256n, -1n])('refuses the word %d', (word) => {
    expect(() => layout.decode(word)).toThrow(WordMalformedError);
  });
});

describe('strict decoders', () => {
  test.each([
    ['offer', () => decodeOfferWord(1n)],
    ['offer above its prices', () => decodeOfferWord(1n << 170n)],
    ['bid', () => decodeBidWord(1n)],
    ['table', () => decodeTableWord(1n << 96n)],
    ['schedule without period', () => decodeScheduleWord(0n)],
    ['schedule of length 0', () => decodeScheduleWord((1n << 56n) | (1n << 16n))],
    ['schedule spare bits', () => decodeScheduleWord((1n << 56n) | 1n | (1n << 176n))],
    ['device above 1000', () => decodeMachineWord(1001n << 20n)],
    ['order of no state', () => decodeOpenOrderWord(0n)],
    ['order state 5', () => orderStateOf(5n << 53n)],
    ['open order as lease', () => decodeLeaseWord(1n << 53n)],
    ['lease as open order', () => decodeOpenOrderWord(4n << 53n)],
    ['open order flags', () => decodeOpenOrderWord((1n << 53n) | (1n << 48n))],
    ['lease bid index', () => decodeLeaseWord((4n << 53n) | 1n)],
  ])('%s', (_, decode) => {
    expect(decode).toThrow(WordMalformedError);
  });

  test('a machine word needs eight devices of at most 1000', () => {
    const machine = { ...decodeMachineWord(0n), freeMilliGpu: [0, 0, 0, 0, 0, 0, 0] };
    expect(() => encodeMachineWord(machine)).toThrow(WordFieldInvalidError);
    expect(() => encodeMachineWord({ ...machine, freeMilliGpu: [0, 0, 0, 0, 0, 0, 0, 1001] })).toThrow(
      WordFieldInvalidError,
    );
  });
});

test('the bits of an open order', () => {
  const word = encodeOpenOrderWord({
    untilRound: 0x01020304,
    eligibleFromBlock: 0x05060708,
    maxPriceMicroPerHour: 0x090a0b0c0d,
    bidCount: 0x0e,
    milliGpu: 0x0f10,
    cpuMilli: 0x111213,
    memoryMib: 0x141516,
    storageGib: 0x171819,
    state: OrderState.OPEN,
    tokenId: 0x1b1c,
    expiresAtSeconds: 0x1d1e1f20,
  });
  expect(word).toBe(0x0102030405060708090a0b0c0d0e0f10111213141516171819201b1c1d1e1f20n);
});
