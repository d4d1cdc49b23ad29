import { describe, expect, it } from '@jest/globals';
import { scheduleFloor, type ScheduleItems } from './gasFloor.js';

const NOTHING: ScheduleItems = {
  input: new Uint8Array(),
  coldAccounts: 0,
  slots: 0,
  rewritten: 0,
  logs: [],
  recordWords: 0,
  signatures: 0,
};

describe('scheduleFloor', () => {
  it('is a transaction that does nothing but hash', () => {
    expect(scheduleFloor(NOTHING)).toBe(21_030);
  });

  it('counts every item at its price', () => {
    const items: ScheduleItems = {
      input: Uint8Array.of(0, 1),
      coldAccounts: 1,
      slots: 2,
      rewritten: 1,
      logs: [{ topics: 3, bytes: 64 }],
      recordWords: 5,
      signatures: 2,
    };
    expect(scheduleFloor(items)).toBe(21_000 + 20 + 2_600 + 4_200 + 2_900 + (4 * 375 + 8 * 64) + (30 + 5 * 6) + 6_000);
  });

  it('is at least what EIP-7623 asks for the calldata', () => {
    const input = Uint8Array.from({ length: 1_000 }, (_, index) => index % 2);
    expect(scheduleFloor({ ...NOTHING, input })).toBe(21_000 + 500 * 10 + 500 * 40);
  });
});
