import { describe, expect, test } from '@jest/globals';
import { benchEngine } from './benchEngine.js';
import { sameThread } from './benchThreads.js';
import { ARRIVALS } from './churnedRounds.js';
import { failuresOf, reportTables } from './engineReport.js';
import type { EngineReport } from './engineReport.js';
import { parseSettings } from './settings.js';
import { WORKLOADS } from './workload.js';

const TINY = {
  ...parseSettings(['--quick', '--machines', '900,300', '--orders', '60', '--seed', '3']),
  runs: 1,
  budgetMs: 20,
  scanOrders: 20,
  updates: 40,
  judgeAllMachines: 300,
  judgedOrders: 20,
  workerOrders: 60,
  churnedRounds: 3,
};

describe('the benchmark of the engine', () => {
  let report: EngineReport;

  test('runs every workload at every size and finds every match equal to those of all other matchers', async () => {
    report = await benchEngine(TINY, [sameThread(), sameThread()], () => {});
    expect(report.failures).toEqual([]);
    for (const { name } of WORKLOADS) {
      for (const machines of [300, 900]) {
        const [scores, ...others] = report.workloads.filter(
          (figures) => figures.workload === name && figures.machines === machines,
        );
        expect(scores).toMatchObject({
          policy: 'scores',
          orders: 60,
          scan: { orders: 20, equal: 20 },
          naive: { orders: 3, equal: 3 },
          reference: machines === 300 ? { judged: 60, equal: 60 } : { judged: 20, equal: 20 },
          afterUpdates: { updates: 40, equalToFresh: true },
        });
        expect(scores!.workers).toEqual(machines === 300 ? undefined : expect.objectContaining({ sameHash: true }));
        expect(others.length).toBeGreaterThan(0);
        for (const figure of [
          scores!.ordersPerSecond,
          scores!.ratioToScan,
          scores!.ratioToNaive,
          scores!.indexBytesPerMachine,
        ]) {
          expect(figure).toBeGreaterThan(0);
        }
      }
    }
    expect(report.workloads.some(({ workers }) => (workers?.shards ?? 0) > 1)).toBe(true);
    expect(report.workloads.some(({ matches }) => matches > 30)).toBe(true);
    expect(report.growth).toHaveLength(report.workloads.length / 2);
    for (const arrival of ARRIVALS) {
      const rounds = report.rounds.filter((figures) => figures.arrival === arrival);
      expect(new Set(rounds.map(({ workload }) => workload))).toEqual(new Set(['uniform', 'skewed']));
    }
    for (const { rounds, matchesPerRound } of report.rounds) {
      expect(rounds).toBe(2);
      expect(matchesPerRound).toBeGreaterThan(0);
    }
  });

  test('shows a row for every figure', () => {
    const tables = reportTables(report);
    for (const { name } of WORKLOADS) expect(tables.split(`\n| ${name} |`).length).toBeGreaterThan(2);
    expect(tables.match(/^### (?:Rounds of 512|The same, changes spread)/gm)).toHaveLength(2);
    expect(tables.split('| uniform | default |')).toHaveLength(3);
  });

  test('names a comparison that fails', () => {
    const [good] = report.workloads;
    expect(failuresOf(good!)).toEqual([]);
    expect(failuresOf({ ...good!, reference: { judged: 60, equal: 59 } })).toEqual([
      'uniform, 300 machines, policy scores: 59 of 60 equal to the reference',
    ]);
    expect(failuresOf({ ...good!, scan: { ...good!.scan, equal: 0 } })).toHaveLength(1);
    expect(failuresOf({ ...good!, naive: { ...good!.scan, equal: 0 } })).toHaveLength(1);
    expect(failuresOf({ ...good!, afterUpdates: { ...good!.afterUpdates, equalToFresh: false } })).toHaveLength(1);
  });
});

describe('the settings of the benchmark', () => {
  test('come from the flags', () => {
    expect(
      parseSettings(['--machines', '2000,50', '--workload', 'skewed,identical', '--policy', 'default', '--json']),
    ).toMatchObject({
      machines: [50, 2000],
      orders: 10_000,
      workloads: ['skewed', 'identical'],
      policies: ['default'],
      seed: 1,
      json: true,
    });
  });

  test.each([
    [['--machines', 'many'], '--machines is many'],
    [['--orders', '0'], '--orders is 0'],
    [['--workload', 'none'], 'no workload is called none'],
    [['--policy', 'none'], 'no policy is called none'],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j is refused', (args, message) => {
    expect(() => parseSettings(args)).toThrow(message);
  });
});
