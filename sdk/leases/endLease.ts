import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { leaseEndOf, type LeaseEnd } from './leaseEnd.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface EndLeaseParameters {
  readonly orderId: number;
}

export interface EndLeaseReturnType extends Written {
  /** When accrual stopped, seconds since 1970. */
  readonly endTimeSeconds: number;
  /** Why it ended. */
  readonly end: LeaseEnd;
  /** The whole of what the lease earned, token units before fees. */
  readonly accrued: bigint;
}

/**
 * Ends a lease one of whose deadlines has passed, at the fault's side, for anyone; `getLease` names the next deadline.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { end, accrued } = await endLease(client, { orderId: 7 });
 */
export async function endLease(client: MarketClient, { orderId }: EndLeaseParameters): Promise<EndLeaseReturnType> {
  const contract = { address: client.contracts.computeLease, abi: iComputeLeaseAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'endLease', args: [orderId] });
  const { endTime: endTimeSeconds, end, accrued } = eventOf(receipt, { ...contract, eventName: 'LeaseClosed' });
  return { ...writtenBy(receipt), endTimeSeconds, end: leaseEndOf(end), accrued };
}
