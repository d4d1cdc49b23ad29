import type { Policy } from '../../engine/policy.js';

/** A policy under version 2 of the rules: a part of the price's weight goes to packing, by terms like those of a real market. */
export function withPacking(policy: Policy): Policy {
  return {
    ...policy,
    rulesVersion: 2,
    weightPriceBps: policy.weightPriceBps - 1000,
    weightPackingBps: 1000,
    packing: {
      fromMilli: [200, 500, 1000],
      value: [30, 400, 1000],
      deviceWeight: 32,
      cpuWeight: 32,
      memoryWeight: 2,
      cpuRate: 5120,
      memoryRate: 2048,
      models: [1],
      modelFactor: [1000],
    },
  };
}
