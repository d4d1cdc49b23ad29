import type { Market } from '../market.js';

/** Machines that joined since the table was sorted, before it is sorted again: this, and an eighth of those sorted. */
const LATE_MACHINES = 1024;

/** Which machines a provider owns: a table sorted by provider and machine, and beside it those that joined since. */
export class MachinesByProvider {
  readonly #market: Market;
  /** By provider the first of its entries in `#machines`; one more at the end. */
  #first = new Uint32Array(2);
  #machines = new Uint32Array(0);
  #late = new Map<number, Set<number>>();
  #lateCount = 0;

  constructor(market: Market) {
    this.#market = market;
    this.#sort();
  }

  get byteLength(): number {
    return this.#first.byteLength + this.#machines.byteLength;
  }

  /** Enters a machine under its provider, where it is not yet. */
  note(machineId: number): void {
    const providerId = this.#market.providerId[machineId]!;
    if (this.#isSorted(machineId, providerId)) return;
    const late = this.#late.get(providerId);
    if (late === undefined) this.#late.set(providerId, new Set([machineId]));
    else if (late.has(machineId)) return;
    else late.add(machineId);
    this.#lateCount++;
    if (this.#lateCount > LATE_MACHINES + (this.#machines.length >>> 3)) this.#sort();
  }

  /** Calls `visit` with every machine of a provider. */
  forEach(providerId: number, visit: (machineId: number) => void): void {
    const owners = this.#market.providerId;
    if (providerId + 1 < this.#first.length) {
      for (let entry = this.#first[providerId]!; entry < this.#first[providerId + 1]!; entry++) {
        const machineId = this.#machines[entry]!;
        if (owners[machineId] === providerId) visit(machineId);
      }
    }
    for (const machineId of this.#late.get(providerId) ?? []) {
      if (owners[machineId] === providerId) visit(machineId);
    }
  }

  /** At least as many as the provider has machines. */
  countAtMost(providerId: number): number {
    const sorted = providerId + 1 < this.#first.length ? this.#first[providerId + 1]! - this.#first[providerId]! : 0;
    return sorted + (this.#late.get(providerId)?.size ?? 0);
  }

  #isSorted(machineId: number, providerId: number): boolean {
    if (providerId + 1 >= this.#first.length) return false;
    let low = this.#first[providerId]!;
    let high = this.#first[providerId + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#machines[middle]! < machineId) low = middle + 1;
      else high = middle;
    }
    return low < this.#first[providerId + 1]! && this.#machines[low] === machineId;
  }

  #sort(): void {
    const { machineCount, providerId } = this.#market;
    let providers = 0;
    for (let machineId = 1; machineId <= machineCount; machineId++) {
      if (providerId[machineId]! > providers) providers = providerId[machineId]!;
    }
    const first = new Uint32Array(providers + 2);
    for (let machineId = 1; machineId <= machineCount; machineId++) first[providerId[machineId]! + 1]! += 1;
    for (let provider = 1; provider < first.length; provider++) first[provider]! += first[provider - 1]!;
    const machines = new Uint32Array(machineCount);
    const next = first.slice();
    for (let machineId = 1; machineId <= machineCount; machineId++) {
      machines[next[providerId[machineId]!]!++] = machineId;
    }
    this.#first = first;
    this.#machines = machines;
    this.#late = new Map();
    this.#lateCount = 0;
  }
}
