import { DEVICES_PER_MACHINE } from '../market.js';
import type { Market } from '../market.js';
import { WHOLE_DEVICE } from '../devices.js';
import { packingOf, weightedPacking } from '../packing.js';
import type { Packing } from '../packing.js';
import { SCALE } from '../policy.js';
import type { Policy } from '../policy.js';
import { measured } from '../roundTerms.js';
import { foldAttributes } from './attributePlaces.js';
import type { Bucket } from './bucket.js';
import { compactPrice, expandPrice } from './compactPrice.js';
import { CLASSES, Envelope, REFERENCE_CORES, REFERENCE_MEMORY_GIB, typicalNeed } from './envelope.js';
import type { EnvelopeRow, EnvelopeScale } from './envelope.js';
import { LEAF_ROWS } from './leafRows.js';
import { lowerLeastPrices } from './leastPrices.js';
import * as Node from './nodeTable.js';
import { amountByte, floatBelow, foldAttributes27, ROW_NODE } from './nodeTable.js';
import type { NodeTable } from './nodeTable.js';
import { LACK_SHIFT, traitsOf, WHOLE_SHIFT } from './packingTraits.js';
import type { ProviderTerms } from './providerTerms.js';
import type { RowTable, RowValues } from './rowTable.js';

/** 10000 and four reports of ten bits. */
export const MOST_COMPLIANCE_BPS = 10_000 + 4 * 1023;

/** What a machine puts into a row, and what the row then adds to the bounds of the nodes above it. */
export class RowBounds {
  /** The points of the policy, as envelopes keep them. */
  readonly scale: EnvelopeScale;
  /** What `load` and `loadFree` last read, exact. */
  readonly values: RowValues = {
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
  readonly #market: Market;
  readonly #policy: Policy;
  /** Null when the policy gives packing no weight. */
  readonly #packing: Packing | null;
  readonly #nodes: NodeTable;
  readonly #rows: RowTable;
  readonly #providers: ProviderTerms;
  readonly #machines = new Uint32Array(LEAF_ROWS);
  readonly #owners = new Uint32Array(LEAF_ROWS);
  readonly #envelope = new Envelope();
  readonly #envelopeRow: EnvelopeRow = {
    referencePrice: 0,
    corePrice: 0,
    standing: 0,
    complianceBps: 0,
    total: 0,
    devices: 0,
  };

