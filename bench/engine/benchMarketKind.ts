import { IndexedMatcher } from '../../engine/index/indexedMatcher.js';
import { matchRound } from '../../engine/matchRound.js';
import type { Market } from '../../engine/market.js';
import type { Policy } from '../../engine/policy.js';
import type { MatchRecord } from '../../engine/record.js';
import type { Hex, Snapshot } from '../../engine/snapshot.js';
import { roundSeed } from '../../protocol/seed.js';
import { BenchMarket } from './benchMarket.js';
import type { MarketKind } from './benchMarket.js';
import { benchPolicies } from './benchPolicy.js';
import type { PolicyName } from './benchPolicy.js';
import type { RoundRecipe } from './benchTask.js';
import type { BenchThread } from './benchThreads.js';
import { ARRIVALS, runChurnedRounds } from './churnedRounds.js';
import { engineTotals } from './engineTotals.js';
import type { EngineReport, RoundFigures, WorkloadFigures } from './engineReport.js';
import { heldBytes } from './heldBytes.js';
import type { Judgement } from './judgeRecords.js';
import { packRecords } from './packedRecords.js';
import { isSameRecord } from './sameRecord.js';
import { sampleNaive, sampleScan } from './scanSample.js';
import type { BaselineSample } from './scanSample.js';
import type { Settings } from './settings.js';
import { timeRound, timeSingleOrders } from './timedRounds.js';
import type { TimedRound } from './timedRounds.js';
import { timeUpdates } from './timedUpdates.js';
import { compareWorkers } from './twoWorkers.js';
import { benchSnapshot, drawOrders } from './workload.js';
import type { Workload } from './workload.js';

/** What one kind of market at one size gave. */
export interface MarketKindFigures {
  readonly build: EngineReport['builds'][number];
  readonly workloads: readonly WorkloadFigures[];
  readonly rounds: readonly RoundFigures[];
}

/** Workloads whose rounds are measured on a changing market. */
const CHURNED = new Set(['uniform', 'skewed']);

/** A workload under a policy, before the market is updated. */
interface Case {
  readonly workload: Workload;
  readonly policyName: PolicyName;
  readonly policy: Policy;
  readonly orders: Snapshot['orders'];
  readonly before: TimedRound;
  readonly totals: Float64Array;
  readonly figures: Omit<
    WorkloadFigures,
    'reference' | 'afterUpdates' | 'updateMicroseconds' | 'indexBytesPerMachine' | 'heldBytesPerMachine'
  >;
}

/**
 * Measures the workloads of one kind of market at one size: first everything on the market as it is drawn, then the random updates and
 * what they do to the same rounds, at last rounds on a market that keeps changing.
 */
export async function benchMarketKind(
  kind: MarketKind,
  workloads: readonly Workload[],
  machineCount: number,
  settings: Settings,
  threads: readonly [BenchThread, BenchThread],
  log: (line: string) => void,
): Promise<MarketKindFigures> {
  const { seed: marketSeed, budgetMs } = settings;
  const isLargest = machineCount === settings.machines.at(-1);
  const known = benchPolicies(settings.orders);
  const policies = new Map([...known].filter(([name]) => settings.policies.includes(name)));
  const bench = new BenchMarket(kind, machineCount, marketSeed);
  const { market } = bench;
  const seed = roundSeed(benchSnapshot(market, []).snapshotHash, benchSnapshot(market, []).round);
  const ordersOf = new Map(workloads.map((workload) => [workload, drawOrders(workload, settings.orders, marketSeed)]));

  log(`${kind}, ${machineCount} machines: building the index`);
  const held = measureIndex(market, [...ordersOf.values()][0]!, known.get('scores')!, seed);
  const cases: Case[] = [];
  for (const [policyName, policy] of policies) {
    for (const workload of workloads) {
      log(`${kind}, ${machineCount} machines: ${workload.name} under ${policyName}`);
      const measured = measureCase(workload, policyName, policy, market, ordersOf.get(workload)!, seed, settings);
      const { ordersPerSecond, ratioToScan, scan } = measured.figures;
      log(
        `${Math.round(ordersPerSecond)} orders/s, ${Math.round(ratioToScan)} x the scan's ${scan.ordersPerSecond.toFixed(1)}`,
      );
      cases.push(measured);
    }
  }

  const judgements = new Map<Case, Judgement>();
  for (const one of cases) {
    log(`${kind}, ${machineCount} machines: judging ${one.workload.name} under ${one.policyName}`);
    const round = recipeOf(one.workload, machineCount, settings.orders, marketSeed);
    judgements.set(one, await judge(one, round, seed, settings, threads));
  }
  const workerFigures = new Map<Case, WorkloadFigures['workers']>();
  for (const one of cases) {
    if (!isLargest || one.policyName === 'scoresWithoutJitter') continue;
    log(`${kind}, ${machineCount} machines: one and two workers, ${one.workload.name} under ${one.policyName}`);
    const round = recipeOf(one.workload, machineCount, settings.workerOrders, marketSeed);
    workerFigures.set(one, await compareWorkers(threads, round, one.policy, seed, settings.runs));
  }

  const figures: WorkloadFigures[] = [];
  for (const [policyName, policy] of policies) {
    log(`${kind}, ${machineCount} machines: ${settings.updates} updates under ${policyName}`);
    // The index is made for one policy at a time: the updates must meet one that is built.
    const updateMicroseconds = timeUpdates(
      bench,
      benchSnapshot(market, cases[0]!.orders),
      policy,
      seed,
      settings.updates,
    );
    const copy = market.copy();
    for (const one of cases) {
      if (one.policyName !== policyName) continue;
      const after = timeRound(benchSnapshot(market, one.orders), policy, seed, settings.runs, budgetMs);
      const fresh = timeRound(benchSnapshot(copy, one.orders), policy, seed, settings.runs, budgetMs);
      const workers = workerFigures.get(one);
      figures.push({
        ...one.figures,
        reference: judgements.get(one)!,
        afterUpdates: {
          updates: settings.updates,
          overBefore: after.medianMs / one.before.medianMs,
          overFresh: after.medianMs / fresh.medianMs,
          equalToFresh: equalRecords(after.records, fresh.records),
        },
        updateMicroseconds,
        indexBytesPerMachine: held.indexBytes / machineCount,
        heldBytesPerMachine: held.heldBytes / machineCount,
        ...(workers === undefined ? {} : { workers }),
      });
    }
  }

  const rounds: RoundFigures[] = [];
  for (const { workload, policyName, policy } of cases) {
    if (!isLargest || !CHURNED.has(workload.name) || policyName === 'scoresWithoutJitter') continue;
    for (const arrival of ARRIVALS) {
      log(`${kind}, ${machineCount} machines: rounds of ${workload.name} under ${policyName}, changes ${arrival}`);
      const churned = runChurnedRounds(bench, workload, policy, {
        arrival,
        orders: settings.orders,
        seed: marketSeed,
        rounds: settings.churnedRounds,
        budgetMs: settings.churnedBudgetMs,
      });
      rounds.push({
        workload: workload.name,
        machines: machineCount,
        policy: policyName,
        ...churned,
        p99ShareOf250Ms: churned.p99Ms / 250,
      });
    }
  }
  return {
    build: {
      market: kind,
      machines: machineCount,
      milliseconds: held.buildMs,
      columnBytesPerMachine: columnBytes(market) / machineCount,
    },
    workloads: figures,
    rounds,
  };
}

