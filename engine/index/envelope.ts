import type { Resources } from '../price.js';
import { CPU_SHIFT, ENVELOPE_SAMPLES } from './nodeTable.js';
import { WHOLE_MASK, WHOLE_SHIFT } from './packingTraits.js';

/**
 * The score of a row for a fixed need is linear in the inverse of an order's price limit, so the highest score among rows is convex in
 * it and lies below the chord between two samples. A node keeps that maximum for eight classes of need at three samples.
 */
export const CLASSES = 8;
export const SAMPLES = ENVELOPE_SAMPLES;
/** Reference price over price limit at which the maximum is kept, the reference price being the bucket's typical one. */
export const SAMPLE_AT = [0, 0.75, 1.15] as const;

/** The price that rows are compared by: one GPU with as much cpu and memory as orders ask beside it; without GPU one core. */
export const REFERENCE_CORES = 8;
export const REFERENCE_MEMORY_GIB = 48;

/** Largest need of each class, milli-GPU; the last class is of orders without GPU. */
export const CLASS_MILLI_GPU = Float64Array.of(250, 500, 999, 1000, 2000, 4000, 8000);
/** Classes that fit a device with so much free, milli-GPU, and those that fit so many wholly free devices beside them. */
const CLASSES_OF_SHARE = Uint8Array.from({ length: 1024 }, (_, share) =>
  share < 1 ? 0 : share < 251 ? 1 : share < 501 ? 2 : 3,
);
const CLASSES_OF_WHOLE = Uint8Array.of(3, 4, 5, 6, 6, 7, 7, 7, 7);
/** The same by a row's `devices` from bit 10 on, whatever the machine lacks. */
const CLASSES_OF_COUNT = Uint8Array.from({ length: 64 }, (_, count) => CLASSES_OF_WHOLE[count & WHOLE_MASK] ?? 0);
/** On machines without GPU each class is of orders for up to twice as much cpu as the one before; the last has no limit. */
const FIRST_CLASS_CPU_MILLI = 1000;

/** Class of an order on machines with GPUs. */
export function gpuClassOf(milliGpu: number): number {
  if (milliGpu === 0) return CLASSES - 1;
  let at = 0;
  while (milliGpu > CLASS_MILLI_GPU[at]!) at++;
  return at;
}

/** Class of an order on machines without GPU. */
export function cpuClassOf(cpuMilli: number): number {
  let at = 0;
  while (at < CLASSES - 1 && cpuMilli > FIRST_CLASS_CPU_MILLI * 2 ** at) at++;
  return at;
}

/** What a typical order of a class of need asks, beside each GPU what the reference price is of. */
export function typicalNeed(needClass: number): Resources {
  const milliGpu = needClass === CLASSES - 1 ? 0 : CLASS_MILLI_GPU[needClass]!;
  const gpus = milliGpu / 1000;
  return {
    milliGpu,
    cpuMilli: Math.floor(1000 * REFERENCE_CORES * gpus),
    memoryMib: Math.floor(1024 * REFERENCE_MEMORY_GIB * gpus),
    storageGib: 0,
  };
}

/** The weights of a policy's points, and the unit in which a node keeps them. */
export interface EnvelopeScale {
  /** Points that do not depend on the row at most: price, region and packing components in full. */
  readonly fullPoints: number;
  /**
   * The same by class of need on machines with GPUs, but with the packing component of a typical order of the class: what an order's
   * component differs by from that is reckoned once the order is known.
   */
  readonly gpuPoints: Float64Array;
  /** Points of a whole price component, and of a whole fit component. */
  readonly pricePoints: number;
  readonly fitPoints: number;
  readonly unit: number;
}

/** A row as its columns hold it: prices at most the true ones, the rest at least. */
export interface EnvelopeRow {
  referencePrice: number;
  corePrice: number;
  standing: number;
  complianceBps: number;
  total: number;
  devices: number;
}

