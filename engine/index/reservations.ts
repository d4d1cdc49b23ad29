import { chooseDevices, WHOLE_DEVICE } from '../devices.js';
import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../market.js';
import type { Resources } from '../price.js';
import type { Bucket } from './bucket.js';
import { cpuClassesOf, Envelope, gpuClassesOf, SAMPLES } from './envelope.js';
import type { EnvelopeRow } from './envelope.js';
import { LeafEnvelope } from './leafEnvelope.js';
import { LEAF_SHIFT } from './leafRows.js';
import type { MarketIndex } from './marketIndex.js';
import { ATTRIBUTES, ENVELOPE, ENVELOPE_HALVES, NODE_HALVES, NODE_WORDS, TRAIT_SHIFT } from './nodeTable.js';
import { traitsOf } from './packingTraits.js';
import { halfOf, ROW_DEVICES, ROW_TOTAL } from './rowTable.js';

const MACHINE_ENTRY = 4 + DEVICES_PER_MACHINE;
const ROW_ENTRY = 3;
const HALF_ENTRY = 2;
const WORD_ENTRY = 2;

/**
 * Capacity taken while a round is matched: written into the market's columns and the index in place, with a note of every value that was
 * there, so that `undo` leaves both as they were.
 */
export class Reservations {
  readonly #index: MarketIndex;
  readonly #machines = new Journal(MACHINE_ENTRY);
  readonly #rows = new Journal(ROW_ENTRY);
  readonly #halves = new Journal(HALF_ENTRY);
  readonly #attributes = new Journal(WORD_ENTRY);
  readonly #envelope = new Envelope();
  readonly #leafEnvelope: LeafEnvelope;
  readonly #row: EnvelopeRow = {
    referencePrice: 0,
    corePrice: 0,
    standing: 0,
    complianceBps: 0,
    total: 0,
    devices: 0,
  };
  #deviceValue: Uint16Array | null = null;
  readonly #ownRows = new Uint32Array(OFFERS_PER_MACHINE);
  /** The span [first, end) of halves of an envelope that the node last bounded differs in from what it was. */
  #first = 0;
  #end = 0;

  constructor(index: MarketIndex) {
    this.#index = index;
    this.#leafEnvelope = new LeafEnvelope(index.rows, index.scale);
  }

  /** Sets the round's V by free milli-GPU, by which shares are placed; null for rules without packing. */
  start(deviceValue: Uint16Array | null): void {
    this.#deviceValue = deviceValue;
  }

  /** Takes `resources` of a machine that has them; returns the mask of the devices used. */
  reserve(machineId: number, resources: Resources): number {
    const { market, rowsByMachine } = this.#index;
    const { freeMilliGpu } = market;
    const { milliGpu } = resources;
    const first = machineId * DEVICES_PER_MACHINE;
    const mask = chooseDevices(freeMilliGpu, first, milliGpu, this.#deviceValue);
    const at = this.#machines.next();
    const { words } = this.#machines;
    words[at] = machineId;
    words[at + 1] = market.freeMemoryMib[machineId]!;
    words[at + 2] = market.freeCpuMilli[machineId]!;
    words[at + 3] = market.freeStorageGib[machineId]!;
    const perDevice = Math.min(milliGpu, WHOLE_DEVICE);
    for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
      words[at + 4 + device] = freeMilliGpu[first + device]!;
      if ((mask >> device) & 1) freeMilliGpu[first + device]! -= perDevice;
    }
    market.freeMemoryMib[machineId]! -= resources.memoryMib;
    market.freeCpuMilli[machineId]! -= resources.cpuMilli;
    market.freeStorageGib[machineId]! -= resources.storageGib;
    const count = rowsByMachine.read(machineId, this.#ownRows);
    for (let index = 0; index < count; index++) this.#renewRow(machineId, this.#ownRows[index]!);
    return mask;
  }

  /** Gives everything back that was taken since the last call. */
  undo(): void {
    const { market, rows, nodes } = this.#index;
    for (let at = this.#halves.last(); at >= 0; at -= HALF_ENTRY) {
      const { words } = this.#halves;
      nodes.halves[words[at]!] = words[at + 1]!;
    }
    for (let at = this.#attributes.last(); at >= 0; at -= WORD_ENTRY) {
      const { words } = this.#attributes;
      nodes.words[words[at]!] = words[at + 1]!;
    }
    for (let at = this.#rows.last(); at >= 0; at -= ROW_ENTRY) {
      const { words } = this.#rows;
      const half = halfOf(words[at]!);
      rows.halves[half + ROW_TOTAL] = words[at + 1]!;
      rows.halves[half + ROW_DEVICES] = words[at + 2]!;
    }
    for (let at = this.#machines.last(); at >= 0; at -= MACHINE_ENTRY) {
      const { words } = this.#machines;
      const machineId = words[at]!;
      market.freeMemoryMib[machineId] = words[at + 1]!;
      market.freeCpuMilli[machineId] = words[at + 2]!;
      market.freeStorageGib[machineId] = words[at + 3]!;
      for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
        market.freeMilliGpu[machineId * DEVICES_PER_MACHINE + device] = words[at + 4 + device]!;
      }
    }
    this.#halves.clear();
    this.#attributes.clear();
    this.#rows.clear();
    this.#machines.clear();
  }

  #renewRow(machineId: number, row: number): void {
    const { rows } = this.#index;
    const leaf = row >>> LEAF_SHIFT;
    const bucket = this.#index.bucketOf(leaf);
    const { total, devices } = this.#index.loadFree(machineId, bucket);
    const half = halfOf(row);
    const totalBefore = rows.halves[half + ROW_TOTAL]!;
    const devicesBefore = rows.halves[half + ROW_DEVICES]!;
    if (total === totalBefore && devices === devicesBefore) return;
    const at = this.#rows.next();
    this.#rows.words[at] = row;
    this.#rows.words[at + 1] = totalBefore;
    this.#rows.words[at + 2] = devicesBefore;
    rows.halves[half + ROW_TOTAL] = total;
    rows.halves[half + ROW_DEVICES] = devices;
    const { isGpu } = bucket.forest;
    if (isGpu && this.#index.hasPacking) this.#addTraits(bucket, leaf, traitsOf(total, devices) << TRAIT_SHIFT);
    const before = isGpu ? gpuClassesOf(devicesBefore) : cpuClassesOf(totalBefore);
    let local = bucket.leaves + leaf - bucket.leafBase;
    this.#boundLeaf(bucket, leaf, row, bucket.nodeBase + local, before);
    for (local >>= 1; local >= 1; local >>= 1) {
      if (this.#first >= this.#end) return;
      const left = bucket.nodeBase + 2 * local;
      this.#join(bucket.nodeBase + local, left, left + 1);
    }
    const { forest } = bucket;
    for (local = (bucket.position + forest.buckets.length) >> 1; local >= 1; local >>= 1) {
      if (this.#first >= this.#end) return;
      this.#join(forest.nodeBase + local, forest.nodeOf(2 * local), forest.nodeOf(2 * local + 1));
    }
  }

  /** Gives a leaf's node and all above it, as far as they have them not, the traits that a row of the leaf has come to have. */
  #addTraits(bucket: Bucket, leaf: number, traits: number): void {
    const { forest, nodeBase } = bucket;
    let local = bucket.leaves + leaf - bucket.leafBase;
    for (; local >= 1; local >>= 1) if (!this.#addBits(nodeBase + local, traits)) return;
    for (local = (bucket.position + forest.buckets.length) >> 1; local >= 1; local >>= 1) {
      if (!this.#addBits(forest.nodeBase + local, traits)) return;
    }
  }

  /** Sets bits of a node's attributes and notes what was there; whether one of them was not set. */
  #addBits(node: number, bits: number): boolean {
    const { words } = this.#index.nodes;
    const word = node * NODE_WORDS + ATTRIBUTES;
    const old = words[word]!;
    if ((old & bits) === bits) return false;
    const at = this.#attributes.next();
    this.#attributes.words[at] = word;
    this.#attributes.words[at + 1] = old;
    words[word] = old | bits;
    return true;
  }

  /**
   * Bounds a leaf anew after one of its rows, which had room for `before` classes, has less free: in the classes for which it still has
   * room it fits the better and can only lift the maximum; for the others the maximum is that of the rows left.
   */
  #boundLeaf(bucket: Bucket, leaf: number, changed: number, node: number, before: number): void {
    const { rows, scale, nodes } = this.#index;
    const { isGpu } = bucket.forest;
    const envelope = this.#envelope;
    const row = this.#row;
    envelope.clear();
    rows.read(changed, isGpu, row);
    const after = isGpu ? gpuClassesOf(row.devices) : cpuClassesOf(row.total);
    if (isGpu) envelope.addGpuClasses(scale, row, bucket.typicalPrice, 0, after);
    else envelope.addCpuClasses(scale, row, bucket.typicalCore, 0, after);
    if (after < before) this.#leafEnvelope.lift(envelope, bucket, leaf, after, before);
    const first = node * NODE_HALVES + ENVELOPE;
    this.#first = ENVELOPE_HALVES;
    this.#end = 0;
    for (let index = 0; index < before * SAMPLES; index++) {
      const value = Math.ceil(envelope.values[index]! / scale.unit);
      if (index < after * SAMPLES && value <= nodes.halves[first + index]!) continue;
      this.#write(first, index, value);
    }
  }

  /** Makes a node's envelope the higher of its two children's, in the span in which the child last bounded differs from what it was. */
  #join(node: number, left: number, right: number): void {
    const { halves } = this.#index.nodes;
    const from = this.#first;
    const to = this.#end;
    const first = node * NODE_HALVES + ENVELOPE;
    const one = left * NODE_HALVES + ENVELOPE;
    const other = right * NODE_HALVES + ENVELOPE;
    this.#first = ENVELOPE_HALVES;
    this.#end = 0;
    for (let index = from; index < to; index++) {
      const a = halves[one + index]!;
      const b = halves[other + index]!;
      this.#write(first, index, a > b ? a : b);
    }
  }

  /** Writes one half of the envelope that begins at `first`, notes what was there, and widens the span of what differs. */
  #write(first: number, index: number, value: number): void {
    const { halves } = this.#index.nodes;
    const half = first + index;
    const old = halves[half]!;
    if (value === old) return;
    const at = this.#halves.next();
    this.#halves.words[at] = half;
    this.#halves.words[at + 1] = old;
    halves[half] = value;
    if (index < this.#first) this.#first = index;
    this.#end = index + 1;
  }
}

/** Entries of equal size, appended one by one. */
class Journal {
  words = new Uint32Array(256);
  readonly #size: number;
  #end = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Where the next entry is to be written. */
  next(): number {
    const at = this.#end;
    this.#end += this.#size;
    if (this.#end > this.words.length) {
      const bigger = new Uint32Array(this.words.length * 2);
      bigger.set(this.words);
      this.words = bigger;
    }
    return at;
  }

  /** Where the last entry is; negative when there is none. */
  last(): number {
    return this.#end - this.#size;
  }

  clear(): void {
    this.#end = 0;
  }
}
