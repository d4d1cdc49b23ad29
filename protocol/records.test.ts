import { describe, expect, test } from '@jest/globals';
import { keccak256 } from 'viem';
import type { Hex } from 'viem';
import type { MatchRecord } from '../engine/record.js';
import {
  decodeRecord,
  decodeRecords,
  encodeRecord,
  encodeRecords,
  hashRecords,
  RecordsMalformedError,
} from './records.js';
import { WordFieldInvalidError, WordMalformedError } from './words/wordLayout.js';

const record: MatchRecord = {
  orderId: 0x01020304,
  machineId: 0x05060708,
  priceMicroPerHour: 0x090a0b0c0d,
  deviceMask: 0x0e,
  milliGpu: 0x0f10,
  cpuMilli: 0x111213,
  memoryMib: 0x141516,
  storageGib: 0x171819,
  offerIndex: 0,
  fromBid: true,
  tokenId: 0x1b1c,
  providerId: 0x1d1e1f,
  bidIndex: 0x20,
};
const body = '0102030405060708090a0b0c0d0e0f10111213141516171819041b1c1d1e1f20';
const hex: Hex = `0x${body}`;

describe('a record', () => {
  test('is its 32 bytes, field after field', () => {
    expect(encodeRecord(record)).toBe(BigInt(hex));
    expect(decodeRecord(BigInt(hex))).toEqual(record);
  });

  test('flags hold the offer index in bits 0 and 1', () => {
    const word = encodeRecord({ ...record, fromBid: false, offerIndex: 3, bidIndex: 0 });
    expect((word >> 48n) & 0xffn).toBe(3n);
  });

  test.each([3, 4, 5, 6, 7])('spare flag bit %d is refused', (bit) => {
    expect(() => decodeRecord(BigInt(hex) | (1n << BigInt(48 + bit)))).toThrow(WordMalformedError);
  });

  test.each([{ orderId: 2 ** 32 }, { offerIndex: 4 }, { milliGpu: -1 }, { cpuMilli: 1.5 }])(
    '%o does not fit',
    (changes) => {
      expect(() => encodeRecord({ ...record, ...changes })).toThrow(WordFieldInvalidError);
    },
  );
});

describe('a list of records', () => {
  test('decodes back', () => {
    const records = [record, { ...record, orderId: record.orderId + 1 }];
    expect(decodeRecords(encodeRecords(records))).toEqual(records);
    expect(decodeRecords('0x')).toEqual([]);
    expect(encodeRecords([])).toBe('0x');
  });

  test.each<[string, Hex]>([
    ['one byte short', `0x${body.slice(2)}`],
    ['half a byte', `0x${body.slice(1)}`],
    ['not hex', `0x${body.slice(1)}g`],
    ['an order twice', `0x${body}${body}`],
  ])('%s is refused', (_, records) => {
    expect(() => decodeRecords(records)).toThrow(RecordsMalformedError);
  });

  test('has the hash of its bytes, and what is not hex bytes has none', () => {
    const records: Hex = `0x${body.repeat(9)}`;
    expect(hashRecords(records)).toBe(keccak256(records));
    expect(() => hashRecords(`0x${body.slice(1)}`)).toThrow(RecordsMalformedError);
    expect(() => hashRecords(`0x${body.slice(1)}g`)).toThrow(RecordsMalformedError);
  });

  test('descending orders cannot be encoded', () => {
    expect(() => encodeRecords([record, { ...record, orderId: 1 }])).toThrow(RecordsMalformedError);
  });
});
