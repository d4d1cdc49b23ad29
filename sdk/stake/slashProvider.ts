import type { Hex } from 'viem';
import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

/** Why a provider is slashed, in the order of the contract's enum. */
export const SLASH_CAUSES = ['misconduct', 'downtime-with-lease', 'downtime-idle'] as const;
export type SlashCause = (typeof SLASH_CAUSES)[number];

export interface SlashProviderParameters {
  readonly providerId: number;
  /**
   * misconduct: own, delegated and unbonding stake and accrued rewards, and the provider is suspended; downtime-with-lease: own
   * stake; downtime-idle: no stake, the era's rewards are voided with its results.
   */
  readonly cause: SlashCause;
  /** Share of the stake, hundredths of a percent; 0 for downtime-idle. */
  readonly amountBps: number;
  /** The harmed tenant's order, paid first; needed for downtime-with-lease. */
  readonly orderId?: number;
  /** What the tenant lost, units of the staking token. */
  readonly harm?: bigint;
  /** Hash of the evidence, good for one slash of a provider. */
  readonly evidenceHash: Hex;
}

export interface SlashProviderReturnType extends Written {
  /** Units of the staking token, as the others. */
  readonly ownAmount: bigint;
  readonly delegatedAmount: bigint;
  readonly unbondingAmount: bigint;
  readonly toTenant: bigint;
  readonly toTreasury: bigint;
}

/**
 * Slashes a provider. Only the slasher's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await slashProvider(client, { providerId: 2, cause: 'downtime-with-lease', amountBps: 100, orderId: 7, harm, evidenceHash });
 */
export async function slashProvider(
  client: MarketClient,
  { providerId, cause, amountBps, orderId = 0, harm = 0n, evidenceHash }: SlashProviderParameters,
): Promise<SlashProviderReturnType> {
  const contract = { address: client.contracts.stakingManager, abi: iStakingManagerAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'slash',
    args: [{ providerId, cause: SLASH_CAUSES.indexOf(cause), amountBps, orderId, harm, evidenceHash }],
  });
  const { ownAmount, delegatedAmount, unbondingAmount, toTenant, toTreasury } = eventOf(receipt, {
    ...contract,
    eventName: 'Slashed',
  });
  return { ...writtenBy(receipt), ownAmount, delegatedAmount, unbondingAmount, toTenant, toTreasury };
}
