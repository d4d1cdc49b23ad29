import { LEAF_ROWS } from './leafRows.js';
import { NodeTable } from './nodeTable.js';
import { RowTable } from './rowTable.js';

/** Rows for which room is kept between uses. */
const KEPT_ROWS = 16_384;
/** More than there are rows at a time, so that a row of the index and a place here fit in one number. */
const PLACES = 2 ** 20;

/** What rows are to become: their values and bounds, beside the index until they are brought there in the order of its rows. */
export class ChangedRows {
  /** By place. */
  values = new RowTable();
  bounds = new NodeTable(0);
  #buckets = new Uint32Array(0);
  #keys = new Float64Array(0);
  #count = 0;

  constructor(standingUnit: number) {
    this.values.standingUnit = standingUnit;
  }

  /** Makes room for `rows` rows in all, at most PLACES. */
  reserve(rows: number): void {
    if (rows <= this.#keys.length) return;
    const size = rows + (rows >>> 2);
    const keys = new Float64Array(size);
    const buckets = new Uint32Array(size);
    keys.set(this.#keys);
    buckets.set(this.#buckets);
    this.#keys = keys;
    this.#buckets = buckets;
    this.values.grow(Math.ceil(size / LEAF_ROWS));
    this.bounds.grow(size);
  }

  /** The place that the next row is to be written to. */
  get next(): number {
    return this.#count;
  }

  /** Enters the row at the next place: which bucket it is in, and where there. */
  add(bucket: number, row: number): void {
    this.#buckets[this.#count] = bucket;
    this.#keys[this.#count] = row * PLACES + this.#count;
    this.#count++;
  }

  /** Calls `visit` with the place of every row, its bucket and the row, in the order of the rows in the index, and forgets them. */
  drain(visit: (place: number, bucket: number, row: number) => void): void {
    const keys = this.#keys.subarray(0, this.#count).sort();
    this.#count = 0;
    for (const key of keys) visit(key % PLACES, this.#buckets[key % PLACES]!, Math.floor(key / PLACES));
  }

  /** Gives back what many rows took. */
  release(): void {
    if (this.#keys.length <= KEPT_ROWS) return;
    const { standingUnit } = this.values;
    this.values = new RowTable();
    this.values.standingUnit = standingUnit;
    this.bounds = new NodeTable(0);
    this.#buckets = new Uint32Array(0);
    this.#keys = new Float64Array(0);
  }
}
