import { expect, test } from '@jest/globals';

import { inParallel } from './inParallel.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('keeps the order of the items and never runs more than the limit at once', async () => {
  let running = 0;
  let most = 0;
  const results = await inParallel([5, 1, 4, 2, 3], 2, async (item, index) => {
    most = Math.max(most, ++running);
    for (let turns = 0; turns < item; turns++) await turn();
    running--;
    return `${index}:${item}`;
  });
  expect(results).toEqual(['0:5', '1:1', '2:4', '3:2', '4:3']);
  expect(most).toBe(2);
});

test('begins nothing after a failure and rejects with it', async () => {
  const begun: number[] = [];
  const run = inParallel([1, 2, 3, 4], 1, async (item) => {
    begun.push(item);
    await turn();
    if (item === 2) throw new Error('two');
  });
  await expect(run).rejects.toThrow('two');
  expect(begun).toEqual([1, 2]);
});

test('has nothing to do without items', async () => {
  expect(await inParallel([], 3, () => Promise.reject(new Error('never')))).toEqual([]);
});
