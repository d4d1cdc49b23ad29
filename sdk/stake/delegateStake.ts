import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { ensureAllowance } from '../tokens/ensureAllowance.js';
import { getStakingToken } from '../tokens/stakingToken.js';

export interface DelegateStakeParameters {
  readonly providerId: number;
  /** Units of the staking token. */
  readonly amount: bigint;
}

export interface DelegateStakeReturnType extends Written {
  /** Shares of the provider's delegated pool. */
  readonly shares: bigint;
}

/**
 * Delegates stake to a provider: it counts in the provider's score, earns a part of its rewards, and can be slashed for misconduct.
 * Approves the staking manager first where needed.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { shares } = await delegateStake(client, { providerId: 2, amount: 10n ** 18n });
 */
export async function delegateStake(
  client: MarketClient,
  { providerId, amount }: DelegateStakeParameters,
): Promise<DelegateStakeReturnType> {
  const { address } = await getStakingToken(client);
  await ensureAllowance(client, { token: address, spender: client.contracts.stakingManager, amount });
  const contract = { address: client.contracts.stakingManager, abi: iStakingManagerAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'delegate', args: [providerId, amount] });
  const { shares } = eventOf(receipt, { ...contract, eventName: 'Delegated' });
  return { ...writtenBy(receipt), shares };
}
