import { MatchmakerError } from '../../engine/error.js';

/**
 * Seconds that a challenger is given to get commit, prove and slash mined on a congested stake chain.
 * A day: far more than a transaction that pays the market's fee waits.
 */
export const INCLUSION_MARGIN_SECONDS = 86_400;

/** What decides how long signed stake must stay and how long it does. */
export interface SlashingWindowTerms {
  /** Oldest table that a settlement may still be signed under, seconds; 0 where a table is never too old. */
  readonly maxTableAgeSeconds: number;
  /** How long after its snapshot a batch can be proven wrong, seconds. */
  readonly challengeWindowSeconds: number;
  /** How long a proven offence waits before it slashes, seconds. */
  readonly vetoSeconds: number;
  readonly inclusionMarginSeconds: number;
  /** Blocks for which stake stays slashable after its operator took it away: EigenLayer's DEALLOCATION_DELAY. */
  readonly deallocationDelayBlocks: number;
  /** Blocks for which stake must stay slashable to count in a table: the calculator's LOOKAHEAD_BLOCKS. */
  readonly lookaheadBlocks: number;
  /** Of the stake chain. */
  readonly blockTimeMs: number;
}

/** Whether stake behind a signature outlives the time in which the signature can be punished. */
export interface SlashingWindow {
  /** From the table's block to the last moment of a slash, seconds; infinite where a table is never too old. */
  readonly neededSeconds: number;
  /** For which stake that counts in a table is sure to be slashable, seconds, rounded down. */
  readonly slashableSeconds: number;
  /** By how much the second is too short, seconds; 0 where it is long enough. */
  readonly shortfallSeconds: number;
}

/** Operators could sign and leave before they can be slashed, on a network that promises otherwise. */
export class SlashingWindowShortError extends MatchmakerError<'SLASHING_WINDOW_SHORT'> {
  constructor(window: SlashingWindow) {
    super(
      'SLASHING_WINDOW_SHORT',
      `${describeSlashingWindow(window)}: shorten the table's staleness or the challenge window, raise the lookahead up to the deallocation delay, or deploy with "economicSecurity": false in the network file`,
      { metadata: { ...window } },
    );
  }
}

/**
 * Compares maxTableAge + challengeWindow + veto + inclusionMargin with the time for which stake of a table stays slashable: the smaller of
 * lookahead and deallocation delay, because a table counts stake whose withdrawal is already under way as long as the lookahead allows.
 */
export function slashingWindow(terms: SlashingWindowTerms): SlashingWindow {
  const { maxTableAgeSeconds, challengeWindowSeconds, vetoSeconds, inclusionMarginSeconds } = terms;
  const slashableBlocks = Math.min(terms.deallocationDelayBlocks, terms.lookaheadBlocks);
  const slashableSeconds = Math.floor((slashableBlocks * terms.blockTimeMs) / 1_000);
  const neededSeconds =
    maxTableAgeSeconds === 0
      ? Number.POSITIVE_INFINITY
      : maxTableAgeSeconds + challengeWindowSeconds + vetoSeconds + inclusionMarginSeconds;
  return { neededSeconds, slashableSeconds, shortfallSeconds: Math.max(0, neededSeconds + 1 - slashableSeconds) };
}

/** One line for whoever deploys, runs or funds an operator. */
export function describeSlashingWindow({ neededSeconds, slashableSeconds, shortfallSeconds }: SlashingWindow): string {
  if (neededSeconds === Number.POSITIVE_INFINITY) {
    return 'no economic security: the operator table never goes stale, so operators that left can still sign';
  }
  return shortfallSeconds === 0
    ? `stake stays slashable for ${slashableSeconds} s, and a wrong match can be slashed within ${neededSeconds} s`
    : `no economic security: a wrong match may take ${neededSeconds} s to be slashed, but stake is only sure to stay for ${slashableSeconds} s, ${shortfallSeconds} s too short`;
}
