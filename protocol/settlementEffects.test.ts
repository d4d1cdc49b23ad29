import { describe, expect, test } from '@jest/globals';
import type { MachineFields } from '../engine/market.js';
import type { MatchRecord } from '../engine/record.js';
import {
  CapacityEffectError,
  leaseWordOf,
  machineWordAfterMatch,
  machineWordAfterRelease,
  machineWordBenched,
} from './settlementEffects.js';
import { decodeMachineWord, encodeMachineWord } from './words/machineWord.js';
import { decodeLeaseWord, OrderState } from './words/orderWord.js';

const machine: MachineFields = {
  activeFromRound: 5,
  activeUntilRound: 0xffff_ffff,
  providerId: 3,
  model: 4,
  region: 5,
  offersWritten: 1,
  freeMemoryMib: 100,
  freeCpuMilli: 200,
  freeStorageGib: 300,
  freeMilliGpu: [1000, 700, 1000, 0, 0, 0, 0, 0],
};
const record: MatchRecord = {
  orderId: 1,
  machineId: 2,
  priceMicroPerHour: 9,
  deviceMask: 0b101,
  milliGpu: 2000,
  cpuMilli: 200,
  memoryMib: 1,
  storageGib: 0,
  offerIndex: 2,
  fromBid: false,
  tokenId: 7,
  providerId: 3,
  bidIndex: 0,
};
const word = encodeMachineWord(machine);

describe('a match', () => {
  test('takes whole devices, cpu, memory and storage', () => {
    expect(decodeMachineWord(machineWordAfterMatch(word, record))).toEqual({
      ...machine,
      freeMemoryMib: 99,
      freeCpuMilli: 0,
      freeMilliGpu: [0, 700, 0, 0, 0, 0, 0, 0],
    });
  });

  test('takes a share of one device', () => {
    const share = { ...record, milliGpu: 460, deviceMask: 0b10 };
    expect(decodeMachineWord(machineWordAfterMatch(word, share)).freeMilliGpu[1]).toBe(240);
  });

  test.each([{ cpuMilli: 201 }, { memoryMib: 101 }, { storageGib: 301 }, { deviceMask: 0b11 }])(
    'of %o does not fit',
    (changes) => {
      expect(() => machineWordAfterMatch(word, { ...record, ...changes })).toThrow(CapacityEffectError);
    },
  );

  test('makes the lease of the record', () => {
    const { orderId: _, bidIndex: __, ...shared } = record;
    expect(decodeLeaseWord(leaseWordOf(record, 1_700_000_000))).toEqual({
      ...shared,
      matchedAtSeconds: 1_700_000_000,
      state: OrderState.MATCHED,
    });
  });
});

describe('a release', () => {
  test('gives back what the match took', () => {
    expect(machineWordAfterRelease(machineWordAfterMatch(word, record), leaseWordOf(record, 1))).toBe(word);
  });

  test('of what was never taken is refused', () => {
    expect(() => machineWordAfterRelease(word, leaseWordOf(record, 1))).toThrow(CapacityEffectError);
  });
});

test('a bench raises the first round, never lowers it', () => {
  expect(decodeMachineWord(machineWordBenched(word, 17))).toEqual({ ...machine, activeFromRound: 17 });
  expect(machineWordBenched(word, 4)).toBe(word);
});
