import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../market.js';
import type { Market, MarketChanges } from '../market.js';
import { SCALE } from '../policy.js';
import type { Policy } from '../policy.js';
import { complianceBpsOf, measured, SECONDS_PER_DAY, standingOf, weightedStandingOf } from '../roundTerms.js';
import type { Snapshot } from '../snapshot.js';
import { WHOLE_DEVICE } from '../devices.js';
import { Forest } from './bucket.js';
import type { Bucket } from './bucket.js';
import { Clustering, MEASURES } from './clustering.js';
import { compactPrice, expandPrice } from './compactPrice.js';
import { Envelope, REFERENCE_CORES, REFERENCE_MEMORY_GIB } from './envelope.js';
import type { EnvelopeRow, EnvelopeScale } from './envelope.js';
import { IdLog } from './idLog.js';
import { MachinesByProvider } from './machinesByProvider.js';
import * as Node from './nodeTable.js';
import { amountByte, floatBelow, foldAttributes27, NodeTable } from './nodeTable.js';
import { RowsByMachine } from './rowsByMachine.js';
import { foldAttributes, LEAF_ROWS, LEAF_SHIFT, NO_ROW, RowTable } from './rowTable.js';
import type { RowValues } from './rowTable.js';

/** Rows of a leaf after clustering; the rest of its places are for rows that move in. */
const ROWS_AFTER_CLUSTERING = 30;
/** `activeUntilRound` of a machine that nobody took out. */
const NO_ROUND = 0xffff_ffff;
/** Node in which the bounds of one row are put together. */
const ROW_NODE = 0;
/** Node in which a node's bounds are kept while it is bounded anew. */
const SPARE_NODE = 1;
const FIRST_NODE = 2;
/** Machines whose prices are looked at to find the typical price of a bucket. */
const PRICE_SAMPLE = 31;
/** Free cpu for which machines without GPU are compared. */
const TYPICAL_CPU_MILLI = 8000;
/** 10000 and four reports of ten bits. */
export const MOST_COMPLIANCE_BPS = 10_000 + 4 * 1023;
/** Rows for each attribute set of a bucket from which on rows are clustered by set. */
const ROWS_PER_SET = 64;
const MODELS = 1024;
const REGIONS = 1024;

/** The terms of a policy that rows depend on. */
type RowPolicy = Pick<
  Policy,
  | 'weightPriceBps'
  | 'weightRegionBps'
  | 'weightPackingBps'
  | 'weightStakeBps'
  | 'weightFitBps'
  | 'weightUptimeBps'
  | 'weightReputationBps'
  | 'saturationWhole'
  | 'complianceCapBps'
  | 'defaultUptimeBps'
  | 'defaultReputationBps'
>;

/**
 * The machines that take part in a round, by token, GPU model and region, each such bucket clustered into a tree with bounds. It follows
 * a market by the notes that the market takes of its changes, so a round costs what changed since the last one.
 * How rows are placed never shows in results; that every bound holds does, and is what its tests check.
 */
