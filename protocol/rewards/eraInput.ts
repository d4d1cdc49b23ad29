import type { Address } from 'viem';
import { MatchmakerError } from '../../engine/error.js';

/** Basis points of one. */
export const BPS = 10_000n;

/** How rewards are computed, as the Rewarder's EraClosed event names them. */
export interface RewardTerms {
  /** Points an era for one unit of a resource with multiplier 1, thousandths. */
  readonly gpuPointsMilli: bigint;
  readonly cpuPointsMilli: bigint;
  /** Trust tier 1 first, seven of each, bps. */
  readonly tierMultiplierBps: readonly bigint[];
  readonly slashLineBps: readonly bigint[];
  readonly complianceCapBps: bigint;
  /** Micro-USD that one point is worth. */
  readonly pointMicroUsd: bigint;
  /** Micro-USD that all operators share for one closed era. */
  readonly operatorPoolMicroUsd: bigint;
  readonly maxRefundGasPriceWei: bigint;
  readonly maxRefundGas: bigint;
  /** Most that one root may add, reward token units. */
  readonly maxPerEra: bigint;
}

/** A verified row of a provider's hardware. */
export interface ProviderResource {
  readonly resourceId: number;
  readonly category: 'cpu' | 'gpu';
  readonly units: bigint;
  readonly multiplierBps: bigint;
}

/** What the reward oracle was told about a provider in one era. */
export interface ProviderResult {
  readonly era: number;
  readonly eraUptimeBps: bigint;
  readonly idleSeconds: bigint;
  readonly voided: boolean;
}

/** Stake that somebody delegated, staking token units. */
export interface Delegation {
  readonly delegator: Address;
  readonly amount: bigint;
}

/** A provider as it stands at the end of the closing block. */
export interface ProviderEra {
  readonly providerId: number;
  readonly owner: Address;
  /** Active or in Maintenance; any other status earns nothing. */
  readonly inService: boolean;
  /** 1..7. */
  readonly tier: number;
  /** 10000 plus the reports that count, before the cap. */
  readonly complianceBps: bigint;
  readonly commissionBps: bigint;
  /** Staking token units. */
  readonly ownStake: bigint;
  readonly delegatedStake: bigint;
  readonly delegations: readonly Delegation[];
  readonly resources: readonly ProviderResource[];
  /** Results that no earlier root paid for. */
  readonly results: readonly ProviderResult[];
}

/** How many settled batches an operator signed. */
export interface OperatorParticipation {
  /** Address of the operator's signing key. */
  readonly operator: Address;
  readonly batches: number;
}

/** One settlement's gas. */
export interface SettlerGas {
  readonly settler: Address;
  readonly round: number;
  readonly gasUsed: bigint;
  readonly effectiveGasPriceWei: bigint;
}

/** What an earner has been given in all, reward token units. */
export interface CumulativeReward {
  readonly earner: Address;
  readonly cumulative: bigint;
}

/** A forfeit after the closing of the root before, in chain order. */
export interface Forfeit {
  readonly earner: Address;
  /** What the earner had claimed by then, reward token units. */
  readonly claimed: bigint;
}

/** The root that the new one builds on. */
export interface BaseRoot {
  /** Null when there is none. */
  readonly era: number | null;
  readonly cumulativeTotal: bigint;
  readonly leaves: readonly CumulativeReward[];
}

/** Everything that an era's rewards follow from. Addresses are lower case. */
export interface EraInput {
  readonly chainId: number;
  readonly rewarder: Address;
  readonly era: number;
  readonly eraSeconds: bigint;
  /** Eras closed since the base root's, this one included: each brings the operators' pool once. */
  readonly closedEras: bigint;
  readonly terms: RewardTerms;
  /** Micro-USD per whole reward token and per whole native coin. */
  readonly rewardTokenMicroUsd: bigint;
  readonly nativeMicroUsd: bigint;
  readonly rewardTokenDecimals: number;
  /** All that was ever funded, reward token units. */
  readonly totalFunded: bigint;
  /** Where forfeited rewards go. */
  readonly treasury: Address;
  readonly base: BaseRoot;
  readonly forfeits: readonly Forfeit[];
  /** Last lost era of every earner that ever forfeited. */
  readonly forfeitedUntil: ReadonlyMap<Address, number>;
  readonly providers: readonly ProviderEra[];
  readonly operators: readonly OperatorParticipation[];
  readonly settlers: readonly SettlerGas[];
}

/** An input that cannot be one of a chain, or names something twice. */
export class EraInputInvalidError extends MatchmakerError<'ERA_INPUT_INVALID'> {
  constructor(field: string, problem: string) {
    super('ERA_INPUT_INVALID', `era input, ${field}: ${problem}`, { metadata: { field, problem } });
  }
}
