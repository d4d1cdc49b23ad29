import { SeededRandom } from '../../devnet/random.js';
import type { Market } from '../../engine/market.js';
import type { Order } from '../../engine/order.js';
import { priceAt } from '../../engine/price.js';
import type { Snapshot } from '../../engine/snapshot.js';
import {
  ATTRIBUTE_BITS,
  drawIndex,
  listPrices,
  MODELS,
  NEVER,
  regionId,
  REGIONS,
  ROUND,
  TODAY,
  TOKEN,
} from './benchMarket.js';
import type { MarketKind } from './benchMarket.js';

/** What the orders of a benchmark ask for, on which kind of market. */
export interface Workload {
  readonly name: string;
  readonly market: MarketKind;
  /** Which model and region an order names: by the market's own distribution, one bucket for all, or no region. */
  readonly target: 'asMarket' | 'smallBucket' | 'bigBucket' | 'anyRegion';
  /** Bits that every order requires of the provider; undefined for one or two bits in a quarter of the orders. */
  readonly attributeBits?: number;
  /** Highest price over the list price, in thousandths. */
  readonly maxPricePermille: readonly [least: number, most: number];
}

const USUAL_PRICES = [900, 1500] as const;

export const WORKLOADS: readonly Workload[] = [
  { name: 'uniform', market: 'uniform', target: 'asMarket', maxPricePermille: USUAL_PRICES },
  { name: 'anyRegion', market: 'uniform', target: 'anyRegion', maxPricePermille: USUAL_PRICES },
  { name: 'rareAttributes', market: 'uniform', target: 'asMarket', attributeBits: 10, maxPricePermille: USUAL_PRICES },
  { name: 'tightMaxPrice', market: 'uniform', target: 'asMarket', maxPricePermille: [720, 760] },
  { name: 'skewed', market: 'skewed', target: 'asMarket', maxPricePermille: USUAL_PRICES },
  { name: 'hotSmallBucket', market: 'skewed', target: 'smallBucket', maxPricePermille: USUAL_PRICES },
  { name: 'hotBigBucket', market: 'skewed', target: 'bigBucket', maxPricePermille: USUAL_PRICES },
  {
    name: 'adversarial',
    market: 'adversarial',
    target: 'asMarket',
    attributeBits: ATTRIBUTE_BITS,
    maxPricePermille: USUAL_PRICES,
  },
  { name: 'identical', market: 'identical', target: 'asMarket', attributeBits: 0, maxPricePermille: USUAL_PRICES },
];

/** The workload of that name. Throws when there is none. */
export function workloadNamed(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name);
  if (found === undefined) {
    throw new Error(
      `no workload is called ${name}; there are ${WORKLOADS.map((workload) => workload.name).join(', ')}`,
    );
  }
  return found;
}

const TIMESTAMP_SECONDS = TODAY * 86_400 + 43_200;
const SHAPES_MILLI_GPU = [250, 500, 500, 1000, 1000, 1000, 2000, 4000, 8000] as const;

/** The orders of a workload, ids from 1 on; they follow from workload, number and seed alone. */
export function drawOrders(workload: Workload, count: number, seed: number): Order[] {
  const random = new SeededRandom(seed ^ 0x5bd1_e995);
  return Array.from({ length: count }, (_, index) => drawOrder(workload, random, index + 1));
}

/** The next order of a workload. */
export function drawOrder(workload: Workload, random: SeededRandom, orderId: number): Order {
  const isSkewed = workload.market === 'skewed';
  const [modelIndex, regionIndex] =
    workload.target === 'bigBucket'
      ? [0, 0]
      : workload.target === 'smallBucket'
        ? [MODELS - 1, REGIONS - 1]
        : [drawIndex(random, MODELS, isSkewed), drawIndex(random, REGIONS, isSkewed)];
  const model = modelIndex + 1;
  const milliGpu = random.pick(SHAPES_MILLI_GPU);
  const resources = {
    milliGpu,
    cpuMilli: milliGpu * random.between(4, 12),
    memoryMib: milliGpu * random.between(16, 96),
    storageGib: Math.floor((milliGpu * random.between(50, 400)) / 1000),
  };
  const list = listPrices(model);
  const listPrice = priceAt(
    resources,
    list.gpuMicroPerHour,
    list.coreMicroPerHour,
    list.memoryGibMicroPerHour,
    list.storageTibMicroPerHour,
  );
  const [least, most] = workload.maxPricePermille;
  // No spread: it would give every order a hidden class of its own, and reading one in the engine would take as long as matching it.
  return {
    orderId,
    isOpen: true,
    untilRound: NEVER,
    eligibleFromBlock: 1,
    expiresAtSeconds: TIMESTAMP_SECONDS + 86_400,
    milliGpu: resources.milliGpu,
    cpuMilli: resources.cpuMilli,
    memoryMib: resources.memoryMib,
    storageGib: resources.storageGib,
    models: [model],
    regions: workload.target === 'anyRegion' ? [] : [regionId(regionIndex)],
    regionsExcluded: [],
    providersWanted: [],
    providersExcluded: [],
    tiers: random.chance(10) ? 0b1111100 : 0,
    attributes: requiredAttributes(workload.attributeBits, random),
    regionRequired: workload.target !== 'anyRegion',
    minUptimeBps: random.chance(20) ? 9500 : 0,
    minReputationBps: random.chance(10) ? 4000 : 0,
    maxSlashes: random.chance(20) ? 0 : 255,
    tokenId: TOKEN,
    maxPriceMicroPerHour: Math.floor((listPrice * random.between(least, most)) / 1000),
    durationMinutes: 60,
  };
}

/** The snapshot of the benchmarks' round with these orders and no bids. */
export function benchSnapshot(market: Market, orders: readonly Order[]): Snapshot {
  return {
    round: ROUND,
    blockNumber: 8000,
    snapshotHash: `0x${'5a'.repeat(32)}`,
    timestampSeconds: TIMESTAMP_SECONDS,
    orders,
    bids: new Map(),
    market,
  };
}

function requiredAttributes(bits: number | undefined, random: SeededRandom): bigint {
  const count = bits ?? (random.chance(25) ? random.between(1, 2) : 0);
  const all = Array.from({ length: ATTRIBUTE_BITS }, (_, bit) => bit);
  return random.sample(all, count).reduce((bitmap, bit) => bitmap | (1n << BigInt(bit)), 0n);
}
