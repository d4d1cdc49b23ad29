import { chooseShare, WHOLE_DEVICE } from './devices.js';
import { PolicyOutOfRangeError } from './engineError.js';
import { DEVICES_PER_MACHINE } from './market.js';
import { RULES_WITH_PACKING, SCALE } from './policy.js';
import type { PackingTerms, Policy } from './policy.js';
import type { Resources } from './price.js';

/**
 * What PackingTerms may hold. With these bounds a machine's potential is at most 8 x 1000 x (64 + 64 + 16) < 2^21, lost value times a
 * model's factor stays below 2^31, the largest possible loss below 2^26, and weight x SCALE x loss below 2^52: every intermediate
 * is exact, and so is the floor of each quotient.
 */
export const PACKING_BOUNDS = {
  steps: 16,
  value: 1000,
  deviceWeight: 64,
  cpuWeight: 64,
  memoryWeight: 16,
  cpuRate: 2 ** 14,
  memoryRate: 2 ** 12,
  models: 32,
  modelFactor: 1024,
} as const;

/** The columns of free capacity that a loss is reckoned by, of a market or of a round's own. */
export interface FreeCapacity {
  readonly freeMemoryMib: Uint32Array;
  readonly freeCpuMilli: Uint32Array;
  /** Eight entries a machine, at 8 x id + device. */
  readonly freeMilliGpu: Uint16Array;
}

/** Bits of what a machine may lack: less cpu, or less memory, is free than its free devices are worth. */
export const LACKS_CPU = 1;
export const LACKS_MEMORY = 2;

/** Factor of a model that the terms do not list, and what factors are 1024ths of. */
const NEUTRAL_FACTOR = 1024;
const FACTOR_BITS = 10;
const RATE_SCALE = 65_536;
const GPU_MODELS = 1024;
const UNKNOWN = 0xffff;

/**
 * The packing component of rules version 2. A device with r milli-GPU free is worth V(r), a step function of the policy; a machine's
 * potential is what its devices are worth, plus what of it its free cpu can still use, plus what its free memory can, each with a
 * weight. The machine that loses the least potential by an order packs it best.
 */
export class Packing {
  /** V by free milli-GPU, 0..1000. */
  readonly deviceValue = new Uint16Array(WHOLE_DEVICE + 1);
  /** 1024ths by which lost potential counts, by GPU model. */
  readonly modelFactor = new Uint16Array(GPU_MODELS).fill(NEUTRAL_FACTOR);
  readonly #terms: PackingTerms;
  /** Value of a wholly free device, the highest there is. */
  readonly #wholeValue: number;
  readonly #leastFactor: number;
  /** By milli-GPU of a share, once it was asked for. */
  readonly #leastLost = new Uint16Array(WHOLE_DEVICE).fill(UNKNOWN);

  /** Throws PolicyOutOfRangeError for terms outside PACKING_BOUNDS. */
  constructor(terms: PackingTerms) {
    requirePackingTerms(terms);
    this.#terms = terms;
    terms.fromMilli.forEach((from, step) => this.deviceValue.fill(terms.value[step]!, from));
    terms.models.forEach((model, index) => {
      this.modelFactor[model] = terms.modelFactor[index]!;
    });
    this.#wholeValue = this.deviceValue[WHOLE_DEVICE]!;
    this.#leastFactor = Math.min(NEUTRAL_FACTOR, ...terms.modelFactor);
  }

