import { DEVICES_PER_MACHINE } from './market.js';

/** Milli-GPU of one whole device. */
export const WHOLE_DEVICE = 1000;

/**
 * Devices that `milliGpu` is placed on, bit i for device i; 0 when it asks for none or does not fit.
 * A share goes to the device that `chooseShare` names, whole GPUs to the wholly free ones of the lowest index.
 * `freeMilliGpu` holds the machine's eight devices from entry `first` on.
 */
export function chooseDevices(
  freeMilliGpu: ArrayLike<number>,
  first: number,
  milliGpu: number,
  deviceValue: ArrayLike<number> | null,
): number {
  if (milliGpu === 0) return 0;
  if (milliGpu < WHOLE_DEVICE) {
    const device = chooseShare(freeMilliGpu, first, milliGpu, deviceValue);
    return device < 0 ? 0 : 1 << device;
  }
  let missing = milliGpu / WHOLE_DEVICE;
  let mask = 0;
  for (let device = 0; device < DEVICES_PER_MACHINE && missing > 0; device++) {
    if (freeMilliGpu[first + device] === WHOLE_DEVICE) {
      mask |= 1 << device;
      missing--;
    }
  }
  return missing === 0 ? mask : 0;
}

/**
 * The device that a share of `milliGpu` goes to, -1 when none has that much free: of those that have, the one that loses the least
 * value by it, then the least free, then the lowest index. `deviceValue` is V by free milli-GPU; null for rules without packing, in
 * which no device has a value.
 */
export function chooseShare(
  freeMilliGpu: ArrayLike<number>,
  first: number,
  milliGpu: number,
  deviceValue: ArrayLike<number> | null,
): number {
  let chosen = -1;
  let leastLost = Infinity;
  let leastFree = Infinity;
  for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
    const free = freeMilliGpu[first + device]!;
    if (free < milliGpu) continue;
    const lost = deviceValue === null ? 0 : deviceValue[free]! - deviceValue[free - milliGpu]!;
    if (lost < leastLost || (lost === leastLost && free < leastFree)) {
      chosen = device;
      leastLost = lost;
      leastFree = free;
    }
  }
  return chosen;
}
