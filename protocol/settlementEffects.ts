import type { MachineFields } from '../engine/market.js';
import type { MatchRecord } from '../engine/record.js';
import { MatchmakerError } from '../engine/error.js';
import { decodeMachineWord, encodeMachineWord } from './words/machineWord.js';
import { decodeLeaseWord, encodeLeaseWord, NO_ROUND, OrderState } from './words/orderWord.js';
import { WordFieldInvalidError } from './words/wordLayout.js';

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
  return encodeMachineWord(machineAfterMatch(decodeMachineWord(word), record));
}

/** The machine's matching word after the lease in `leaseWord` gave its capacity back. Throws CapacityEffectError when it cannot hold it. */
export function machineWordAfterRelease(word: bigint, leaseWord: bigint): bigint {
  return encodeMachineWord(machineWith(decodeMachineWord(word), decodeLeaseWord(leaseWord), 1));
}

/** The machine's matching word after a bench: it takes part again from `benchFromRound` on, or later if it did already. */
export function machineWordBenched(word: bigint, benchFromRound: number): bigint {
  return encodeMachineWord(machineBenched(decodeMachineWord(word), benchFromRound));
}

/** A machine after `record` took its capacity. Throws CapacityEffectError when there was too little. */
export function machineAfterMatch(machine: MachineFields, record: MatchRecord): MachineFields {
  return machineWith(machine, record, -1);
}

/** A machine after a bench, as machineWordBenched. Throws WordFieldInvalidError for a round that no word can hold. */
export function machineBenched(machine: MachineFields, benchFromRound: number): MachineFields {
  if (benchFromRound > NO_ROUND)
    throw new WordFieldInvalidError('machine', 'activeFromRound', benchFromRound, `at most ${NO_ROUND}`);
  return { ...machine, activeFromRound: Math.max(machine.activeFromRound, benchFromRound) };
}

function machineWith(machine: MachineFields, placement: Placement, sign: 1 | -1): MachineFields {
  const perDevice = placement.milliGpu < WHOLE_DEVICE ? placement.milliGpu : WHOLE_DEVICE;
  return {
    ...machine,
    freeMemoryMib: changed('freeMemoryMib', machine.freeMemoryMib, sign * placement.memoryMib, MEMORY_LIMIT),
    freeCpuMilli: changed('freeCpuMilli', machine.freeCpuMilli, sign * placement.cpuMilli, CPU_LIMIT),
    freeStorageGib: changed('freeStorageGib', machine.freeStorageGib, sign * placement.storageGib, STORAGE_LIMIT),
    freeMilliGpu: machine.freeMilliGpu.map((free, device) =>
      (placement.deviceMask >> device) & 1
        ? changed(`freeMilliGpu[${device}]`, free, sign * perDevice, WHOLE_DEVICE)
        : free,
    ),
  };
}

function changed(field: string, free: number, change: number, limit: number): number {
  const after = free + change;
  if (after < 0 || after > limit) throw new CapacityEffectError(field, free, change);
  return after;
}
