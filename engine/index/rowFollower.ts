import { OFFERS_PER_MACHINE } from '../market.js';
import type { Market } from '../market.js';
import { standingOf } from '../roundTerms.js';
import type { Bucket } from './bucket.js';
import type { BucketBuilder } from './bucketBuilder.js';
import type { BucketTable } from './bucketTable.js';
import { IdLog } from './idLog.js';
import { isOffered, keptOffer } from './liveOffers.js';
import type { MachinesByProvider } from './machinesByProvider.js';
import { ROW_NODE, SPARE_NODE } from './nodeTable.js';
import type { NodeTable } from './nodeTable.js';
import type { RoundBoundaries } from './roundBoundaries.js';
import type { RowBounds } from './rowBounds.js';
import type { RowsByMachine } from './rowsByMachine.js';
import { LEAF_ROWS, LEAF_SHIFT, NO_ROW } from './rowTable.js';
import type { RowTable } from './rowTable.js';
import type { TreeBounds } from './treeBounds.js';

/** What a follower works on. */
export interface FollowerParts {
  readonly market: Market;
  readonly nodes: NodeTable;
  readonly rows: RowTable;
  readonly rowsByMachine: RowsByMachine;
  readonly machinesByProvider: MachinesByProvider;
  readonly boundaries: RoundBoundaries;
  readonly buckets: BucketTable;
  readonly builder: BucketBuilder;
  readonly rowBounds: RowBounds;
  readonly treeBounds: TreeBounds;
}

/** Takes over into the rows and trees what machines were changed to. */
export class RowFollower {
  readonly #parts: FollowerParts;
  readonly #entering = new IdLog();
  readonly #looseLeaves = new IdLog();
  readonly #worn = new Set<Bucket>();
  readonly #ownRows = new Uint32Array(OFFERS_PER_MACHINE);

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  /** Brings the rows of all touched machines to what the machines are now. */
  follow(touched: IdLog): void {
    const { buckets, builder, treeBounds } = this.#parts;
    // To enter a full bucket clusters all its rows, so by then none may be left that its machine no longer stands behind.
    touched.drain((machineId) => this.#update(machineId));
    this.#entering.drain((machineId) => this.#enterOffers(machineId));
    for (const bucket of this.#worn) builder.recluster(bucket);
    this.#worn.clear();
    builder.release();
    this.#looseLeaves.drain((leaf) => {
      const bucket = buckets.bucketOf(leaf);
      if (leaf >= bucket.leafBase && leaf < bucket.leafBase + bucket.leaves) treeBounds.tighten(bucket, leaf);
    });
    buckets.rebuildStaleForests();
  }

