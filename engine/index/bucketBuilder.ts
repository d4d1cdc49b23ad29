import type { Market } from '../market.js';
import { SCALE } from '../policy.js';
import type { Policy } from '../policy.js';
import { WHOLE_DEVICE } from '../devices.js';
import type { Bucket } from './bucket.js';
import type { BucketTable } from './bucketTable.js';
import { clearLeastPrices, lowerLeastPrices } from './leastPrices.js';
import { Clustering, MEASURES } from './clustering.js';
import { LEAF_ROWS } from './leafRows.js';
import { belongs, forEachOffer, offerOf } from './liveOffers.js';
import type { EnvelopeRow } from './envelope.js';
import { CPU_SHIFT } from './nodeTable.js';
import type { ProviderTerms } from './providerTerms.js';
import type { RowBounds } from './rowBounds.js';
import type { RowsByMachine } from './rowsByMachine.js';
import { NO_ROW, RowTable } from './rowTable.js';
import type { UnitPrices } from './rowTable.js';
import type { TreeBounds } from './treeBounds.js';

/** Rows of a leaf after clustering; the rest of its places are for rows that move in. */
const ROWS_AFTER_CLUSTERING = 30;
/** Rows that are looked at to find the typical price of a bucket. */
const PRICE_SAMPLE = 31;
/** Free cpu for which machines without GPU are compared. */
const TYPICAL_CPU_MILLI = 8000;
/** Rows for each attribute set of a bucket from which on rows are clustered by set. */
const ROWS_PER_SET = 64;
/** Rows a leaf up to which clustering below a node leaves room enough; beyond, the node above it is clustered. */
const FULL_LEAF_ROWS = 31;
/** Leaves from which on that is not done while the bucket has room: it would take longer than a block or signature may wait. */
const MOST_LEAVES = 256;
/** Leaves of moving rows for which room is kept between uses. */
const KEPT_LEAVES = 256;

/** What a builder builds from and into. */
export interface BuilderParts {
  readonly market: Market;
  readonly policy: Policy;
  readonly rows: RowTable;
  readonly rowsByMachine: RowsByMachine;
  readonly buckets: BucketTable;
  readonly providers: ProviderTerms;
  readonly rowBounds: RowBounds;
  readonly treeBounds: TreeBounds;
}

