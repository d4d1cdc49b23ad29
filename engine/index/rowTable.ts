import { compactPrice } from './compactPrice.js';
import { floatBelow } from './nodeTable.js';

/** Rows of one leaf at most. */
export const LEAF_ROWS = 32;
export const LEAF_SHIFT = 5;

/** 54 attribute bits in 16: a provider has all bits of an order only if its fold has all of the order's fold. */
export function foldAttributes(low: number, high: number): number {
  return (low & 0xffff) | (low >>> 16) | (high & 0xffff) | (high >>> 16);
}

/** No row. */
export const NO_ROW = 0xffff_ffff;

/**
 * Rows of the index: one for each machine that takes part and each token it is offered in, leaf by leaf. A row holds what tells without
 * a look into the market's columns whether the machine can still win: lower bounds of its prices, upper bounds of the rest.
 */
export class RowTable {
  machine = new Uint32Array(0);
  gpuPrice = new Float32Array(0);
  /** As `compactPrice` packs them. */
  corePrice = new Uint16Array(0);
  memoryPrice = new Uint16Array(0);
  storagePrice = new Uint16Array(0);
  /** Weighted standing, rounded up to whole units of `standingUnit`. */
  standing = new Uint16Array(0);
  complianceBps = new Uint16Array(0);
  /** Free of the dominant resource: milli-GPU of all devices; in a bucket of machines without GPU free cpu-milli >> CPU_SHIFT. */
  total = new Uint16Array(0);
  /** Most that one device has free in bits 0..9, wholly free devices above; 1 in a bucket of machines without GPU. */
  devices = new Uint16Array(0);
  /** Attributes of the provider, as `foldAttributes` folds them. */
  attributes = new Uint16Array(0);
  /** By leaf: rows in use, from the leaf's first on. */
  used = new Uint8Array(0);
  /** By leaf: its bucket. */
  bucket = new Uint32Array(0);
  standingUnit = 1;

  get leaves(): number {
    return this.used.length;
  }

  get byteLength(): number {
    return this.machine.length * 24 + this.used.length * 5;
  }

  /** Makes room for `leaves` leaves in all, keeping what there is. */
  grow(leaves: number): void {
    if (leaves <= this.leaves) return;
    const rows = leaves * LEAF_ROWS;
    this.machine = grown(this.machine, new Uint32Array(rows));
    this.gpuPrice = grown(this.gpuPrice, new Float32Array(rows));
    this.corePrice = grown(this.corePrice, new Uint16Array(rows));
    this.memoryPrice = grown(this.memoryPrice, new Uint16Array(rows));
    this.storagePrice = grown(this.storagePrice, new Uint16Array(rows));
    this.standing = grown(this.standing, new Uint16Array(rows));
    this.complianceBps = grown(this.complianceBps, new Uint16Array(rows));
    this.total = grown(this.total, new Uint16Array(rows));
    this.devices = grown(this.devices, new Uint16Array(rows));
    this.attributes = grown(this.attributes, new Uint16Array(rows));
    this.used = grown(this.used, new Uint8Array(leaves));
    this.bucket = grown(this.bucket, new Uint32Array(leaves));
  }

  /** Writes a row; `standing` is exact and rounded here, as the prices are. */
  write(row: number, machineId: number, values: RowValues): void {
    this.machine[row] = machineId;
    this.gpuPrice[row] = floatBelow(values.gpuPrice);
    this.corePrice[row] = compactPrice(values.corePrice);
    this.memoryPrice[row] = compactPrice(values.memoryPrice);
    this.storagePrice[row] = compactPrice(values.storagePrice);
    this.standing[row] = Math.ceil(values.standing / this.standingUnit);
    this.complianceBps[row] = values.complianceBps;
    this.total[row] = values.total;
    this.devices[row] = values.devices;
    this.attributes[row] = values.attributes;
  }

  copy(to: number, from: number): void {
    this.machine[to] = this.machine[from]!;
    this.gpuPrice[to] = this.gpuPrice[from]!;
    this.corePrice[to] = this.corePrice[from]!;
    this.memoryPrice[to] = this.memoryPrice[from]!;
    this.storagePrice[to] = this.storagePrice[from]!;
    this.standing[to] = this.standing[from]!;
    this.complianceBps[to] = this.complianceBps[from]!;
    this.total[to] = this.total[from]!;
    this.devices[to] = this.devices[from]!;
    this.attributes[to] = this.attributes[from]!;
  }
}

/** What one machine puts into its row for one offer, exact, in an object that is used again for the next one. */
export interface RowValues {
  gpuPrice: number;
  corePrice: number;
  memoryPrice: number;
  storagePrice: number;
  standing: number;
  complianceBps: number;
  total: number;
  devices: number;
  attributes: number;
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array | Float32Array>(old: T, bigger: T): T {
  bigger.set(old);
  return bigger;
}
