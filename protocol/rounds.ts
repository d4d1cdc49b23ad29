import { MatchmakerError } from '../engine/error.js';

/** A span of rounds of one length: round `fromRound` has its snapshot at `fromBlock`, each later one `lengthBlocks` after. */
export interface Period {
  readonly fromRound: number;
  readonly fromBlock: number;
  readonly lengthBlocks: number;
}

/** The newest period (which may not have begun yet) and the one before it. */
export interface Schedule {
  readonly newest: Period;
  readonly previous: Period | null;
}

/** The round, or the round of the block, lies before the oldest period that is still known. */
export class RoundClosedError extends MatchmakerError<'ROUND_CLOSED'> {
  constructor(what: 'round' | 'block', value: number, oldest: Period) {
    super(
      'ROUND_CLOSED',
      `${what} ${value} lies before round ${oldest.fromRound} (block ${oldest.fromBlock}), the oldest known`,
      {
        metadata: { [what]: value, oldestRound: oldest.fromRound, oldestBlock: oldest.fromBlock },
      },
    );
  }
}

/** The period that round `round` belongs to. Throws RoundClosedError for rounds before the previous period, and for round 0. */
export function periodOf(schedule: Schedule, round: number): Period {
  if (round >= schedule.newest.fromRound) return schedule.newest;
  const oldest = schedule.previous ?? schedule.newest;
  if (round < oldest.fromRound) throw new RoundClosedError('round', round, oldest);
  return oldest;
}

/** B(round): the block whose state round `round` is matched on. Throws RoundClosedError as `periodOf` does. */
export function snapshotBlockOf(schedule: Schedule, round: number): number {
  const period = periodOf(schedule, round);
  return period.fromBlock + (round - period.fromRound) * period.lengthBlocks;
}

/**
 * The smallest round whose snapshot block is at or after `block`: terms set in that block count from it.
 * Throws RoundClosedError for a block whose round belongs to no known period.
 */
export function fromRoundAt(schedule: Schedule, block: number): number {
  const { newest, previous } = schedule;
  if (previous === null || block > newest.fromBlock) return firstRoundFrom(newest, block);
  return firstRoundFrom(previous, block);
}

/** The round that is open in `block`: the latest whose snapshot is taken, 0 for none. Throws RoundClosedError as `fromRoundAt` does. */
export function openRoundAt(schedule: Schedule, block: number): number {
  return fromRoundAt(schedule, block) - 1;
}

function firstRoundFrom(period: Period, block: number): number {
  if (block <= period.fromBlock) {
    // Rounds before a period other than the first were taken at blocks that the schedule no longer holds.
    if (block < period.fromBlock && period.fromRound > 1) throw new RoundClosedError('block', block, period);
    return period.fromRound;
  }
  return period.fromRound + Math.ceil((block - period.fromBlock) / period.lengthBlocks);
}
