import type { MatchRecord } from '../engine/record.js';
import { MatchmakerError } from '../engine/error.js';
import { decodeLeaseWord, encodeLeaseWord, OrderState } from './words/orderWord.js';
import { decodeMachineWord, encodeMachineWord } from './words/machineWord.js';

/** A match or release would take a machine's free capacity below zero or above what a word can hold. */
export class CapacityEffectError extends MatchmakerError<'CAPACITY_EFFECT'> {
  constructor(field: string, free: number, change: number) {
    super('CAPACITY_EFFECT', `machine word: ${field} ${free} cannot change by ${change}`, {
      metadata: { field, free, change },
    });
  }
}

/** Resources that a match takes from a machine and a release returns to it. */
interface Placement {
  readonly deviceMask: number;
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
}

const WHOLE_DEVICE = 1000;
const MEMORY_LIMIT = 2 ** 24 - 1;
const CPU_LIMIT = 2 ** 20 - 1;
const STORAGE_LIMIT = 2 ** 20 - 1;

/** The lease that settlement writes over the order word: the record with the time of the mining block and state MATCHED. */
export function leaseWordOf(record: MatchRecord, matchedAtSeconds: number): bigint {
  return encodeLeaseWord({ ...record, matchedAtSeconds, state: OrderState.MATCHED });
}

/** The machine's matching word after `record` took its capacity. Throws CapacityEffectError when there was too little. */
export function machineWordAfterMatch(word: bigint, record: MatchRecord): bigint {
  return machineWordWith(word, record, -1);
}

/** The machine's matching word after the lease in `leaseWord` gave its capacity back. Throws CapacityEffectError when it cannot hold it. */
export function machineWordAfterRelease(word: bigint, leaseWord: bigint): bigint {
  return machineWordWith(word, decodeLeaseWord(leaseWord), 1);
}

/** The machine's matching word after a bench: it takes part again from `benchFromRound` on, or later if it did already. */
export function machineWordBenched(word: bigint, benchFromRound: number): bigint {
  const machine = decodeMachineWord(word);
  return encodeMachineWord({ ...machine, activeFromRound: Math.max(machine.activeFromRound, benchFromRound) });
}

function machineWordWith(word: bigint, placement: Placement, sign: 1 | -1): bigint {
  const machine = decodeMachineWord(word);
  const perDevice = placement.milliGpu < WHOLE_DEVICE ? placement.milliGpu : WHOLE_DEVICE;
  return encodeMachineWord({
    ...machine,
    freeMemoryMib: changed('freeMemoryMib', machine.freeMemoryMib, sign * placement.memoryMib, MEMORY_LIMIT),
    freeCpuMilli: changed('freeCpuMilli', machine.freeCpuMilli, sign * placement.cpuMilli, CPU_LIMIT),
    freeStorageGib: changed('freeStorageGib', machine.freeStorageGib, sign * placement.storageGib, STORAGE_LIMIT),
    freeMilliGpu: machine.freeMilliGpu.map((free, device) =>
      (placement.deviceMask >> device) & 1
        ? changed(`freeMilliGpu[${device}]`, free, sign * perDevice, WHOLE_DEVICE)
        : free,
    ),
  });
}

function changed(field: string, free: number, change: number, limit: number): number {
  const after = free + change;
  if (after < 0 || after > limit) throw new CapacityEffectError(field, free, change);
  return after;
}
