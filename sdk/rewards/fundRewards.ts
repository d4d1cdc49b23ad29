import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { eventOf, readMarket, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { ensureAllowance } from '../tokens/ensureAllowance.js';

export interface FundRewardsParameters {
  /** Reward token units. */
  readonly amount: bigint;
}

export interface FundRewardsReturnType extends Written {
  /** All that was ever funded, reward token units. */
  readonly totalFunded: bigint;
}

/**
 * Gives reward tokens of the account to the rewarder, approving it for them first where needed. They never come back.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await fundRewards(client, { amount: 1_000n * 10n ** 18n });
 */
export async function fundRewards(
  client: MarketClient,
  { amount }: FundRewardsParameters,
): Promise<FundRewardsReturnType> {
  const contract = { address: client.contracts.rewarder, abi: iRewarderAbi } as const;
  const token = await readMarket(client, { ...contract, functionName: 'rewardToken', args: [] });
  await ensureAllowance(client, { token, spender: contract.address, amount });
  const receipt = await writeMarket(client, { ...contract, functionName: 'fund', args: [amount] });
  const { totalFunded } = eventOf(receipt, { ...contract, eventName: 'Funded' });
  return { ...writtenBy(receipt), totalFunded };
}
