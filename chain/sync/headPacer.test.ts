import { expect, test } from '@jest/globals';
import { HeadPacer } from './headPacer.js';

/** Follows blocks that are there from `times` on (ascending, milliseconds); returns for each block how late it was seen, and the looks made. */
function follow(
  times: readonly number[],
  options: { pollIntervalMs: number; blockTimeMs?: number },
): { lateMs: number[]; looks: number } {
  let now = 0;
  const pacer = new HeadPacer(options, { monotonicMs: () => now });
  const lateMs: number[] = [];
  let looks = 0;
  while (lateMs.length < times.length) {
    const newest = times.filter((time) => time <= now).length;
    pacer.saw(newest);
    looks++;
    for (let block = lateMs.length; block < newest; block++) lateMs.push(now - times[block]!);
    // A timer never fires early, and a look takes its time.
    now += Math.ceil(pacer.pauseMs()) + 1;
  }
  return { lateMs, looks };
}

function every(spacingMs: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => 1_000 + index * spacingMs);
}

test('blocks that come evenly are seen within a thirty-second of the block time, with few looks', () => {
  const { lateMs, looks } = follow(every(250, 400), { pollIntervalMs: 62, blockTimeMs: 250 });
  // The first ones find the phase.
  for (const late of lateMs.slice(40)) expect(late).toBeLessThanOrEqual(10);
  expect(looks).toBeLessThan(2.3 * 400);
});

test('without a block time looks come at the same pause', () => {
  const { lateMs } = follow(every(250, 100), { pollIntervalMs: 62 });
  expect(Math.max(...lateMs)).toBeGreaterThan(50);
  expect(Math.max(...lateMs)).toBeLessThanOrEqual(64);
});

test('a block that is late is seen soon, and so are those after it', () => {
  const times = every(250, 40).map((time, index) => (index >= 20 ? time + 137 : time));
  const { lateMs } = follow(times, { pollIntervalMs: 62, blockTimeMs: 250 });
  expect(lateMs[20]).toBeLessThanOrEqual(64);
  for (const late of lateMs.slice(30)) expect(late).toBeLessThanOrEqual(10);
});

test('after a long silence no pause is longer than the poll interval', () => {
  const { lateMs } = follow([...every(250, 10), 60_000, 60_250, 60_500], { pollIntervalMs: 62, blockTimeMs: 250 });
  expect(lateMs[10]).toBeLessThanOrEqual(64);
});

test('blocks that come faster than told are seen before two more have come', () => {
  const { lateMs } = follow(every(100, 200), { pollIntervalMs: 62, blockTimeMs: 2_000 });
  // The first ones teach the pace.
  for (const late of lateMs.slice(40)) expect(late).toBeLessThan(200);
});

test('a chain that was reorganised to a lower block counts as one that moved', () => {
  let now = 0;
  const pacer = new HeadPacer({ pollIntervalMs: 62, blockTimeMs: 250 }, { monotonicMs: () => now });
  pacer.saw(10);
  now += 250;
  pacer.saw(8);
  expect(pacer.pauseMs()).toBeGreaterThan(62);
  now += 250;
  pacer.saw(8);
  expect(pacer.pauseMs()).toBeLessThan(10);
});
