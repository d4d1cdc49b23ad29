import { describe, expect, test } from '@jest/globals';
import { OrderFieldInvalidError, orderFrom, OrderSpecMismatchError, validateOrderSpec } from './orderSpec.js';
import type { OrderSpec } from './orderSpec.js';
import { encodeLeaseWord, encodeOpenOrderWord, NO_ROUND, OrderState } from './words/orderWord.js';
import type { OpenOrderFields } from './words/orderWord.js';

const spec: OrderSpec = {
  milliGpu: 1000,
  cpuMilli: 4000,
  memoryMib: 8192,
  storageGib: 10,
  models: [5],
  regions: [33],
  regionsExcluded: [],
  providersWanted: [],
  providersExcluded: [7],
  tiers: 0b110,
  attributes: 1n,
  regionRequired: true,
  minUptimeBps: 9000,
  minReputationBps: 100,
  maxSlashes: 2,
  tokenId: 1,
  maxPriceMicroPerHour: 2_000_000,
  durationMinutes: 60,
};

const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];

describe('validateOrderSpec', () => {
  test.each<[keyof OrderSpec, Partial<OrderSpec>]>([
    ['milliGpu', { milliGpu: 1001 }],
    ['milliGpu', { milliGpu: 1500 }],
    ['milliGpu', { milliGpu: 9000 }],
    ['milliGpu', { milliGpu: -1 }],
    ['cpuMilli', { cpuMilli: 0 }],
    ['cpuMilli', { cpuMilli: 2 ** 20 }],
    ['memoryMib', { memoryMib: 2 ** 24 }],
    ['storageGib', { storageGib: 2 ** 20 }],
    ['models', { milliGpu: 0 }],
    ['models', { models: [0] }],
    ['models', { models: [1024] }],
    ['models', { models: nine }],
    ['regions', { regions: [1024] }],
    ['regions', { regions: nine }],
    ['regionsExcluded', { regionsExcluded: [-1] }],
    ['providersWanted', { providersWanted: [0] }],
    ['providersWanted', { providersWanted: nine }],
    ['providersExcluded', { providersExcluded: [2 ** 24] }],
    ['tiers', { tiers: 128 }],
    ['attributes', { attributes: 1n << 54n }],
    ['attributes', { attributes: -1n }],
    ['minUptimeBps', { minUptimeBps: 10_001 }],
    ['minReputationBps', { minReputationBps: 10_001 }],
    ['maxSlashes', { maxSlashes: 256 }],
    ['tokenId', { tokenId: 0 }],
    ['maxPriceMicroPerHour', { maxPriceMicroPerHour: 0 }],
    ['maxPriceMicroPerHour', { maxPriceMicroPerHour: 2 ** 39 }],
    ['durationMinutes', { durationMinutes: 0 }],
    ['durationMinutes', { durationMinutes: 0.5 }],
  ])('names %s in %o', (field, changes) => {
    expect(() => validateOrderSpec({ ...spec, ...changes })).toThrow(
      expect.objectContaining({ code: 'ORDER_FIELD_INVALID', field }),
    );
    expect(() => validateOrderSpec({ ...spec, ...changes })).toThrow(OrderFieldInvalidError);
  });

  test.each<Partial<OrderSpec>>([
    {},
    { milliGpu: 999 },
    { milliGpu: 8000 },
    { milliGpu: 0, models: [] },
    { cpuMilli: 1, memoryMib: 0, storageGib: 0 },
    { cpuMilli: 2 ** 20 - 1, memoryMib: 2 ** 24 - 1, storageGib: 2 ** 20 - 1 },
    { regions: [0, 1023], models: [1, 1023], providersWanted: [0xff_ffff] },
    { tiers: 127, attributes: (1n << 54n) - 1n, maxPriceMicroPerHour: 2 ** 39 - 1 },
  ])('accepts %o', (changes) => {
    expect(() => validateOrderSpec({ ...spec, ...changes })).not.toThrow();
  });
});

describe('orderFrom', () => {
  const open: OpenOrderFields = {
    untilRound: NO_ROUND,
    eligibleFromBlock: 12,
    maxPriceMicroPerHour: spec.maxPriceMicroPerHour,
    bidCount: 3,
    milliGpu: spec.milliGpu,
    cpuMilli: spec.cpuMilli,
    memoryMib: spec.memoryMib,
    storageGib: spec.storageGib,
    state: OrderState.OPEN,
    tokenId: spec.tokenId,
    expiresAtSeconds: 999,
  };

  test('joins word and spec', () => {
    expect(orderFrom(4, encodeOpenOrderWord(open), spec)).toEqual({
      ...spec,
      orderId: 4,
      isOpen: true,
      untilRound: NO_ROUND,
      eligibleFromBlock: 12,
      expiresAtSeconds: 999,
    });
  });

  test('a refunded order and a lease are not open', () => {
    const refunded = encodeOpenOrderWord({ ...open, state: OrderState.CLOSED });
    const lease = encodeLeaseWord({
      ...spec,
      matchedAtSeconds: 5,
      machineId: 6,
      priceMicroPerHour: 7,
      deviceMask: 1,
      state: OrderState.MATCHED,
      fromBid: false,
      offerIndex: 0,
      providerId: 8,
    });
    expect(orderFrom(4, refunded, spec).isOpen).toBe(false);
    expect(orderFrom(4, lease, spec).isOpen).toBe(false);
  });

  test.each(['milliGpu', 'cpuMilli', 'memoryMib', 'storageGib', 'tokenId', 'maxPriceMicroPerHour'] as const)(
    'refuses a word that differs in %s',
    (field) => {
      const word = encodeOpenOrderWord({ ...open, [field]: open[field] + 1 });
      expect(() => orderFrom(4, word, spec)).toThrow(OrderSpecMismatchError);
    },
  );
});
