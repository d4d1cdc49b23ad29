import { describe, expect, test } from '@jest/globals';
import { LEAF_ROWS } from './leafRows.js';
import { RowTable } from './rowTable.js';
import type { RowValues } from './rowTable.js';

const FIRST: RowValues = {
  gpuPrice: 2 ** 24 + 1,
  corePrice: 8001,
  memoryPrice: 1500,
  storagePrice: 20_001,
  standing: 1001,
  complianceBps: 10_700,
  total: 2500,
  devices: (2 << 10) | 1000,
  attributes: 0b101,
};
const SECOND: RowValues = { ...FIRST, gpuPrice: 500, complianceBps: 9000, total: 0, devices: 0 };

function readRow(rows: RowTable, row: number, isGpu: boolean) {
  const into = { referencePrice: 0, corePrice: 0, standing: 0, complianceBps: 0, total: 0, devices: 0 };
  rows.read(row, isGpu, into);
  return into;
}

describe('rows in blocks of a leaf each', () => {
  test('are read as they were written, prices rounded down and standing up', () => {
    const rows = new RowTable();
    rows.standingUnit = 10;
    rows.grow(2);
    const row = LEAF_ROWS + 31;
    rows.write(row, 77, FIRST);
    rows.write(row - 1, 78, SECOND);
    expect(rows.machineOf(row)).toBe(77);
    expect(rows.machineOf(row - 1)).toBe(78);
    expect(readRow(rows, row, true)).toEqual({
      referencePrice: 2 ** 24 + 8 * 8001 + 48 * 1500,
      corePrice: 8001,
      standing: 1010,
      complianceBps: 10_700,
      total: 2500,
      devices: (2 << 10) | 1000,
    });
    expect(readRow(rows, row, false).referencePrice).toBe(8001);
    expect(readRow(rows, row - 1, true)).toMatchObject({ complianceBps: 9000, total: 0, devices: 0 });
  });

  test('are copied from leaf to leaf and kept when the table grows', () => {
    const rows = new RowTable();
    rows.grow(1);
    rows.write(3, 77, FIRST);
    rows.grow(3);
    rows.copy(2 * LEAF_ROWS, 3);
    expect(rows.machineOf(2 * LEAF_ROWS)).toBe(77);
    expect(readRow(rows, 2 * LEAF_ROWS, true)).toEqual(readRow(rows, 3, true));
    rows.write(2 * LEAF_ROWS + 9, 78, { ...SECOND, attributes: 0b110 });
    rows.copy(2 * LEAF_ROWS + 9, 3);
    expect(rows.attributes.of(2 * LEAF_ROWS + 9)).toBe(0b101);
    expect([rows.attributes.of(2 * LEAF_ROWS), rows.attributes.of(2 * LEAF_ROWS + 3)]).toEqual([0b101, 0]);
  });
});
