type Cell = string | number | bigint | boolean;

/** Rows as columns, the shape that both suites read fastest; bigints become 0x-prefixed hex, booleans 0 and 1. */
export function columnsOf(rows: readonly Readonly<Record<string, Cell>>[]): Record<string, (string | number)[]> {
  const columns: Record<string, (string | number)[]> = {};
  for (const row of rows) {
    for (const [name, cell] of Object.entries(row)) (columns[name] ??= []).push(plain(cell));
  }
  return columns;
}

function plain(cell: Cell): string | number {
  if (typeof cell === 'bigint') return `0x${cell.toString(16)}`;
  return typeof cell === 'boolean' ? Number(cell) : cell;
}
