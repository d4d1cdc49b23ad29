import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../market.js';
import type { Market } from '../market.js';
import { standingOf } from '../roundTerms.js';
import type { Bucket } from './bucket.js';
import { isNearlyFull } from './bucketBuilder.js';
import type { BucketBuilder } from './bucketBuilder.js';
import type { BucketTable } from './bucketTable.js';
import { ChangedRows } from './changedRows.js';
import { IdLog } from './idLog.js';
import { LEAF_ROWS, LEAF_SHIFT, PLACE_BITS } from './leafRows.js';
import { isOffered, keptOffer } from './liveOffers.js';
import type { MachinesByProvider } from './machinesByProvider.js';
import { ROW_NODE } from './nodeTable.js';
import type { NodeTable } from './nodeTable.js';
import type { RoundBoundaries } from './roundBoundaries.js';
import type { RowBounds } from './rowBounds.js';
import type { RowsByMachine } from './rowsByMachine.js';
import { NO_ROW } from './rowTable.js';
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

/** Of the leaves to tighten, and of the rows to cluster anew, so many a changed machine are done at once; the rest waits. */
const LEAVES_PER_CHANGE = 1 / 8;
const ROWS_PER_CHANGE = 1 / 4;
/** Rows that may be clustered anew at once; until there are so many, changes of several rounds add up. */
const MOST_ROWS = 4096;
/** Machines that are read before the first of their rows is brought to the index. */
const MACHINES_AT_ONCE = 65_536;
/** Machines whose values are read before the first of them is brought to the index. */
const READ_AHEAD = 128;
/** Machines whose rows are brought up to date in the time in which a leaf is tightened. */
const MACHINES_PER_LEAF = 4;
/** Levels of nodes above a leaf up to the one below which rows are clustered anew together. */
const WARD_LEVELS = 6;
/** Leaves from its place on at which a row counts as misplaced. */
const FAR_LEAVES = 3;
/** No local node. */
const NO_LEAF = -1;

