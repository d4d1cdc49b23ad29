import { DEVICES_PER_MACHINE } from './market.js';

/** Milli-GPU of one whole device. */
export const WHOLE_DEVICE = 1000;

/**
 * Devices that `milliGpu` is placed on, bit i for device i; 0 when it asks for none or does not fit.
 * A share goes to the fitting device with the least free, whole GPUs to the wholly free ones; lowest index first.
 * `freeMilliGpu` holds the machine's eight devices from entry `first` on.
 */
export function chooseDevices(freeMilliGpu: ArrayLike<number>, first: number, milliGpu: number): number {
  if (milliGpu === 0) return 0;
  if (milliGpu < WHOLE_DEVICE) return chooseShare(freeMilliGpu, first, milliGpu);
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

function chooseShare(freeMilliGpu: ArrayLike<number>, first: number, milliGpu: number): number {
  let chosen = -1;
  let least = Infinity;
  for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
    const free = freeMilliGpu[first + device]!;
    if (free >= milliGpu && free < least) {
      chosen = device;
      least = free;
    }
  }
  return chosen < 0 ? 0 : 1 << chosen;
}
