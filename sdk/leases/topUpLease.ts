import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface TopUpLeaseParameters {
  readonly orderId: number;
  readonly addedMinutes: number;
}

export interface TopUpLeaseReturnType extends Written {
  /** Of the whole lease, from its ready on. */
  readonly durationMinutes: number;
  /** Seconds since 1970. */
  readonly paidThroughSeconds: number;
}

/**
 * Adds minutes to a lease at the price of now, and locks what they cost. Only the tenant.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await topUpLease(client, { orderId: 7, addedMinutes: 60 });
 */
export async function topUpLease(
  client: MarketClient,
  { orderId, addedMinutes }: TopUpLeaseParameters,
): Promise<TopUpLeaseReturnType> {
  const contract = { address: client.contracts.computeLease, abi: iComputeLeaseAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'topUp', args: [orderId, addedMinutes] });
  const { durationMinutes, paidThrough: paidThroughSeconds } = eventOf(receipt, {
    ...contract,
    eventName: 'LeaseExtended',
  });
  return { ...writtenBy(receipt), durationMinutes, paidThroughSeconds };
}
