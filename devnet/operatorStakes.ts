import { MatchmakerError } from '../engine/error.js';

/** Fewer operators could not all be spared, more are no devnet. */
export class OperatorCountError extends MatchmakerError<'OPERATOR_COUNT'> {
  constructor(count: number) {
    super(
      'OPERATOR_COUNT',
      `${count} operators: a devnet has ${FEWEST} to ${MOST}, so that the others reach the quorum without any one`,
      {
        metadata: { count },
      },
    );
  }
}

const FEWEST = 4;
const MOST = 64;
/** Thirty, twenty-seven, twenty-three and twenty percent. */
const FOUR_STAKES = [30_000, 27_000, 23_000, 20_000];
const TOTAL_WHOLE = 100_000;

/**
 * Whole stake tokens of each operator, the largest first: no two alike and none a third of the sum, so that any one may fail.
 * Throws OperatorCountError outside 4..64.
 */
export function operatorStakes(count: number): number[] {
  if (!Number.isInteger(count) || count < FEWEST || count > MOST) throw new OperatorCountError(count);
  if (count === FEWEST) return FOUR_STAKES;
  // A straight line from 5/4 of the mean down to 3/4 of it.
  return Array.from({ length: count }, (_, index) =>
    Math.floor((TOTAL_WHOLE * (5 * (count - 1) - 2 * index)) / (4 * (count - 1) * count)),
  );
}
