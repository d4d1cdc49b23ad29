import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { requirePackingTerms } from '../packing.js';
import { derivePackingTerms, GENERIC_PACKING_TERMS } from './derivePackingTerms.js';
import type { PastOrder } from './derivePackingTerms.js';

// fast-check prints seed and path of a failing run; set FC_SEED to run the same cases again.
const parameters = { numRuns: 100, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) };

function orders(count: number, milliGpu: number, changes: Partial<PastOrder> = {}): PastOrder[] {
  return Array.from({ length: count }, () => ({ milliGpu, cpuMilli: 1000, memoryMib: 1024, models: [], ...changes }));
}

const pastOrder: fc.Arbitrary<PastOrder> = fc.record({
  milliGpu: fc.oneof(fc.integer({ min: 0, max: 999 }), fc.constantFrom(0, 230, 470, 810, 1000, 2000, 8000)),
  cpuMilli: fc.integer({ min: 0, max: 2 ** 20 - 1 }),
  memoryMib: fc.integer({ min: 0, max: 2 ** 24 - 1 }),
  models: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
});
const supply = fc.array(
  fc.record({ model: fc.integer({ min: 1, max: 40 }), milliGpu: fc.constantFrom(0, 1000, 8000) }),
  { maxLength: 60 },
);

describe('terms derived from past orders', () => {
  test('value a device by the shares ordered, a wholly free one 3 % more', () => {
    // A 700 and a 300 fill a bin; there are more 300s, so that three of them set the price: a third, and two thirds for the 700.
    const { terms, shareSizes } = derivePackingTerms([...orders(10, 700), ...orders(40, 300)], []);
    expect(terms.fromMilli).toEqual([300, 600, 900, 1000]);
    expect(terms.value).toEqual([323, 647, 970, 1000]);
    expect(shareSizes).toEqual([
      { milliGpu: 700, orders: 10, worthBps: 6667 },
      { milliGpu: 300, orders: 40, worthBps: 3333 },
    ]);
  });

  test('let the cpu and memory beside whole devices serve their value', () => {
    const past = [
      ...orders(1, 1000, { cpuMilli: 10_000, memoryMib: 30_000 }),
      ...orders(1, 2000, { cpuMilli: 20_000, memoryMib: 90_000 }),
      ...orders(50, 0, { cpuMilli: 500_000 }),
      ...orders(50, 500, { cpuMilli: 1 }),
    ];
    // 3 devices of 1000 by 30,000 milli and by 120,000 MiB: 65536 x 3000 / 30000 = 6553.6 and 65536 x 3000 / 120000 = 1638.4.
    expect(derivePackingTerms(past, []).terms).toMatchObject({ cpuRate: 6554, memoryRate: 1638 });
  });

  test('take the cpu and memory beside shares where no whole device was ordered', () => {
    const { terms } = derivePackingTerms(orders(4, 500, { cpuMilli: 5000, memoryMib: 16_384 }), []);
    expect(terms).toMatchObject({ cpuRate: 6554, memoryRate: 2000 });
  });

  test('are the generic ones where there is no past, and generic in what it does not show', () => {
    expect(derivePackingTerms([], []).terms).toEqual(GENERIC_PACKING_TERMS);
    const { terms } = derivePackingTerms(orders(3, 1000), []);
    expect(terms.fromMilli).toEqual(GENERIC_PACKING_TERMS.fromMilli);
    expect(terms.value).toEqual(GENERIC_PACKING_TERMS.value);
  });

  test('value models that orders naming models would keep busy above the others', () => {
    const machines = [
      { model: 1, milliGpu: 8000 },
      { model: 1, milliGpu: 8000 },
      { model: 2, milliGpu: 8000 },
      { model: 3, milliGpu: 8000 },
      { model: 9, milliGpu: 0 },
    ];
    const past = [...orders(12, 1000), ...orders(3, 1000, { models: [3] }), ...orders(1, 1000, { models: [2, 2, 3] })];
    const { terms, models } = derivePackingTerms(past, machines);
    // Of 16 devices ordered 3 named model 3, a quarter of what is installed: 3/16 / (8/32) = 3/4, and 1/16 / (16/32) = 1/8 for each of 2 and 3.
    expect(models).toEqual([
      { model: 1, askedBy1024: 0 },
      { model: 2, askedBy1024: 128 },
      { model: 3, askedBy1024: 896 },
    ]);
    // Model 3 is worth 1024 + 896 - 512 = 1408; others 1024 of that: 744.7.
    expect(terms.models).toEqual([1, 2]);
    expect(terms.modelFactor).toEqual([744, 744]);
  });

  test('hold at most sixteen steps and thirty-two models, whatever was ordered, and equal orders give equal terms', () => {
    let fullest = 0;
    fc.assert(
      fc.property(fc.array(pastOrder, { maxLength: 120 }), supply, (past, machines) => {
        const { terms } = derivePackingTerms(past, machines);
        requirePackingTerms(terms);
        fullest = Math.max(fullest, terms.fromMilli.length);
        expect(derivePackingTerms(past.toReversed(), machines.toReversed()).terms).toEqual(terms);
      }),
      parameters,
    );
    expect(fullest).toBe(16);
  });
});
