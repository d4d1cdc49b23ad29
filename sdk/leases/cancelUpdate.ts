import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface CancelUpdateParameters {
  readonly orderId: number;
}

/**
 * Takes back a request to update a lease. Only the tenant.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await cancelUpdate(client, { orderId: 7 });
 */
export async function cancelUpdate(client: MarketClient, { orderId }: CancelUpdateParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.computeLease,
    abi: iComputeLeaseAbi,
    functionName: 'cancelUpdate',
    args: [orderId],
  });
  return writtenBy(receipt);
}
