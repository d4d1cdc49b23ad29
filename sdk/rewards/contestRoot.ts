import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { eventOf, readMarket, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { ensureAllowance } from '../tokens/ensureAllowance.js';

export interface ContestRootParameters {
  readonly era: number;
  /** Where the reasons can be read, at most 256 bytes. */
  readonly uri: string;
}

export interface ContestRootReturnType extends Written {
  /** Reward token units, returned when the contest is upheld. */
  readonly bond: bigint;
}

/**
 * Holds a pending root until the guardian has decided; takes the contest bond from the account, approving it first where needed.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await contestRoot(client, { era: 41, uri: 'https://example.org/my-computation.json' });
 */
export async function contestRoot(
  client: MarketClient,
  { era, uri }: ContestRootParameters,
): Promise<ContestRootReturnType> {
  const contract = { address: client.contracts.rewarder, abi: iRewarderAbi } as const;
  const [token, [, amount]] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'rewardToken', args: [] }),
    readMarket(client, { ...contract, functionName: 'distributionTerms', args: [] }),
  ]);
  await ensureAllowance(client, { token, spender: contract.address, amount });
  const receipt = await writeMarket(client, { ...contract, functionName: 'contest', args: [era, uri] });
  const { bond } = eventOf(receipt, { ...contract, eventName: 'RootContested' });
  return { ...writtenBy(receipt), bond };
}
