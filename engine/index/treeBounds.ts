import type { Bucket, Forest } from './bucket.js';
import type { BucketTable } from './bucketTable.js';
import { ROW_NODE, SPARE_NODE } from './nodeTable.js';
import type { NodeTable } from './nodeTable.js';
import type { RowBounds } from './rowBounds.js';
import type { RowTable } from './rowTable.js';

/** Keeps what every node of the buckets' and forests' trees says above all rows below it. */
export class TreeBounds {
  readonly #nodes: NodeTable;
  readonly #buckets: BucketTable;
  readonly #rows: RowTable;
  readonly #rowBounds: RowBounds;
  /** Local nodes of the tree at hand that are to be bounded anew. */
  readonly #bucketNodes = new PendingNodes();
  readonly #forestNodes = new Map<Forest, PendingNodes>();

  constructor(nodes: NodeTable, rows: RowTable, buckets: BucketTable, rowBounds: RowBounds) {
    this.#nodes = nodes;
    this.#rows = rows;
    this.#buckets = buckets;
    this.#rowBounds = rowBounds;
  }

  /** Widens a local node and all above it by ROW_NODE. */
  widen(bucket: Bucket, local: number): void {
    const nodes = this.#nodes;
    for (let above = local; above >= 1; above >>= 1) {
      if (!nodes.absorb(bucket.nodeBase + above, ROW_NODE)) return;
    }
    const { forest } = bucket;
    if (forest.isStale) return;
    for (let above = (bucket.position + forest.buckets.length) >> 1; above >= 1; above >>= 1) {
      if (!nodes.absorb(forest.nodeBase + above, ROW_NODE)) return;
    }
  }

  /**
   * Bounds leaves, given ascending, by the rows that they have now, then the nodes above them, each once and only where a child changed.
   * `isWhole` says whether for filters too, which takes a look at every machine. Leaves that no bucket has any more are passed over.
   */
  tighten(leaves: Uint32Array, isWhole: boolean): void {
    let last: Bucket | undefined;
    for (const leaf of leaves) {
      const bucket = this.#buckets.bucketOf(leaf);
      if (leaf < bucket.leafBase || leaf >= bucket.leafBase + bucket.leaves) continue;
      if (last !== undefined && last !== bucket) this.#boundPending(last, false);
      last = bucket;
      const local = bucket.leaves + leaf - bucket.leafBase;
      if (this.#tightenLeaf(bucket, leaf, bucket.nodeBase + local, isWhole)) this.#bucketNodes.add(local >> 1);
    }
    if (last !== undefined) this.#boundPending(last, false);
    this.#boundForests();
  }

  /** Bounds anew all nodes from the local node `top` of a bucket down to the given leaves, local nodes too, and what is above it. */
  boundBelow(bucket: Bucket, top: number, leaves: readonly number[]): void {
    for (const local of leaves) {
      this.#rowBounds.boundLeaf(bucket, bucket.leafBase + local - bucket.leaves, bucket.nodeBase + local);
      // What the nodes said before may stem from another tree, so none is passed over for having stayed as it was.
      for (let above = local >> 1; above >= top; above >>= 1) this.#bucketNodes.add(above);
    }
    this.#bucketNodes.add(top >> 1);
    this.#boundPending(bucket, top === 1);
    this.#boundForests();
  }

  #tightenLeaf(bucket: Bucket, leaf: number, node: number, isWhole: boolean): boolean {
    const nodes = this.#nodes;
    nodes.copy(SPARE_NODE, node);
    if (isWhole || this.#rows.used[leaf] === 0) this.#rowBounds.boundLeaf(bucket, leaf, node);
    else this.#rowBounds.boundScores(bucket, leaf, node);
    return !nodes.isSame(SPARE_NODE, node);
  }

  /** Bounds the pending nodes of a bucket from below, and leaves the forest's to be bounded. */
  #boundPending(bucket: Bucket, isRootNew: boolean): void {
    const nodes = this.#nodes;
    const { nodeBase, forest } = bucket;
    const pending = this.#bucketNodes;
    let isRootChanged = isRootNew || bucket.leaves === 1;
    for (let local = pending.take(); local >= 1; local = pending.take()) {
      const node = nodeBase + local;
      nodes.copy(SPARE_NODE, node);
      nodes.copy(node, nodeBase + 2 * local);
      nodes.absorb(node, nodeBase + 2 * local + 1);
      if (nodes.isSame(SPARE_NODE, node)) continue;
      if (local === 1) isRootChanged = true;
      else pending.add(local >> 1);
    }
    if (!isRootChanged || forest.isStale) return;
    let above = this.#forestNodes.get(forest);
    if (above === undefined) {
      above = new PendingNodes();
      this.#forestNodes.set(forest, above);
    }
    above.add((bucket.position + forest.buckets.length) >> 1);
  }

  #boundForests(): void {
    const nodes = this.#nodes;
    for (const [forest, pending] of this.#forestNodes) {
      for (let local = pending.take(); local >= 1; local = pending.take()) {
        const node = forest.nodeBase + local;
        nodes.copy(SPARE_NODE, node);
        forest.bound(nodes, local);
        if (!nodes.isSame(SPARE_NODE, node)) pending.add(local >> 1);
      }
    }
  }
}

/** Local nodes of a tree, taken highest first, so that each comes after all below it. */
class PendingNodes {
  #marks = new Uint32Array(8);
  /** No word above this one has a mark. */
  #top = 0;

  /** Adds a local node; 0, which is above the root, is none. */
  add(local: number): void {
    const word = local >>> 5;
    if (word >= this.#marks.length) {
      const bigger = new Uint32Array(Math.max(word + 1, 2 * this.#marks.length));
      bigger.set(this.#marks);
      this.#marks = bigger;
    }
    this.#marks[word]! |= 1 << (local & 31);
    if (word > this.#top) this.#top = word;
  }

  /** Takes the highest local node; 0 when there is none left. */
  take(): number {
    while (this.#top > 0 && this.#marks[this.#top] === 0) this.#top--;
    const marks = this.#marks[this.#top]!;
    if (marks === 0) return 0;
    const bit = 31 - Math.clz32(marks);
    this.#marks[this.#top]! &= ~(1 << bit);
    return this.#top * 32 + bit;
  }
}
