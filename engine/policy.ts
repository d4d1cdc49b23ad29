/** What free capacity is taken to be worth by the packing component; the on-chain integers of the `PackingTerms` struct. */
export interface PackingTerms {
  /** Steps of V, a device's value by its free milli-GPU: `value[i]` from `fromMilli[i]` on, 0 below the first. Strictly ascending. */
  readonly fromMilli: readonly number[];
  readonly value: readonly number[];
  /** Weights of the value in the devices, of what the free cpu can still use of it, and of what the free memory can. */
  readonly deviceWeight: number;
  readonly cpuWeight: number;
  readonly memoryWeight: number;
  /** 65536ths of value that a free cpu-milli, and a free MiB of memory, can serve. */
  readonly cpuRate: number;
  readonly memoryRate: number;
  /** GPU models, strictly ascending, whose lost value counts by another factor than 1. */
  readonly models: readonly number[];
  /** Factor of each of `models` in 1024ths. */
  readonly modelFactor: readonly number[];
}

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
  /** 0 in version 1 of the rules. */
  readonly weightPackingBps: number;
  /** Null in version 1 of the rules. */
  readonly packing: PackingTerms | null;
}

/** The rules that know no packing component. */
export const RULES_WITHOUT_PACKING = 1;

/** The rules with a packing component. */
export const RULES_WITH_PACKING = 2;

/** The versions of the rules this engine implements; a node abstains from rounds whose policy names another. */
export const SUPPORTED_RULES_VERSIONS: readonly number[] = [RULES_WITHOUT_PACKING, RULES_WITH_PACKING];

/** S of the scoring formula: components run from 0 to SCALE, weights sum to it. */
export const SCALE = 10_000;
