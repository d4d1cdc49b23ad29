import type { Address } from 'viem';
import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import type { PublishedDistribution } from '../../chain/rewards/distributionFile.js';
import { RewardTree } from '../../protocol/rewards/rewardTree.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ClaimRewardsParameters {
  /** Who is paid, at its reward wallet; anyone may claim for it. */
  readonly earner: Address;
  /** The distribution of the newest active root, from its file. */
  readonly distribution: Pick<PublishedDistribution, 'chainId' | 'rewarder' | 'leaves'>;
}

export interface ClaimRewardsReturnType extends Written {
  /** Paid now, reward token units. */
  readonly amount: bigint;
  /** Given in all, reward token units. */
  readonly cumulative: bigint;
  readonly wallet: Address;
}

/**
 * Pays an earner what the newest active root gives it beyond what it has had.
 * Throws EarnerNotInTreeError when the distribution does not name it, and the errors of `writeMarket`.
 *
 * @example
 * await claimRewards(client, { earner, distribution: parseDistribution(JSON.parse(text)) });
 */
export async function claimRewards(
  client: MarketClient,
  { earner, distribution }: ClaimRewardsParameters,
): Promise<ClaimRewardsReturnType> {
  const { cumulative, proof } = new RewardTree(distribution.leaves, distribution).proofOf(earner);
  const contract = { address: client.contracts.rewarder, abi: iRewarderAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'claim', args: [earner, cumulative, proof] });
  const { amount, wallet } = eventOf(receipt, { ...contract, eventName: 'RewardClaimed' });
  return { ...writtenBy(receipt), amount, cumulative, wallet };
}
