import type { PolicyName } from './benchPolicy.js';
import type { MarketKind } from './benchMarket.js';
import { ARRIVALS } from './churnedRounds.js';
import type { Arrival, ChurnedRounds } from './churnedRounds.js';
import type { WorkerFigures } from './twoWorkers.js';

/** One workload on one market under one policy. */
export interface WorkloadFigures {
  readonly workload: string;
  readonly market: MarketKind;
  readonly machines: number;
  readonly policy: PolicyName;
  readonly orders: number;
  readonly matches: number;
  /** Orders of one `matchRound` call over its median time, index built. */
  readonly ordersPerSecond: number;
  readonly scan: { readonly ordersPerSecond: number; readonly orders: number; readonly equal: number };
  readonly ratioToScan: number;
  /** Absent where the naive baseline does not know the policy's rules. */
  readonly naive?: { readonly ordersPerSecond: number; readonly orders: number; readonly equal: number };
  readonly ratioToNaive?: number;
  /** The BigInt reference: records that are equal in every field, of those judged. */
  readonly reference: { readonly judged: number; readonly equal: number };
  /** Rounds of one order each. */
  readonly singleOrderMicroseconds: { readonly p50: number; readonly p99: number; readonly rounds: number };
  /** Time of the round after random updates over the time before, and over that with an index built afresh. */
  readonly afterUpdates: {
    readonly updates: number;
    readonly overBefore: number;
    readonly overFresh: number;
    readonly equalToFresh: boolean;
  };
  readonly updateMicroseconds: number;
  /** Bytes of the index's columns, per machine. */
  readonly indexBytesPerMachine: number;
  /** The same from outside: arrays and objects that are held after a round and were not before, per machine. */
  readonly heldBytesPerMachine: number;
  readonly workers?: WorkerFigures;
}

/** Rounds on a changing market; share is that of p99 in 250 ms. */
export interface RoundFigures extends ChurnedRounds {
  readonly workload: string;
  readonly machines: number;
  readonly policy: PolicyName;
  readonly p99ShareOf250Ms: number;
}

/** Everything that a run measured. */
export interface EngineReport {
  readonly date: string;
  readonly seed: number;
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly seconds: number;
  /** Milliseconds from the first call for a market to its end, by kind and size. */
  readonly builds: readonly {
    readonly market: MarketKind;
    readonly machines: number;
    readonly milliseconds: number;
    readonly columnBytesPerMachine: number;
  }[];
  readonly workloads: readonly WorkloadFigures[];
  /** Time per order at the largest number of machines over that at the smallest. */
  readonly growth: readonly { readonly workload: string; readonly policy: PolicyName; readonly ratio: number }[];
  readonly rounds: readonly RoundFigures[];
  /** Comparisons that failed; none in a run that ends well. */
  readonly failures: readonly string[];
}

/** Every comparison of a workload that did not come out equal. */
export function failuresOf(figures: WorkloadFigures): string[] {
  const { workload, machines, policy, scan, naive, reference, afterUpdates, workers } = figures;
  const where = `${workload}, ${machines} machines, policy ${policy}`;
  return [
    ...(scan.equal === scan.orders ? [] : [`${where}: ${scan.equal} of ${scan.orders} equal to the scan`]),
    ...(naive === undefined || naive.equal === naive.orders
      ? []
      : [`${where}: ${naive.equal} of ${naive.orders} equal to the naive matcher`]),
    ...(reference.equal === reference.judged
      ? []
      : [`${where}: ${reference.equal} of ${reference.judged} equal to the reference`]),
    ...(afterUpdates.equalToFresh ? [] : [`${where}: an index kept up to date and a fresh one give different records`]),
    ...(workers === undefined || workers.sameHash ? [] : [`${where}: one and two workers give different records`]),
  ];
}

/** Time per order at the largest size over that at the smallest, for each workload and policy that has both. */
export function growthOf(workloads: readonly WorkloadFigures[]): EngineReport['growth'] {
  const sizes = workloads.map(({ machines }) => machines);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  return workloads
    .filter(({ machines }) => machines === most && most > least)
    .flatMap(({ workload, policy, ordersPerSecond }) => {
      const small = workloads.find(
        (other) => other.machines === least && other.workload === workload && other.policy === policy,
      );
      return small === undefined ? [] : [{ workload, policy, ratio: small.ordersPerSecond / ordersPerSecond }];
    });
}

