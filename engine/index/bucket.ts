import type { NodeTable } from './nodeTable.js';

/**
 * All rows of one token, GPU model and region, in a tree whose local nodes are numbered as in a heap: 1 is the root, the children of i are
 * 2i and 2i + 1, and the leaves are `leaves` .. 2 x `leaves` - 1.
 */
export interface Bucket {
  readonly number: number;
  readonly forest: Forest;
  readonly model: number;
  readonly region: number;
  /** Place among the forest's sorted buckets. */
  position: number;
  /** Local node i is node `nodeBase` + i of the table. */
  nodeBase: number;
  leaves: number;
  /** First leaf in the row table. */
  leafBase: number;
  rows: number;
  /** By local node how many rows came to lie far from their place since the rows below it were clustered: see RowFollower. */
  readonly misplaced: Map<number, number>;
  /** The reference price, and the price of a core, that the samples of envelopes are placed by; at least 1. */
  typicalPrice: number;
  typicalCore: number;
  /** Lower bounds of the unit prices of all rows. */
  leastMemory: number;
  leastStorage: number;
  /** Lower bounds of each unit price over the row's own reference price, which share what makes a provider dear. */
  leastGpuRatio: number;
  leastCoreRatio: number;
  leastMemoryRatio: number;
  leastStorageRatio: number;
  /** Upper bounds of two of them. */
  mostCoreRatio: number;
  mostMemoryRatio: number;
}

/** All buckets of one token and kind, under a tree of the same shape whose leaves are the buckets' roots. */
export class Forest {
  readonly number: number;
  readonly tokenId: number;
  /** Whether the machines have GPUs. */
  readonly isGpu: boolean;
  /** Whether a machine of model 0 is among those with GPUs, so that an order without GPU may score for fit there. */
  hasModelZero = false;
  /** At most the typical prices of each bucket. */
  typicalPrice = Infinity;
  typicalCore = Infinity;
  /** Ascending by model, then region. */
  buckets: Bucket[] = [];
  nodeBase = 0;
  /** By local node above the buckets: OR of 1 << (region >> 5), and of 1 << (region & 31). */
  regionGroups = new Uint32Array(0);
  regionResidues = new Uint32Array(0);
  /** By model the places [from, to) of its buckets. */
  places = new Map<number, { from: number; to: number }>();
  /** Region of the bucket at each place. */
  regions = new Uint16Array(0);
  isStale = false;

  constructor(number: number, tokenId: number, isGpu: boolean) {
    this.number = number;
    this.tokenId = tokenId;
    this.isGpu = isGpu;
  }

  /** Sorts the buckets and bounds them from below; `nodeBase` has room for as many nodes as there are buckets. */
  rebuild(nodes: NodeTable, nodeBase: number): void {
    const { buckets } = this;
    this.nodeBase = nodeBase;
    buckets.sort((a, b) => a.model - b.model || a.region - b.region);
    this.places.clear();
    this.hasModelZero = this.isGpu && buckets[0]?.model === 0;
    this.typicalPrice = Infinity;
    this.typicalCore = Infinity;
    buckets.forEach((bucket, position) => {
      this.lowerTypicalPrices(bucket);
      bucket.position = position;
      const places = this.places.get(bucket.model);
      if (places === undefined) this.places.set(bucket.model, { from: position, to: position + 1 });
      else places.to = position + 1;
    });
    this.regions = Uint16Array.from(buckets, ({ region }) => region);
    const count = buckets.length;
    this.regionGroups = new Uint32Array(count);
    this.regionResidues = new Uint32Array(count);
    for (let local = count - 1; local >= 1; local--) {
      this.bound(nodes, local);
      this.regionGroups[local] = this.#groupsOf(2 * local) | this.#groupsOf(2 * local + 1);
      this.regionResidues[local] = this.#residuesOf(2 * local) | this.#residuesOf(2 * local + 1);
    }
    this.isStale = false;
  }

  /** Keeps the typical prices at most those of a bucket. */
  lowerTypicalPrices(bucket: Bucket): void {
    this.typicalPrice = Math.min(this.typicalPrice, bucket.typicalPrice);
    this.typicalCore = Math.min(this.typicalCore, bucket.typicalCore);
  }

  /** Node in the table of a local node; beyond the forest's own nodes the root of a bucket. */
  nodeOf(local: number): number {
    const count = this.buckets.length;
    return local < count ? this.nodeBase + local : this.buckets[local - count]!.nodeBase + 1;
  }

  /** Bounds a local node by its two children. */
  bound(nodes: NodeTable, local: number): void {
    const node = this.nodeBase + local;
    nodes.copy(node, this.nodeOf(2 * local));
    nodes.absorb(node, this.nodeOf(2 * local + 1));
  }

  #groupsOf(local: number): number {
    const count = this.buckets.length;
    return local < count ? this.regionGroups[local]! : 1 << (this.buckets[local - count]!.region >> 5);
  }

  #residuesOf(local: number): number {
    const count = this.buckets.length;
    return local < count ? this.regionResidues[local]! : 1 << (this.buckets[local - count]!.region & 31);
  }
}
