import { readFileSync } from 'node:fs';
import { MatchmakerError } from '../engine/error.js';

/** A trace file can not be read, lacks a column, or has a row that makes no sense; `line` counts from 1. */
export class TraceFileError extends MatchmakerError<'TRACE_FILE'> {
  constructor(file: string, problem: string, line?: number) {
    super('TRACE_FILE', `trace file ${file}${line === undefined ? '' : `, line ${line}`}: ${problem}`, {
      metadata: { file, ...(line === undefined ? {} : { line }) },
    });
  }
}

/** One row of a trace file, by column name. */
export interface TraceRow {
  readonly line: number;
  text(column: string): string;
  /** A whole number from `least` to `most`. Throws TraceFileError naming line and column. */
  integer(column: string, least: number, most: number): number;
}

/**
 * Rows of a CSV file whose first line names its columns; `columns` must be among them, others are left alone.
 * Values are plain: the traces have neither quotes nor commas in them. Throws TraceFileError.
 */
export function readTraceTable(file: string, columns: readonly string[]): TraceRow[] {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error';
    throw new TraceFileError(file, code === 'ENOENT' ? 'there is no such file' : `it can not be read (${code})`);
  }
  const lines = content.split(/\r?\n/);
  const header = (lines[0] ?? '').split(',').map((name) => name.trim());
  const missing = columns.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    throw new TraceFileError(file, `column ${missing.join(', ')} is missing; it has ${header.join(', ') || 'none'}`, 1);
  }
  const places = new Map(header.map((name, index) => [name, index]));
  const rows: TraceRow[] = [];
  for (let index = 1; index < lines.length; index++) {
    const text = lines[index] ?? '';
    if (text.trim() === '') continue;
    const values = text.split(',');
    const line = index + 1;
    if (values.length !== header.length) {
      throw new TraceFileError(file, `${values.length} values for ${header.length} columns`, line);
    }
    const valueOf = (column: string): string => (values[places.get(column) ?? -1] ?? '').trim();
    rows.push({
      line,
      text: valueOf,
      integer: (column, least, most) => {
        const value = valueOf(column);
        const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
        if (!(number >= least && number <= most)) {
          throw new TraceFileError(
            file,
            `${column} is '${value}', it must be a whole number from ${least} to ${most}`,
            line,
          );
        }
        return number;
      },
    });
  }
  if (rows.length === 0) throw new TraceFileError(file, 'it has no rows');
  return rows;
}
