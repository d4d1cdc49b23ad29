import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RenewLeaseParameters {
  readonly orderId: number;
  readonly durationMinutes: number;
}

export interface RenewLeaseReturnType extends Written {
  /** Of the whole lease, from its ready on. */
  readonly durationMinutes: number;
  /** Seconds since 1970. */
  readonly paidThroughSeconds: number;
}

/**
 * Sets the paid time of a lease to `durationMinutes` from now at the price of now; locks what is missing or returns what is over. Only the tenant.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { paidThroughSeconds } = await renewLease(client, { orderId: 7, durationMinutes: 720 });
 */
export async function renewLease(
  client: MarketClient,
  { orderId, durationMinutes }: RenewLeaseParameters,
): Promise<RenewLeaseReturnType> {
  const contract = { address: client.contracts.computeLease, abi: iComputeLeaseAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'renewLease',
    args: [orderId, durationMinutes],
  });
  const extended = eventOf(receipt, { ...contract, eventName: 'LeaseExtended' });
  return {
    ...writtenBy(receipt),
    durationMinutes: extended.durationMinutes,
    paidThroughSeconds: extended.paidThrough,
  };
}
