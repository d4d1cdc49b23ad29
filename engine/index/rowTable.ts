import { AttributePlaces } from './attributePlaces.js';
import { compactPrice, expandPrice } from './compactPrice.js';
import { REFERENCE_CORES, REFERENCE_MEMORY_GIB } from './envelope.js';
import type { EnvelopeRow } from './envelope.js';
import { LEAF_ROWS, LEAF_SHIFT, PLACE_BITS } from './leafRows.js';
import { floatBelow } from './nodeTable.js';

/** A leaf's block holds its rows' fields one after the other, for all places each: so many 16-bit halves and 32-bit words. */
export const LEAF_HALVES = 11 * LEAF_ROWS;
export const LEAF_WORDS = LEAF_HALVES / 2;

/** Half offsets of the fields in a leaf's block, the ones that filters ask for first. */
export const ROW_DEVICES = 0;
export const ROW_TOTAL = LEAF_ROWS;
export const ROW_COMPLIANCE = 2 * LEAF_ROWS;
export const ROW_STANDING = 3 * LEAF_ROWS;
export const ROW_CORE_PRICE = 4 * LEAF_ROWS;
export const ROW_MEMORY_PRICE = 5 * LEAF_ROWS;
export const ROW_STORAGE_PRICE = 6 * LEAF_ROWS;
const HALF_FIELDS_END = 7 * LEAF_ROWS;
/** Word offsets. */
export const ROW_GPU_PRICE = HALF_FIELDS_END / 2;
export const ROW_MACHINE = ROW_GPU_PRICE + LEAF_ROWS;

/** No row. */
export const NO_ROW = 0xffff_ffff;

/** Where a row's fields of 16 bits lie among the halves, once a field's offset is added. */
export function halfOf(row: number): number {
  return (row >>> LEAF_SHIFT) * LEAF_HALVES + (row & PLACE_BITS);
}

/** The same for the fields of 32 bits among the words. */
export function wordOf(row: number): number {
  return (row >>> LEAF_SHIFT) * LEAF_WORDS + (row & PLACE_BITS);
}

/**
 * Rows of the index: one for each machine that takes part and each token it is offered in, leaf by leaf. A row holds what tells without
 * a look into the market's columns whether the machine can still win: lower bounds of its prices, upper bounds of the rest. The rows of
 * a leaf are read together, so they lie together.
 */
export class RowTable {
  /** Seen as 16-bit halves: what the half offsets name. Prices are as `compactPrice` packs them, devices as RowValues says. */
  halves: Uint16Array<ArrayBuffer> = new Uint16Array(0);
  /** Seen as 32-bit words: machine ids; as floats: prices of a GPU. */
  words: Uint32Array<ArrayBuffer> = new Uint32Array(this.halves.buffer);
  floats: Float32Array<ArrayBuffer> = new Float32Array(this.halves.buffer);
  readonly attributes = new AttributePlaces();
  /** By leaf: rows in use, from the leaf's first on. */
  used = new Uint8Array(0);
  /** By leaf: its bucket. */
  bucket = new Uint32Array(0);
  standingUnit = 1;

  get leaves(): number {
    return this.used.length;
  }

  get byteLength(): number {
    return this.halves.byteLength + this.attributes.byteLength + this.used.byteLength + this.bucket.byteLength;
  }

  /** Makes room for `leaves` leaves in all, keeping what there is. */
  grow(leaves: number): void {
    if (leaves <= this.leaves) return;
    this.halves = grown(this.halves, new Uint16Array(leaves * LEAF_HALVES));
    this.words = new Uint32Array(this.halves.buffer);
    this.floats = new Float32Array(this.halves.buffer);
    this.attributes.grow(leaves);
    this.used = grown(this.used, new Uint8Array(leaves));
    this.bucket = grown(this.bucket, new Uint32Array(leaves));
  }

  /** Machine of a row. */
  machineOf(row: number): number {
    return this.words[wordOf(row) + ROW_MACHINE]!;
  }

