import { expect, test } from '@jest/globals';
import { amountText, fieldLines, printIds, printResult, tableLines, timeText } from './marketOutput.js';

test('columns are aligned, numbers to the right', () => {
  expect(
    tableLines(
      ['order', 'status'],
      [
        ['9', 'OPEN'],
        ['10', 'CLOSED'],
      ],
    ),
  ).toEqual(['order  status', '    9  OPEN', '   10  CLOSED']);
  expect(tableLines(['order', 'status'], [])).toEqual(['order  status']);
});

test('fields without a value are left out', () => {
  expect(
    fieldLines([
      ['id', '1'],
      ['bids', null],
      ['status', 'OPEN'],
    ]),
  ).toEqual(['id      1', 'status  OPEN']);
});

test('amounts carry their symbol, times their zone', () => {
  expect(amountText(1_500_000n, { symbol: 'uSPON', decimals: 6 })).toBe('1.5 uSPON');
  expect([timeText(86_400), timeText(null)]).toEqual(['1970-01-02 00:00:00 UTC', null]);
});

test('JSON is one line, with large integers as text', () => {
  const lines: string[] = [];
  printResult((line) => lines.push(line), true, { json: { amount: 2n ** 64n }, lines: ['a', 'b'] });
  printResult((line) => lines.push(line), false, { json: {}, lines: ['a', 'b'] });
  expect(lines).toEqual(['{"amount":"18446744073709551616"}', 'a', 'b']);
});

test('ids stand alone, one a line', () => {
  const lines: string[] = [];
  printIds((line) => lines.push(line), [7, 12]);
  expect(lines).toEqual(['7', '12']);
});
