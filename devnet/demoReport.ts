import type { AuditReport } from './auditRun.js';
import { percentile } from './percentile.js';
import type { SeenSettlement } from './settlementWatch.js';
import { wrapList } from './wrapList.js';

/** The one line that `--json` ends with. Latencies are null while nothing was settled. */
export interface DemoResult {
  readonly operators: number;
  readonly machines: number;
  readonly orders: number;
  readonly matched: number;
  readonly unmatched: number;
  readonly skipped: number;
  /** Closed rounds in which at least one order stood to be matched. */
  readonly rounds: number;
  readonly settlements: number;
  /** Differences between the chain and a recomputation of every round, with anything else that must not be. */
  readonly mismatches: number;
  /** Blocks from the snapshot block to the block of the settlement. */
  readonly latencyBlocksP50: number | null;
  readonly latencyBlocksP99: number | null;
  /** From handing an order's transaction to the node to seeing the block of its lease, milliseconds. */
  readonly orderToLeaseMsP50: number | null;
  readonly orderToLeaseMsP99: number | null;
  /** Gas of all settlements over all their records. */
  readonly gasPerMatchMean: number | null;
  /** Median number of signatures in a settled certificate. */
  readonly quorumSigners: number | null;
}

/** What a run measured while it went. */
export interface RunMeasurements {
  readonly operators: number;
  readonly machines: number;
  readonly orders: number;
  readonly settlements: readonly (SeenSettlement & { readonly snapshotBlock: number; readonly signers: number })[];
  readonly orderToLeaseMs: readonly number[];
}

/** The result of a run from what it measured and what the audit found. */
export function demoResult(run: RunMeasurements, audit: AuditReport): DemoResult {
  const latencies = run.settlements.map(({ blockNumber, snapshotBlock }) => blockNumber - snapshotBlock);
  const gas = run.settlements.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
  const records = run.settlements.reduce((sum, { leased, skipped }) => sum + leased.length + skipped, 0);
  return {
    operators: run.operators,
    machines: run.machines,
    orders: run.orders,
    matched: audit.matched,
    unmatched: run.orders - audit.matched,
    skipped: audit.skipped,
    rounds: audit.rounds,
    settlements: audit.settlements,
    mismatches: audit.mismatches.length,
    latencyBlocksP50: percentile(latencies, 50),
    latencyBlocksP99: percentile(latencies, 99),
    orderToLeaseMsP50: rounded(percentile(run.orderToLeaseMs, 50)),
    orderToLeaseMsP99: rounded(percentile(run.orderToLeaseMs, 99)),
    gasPerMatchMean: records === 0 ? null : Math.round(Number(gas) / records),
    quorumSigners: percentile(
      run.settlements.map(({ signers }) => signers),
      50,
    ),
  };
}

/** Whether a run did what it should: nothing skipped, nothing different from the rules. */
export function passed(result: DemoResult): boolean {
  return result.mismatches === 0 && result.skipped === 0;
}

/** The report for people: the figures, every mismatch, and the reason of every unmatched order. */
export function reportLines(result: DemoResult, audit: AuditReport): string[] {
  const lines = [
    '',
    passed(result) ? 'PASSED: the chain holds what the rules make of it' : 'FAILED',
    `  operators            ${result.operators}, ${shown(result.quorumSigners)} signatures in the median certificate`,
    `  machines             ${result.machines}`,
    `  orders               ${result.orders}: ${result.matched} leased, ${result.unmatched} unmatched, ${result.skipped} skipped`,
    `  rounds               ${result.rounds} with orders, ${result.settlements} settled, ${audit.lapsedRounds.length} lapsed`,
    `  snapshot to settled  p50 ${shown(result.latencyBlocksP50)}, p99 ${shown(result.latencyBlocksP99)} blocks`,
    `  order to lease       p50 ${shown(result.orderToLeaseMsP50)}, p99 ${shown(result.orderToLeaseMsP99)} ms`,
    `  gas per match        ${shown(result.gasPerMatchMean)}`,
    `  mismatches           ${result.mismatches}`,
    ...audit.mismatches.slice(0, LISTED).map((mismatch) => `    ${mismatch}`),
    ...more(audit.mismatches.length),
  ];
  if (audit.unmatched.length === 0) return lines;
  const byReason = new Map<string, number[]>();
  for (const { orderId, reason } of audit.unmatched) {
    const orders = byReason.get(reason);
    if (orders === undefined) byReason.set(reason, [orderId]);
    else orders.push(orderId);
  }
  lines.push('  unmatched orders by the furthest filter that any machine reached');
  for (const [reason, orders] of [...byReason].sort(([, a], [, b]) => b.length - a.length)) {
    lines.push(...wrapList(`    ${reason.padEnd(18)} ${String(orders.length).padStart(5)}  orders `, ranges(orders)));
  }
  return lines;
}

const LISTED = 20;

function more(count: number): string[] {
  return count > LISTED ? [`    and ${count - LISTED} more`] : [];
}

function shown(value: number | null): string {
  return value === null ? '-' : value.toLocaleString('en-US');
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}

/** Ascending numbers with runs shortened: 1-3, 7. */
function ranges(numbers: readonly number[]): string[] {
  const parts: string[] = [];
  for (let start = 0; start < numbers.length;) {
    let end = start;
    while (numbers[end + 1] === (numbers[end] as number) + 1) end++;
    parts.push(start === end ? String(numbers[start]) : `${numbers[start]}-${numbers[end]}`);
    start = end + 1;
  }
  return parts;
}
