import type { Market } from '../market.js';
import { Forest } from './bucket.js';
import type { Bucket } from './bucket.js';
import { hasGpu } from './liveOffers.js';
import { FIRST_NODE } from './nodeTable.js';
import type { NodeTable } from './nodeTable.js';
import { withReserve } from './reserve.js';
import type { RowTable } from './rowTable.js';

const MODELS = 1024;
const REGIONS = 1024;

/** All buckets and forests, and where their leaves and nodes are in the tables. */
export class BucketTable {
  readonly buckets: Bucket[] = [];
  readonly forests: Forest[] = [];
  readonly #market: Market;
  readonly #nodes: NodeTable;
  readonly #rows: RowTable;
  readonly #forestsByKey = new Map<number, Forest>();
  readonly #bucketsByKey = new Map<number, Bucket>();
  readonly #freeRuns = new Map<number, { nodeBase: number; leafBase: number }[]>();
  #nodeTop = FIRST_NODE;
  #leafTop = 0;

  constructor(market: Market, nodes: NodeTable, rows: RowTable) {
    this.#market = market;
    this.#nodes = nodes;
    this.#rows = rows;
  }

  /** Bucket of a leaf's rows. */
  bucketOf(leaf: number): Bucket {
    return this.buckets[this.#rows.bucket[leaf]!]!;
  }

  /** The forest of a token with or without GPUs; undefined when no machine is in it. */
  forestOf(tokenId: number, isGpu: boolean): Forest | undefined {
    return this.#forestsByKey.get(tokenId * 2 + Number(isGpu));
  }

  /** The bucket for a machine's row for a token, made when there is none yet. */
  bucketFor(machineId: number, tokenId: number): Bucket {
    const model = this.#market.model[machineId]!;
    const region = this.#market.region[machineId]!;
    const forestKey = tokenId * 2 + Number(hasGpu(this.#market, machineId));
    const key = (forestKey * MODELS + model) * REGIONS + region;
    const known = this.#bucketsByKey.get(key);
    if (known !== undefined) return known;
    let forest = this.#forestsByKey.get(forestKey);
    if (forest === undefined) {
      forest = new Forest(this.forests.length, tokenId, forestKey % 2 === 1);
      this.forests.push(forest);
      this.#forestsByKey.set(forestKey, forest);
    }
    const bucket: Bucket = {
      number: this.buckets.length,
      forest,
      model,
      region,
      position: forest.buckets.length,
      nodeBase: 0,
      leaves: 0,
      leafBase: 0,
      rows: 0,
      misplaced: new Map(),
      typicalPrice: 1,
      typicalCore: 1,
      leastMemory: Infinity,
      leastStorage: Infinity,
      leastGpuRatio: Infinity,
      leastCoreRatio: Infinity,
      leastMemoryRatio: Infinity,
      leastStorageRatio: Infinity,
      mostCoreRatio: 0,
      mostMemoryRatio: 0,
    };
    this.buckets.push(bucket);
    this.#bucketsByKey.set(key, bucket);
    forest.buckets.push(bucket);
    forest.isStale = true;
    return bucket;
  }

  /** Makes room for `leaves` leaves in all buckets together, in tables that hold nothing yet. */
  reserve(leaves: number): void {
    this.#rows.grow(leaves);
    this.#nodes.grow(FIRST_NODE + 2 * leaves + this.buckets.length);
  }

  /** Gives a bucket, whose rows are then nowhere, room for `leaves` leaves. */
  makeRoom(bucket: Bucket, leaves: number): void {
    if (bucket.leaves === leaves) return;
    if (bucket.leaves > 0) this.#release(bucket);
    const run = this.#freeRuns.get(leaves)?.pop();
    if (run === undefined) {
      bucket.leafBase = this.#leafTop;
      bucket.nodeBase = this.#takeNodes(2 * leaves);
      this.#leafTop += leaves;
      if (this.#leafTop > this.#rows.leaves) this.#rows.grow(withReserve(this.#leafTop));
    } else {
      bucket.leafBase = run.leafBase;
      bucket.nodeBase = run.nodeBase;
    }
    bucket.leaves = leaves;
  }

  /** Sorts the buckets of forests that have new ones, and bounds them. */
  rebuildStaleForests(): void {
    for (const forest of this.forests) {
      if (forest.isStale) forest.rebuild(this.#nodes, this.#takeNodes(forest.buckets.length));
    }
  }

  #release({ leaves, nodeBase, leafBase }: Bucket): void {
    const runs = this.#freeRuns.get(leaves);
    if (runs === undefined) this.#freeRuns.set(leaves, [{ nodeBase, leafBase }]);
    else runs.push({ nodeBase, leafBase });
  }

  #takeNodes(count: number): number {
    const base = this.#nodeTop;
    this.#nodeTop += count;
    if (this.#nodeTop > this.#nodes.count) this.#nodes.grow(withReserve(this.#nodeTop));
    return base;
  }
}