export class MarketIndex {
  readonly market: Market;
  readonly nodes = new NodeTable(FIRST_NODE);
  readonly rows = new RowTable();
  readonly rowsByMachine = new RowsByMachine();
  readonly machinesByProvider: MachinesByProvider;
  readonly buckets: Bucket[] = [];
  readonly forests: Forest[] = [];
  /** The points of the policy, as envelopes keep them. */
  readonly scale: EnvelopeScale;
  /** By provider: weighted standing and compliance factor. */
  weightedStanding = new Uint32Array(0);
  complianceBps = new Uint16Array(0);
  readonly #forestsByKey = new Map<number, Forest>();
  readonly #bucketsByKey = new Map<number, Bucket>();
  readonly #policy: Policy;
  readonly #changes: MarketChanges;
  readonly #touched = new IdLog();
  readonly #entering = new IdLog();
  readonly #looseLeaves = new IdLog();
  readonly #worn = new Set<Bucket>();
  readonly #freeRuns = new Map<number, { nodeBase: number; leafBase: number }[]>();
  readonly #clustering = new Clustering();
  readonly #machinesByRound = new Map<number, Set<number>>();
  readonly #ownRows = new Uint32Array(OFFERS_PER_MACHINE);
  readonly #envelope = new Envelope();
  readonly #envelopeRow: EnvelopeRow = {
    referencePrice: 0,
    corePrice: 0,
    standing: 0,
    complianceBps: 0,
    total: 0,
    devices: 0,
  };
  readonly #values: RowValues = {
    gpuPrice: 0,
    corePrice: 0,
    memoryPrice: 0,
    storagePrice: 0,
    standing: 0,
    complianceBps: 0,
    total: 0,
    devices: 0,
    attributes: 0,
  };
  #round: number;
  #today: number;
  #machineCount = 0;
  #providerCount = 0;
  #nodeTop = FIRST_NODE;
  #leafTop = 0;

  /** Builds the index of a snapshot's market, and takes the market's notes of changes from then on. */
  constructor(snapshot: Snapshot, policy: Policy) {
    const { market } = snapshot;
    this.market = market;
    this.#policy = policy;
    this.#round = snapshot.round;
    this.#today = Math.floor(snapshot.timestampSeconds / SECONDS_PER_DAY);
    this.#changes = market.watchChanges();
    this.machinesByProvider = new MachinesByProvider(market);
    const mostStanding = policy.weightStakeBps * SCALE + (policy.weightUptimeBps + policy.weightReputationBps) * 0xffff;
    this.rows.standingUnit = Math.max(1, Math.ceil(mostStanding / 0xffff));
    this.scale = envelopeScaleOf(policy, mostStanding);
    this.#readProviders(1);
    this.#build();
  }

  /** Bytes of the index beyond the market's columns. */
  get byteLength(): number {
    return (
      this.nodes.byteLength +
      this.rows.byteLength +
      this.rowsByMachine.byteLength +
      this.machinesByProvider.byteLength +
      this.weightedStanding.byteLength +
      this.complianceBps.byteLength
    );
  }

  /** Whether rows made for the index's policy hold under another. */
  fits(policy: RowPolicy): boolean {
    const own = this.#policy;
    return (
      policy.weightPriceBps === own.weightPriceBps &&
      policy.weightRegionBps === own.weightRegionBps &&
      policy.weightPackingBps === own.weightPackingBps &&
      policy.weightStakeBps === own.weightStakeBps &&
      policy.weightFitBps === own.weightFitBps &&
      policy.weightUptimeBps === own.weightUptimeBps &&
      policy.weightReputationBps === own.weightReputationBps &&
      policy.saturationWhole === own.saturationWhole &&
      policy.complianceCapBps === own.complianceCapBps &&
      policy.defaultUptimeBps === own.defaultUptimeBps &&
      policy.defaultReputationBps === own.defaultReputationBps
    );
  }

  /** Brings the index to a snapshot of its market, before or after the one it stands at. */
  follow(snapshot: Snapshot): void {
    const { machineCount, providerCount } = this.market;
    for (let machineId = machineCount + 1; machineId <= this.#machineCount; machineId++) this.#touched.note(machineId);
    this.#machineCount = machineCount;
    this.rowsByMachine.grow(machineCount + 1);
    this.#followProviders(Math.floor(snapshot.timestampSeconds / SECONDS_PER_DAY), providerCount);
    this.#followRound(snapshot.round);
    this.#changes.machines.drain((machineId) => this.#touched.note(machineId));
    // To enter a full bucket clusters all its rows, so by then none may be left that its machine no longer stands behind.
    this.#touched.drain((machineId) => this.#update(machineId));
    this.#entering.drain((machineId) => this.#enterOffers(machineId));
    for (const bucket of this.#worn) this.#recluster(bucket);
    this.#worn.clear();
    this.#clustering.release();
    this.#looseLeaves.drain((leaf) => this.#tighten(leaf));
    for (const forest of this.forests) if (forest.isStale) this.#rebuildForest(forest);
  }

  /** Bucket of a leaf's rows. */
  bucketOf(leaf: number): Bucket {
    return this.buckets[this.rows.bucket[leaf]!]!;
  }

  /** The forest of a token with or without GPUs; undefined when no machine is in it. */
  forestOf(tokenId: number, isGpu: boolean): Forest | undefined {
    return this.#forestsByKey.get(tokenId * 2 + Number(isGpu));
  }

  /** Every row's own bounds lie within those of all nodes above it, and every machine that takes part has its rows: throws RangeError if not. */
  verify(): void {
    const own = new Uint32Array(OFFERS_PER_MACHINE);
    let rows = 0;
    for (const bucket of this.buckets) {
      for (let local = bucket.leaves; local < 2 * bucket.leaves; local++) {
        const leaf = bucket.leafBase + local - bucket.leaves;
        if (this.bucketOf(leaf) !== bucket) throw new RangeError(`leaf ${leaf} is not of its bucket`);
        for (let row = leaf * LEAF_ROWS; row < leaf * LEAF_ROWS + this.rows.used[leaf]!; row++) {
          const machineId = this.rows.machine[row]!;
          rows++;
          const count = this.rowsByMachine.read(machineId, own);
          if (!own.subarray(0, count).includes(row)) throw new RangeError(`machine ${machineId} lost row ${row}`);
          this.#load(machineId, this.#offerOf(machineId, bucket.forest.tokenId), bucket);
          for (let above = local; above >= 1; above >>= 1) this.#verifyBound(bucket.nodeBase + above);
          const { forest } = bucket;
          for (let above = (bucket.position + forest.buckets.length) >> 1; above >= 1; above >>= 1) {
            this.#verifyBound(forest.nodeBase + above);
          }
        }
      }
    }
    let expected = 0;
    for (let machineId = 1; machineId <= this.market.machineCount; machineId++) {
      if (standingOf(this.market, machineId, this.#round) !== 0) continue;
      for (let index = 0; index < OFFERS_PER_MACHINE; index++) if (this.#isOffered(machineId, index)) expected++;
    }
    if (rows !== expected) throw new RangeError(`${rows} rows for ${expected} live offers`);
  }

  #verifyBound(node: number): void {
    this.nodes.copy(SPARE_NODE, node);
    if (this.nodes.absorb(SPARE_NODE, ROW_NODE)) throw new RangeError(`node ${node} does not bound a row below it`);
  }

  #followProviders(today: number, providerCount: number): void {
    const before = this.#providerCount;
    const touch = (machineId: number): void => this.#touched.note(machineId);
    this.#readProviders(before + 1);
    for (let provider = providerCount + 1; provider <= before; provider++) {
      this.machinesByProvider.forEach(provider, touch);
    }
    this.#changes.providers.drain((provider) => {
      if (provider > providerCount) return;
      this.#readProvider(provider);
      this.machinesByProvider.forEach(provider, touch);
    });
    if (today === this.#today) return;
    this.#today = today;
    for (let provider = 1; provider <= providerCount; provider++) {
      const kept = this.complianceBps[provider]!;
      if (complianceBpsOf(this.market, provider, today, this.#policy.complianceCapBps) === kept) continue;
      this.#readProvider(provider);
      this.machinesByProvider.forEach(provider, touch);
    }
  }

  #readProviders(from: number): void {
    const { market } = this;
    if (market.providerCount >= this.weightedStanding.length) {
      const providers = withReserve(market.providerCount + 1);
      const standing = new Uint32Array(providers);
      const compliance = new Uint16Array(providers);
      standing.set(this.weightedStanding);
      compliance.set(this.complianceBps);
      this.weightedStanding = standing;
      this.complianceBps = compliance;
    }
    this.#providerCount = market.providerCount;
    for (let provider = from; provider <= market.providerCount; provider++) this.#readProvider(provider);
  }

  #readProvider(provider: number): void {
    this.weightedStanding[provider] = weightedStandingOf(this.market, provider, this.#policy);
    this.complianceBps[provider] = complianceBpsOf(this.market, provider, this.#today, this.#policy.complianceCapBps);
  }

  #followRound(round: number): void {
    const before = this.#round;
    this.#round = round;
    if (round > before) {
      for (const [boundary, machines] of this.#machinesByRound) {
        if (boundary > round) continue;
        for (const machineId of machines) this.#touched.note(machineId);
        this.#machinesByRound.delete(boundary);
      }
      return;
    }
    if (round === before) return;
    const { activeFromRound, activeUntilRound, machineCount } = this.market;
    for (let machineId = 1; machineId <= machineCount; machineId++) {
      const from = activeFromRound[machineId]!;
      const until = activeUntilRound[machineId]!;
      if ((from > round && from <= before) || (until > round && until <= before)) this.#touched.note(machineId);
    }
  }

  #noteBoundaries(machineId: number): void {
    this.#noteBoundary(machineId, this.market.activeFromRound[machineId]!);
    this.#noteBoundary(machineId, this.market.activeUntilRound[machineId]!);
  }

  #noteBoundary(machineId: number, boundary: number): void {
    if (boundary <= this.#round || boundary === NO_ROUND) return;
    const machines = this.#machinesByRound.get(boundary);
    if (machines === undefined) this.#machinesByRound.set(boundary, new Set([machineId]));
    else machines.add(machineId);
  }

  #build(): void {
    const { market } = this;
    this.#machineCount = market.machineCount;
    this.rowsByMachine.grow(market.machineCount + 1);
    const counts: number[] = [];
    this.#forEachOffer((bucket) => {
      counts[bucket.number] = (counts[bucket.number] ?? 0) + 1;
    });
    const starts = new Uint32Array(this.buckets.length + 1);
    let leaves = 0;
    for (let number = 0; number < this.buckets.length; number++) {
      starts[number + 1] = starts[number]! + counts[number]!;
      leaves += leavesFor(counts[number]!);
    }
    this.rows.grow(leaves);
    this.nodes.grow(FIRST_NODE + 2 * leaves + this.buckets.length);
    const machines = new Uint32Array(starts[this.buckets.length]!);
    const next = starts.slice();
    this.#forEachOffer((bucket, machineId) => {
      machines[next[bucket.number]!++] = machineId;
    });
    for (let machineId = 1; machineId <= market.machineCount; machineId++) this.#noteBoundaries(machineId);
    for (const bucket of this.buckets) {
      const from = starts[bucket.number]!;
      const rows = starts[bucket.number + 1]! - from;
      this.#clustering.reserve(rows);
      this.#clustering.machines.set(machines.subarray(from, from + rows));
      this.#cluster(bucket, rows);
    }
    for (const forest of this.forests) this.#rebuildForest(forest);
    this.#clustering.release();
  }

  #forEachOffer(visit: (bucket: Bucket, machineId: number) => void): void {
    const { market } = this;
    let last: Bucket | undefined;
    for (let machineId = 1; machineId <= market.machineCount; machineId++) {
      if (standingOf(market, machineId, this.#round) !== 0) continue;
      for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
        if (!this.#isOffered(machineId, index)) continue;
        const tokenId = market.offerTokenId[machineId * OFFERS_PER_MACHINE + index]!;
        if (last === undefined || !this.#belongs(machineId, tokenId, last)) last = this.#bucketFor(machineId, tokenId);
        visit(last, machineId);
      }
    }
  }

  /** Whether the offer is the first of the machine's live offers in its token. */
  #isOffered(machineId: number, index: number): boolean {
    const { offerTokenId } = this.market;
    const first = machineId * OFFERS_PER_MACHINE;
    const tokenId = offerTokenId[first + index]!;
    if (tokenId === 0) return false;
    for (let earlier = 0; earlier < index; earlier++) if (offerTokenId[first + earlier] === tokenId) return false;
    return true;
  }

  /** Row in the market's columns of the machine's first offer in a token. */
  #offerOf(machineId: number, tokenId: number): number {
    const first = machineId * OFFERS_PER_MACHINE;
    for (let offer = first; offer < first + OFFERS_PER_MACHINE; offer++) {
      if (this.market.offerTokenId[offer] === tokenId) return offer;
    }
    throw new RangeError(`machine ${machineId} has no offer in token ${tokenId}`);
  }

  #hasGpu(machineId: number): boolean {
    const { market } = this;
    if (market.model[machineId] !== 0) return true;
    const first = machineId * DEVICES_PER_MACHINE;
    for (let device = first; device < first + DEVICES_PER_MACHINE; device++) {
      if (market.freeMilliGpu[device]! > 0) return true;
    }
    return false;
  }

  #belongs(machineId: number, tokenId: number, bucket: Bucket): boolean {
    return (
      bucket.forest.tokenId === tokenId &&
      bucket.model === this.market.model[machineId] &&
      bucket.region === this.market.region[machineId] &&
      bucket.forest.isGpu === this.#hasGpu(machineId)
    );
  }

  #bucketFor(machineId: number, tokenId: number): Bucket {
    const model = this.market.model[machineId]!;
    const region = this.market.region[machineId]!;
    const forestKey = tokenId * 2 + Number(this.#hasGpu(machineId));
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
      misplaced: 0,
      typicalPrice: 1,
      typicalCore: 1,
      leastGpu: Infinity,
      leastCore: Infinity,
      leastMemory: Infinity,
      leastStorage: Infinity,
    };
    this.buckets.push(bucket);
    this.#bucketsByKey.set(key, bucket);
    forest.buckets.push(bucket);
    forest.isStale = true;
    return bucket;
  }

  /** Writes a machine's values for one offer, exact, into `#values` and its bounds into ROW_NODE. */
  #load(machineId: number, offer: number, bucket: Bucket): void {
    const { market, nodes } = this;
    const values = this.#values;
    const provider = market.providerId[machineId]!;
    const low = market.attributesLow[provider]!;
    const high = market.attributesHigh[provider]!;
    values.gpuPrice = market.offerGpuMicroPerHour[offer]!;
    values.corePrice = market.offerCoreMicroPerHour[offer]!;
    values.memoryPrice = market.offerMemoryGibMicroPerHour[offer]!;
    values.storagePrice = market.offerStorageTibMicroPerHour[offer]!;
    values.standing = this.weightedStanding[provider]!;
    values.complianceBps = this.complianceBps[provider]!;
    values.attributes = foldAttributes(low, high);
    this.loadFree(machineId, bucket);
    nodes.clear(ROW_NODE);
    const { words, halves, bytes } = nodes;
    const policy = this.#policy;
    words[Node.MIN_PROVIDER] = provider;
    words[Node.ATTRIBUTES] = foldAttributes27(low, high);
    bytes[Node.MAX_UPTIME] = bpsByte(measured(market.uptimeBps[provider]!, policy.defaultUptimeBps));
    bytes[Node.MAX_REPUTATION] = bpsByte(measured(market.reputationBps[provider]!, policy.defaultReputationBps));
    bytes[Node.MIN_SLASHES] = market.slashes[provider]!;
    const tier = market.tier[provider]!;
    bytes[Node.TIERS] = tier === 0 ? 0 : 1 << (tier - 1);
    bytes[Node.MAX_CPU] = amountByte(market.freeCpuMilli[machineId]!);
    bytes[Node.MAX_MEMORY] = amountByte(market.freeMemoryMib[machineId]!);
    const row = this.#envelopeRow;
    row.corePrice = expandPrice(compactPrice(values.corePrice));
    row.referencePrice = referencePrice(
      bucket,
      floatBelow(values.gpuPrice),
      row.corePrice,
      expandPrice(compactPrice(values.memoryPrice)),
    );
    row.standing = Math.ceil(values.standing / this.rows.standingUnit) * this.rows.standingUnit;
    row.complianceBps = values.complianceBps;
    row.total = values.total;
    row.devices = values.devices;
    halves[Node.MIN_PRICE] = compactPrice(Math.floor(row.referencePrice));
    this.#envelope.clear();
    this.#addToEnvelope(bucket);
    this.#envelope.write(halves, Node.ENVELOPE, this.scale.unit);
    bucket.leastGpu = Math.min(bucket.leastGpu, values.gpuPrice);
    bucket.leastCore = Math.min(bucket.leastCore, values.corePrice);
    bucket.leastMemory = Math.min(bucket.leastMemory, values.memoryPrice);
    bucket.leastStorage = Math.min(bucket.leastStorage, values.storagePrice);
  }

  /** Bounds the envelope of a leaf's node by the leaf's rows as their columns are. */
  boundEnvelope(bucket: Bucket, leaf: number, node: number): void {
    const { rows, nodes } = this;
    const row = this.#envelopeRow;
    this.#envelope.clear();
    for (let at = leaf * LEAF_ROWS; at < leaf * LEAF_ROWS + rows.used[leaf]!; at++) {
      row.corePrice = expandPrice(rows.corePrice[at]!);
      row.referencePrice = referencePrice(
        bucket,
        rows.gpuPrice[at]!,
        row.corePrice,
        expandPrice(rows.memoryPrice[at]!),
      );
      row.standing = rows.standing[at]! * rows.standingUnit;
      row.complianceBps = rows.complianceBps[at]!;
      row.total = rows.total[at]!;
      row.devices = rows.devices[at]!;
      this.#addToEnvelope(bucket);
    }
    this.#envelope.write(nodes.halves, node * Node.NODE_HALVES + Node.ENVELOPE, this.scale.unit);
  }

  #addToEnvelope(bucket: Bucket): void {
    const row = this.#envelopeRow;
    if (bucket.forest.isGpu) {
      const { typicalPrice, typicalCore, model } = bucket;
      this.#envelope.addGpuRow(this.scale, row, typicalPrice, typicalCore, model === 0);
    } else {
      this.#envelope.addCpuRow(this.scale, row, bucket.typicalCore);
    }
  }

  /** Writes what a machine has free, as rows of the bucket keep it, into `#values`. */
  loadFree(machineId: number, bucket: Bucket): RowValues {
    const { market } = this;
    const values = this.#values;
    if (!bucket.forest.isGpu) {
      values.total = market.freeCpuMilli[machineId]! >>> Node.CPU_SHIFT;
      values.devices = 1;
      return values;
    }
    const first = machineId * DEVICES_PER_MACHINE;
    let total = 0;
    let largest = 0;
    let whole = 0;
    for (let device = first; device < first + DEVICES_PER_MACHINE; device++) {
      const free = market.freeMilliGpu[device]!;
      total += free;
      if (free > largest) largest = free;
      if (free === WHOLE_DEVICE) whole++;
    }
    values.total = total;
    values.devices = (whole << 10) | Math.min(largest, 0x3ff);
    return values;
  }

  #update(machineId: number): void {
    const { market } = this;
    const own = this.#ownRows;
    if (machineId <= market.machineCount) {
      this.machinesByProvider.note(machineId);
      this.#noteBoundaries(machineId);
    }
    const isLive = machineId <= market.machineCount && standingOf(market, machineId, this.#round) === 0;
    let kept = 0;
    const count = this.rowsByMachine.read(machineId, own);
    for (let index = 0; index < count; index++) {
      const row = own[index]!;
      const bucket = this.bucketOf(row >>> LEAF_SHIFT);
      const offer = isLive ? this.#keptOffer(machineId, bucket) : -1;
      if (offer < 0) {
        this.#remove(row, bucket);
      } else {
        kept |= 1 << (offer & (OFFERS_PER_MACHINE - 1));
        this.#renew(row, bucket, machineId, offer);
      }
    }
    if (!isLive) return;
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      if (((kept >> index) & 1) === 0 && this.#isOffered(machineId, index)) this.#entering.note(machineId);
    }
  }

  /** Gives a machine that takes part a row for each offer that has none. */
  #enterOffers(machineId: number): void {
    const { offerTokenId } = this.market;
    const own = this.#ownRows;
    const count = this.rowsByMachine.read(machineId, own);
    const tokens = new Set<number>();
    for (let index = 0; index < count; index++) tokens.add(this.bucketOf(own[index]! >>> LEAF_SHIFT).forest.tokenId);
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      const offer = machineId * OFFERS_PER_MACHINE + index;
      const tokenId = offerTokenId[offer]!;
      if (!this.#isOffered(machineId, index) || tokens.has(tokenId)) continue;
      this.#enter(machineId, offer, this.#bucketFor(machineId, tokenId));
    }
  }

  /** The offer for which the machine stays in a bucket, as a row of the market's columns; -1 for none. */
  #keptOffer(machineId: number, bucket: Bucket): number {
    const { tokenId } = bucket.forest;
    if (!this.#belongs(machineId, tokenId, bucket)) return -1;
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      const offer = machineId * OFFERS_PER_MACHINE + index;
      if (this.market.offerTokenId[offer] === tokenId) return offer;
    }
    return -1;
  }

  #renew(row: number, bucket: Bucket, machineId: number, offer: number): void {
    const { nodes, rows } = this;
    this.#load(machineId, offer, bucket);
    const leaf = row >>> LEAF_SHIFT;
    const home = bucket.leaves + leaf - bucket.leafBase;
    this.#looseLeaves.note(leaf);
    nodes.copy(SPARE_NODE, bucket.nodeBase + home);
    if (!nodes.absorb(SPARE_NODE, ROW_NODE)) {
      rows.write(row, machineId, this.#values);
      return;
    }
    const place = this.#placeFor(bucket);
    if (place === home || rows.used[bucket.leafBase + place - bucket.leaves] === LEAF_ROWS) {
      if (place !== home) this.#wear(bucket);
      rows.write(row, machineId, this.#values);
      this.#widen(bucket, home);
      return;
    }
    this.#takeOut(row, leaf);
    this.#putIn(bucket, place, machineId);
  }

  #enter(machineId: number, offer: number, bucket: Bucket): void {
    if (bucket.leaves === 0) {
      this.#clustering.reserve(1);
      this.#clustering.machines[0] = machineId;
      this.#cluster(bucket, 1);
      return;
    }
    if (bucket.rows === bucket.leaves * LEAF_ROWS) {
      this.#regrow(bucket, machineId);
      return;
    }
    this.#load(machineId, offer, bucket);
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
    const { rows, rowsByMachine } = this;
    const last = leaf * LEAF_ROWS + rows.used[leaf]! - 1;
    rowsByMachine.move(rows.machine[row]!, row, NO_ROW);
    if (row !== last) {
      rowsByMachine.move(rows.machine[last]!, last, row);
      rows.copy(row, last);
    }
    rows.used[leaf]! -= 1;
  }

  #putIn(bucket: Bucket, local: number, machineId: number): void {
    const leaf = bucket.leafBase + local - bucket.leaves;
    const row = leaf * LEAF_ROWS + this.rows.used[leaf]!;
    this.rows.used[leaf]! += 1;
    this.rows.write(row, machineId, this.#values);
    this.rowsByMachine.add(machineId, row);
    this.#widen(bucket, local);
  }

  /** Widens a node and all above it by ROW_NODE. */
  #widen(bucket: Bucket, local: number): void {
    const { nodes } = this;
    for (let above = local; above >= 1; above >>= 1) {
      if (!nodes.absorb(bucket.nodeBase + above, ROW_NODE)) return;
    }
    const { forest } = bucket;
    if (forest.isStale) return;
    for (let above = (bucket.position + forest.buckets.length) >> 1; above >= 1; above >>= 1) {
      if (!nodes.absorb(forest.nodeBase + above, ROW_NODE)) return;
    }
  }

  /** The leaf, as a local node, whose envelope the row in ROW_NODE lifts least, of those that it does not lift the lowest. */
  #placeFor(bucket: Bucket): number {
    const { nodes } = this;
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
    const { used } = this.rows;
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

  #gather(bucket: Bucket, extra: number): number {
    const { rows } = this;
    this.#clustering.reserve(bucket.rows + extra);
    const { machines } = this.#clustering;
    let count = 0;
    for (let leaf = bucket.leafBase; leaf < bucket.leafBase + bucket.leaves; leaf++) {
      for (let row = leaf * LEAF_ROWS; row < leaf * LEAF_ROWS + rows.used[leaf]!; row++) {
        machines[count++] = rows.machine[row]!;
        this.rowsByMachine.move(rows.machine[row]!, row, NO_ROW);
      }
    }
    return count;
  }

  #recluster(bucket: Bucket): void {
    this.#cluster(bucket, this.#gather(bucket, 0));
  }

  #regrow(bucket: Bucket, machineId: number): void {
    const count = this.#gather(bucket, 1);
    this.#clustering.machines[count] = machineId;
    this.#cluster(bucket, count + 1);
  }

  /** Places the machines that `#clustering` holds into the bucket, which has no rows (left). */
  #cluster(bucket: Bucket, count: number): void {
    const clustering = this.#clustering;
    const { rows, nodes } = this;
    this.#measure(bucket, count);
    this.#makeRoom(bucket, leavesFor(count));
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
        this.#load(machineId, this.#offerOf(machineId, bucket.forest.tokenId), bucket);
        rows.write(row, machineId, this.#values);
        this.rowsByMachine.add(machineId, row);
        nodes.absorb(node, ROW_NODE);
      }
    }
    for (let local = bucket.leaves - 1; local >= 1; local--) this.#bound(bucket, local);
    this.#boundForest(bucket);
  }

  #measure(bucket: Bucket, count: number): void {
    const { market } = this;
    const policy = this.#policy;
    const { machines, measures } = this.#clustering;
    const { isGpu, tokenId } = bucket.forest;
    this.#setTypicalPrices(bucket, count);
    const pricePoints = (policy.weightPriceBps * SCALE) / bucket.typicalPrice;
    const sets = new Map<number, number>();
    for (let position = 0; position < count; position++) {
      const machineId = machines[position]!;
      const provider = market.providerId[machineId]!;
      const offer = this.#offerOf(machineId, tokenId);
      const at = position * MEASURES;
      const free = this.loadFree(machineId, bucket).total;
      const attributes = foldAttributes(market.attributesLow[provider]!, market.attributesHigh[provider]!);
      sets.set(attributes, (sets.get(attributes) ?? 0) + 1);
      measures[at] = -pricePoints * this.#referencePriceOf(offer, bucket);
      measures[at + 1] = this.weightedStanding[provider]!;
      measures[at + 2] = this.complianceBps[provider]! * (SCALE / 2);
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
    const { market } = this;
    return referencePrice(
      bucket,
      market.offerGpuMicroPerHour[offer]!,
      market.offerCoreMicroPerHour[offer]!,
      market.offerMemoryGibMicroPerHour[offer]!,
    );
  }

  /** Sets a bucket's typical prices to the medians of a sample of the machines that `#clustering` holds. */
  #setTypicalPrices(bucket: Bucket, count: number): void {
    const { machines } = this.#clustering;
    const prices: number[] = [];
    const cores: number[] = [];
    const step = Math.max(1, Math.floor(count / PRICE_SAMPLE));
    for (let position = 0; position < count; position += step) {
      const offer = this.#offerOf(machines[position]!, bucket.forest.tokenId);
      prices.push(this.#referencePriceOf(offer, bucket));
      cores.push(this.market.offerCoreMicroPerHour[offer]!);
    }
    bucket.typicalPrice = Math.max(1, median(prices));
    bucket.typicalCore = Math.max(1, median(cores));
    bucket.leastGpu = Infinity;
    bucket.leastCore = Infinity;
    bucket.leastMemory = Infinity;
    bucket.leastStorage = Infinity;
    bucket.forest.lowerTypicalPrices(bucket);
  }

  #makeRoom(bucket: Bucket, leaves: number): void {
    if (bucket.leaves === leaves) return;
    if (bucket.leaves > 0) this.#release(bucket.leaves, bucket);
    const run = this.#freeRuns.get(leaves)?.pop();
    if (run === undefined) {
      bucket.leafBase = this.#leafTop;
      bucket.nodeBase = this.#takeNodes(2 * leaves);
      this.#leafTop += leaves;
      if (this.#leafTop > this.rows.leaves) this.rows.grow(withReserve(this.#leafTop));
    } else {
      bucket.leafBase = run.leafBase;
      bucket.nodeBase = run.nodeBase;
    }
    bucket.leaves = leaves;
  }

  #release(leaves: number, { nodeBase, leafBase }: Bucket): void {
    const runs = this.#freeRuns.get(leaves);
    if (runs === undefined) this.#freeRuns.set(leaves, [{ nodeBase, leafBase }]);
    else runs.push({ nodeBase, leafBase });
  }

  #takeNodes(count: number): number {
    const base = this.#nodeTop;
    this.#nodeTop += count;
    if (this.#nodeTop > this.nodes.count) this.nodes.grow(withReserve(this.#nodeTop));
    return base;
  }

  #rebuildForest(forest: Forest): void {
    forest.rebuild(this.nodes, this.#takeNodes(forest.buckets.length));
  }

  /** Bounds a leaf by its rows alone, then every node above it by its children, up to the first that stays as it was. */
  #tighten(leaf: number): void {
    const { nodes, rows } = this;
    const bucket = this.bucketOf(leaf);
    if (leaf < bucket.leafBase || leaf >= bucket.leafBase + bucket.leaves) return;
    const local = bucket.leaves + leaf - bucket.leafBase;
    const node = bucket.nodeBase + local;
    nodes.clear(node);
    for (let row = leaf * LEAF_ROWS; row < leaf * LEAF_ROWS + rows.used[leaf]!; row++) {
      const machineId = rows.machine[row]!;
      this.#load(machineId, this.#offerOf(machineId, bucket.forest.tokenId), bucket);
      nodes.absorb(node, ROW_NODE);
    }
    for (let above = local >> 1; above >= 1; above >>= 1) if (!this.#bound(bucket, above)) return;
    this.#boundForest(bucket);
  }

  #boundForest({ forest, position }: Bucket): void {
    if (forest.isStale) return;
    const { nodes } = this;
    for (let above = (position + forest.buckets.length) >> 1; above >= 1; above >>= 1) {
      const node = forest.nodeBase + above;
      nodes.copy(SPARE_NODE, node);
      forest.bound(nodes, above);
      if (nodes.isSame(SPARE_NODE, node)) return;
    }
  }

  /** Bounds a local node by its children; whether that changed it. */
  #bound(bucket: Bucket, local: number): boolean {
    const { nodes } = this;
    const node = bucket.nodeBase + local;
    nodes.copy(SPARE_NODE, node);
    nodes.copy(node, bucket.nodeBase + 2 * local);
    nodes.absorb(node, bucket.nodeBase + 2 * local + 1);
    return !nodes.isSame(SPARE_NODE, node);
  }
}