function recipeOf(workload: Workload, machines: number, orders: number, seed: number): RoundRecipe {
  return { workload: workload.name, machines, orders, seed };
}

/** Time of the first call for a market, the index's own bytes, and what is held after a whole round that was not before. */
function measureIndex(
  market: Market,
  orders: Snapshot['orders'],
  policy: Policy,
  seed: Hex,
): { readonly buildMs: number; readonly indexBytes: number; readonly heldBytes: number } {
  const before = heldBytes();
  const start = performance.now();
  matchRound(benchSnapshot(market, orders.slice(0, 1)), policy, seed);
  const buildMs = performance.now() - start;
  matchRound(benchSnapshot(market, orders), policy, seed);
  const heldAfter = heldBytes();
  const snapshot = benchSnapshot(market, []);
  const indexBytes = IndexedMatcher.withRound(snapshot, policy, seed, ({ index }) => index.byteLength);
  return { buildMs, indexBytes, heldBytes: heldAfter - before };
}

function measureCase(
  workload: Workload,
  policyName: PolicyName,
  policy: Policy,
  market: Market,
  orders: Snapshot['orders'],
  seed: Hex,
  settings: Settings,
): Case {
  const snapshot = benchSnapshot(market, orders);
  const before = timeRound(snapshot, policy, seed, settings.runs, settings.budgetMs);
  const singleOrderMicroseconds = timeSingleOrders(snapshot, policy, seed, settings.budgetMs / 2);
  const scan = sampleScan(snapshot, policy, seed, before.records, settings.scanOrders, 3);
  const naive =
    policyName === 'scores' ? sampleNaive(snapshot, policy, seed, before.records, settings.naiveOrders) : undefined;
  const ordersPerSecond = (1000 * orders.length) / before.medianMs;
  return {
    workload,
    policyName,
    policy,
    orders,
    before,
    totals: engineTotals(snapshot, policy, seed),
    figures: {
      workload: workload.name,
      market: workload.market,
      machines: market.machineCount,
      policy: policyName,
      orders: orders.length,
      matches: before.records.length,
      ordersPerSecond,
      singleOrderMicroseconds,
      scan: baselineOf(scan),
      ratioToScan: (ordersPerSecond * scan.medianMsPerOrder) / 1000,
      ...(naive === undefined
        ? {}
        : { naive: baselineOf(naive), ratioToNaive: (ordersPerSecond * naive.medianMsPerOrder) / 1000 }),
    },
  };
}

function baselineOf({ medianMsPerOrder, orders, equal }: BaselineSample): WorkloadFigures['scan'] {
  return { ordersPerSecond: 1000 / medianMsPerOrder, orders, equal };
}

/** Judges the round by the reference, every other order in each of the two threads. */
async function judge(
  { before, totals, orders, policy, figures }: Case,
  round: RoundRecipe,
  seed: Hex,
  settings: Settings,
  threads: readonly [BenchThread, BenchThread],
): Promise<Judgement> {
  const isAll = figures.policy === 'scores' && figures.machines <= settings.judgeAllMachines;
  const step = isAll ? 1 : Math.max(1, Math.floor(orders.length / settings.judgedOrders));
  const records = packRecords(before.records);
  const parts = await Promise.all(
    threads.map((thread, place) =>
      thread.run({
        kind: 'judge',
        round,
        policy,
        seed,
        records,
        totals,
        from: place * step,
        step: step * threads.length,
      }),
    ),
  );
  return {
    judged: parts.reduce((sum, { judged }) => sum + judged, 0),
    equal: parts.reduce((sum, { equal }) => sum + equal, 0),
  };
}

function equalRecords(a: readonly MatchRecord[], b: readonly MatchRecord[]): boolean {
  return a.length === b.length && a.every((record, index) => isSameRecord(record, b[index]));
}

function columnBytes(market: Market): number {
  return Object.values(market).reduce<number>(
    (sum, column) => sum + (ArrayBuffer.isView(column) ? column.byteLength : 0),
    0,
  );
}