  /** Sets the unit in which rows keep standing. */
  constructor(market: Market, policy: Policy, nodes: NodeTable, rows: RowTable, providers: ProviderTerms) {
    this.#market = market;
    this.#policy = policy;
    this.#packing = policy.weightPackingBps === 0 ? null : packingOf(policy);
    this.#nodes = nodes;
    this.#rows = rows;
    this.#providers = providers;
    const mostStanding = policy.weightStakeBps * SCALE + (policy.weightUptimeBps + policy.weightReputationBps) * 0xffff;
    rows.standingUnit = Math.max(1, Math.ceil(mostStanding / 0xffff));
    this.scale = envelopeScaleOf(policy, this.#packing, mostStanding);
  }

  /** Writes a machine's values for one offer, exact, into `values` and their bounds into ROW_NODE. */
  load(machineId: number, offer: number, bucket: Bucket): void {
    this.loadInto(this.#nodes, ROW_NODE, machineId, offer, bucket);
  }

  /** The same, with the bounds in a node of any table. */
  loadInto(nodes: NodeTable, node: number, machineId: number, offer: number, bucket: Bucket): void {
    this.loadValues(machineId, offer, bucket);
    const { values } = this;
    const rows = this.#rows;
    const row = this.#envelopeRow;
    row.corePrice = expandPrice(compactPrice(values.corePrice));
    row.referencePrice = referencePrice(
      bucket,
      floatBelow(values.gpuPrice),
      row.corePrice,
      expandPrice(compactPrice(values.memoryPrice)),
    );
    lowerLeastPrices(bucket, row.referencePrice, values);
    row.standing = Math.ceil(values.standing / rows.standingUnit) * rows.standingUnit;
    row.complianceBps = values.complianceBps;
    row.total = values.total;
    row.devices = values.devices;
    this.#machines[0] = machineId;
    this.#writeFilters(1, nodes, node);
    nodes.words[node * Node.NODE_WORDS + Node.ATTRIBUTES]! |= this.#traitsIn(bucket) << Node.TRAIT_SHIFT;
    nodes.halves[node * Node.NODE_HALVES + Node.MIN_PRICE] = compactPrice(Math.floor(row.referencePrice));
    this.#envelope.clear();
    this.#addToEnvelope(bucket);
    this.#envelope.write(nodes.halves, node * Node.NODE_HALVES + Node.ENVELOPE, this.scale.unit);
  }

  /** Writes a machine's values for one offer, exact, into `values`. */
  loadValues(machineId: number, offer: number, bucket: Bucket): RowValues {
    const market = this.#market;
    const { values } = this;
    const provider = market.providerId[machineId]!;
    values.gpuPrice = market.offerGpuMicroPerHour[offer]!;
    values.corePrice = market.offerCoreMicroPerHour[offer]!;
    values.memoryPrice = market.offerMemoryGibMicroPerHour[offer]!;
    values.storagePrice = market.offerStorageTibMicroPerHour[offer]!;
    values.standing = this.#providers.weightedStanding[provider]!;
    values.complianceBps = this.#providers.complianceBps[provider]!;
    values.attributes = foldAttributes(market.attributesLow[provider]!, market.attributesHigh[provider]!);
    this.loadFree(machineId, bucket);
    return values;
  }

  /** Bounds a leaf's node by the leaf's rows as their columns are, and by what filters ask of machines and providers. */
  boundLeaf(bucket: Bucket, leaf: number, node: number): void {
    const { used } = this.#rows;
    this.#nodes.clear(node);
    if (used[leaf] === 0) return;
    this.#boundFilters(leaf, node);
    this.boundScores(bucket, leaf, node);
  }

  /**
   * Bounds the prices, scores and traits for packing of a leaf that has rows by the rows alone; for filters its node bounds what it did
   * before.
   */
  boundScores(bucket: Bucket, leaf: number, node: number): void {
    const rows = this.#rows;
    const { halves, words } = this.#nodes;
    const row = this.#envelopeRow;
    const { isGpu } = bucket.forest;
    this.#envelope.clear();
    let traits = 0;
    let leastPrice = Infinity;
    for (let at = leaf * LEAF_ROWS; at < leaf * LEAF_ROWS + rows.used[leaf]!; at++) {
      rows.read(at, isGpu, row);
      if (row.referencePrice < leastPrice) leastPrice = row.referencePrice;
      traits |= this.#traitsIn(bucket);
      this.#addToEnvelope(bucket);
    }
    const attributes = node * Node.NODE_WORDS + Node.ATTRIBUTES;
    words[attributes] = (words[attributes]! & Node.ATTRIBUTE_MASK) | (traits << Node.TRAIT_SHIFT);
    halves[node * Node.NODE_HALVES + Node.MIN_PRICE] = compactPrice(Math.floor(leastPrice));
    this.#envelope.write(halves, node * Node.NODE_HALVES + Node.ENVELOPE, this.scale.unit);
  }

  /** Traits of the row at hand; none where packing has no weight or there are no devices. */
  #traitsIn(bucket: Bucket): number {
    if (this.#packing === null || !bucket.forest.isGpu) return 0;
    return traitsOf(this.#envelopeRow.total, this.#envelopeRow.devices);
  }

  /** Writes what filters ask of the machines of a leaf and their providers into a cleared node. */
  #boundFilters(leaf: number, node: number): void {
    const rows = this.#rows;
    const first = leaf * LEAF_ROWS;
    const count = rows.used[leaf]!;
    for (let at = 0; at < count; at++) this.#machines[at] = rows.machineOf(first + at);
    this.#writeFilters(count, this.#nodes, node);
  }

  /**
   * Writes what filters ask of the first `count` of `#machines` and their providers into a node. Goes column by column: machines and
   * providers lie far apart, and of one column the memory fetches many values at a time.
   */
  #writeFilters(count: number, nodes: NodeTable, node: number): void {
    const market = this.#market;
    const { defaultUptimeBps, defaultReputationBps } = this.#policy;
    const machines = this.#machines;
    const providers = this.#owners;
    const { freeCpuMilli, freeMemoryMib, providerId, attributesLow, attributesHigh } = market;
    const { uptimeBps, reputationBps, slashes, tier } = market;
    let cpu = 0;
    let memory = 0;
    let leastProvider: number = Node.EMPTY;
    let attributes = 0;
    let uptime = 0;
    let reputation = 0;
    let leastSlashes = 0xff;
    let tiers = 0;
    for (let at = 0; at < count; at++) providers[at] = providerId[machines[at]!]!;
    for (let at = 0; at < count; at++) cpu = Math.max(cpu, freeCpuMilli[machines[at]!]!);
    for (let at = 0; at < count; at++) memory = Math.max(memory, freeMemoryMib[machines[at]!]!);
    for (let at = 0; at < count; at++) leastProvider = Math.min(leastProvider, providers[at]!);
    for (let at = 0; at < count; at++) {
      attributes |= foldAttributes27(attributesLow[providers[at]!]!, attributesHigh[providers[at]!]!);
    }
    for (let at = 0; at < count; at++)
      uptime = Math.max(uptime, measured(uptimeBps[providers[at]!]!, defaultUptimeBps));
    for (let at = 0; at < count; at++) {
      reputation = Math.max(reputation, measured(reputationBps[providers[at]!]!, defaultReputationBps));
    }
    for (let at = 0; at < count; at++) leastSlashes = Math.min(leastSlashes, slashes[providers[at]!]!);
    // Tier 0 is none: its bit falls off.
    for (let at = 0; at < count; at++) tiers |= (1 << tier[providers[at]!]!) >> 1;
    const { words, bytes } = nodes;
    const word = node * Node.NODE_WORDS;
    const byte = node * Node.NODE_BYTES;
    words[word + Node.MIN_PROVIDER] = leastProvider;
    words[word + Node.ATTRIBUTES] = attributes;
    bytes[byte + Node.MAX_UPTIME] = bpsByte(uptime);
    bytes[byte + Node.MAX_REPUTATION] = bpsByte(reputation);
    bytes[byte + Node.MIN_SLASHES] = leastSlashes;
    bytes[byte + Node.TIERS] = tiers;
    bytes[byte + Node.MAX_CPU] = amountByte(cpu);
    bytes[byte + Node.MAX_MEMORY] = amountByte(memory);
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

  /** Writes what a machine has free, as rows of the bucket keep it, into `values`. */
  loadFree(machineId: number, bucket: Bucket): RowValues {
    const market = this.#market;
    const { values } = this;
    if (!bucket.forest.isGpu) {
      values.total = market.freeCpuMilli[machineId]! >>> Node.CPU_SHIFT;
      values.devices = 1;
      return values;
    }
    const packing = this.#packing;
    const first = machineId * DEVICES_PER_MACHINE;
    let total = 0;
    let largest = 0;
    let whole = 0;
    let worth = 0;
    for (let device = first; device < first + DEVICES_PER_MACHINE; device++) {
      const free = market.freeMilliGpu[device]!;
      total += free;
      if (free > largest) largest = free;
      if (free === WHOLE_DEVICE) whole++;
      if (packing !== null) worth += packing.deviceValue[free]!;
    }
    const lack =
      packing === null ? 0 : packing.lackOf(worth, market.freeCpuMilli[machineId]!, market.freeMemoryMib[machineId]!);
    values.total = total;
    values.devices = (lack << LACK_SHIFT) | (whole << WHOLE_SHIFT) | Math.min(largest, 0x3ff);
    return values;
  }
}

/** What rows of a bucket are compared by: see REFERENCE_CORES. */
export function referencePrice(bucket: Bucket, gpuPrice: number, corePrice: number, memoryPrice: number): number {
  return bucket.forest.isGpu ? gpuPrice + REFERENCE_CORES * corePrice + REFERENCE_MEMORY_GIB * memoryPrice : corePrice;
}

function envelopeScaleOf(policy: Policy, packing: Packing | null, mostStanding: number): EnvelopeScale {
  const { weightPriceBps, weightFitBps, weightRegionBps, weightPackingBps } = policy;
  const fullPoints = (weightPriceBps + weightRegionBps + weightPackingBps) * SCALE;
  const fitPoints = weightFitBps * SCALE;
  const most = MOST_COMPLIANCE_BPS * (fullPoints + fitPoints + mostStanding + 0xffff);
  const gpuPoints = Float64Array.from({ length: CLASSES }, (_, needClass) => {
    const need = typicalNeed(needClass);
    if (packing === null) return fullPoints;
    const component = weightedPacking(weightPackingBps, packing.leastLoss(need, 0, true), packing.largestLoss(need));
    return fullPoints - weightPackingBps * SCALE + component;
  });
  return { fullPoints, gpuPoints, pricePoints: weightPriceBps * SCALE, fitPoints, unit: Math.ceil(most / 0xffff) };
}

function bpsByte(bps: number): number {
  return Math.min(0xff, bps >>> Node.BPS_SHIFT);
}
