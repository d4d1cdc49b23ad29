import { expect, test } from '@jest/globals';

import { FairQueue } from './fairQueue.js';

function drained<Item>(queue: FairQueue<Item>): Item[] {
  const items: Item[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) items.push(item);
  return items;
}

test('sources take turns, each in its own order', () => {
  const queue = new FairQueue<string>({ limit: 10 });
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) expect(queue.push(item[0] ?? '', item)).toBeUndefined();
  expect(queue.size).toBe(6);
  expect(drained(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  expect(queue.size).toBe(0);
});

test('a full queue takes the newest of the longest lane for whoever has less', () => {
  const queue = new FairQueue<string>({ limit: 4 });
  for (let i = 1; i <= 4; i++) queue.push('flood', `f${i}`);
  expect(queue.push('flood', 'f5')).toBe('f5');
  expect(queue.push('honest', 'h1')).toBe('f4');
  expect(queue.push('honest', 'h2')).toBe('f3');
  // Two each: nobody has to give way for a third.
  expect(queue.push('honest', 'h3')).toBe('h3');
  expect(queue.size).toBe(4);
  expect(drained(queue)).toEqual(['f1', 'h1', 'f2', 'h2']);
});

test('as many sources as there is room leave none for one more', () => {
  const queue = new FairQueue<string>({ limit: 2 });
  queue.push('a', 'a1');
  queue.push('b', 'b1');
  expect(queue.push('c', 'c1')).toBe('c1');
});
