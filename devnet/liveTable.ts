/** One settled round, as the table shows it. */
export interface TableRow {
  readonly round: number;
  readonly snapshotBlock: number;
  readonly settledBlock: number;
  readonly signatures: number;
  readonly operators: number;
  /** Signed weight of the total, percent. */
  readonly signedPercent: number;
  readonly leases: number;
  readonly skipped: number;
  readonly gasPerMatch: number;
  /** Median milliseconds from sending to lease of the round's orders. */
  readonly orderToLeaseMs: number | null;
}

/** What the run looks like at the moment. */
export interface TableStatus {
  readonly headBlock: number;
  readonly openRound: number;
  readonly ordersInChain: number;
  readonly ordersTotal: number;
  readonly leases: number;
}

export interface LiveTableOptions {
  /** A terminal that lines can be taken back on; otherwise every settled round becomes one line. */
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
  /** Columns of the terminal at the moment, undefined when it does not say. */
  readonly columns?: () => number | undefined;
}

const ROWS_SHOWN = 12;
/** Heading and width of each column; with two spaces between them they fit 80 columns. */
const COLUMNS = [
  ['round', 5],
  ['snapshot', 8],
  ['settled', 9],
  ['signed', 6],
  ['stake', 5],
  ['leases', 6],
  ['skipped', 7],
  ['gas/match', 9],
  ['to lease', 8],
] as const;
const REDRAW_EVERY_MS = 100;

/** Shows rounds as they settle, drawn anew in place on a terminal, line by line elsewhere. */
export class LiveTable {
  readonly #options: LiveTableOptions;
  readonly #rows: TableRow[] = [];
  #status: TableStatus | undefined;
  #drawnLines = 0;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #headed = false;
  #frozen = false;

  constructor(options: LiveTableOptions) {
    this.#options = options;
  }

  /** Adds a settled round. */
  add(row: TableRow): void {
    this.#rows.push(row);
    if (this.#options.isTerminal) {
      this.#draw();
      return;
    }
    if (!this.#headed) this.#options.write(`${headingLine()}\n`);
    this.#headed = true;
    this.#options.write(`${rowLine(row)}\n`);
  }

  /** Takes note of the present state; a terminal shows it at most ten times a second. */
  update(status: TableStatus, nowMs: number): void {
    this.#status = status;
    if (!this.#options.isTerminal || nowMs - this.#drawnAtMs < REDRAW_EVERY_MS) return;
    this.#drawnAtMs = nowMs;
    this.#draw();
  }

  /** Writes text that stays: on a terminal above the table, which moves down. */
  say(text: string): void {
    if (this.#drawnLines === 0 || this.#frozen) {
      this.#options.write(text);
      return;
    }
    this.#options.write(`\u001b[${this.#drawnLines}A\u001b[J${text}`);
    this.#drawnLines = 0;
    this.#draw();
  }

  /** Leaves the table as it stands; whatever is written from now on goes below it. */
  freeze(): void {
    this.#frozen = true;
  }

  #draw(): void {
    if (this.#frozen) return;
    const lines = [
      ...(this.#status === undefined ? [] : [statusLine(this.#status)]),
      headingLine(),
      ...this.#rows.slice(-ROWS_SHOWN).map(rowLine),
    ];
    const back = this.#drawnLines === 0 ? '' : `\u001b[${this.#drawnLines}A`;
    // A line that wrapped would count as one here and take two there, and the next drawing would start too low.
    const columns = this.#options.columns?.() ?? Number.POSITIVE_INFINITY;
    this.#options.write(back + lines.map((line) => `\u001b[2K${line.slice(0, columns)}\n`).join(''));
    this.#drawnLines = lines.length;
  }
}

/** The status in one line. */
export function statusLine(status: TableStatus): string {
  return (
    `block ${status.headBlock}  open round ${status.openRound}  ` +
    `orders ${status.ordersInChain}/${status.ordersTotal} in the chain  leases ${status.leases}`
  );
}

function headingLine(): string {
  return lineOf(COLUMNS.map(([heading]) => heading));
}

/** One settled round in one line, under the headings. */
export function rowLine(row: TableRow): string {
  const blocks = row.settledBlock - row.snapshotBlock;
  return lineOf([
    row.round,
    row.snapshotBlock,
    `+${blocks} block${blocks === 1 ? '' : 's'}`,
    `${row.signatures}/${row.operators}`,
    `${row.signedPercent.toFixed(0)} %`,
    row.leases,
    row.skipped,
    row.gasPerMatch,
    row.orderToLeaseMs === null ? '-' : `${Math.round(row.orderToLeaseMs)} ms`,
  ]);
}

function lineOf(values: readonly (string | number)[]): string {
  return values.map((value, index) => String(value).padStart(COLUMNS[index]?.[1] ?? 0)).join('  ');
}
