import { expect, test } from '@jest/globals';
import { parseProcessTable, ProcessWatch } from './processWatch.js';

test('memory and processor time are read from the table of processes', () => {
  const rows = parseProcessTable('   12  2048 00:01:05\n  999 1536 2-03:00:01\n');
  expect(rows.get(12)).toEqual({ rssMib: 2, cpuSeconds: 65 });
  expect(rows.get(999)).toEqual({ rssMib: 1.5, cpuSeconds: 2 * 86_400 + 3 * 3_600 + 1 });
  expect(rows.size).toBe(2);
});

test('a process is told by its name, one that is not there is left out', () => {
  const watch = new ProcessWatch(
    new Map([
      ['this', process.pid],
      ['none', 2 ** 22 + 1],
    ]),
    1_000,
  );
  const figures = watch.stop();
  expect(Object.keys(figures)).toEqual(['this']);
  expect(figures['this']!.rssMib.peak).toBeGreaterThan(1);
});
