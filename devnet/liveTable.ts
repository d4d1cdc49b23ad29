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
}

const ROWS_SHOWN = 12;
const HEADINGS = [
  'round',
  'snapshot',
  'settled',
  'blocks',
  'signatures',
  'stake',
  'leases',
  'skipped',
  'gas/match',
  'order to lease',
];
const REDRAW_EVERY_MS = 100;

/** Shows rounds as they settle, drawn anew in place on a terminal, line by line elsewhere. */
export class LiveTable {
  readonly #options: LiveTableOptions;
  readonly #rows: TableRow[] = [];
  #status: TableStatus | undefined;
  #drawnLines = 0;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #headed = false;

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

  #draw(): void {
    const lines = [
      ...(this.#status === undefined ? [] : [statusLine(this.#status)]),
      headingLine(),
      ...this.#rows.slice(-ROWS_SHOWN).map(rowLine),
    ];
    const back = this.#drawnLines === 0 ? '' : `\u001b[${this.#drawnLines}A`;
    this.#options.write(back + lines.map((line) => `\u001b[2K${line}\n`).join(''));
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
  return HEADINGS.map((heading) => heading.padStart(Math.max(heading.length, 9))).join('  ');
}

/** One settled round in one line, under the headings. */
export function rowLine(row: TableRow): string {
  const values = [
    row.round,
    row.snapshotBlock,
    row.settledBlock,
    row.settledBlock - row.snapshotBlock,
    `${row.signatures}/${row.operators}`,
    `${row.signedPercent.toFixed(0)} %`,
    row.leases,
    row.skipped,
    row.gasPerMatch,
    row.orderToLeaseMs === null ? '-' : `${Math.round(row.orderToLeaseMs)} ms`,
  ];
  return values
    .map((value, index) => String(value).padStart(Math.max((HEADINGS[index] as string).length, 9)))
    .join('  ');
}
