import type { Address } from 'viem';
import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { iRewardOracleAbi } from '../../chain/contracts/generated/IRewardOracle.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

/** State of a root: Pending ones pay once their delay is over. */
export type RewardRootState = 'none' | 'pending' | 'contested' | 'disabled';

const ROOT_STATES: readonly RewardRootState[] = ['none', 'pending', 'contested', 'disabled'];

export interface GetRewardStatusParameters {
  /** Adds what this earner has had. */
  readonly earner?: Address;
}

export interface GetRewardStatusReturnType {
  readonly currentEra: number;
  readonly eraSeconds: number;
  /** When the current era ends, seconds since 1970. */
  readonly eraEndsAtSeconds: number;
  /** Reward token units. */
  readonly totalFunded: bigint;
  readonly totalClaimed: bigint;
  /** The newest root that is not disabled, null for none. */
  readonly standingRoot: {
    readonly era: number;
    readonly root: `0x${string}`;
    readonly cumulativeTotal: bigint;
    readonly activeAtSeconds: number;
    readonly state: RewardRootState;
    /** Who contests it, null for nobody. */
    readonly challenger: Address | null;
  } | null;
  readonly earner: {
    readonly address: Address;
    readonly wallet: Address;
    /** Reward token units. */
    readonly claimed: bigint;
    readonly credit: bigint;
    /** Last era that it forfeited, null for none. */
    readonly forfeitedUntil: number | null;
  } | null;
}

/**
 * How far eras, roots and payments have come. Throws the errors of `readMarket`.
 *
 * @example
 * const { currentEra, standingRoot } = await getRewardStatus(client, {});
 */
export async function getRewardStatus(
  client: MarketClient,
  { earner }: GetRewardStatusParameters,
): Promise<GetRewardStatusReturnType> {
  const rewarder = { address: client.contracts.rewarder, abi: iRewarderAbi } as const;
  const oracle = { address: client.contracts.rewardOracle, abi: iRewardOracleAbi } as const;
  const [currentEra, [eraZero, eraSeconds], totalFunded, totalClaimed, [found, era]] = await Promise.all([
    readMarket(client, { ...oracle, functionName: 'currentEra', args: [] }),
    readMarket(client, { ...oracle, functionName: 'eraTerms', args: [] }),
    readMarket(client, { ...rewarder, functionName: 'totalFunded', args: [] }),
    readMarket(client, { ...rewarder, functionName: 'totalClaimed', args: [] }),
    readMarket(client, { ...rewarder, functionName: 'standingRoot', args: [] }),
  ]);
  return {
    currentEra,
    eraSeconds,
    eraEndsAtSeconds: eraZero + (currentEra + 1) * eraSeconds,
    totalFunded,
    totalClaimed,
    standingRoot: found ? await readRoot(client, era) : null,
    earner: earner === undefined ? null : await readEarner(client, earner),
  };
}

async function readRoot(client: MarketClient, era: number): Promise<GetRewardStatusReturnType['standingRoot']> {
  const [root, cumulativeTotal, activeAtSeconds, state, challenger] = await readMarket(client, {
    address: client.contracts.rewarder,
    abi: iRewarderAbi,
    functionName: 'rootOf',
    args: [era],
  });
  const name = ROOT_STATES[state] ?? 'none';
  return {
    era,
    root,
    cumulativeTotal,
    activeAtSeconds,
    state: name,
    challenger: name === 'contested' ? challenger : null,
  };
}

async function readEarner(client: MarketClient, address: Address): Promise<GetRewardStatusReturnType['earner']> {
  const rewarder = { address: client.contracts.rewarder, abi: iRewarderAbi, args: [address] } as const;
  const [wallet, claimed, credit, [forfeited, untilEra]] = await Promise.all([
    readMarket(client, { ...rewarder, functionName: 'rewardWalletOf' }),
    readMarket(client, { ...rewarder, functionName: 'claimedOf' }),
    readMarket(client, { ...rewarder, functionName: 'creditOf' }),
    readMarket(client, { ...rewarder, functionName: 'forfeitOf' }),
  ]);
  return { address, wallet, claimed, credit, forfeitedUntil: forfeited ? untilEra : null };
}
