import type { OrderSpec } from '../protocol/orderSpec.js';
import { ATTRIBUTES, GPU_MODELS, REGIONS, SECURED_TIERS, STANDARDS, type GpuModel, type Region } from './catalogue.js';
import {
  DEVNET_TOKENS,
  type MachinePlan,
  type MarketPlan,
  type OfferPlan,
  type OrderPlan,
  type ProviderPlan,
  type ReportPlan,
} from './marketPlan.js';
import { SeededRandom } from './random.js';

export interface MarketSize {
  readonly providers: number;
  readonly orders: number;
  readonly seed: number;
}

const MACHINES_PER_PROVIDER = 6;
const TENANTS = 6;
/** A week: longer than any devnet runs. */
const ORDER_DURATION_MINUTES = 7 * 24 * 60;
const MOST_CPU_MILLI = 128_000;
/** List prices in millionths of a dollar per hour. */
const CORE_LIST_PRICE = 4_000;
const MEMORY_GIB_LIST_PRICE = 1_100;
const STORAGE_TIB_LIST_PRICE = 28_000;

/**
 * A market with providers of every kind (data centres in several parts of the world and small hosts; audited or not, measured or new),
 * six machines each, and orders that ask for shares, whole GPUs and CPU only, plainly or with wishes. The same seed gives the same market.
 */
export function generateMarket(size: MarketSize): MarketPlan {
  const random = new SeededRandom(size.seed);
  const providers = Array.from({ length: size.providers }, (_, index) => provider(random, index));
  const machines = providers.flatMap((_, index) => {
    const region = random.pick(REGIONS);
    const level = random.between(70, 140);
    return Array.from({ length: MACHINES_PER_PROVIDER }, () => machine(random, index, region, level));
  });
  const orders = Array.from({ length: size.orders }, (_, index) => order(random, index, providers.length));
  return {
    providers,
    machines,
    orders,
    tenantCount: TENANTS,
    modelNames: new Map(GPU_MODELS.map(({ id, name }) => [id, name])),
  };
}

/** A provider whose tier, stake, scores and reports vary independently. */
export function provider(random: SeededRandom, index: number): ProviderPlan {
  const attributes = Object.values(ATTRIBUTES)
    .filter(() => random.chance(60))
    .reduce((all, bit) => all | bit, 0n);
  const standards = random.sample(Object.values(STANDARDS), 2);
  const reports: ReportPlan[] = [0, 1]
    .filter(() => random.chance(45))
    .map((auditor) => ({
      auditor,
      standard: standards[auditor] ?? STANDARDS.soc2,
      bps: random.between(50, 1000),
      validDays: random.between(30, 365),
    }));
  return {
    name: `provider-${index + 1}`,
    hostUri: `https://provider-${index + 1}.example:8443`,
    tier: random.between(1, 7),
    attributes,
    scores: random.chance(25)
      ? null
      : {
          uptimeBps: random.between(9_000, 10_000),
          // Within one era's step of where everybody starts.
          reputationBps: random.between(4_000, 6_000),
          slashes: random.chance(15) ? 1 : 0,
        },
    extraStakeWhole: random.between(0, 60) * 1_000,
    reports,
  };
}

/** Prices around a list price: `level` percent of it. */
export function offers(random: SeededRandom, gpuMicroUsdPerHour: number, level: number): OfferPlan[] {
  const at = (micro: number): number => Math.floor((micro * level * random.between(95, 105)) / 10_000);
  const tokens = random.chance(70) ? DEVNET_TOKENS : DEVNET_TOKENS.slice(0, 1);
  return tokens.map(({ id }) => ({
    tokenId: id,
    gpuMicroPerHour: at(gpuMicroUsdPerHour),
    coreMicroPerHour: at(CORE_LIST_PRICE),
    memoryGibMicroPerHour: at(MEMORY_GIB_LIST_PRICE),
    storageTibMicroPerHour: at(STORAGE_TIB_LIST_PRICE),
  }));
}

