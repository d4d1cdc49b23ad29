import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface WithdrawUnbondedParameters {
  readonly providerId: number;
  readonly unbondingId: number;
}

export interface WithdrawUnbondedReturnType extends Written {
  /** Token units. */
  readonly amount: bigint;
}

/**
 * Pays out an unbonding of the account that is over.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { amount } = await withdrawUnbonded(client, { providerId: 2, unbondingId: 1 });
 */
export async function withdrawUnbonded(
  client: MarketClient,
  { providerId, unbondingId }: WithdrawUnbondedParameters,
): Promise<WithdrawUnbondedReturnType> {
  const contract = { address: client.contracts.stakingManager, abi: iStakingManagerAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'withdrawUnbonded',
    args: [providerId, unbondingId],
  });
  const { amount } = eventOf(receipt, { ...contract, eventName: 'Unbonded' });
  return { ...writtenBy(receipt), amount };
}
