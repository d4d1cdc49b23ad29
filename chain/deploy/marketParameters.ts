import type { Address } from 'viem';
import type { Policy } from '../../engine/policy.js';
import { MatchmakerError } from '../../engine/error.js';
import type { MarketDeployment } from '../deployment.js';

/** What a market is deployed with. */
export interface MarketParameters {
  readonly name: string;
  readonly chainId: number;
  readonly blockTimeMs: number;
  /** False where the chain's EigenLayer delays are too short for the slashing window to hold. */
  readonly economicSecurity: boolean;
  /** True on Arbitrum chains, where `block.number` means L1. */
  readonly arbSys: boolean;
  readonly roundLengthBlocks: number;
  readonly bidWindowBlocks: number;
  readonly policy: Policy;
  readonly economy: EconomyParameters;
  /** Start of era 0, seconds since 1970. */
  readonly eraZero: number;
  /** What providers and delegators stake, and auditors bond; 18 decimals. */
  readonly stakingToken: Address;
  /** What rewards are paid in; 18 decimals. */
  readonly rewardToken: Address;
  /** Payment tokens in the order of their ids, from 1. */
  readonly paymentTokens: readonly { readonly address: Address; readonly minimumDeposit: bigint }[];
  /** Rows of the resource table in the order of their ids, from 1. */
  readonly resources: readonly ResourceRow[];
  readonly feeds: PriceFeeds;
  readonly roles: MarketRoles;
  /** Gets fees, slashed stake and forfeited bonds. */
  readonly treasury: Address;
  readonly foundation: Address;
  /** How settlement checks that a quorum signed. */
  readonly quorum: QuorumParameters;
  /** The stake side that settlement takes its operator table from. */
  readonly stakeSide: Pick<MarketDeployment, 'operatorSet' | 'eigenlayer'>;
}

/** Which quorum verifier is deployed. */
export interface QuorumParameters extends Pick<MarketDeployment['quorum'], 'curve' | 'checkedBy'> {
  /** Where tables arrive on a chain that EigenLayer does not serve; default: EigenLayer's verifier of the curve. Needs `checkedBy: 'table'`. */
  readonly receiver?: Address;
}

/** The economy's numbers, all of them governance parameters: config/economy. */
export interface EconomyParameters {
  readonly admission: { readonly autoApproval: boolean; readonly councilQuorum: number };
  readonly stake: {
    readonly wholePerDevice: number;
    readonly wholePerCore: number;
    readonly wholeMinimumPerMachine: number;
    readonly wholeMinimumPerProvider: number;
    readonly unbondingSeconds: number;
    readonly maxCommissionBps: number;
    readonly maxMisconductBps: number;
    readonly maxDowntimeBps: number;
    readonly downtimeCooldownSeconds: number;
  };
  readonly auditorBond: { readonly minimumWhole: number; readonly bondSeconds: number };
  readonly fees: {
    readonly userFeeBps: number;
    readonly providerFeeBps: number;
    readonly foundationFeeBps: number;
    /** Payment token without user and provider fee, 0 for none. */
    readonly nativeTokenId: number;
  };
  readonly bids: { readonly maxBidsPerOrder: number; readonly maxBidsPerProvider: number; readonly bondMicro: number };
  readonly leases: {
    readonly readySeconds: number;
    readonly manifestSeconds: number;
    readonly confirmSeconds: number;
    readonly minimumChargeSeconds: number;
  };
  readonly rewards: {
    readonly eraSeconds: number;
    readonly gpuPointsMilli: number;
    readonly cpuPointsMilli: number;
    readonly tierMultiplierBps: SevenTiers;
    readonly slashLineBps: SevenTiers;
    readonly complianceCapBps: number;
    readonly cooldownSeconds: number;
    readonly pointMicroUsd: number;
    readonly operatorPoolMicroUsd: number;
    readonly maxRefundGasPriceWei: number;
    readonly maxRefundGas: number;
    readonly maxPerEraWhole: number;
    readonly activationSeconds: number;
    readonly contestBondWhole: number;
  };
  readonly feeds: {
    readonly rewardHeartbeatSeconds: number;
    readonly nativeHeartbeatSeconds: number;
    readonly sequencerGraceSeconds: number;
    readonly rewardMinMicroUsd: number;
    readonly rewardMaxMicroUsd: number;
    readonly nativeMinMicroUsd: number;
    readonly nativeMaxMicroUsd: number;
  };
  /** Seconds between scheduling and executing a call of the role. */
  readonly delays: {
    readonly governorSeconds: number;
    readonly parametersSeconds: number;
    readonly upgraderSeconds: number;
  };
}

