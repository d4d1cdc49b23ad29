import type { Period, Schedule } from '../rounds.js';
import { wordLayout, WordMalformedError } from './wordLayout.js';

const layout = wordLayout('schedule', {
  newestFromRound: [56, 32],
  newestFromBlock: [16, 40],
  newestLength: [0, 16],
  previousFromRound: [144, 32],
  previousFromBlock: [104, 40],
  previousLength: [88, 16],
});

/** Decodes the schedule word. Throws WordMalformedError for set spare bits, no period at all, or a period of length 0. */
export function decodeScheduleWord(word: bigint): Schedule {
  const fields = layout.decode(word);
  const newest = periodFrom(word, fields.newestFromRound, fields.newestFromBlock, fields.newestLength);
  if (newest === null) throw new WordMalformedError('schedule', 'it has no period', word);
  return {
    newest,
    previous: periodFrom(word, fields.previousFromRound, fields.previousFromBlock, fields.previousLength),
  };
}

/** Encodes the schedule word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeScheduleWord(schedule: Schedule): bigint {
  return layout.encode({
    newestFromRound: schedule.newest.fromRound,
    newestFromBlock: schedule.newest.fromBlock,
    newestLength: schedule.newest.lengthBlocks,
    previousFromRound: schedule.previous?.fromRound ?? 0,
    previousFromBlock: schedule.previous?.fromBlock ?? 0,
    previousLength: schedule.previous?.lengthBlocks ?? 0,
  });
}

function periodFrom(word: bigint, fromRound: number, fromBlock: number, lengthBlocks: number): Period | null {
  if (fromRound === 0) return null;
  if (lengthBlocks === 0) throw new WordMalformedError('schedule', 'a period has length 0', word);
  return { fromRound, fromBlock, lengthBlocks };
}