/** Fit points of a typical order, up to SCALE, for `free` as rows keep it; what is used up stands far from the rest. */
function fitMeasure(free: number, isGpu: boolean): number {
  if (free === 0) return -SCALE;
  const need = isGpu ? WHOLE_DEVICE : TYPICAL_CPU_MILLI >>> Node.CPU_SHIFT;
  return (SCALE * need) / Math.max(need, free);
}

/** What rows of a bucket are compared by: see REFERENCE_CORES. */
function referencePrice(bucket: Bucket, gpuPrice: number, corePrice: number, memoryPrice: number): number {
  return bucket.forest.isGpu ? gpuPrice + REFERENCE_CORES * corePrice + REFERENCE_MEMORY_GIB * memoryPrice : corePrice;
}

function envelopeScaleOf(policy: Policy, mostStanding: number): EnvelopeScale {
  const { weightPriceBps, weightFitBps, weightRegionBps, weightPackingBps } = policy;
  const fullPoints = (weightPriceBps + weightRegionBps + weightPackingBps) * SCALE;
  const fitPoints = weightFitBps * SCALE;
  const most = MOST_COMPLIANCE_BPS * (fullPoints + fitPoints + mostStanding + 0xffff);
  return { fullPoints, pricePoints: weightPriceBps * SCALE, fitPoints, unit: Math.ceil(most / 0xffff) };
}

function bpsByte(bps: number): number {
  return Math.min(0xff, bps >>> Node.BPS_SHIFT);
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >>> 1] ?? 1;
}

function leavesFor(rows: number): number {
  return Math.max(1, Math.ceil(rows / ROWS_AFTER_CLUSTERING));
}

function withReserve(needed: number): number {
  return needed + (needed >>> 5) + 8;
}