/** Places machines into the leaves of buckets, clustered, and bounds them. */
export class BucketBuilder {
  readonly #parts: BuilderParts;
  readonly #clustering = new Clustering();
  /** Rows on their way to new places. */
  #moving = new RowTable();
  readonly #row: EnvelopeRow = {
    referencePrice: 0,
    corePrice: 0,
    standing: 0,
    complianceBps: 0,
    total: 0,
    devices: 0,
  };
  readonly #prices: UnitPrices = { gpuPrice: 0, corePrice: 0, memoryPrice: 0, storagePrice: 0 };

  constructor(parts: BuilderParts) {
    this.#parts = parts;
    this.#moving.standingUnit = parts.rows.standingUnit;
  }

  /** Builds the buckets of all machines that take part in a round, in tables that hold nothing yet. */
  buildAll(round: number): void {
    const { buckets: table } = this.#parts;
    const { buckets } = table;
    const counts: number[] = [];
    this.#forEachRow(round, (bucket) => {
      counts[bucket.number] = (counts[bucket.number] ?? 0) + 1;
    });
    const starts = new Uint32Array(buckets.length + 1);
    let leaves = 0;
    for (let number = 0; number < buckets.length; number++) {
      starts[number + 1] = starts[number]! + counts[number]!;
      leaves += leavesFor(counts[number]!);
    }
    table.reserve(leaves);
    const machines = new Uint32Array(starts[buckets.length]!);
    const next = starts.slice();
    this.#forEachRow(round, (bucket, machineId) => {
      machines[next[bucket.number]!++] = machineId;
    });
    for (const bucket of buckets) {
      const from = starts[bucket.number]!;
      const rows = starts[bucket.number + 1]! - from;
      this.#reserve(rows);
      for (let at = 0; at < rows; at++) this.#read(at, machines[from + at]!, bucket);
      this.#placeAll(bucket, rows);
    }
    table.rebuildStaleForests();
    this.release();
  }

  /** Gives back what it took to cluster many rows. */
  release(): void {
    this.#clustering.release();
    if (this.#moving.leaves > KEPT_LEAVES) {
      this.#moving = new RowTable();
      this.#moving.standingUnit = this.#parts.rows.standingUnit;
    }
  }

  /** Places all rows of a bucket anew, and that of one more machine. */
  regrow(bucket: Bucket, machineId: number): void {
    const count = this.#gather(bucket, leavesBelow(1, bucket.leaves), 1);
    this.#read(count, machineId, bucket);
    this.#placeAll(bucket, count + 1);
  }

  /**
   * Places rows of a bucket anew among the leaves below a local node, or below one above it where there is too little room, if they are
   * at most `most`; returns how many it placed, else 0. Reads rows alone, so it may run while machines are changed that the index has not
   * followed yet.
   */
  recluster(bucket: Bucket, local: number, most: number): number {
    let top = local;
    let leaves = leavesBelow(top, bucket.leaves);
    let count = this.#rowsOf(bucket, leaves);
    const mostLeaves = isNearlyFull(bucket.rows, bucket.leaves) ? Infinity : MOST_LEAVES;
    while (top > 1 && count > leaves.length * FULL_LEAF_ROWS && leaves.length < mostLeaves) {
      top >>= 1;
      leaves = leavesBelow(top, bucket.leaves);
      count = this.#rowsOf(bucket, leaves);
    }
    if (count > most) return 0;
    this.#gather(bucket, leaves, 0);
    if (top > 1) this.#place(bucket, top, leaves, count);
    else this.#placeAll(bucket, count);
    return count;
  }

  #forEachRow(round: number, visit: (bucket: Bucket, machineId: number) => void): void {
    const { market, buckets } = this.#parts;
    let last: Bucket | undefined;
    forEachOffer(market, round, (machineId, tokenId) => {
      if (last === undefined || !belongs(market, machineId, tokenId, last))
        last = buckets.bucketFor(machineId, tokenId);
      visit(last, machineId);
    });
  }

  #reserve(rows: number): void {
    this.#clustering.reserve(rows);
    this.#moving.grow(Math.ceil(rows / LEAF_ROWS));
  }

  /** Makes a machine's row at a position among the moving ones. */
  #read(position: number, machineId: number, bucket: Bucket): void {
    const { market, rowBounds } = this.#parts;
    const offer = offerOf(market, machineId, bucket.forest.tokenId);
    this.#moving.write(position, machineId, rowBounds.loadValues(machineId, offer, bucket));
  }

  #rowsOf(bucket: Bucket, leaves: readonly number[]): number {
    const { used } = this.#parts.rows;
    let count = 0;
    for (const local of leaves) count += used[bucket.leafBase + local - bucket.leaves]!;
    return count;
  }

  /** Moves the rows of leaves, given as local nodes, to the moving ones, where `extra` more have room; returns how many they are. */
  #gather(bucket: Bucket, leaves: readonly number[], extra: number): number {
    const { rows, rowsByMachine } = this.#parts;
    this.#reserve(this.#rowsOf(bucket, leaves) + extra);
    let count = 0;
    for (const local of leaves) {
      const leaf = bucket.leafBase + local - bucket.leaves;
      for (let row = leaf * LEAF_ROWS; row < leaf * LEAF_ROWS + rows.used[leaf]!; row++) {
        rowsByMachine.move(rows.machineOf(row), row, NO_ROW);
        this.#moving.copyFrom(rows, count++, row);
      }
    }
    return count;
  }

  /** Places the first `count` moving rows as all rows of a bucket. */
  #placeAll(bucket: Bucket, count: number): void {
    this.#setPrices(bucket, count);
    this.#parts.buckets.makeRoom(bucket, leavesFor(count));
    bucket.rows = count;
    this.#place(bucket, 1, leavesBelow(1, bucket.leaves), count);
  }

  /** Places the first `count` moving rows in the leaves below a local node. */
  #place(bucket: Bucket, top: number, leaves: readonly number[], count: number): void {
    const clustering = this.#clustering;
    const { rows, rowsByMachine, treeBounds } = this.#parts;
    this.#measure(bucket, count);
    clustering.arrange(count, leaves.length);
    for (let index = 0; index < leaves.length; index++) {
      const leaf = bucket.leafBase + leaves[index]! - bucket.leaves;
      const from = clustering.leafStart[index]!;
      const to = clustering.leafEnd[index]!;
      rows.bucket[leaf] = bucket.number;
      rows.used[leaf] = to - from;
      for (let at = from; at < to; at++) {
        const row = leaf * LEAF_ROWS + at - from;
        rows.copyFrom(this.#moving, row, clustering.order[at]!);
        rowsByMachine.add(rows.machineOf(row), row);
      }
    }
    treeBounds.boundBelow(bucket, top, leaves);
    for (const local of bucket.misplaced.keys()) if (isBelow(local, top)) bucket.misplaced.delete(local);
  }

  #measure(bucket: Bucket, count: number): void {
    const { market, policy } = this.#parts;
    const { measures } = this.#clustering;
    const { isGpu } = bucket.forest;
    const row = this.#row;
    const pricePoints = (policy.weightPriceBps * SCALE) / bucket.typicalPrice;
    const sets = new Map<number, number>();
    for (let position = 0; position < count; position++) {
      const at = position * MEASURES;
      const attributes = this.#moving.attributes.of(position);
      this.#moving.read(position, isGpu, row);
      sets.set(attributes, (sets.get(attributes) ?? 0) + 1);
      measures[at] = -pricePoints * row.referencePrice;
      measures[at + 1] = row.standing;
      measures[at + 2] = row.complianceBps * (SCALE / 2);
      measures[at + 3] = policy.weightFitBps * fitMeasure(row.total, isGpu);
      measures[at + 4] = attributes;
      measures[at + 5] = market.providerId[this.#moving.machineOf(position)]!;
    }
    // Where sets are few, rows of one set go together, so that a node lacks what all of its rows lack.
    const setWeight = sets.size > 1 && sets.size * ROWS_PER_SET <= count ? SCALE * SCALE : 0;
    for (let position = 0; position < count; position++) measures[position * MEASURES + 4]! *= setWeight;
  }

  /** Sets a bucket's typical prices to the medians of a sample of the moving rows, and its least prices to theirs. */
  #setPrices(bucket: Bucket, count: number): void {
    const { isGpu } = bucket.forest;
    const moving = this.#moving;
    const row = this.#row;
    const prices = this.#prices;
    const references: number[] = [];
    const cores: number[] = [];
    const step = Math.max(1, Math.floor(count / PRICE_SAMPLE));
    clearLeastPrices(bucket);
    for (let position = 0; position < count; position++) {
      moving.read(position, isGpu, row);
      moving.readPrices(position, prices);
      lowerLeastPrices(bucket, row.referencePrice, prices);
      if (position % step !== 0) continue;
      references.push(row.referencePrice);
      cores.push(row.corePrice);
    }
    bucket.typicalPrice = Math.max(1, median(references));
    bucket.typicalCore = Math.max(1, median(cores));
    bucket.forest.lowerTypicalPrices(bucket);
  }
}