/** One value for each trust tier, from 1. */
export type SevenTiers = readonly [number, number, number, number, number, number, number];

/** A row of the resource table: what a unit weighs in rewards, 10000 = 1. */
export interface ResourceRow {
  readonly category: 'cpu' | 'gpu';
  readonly name: string;
  readonly multiplierBps: number;
}

/** Chainlink-style feeds in USD. */
export interface PriceFeeds {
  readonly rewardToken: Address;
  readonly native: Address;
  /** The L2 sequencer's uptime feed, the zero address where there is none. */
  readonly sequencer: Address;
}

/** Who may call the restricted functions. The governor grants and revokes all of them. */
export interface MarketRoles {
  readonly governor: Address;
  /** Sets providers' status and tier, and confirms attributes. */
  readonly providerVerifier: Address;
  /** Posts challenge results. */
  readonly scoreOracle: Address;
  /** Accredits auditors and revokes reports. */
  readonly complianceOfficer: Address;
  /** Decides on proposals alone. */
  readonly providerApprover: Address;
  /** Vote on proposals. */
  readonly council: readonly Address[];
  readonly slasher: Address;
  /** Sets terms, tokens, tables and the schedule, after `parametersSeconds`. */
  readonly parameters: Address;
  /** Replaces code, after `upgraderSeconds`. */
  readonly upgrader: Address;
  /** Pauses and unpauses. */
  readonly guardian: Address;
  readonly rewardPoster: Address;
  readonly rewardGuardian: Address;
}

/** Roles of the market's authority by number, as in contracts/src/governance/MarketRoles.sol. */
export const MARKET_ROLES = {
  governor: 0n,
  providerVerifier: 1n,
  scoreOracle: 2n,
  complianceOfficer: 3n,
  providerApprover: 4n,
  council: 5n,
  slasher: 6n,
  parameters: 7n,
  upgrader: 8n,
  guardian: 9n,
  rewardPoster: 10n,
  rewardGuardian: 11n,
} as const satisfies Record<keyof MarketRoles, bigint>;

/** Code could be replaced before stake that wants to leave has left. */
export class UpgradeDelayTooShortError extends MatchmakerError<'UPGRADE_DELAY_TOO_SHORT'> {
  constructor(shortfallSeconds: number) {
    super(
      'UPGRADE_DELAY_TOO_SHORT',
      `upgrades must wait longer than stake unbonds: raise delays.upgraderSeconds and delays.governorSeconds until neither is ${shortfallSeconds} s short, or lower stake.unbondingSeconds`,
      { metadata: { shortfallSeconds } },
    );
  }
}

/** The parameters' role has a delay, and the key that deploys holds it: it could not fill the market's tables. */
export class DeployerHoldsParametersError extends MatchmakerError<'DEPLOYER_HOLDS_PARAMETERS'> {
  constructor(deployer: Address) {
    super(
      'DEPLOYER_HOLDS_PARAMETERS',
      `${deployer} deploys and is roles.parameters with a delay: deploy with another key`,
      { metadata: { deployer } },
    );
  }
}

/**
 * Seconds by which upgrades are too early, 0 when stake can always leave before the code changes. The governor can grant itself the
 * upgrader's role, so the shorter of the two delays counts.
 */
export function upgradeDelayShortfallSeconds({ delays, stake }: EconomyParameters): number {
  const delaySeconds = Math.min(delays.upgraderSeconds, delays.governorSeconds);
  return Math.max(0, stake.unbondingSeconds + 1 - delaySeconds);
}
