import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTraceTable, TraceFileError } from './traceTable.js';

const folder = mkdtempSync(join(tmpdir(), 'matchmaker-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

let written = 0;
function file(content: string): string {
  const path = join(folder, `table-${++written}.csv`);
  writeFileSync(path, content);
  return path;
}

describe('readTraceTable', () => {
  it('reads columns by name, whatever their order and line ends', () => {
    const rows = readTraceTable(file('name,gpu,cpu\r\na,2,10\r\n\r\nb,0,7\n'), ['cpu', 'gpu']);
    expect(
      rows.map((row) => [row.line, row.text('name'), row.integer('cpu', 0, 10), row.integer('gpu', 0, 2)]),
    ).toEqual([
      [2, 'a', 10, 2],
      [4, 'b', 7, 0],
    ]);
  });

  it.each([
    ['a missing column', 'a,b\n1,2\n', /line 1: column c is missing; it has a, b/],
    ['a short row', 'a,b,c\n1,2,3\n1,2\n', /line 3: 2 values for 3 columns/],
    ['no rows', 'a,b,c\n', /has no rows/],
    ['an empty file', '', /column c is missing; it has none/],
  ])('refuses %s', (_, content, message) => {
    expect(() => readTraceTable(file(content), ['c'])).toThrow(message);
  });

  it.each(['x', '', '-1', '1.5', '11', '1e1'])(
    "names the line of a value that is no number in range: '%s'",
    (value) => {
      const [, row] = readTraceTable(file(`a,b\n5,\n${value},\n`), ['a']);
      expect(() => row?.integer('a', 0, 10)).toThrow(/line 3: a is '.*', it must be a whole number from 0 to 10/);
    },
  );

  it('says that a file is not there', () => {
    expect(() => readTraceTable(join(folder, 'none.csv'), ['a'])).toThrow(TraceFileError);
    expect(() => readTraceTable(join(folder, 'none.csv'), ['a'])).toThrow(/there is no such file/);
  });
});
