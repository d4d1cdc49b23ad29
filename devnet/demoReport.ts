import { attackLines, attackResult, type AttackReport, type AttackResult } from './attackReport.js';
import type { AuditReport } from './auditRun.js';
import { percentile } from './percentile.js';
import type { SeenSettlement } from './settlementWatch.js';
import type { Curve } from '../protocol/operatorTable.js';
import { formatAmount } from '../sdk/amounts.js';
import { tokenDifference, tokenMismatches, type TokenAccount } from './tokenAccounts.js';
import { wrapList } from './wrapList.js';
import { wrapWords } from './wrapWords.js';

/** The one line that `--json` ends with. Latencies are null while nothing was settled. */
export interface DemoResult {
  /** On which the operators sign. */
  readonly curve: Curve;
  /** 1, or 2 with a stake chain of its own. */
  readonly chains: number;
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
  /** Scenes of the economy that were played and held; 0 for a trade alone. */
  readonly scenes: number;
  /** By symbol, token units in decimal: paid into the market's contracts, paid out of them, and held by them at the end. */
  readonly tokensIn: Readonly<Record<string, string>>;
  readonly tokensOut: Readonly<Record<string, string>>;
  readonly tokensHeld: Readonly<Record<string, string>>;
  /** Units of all tokens that any way of counting misses or has too many; each also counts as a mismatch. */
  readonly tokenDifference: string;
  /** Null without one. */
  readonly attack: AttackResult | null;
}

/** What a run found at its end. */
export interface RunFindings {
  /** Of the trade alone. */
  readonly audit: AuditReport;
  /** Of the whole run, whose last block is later than the trade's; the trade's own without a story. */
  readonly wholeAudit: AuditReport;
  readonly scenes: readonly ToldScene[];
  /** Scenes that the replay of the chain does not bear out. */
  readonly sceneMismatches: readonly string[];
  readonly tokens: readonly TokenAccount[];
  /** With the sentences it is told in; null without one. */
  readonly attack: { readonly report: AttackReport; readonly lines: readonly string[] } | null;
}

/** A scene of the economy, told in a sentence. */
export interface ToldScene {
  readonly scene: string;
  readonly line: string;
}

/** What a run measured while it went. */
export interface RunMeasurements {
  readonly curve: Curve;
  readonly chains: number;
  readonly operators: number;
  readonly machines: number;
  readonly orders: number;
  readonly settlements: readonly (SeenSettlement & { readonly snapshotBlock: number; readonly signers: number })[];
  readonly orderToLeaseMs: readonly number[];
}

/** The result of a run from what it measured and what was found at its end. */
export function demoResult(run: RunMeasurements, findings: RunFindings): DemoResult {
  const { audit, wholeAudit, scenes, tokens } = findings;
  const latencies = run.settlements.map(({ blockNumber, snapshotBlock }) => blockNumber - snapshotBlock);
  const gas = run.settlements.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
  const records = run.settlements.reduce((sum, { leased, skipped }) => sum + leased.length + skipped, 0);
  return {
    curve: run.curve,
    chains: run.chains,
    operators: run.operators,
    machines: run.machines,
    orders: run.orders,
    matched: audit.matched,
    unmatched: run.orders - audit.matched,
    skipped: wholeAudit.skipped,
    rounds: audit.rounds,
    settlements: audit.settlements,
    mismatches: mismatchesOf(findings).length,
    latencyBlocksP50: percentile(latencies, 50),
    latencyBlocksP99: percentile(latencies, 99),
    orderToLeaseMsP50: rounded(percentile(run.orderToLeaseMs, 50)),
    orderToLeaseMsP99: rounded(percentile(run.orderToLeaseMs, 99)),
    gasPerMatchMean: records === 0 ? null : Math.round(Number(gas) / records),
    quorumSigners: percentile(
      run.settlements.map(({ signers }) => signers),
      50,
    ),
    scenes: scenes.length,
    tokensIn: bySymbol(tokens, ({ paidIn }) => paidIn),
    tokensOut: bySymbol(tokens, ({ paidOut }) => paidOut),
    tokensHeld: bySymbol(tokens, ({ held }) => held),
    tokenDifference: tokenDifference(tokens).toString(),
    attack: findings.attack === null ? null : attackResult(findings.attack.report),
  };
}

/** Everything that is not as it must be, each once. */
export function mismatchesOf({ audit, wholeAudit, sceneMismatches, tokens }: RunFindings): string[] {
  return [...new Set([...audit.mismatches, ...wholeAudit.mismatches, ...sceneMismatches, ...tokenMismatches(tokens)])];
}

function bySymbol(tokens: readonly TokenAccount[], amountOf: (token: TokenAccount) => bigint): Record<string, string> {
  const sums = new Map<string, bigint>();
  for (const token of tokens) sums.set(token.symbol, (sums.get(token.symbol) ?? 0n) + amountOf(token));
  return Object.fromEntries([...sums].map(([symbol, amount]) => [symbol, amount.toString()]));
}