  /** Potential of a machine whose devices are worth `devicesValue` together, with so much cpu (milli) and memory (MiB) free. */
  potential(devicesValue: number, freeCpuMilli: number, freeMemoryMib: number): number {
    const { deviceWeight, cpuWeight, memoryWeight } = this.#terms;
    return (
      deviceWeight * devicesValue +
      cpuWeight * Math.min(devicesValue, this.#valueOfCpu(freeCpuMilli)) +
      memoryWeight * Math.min(devicesValue, this.#valueOfMemory(freeMemoryMib))
    );
  }

  /** What a machine whose devices are worth `devicesValue` together lacks: LACKS_CPU and LACKS_MEMORY, or 0. */
  lackOf(devicesValue: number, freeCpuMilli: number, freeMemoryMib: number): number {
    const cpu = this.#valueOfCpu(freeCpuMilli) < devicesValue ? LACKS_CPU : 0;
    return this.#valueOfMemory(freeMemoryMib) < devicesValue ? cpu | LACKS_MEMORY : cpu;
  }

  /**
   * Potential that a machine which can take `resources` loses by them, times the factor of its model, floored; for a share plus the
   * milli-GPU that it leaves free on its device.
   */
  lossOn(capacity: FreeCapacity, machineId: number, model: number, resources: Resources): number {
    const { milliGpu } = resources;
    const { freeMilliGpu } = capacity;
    const first = machineId * DEVICES_PER_MACHINE;
    let devicesValue = 0;
    for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
      devicesValue += this.deviceValue[freeMilliGpu[first + device]!]!;
    }
    let lostValue = 0;
    let leftOnDevice = 0;
    if (milliGpu >= WHOLE_DEVICE) {
      lostValue = (milliGpu / WHOLE_DEVICE) * this.#wholeValue;
    } else if (milliGpu > 0) {
      const free = freeMilliGpu[first + chooseShare(freeMilliGpu, first, milliGpu, this.deviceValue)]!;
      leftOnDevice = free - milliGpu;
      lostValue = this.deviceValue[free]! - this.deviceValue[leftOnDevice]!;
    }
    const freeCpuMilli = capacity.freeCpuMilli[machineId]!;
    const freeMemoryMib = capacity.freeMemoryMib[machineId]!;
    const lost =
      this.potential(devicesValue, freeCpuMilli, freeMemoryMib) -
      this.potential(devicesValue - lostValue, freeCpuMilli - resources.cpuMilli, freeMemoryMib - resources.memoryMib);
    return ((lost * this.modelFactor[model]!) >> FACTOR_BITS) + leftOnDevice;
  }

  /**
   * A bound above the loss of an order on any machine, from its resources alone: each device loses at most its whole value, each of
   * the two smaller terms at most that plus what the cpu or memory is worth, one more for the floors; a share leaves less than 1000.
   */
  largestLoss({ milliGpu, cpuMilli, memoryMib }: Resources): number {
    const { deviceWeight, cpuWeight, memoryWeight } = this.#terms;
    const devices = Math.ceil(milliGpu / WHOLE_DEVICE);
    return (
      (deviceWeight + cpuWeight + memoryWeight) * this.#wholeValue * devices +
      cpuWeight * (this.#valueOfCpu(cpuMilli) + 1) +
      memoryWeight * (this.#valueOfMemory(memoryMib) + 1) +
      WHOLE_DEVICE
    );
  }

  /**
   * A bound below the loss of an order on any machine that lacks no more than `lack` says, and has devices that are partly free only if
   * `isPartlyFree` says so, of a GPU model; without one, of any. Whole devices lose their own value, a share no less than on the device
   * that suits it best. Each of the two smaller terms falls by as much, unless the machine lacks cpu (memory): then at the least by what
   * the order takes of it.
   */
  leastLoss({ milliGpu, cpuMilli, memoryMib }: Resources, lack: number, isPartlyFree: boolean, model?: number): number {
    const { deviceWeight, cpuWeight, memoryWeight } = this.#terms;
    let leftOnDevice = 0;
    let lostValue = 0;
    if (milliGpu >= WHOLE_DEVICE) {
      lostValue = this.#wholeValue * (milliGpu / WHOLE_DEVICE);
    } else if (isPartlyFree) {
      lostValue = this.#leastLostByShare(milliGpu);
    } else if (milliGpu > 0) {
      leftOnDevice = WHOLE_DEVICE - milliGpu;
      lostValue = this.#wholeValue - this.deviceValue[leftOnDevice]!;
    }
    const lostCpu = (lack & LACKS_CPU) === 0 ? lostValue : Math.min(lostValue, this.#valueOfCpu(cpuMilli));
    const lostMemory = (lack & LACKS_MEMORY) === 0 ? lostValue : Math.min(lostValue, this.#valueOfMemory(memoryMib));
    const lost = deviceWeight * lostValue + cpuWeight * lostCpu + memoryWeight * lostMemory;
    const factor = model === undefined ? this.#leastFactor : this.modelFactor[model]!;
    return ((lost * factor) >> FACTOR_BITS) + leftOnDevice;
  }

  /** The least value that a device loses by a share, whatever it had free. */
  #leastLostByShare(milliGpu: number): number {
    const known = this.#leastLost[milliGpu]!;
    if (known !== UNKNOWN) return known;
    let least = this.#wholeValue;
    for (let free = milliGpu; free <= WHOLE_DEVICE; free++) {
      least = Math.min(least, this.deviceValue[free]! - this.deviceValue[free - milliGpu]!);
    }
    this.#leastLost[milliGpu] = least;
    return least;
  }

  // Products reach 2^36, so they are divided rather than shifted.
  #valueOfCpu(cpuMilli: number): number {
    return Math.floor((cpuMilli * this.#terms.cpuRate) / RATE_SCALE);
  }

  #valueOfMemory(memoryMib: number): number {
    return Math.floor((memoryMib * this.#terms.memoryRate) / RATE_SCALE);
  }
}

/** Weighted packing component: floor(weight x S x (largestLoss - loss) / largestLoss), finer than S steps. */
export function weightedPacking(weightPackingBps: number, loss: number, largestLoss: number): number {
  return Math.floor((weightPackingBps * SCALE * (largestLoss - loss)) / largestLoss);
}

/**
 * The packing of a policy's rules, null for version 1.
 * Throws PolicyOutOfRangeError for terms out of bounds, or terms or a weight of packing where the rules have none.
 */
export function packingOf({ rulesVersion, weightPackingBps, packing }: Policy): Packing | null {
  if (rulesVersion >= RULES_WITH_PACKING) {
    if (packing === null) throw new PolicyOutOfRangeError('packing', null, `given in version ${rulesVersion}`);
    if (weightPackingBps > SCALE)
      throw new PolicyOutOfRangeError('weightPackingBps', weightPackingBps, `at most ${SCALE}`);
    return new Packing(packing);
  }
  if (weightPackingBps !== 0) throw new PolicyOutOfRangeError('weightPackingBps', weightPackingBps, '0 in version 1');
  if (packing !== null) throw new PolicyOutOfRangeError('packing', packing.fromMilli.length, 'null in version 1');
  return null;
}

/** Whether two packings, null for none, find that machines lack the same: they value devices, free cpu and free memory alike. */
export function isSameLack(one: PackingTerms | null, other: PackingTerms | null): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.cpuRate === other.cpuRate &&
    one.memoryRate === other.memoryRate &&
    one.fromMilli.length === other.fromMilli.length &&
    one.fromMilli.every((from, step) => from === other.fromMilli[step] && one.value[step] === other.value[step])
  );
}

/** Throws PolicyOutOfRangeError, which names the field, for terms outside PACKING_BOUNDS. */
export function requirePackingTerms(terms: PackingTerms): void {
  const { fromMilli, value, models, modelFactor } = terms;
  requireWithin('fromMilli.length', fromMilli.length, 0, PACKING_BOUNDS.steps);
  if (value.length !== fromMilli.length) {
    throw outOfRange('value.length', value.length, `${fromMilli.length}, as fromMilli has`);
  }
  requireAscendingWithin('fromMilli', fromMilli, 1, 1, WHOLE_DEVICE);
  requireAscendingWithin('value', value, 0, 1, PACKING_BOUNDS.value);
  requireWithin('deviceWeight', terms.deviceWeight, 0, PACKING_BOUNDS.deviceWeight);
  requireWithin('cpuWeight', terms.cpuWeight, 0, PACKING_BOUNDS.cpuWeight);
  requireWithin('memoryWeight', terms.memoryWeight, 0, PACKING_BOUNDS.memoryWeight);
  requireWithin('cpuRate', terms.cpuRate, 0, PACKING_BOUNDS.cpuRate);
  requireWithin('memoryRate', terms.memoryRate, 0, PACKING_BOUNDS.memoryRate);
  requireWithin('models.length', models.length, 0, PACKING_BOUNDS.models);
  if (modelFactor.length !== models.length) {
    throw outOfRange('modelFactor.length', modelFactor.length, `${models.length}, as models has`);
  }
  requireAscendingWithin('models', models, 1, 1, GPU_MODELS - 1);
  modelFactor.forEach((factor, index) => requireWithin(`modelFactor[${index}]`, factor, 1, PACKING_BOUNDS.modelFactor));
}

/** Each entry within the bounds and at least `step` above the one before it. */
function requireAscendingWithin(
  field: string,
  values: readonly number[],
  step: number,
  least: number,
  most: number,
): void {
  values.forEach((value, index) => {
    requireWithin(`${field}[${index}]`, value, index === 0 ? least : Math.max(least, values[index - 1]! + step), most);
  });
}

function requireWithin(field: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw outOfRange(field, value, `an integer from ${least} to ${most}`);
  }
}

function outOfRange(field: string, value: number, rule: string): PolicyOutOfRangeError {
  return new PolicyOutOfRangeError(`packing.${field}`, value, rule);
}
