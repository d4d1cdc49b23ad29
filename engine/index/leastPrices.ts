import type { Bucket } from './bucket.js';
import type { UnitPrices } from './rowTable.js';

/** Forgets a bucket's least prices, as when it has no rows. */
export function clearLeastPrices(bucket: Bucket): void {
  bucket.leastMemory = Infinity;
  bucket.leastStorage = Infinity;
  bucket.leastGpuRatio = Infinity;
  bucket.leastCoreRatio = Infinity;
  bucket.leastMemoryRatio = Infinity;
  bucket.leastStorageRatio = Infinity;
  bucket.mostCoreRatio = 0;
  bucket.mostMemoryRatio = 0;
}

/**
 * Whether a bucket's least prices bound a machine's exact prices, and its most ratios the prices that the machine's row keeps, whose
 * reference price is given.
 */
export function boundsPrices(bucket: Bucket, referencePrice: number, exact: UnitPrices, kept: UnitPrices): boolean {
  const inverse = referencePrice === 0 ? 0 : 1 / referencePrice;
  return (
    bucket.leastMemory <= exact.memoryPrice &&
    bucket.leastStorage <= exact.storagePrice &&
    bucket.leastGpuRatio <= exact.gpuPrice * inverse &&
    bucket.leastCoreRatio <= exact.corePrice * inverse &&
    bucket.leastMemoryRatio <= exact.memoryPrice * inverse &&
    bucket.leastStorageRatio <= exact.storagePrice * inverse &&
    bucket.mostCoreRatio >= kept.corePrice * inverse &&
    bucket.mostMemoryRatio >= kept.memoryPrice * inverse
  );
}

/** Lowers a bucket's least prices to those of a row: its reference price as rows keep it, its prices exact or lower. */
export function lowerLeastPrices(bucket: Bucket, referencePrice: number, prices: UnitPrices): void {
  const { gpuPrice, corePrice, memoryPrice, storagePrice } = prices;
  const inverse = referencePrice === 0 ? 0 : 1 / referencePrice;
  bucket.leastMemory = Math.min(bucket.leastMemory, memoryPrice);
  bucket.leastStorage = Math.min(bucket.leastStorage, storagePrice);
  bucket.leastGpuRatio = Math.min(bucket.leastGpuRatio, gpuPrice * inverse);
  bucket.leastCoreRatio = Math.min(bucket.leastCoreRatio, corePrice * inverse);
  bucket.leastMemoryRatio = Math.min(bucket.leastMemoryRatio, memoryPrice * inverse);
  bucket.leastStorageRatio = Math.min(bucket.leastStorageRatio, storagePrice * inverse);
  bucket.mostCoreRatio = Math.max(bucket.mostCoreRatio, corePrice * inverse);
  bucket.mostMemoryRatio = Math.max(bucket.mostMemoryRatio, memoryPrice * inverse);
}
