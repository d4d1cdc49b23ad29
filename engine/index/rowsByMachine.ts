import { OFFERS_PER_MACHINE } from '../market.js';
import { NO_ROW } from './rowTable.js';

/** Set in an entry that is not a row but the number of a group of rows. */
const GROUP = 0x8000_0000;

/** Which rows a machine has: one entry a machine, and for machines with several rows a group of four. */
export class RowsByMachine {
  #entries = new Uint32Array(0);
  #groups = new Uint32Array(0);
  #groupCount = 0;
  readonly #freeGroups: number[] = [];

  get byteLength(): number {
    return this.#entries.byteLength + this.#groups.byteLength;
  }

  /** Makes room for machine ids below `machines`. */
  grow(machines: number): void {
    if (machines <= this.#entries.length) return;
    const size = this.#entries.length === 0 ? machines : machines + (machines >>> 5) + 8;
    const bigger = new Uint32Array(size).fill(NO_ROW, this.#entries.length);
    bigger.set(this.#entries);
    this.#entries = bigger;
  }

  entryOf(machineId: number): number {
    return this.#entries[machineId] ?? NO_ROW;
  }

  /** Writes the machine's rows into `into` (four entries) and returns how many there are. */
  read(machineId: number, into: Uint32Array): number {
    const entry = this.#entries[machineId] ?? NO_ROW;
    if (entry === NO_ROW) return 0;
    if (entry < GROUP) {
      into[0] = entry;
      return 1;
    }
    const first = (entry - GROUP) * OFFERS_PER_MACHINE;
    let count = 0;
    for (let index = first; index < first + OFFERS_PER_MACHINE; index++) {
      if (this.#groups[index] !== NO_ROW) into[count++] = this.#groups[index]!;
    }
    return count;
  }

  add(machineId: number, row: number): void {
    const entry = this.#entries[machineId]!;
    if (entry === NO_ROW) {
      this.#entries[machineId] = row;
      return;
    }
    if (entry >= GROUP) {
      this.move(machineId, NO_ROW, row);
      return;
    }
    const group = this.#freeGroups.pop() ?? this.#newGroup();
    this.#groups[group * OFFERS_PER_MACHINE] = entry;
    this.#groups[group * OFFERS_PER_MACHINE + 1] = row;
    this.#entries[machineId] = GROUP + group;
  }

  /** Puts `to` where the machine has `from`; NO_ROW for `to` takes the row away. */
  move(machineId: number, from: number, to: number): void {
    const entry = this.#entries[machineId]!;
    if (entry === NO_ROW || entry < GROUP) {
      this.#entries[machineId] = to;
      return;
    }
    const first = (entry - GROUP) * OFFERS_PER_MACHINE;
    const at = this.#groups.indexOf(from, first);
    this.#groups[at] = to;
    if (to !== NO_ROW) return;
    for (let index = first; index < first + OFFERS_PER_MACHINE; index++) {
      if (this.#groups[index] !== NO_ROW) return;
    }
    this.#entries[machineId] = NO_ROW;
    this.#freeGroups.push(entry - GROUP);
  }

  #newGroup(): number {
    const group = this.#groupCount++;
    if (this.#groupCount * OFFERS_PER_MACHINE > this.#groups.length) {
      const bigger = new Uint32Array(Math.max(64, this.#groups.length * 2)).fill(NO_ROW);
      bigger.set(this.#groups);
      this.#groups = bigger;
    }
    return group;
  }
}
