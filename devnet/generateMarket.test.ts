import { describe, expect, it } from '@jest/globals';
import { validateOrderSpec } from '../protocol/orderSpec.js';
import { generateMarket } from './generateMarket.js';

describe('generateMarket', () => {
  it('is the same market for the same seed and another for another', () => {
    const size = { providers: 5, orders: 40 };
    expect(generateMarket({ ...size, seed: 7 })).toEqual(generateMarket({ ...size, seed: 7 }));
    expect(generateMarket({ ...size, seed: 7 })).not.toEqual(generateMarket({ ...size, seed: 8 }));
  });

  it('varies price, stake, compliance, region, tier and hardware', () => {
    const { providers, machines } = generateMarket({ providers: 12, orders: 1, seed: 1 });
    expect(new Set(providers.map(({ tier }) => tier)).size).toBeGreaterThan(3);
    expect(new Set(providers.map(({ extraStakeWhole }) => extraStakeWhole)).size).toBeGreaterThan(3);
    expect(new Set(providers.map(({ reports }) => reports.length)).size).toBeGreaterThan(1);
    expect(new Set(machines.map(({ spec }) => spec.region)).size).toBeGreaterThan(3);
    expect(new Set(machines.map(({ spec }) => spec.model)).size).toBeGreaterThan(3);
    expect(
      new Set(machines.flatMap(({ offers }) => offers.map(({ gpuMicroPerHour }) => gpuMicroPerHour))).size,
    ).toBeGreaterThan(3);
    expect(machines.some(({ spec }) => spec.model === 0)).toBe(true);
  });

  it('asks for nothing that createOrder would refuse', () => {
    const { orders } = generateMarket({ providers: 9, orders: 2_000, seed: 3 });
    for (const { spec } of orders)
      expect(() =>
        validateOrderSpec({ ...spec, providersExcluded: spec.providersExcluded.map((index) => index + 1) }),
      ).not.toThrow();
    expect(orders.some(({ spec }) => spec.milliGpu === 0)).toBe(true);
    expect(orders.some(({ spec }) => spec.milliGpu > 0 && spec.milliGpu < 1_000)).toBe(true);
    expect(orders.some(({ spec }) => spec.milliGpu >= 2_000)).toBe(true);
  });

  it('registers no machine with GPUs of no model or a model without GPUs', () => {
    const { machines } = generateMarket({ providers: 30, orders: 0, seed: 4 });
    for (const { spec } of machines) expect(spec.model === 0).toBe(spec.deviceCount === 0);
  });
});