  /** Writes a row; `standing` is exact and rounded here up to whole units of `standingUnit`, as the prices are rounded down. */
  write(row: number, machineId: number, values: RowValues): void {
    const { halves } = this;
    const half = halfOf(row);
    const word = wordOf(row);
    this.attributes.set(row, values.attributes);
    halves[half + ROW_DEVICES] = values.devices;
    halves[half + ROW_TOTAL] = values.total;
    halves[half + ROW_COMPLIANCE] = values.complianceBps;
    halves[half + ROW_STANDING] = Math.ceil(values.standing / this.standingUnit);
    halves[half + ROW_CORE_PRICE] = compactPrice(values.corePrice);
    halves[half + ROW_MEMORY_PRICE] = compactPrice(values.memoryPrice);
    halves[half + ROW_STORAGE_PRICE] = compactPrice(values.storagePrice);
    this.floats[word + ROW_GPU_PRICE] = floatBelow(values.gpuPrice);
    this.words[word + ROW_MACHINE] = machineId;
  }

  /** Reads of a row what envelopes are made of, in a bucket of machines with GPUs or of such without. */
  read(row: number, isGpu: boolean, into: EnvelopeRow): void {
    const { halves } = this;
    const half = halfOf(row);
    const corePrice = expandPrice(halves[half + ROW_CORE_PRICE]!);
    into.corePrice = corePrice;
    into.referencePrice = isGpu
      ? this.floats[wordOf(row) + ROW_GPU_PRICE]! +
        REFERENCE_CORES * corePrice +
        REFERENCE_MEMORY_GIB * expandPrice(halves[half + ROW_MEMORY_PRICE]!)
      : corePrice;
    into.standing = halves[half + ROW_STANDING]! * this.standingUnit;
    into.complianceBps = halves[half + ROW_COMPLIANCE]!;
    into.total = halves[half + ROW_TOTAL]!;
    into.devices = halves[half + ROW_DEVICES]!;
  }

  readPrices(row: number, into: UnitPrices): void {
    const { halves } = this;
    const half = halfOf(row);
    into.gpuPrice = this.floats[wordOf(row) + ROW_GPU_PRICE]!;
    into.corePrice = expandPrice(halves[half + ROW_CORE_PRICE]!);
    into.memoryPrice = expandPrice(halves[half + ROW_MEMORY_PRICE]!);
    into.storagePrice = expandPrice(halves[half + ROW_STORAGE_PRICE]!);
  }

  copy(to: number, from: number): void {
    this.copyFrom(this, to, from);
  }

  /** Copies a row of this table or another. */
  copyFrom(other: RowTable, to: number, from: number): void {
    const { halves, words } = this;
    const half = halfOf(to);
    const otherHalf = halfOf(from);
    this.attributes.copyFrom(other.attributes, to, from);
    for (let field = ROW_DEVICES; field < HALF_FIELDS_END; field += LEAF_ROWS) {
      halves[half + field] = other.halves[otherHalf + field]!;
    }
    const word = wordOf(to);
    const otherWord = wordOf(from);
    words[word + ROW_GPU_PRICE] = other.words[otherWord + ROW_GPU_PRICE]!;
    words[word + ROW_MACHINE] = other.words[otherWord + ROW_MACHINE]!;
  }
}

/** Prices of a machine's resources by unit. */
export interface UnitPrices {
  gpuPrice: number;
  corePrice: number;
  memoryPrice: number;
  storagePrice: number;
}

/** What one machine puts into its row for one offer, exact, in an object that is used again for the next one. */
export interface RowValues extends UnitPrices {
  standing: number;
  complianceBps: number;
  /** Free of the dominant resource: milli-GPU of all devices; in a bucket of machines without GPU free cpu-milli >> CPU_SHIFT. */
  total: number;
  /** What is free on devices and what the machine lacks beside them, as `packingTraits` has it; 1 in a bucket of machines without GPU. */
  devices: number;
  /** Attributes of the provider, as `foldAttributes` folds them. */
  attributes: number;
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array>(old: T, bigger: T): T {
  bigger.set(old);
  return bigger;
}
