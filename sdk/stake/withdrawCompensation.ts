import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface WithdrawCompensationReturnType extends Written {
  /** Token units. */
  readonly amount: bigint;
}

/**
 * Pays what slashes credited to the account.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { amount } = await withdrawCompensation(client);
 */
export async function withdrawCompensation(client: MarketClient): Promise<WithdrawCompensationReturnType> {
  const contract = { address: client.contracts.stakingManager, abi: iStakingManagerAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'withdrawCompensation', args: [] });
  const { amount } = eventOf(receipt, { ...contract, eventName: 'CompensationPaid' });
  return { ...writtenBy(receipt), amount };
}
