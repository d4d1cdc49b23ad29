import { cpus } from 'node:os';
import { benchMarketKind } from './benchMarketKind.js';
import type { MarketKindFigures } from './benchMarketKind.js';
import type { BenchThread } from './benchThreads.js';
import { failuresOf, growthOf } from './engineReport.js';
import type { EngineReport } from './engineReport.js';
import type { Settings } from './settings.js';
import { WORKLOADS } from './workload.js';

/** Measures the wanted workloads at every size, the smallest first. Writes what it is at to `log`. */
export async function benchEngine(
  settings: Settings,
  threads: readonly [BenchThread, BenchThread],
  log: (line: string) => void,
): Promise<EngineReport> {
  const start = performance.now();
  const wanted = WORKLOADS.filter(({ name }) => settings.workloads.includes(name));
  const results: MarketKindFigures[] = [];
  for (const machines of settings.machines) {
    for (const kind of new Set(wanted.map(({ market }) => market))) {
      const workloads = wanted.filter(({ market }) => market === kind);
      results.push(await benchMarketKind(kind, workloads, machines, settings, threads, log));
    }
  }
  const workloads = results.flatMap((result) => result.workloads);
  return {
    date: new Date().toISOString().slice(0, 10),
    seed: settings.seed,
    cpu: cpus()[0]?.model ?? 'unknown CPU',
    cores: cpus().length,
    node: process.versions.node,
    seconds: (performance.now() - start) / 1000,
    builds: results.map(({ build }) => build),
    workloads,
    growth: growthOf(workloads),
    rounds: results.flatMap(({ rounds }) => rounds),
    failures: workloads.flatMap(failuresOf),
  };
}
