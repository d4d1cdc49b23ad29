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

test('takes those noted first, ascending, and leaves the others', () => {
  const log = new IdLog();
  for (const id of [9, 4, 7, 1, 3]) log.note(id);
  expect([...log.take(3)]).toEqual([4, 7, 9]);
  expect(log.count).toBe(2);
  log.note(4);
  log.note(1);
  expect([...log.take(10)]).toEqual([1, 3, 4]);
  expect([...log.take(10)]).toEqual([]);
});

test('noted and taken again and again it hands over every id in turn', () => {
  const log = new IdLog();
  let taken = 0;
  for (let id = 0; id < 10_000; id++) {
    log.note(id);
    if (id >= 20) taken += [...log.take(1)].filter((value) => value === id - 20).length;
  }
  expect(taken).toBe(9980);
  expect(log.count).toBe(20);
});
