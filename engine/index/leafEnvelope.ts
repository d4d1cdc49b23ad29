import type { Bucket } from './bucket.js';
import { expandPrice } from './compactPrice.js';
import {
  CLASS_MILLI_GPU,
  cpuClassesOf,
  gpuClassesOf,
  REFERENCE_CORES,
  REFERENCE_MEMORY_GIB,
  SAMPLE_AT,
  SAMPLES,
} from './envelope.js';
import type { Envelope, EnvelopeRow, EnvelopeScale } from './envelope.js';
import { LEAF_ROWS } from './leafRows.js';
import * as Row from './rowTable.js';
import type { RowTable } from './rowTable.js';

/** Lifts an envelope's maxima by all rows of a leaf at once: what `Envelope` does row by row, in one pass over the leaf's block. */
export class LeafEnvelope {
  readonly #rows: RowTable;
  readonly #scale: EnvelopeScale;
  readonly #row: EnvelopeRow = {
    referencePrice: 0,
    corePrice: 0,
    standing: 0,
    complianceBps: 0,
    total: 0,
    devices: 0,
  };

  constructor(rows: RowTable, scale: EnvelopeScale) {
    this.#rows = rows;
    this.#scale = scale;
  }

  /** Lifts the need classes from `from` to before `to`, on machines with GPUs classes of GPU need, by the rows that have room for them. */
  lift(envelope: Envelope, bucket: Bucket, leaf: number, from: number, to: number): void {
    if (bucket.forest.isGpu) this.#liftByGpuRows(envelope.values, bucket.typicalPrice, leaf, from, to);
    else this.#liftByCpuRows(envelope, bucket.typicalCore, leaf, from, to);
  }

  #liftByGpuRows(values: Float64Array, typicalPrice: number, leaf: number, from: number, to: number): void {
    const { halves, floats, used, standingUnit } = this.#rows;
    const { gpuPoints, pricePoints, fitPoints } = this.#scale;
    const first = leaf * Row.LEAF_HALVES;
    const end = first + used[leaf]!;
    const gpuPrices = leaf * Row.LEAF_WORDS + Row.ROW_GPU_PRICE - first;
    for (let half = first; half < end; half++) {
      const classes = gpuClassesOf(halves[half + Row.ROW_DEVICES]!);
      if (classes <= from) continue;
      const complianceBps = halves[half + Row.ROW_COMPLIANCE]!;
      const referencePrice =
        floats[gpuPrices + half]! +
        REFERENCE_CORES * expandPrice(halves[half + Row.ROW_CORE_PRICE]!) +
        REFERENCE_MEMORY_GIB * expandPrice(halves[half + Row.ROW_MEMORY_PRICE]!);
      const standing = halves[half + Row.ROW_STANDING]! * standingUnit;
      const mostFit = complianceBps * fitPoints;
      const perMilli = mostFit / halves[half + Row.ROW_TOTAL]!;
      const slope = (complianceBps * pricePoints * referencePrice) / typicalPrice;
      const second = slope * SAMPLE_AT[1];
      const third = slope * SAMPLE_AT[2];
      const last = classes < to ? classes : to;
      for (let at = from; at < last; at++) {
        const points = complianceBps * (gpuPoints[at]! + standing);
        const fit = perMilli * CLASS_MILLI_GPU[at]!;
        const value = points + (fit < mostFit ? fit : mostFit);
        const sample = at * SAMPLES;
        if (value > values[sample]!) values[sample] = value;
        if (value - second > values[sample + 1]!) values[sample + 1] = value - second;
        if (value - third > values[sample + 2]!) values[sample + 2] = value - third;
      }
    }
  }

  #liftByCpuRows(envelope: Envelope, typicalCore: number, leaf: number, from: number, to: number): void {
    const rows = this.#rows;
    const row = this.#row;
    const first = leaf * LEAF_ROWS;
    for (let at = first; at < first + rows.used[leaf]!; at++) {
      rows.read(at, false, row);
      const classes = cpuClassesOf(row.total);
      if (classes > from) envelope.addCpuClasses(this.#scale, row, typicalCore, from, Math.min(classes, to));
    }
  }
}