function machine(random: SeededRandom, providerIndex: number, region: Region, level: number): MachinePlan {
  const model: GpuModel | undefined = random.chance(80) ? random.pick(GPU_MODELS) : undefined;
  const deviceCount = model === undefined ? 0 : random.pick([1, 2, 4, 8]);
  const cores =
    model === undefined ? random.pick([16, 32, 64, 96]) : Math.min(128, deviceCount * random.pick([8, 12, 16]));
  return {
    provider: providerIndex,
    spec: {
      model: model?.id ?? 0,
      region: region.id,
      cpuMilli: cores * 1_000,
      memoryMib: cores * random.pick([4, 8]) * 1_024,
      storageGib: random.between(1, 16) * 512,
      deviceCount,
    },
    offers: offers(random, model?.microUsdPerHour ?? 0, level),
  };
}

function order(random: SeededRandom, index: number, providerCount: number): OrderPlan {
  const shape = random.below(10);
  const milliGpu =
    shape < 2
      ? 0
      : shape < 5
        ? random.pick([100, 200, 250, 460, 500])
        : random.pick([1_000, 1_000, 1_000, 2_000, 4_000, 8_000]);
  const cores =
    milliGpu === 0
      ? random.pick([1, 2, 4, 8, 16])
      : milliGpu < 1_000
        ? random.pick([1, 2, 4])
        : (milliGpu / 1_000) * random.pick([2, 4, 6]);
  const models =
    milliGpu > 0 && random.chance(50) ? random.sample(GPU_MODELS, random.between(1, 4)).map(({ id }) => id) : [];
  const regions = random.chance(40) ? random.sample(REGIONS, random.between(1, 3)).map(({ id }) => id) : [];
  const memoryMib = cores * random.pick([1, 2, 4]) * 1_024;
  const storageGib = random.pick([0, 10, 50, 200]);
  return {
    tenant: index % TENANTS,
    spec: {
      ...ANYTHING,
      milliGpu,
      cpuMilli: Math.min(MOST_CPU_MILLI, cores * 1_000),
      memoryMib,
      storageGib,
      models,
      regions,
      regionRequired: regions.length > 0 && random.chance(25),
      regionsExcluded: regions.length === 0 && random.chance(10) ? [random.pick(REGIONS).id] : [],
      providersExcluded: random.chance(5) ? [random.below(providerCount)] : [],
      tiers: random.chance(12) ? SECURED_TIERS : 0,
      attributes: random.chance(10) ? ATTRIBUTES.nvmeStorage : 0n,
      minUptimeBps: random.chance(10) ? 9_300 : 0,
      maxSlashes: random.chance(10) ? 0 : 255,
      tokenId: random.chance(75) ? 1 : 2,
      maxPriceMicroPerHour: budget(random, milliGpu, cores, memoryMib, models),
      durationMinutes: ORDER_DURATION_MINUTES,
    },
  };
}

/** Between half and four times what list prices come to, so that price decides some orders and few are out of reach. */
function budget(
  random: SeededRandom,
  milliGpu: number,
  cores: number,
  memoryMib: number,
  models: readonly number[],
): number {
  const prices = GPU_MODELS.filter(({ id }) => models.length === 0 || models.includes(id));
  const dearest = Math.max(...prices.map(({ microUsdPerHour }) => microUsdPerHour));
  return Math.floor((listPrice(milliGpu, cores * 1_000, memoryMib, dearest) * random.between(50, 400)) / 100);
}

/** What these resources come to at list prices, micro-units per hour, disks left out; at least 1. */
export function listPrice(milliGpu: number, cpuMilli: number, memoryMib: number, gpuMicroUsdPerHour: number): number {
  const gpu = Math.ceil((milliGpu * gpuMicroUsdPerHour) / 1_000);
  const cpu = Math.ceil((cpuMilli * CORE_LIST_PRICE) / 1_000);
  return gpu + cpu + Math.ceil((memoryMib * MEMORY_GIB_LIST_PRICE) / 1_024) + 1;
}

/** A spec without any wish; the amounts are to be filled in. */
export const ANYTHING: OrderSpec = {
  milliGpu: 0,
  cpuMilli: 1_000,
  memoryMib: 0,
  storageGib: 0,
  models: [],
  regions: [],
  regionsExcluded: [],
  providersWanted: [],
  providersExcluded: [],
  tiers: 0,
  attributes: 0n,
  regionRequired: false,
  minUptimeBps: 0,
  minReputationBps: 0,
  maxSlashes: 255,
  tokenId: 1,
  maxPriceMicroPerHour: 1,
  durationMinutes: ORDER_DURATION_MINUTES,
};
