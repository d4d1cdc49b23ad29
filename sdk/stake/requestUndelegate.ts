import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RequestUndelegateParameters {
  readonly providerId: number;
  /** From `getDelegation`. */
  readonly shares: bigint;
}

export interface RequestUndelegateReturnType extends Written {
  readonly unbondingId: number;
  /** When `withdrawUnbonded` pays it out, seconds since 1970. */
  readonly releaseAtSeconds: number;
  /** Token units; a slash until then lowers it. */
  readonly amount: bigint;
}

/**
 * Gives shares of a delegation up; what they are worth waits and can be slashed until it is paid out.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { unbondingId } = await requestUndelegate(client, { providerId: 2, shares });
 */
export async function requestUndelegate(
  client: MarketClient,
  { providerId, shares }: RequestUndelegateParameters,
): Promise<RequestUndelegateReturnType> {
  const contract = { address: client.contracts.stakingManager, abi: iStakingManagerAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'requestUndelegate',
    args: [providerId, shares],
  });
  const {
    unbondingId,
    releaseAt: releaseAtSeconds,
    amount,
  } = eventOf(receipt, { ...contract, eventName: 'UnbondingStarted' });
  return { ...writtenBy(receipt), unbondingId, releaseAtSeconds, amount };
}
