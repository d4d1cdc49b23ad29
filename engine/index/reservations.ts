import { chooseDevices, WHOLE_DEVICE } from '../devices.js';
import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../market.js';
import type { Resources } from '../price.js';
import type { MarketIndex } from './marketIndex.js';
import { ENVELOPE_WORD, ENVELOPE_WORDS, NODE_WORDS } from './nodeTable.js';
import { LEAF_SHIFT } from './rowTable.js';

const MACHINE_ENTRY = 4 + DEVICES_PER_MACHINE;
const ROW_ENTRY = 3;
const NODE_ENTRY = 1 + ENVELOPE_WORDS;

/**
 * Capacity taken while a round is matched: written into the market's columns and the index in place, with a note of every value that was
 * there, so that `undo` leaves both as they were.
 */
export class Reservations {
  readonly #index: MarketIndex;
  readonly #machines = new Journal(MACHINE_ENTRY);
  readonly #rows = new Journal(ROW_ENTRY);
  readonly #nodes = new Journal(NODE_ENTRY);
  #deviceValue: Uint16Array | null = null;
  readonly #ownRows = new Uint32Array(OFFERS_PER_MACHINE);

  constructor(index: MarketIndex) {
    this.#index = index;
  }

  /** Sets the round's V by free milli-GPU, by which shares are placed; null for rules without packing. */
  start(deviceValue: Uint16Array | null): void {
    this.#deviceValue = deviceValue;
  }

  /** Takes `resources` of a machine that has them; returns the mask of the devices used. */
  reserve(machineId: number, resources: Resources): number {
    const { market, rowsByMachine } = this.#index;
    const { milliGpu } = resources;
    const first = machineId * DEVICES_PER_MACHINE;
    const mask = chooseDevices(market.freeMilliGpu, first, milliGpu, this.#deviceValue);
    const at = this.#machines.next();
    const { words } = this.#machines;
    words[at] = machineId;
    words[at + 1] = market.freeMemoryMib[machineId]!;
    words[at + 2] = market.freeCpuMilli[machineId]!;
    words[at + 3] = market.freeStorageGib[machineId]!;
    const perDevice = Math.min(milliGpu, WHOLE_DEVICE);
    for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
      words[at + 4 + device] = market.freeMilliGpu[first + device]!;
      if ((mask >> device) & 1) market.freeMilliGpu[first + device]! -= perDevice;
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
    for (let at = this.#nodes.last(); at >= 0; at -= NODE_ENTRY) {
      const { words } = this.#nodes;
      const first = words[at]! * NODE_WORDS + ENVELOPE_WORD;
      for (let word = 0; word < ENVELOPE_WORDS; word++) nodes.words[first + word] = words[at + 1 + word]!;
    }
    for (let at = this.#rows.last(); at >= 0; at -= ROW_ENTRY) {
      const { words } = this.#rows;
      rows.total[words[at]!] = words[at + 1]!;
      rows.devices[words[at]!] = words[at + 2]!;
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
    this.#nodes.clear();
    this.#rows.clear();
    this.#machines.clear();
  }

  #renewRow(machineId: number, row: number): void {
    const { rows } = this.#index;
    const leaf = row >>> LEAF_SHIFT;
    const bucket = this.#index.bucketOf(leaf);
    const at = this.#rows.next();
    this.#rows.words[at] = row;
    this.#rows.words[at + 1] = rows.total[row]!;
    this.#rows.words[at + 2] = rows.devices[row]!;
    const free = this.#index.loadFree(machineId, bucket);
    rows.total[row] = free.total;
    rows.devices[row] = free.devices;
    let local = bucket.leaves + leaf - bucket.leafBase;
    const node = bucket.nodeBase + local;
    this.#noteNode(node);
    this.#index.boundEnvelope(bucket, leaf, node);
    if (!this.#isChanged(node)) return;
    for (local >>= 1; local >= 1; local >>= 1) {
      const left = bucket.nodeBase + 2 * local;
      if (!this.#bound(bucket.nodeBase + local, left, left + 1)) return;
    }
    const { forest } = bucket;
    for (local = (bucket.position + forest.buckets.length) >> 1; local >= 1; local >>= 1) {
      if (!this.#bound(forest.nodeBase + local, forest.nodeOf(2 * local), forest.nodeOf(2 * local + 1))) return;
    }
  }

  #bound(node: number, left: number, right: number): boolean {
    const { nodes } = this.#index;
    this.#noteNode(node);
    nodes.joinEnvelopes(node, left, right);
    return this.#isChanged(node);
  }

  #noteNode(node: number): void {
    const at = this.#nodes.next();
    const { words } = this.#nodes;
    const first = node * NODE_WORDS + ENVELOPE_WORD;
    words[at] = node;
    for (let word = 0; word < ENVELOPE_WORDS; word++) words[at + 1 + word] = this.#index.nodes.words[first + word]!;
  }

  /** Whether the node last noted differs from its note; forgets the note if not. */
  #isChanged(node: number): boolean {
    const at = this.#nodes.last();
    const { words } = this.#nodes;
    const first = node * NODE_WORDS + ENVELOPE_WORD;
    for (let word = 0; word < ENVELOPE_WORDS; word++) {
      if (words[at + 1 + word] !== this.#index.nodes.words[first + word]) return true;
    }
    this.#nodes.drop();
    return false;
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

  drop(): void {
    this.#end -= this.#size;
  }

  clear(): void {
    this.#end = 0;
  }
}
