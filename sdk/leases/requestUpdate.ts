import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { completeUpdate } from './completeUpdate.js';
import type { LeaseUpdate } from './leaseUpdate.js';

export interface RequestUpdateParameters extends Partial<LeaseUpdate> {
  readonly orderId: number;
}

export interface RequestUpdateReturnType extends Written {
  /** The whole request as it stands now. */
  readonly update: LeaseUpdate;
}

/**
 * Asks the provider of a confirmed lease for other resources, another price ceiling or another manifest (UPDATE_LEASE); what is
 * left out stays as it is. Replaces an earlier request. Only the tenant.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await requestUpdate(client, { orderId: 7, memoryMib: 65_536, maxPriceMicroPerHour: 2_500_000 });
 */
export async function requestUpdate(
  client: MarketClient,
  wanted: RequestUpdateParameters,
): Promise<RequestUpdateReturnType> {
  const update = await completeUpdate(client, wanted);
  const receipt = await writeMarket(client, {
    address: client.contracts.computeLease,
    abi: iComputeLeaseAbi,
    functionName: 'requestUpdate',
    args: [wanted.orderId, update],
  });
  return { ...writtenBy(receipt), update };
}
