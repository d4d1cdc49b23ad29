import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { leaseEndOf, type LeaseEnd } from './leaseEnd.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface CloseLeaseParameters {
  readonly orderId: number;
}

export interface CloseLeaseReturnType extends Written {
  /** When accrual stopped, seconds since 1970. */
  readonly endTimeSeconds: number;
  /** Why it ended. */
  readonly end: LeaseEnd;
  /** The whole of what the lease earned, token units before fees. */
  readonly accrued: bigint;
}

/**
 * Ends a lease (CLOSE_LEASE): pays what has accrued, at least the minimum charge when the tenant closes after ready, and returns the rest. Tenant or provider.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { end, accrued } = await closeLease(client, { orderId: 7 });
 */
export async function closeLease(
  client: MarketClient,
  { orderId }: CloseLeaseParameters,
): Promise<CloseLeaseReturnType> {
  const contract = { address: client.contracts.computeLease, abi: iComputeLeaseAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'closeLease', args: [orderId] });
  const { endTime: endTimeSeconds, end, accrued } = eventOf(receipt, { ...contract, eventName: 'LeaseClosed' });
  return { ...writtenBy(receipt), endTimeSeconds, end: leaseEndOf(end), accrued };
}
