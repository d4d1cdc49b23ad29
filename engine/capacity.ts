import { chooseDevices, WHOLE_DEVICE } from './devices.js';
import { DEVICES_PER_MACHINE } from './market.js';
import type { Market } from './market.js';
import type { Resources } from './price.js';

/** Free capacity while a round is matched: copies of the market's columns, from which each match is taken at once. */
export class Capacity {
  readonly freeMemoryMib: Uint32Array;
  readonly freeCpuMilli: Uint32Array;
  readonly freeStorageGib: Uint32Array;
  /** Eight entries a machine, at 8 x id + device. */
  readonly freeMilliGpu: Uint16Array;
  /** Sum over a machine's devices. */
  readonly totalMilliGpu: Uint16Array;
  /** Most that one of a machine's devices has free: what bounds a share. */
  readonly largestMilliGpu: Uint16Array;
  /** Devices that are wholly free. */
  readonly wholeDevices: Uint8Array;
  readonly #deviceValue: Uint16Array | null;

  /** `deviceValue` is V by free milli-GPU, by which shares are placed; null for rules without packing. */
  constructor(market: Market, deviceValue: Uint16Array | null) {
    this.#deviceValue = deviceValue;
    const rows = market.machineCount + 1;
    this.freeMemoryMib = market.freeMemoryMib.slice(0, rows);
    this.freeCpuMilli = market.freeCpuMilli.slice(0, rows);
    this.freeStorageGib = market.freeStorageGib.slice(0, rows);
    this.freeMilliGpu = market.freeMilliGpu.slice(0, rows * DEVICES_PER_MACHINE);
    this.totalMilliGpu = new Uint16Array(rows);
    this.largestMilliGpu = new Uint16Array(rows);
    this.wholeDevices = new Uint8Array(rows);
    for (let machineId = 1; machineId < rows; machineId++) this.#sumDevices(machineId);
  }

  /** Whether the machine's devices can take `milliGpu` (0, a share, or whole devices). */
  fitsDevices(machineId: number, milliGpu: number): boolean {
    if (milliGpu === 0) return true;
    if (milliGpu < WHOLE_DEVICE) return this.largestMilliGpu[machineId]! >= milliGpu;
    return this.wholeDevices[machineId]! * WHOLE_DEVICE >= milliGpu;
  }

  /** Mask of the devices that `milliGpu` would be placed on; 0 when it asks for none or does not fit. */
  devicesFor(machineId: number, milliGpu: number): number {
    return chooseDevices(this.freeMilliGpu, machineId * DEVICES_PER_MACHINE, milliGpu, this.#deviceValue);
  }

  /** Takes `resources` of a machine that has them; returns the mask of the devices used. */
  reserve(machineId: number, resources: Resources): number {
    const { milliGpu } = resources;
    const first = machineId * DEVICES_PER_MACHINE;
    const mask = this.devicesFor(machineId, milliGpu);
    const perDevice = Math.min(milliGpu, WHOLE_DEVICE);
    for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
      if ((mask >> device) & 1) this.freeMilliGpu[first + device]! -= perDevice;
    }
    this.freeMemoryMib[machineId]! -= resources.memoryMib;
    this.freeCpuMilli[machineId]! -= resources.cpuMilli;
    this.freeStorageGib[machineId]! -= resources.storageGib;
    this.#sumDevices(machineId);
    return mask;
  }

  /**
   * Takes what a record says it takes, whether the machine has it or not: on its own devices, each amount down to 0 at the least.
   * For a record that the rules allow it does what `reserve` does.
   */
  takeAsStated(machineId: number, deviceMask: number, resources: Resources): void {
    const first = machineId * DEVICES_PER_MACHINE;
    const perDevice = Math.min(resources.milliGpu, WHOLE_DEVICE);
    for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
      if (((deviceMask >> device) & 1) === 0) continue;
      this.freeMilliGpu[first + device] = Math.max(0, this.freeMilliGpu[first + device]! - perDevice);
    }
    this.freeMemoryMib[machineId] = Math.max(0, this.freeMemoryMib[machineId]! - resources.memoryMib);
    this.freeCpuMilli[machineId] = Math.max(0, this.freeCpuMilli[machineId]! - resources.cpuMilli);
    this.freeStorageGib[machineId] = Math.max(0, this.freeStorageGib[machineId]! - resources.storageGib);
    this.#sumDevices(machineId);
  }

  #sumDevices(machineId: number): void {
    const first = machineId * DEVICES_PER_MACHINE;
    let total = 0;
    let largest = 0;
    let whole = 0;
    for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
      const free = this.freeMilliGpu[first + device]!;
      total += free;
      if (free > largest) largest = free;
      if (free === WHOLE_DEVICE) whole++;
    }
    this.totalMilliGpu[machineId] = total;
    this.largestMilliGpu[machineId] = largest;
    this.wholeDevices[machineId] = whole;
  }
}
