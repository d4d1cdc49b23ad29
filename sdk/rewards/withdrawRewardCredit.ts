import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface WithdrawRewardCreditReturnType extends Written {
  /** Reward token units. */
  readonly amount: bigint;
}

/**
 * Pays out bonds of contests that are credited to the account. Throws the errors of `writeMarket`.
 *
 * @example
 * const { amount } = await withdrawRewardCredit(client);
 */
export async function withdrawRewardCredit(client: MarketClient): Promise<WithdrawRewardCreditReturnType> {
  const contract = { address: client.contracts.rewarder, abi: iRewarderAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'withdrawCredit', args: [] });
  const { amount } = eventOf(receipt, { ...contract, eventName: 'CreditWithdrawn' });
  return { ...writtenBy(receipt), amount };
}
