import { WHOLE_DEVICE } from '../devices.js';
import { PACKING_BOUNDS } from '../packing.js';
import type { PackingTerms } from '../policy.js';
import { shadowPrices, worthByRoom } from './cuttingStock.js';

/** What of a past order its packing depends on. */
export interface PastOrder {
  /** 0, 1..999 (a share of one device) or a multiple of 1000. */
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  /** Accepted GPU models; empty for any. */
  readonly models: readonly number[];
}

/** What of a market's machine the value of its model depends on. */
export interface MachineSupply {
  readonly model: number;
  /** Milli-GPU installed, used or not. */
  readonly milliGpu: number;
}

/** Terms, and what in the past orders they rest on. */
export interface DerivedPacking {
  readonly terms: PackingTerms;
  readonly orders: number;
  readonly shareOrders: number;
  readonly wholeDeviceOrders: number;
  /** Share sizes the value of a device was computed from, descending, with what a piece is worth in parts of 10000 of a device. */
  readonly shareSizes: readonly { readonly milliGpu: number; readonly orders: number; readonly worthBps: number }[];
  /** By model the milli-GPU that orders naming models ask of it, in 1024ths of what would keep it busy. */
  readonly models: readonly { readonly model: number; readonly askedBy1024: number }[];
}

/**
 * What a market starts with before it has a past: devices worth what halves, thirds and quarters make of them, twelve cores and
 * 32 GiB beside a device, all models alike.
 */
export const GENERIC_PACKING_TERMS: PackingTerms = {
  fromMilli: [250, 334, 500, 667, 750, 1000],
  value: [242, 323, 485, 647, 727, 1000],
  deviceWeight: 32,
  cpuWeight: 32,
  memoryWeight: 2,
  cpuRate: 5461,
  memoryRate: 2000,
  models: [],
  modelFactor: [],
};

/** Value of a wholly free device, and of what shares can make of one: 3 % less, since whole devices can be taken together. */
const WHOLE_VALUE = 1000;
const SHARED_VALUE = 970;
const RATE_SCALE = 65_536;
/** Sizes that the linear program is solved for; rarer ones count as the next of these above them. */
const SHARE_SIZES = 24;
const FACTOR_SCALE = 1024;

/**
 * Packing terms from past orders and the installed machines, by one rule for every market; equal input gives equal terms.
 * - V is what the shares ordered in the past can make of a device with r free: the best filling at the shadow prices of the cutting-stock
 *   program over their sizes, times 970, rounded half up; a wholly free device is worth 1000. Steps beyond sixteen are dropped, those
 *   that add least first.
 * - cpuRate and memoryRate let the cpu and memory that whole-device orders ask beside a device, on average, serve the value of one.
 * - A model that orders naming models would keep more than half busy, at a load of 100 %, is worth up to half as much again as others:
 *   1 + min(busy - 1/2, 1/2) above a half, in 1024ths of the dearest model, floored.
 * What the orders do not show (no shares, no GPU orders at all) is taken from GENERIC_PACKING_TERMS.
 */
export function derivePackingTerms(orders: readonly PastOrder[], machines: readonly MachineSupply[]): DerivedPacking {
  const shares = orders.filter(({ milliGpu }) => milliGpu > 0 && milliGpu < WHOLE_DEVICE);
  const whole = orders.filter(({ milliGpu }) => milliGpu >= WHOLE_DEVICE);
  const { steps, shareSizes } = valueOfShares(shares);
  const beside = whole.length > 0 ? whole : shares;
  const milliGpu = sumOf(beside, (order) => order.milliGpu);
  const models = scarcityOf(orders, machines);
  const factors = factorsOf(models, machines);
  return {
    terms: {
      ...GENERIC_PACKING_TERMS,
      ...(shares.length === 0 ? {} : steps),
      cpuRate: rateOf(
        milliGpu,
        sumOf(beside, (order) => order.cpuMilli),
        'cpuRate',
      ),
      memoryRate: rateOf(
        milliGpu,
        sumOf(beside, (order) => order.memoryMib),
        'memoryRate',
      ),
      models: factors.map(({ model }) => model),
      modelFactor: factors.map(({ factor }) => factor),
    },
    orders: orders.length,
    shareOrders: shares.length,
    wholeDeviceOrders: whole.length,
    shareSizes,
    models,
  };
}

/** 65536ths of value served by a unit of which orders for `milliGpu` asked `amount`: rounded half up, within the policy's bound. */
function rateOf(milliGpu: number, amount: number, name: 'cpuRate' | 'memoryRate'): number {
  if (milliGpu === 0) return GENERIC_PACKING_TERMS[name];
  if (amount === 0) return PACKING_BOUNDS[name];
  const value = BigInt(milliGpu) * BigInt(WHOLE_VALUE / WHOLE_DEVICE) * BigInt(RATE_SCALE);
  const rate = Number((2n * value + BigInt(amount)) / (2n * BigInt(amount)));
  return Math.min(Math.max(rate, 1), PACKING_BOUNDS[name]);
}

