import type { Market } from '../market.js';
import type { Bucket } from './bucket.js';
import { offerOf } from './liveOffers.js';
import { ROW_NODE, SPARE_NODE } from './nodeTable.js';
import type { NodeTable } from './nodeTable.js';
import type { RowBounds } from './rowBounds.js';
import { LEAF_ROWS } from './rowTable.js';
import type { RowTable } from './rowTable.js';

/** Keeps what every node of the buckets' and forests' trees says above all rows below it. */
export class TreeBounds {
  readonly #market: Market;
  readonly #nodes: NodeTable;
  readonly #rows: RowTable;
  readonly #rowBounds: RowBounds;

  constructor(market: Market, nodes: NodeTable, rows: RowTable, rowBounds: RowBounds) {
    this.#market = market;
    this.#nodes = nodes;
    this.#rows = rows;
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

  /** Bounds a leaf by its rows alone, then every node above it by its children, up to the first that stays as it was. */
  tighten(bucket: Bucket, leaf: number): void {
    const nodes = this.#nodes;
    const rows = this.#rows;
    const local = bucket.leaves + leaf - bucket.leafBase;
    const node = bucket.nodeBase + local;
    nodes.clear(node);
    for (let row = leaf * LEAF_ROWS; row < leaf * LEAF_ROWS + rows.used[leaf]!; row++) {
      const machineId = rows.machineOf(row);
      this.#rowBounds.load(machineId, offerOf(this.#market, machineId, bucket.forest.tokenId), bucket);
      nodes.absorb(node, ROW_NODE);
    }
    for (let above = local >> 1; above >= 1; above >>= 1) if (!this.#bound(bucket, above)) return;
    this.#boundForest(bucket);
  }

  /** Bounds all nodes above a bucket's leaves. */
  boundAll(bucket: Bucket): void {
    for (let local = bucket.leaves - 1; local >= 1; local--) this.#bound(bucket, local);
    this.#boundForest(bucket);
  }

  #boundForest({ forest, position }: Bucket): void {
    if (forest.isStale) return;
    const nodes = this.#nodes;
    for (let above = (position + forest.buckets.length) >> 1; above >= 1; above >>= 1) {
      const node = forest.nodeBase + above;
      nodes.copy(SPARE_NODE, node);
      forest.bound(nodes, above);
      if (nodes.isSame(SPARE_NODE, node)) return;
    }
  }

  /** Bounds a local node by its children; whether that changed it. */
  #bound(bucket: Bucket, local: number): boolean {
    const nodes = this.#nodes;
    const node = bucket.nodeBase + local;
    nodes.copy(SPARE_NODE, node);
    nodes.copy(node, bucket.nodeBase + 2 * local);
    nodes.absorb(node, bucket.nodeBase + 2 * local + 1);
    return !nodes.isSame(SPARE_NODE, node);
  }
}