/** How many classes of GPU need a row has room for: the first so many, for a machine with room for one has room for all before it. */
export function gpuClassesOf(devices: number): number {
  const classes = CLASSES_OF_SHARE[devices & 0x3ff]!;
  return classes < CLASSES_OF_WHOLE[0]! ? classes : CLASSES_OF_COUNT[devices >>> WHOLE_SHIFT]!;
}

/** The same of a row of a machine without GPU, by its free cpu as rows keep it. */
export function cpuClassesOf(total: number): number {
  const most = ((total + 1) << CPU_SHIFT) - 1;
  let at = 1;
  while (at < CLASSES && most > (FIRST_CLASS_CPU_MILLI * 2 ** at) / 2) at++;
  return at;
}

/** Puts the maxima of rows together, one row after the other, in units of the scale rounded up. */
export class Envelope {
  readonly values = new Float64Array(CLASSES * SAMPLES);

  clear(): void {
    this.values.fill(0);
  }

  /** Lifts the maxima by a row with GPUs. */
  addGpuRow(
    scale: EnvelopeScale,
    row: EnvelopeRow,
    typicalPrice: number,
    typicalCore: number,
    isModelZero: boolean,
  ): void {
    const { complianceBps } = row;
    this.addGpuClasses(scale, row, typicalPrice, 0, gpuClassesOf(row.devices));
    const points = complianceBps * (scale.fullPoints + row.standing);
    const coreSlope = (complianceBps * scale.pricePoints * row.corePrice) / typicalCore;
    this.#lift(CLASSES - 1, isModelZero ? points + complianceBps * scale.fitPoints : points, coreSlope);
  }

  /** Lifts by a row with GPUs the maxima of the classes of GPU need from `from` to before `to`, all of which it has room for. */
  addGpuClasses(scale: EnvelopeScale, row: EnvelopeRow, typicalPrice: number, from: number, to: number): void {
    const { complianceBps } = row;
    const { gpuPoints } = scale;
    const fitPoints = complianceBps * scale.fitPoints;
    const slope = (complianceBps * scale.pricePoints * row.referencePrice) / typicalPrice;
    const perMilli = fitPoints / row.total;
    for (let at = from; at < to; at++) {
      const points = complianceBps * (gpuPoints[at]! + row.standing);
      const fit = perMilli * CLASS_MILLI_GPU[at]!;
      this.#lift(at, points + (fit < fitPoints ? fit : fitPoints), slope);
    }
  }

  /** Lifts the maxima by a row of a machine without GPU. */
  addCpuRow(scale: EnvelopeScale, row: EnvelopeRow, typicalCore: number): void {
    this.addCpuClasses(scale, row, typicalCore, 0, cpuClassesOf(row.total));
  }

  /** Lifts by such a row the maxima of the classes from `from` to before `to`, all of which it has room for. */
  addCpuClasses(scale: EnvelopeScale, row: EnvelopeRow, typicalCore: number, from: number, to: number): void {
    const { complianceBps, total } = row;
    const points = complianceBps * (scale.fullPoints + row.standing);
    const fitPoints = complianceBps * scale.fitPoints;
    const slope = (complianceBps * scale.pricePoints * row.corePrice) / typicalCore;
    const least = Math.max(1, total << CPU_SHIFT);
    for (let at = from; at < to; at++) {
      const fit = at === CLASSES - 1 ? 1 : Math.min(1, (FIRST_CLASS_CPU_MILLI * 2 ** at) / least);
      this.#lift(at, points + fit * fitPoints, slope);
    }
  }

  /** Writes the maxima into a node's halves from `first` on. */
  write(halves: Uint16Array, first: number, unit: number): void {
    const { values } = this;
    for (let index = 0; index < CLASSES * SAMPLES; index++) halves[first + index] = Math.ceil(values[index]! / unit);
  }

  #lift(at: number, points: number, slope: number): void {
    const { values } = this;
    const first = at * SAMPLES;
    if (points > values[first]!) values[first] = points;
    const second = points - slope * SAMPLE_AT[1];
    if (second > values[first + 1]!) values[first + 1] = second;
    const third = points - slope * SAMPLE_AT[2];
    if (third > values[first + 2]!) values[first + 2] = third;
  }
}
