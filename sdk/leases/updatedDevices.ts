import { DEVICES_PER_MACHINE } from '../../engine/market.js';

/** Thousandths of a device. */
const WHOLE_DEVICE = 1000;

/**
 * Devices of a lease after an update, as a mask: those it has as far as they are needed, lowest first, then wholly free ones,
 * lowest first; a share stays on its device where that has room. Null when the machine cannot give them.
 */
export function updatedDevices(lease: {
  readonly deviceMask: number;
  readonly milliGpu: number;
  readonly wantedMilliGpu: number;
  /** Free thousandths of the machine's devices, without what the lease holds. */
  readonly freeMilliGpu: readonly number[];
}): number | null {
  const { deviceMask, milliGpu, wantedMilliGpu, freeMilliGpu } = lease;
  if (wantedMilliGpu === milliGpu) return deviceMask;
  if (wantedMilliGpu === 0) return 0;
  const held = milliGpu < WHOLE_DEVICE ? milliGpu : WHOLE_DEVICE;
  const perDevice = wantedMilliGpu < WHOLE_DEVICE ? wantedMilliGpu : WHOLE_DEVICE;
  let missing = wantedMilliGpu / perDevice;
  let mask = 0;
  for (const isHeld of [true, false]) {
    for (let device = 0; device < DEVICES_PER_MACHINE && missing > 0; device++) {
      const holds = ((deviceMask >> device) & 1) === 1;
      const free = (freeMilliGpu[device] ?? 0) + (holds ? held : 0);
      if (holds !== isHeld || free < perDevice) continue;
      mask |= 1 << device;
      missing--;
    }
  }
  return missing === 0 ? mask : null;
}
