import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { ensureAllowance } from '../tokens/ensureAllowance.js';
import { getStakingToken } from '../tokens/stakingToken.js';

export interface AddStakeParameters {
  readonly providerId: number;
  /** Units of the staking token. */
  readonly amount: bigint;
}

/**
 * Adds to a provider's own stake; whoever sends it gives it to the provider's owner. Approves the staking manager first where needed.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await addStake(client, { providerId: 2, amount: 1_000n * 10n ** 18n });
 */
export async function addStake(client: MarketClient, { providerId, amount }: AddStakeParameters): Promise<Written> {
  const { address } = await getStakingToken(client);
  await ensureAllowance(client, { token: address, spender: client.contracts.stakingManager, amount });
  const receipt = await writeMarket(client, {
    address: client.contracts.stakingManager,
    abi: iStakingManagerAbi,
    functionName: 'stake',
    args: [providerId, amount],
  });
  return writtenBy(receipt);
}
