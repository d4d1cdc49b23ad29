import type { Market } from '../market.js';
import { SCALE } from '../policy.js';
import type { Policy } from '../policy.js';
import { WHOLE_DEVICE } from '../devices.js';
import type { Bucket } from './bucket.js';
import type { BucketTable } from './bucketTable.js';
import { Clustering, MEASURES } from './clustering.js';
import { belongs, forEachOffer, offerOf } from './liveOffers.js';
import { CPU_SHIFT, ROW_NODE } from './nodeTable.js';
import type { NodeTable } from './nodeTable.js';
import type { ProviderTerms } from './providerTerms.js';
import { referencePrice } from './rowBounds.js';
import type { RowBounds } from './rowBounds.js';
import type { RowsByMachine } from './rowsByMachine.js';
import { foldAttributes, LEAF_ROWS, NO_ROW } from './rowTable.js';
import type { RowTable } from './rowTable.js';
import type { TreeBounds } from './treeBounds.js';

/** Rows of a leaf after clustering; the rest of its places are for rows that move in. */
const ROWS_AFTER_CLUSTERING = 30;
/** Machines whose prices are looked at to find the typical price of a bucket. */
const PRICE_SAMPLE = 31;
/** Free cpu for which machines without GPU are compared. */
const TYPICAL_CPU_MILLI = 8000;
/** Rows for each attribute set of a bucket from which on rows are clustered by set. */
const ROWS_PER_SET = 64;

/** What a builder builds from and into. */
export interface BuilderParts {
  readonly market: Market;
  readonly policy: Policy;
  readonly nodes: NodeTable;
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

