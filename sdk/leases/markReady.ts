import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface MarkReadyParameters {
  readonly orderId: number;
}

export interface MarkReadyReturnType extends Written {
  /** Seconds since 1970. */
  readonly readyAtSeconds: number;
  /** When the lease ends unless it is renewed, seconds since 1970. */
  readonly paidThroughSeconds: number;
}

/**
 * Says that the provider is ready for the manifest: accrual starts, and the paid-through time is fixed. Only the provider's owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { paidThroughSeconds } = await markReady(client, { orderId: 7 });
 */
export async function markReady(client: MarketClient, { orderId }: MarkReadyParameters): Promise<MarkReadyReturnType> {
  const contract = { address: client.contracts.computeLease, abi: iComputeLeaseAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'markReady', args: [orderId] });
  const { readyAt: readyAtSeconds, paidThrough: paidThroughSeconds } = eventOf(receipt, {
    ...contract,
    eventName: 'ProviderReady',
  });
  return { ...writtenBy(receipt), readyAtSeconds, paidThroughSeconds };
}
