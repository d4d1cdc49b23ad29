import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from './random.js';

describe('SeededRandom', () => {
  it('repeats itself for the same seed only', () => {
    const stream = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 20 }, () => random.below(1_000_000));
    };
    expect(stream(1)).toEqual(stream(1));
    expect(stream(1)).not.toEqual(stream(2));
  });

  it('reaches both ends of a range and never leaves it', () => {
    const random = new SeededRandom(3);
    const values = Array.from({ length: 500 }, () => random.between(2, 5));
    expect(new Set(values)).toEqual(new Set([2, 3, 4, 5]));
  });

  it('samples different items in their order', () => {
    const random = new SeededRandom(4);
    const items = ['a', 'b', 'c', 'd', 'e'];
    for (let run = 0; run < 50; run++) {
      const sample = random.sample(items, 3);
      expect(new Set(sample).size).toBe(3);
      expect([...sample].sort()).toEqual(sample);
    }
    expect(random.sample(items, 9)).toEqual(items);
  });
});
