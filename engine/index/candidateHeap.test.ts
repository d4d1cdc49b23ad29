import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { CandidateHeap } from './candidateHeap.js';

test('gives entries back by descending key, each with its own owner and item', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 400 }), (keys) => {
      const heap = new CandidateHeap();
      keys.forEach((key, index) => heap.push(key, index, 1000 + index));
      const popped: number[] = [];
      while (heap.count > 0) {
        heap.pop();
        const owner = heap.owners[heap.count]!;
        expect(keys[owner]).toBe(heap.keys[heap.count]);
        expect(heap.items[heap.count]).toBe(1000 + owner);
        popped.push(heap.keys[heap.count]!);
      }
      expect(popped).toEqual(keys.toSorted((a, b) => b - a));
    }),
  );
});
