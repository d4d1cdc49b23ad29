import type { Distribution } from '../../chain/rewards/computeDistribution.js';
import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ProposeRootParameters {
  /** As `computeDistribution` or `parseDistribution` gives it. */
  readonly distribution: Pick<Distribution, 'era' | 'root' | 'cumulativeTotal' | 'participationHash'>;
  /** Where the distribution file can be fetched, at most 256 bytes. */
  readonly uri: string;
}

export interface ProposeRootReturnType extends Written {
  /** First second in which the root pays unless it is contested or disabled, seconds since 1970. */
  readonly activeAtSeconds: number;
}

/**
 * Proposes the root of an era's distribution. Only the reward poster. Throws the errors of `writeMarket`.
 *
 * @example
 * await proposeRoot(client, { distribution, uri: 'https://rewards.example/41.json' });
 */
export async function proposeRoot(
  client: MarketClient,
  { distribution, uri }: ProposeRootParameters,
): Promise<ProposeRootReturnType> {
  const contract = { address: client.contracts.rewarder, abi: iRewarderAbi } as const;
  const { era, root, cumulativeTotal, participationHash } = distribution;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'proposeRoot',
    args: [era, root, cumulativeTotal, participationHash, uri],
  });
  const { activeAt } = eventOf(receipt, { ...contract, eventName: 'RootProposed' });
  return { ...writtenBy(receipt), activeAtSeconds: activeAt };
}
