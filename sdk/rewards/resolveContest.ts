import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ResolveContestParameters {
  readonly era: number;
  /** True disables the root and returns the bond; false gives the bond to the treasury and begins the root's delay anew. */
  readonly upheld: boolean;
}

/**
 * Decides a contest. Only the reward guardian. Throws the errors of `writeMarket`.
 *
 * @example
 * await resolveContest(client, { era: 41, upheld: true });
 */
export async function resolveContest(
  client: MarketClient,
  { era, upheld }: ResolveContestParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.rewarder,
    abi: iRewarderAbi,
    functionName: 'resolve',
    args: [era, upheld],
  });
  return writtenBy(receipt);
}
