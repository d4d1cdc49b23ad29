import { expect, test } from '@jest/globals';
import { IdLog } from './idLog.js';

function drained(log: IdLog): number[] {
  const ids: number[] = [];
  log.drain((id) => ids.push(id));
  return ids;
}

test('hands over each id once, in the order of first notice, and forgets it', () => {
  const log = new IdLog();
  for (const id of [7, 300, 7, 0, 300]) log.note(id);
  expect(drained(log)).toEqual([7, 300, 0]);
  expect(drained(log)).toEqual([]);
  log.note(7);
  expect(drained(log)).toEqual([7]);
});

test('grows with ids and with their number', () => {
  const log = new IdLog();
  const ids = Array.from({ length: 1000 }, (_, index) => index * 33);
  for (const id of ids) log.note(id);
  expect(drained(log)).toEqual(ids);
});