function valueOfShares(shares: readonly PastOrder[]): {
  readonly steps: Pick<PackingTerms, 'fromMilli' | 'value'>;
  readonly shareSizes: DerivedPacking['shareSizes'];
} {
  const kept = keptSizes(shares);
  if (kept.length === 0) return { steps: { fromMilli: [], value: [] }, shareSizes: [] };
  const sizes = kept.map(({ size }) => size);
  const prices = shadowPrices(
    sizes,
    kept.map(({ count }) => count),
    WHOLE_DEVICE,
  );
  const { denominator } = prices;
  const scaled = (worth: bigint, scale: number): number =>
    Number((2n * BigInt(scale) * worth + denominator) / (2n * denominator));
  const steps: { from: number; value: number }[] = [];
  worthByRoom(sizes, prices, WHOLE_DEVICE - 1).forEach((worth, from) => {
    const value = scaled(worth, SHARED_VALUE);
    if (value > (steps.at(-1)?.value ?? 0)) steps.push({ from, value });
  });
  while (steps.length >= PACKING_BOUNDS.steps) dropSmallestStep(steps);
  steps.push({ from: WHOLE_DEVICE, value: WHOLE_VALUE });
  return {
    steps: { fromMilli: steps.map(({ from }) => from), value: steps.map(({ value }) => value) },
    shareSizes: kept.map(({ size, count }, index) => ({
      milliGpu: size,
      orders: count,
      worthBps: scaled(prices.numerators[index]!, 10_000),
    })),
  };
}

/** The sizes that most milli-GPU was ordered in, descending, the orders of other sizes counted with the next kept size above, else below. */
function keptSizes(shares: readonly PastOrder[]): { readonly size: number; count: number }[] {
  const counts = new Map<number, number>();
  for (const { milliGpu } of shares) counts.set(milliGpu, (counts.get(milliGpu) ?? 0) + 1);
  const byAmount = [...counts].sort((a, b) => b[0] * b[1] - a[0] * a[1] || b[0] - a[0]);
  const kept = byAmount
    .slice(0, SHARE_SIZES)
    .map(([size, count]) => ({ size, count }))
    .sort((a, b) => b.size - a.size);
  for (const [size, count] of byAmount.slice(SHARE_SIZES)) {
    (kept.findLast((candidate) => candidate.size > size) ?? kept[0]!).count += count;
  }
  return kept;
}

function dropSmallestStep(steps: { from: number; value: number }[]): void {
  const rise = (index: number): number => steps[index]!.value - (steps[index - 1]?.value ?? 0);
  let smallest = 0;
  for (let index = 1; index < steps.length; index++) if (rise(index) < rise(smallest)) smallest = index;
  steps.splice(smallest, 1);
}

/**
 * How busy the orders that name models would keep each model if all orders together asked what is installed: an order's milli-GPU is
 * spread over its models by what is installed of them. Floored for each list of models.
 */
function scarcityOf(orders: readonly PastOrder[], machines: readonly MachineSupply[]): DerivedPacking['models'] {
  const installed = new Map<number, number>();
  for (const { model, milliGpu } of machines) {
    if (milliGpu > 0) installed.set(model, (installed.get(model) ?? 0) + milliGpu);
  }
  const askedByList = new Map<string, { readonly models: readonly number[]; milliGpu: number }>();
  for (const { models, milliGpu } of orders) {
    const distinct = [...new Set(models)].sort((a, b) => a - b);
    const entry = askedByList.get(distinct.join()) ?? { models: distinct, milliGpu: 0 };
    entry.milliGpu += milliGpu;
    askedByList.set(distinct.join(), entry);
  }
  const askedInAll = sumOf(orders, ({ milliGpu }) => milliGpu);
  const installedInAll = sumOf([...installed.values()], (milliGpu) => milliGpu);
  const asked = new Map<number, number>();
  for (const { models, milliGpu } of askedByList.values()) {
    const installedOfList = sumOf(models, (model) => installed.get(model) ?? 0);
    if (installedOfList === 0 || milliGpu === 0) continue;
    const by1024 = Number(
      (BigInt(milliGpu) * BigInt(installedInAll) * BigInt(FACTOR_SCALE)) /
        (BigInt(installedOfList) * BigInt(askedInAll)),
    );
    for (const model of models) if (installed.has(model)) asked.set(model, (asked.get(model) ?? 0) + by1024);
  }
  return [...installed.keys()].sort((a, b) => a - b).map((model) => ({ model, askedBy1024: asked.get(model) ?? 0 }));
}

/** Models worth less than the dearest, ascending; of too many those of which most is installed. */
function factorsOf(
  models: DerivedPacking['models'],
  machines: readonly MachineSupply[],
): { readonly model: number; readonly factor: number }[] {
  const half = FACTOR_SCALE / 2;
  const worth = models.map(({ model, askedBy1024 }) => ({
    model,
    worth: FACTOR_SCALE + Math.min(Math.max(askedBy1024 - half, 0), half),
  }));
  const dearest = Math.max(FACTOR_SCALE, ...worth.map((entry) => entry.worth));
  const installedOf = (model: number): number =>
    sumOf(machines, (machine) => (machine.model === model ? machine.milliGpu : 0));
  return worth
    .map((entry) => ({ model: entry.model, factor: Math.floor((FACTOR_SCALE * entry.worth) / dearest) }))
    .filter(({ factor }) => factor < FACTOR_SCALE)
    .map((entry) => ({ ...entry, installed: installedOf(entry.model) }))
    .sort((a, b) => b.installed - a.installed || a.model - b.model)
    .slice(0, PACKING_BOUNDS.models)
    .map(({ model, factor }) => ({ model, factor }))
    .sort((a, b) => a.model - b.model);
}

function sumOf<T>(entries: readonly T[], amount: (entry: T) => number): number {
  return entries.reduce((sum, entry) => sum + amount(entry), 0);
}
