import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RequestUnstakeParameters {
  readonly providerId: number;
  /** Token units. */
  readonly amount: bigint;
}

export interface RequestUnstakeReturnType extends Written {
  readonly unbondingId: number;
  /** When `withdrawUnbonded` pays it out, seconds since 1970. */
  readonly releaseAtSeconds: number;
  /** Token units; a slash until then lowers it. */
  readonly amount: bigint;
}

/**
 * Lets own stake go, down to what is required; it waits and can be slashed until it is paid out. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { unbondingId, releaseAtSeconds } = await requestUnstake(client, { providerId: 2, amount: 10n ** 18n });
 */
export async function requestUnstake(
  client: MarketClient,
  { providerId, amount }: RequestUnstakeParameters,
): Promise<RequestUnstakeReturnType> {
  const contract = { address: client.contracts.stakingManager, abi: iStakingManagerAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'requestUnstake',
    args: [providerId, amount],
  });
  const started = eventOf(receipt, { ...contract, eventName: 'UnbondingStarted' });
  return {
    ...writtenBy(receipt),
    unbondingId: started.unbondingId,
    releaseAtSeconds: started.releaseAt,
    amount: started.amount,
  };
}
