import { expect, test } from '@jest/globals';
import { crowdedRound } from '../reference/crowdedRound.js';
import { PLAIN_POLICY } from '../reference/plainRound.js';
import { clearLeastPrices, lowerLeastPrices } from './leastPrices.js';
import { MarketIndex } from './marketIndex.js';

const PRICES = { gpuPrice: 400, corePrice: 20, memoryPrice: 8, storagePrice: 4 };

test('keeps the least of each price, and of each over the reference price', () => {
  const { buckets } = new MarketIndex(crowdedRound(3, false).snapshot, PLAIN_POLICY);
  const bucket = buckets[0]!;
  clearLeastPrices(bucket);
  lowerLeastPrices(bucket, 800, PRICES);
  lowerLeastPrices(bucket, 200, { gpuPrice: 50, corePrice: 10, memoryPrice: 16, storagePrice: 1 });
  expect(bucket).toMatchObject({
    leastMemory: 8,
    leastStorage: 1,
    leastGpuRatio: 0.25,
    leastCoreRatio: 0.025,
    leastMemoryRatio: 0.01,
    leastStorageRatio: 0.005,
    mostCoreRatio: 0.05,
    mostMemoryRatio: 0.08,
  });
  lowerLeastPrices(bucket, 0, { gpuPrice: 0, corePrice: 0, memoryPrice: 16, storagePrice: 16 });
  expect(bucket).toMatchObject({ leastGpuRatio: 0, leastMemoryRatio: 0, leastMemory: 8 });
});
