import { readFileSync } from 'node:fs';

/** When an aggregator did what for a round, milliseconds since 1970. */
export interface RoundTimes {
  quorumMs?: number;
  sentMs?: number;
  receiptMs?: number;
}

interface LogLine {
  readonly time?: string;
  readonly event?: string;
  readonly round?: number;
  readonly kind?: string;
  readonly label?: string;
}

/** Reads from an aggregator's log when each round had its quorum, its transaction sent, and its receipt. */
export function readRoundTimes(logFile: string): Map<number, RoundTimes> {
  return roundTimesIn(readFileSync(logFile, 'utf8'));
}

/** Round times in the text of an aggregator's log; lines that are no events are passed over. */
export function roundTimesIn(text: string): Map<number, RoundTimes> {
  const times = new Map<number, RoundTimes>();
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue;
    const { time, event, round, kind, label }: LogLine = JSON.parse(line);
    const atMs = Date.parse(time ?? '');
    const of = (key: number): RoundTimes => {
      const known = times.get(key) ?? {};
      times.set(key, known);
      return known;
    };
    if (event === 'quorum_reached' && round !== undefined) of(round).quorumMs ??= atMs;
    if (event === 'settlement_mined' && round !== undefined) of(round).receiptMs ??= atMs;
    const settled = event === 'transaction' && kind === 'sent' ? /^settle round (\d+)$/.exec(label ?? '') : null;
    if (settled !== null) of(Number(settled[1])).sentMs ??= atMs;
  }
  return times;
}