  constructor(parts: BuilderParts) {
    this.#parts = parts;
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
      this.#clustering.reserve(rows);
      this.#clustering.machines.set(machines.subarray(from, from + rows));
      this.#cluster(bucket, rows);
    }
    table.rebuildStaleForests();
    this.release();
  }

  /** Gives back what large buckets took to cluster. */
  release(): void {
    this.#clustering.release();
  }

  /** Fills a bucket that has no leaves with its first machine. */
  begin(bucket: Bucket, machineId: number): void {
    this.#clustering.reserve(1);
    this.#clustering.machines[0] = machineId;
    this.#cluster(bucket, 1);
  }

  /** Places a bucket's rows anew, and one more machine. */
  regrow(bucket: Bucket, machineId: number): void {
    const count = this.#gather(bucket, 1);
    this.#clustering.machines[count] = machineId;
    this.#cluster(bucket, count + 1);
  }

  /** Places a bucket's rows anew. */
  recluster(bucket: Bucket): void {
    this.#cluster(bucket, this.#gather(bucket, 0));
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

  #gather(bucket: Bucket, extra: number): number {
    const { rows, rowsByMachine } = this.#parts;
    this.#clustering.reserve(bucket.rows + extra);
    const { machines } = this.#clustering;
    let count = 0;
    for (let leaf = bucket.leafBase; leaf < bucket.leafBase + bucket.leaves; leaf++) {
      for (let row = leaf * LEAF_ROWS; row < leaf * LEAF_ROWS + rows.used[leaf]!; row++) {
        machines[count++] = rows.machineOf(row);
        rowsByMachine.move(rows.machineOf(row), row, NO_ROW);
      }
    }
    return count;
  }

  /** Places the machines that `#clustering` holds into the bucket, which has no rows (left). */
  #cluster(bucket: Bucket, count: number): void {
    const clustering = this.#clustering;
    const { market, rows, nodes, rowsByMachine, rowBounds, buckets, treeBounds } = this.#parts;
    this.#measure(bucket, count);
    buckets.makeRoom(bucket, leavesFor(count));
    clustering.arrange(count, bucket.leaves);
    bucket.rows = count;
    bucket.misplaced = 0;
    for (let index = 0; index < bucket.leaves; index++) {
      const leaf = bucket.leafBase + index;
      const node = bucket.nodeBase + bucket.leaves + index;
      const from = clustering.leafStart[index]!;
      const to = clustering.leafEnd[index]!;
      rows.bucket[leaf] = bucket.number;
      rows.used[leaf] = to - from;
      nodes.clear(node);
      for (let at = from; at < to; at++) {
        const machineId = clustering.machines[clustering.order[at]!]!;
        const row = leaf * LEAF_ROWS + at - from;
        rowBounds.load(machineId, offerOf(market, machineId, bucket.forest.tokenId), bucket);
        rows.write(row, machineId, rowBounds.values);
        rowsByMachine.add(machineId, row);
        nodes.absorb(node, ROW_NODE);
      }
    }
    treeBounds.boundAll(bucket);
  }

  #measure(bucket: Bucket, count: number): void {
    const { market, policy, providers, rowBounds } = this.#parts;
    const { machines, measures } = this.#clustering;
    const { isGpu, tokenId } = bucket.forest;
    this.#setTypicalPrices(bucket, count);
    const pricePoints = (policy.weightPriceBps * SCALE) / bucket.typicalPrice;
    const sets = new Map<number, number>();
    for (let position = 0; position < count; position++) {
      const machineId = machines[position]!;
      const provider = market.providerId[machineId]!;
      const offer = offerOf(market, machineId, tokenId);
      const at = position * MEASURES;
      const free = rowBounds.loadFree(machineId, bucket).total;
      const attributes = foldAttributes(market.attributesLow[provider]!, market.attributesHigh[provider]!);
      sets.set(attributes, (sets.get(attributes) ?? 0) + 1);
      measures[at] = -pricePoints * this.#referencePriceOf(offer, bucket);
      measures[at + 1] = providers.weightedStanding[provider]!;
      measures[at + 2] = providers.complianceBps[provider]! * (SCALE / 2);
      measures[at + 3] = policy.weightFitBps * fitMeasure(free, isGpu);
      measures[at + 4] = attributes;
      measures[at + 5] = provider;
    }
    // Where sets are few, rows of one set go together, so that a node lacks what all of its rows lack.
    const setWeight = sets.size > 1 && sets.size * ROWS_PER_SET <= count ? SCALE * SCALE : 0;
    for (let position = 0; position < count; position++) measures[position * MEASURES + 4]! *= setWeight;
  }

  /** Reference price of an offer in the market's columns. */
  #referencePriceOf(offer: number, bucket: Bucket): number {
    const { market } = this.#parts;
    return referencePrice(
      bucket,
      market.offerGpuMicroPerHour[offer]!,
      market.offerCoreMicroPerHour[offer]!,
      market.offerMemoryGibMicroPerHour[offer]!,
    );
  }

  /** Sets a bucket's typical prices to the medians of a sample of the machines that `#clustering` holds. */
  #setTypicalPrices(bucket: Bucket, count: number): void {
    const { market } = this.#parts;
    const { machines } = this.#clustering;
    const prices: number[] = [];
    const cores: number[] = [];
    const step = Math.max(1, Math.floor(count / PRICE_SAMPLE));
    for (let position = 0; position < count; position += step) {
      const offer = offerOf(market, machines[position]!, bucket.forest.tokenId);
      prices.push(this.#referencePriceOf(offer, bucket));
      cores.push(market.offerCoreMicroPerHour[offer]!);
    }
    bucket.typicalPrice = Math.max(1, median(prices));
    bucket.typicalCore = Math.max(1, median(cores));
    bucket.leastMemory = Infinity;
    bucket.leastStorage = Infinity;
    bucket.leastGpuRatio = Infinity;
    bucket.leastCoreRatio = Infinity;
    bucket.leastMemoryRatio = Infinity;
    bucket.leastStorageRatio = Infinity;
    bucket.forest.lowerTypicalPrices(bucket);
  }
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
