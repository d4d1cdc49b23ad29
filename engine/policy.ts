/** Terms of matching that hold for a span of rounds; all values are the on-chain integers of the `Policy` struct. */
export interface Policy {
  readonly rulesVersion: number;
  readonly weightPriceBps: number;
  readonly weightStakeBps: number;
  readonly weightFitBps: number;
  readonly weightRegionBps: number;
  readonly weightUptimeBps: number;
  readonly weightReputationBps: number;
  /** Stake at which the stake component is full, whole tokens; never 0. */
  readonly saturationWhole: number;
  readonly complianceCapBps: number;
  /** J: the jitter added to a total is 0..J. */
  readonly jitterRange: number;
  readonly defaultUptimeBps: number;
  readonly defaultReputationBps: number;
  readonly maxMatches: number;
  readonly quorumBps: number;
  readonly minTotalStake: bigint;
  readonly maxTableAgeSeconds: number;
  readonly coolRounds: number;
  readonly selfMatchRounds: number;
}

/** The rules this engine implements; a node abstains from rounds whose policy names others. */
export const SUPPORTED_RULES_VERSION = 1;

/** S of the scoring formula: components run from 0 to SCALE, weights sum to it. */
export const SCALE = 10_000;
