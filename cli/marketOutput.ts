import { formatAmount } from '../sdk/amounts.js';

/** What a command found or did: for machines, and for people. */
export interface CommandResult {
  readonly json: unknown;
  readonly lines: readonly string[];
}

/** Prints a result as one JSON object, or as lines. Large integers become decimal strings. */
export function printResult(print: (line: string) => void, asJson: boolean, result: CommandResult): void {
  if (asJson) {
    print(JSON.stringify(result.json, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));
    return;
  }
  for (const line of result.lines) print(line);
}

/** Prints ids alone, one a line, for a shell to keep. */
export function printIds(print: (line: string) => void, ids: readonly number[]): void {
  for (const id of ids) print(String(id));
}

/** Lines of a table with its columns aligned; columns of numbers stand right. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const right = head.map((_, column) => rows.length > 0 && rows.every((row) => /^[\d.,-]+$/.test(row[column] ?? '')));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        right[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)];
}

/** Lines of names and values, the values aligned. */
export function fieldLines(fields: readonly (readonly [string, string | null])[]): readonly string[] {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(width)}  ${value}`]));
}

/** An amount of a token for people, as `12.5 uSPON`. */
export function amountText(units: bigint, token: { readonly symbol: string; readonly decimals: number }): string {
  return `${formatAmount(units, token.decimals)} ${token.symbol}`;
}

/** A moment for people, in UTC. */
export function timeText(seconds: number | null): string | null {
  return seconds === null ? null : `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