/** Whether a run did what it should: nothing skipped, nothing different from the rules. */
export function passed(result: DemoResult): boolean {
  return result.mismatches === 0 && result.skipped === 0;
}

/** The report for people: the figures, the scenes, the tokens, every mismatch, and the reason of every unmatched order. */
export function reportLines(result: DemoResult, findings: RunFindings): string[] {
  const { audit, wholeAudit, scenes, tokens } = findings;
  const mismatches = mismatchesOf(findings);
  const lines = [
    '',
    passed(result) ? 'PASSED: the chain holds what the rules make of it' : 'FAILED',
    `  operators            ${result.operators} on ${result.curve}, ${shown(result.quorumSigners)} signatures in the median certificate`,
    `  chains               ${result.chains === 1 ? 'one for stake and market' : 'two: one for stake, one for the market'}`,
    `  machines             ${result.machines}`,
    `  orders               ${result.orders}: ${result.matched} leased, ${result.unmatched} unmatched, ${result.skipped} skipped`,
    `  rounds               ${result.rounds} with orders, ${result.settlements} settled, ${audit.lapsedRounds.length} lapsed`,
    `  snapshot to settled  p50 ${shown(result.latencyBlocksP50)}, p99 ${shown(result.latencyBlocksP99)} blocks`,
    `  order to lease       p50 ${shown(result.orderToLeaseMsP50)}, p99 ${shown(result.orderToLeaseMsP99)} ms`,
    `  gas per match        ${shown(result.gasPerMatchMean)}`,
    `  mismatches           ${result.mismatches}`,
    ...mismatches.slice(0, LISTED).map((mismatch) => `    ${mismatch}`),
    ...more(mismatches.length),
    ...(audit.unmatched.length === 0 ? [] : unmatchedLines(audit)),
  ];
  if (scenes.length > 0) {
    const { matched, selfMatched, reopened, takenRounds, lapsedRounds } = wholeAudit;
    lines.push(
      '',
      `  the economy           ${scenes.length} scenes, every claim checked on the chain`,
      `  leases in all         ${matched} by batches, ${selfMatched} by a tenant; orders sent back to matching: ${reopened}`,
      `  rounds without batch  ${lapsedRounds.length} lapsed, ${takenRounds.length} taken by a self-match`,
      ...scenes.flatMap(({ scene, line }) => wrapWords(`    ${scene.padEnd(SCENE_WIDTH)}  `, line)),
    );
  }
  if (findings.attack !== null) lines.push('', ...attackLines(findings.attack.report, findings.attack.lines));
  return [...lines, '', ...tokenLines(tokens)];
}

const SCENE_WIDTH = 13;

function unmatchedLines(audit: AuditReport): string[] {
  const byReason = new Map<string, number[]>();
  for (const { orderId, reason } of audit.unmatched) {
    const orders = byReason.get(reason);
    if (orders === undefined) byReason.set(reason, [orderId]);
    else orders.push(orderId);
  }
  const lines = ['  unmatched orders by the furthest filter that any machine reached'];
  for (const [reason, orders] of [...byReason].sort(([, a], [, b]) => b.length - a.length)) {
    lines.push(...wrapList(`    ${reason.padEnd(18)} ${String(orders.length).padStart(5)}  orders `, ranges(orders)));
  }
  return lines;
}

/** Each token's way through each contract, with what left by whom it went to, and what is held by who can still take it. */
function tokenLines(tokens: readonly TokenAccount[]): string[] {
  const total = tokenDifference(tokens);
  const lines = [
    `  tokens               ${total === 0n ? 'in = out + held, and every unit held is owed to somebody' : `${total} units are not accounted for`}`,
  ];
  for (const { symbol, decimals, contractName, paidIn, paidOut, held, paidOutBy, owedBy, differences } of tokens) {
    const amount = (units: bigint): string => formatAmount(units, decimals);
    const missing = Object.values(differences).some((difference) => difference !== 0n);
    lines.push(
      `    ${symbol} in ${contractName}${missing ? ' (DIFFERS)' : ''}`,
      ...amountLines('in', amount(paidIn), []),
      ...amountLines('out', amount(paidOut), parts(paidOutBy, amount)),
      ...amountLines('held', amount(held), parts(owedBy, amount)),
    );
  }
  return lines;
}

function amountLines(heading: string, amount: string, by: readonly string[]): string[] {
  const start = `      ${heading.padEnd(5)} ${amount}`;
  if (by.length === 0) return [start];
  return [start, ...wrapList('              ', by)];
}

function parts(by: ReadonlyMap<string, bigint>, amount: (units: bigint) => string): string[] {
  return [...by].map(([kind, units]) => `${kind} ${amount(units)}`);
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
