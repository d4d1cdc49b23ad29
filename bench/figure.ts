/** One measured figure. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it was measured on. */
  readonly setting: string;
}

/** Rows of a Markdown table, with three significant digits below 1000 and none behind the point above. */
export function markdownTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, setting }) => `| ${name} | ${shown(value)} ${unit} | ${setting} |`);
  return ['| figure | value | setting |', '|---|---|---|', ...rows].join('\n');
}

function shown(value: number): string {
  return Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
