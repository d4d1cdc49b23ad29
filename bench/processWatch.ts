import { execFileSync } from 'node:child_process';
import { slopeOf, type Point } from './leastSquares.js';

/** How a process fared while it was watched. */
export interface ProcessFigures {
  readonly rssMib: { readonly first: number; readonly last: number; readonly peak: number };
  /** Least squares over the samples after the first fifth of the time. */
  readonly rssMibPerMinute: number | null;
  /** Share of one core, percent. */
  readonly cpuPercent: number | null;
}

interface Sample {
  readonly atMs: number;
  readonly rssMib: number;
  readonly cpuSeconds: number;
}

const KIB_PER_MIB = 1_024;
const MS_PER_MINUTE = 60_000;
/** While a process fills its caches its memory says nothing. */
const SETTLING_SHARE = 0.2;

/** Samples memory and processor time of processes by name. */
export class ProcessWatch {
  readonly #pids: ReadonlyMap<string, number>;
  readonly #samples = new Map<string, Sample[]>();
  readonly #timer: NodeJS.Timeout;

  constructor(pids: ReadonlyMap<string, number>, intervalMs: number) {
    this.#pids = pids;
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), intervalMs);
  }

  /** Takes a last sample and tells what was seen of each process; one that ended is left out. */
  stop(): Record<string, ProcessFigures> {
    clearInterval(this.#timer);
    this.#sample();
    return Object.fromEntries([...this.#samples].map(([name, samples]) => [name, figuresOf(samples)]));
  }

  #sample(): void {
    const atMs = performance.now();
    const rows = processTable([...this.#pids.values()]);
    for (const [name, pid] of this.#pids) {
      const row = rows.get(pid);
      if (row === undefined) continue;
      const known = this.#samples.get(name) ?? [];
      known.push({ atMs, ...row });
      this.#samples.set(name, known);
    }
  }
}

function figuresOf(samples: readonly Sample[]): ProcessFigures {
  const [first, last] = [samples[0]!, samples.at(-1)!];
  const spanMs = last.atMs - first.atMs;
  const settled: Point[] = samples
    .filter(({ atMs }) => atMs - first.atMs >= SETTLING_SHARE * spanMs)
    .map(({ atMs, rssMib }) => ({ x: atMs / MS_PER_MINUTE, y: rssMib }));
  return {
    rssMib: { first: first.rssMib, last: last.rssMib, peak: Math.max(...samples.map(({ rssMib }) => rssMib)) },
    rssMibPerMinute: slopeOf(settled),
    cpuPercent: spanMs > 0 ? (100_000 * (last.cpuSeconds - first.cpuSeconds)) / spanMs : null,
  };
}

function processTable(pids: readonly number[]): Map<number, { rssMib: number; cpuSeconds: number }> {
  let text: string;
  try {
    text = execFileSync('ps', ['-o', 'pid=,rss=,time=', '-p', pids.join(',')], { encoding: 'utf8' });
  } catch {
    // None of them is there any more.
    return new Map();
  }
  return parseProcessTable(text);
}

/** Resident memory and processor time by process id, from `ps -o pid=,rss=,time=`. */
export function parseProcessTable(text: string): Map<number, { rssMib: number; cpuSeconds: number }> {
  const rows = new Map<number, { rssMib: number; cpuSeconds: number }>();
  for (const line of text.split('\n')) {
    const [pid, rss, time] = line.trim().split(/\s+/);
    if (pid === undefined || rss === undefined || time === undefined) continue;
    const [days, clock] = time.includes('-') ? time.split('-') : ['0', time];
    const seconds = (clock ?? '').split(':').reduce((sum, part) => 60 * sum + Number(part), 0);
    rows.set(Number(pid), { rssMib: Number(rss) / KIB_PER_MIB, cpuSeconds: 86_400 * Number(days) + seconds });
  }
  return rows;
}