/** Takes over into the rows and trees what machines were changed to. */
export class RowFollower {
  readonly #parts: FollowerParts;
  readonly #entering = new IdLog();
  /** Leaves whose bounds may be wider than their rows: those of prices and scores, and those of filters. */
  readonly #looseScores = new IdLog();
  readonly #looseFilters = new IdLog();
  /** Below which local nodes rows are to be clustered anew, in the order in which they wore out. */
  #worn: { readonly bucket: Bucket; readonly local: number }[] = [];
  #savedRows = 0;
  readonly #aheadProviders = new Uint32Array(READ_AHEAD);
  /** Takes what is read ahead, so that the reads are not left out as without effect. */
  readonly #ahead = new Uint32Array(1);
  readonly #ownRows = new Uint32Array(OFFERS_PER_MACHINE);
  readonly #changed: ChangedRows;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#changed = new ChangedRows(parts.rows.standingUnit);
  }

  /** Brings the rows of all touched machines to what the machines are now, and does a little of what was left to do before. */
  follow(touched: IdLog): void {
    const { builder, treeBounds } = this.#parts;
    const changes = touched.count;
    // What these changes wear out and loosen is for `maintain` to do; only where it has not done with what was before is it done here.
    const isWorn = this.#worn.length > 0;
    const looseLeaves = this.#looseScores.count;
    while (touched.count > 0) this.#followSome(touched.take(MACHINES_AT_ONCE));
    this.#enterAll();
    this.#savedRows = Math.min(MOST_ROWS, this.#savedRows + changes * ROWS_PER_CHANGE);
    if (isWorn) {
      this.#savedRows -= this.#recluster(this.#savedRows);
      builder.release();
    }
    const leaves = Math.min(looseLeaves, Math.ceil(changes * LEAVES_PER_CHANGE));
    if (leaves > 0) treeBounds.tighten(this.#looseScores.take(leaves), false);
  }

  /**
   * Brings rows of touched machines to what the machines are now, in steps; when none is left, does some of what rounds left: clusters the
   * rows of one place anew, or tightens up to `leaves` leaves. Whether there is more to do.
   */
  maintain(touched: IdLog, leaves: number): boolean {
    if (touched.count > 0) {
      this.#followSome(touched.take(leaves * MACHINES_PER_LEAF));
      this.#enterAll();
      return true;
    }
    if (this.#recluster(Infinity) > 0) {
      this.#parts.builder.release();
      return true;
    }
    const areScoresLoose = this.#looseScores.count > 0;
    this.#parts.treeBounds.tighten(
      (areScoresLoose ? this.#looseScores : this.#looseFilters).take(leaves),
      !areScoresLoose,
    );
    return this.#looseScores.count > 0 || this.#looseFilters.count > 0;
  }

  /**
   * Gives rows to the machines that were found without. Where not all touched machines were read, rows that their machines no longer stand
   * behind may move along into a bucket that is placed anew; they are brought up to date when their machines are.
   */
  #enterAll(): void {
    this.#changed.release();
    this.#entering.drain((machineId) => this.#enterOffers(machineId));
    this.#parts.buckets.rebuildStaleForests();
    this.#parts.builder.release();
  }

  /** Clusters the rows of the place that wore out first anew if they are at most `most`; returns how many they are, else 0. */
  #recluster(most: number): number {
    for (let place = this.#worn.shift(); place !== undefined; place = this.#worn.shift()) {
      if (!place.bucket.misplaced.has(place.local)) continue;
      const placed = this.#parts.builder.recluster(place.bucket, place.local, most);
      if (placed === 0) this.#worn.push(place);
      return placed;
    }
    return 0;
  }

  /** Reads ascending machines, then brings their rows to what was read. */
  #followSome(machines: Uint32Array): void {
    const { buckets } = this.#parts.buckets;
    this.#changed.reserve(machines.length);
    for (let from = 0; from < machines.length; from += READ_AHEAD) {
      const some = machines.subarray(from, from + READ_AHEAD);
      this.#changed.reserve(this.#changed.next + some.length * OFFERS_PER_MACHINE);
      this.#readAhead(some);
      for (const machineId of some) this.#read(machineId);
    }
    this.#changed.drain((place, bucket, row) => this.#renew(place, buckets[bucket]!, row));
  }

  /**
   * Reads what updates of machines are going to read, column by column: machines lie far apart, and of one column the memory fetches many
   * values at a time, where one machine after the other would wait for each value.
   */
  #readAhead(machines: Uint32Array): void {
    const { market, rowsByMachine, machinesByProvider } = this.#parts;
    const providers = this.#aheadProviders;
    const { providerId, activeFromRound, activeUntilRound, model, region, freeMemoryMib, freeCpuMilli } = market;
    const { freeMilliGpu, offerTokenId, offerGpuMicroPerHour, offerCoreMicroPerHour } = market;
    const { offerMemoryGibMicroPerHour, offerStorageTibMicroPerHour } = market;
    const count = machines.length;
    let read = 0;
    for (let at = 0; at < count; at++) providers[at] = providerId[machines[at]!] ?? 0;
    for (let at = 0; at < count; at++) read ^= activeFromRound[machines[at]!]!;
    for (let at = 0; at < count; at++) read ^= activeUntilRound[machines[at]!]!;
    for (let at = 0; at < count; at++) read ^= model[machines[at]!]!;
    for (let at = 0; at < count; at++) read ^= region[machines[at]!]!;
    for (let at = 0; at < count; at++) read ^= freeMemoryMib[machines[at]!]!;
    for (let at = 0; at < count; at++) read ^= freeCpuMilli[machines[at]!]!;
    for (let at = 0; at < count; at++) read ^= freeMilliGpu[machines[at]! * DEVICES_PER_MACHINE]!;
    for (let at = 0; at < count; at++) read ^= offerTokenId[machines[at]! * OFFERS_PER_MACHINE]!;
    for (let at = 0; at < count; at++) read ^= offerGpuMicroPerHour[machines[at]! * OFFERS_PER_MACHINE]!;
    for (let at = 0; at < count; at++) read ^= offerCoreMicroPerHour[machines[at]! * OFFERS_PER_MACHINE]!;
    for (let at = 0; at < count; at++) read ^= offerMemoryGibMicroPerHour[machines[at]! * OFFERS_PER_MACHINE]!;
    for (let at = 0; at < count; at++) read ^= offerStorageTibMicroPerHour[machines[at]! * OFFERS_PER_MACHINE]!;
    const { attributesLow, attributesHigh, uptimeBps, reputationBps, slashes, tier, status } = market;
    for (let at = 0; at < count; at++) read ^= status[providers[at]!]!;
    for (let at = 0; at < count; at++) read ^= attributesLow[providers[at]!]! ^ attributesHigh[providers[at]!]!;
    for (let at = 0; at < count; at++) read ^= uptimeBps[providers[at]!]! ^ reputationBps[providers[at]!]!;
    for (let at = 0; at < count; at++) read ^= slashes[providers[at]!]! ^ tier[providers[at]!]!;
    for (let at = 0; at < count; at++) read ^= rowsByMachine.entryOf(machines[at]!);
    this.#ahead[0]! ^= read;
    for (let at = 0; at < count; at++) if (machines[at]! <= market.machineCount) machinesByProvider.note(machines[at]!);
  }

  /** Reads what the rows of a machine are to become; takes out those for which it has no offer, and notes offers that have none. */
  #read(machineId: number): void {
    const { market, boundaries, rowsByMachine, buckets } = this.#parts;
    const own = this.#ownRows;
    let isLive = false;
    if (machineId <= market.machineCount) {
      boundaries.note(machineId);
      isLive = standingOf(market, machineId, boundaries.round) === 0;
    }
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
        this.#readRow(row, bucket, machineId, offer);
      }
    }
    if (!isLive) return;
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      if (((kept >> index) & 1) === 0 && isOffered(market, machineId, index)) this.#entering.note(machineId);
    }
  }

  #readRow(row: number, bucket: Bucket, machineId: number, offer: number): void {
    const changed = this.#changed;
    const { rowBounds } = this.#parts;
    rowBounds.loadInto(changed.bounds, changed.next, machineId, offer, bucket);
    changed.values.write(changed.next, machineId, rowBounds.values);
    changed.add(bucket.number, row);
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

  /** Brings a row of a bucket to what is at a place of the changed ones; it was at `before` when these were read. */
  #renew(place: number, bucket: Bucket, before: number): void {
    const { nodes, rows, treeBounds } = this.#parts;
    const { values, bounds } = this.#changed;
    const row = this.#rowIn(bucket, values.machineOf(place), before);
    const leaf = row >>> LEAF_SHIFT;
    const home = bucket.leaves + leaf - bucket.leafBase;
    this.#noteLoose(leaf);
    nodes.copyFrom(bounds, ROW_NODE, place);
    if (nodes.covers(bucket.nodeBase + home, ROW_NODE)) {
      rows.copyFrom(values, row, place);
      return;
    }
    const best = this.#placeFor(bucket);
    const free = this.#nearestFree(bucket, best, home);
    this.#noteDistance(bucket, best, free);
    if (free === home) {
      rows.copyFrom(values, row, place);
      treeBounds.widen(bucket, home);
      return;
    }
    this.#takeOut(row, leaf);
    rows.copyFrom(values, this.#placeIn(bucket, free, values.machineOf(place)), place);
  }

  /** The machine's row in a bucket, where it has one; mostly it is still where it was. */
  #rowIn(bucket: Bucket, machineId: number, before: number): number {
    const { rows, rowsByMachine, buckets } = this.#parts;
    const isThere = (before & PLACE_BITS) < rows.used[before >>> LEAF_SHIFT]!;
    if (isThere && rows.machineOf(before) === machineId) return before;
    const own = this.#ownRows;
    let last = rowsByMachine.read(machineId, own) - 1;
    while (last > 0 && buckets.bucketOf(own[last]! >>> LEAF_SHIFT) !== bucket) last--;
    return own[last]!;
  }

  #enter(machineId: number, offer: number, bucket: Bucket): void {
    const { builder, rows, rowBounds } = this.#parts;
    if (bucket.rows === bucket.leaves * LEAF_ROWS) {
      builder.regrow(bucket, machineId);
      return;
    }
    rowBounds.load(machineId, offer, bucket);
    const place = this.#placeFor(bucket);
    const free = this.#nearestFree(bucket, place, NO_LEAF);
    this.#noteDistance(bucket, place, free);
    bucket.rows++;
    rows.write(this.#placeIn(bucket, free, machineId), machineId, rowBounds.values);
    const isJustNearlyFull = isNearlyFull(bucket.rows, bucket.leaves) && !isNearlyFull(bucket.rows - 1, bucket.leaves);
    if (isJustNearlyFull) this.#noteWorn(bucket, 1, (bucket.misplaced.get(1) ?? 0) + 1);
  }

  #remove(row: number, bucket: Bucket): void {
    const leaf = row >>> LEAF_SHIFT;
    this.#noteLoose(leaf);
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

  /** Gives a machine the next row of a leaf, given as a local node, and widens the nodes by ROW_NODE; returns the row, to be written. */
  #placeIn(bucket: Bucket, local: number, machineId: number): number {
    const { rows, rowsByMachine, treeBounds } = this.#parts;
    const leaf = bucket.leafBase + local - bucket.leaves;
    const row = leaf * LEAF_ROWS + rows.used[leaf]!;
    rows.used[leaf]! += 1;
    rowsByMachine.add(machineId, row);
    treeBounds.widen(bucket, local);
    return row;
  }

  /** The leaf, as a local node, whose envelope the row in ROW_NODE lifts least, of those that it does not lift the lowest. */
  #placeFor(bucket: Bucket): number {
    const { nodes } = this.#parts;
    let local = 1;
    while (local < bucket.leaves) {
      const left = bucket.nodeBase + 2 * local;
      const leftRise = nodes.envelopeRise(left, ROW_NODE);
      const rightRise = nodes.envelopeRise(left + 1, ROW_NODE);
      const takesLeft =
        leftRise < rightRise || (leftRise === rightRise && nodes.envelopeSum(left) < nodes.envelopeSum(left + 1));
      local = takesLeft ? 2 * local : 2 * local + 1;
    }
    return local;
  }

  /**
   * The leaf nearest to a leaf that has a free place, or is the `home` of the row that looks for one (all are local nodes); the bucket has
   * one if there is no home.
   */
  #nearestFree(bucket: Bucket, local: number, home: number): number {
    const { used } = this.#parts.rows;
    const first = bucket.leafBase - bucket.leaves;
    for (let distance = 0; ; distance++) {
      const before = local - distance;
      const after = local + distance;
      if (before === home || after === home) return home;
      if (after < 2 * bucket.leaves && used[first + after]! < LEAF_ROWS) return after;
      if (before >= bucket.leaves && used[first + before]! < LEAF_ROWS) return before;
    }
  }

  #noteLoose(leaf: number): void {
    this.#looseScores.note(leaf);
    this.#looseFilters.note(leaf);
  }

  /** Notes how far (both are local nodes) a row lies from its place. */
  #noteDistance(bucket: Bucket, place: number, local: number): void {
    if (Math.abs(place - local) < FAR_LEAVES) return;
    const ward = Math.max(1, place >> WARD_LEVELS);
    const misplaced = (bucket.misplaced.get(ward) ?? 0) + 1;
    const rows = Math.min(bucket.rows, LEAF_ROWS << WARD_LEVELS);
    if (misplaced === LEAF_ROWS / 2 + (rows >>> 4)) this.#noteWorn(bucket, ward, misplaced);
    else bucket.misplaced.set(ward, misplaced);
  }

  /** Notes that the rows below a local node, among them so many misplaced, are to be clustered anew. */
  #noteWorn(bucket: Bucket, local: number, misplaced: number): void {
    bucket.misplaced.set(local, misplaced);
    this.#worn.push({ bucket, local });
  }
}