/** Whether a bucket of so many rows and leaves is to be placed anew before it is full. */
export function isNearlyFull(rows: number, leaves: number): boolean {
  return rows > leaves * FULL_LEAF_ROWS;
}

/** Whether a local node is another one or below it. */
function isBelow(local: number, top: number): boolean {
  const levels = Math.clz32(top) - Math.clz32(local);
  return levels >= 0 && local >> levels === top;
}

/** The leaves below a local node of a tree with so many, as local nodes, those on the deepest level last. */
function leavesBelow(local: number, leaves: number): number[] {
  const found: number[] = [];
  for (let first = local, count = 1; first < 2 * leaves; first *= 2, count *= 2) {
    for (let at = Math.max(first, leaves); at < Math.min(first + count, 2 * leaves); at++) found.push(at);
  }
  return found;
}

/** Fit points of a typical order, up to SCALE, for `free` as rows keep it; what is used up stands far from the rest. */
function fitMeasure(free: number, isGpu: boolean): number {
  if (free === 0) return -SCALE;
  const need = isGpu ? WHOLE_DEVICE : TYPICAL_CPU_MILLI >>> CPU_SHIFT;
  return (SCALE * need) / Math.max(need, free);
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >>> 1] ?? 1;
}

function leavesFor(rows: number): number {
  return Math.max(1, Math.ceil(rows / ROWS_AFTER_CLUSTERING));
}
