import { describe, expect, test } from '@jest/globals';
import { arrivalsOf } from './arrivals.js';
import type { WorkloadTask } from './parseWorkload.js';

function tasks(...milliGpu: number[]): WorkloadTask[] {
  return milliGpu.map((milli, index) => ({
    name: `task-${index}`,
    cpuMilli: 1000,
    memoryMib: 1024,
    milliGpu: milli,
    models: [],
  }));
}
const requested = (arrivals: readonly WorkloadTask[]): number => arrivals.reduce((sum, task) => sum + task.milliGpu, 0);

describe('arrivals', () => {
  const list = tasks(0, 0, 460, 500, 1000, 1000, 2000, 810);

  test('follow from the seed, not from the order of the file', () => {
    const once = arrivalsOf(list, 100_000, 1300, 7);
    expect(arrivalsOf(list.toReversed(), 100_000, 1300, 7)).toEqual(once);
    expect(arrivalsOf(list, 100_000, 1300, 8)).not.toEqual(once);
  });

  test('are each task once, then draws of all of them up to the load', () => {
    const arrivals = arrivalsOf(list, 100_000, 1300, 7);
    expect(new Set(arrivals.slice(0, list.length))).toEqual(new Set(list));
    expect(new Set(arrivals.slice(list.length))).toEqual(new Set(list));
    // The draw that ends it would pass the load with one device; one of two devices may pass it with its second.
    expect(requested(arrivals)).toBeGreaterThan(130_000 - 1000);
    expect(requested(arrivals)).toBeLessThanOrEqual(131_000);
  });

  test('lose drawn tasks down to the load', () => {
    const arrivals = arrivalsOf(list, 2000, 1000, 7);
    expect(requested(arrivals)).toBeLessThanOrEqual(2000);
    expect(list).toEqual(expect.arrayContaining(arrivals));
  });

  test('end where no task asks for a GPU', () => {
    expect(arrivalsOf(tasks(0, 0), 1000, 1300, 1)).toHaveLength(2);
  });
});