const ROUNDS_TITLES: Readonly<Record<Arrival, string>> = {
  atOnce:
    'Rounds of 512 matches and their records hash, all changes at once just before a round, which follows them itself (worst case)',
  byBlock:
    'The same, changes spread over the eight blocks of a round and followed between them, the last eighth just before it (an operator)',
};

/** The report as Markdown tables, one a policy and size, and two for the rounds. */
export function reportTables(report: EngineReport): string {
  const groups = new Map<string, WorkloadFigures[]>();
  for (const figures of report.workloads) {
    const title = `Policy \`${figures.policy}\`, ${shown(figures.machines)} machines, ${shown(figures.orders)} orders a round`;
    groups.set(title, [...(groups.get(title) ?? []), figures]);
  }
  const growth = new Map(report.growth.map(({ workload, policy, ratio }) => [`${workload} ${policy}`, ratio]));
  const largest = Math.max(...report.workloads.map(({ machines }) => machines));
  const tables = [...groups].map(([title, rows]) =>
    table(
      title,
      [
        'workload',
        'matched',
        'orders/s',
        'scan orders/s',
        'over scan',
        'naive orders/s',
        'over naive',
        'equal to reference',
        'single order p50 / p99 us',
        'update us',
        'after updates / before',
        'after updates / fresh',
        'index / held B per machine',
        'growth',
        'two workers / one',
      ],
      rows.map((row) => [
        row.workload,
        shown(row.matches),
        shown(row.ordersPerSecond),
        shown(row.scan.ordersPerSecond),
        `${shown(row.ratioToScan)} x`,
        row.naive === undefined ? '' : shown(row.naive.ordersPerSecond),
        row.ratioToNaive === undefined ? '' : `${shown(row.ratioToNaive)} x`,
        `${shown(row.reference.equal)} of ${shown(row.reference.judged)}`,
        `${shown(row.singleOrderMicroseconds.p50)} / ${shown(row.singleOrderMicroseconds.p99)}`,
        shown(row.updateMicroseconds),
        `${shown(row.afterUpdates.overBefore)} x`,
        `${shown(row.afterUpdates.overFresh)} x`,
        `${shown(row.indexBytesPerMachine)} / ${shown(row.heldBytesPerMachine)}`,
        row.machines === largest ? growthShown(growth.get(`${row.workload} ${row.policy}`)) : '',
        workersShown(row.workers),
      ]),
    ),
  );
  const rounds = ARRIVALS.map((arrival) =>
    table(
      ROUNDS_TITLES[arrival],
      [
        'workload',
        'policy',
        'machines',
        'open orders',
        'changed a round',
        'rounds',
        'p50 ms',
        'p99 ms',
        'p99 of 250 ms',
        'upkeep p50 ms',
      ],
      report.rounds
        .filter((row) => row.arrival === arrival)
        .map((row) => [
          row.workload,
          row.policy,
          shown(row.machines),
          shown(row.openOrders),
          shown(row.machinesChanged),
          shown(row.rounds),
          shown(row.p50Ms),
          shown(row.p99Ms),
          `${shown(100 * row.p99ShareOf250Ms)} %`,
          shown(row.upkeepP50Ms),
        ]),
    ),
  );
  const builds = table(
    'Building the index',
    ['market', 'machines', 'ms', 'columns B per machine'],
    report.builds.map((row) => [
      row.market,
      shown(row.machines),
      shown(row.milliseconds),
      shown(row.columnBytesPerMachine),
    ]),
  );
  const { date, cpu, cores, node, seed, seconds } = report;
  return [
    `${date}, ${cpu}, ${cores} cores, Node ${node}, seed ${seed}, ${shown(seconds)} s`,
    ...tables,
    ...rounds,
    builds,
  ].join('\n\n');
}

function growthShown(ratio: number | undefined): string {
  return ratio === undefined ? '' : `${shown(ratio)} x`;
}

function workersShown(workers: WorkerFigures | undefined): string {
  if (workers === undefined) return '';
  return workers.shards < 2 ? 'one part' : `${shown(workers.ratio)} x`;
}

function table(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [`### ${title}`, '', line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function shown(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
