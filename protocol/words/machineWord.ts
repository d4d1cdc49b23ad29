import type { MachineFields } from '../../engine/market.js';
import { DEVICES_PER_MACHINE } from '../../engine/market.js';
import { wordLayout, WordFieldInvalidError, WordMalformedError } from './wordLayout.js';

/** A machine's totals word: what its owner registered, read neither by matching nor by settlement. */
export interface MachineTotals {
  readonly totalMemoryMib: number;
  readonly totalCpuMilli: number;
  readonly totalStorageGib: number;
  readonly deviceCount: number;
  readonly requiredStakeWhole: number;
  readonly openLeases: number;
  /** Seconds since 1970. */
  readonly registeredAtSeconds: number;
}

const DEVICE_WIDTH = 10n;
const DEVICE_MASK = 0x3ffn;
const WHOLE_DEVICE = 1000;

const layout = wordLayout(
  'machine',
  {
    activeFromRound: [224, 32],
    activeUntilRound: [192, 32],
    providerId: [168, 24],
    model: [158, 10],
    region: [148, 10],
    offersWritten: [144, 4],
    freeMemoryMib: [120, 24],
    freeCpuMilli: [100, 20],
    freeStorageGib: [80, 20],
  },
  { devices: [0, 80] },
);

const totalsLayout = wordLayout('machine totals', {
  totalMemoryMib: [232, 24],
  totalCpuMilli: [212, 20],
  totalStorageGib: [192, 20],
  deviceCount: [188, 4],
  requiredStakeWhole: [148, 40],
  openLeases: [124, 24],
  registeredAtSeconds: [84, 40],
});

/** Decodes a machine's matching word. Throws WordMalformedError for a device with more than 1000 milli-GPU free. */
export function decodeMachineWord(word: bigint): MachineFields {
  const { devices, ...fields } = layout.decode(word);
  const freeMilliGpu: number[] = [];
  for (let device = 0n; device < DEVICES_PER_MACHINE; device++) {
    const free = Number((devices >> (device * DEVICE_WIDTH)) & DEVICE_MASK);
    if (free > WHOLE_DEVICE)
      throw new WordMalformedError('machine', `device ${device} has ${free} milli-GPU free`, word);
    freeMilliGpu.push(free);
  }
  return { ...fields, freeMilliGpu };
}

/** Encodes a machine's matching word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeMachineWord(machine: MachineFields): bigint {
  if (machine.freeMilliGpu.length !== DEVICES_PER_MACHINE) {
    throw new WordFieldInvalidError('machine', 'freeMilliGpu', machine.freeMilliGpu.length, 'a list of eight devices');
  }
  let devices = 0n;
  machine.freeMilliGpu.forEach((free, device) => {
    if (!Number.isInteger(free) || free < 0 || free > WHOLE_DEVICE) {
      throw new WordFieldInvalidError('machine', `freeMilliGpu[${device}]`, free, 'an integer from 0 to 1000');
    }
    devices |= BigInt(free) << (BigInt(device) * DEVICE_WIDTH);
  });
  return layout.encode({ ...machine, devices });
}

/** Decodes a machine's totals word. Throws WordMalformedError for set spare bits. */
export function decodeMachineTotalsWord(word: bigint): MachineTotals {
  return totalsLayout.decode(word);
}

/** Encodes a machine's totals word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeMachineTotalsWord(totals: MachineTotals): bigint {
  return totalsLayout.encode(totals);
}
