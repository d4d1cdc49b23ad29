import { SCALE } from './policy.js';

/** Region ids with equal upper bits lie in one group. */
const REGION_GROUP_BITS = 5;

/** Region ids run from 0 to 1023. */
export const REGIONS = 1024;

/** Price component: (max - price) x S / max, floored; `price` is at most `maxPrice`, both in micro-units per hour. */
export function priceScore(maxPrice: number, price: number): number {
  return Math.floor(((maxPrice - price) * SCALE) / maxPrice);
}

/** Stake component: min(S, stake x S / saturation), floored; both in whole tokens. */
export function stakeScore(stakeWhole: number, saturationWhole: number): number {
  return Math.min(SCALE, Math.floor((stakeWhole * SCALE) / saturationWhole));
}

/**
 * Fit component: need x S / free of the dominant resource, floored: milli-GPU over all devices for an order with GPU, else cpu-milli;
 * an order without GPU on a machine with GPU (model other than 0) scores 0.
 */
export function fitScore(
  milliGpu: number,
  cpuMilli: number,
  model: number,
  freeMilliGpuTotal: number,
  freeCpuMilli: number,
): number {
  if (milliGpu > 0) return Math.floor((milliGpu * SCALE) / freeMilliGpuTotal);
  if (model !== 0) return 0;
  return Math.floor((cpuMilli * SCALE) / freeCpuMilli);
}

/** Region component by region id: S when listed or nothing is, S/2 when a listed region is of the same group, else 0. */
export function regionScoresOf(regions: readonly number[]): Uint16Array {
  const scores = new Uint16Array(REGIONS);
  if (regions.length === 0) return scores.fill(SCALE);
  for (const region of regions) {
    const first = (region >> REGION_GROUP_BITS) << REGION_GROUP_BITS;
    scores.fill(SCALE / 2, first, first + (1 << REGION_GROUP_BITS));
  }
  for (const region of regions) scores[region] = SCALE;
  return scores;
}