  #update(machineId: number): void {
    const { market, machinesByProvider, boundaries, rowsByMachine, buckets } = this.#parts;
    const own = this.#ownRows;
    if (machineId <= market.machineCount) {
      machinesByProvider.note(machineId);
      boundaries.note(machineId);
    }
    const isLive = machineId <= market.machineCount && standingOf(market, machineId, boundaries.round) === 0;
    let kept = 0;
    const count = rowsByMachine.read(machineId, own);
    for (let index = 0; index < count; index++) {
      const row = own[index]!;
      const bucket = buckets.bucketOf(row >>> LEAF_SHIFT);
      const offer = isLive ? keptOffer(market, machineId, bucket) : -1;
      if (offer < 0) {
        this.#remove(row, bucket);
      } else {
        kept |= 1 << (offer & (OFFERS_PER_MACHINE - 1));
        this.#renew(row, bucket, machineId, offer);
      }
    }
    if (!isLive) return;
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      if (((kept >> index) & 1) === 0 && isOffered(market, machineId, index)) this.#entering.note(machineId);
    }
  }

  /** Gives a machine that takes part a row for each offer that has none. */
  #enterOffers(machineId: number): void {
    const { market, rowsByMachine, buckets } = this.#parts;
    const own = this.#ownRows;
    const count = rowsByMachine.read(machineId, own);
    const tokens = new Set<number>();
    for (let index = 0; index < count; index++) tokens.add(buckets.bucketOf(own[index]! >>> LEAF_SHIFT).forest.tokenId);
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      const offer = machineId * OFFERS_PER_MACHINE + index;
      const tokenId = market.offerTokenId[offer]!;
      if (!isOffered(market, machineId, index) || tokens.has(tokenId)) continue;
      this.#enter(machineId, offer, buckets.bucketFor(machineId, tokenId));
    }
  }

  #renew(row: number, bucket: Bucket, machineId: number, offer: number): void {
    const { nodes, rows, rowBounds, treeBounds } = this.#parts;
    rowBounds.load(machineId, offer, bucket);
    const leaf = row >>> LEAF_SHIFT;
    const home = bucket.leaves + leaf - bucket.leafBase;
    this.#looseLeaves.note(leaf);
    nodes.copy(SPARE_NODE, bucket.nodeBase + home);
    if (!nodes.absorb(SPARE_NODE, ROW_NODE)) {
      rows.write(row, machineId, rowBounds.values);
      return;
    }
    const place = this.#placeFor(bucket);
    if (place === home || rows.used[bucket.leafBase + place - bucket.leaves] === LEAF_ROWS) {
      if (place !== home) this.#wear(bucket);
      rows.write(row, machineId, rowBounds.values);
      treeBounds.widen(bucket, home);
      return;
    }
    this.#takeOut(row, leaf);
    this.#putIn(bucket, place, machineId);
  }

  #enter(machineId: number, offer: number, bucket: Bucket): void {
    const { builder, rowBounds } = this.#parts;
    if (bucket.leaves === 0) {
      builder.begin(bucket, machineId);
      return;
    }
    if (bucket.rows === bucket.leaves * LEAF_ROWS) {
      builder.regrow(bucket, machineId);
      return;
    }
    rowBounds.load(machineId, offer, bucket);
    const place = this.#placeFor(bucket);
    const free = this.#nearestFree(bucket, place);
    if (free !== place) this.#wear(bucket);
    bucket.rows++;
    this.#putIn(bucket, free, machineId);
  }

  #remove(row: number, bucket: Bucket): void {
    const leaf = row >>> LEAF_SHIFT;
    this.#looseLeaves.note(leaf);
    bucket.rows--;
    this.#takeOut(row, leaf);
  }

  /** Takes a row out of its leaf; the leaf's last row moves into its place. */
  #takeOut(row: number, leaf: number): void {
    const { rows, rowsByMachine } = this.#parts;
    const last = leaf * LEAF_ROWS + rows.used[leaf]! - 1;
    rowsByMachine.move(rows.machineOf(row), row, NO_ROW);
    if (row !== last) {
      rowsByMachine.move(rows.machineOf(last), last, row);
      rows.copy(row, last);
    }
    rows.used[leaf]! -= 1;
  }

  #putIn(bucket: Bucket, local: number, machineId: number): void {
    const { rows, rowsByMachine, rowBounds, treeBounds } = this.#parts;
    const leaf = bucket.leafBase + local - bucket.leaves;
    const row = leaf * LEAF_ROWS + rows.used[leaf]!;
    rows.used[leaf]! += 1;
    rows.write(row, machineId, rowBounds.values);
    rowsByMachine.add(machineId, row);
    treeBounds.widen(bucket, local);
  }

  /** The leaf, as a local node, whose envelope the row in ROW_NODE lifts least, of those that it does not lift the lowest. */
  #placeFor(bucket: Bucket): number {
    const { nodes } = this.#parts;
    let local = 1;
    while (local < bucket.leaves) {
      const left = bucket.nodeBase + 2 * local;
      const leftSum = nodes.envelopeSum(left);
      const rightSum = nodes.envelopeSum(left + 1);
      const leftRise = nodes.envelopeSumLifted(left, ROW_NODE) - leftSum;
      const rightRise = nodes.envelopeSumLifted(left + 1, ROW_NODE) - rightSum;
      const takesLeft = leftRise < rightRise || (leftRise === rightRise && leftSum < rightSum);
      local = takesLeft ? 2 * local : 2 * local + 1;
    }
    return local;
  }

  /** The leaf nearest to a leaf (both as local nodes) that has a free place; the bucket has one. */
  #nearestFree(bucket: Bucket, local: number): number {
    const { used } = this.#parts.rows;
    const first = bucket.leafBase - bucket.leaves;
    for (let distance = 0; ; distance++) {
      const before = local - distance;
      const after = local + distance;
      if (after < 2 * bucket.leaves && used[first + after]! < LEAF_ROWS) return after;
      if (before >= bucket.leaves && used[first + before]! < LEAF_ROWS) return before;
    }
  }

  #wear(bucket: Bucket): void {
    bucket.misplaced++;
    if (bucket.misplaced > LEAF_ROWS / 2 + (bucket.rows >>> 4)) this.#worn.add(bucket);
  }
}
