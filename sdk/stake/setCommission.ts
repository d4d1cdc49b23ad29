import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface SetCommissionParameters {
  readonly providerId: number;
  /** Hundredths of a percent. */
  readonly commissionBps: number;
}

export interface SetCommissionReturnType extends Written {
  /** Seconds since 1970. */
  readonly effectiveAtSeconds: number;
}

/**
 * Sets the provider's share of its delegators' rewards; a higher one holds only when delegators had time to leave. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await setCommission(client, { providerId: 2, commissionBps: 500 });
 */
export async function setCommission(
  client: MarketClient,
  { providerId, commissionBps }: SetCommissionParameters,
): Promise<SetCommissionReturnType> {
  const contract = { address: client.contracts.stakingManager, abi: iStakingManagerAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'setCommission',
    args: [providerId, commissionBps],
  });
  const { effectiveAt: effectiveAtSeconds } = eventOf(receipt, { ...contract, eventName: 'CommissionUpdated' });
  return { ...writtenBy(receipt), effectiveAtSeconds };
}
