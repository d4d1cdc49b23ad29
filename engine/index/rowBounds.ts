import { DEVICES_PER_MACHINE } from '../market.js';
import type { Market } from '../market.js';
import { WHOLE_DEVICE } from '../devices.js';
import { SCALE } from '../policy.js';
import type { Policy } from '../policy.js';
import { measured } from '../roundTerms.js';
import type { Bucket } from './bucket.js';
import { compactPrice, expandPrice } from './compactPrice.js';
import { Envelope, REFERENCE_CORES, REFERENCE_MEMORY_GIB } from './envelope.js';
import type { EnvelopeRow, EnvelopeScale } from './envelope.js';
import * as Node from './nodeTable.js';
import { amountByte, floatBelow, foldAttributes27, ROW_NODE } from './nodeTable.js';
import type { NodeTable } from './nodeTable.js';
import type { ProviderTerms } from './providerTerms.js';
import { foldAttributes } from './rowTable.js';
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
  readonly #nodes: NodeTable;
  readonly #rows: RowTable;
  readonly #providers: ProviderTerms;
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
    this.#nodes = nodes;
    this.#rows = rows;
    this.#providers = providers;
    const mostStanding = policy.weightStakeBps * SCALE + (policy.weightUptimeBps + policy.weightReputationBps) * 0xffff;
    rows.standingUnit = Math.max(1, Math.ceil(mostStanding / 0xffff));
    this.scale = envelopeScaleOf(policy, mostStanding);
  }

  /** Writes a machine's values for one offer, exact, into `values` and its bounds into ROW_NODE. */
  load(machineId: number, offer: number, bucket: Bucket): void {
    const market = this.#market;
    const nodes = this.#nodes;
    const { values } = this;
    const provider = market.providerId[machineId]!;
    const low = market.attributesLow[provider]!;
    const high = market.attributesHigh[provider]!;
    values.gpuPrice = market.offerGpuMicroPerHour[offer]!;
    values.corePrice = market.offerCoreMicroPerHour[offer]!;
    values.memoryPrice = market.offerMemoryGibMicroPerHour[offer]!;
    values.storagePrice = market.offerStorageTibMicroPerHour[offer]!;
    values.standing = this.#providers.weightedStanding[provider]!;
    values.complianceBps = this.#providers.complianceBps[provider]!;
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
    row.standing = Math.ceil(values.standing / this.#rows.standingUnit) * this.#rows.standingUnit;
    row.complianceBps = values.complianceBps;
    row.total = values.total;
    row.devices = values.devices;
    halves[Node.MIN_PRICE] = compactPrice(Math.floor(row.referencePrice));
    this.#envelope.clear();
    this.#addToEnvelope(bucket);
    this.#envelope.write(halves, Node.ENVELOPE, this.scale.unit);
    bucket.leastMemory = Math.min(bucket.leastMemory, values.memoryPrice);
    bucket.leastStorage = Math.min(bucket.leastStorage, values.storagePrice);
    const inverse = row.referencePrice === 0 ? 0 : 1 / row.referencePrice;
    bucket.leastGpuRatio = Math.min(bucket.leastGpuRatio, values.gpuPrice * inverse);
    bucket.leastCoreRatio = Math.min(bucket.leastCoreRatio, values.corePrice * inverse);
    bucket.leastMemoryRatio = Math.min(bucket.leastMemoryRatio, values.memoryPrice * inverse);
    bucket.leastStorageRatio = Math.min(bucket.leastStorageRatio, values.storagePrice * inverse);
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
}

/** What rows of a bucket are compared by: see REFERENCE_CORES. */
export function referencePrice(bucket: Bucket, gpuPrice: number, corePrice: number, memoryPrice: number): number {
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
