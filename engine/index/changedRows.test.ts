import { expect, test } from '@jest/globals';
import { ChangedRows } from './changedRows.js';
import type { RowValues } from './rowTable.js';

/** More than are kept between uses. */
const ROWS = 17_000;

const VALUES: RowValues = {
  gpuPrice: 1,
  corePrice: 2,
  memoryPrice: 3,
  storagePrice: 4,
  standing: 5,
  complianceBps: 10_000,
  total: 1000,
  devices: 1024,
  attributes: 0,
};

function drained(changed: ChangedRows): (readonly [machineId: number, bucket: number, row: number])[] {
  const rows: (readonly [number, number, number])[] = [];
  changed.drain((place, bucket, row) => rows.push([changed.values.machineOf(place), bucket, row]));
  return rows;
}

test('hands rows over in the order in which they lie in the index, each with its bucket, and forgets them', () => {
  const changed = new ChangedRows(1);
  [70_000_000, 5, 2 ** 31, 33].forEach((row, index) => {
    changed.reserve(changed.next + 1);
    changed.values.write(changed.next, 100 + index, VALUES);
    changed.add(index, row);
  });
  expect(drained(changed)).toEqual([
    [101, 1, 5],
    [103, 3, 33],
    [100, 0, 70_000_000],
    [102, 2, 2 ** 31],
  ]);
  expect(drained(changed)).toEqual([]);
});

test('keeps what was written when it grows, and works on once it was released', () => {
  const changed = new ChangedRows(7);
  for (let round = 0; round < 2; round++) {
    for (let row = 0; row < ROWS; row++) {
      changed.reserve(row + 1);
      changed.values.write(changed.next, row, VALUES);
      changed.add(0, ROWS - row);
    }
    expect(drained(changed).map(([machineId]) => machineId)).toEqual(
      Array.from({ length: ROWS }, (_, index) => ROWS - 1 - index),
    );
    changed.release();
    expect(changed.values.standingUnit).toBe(7);
  }
});
