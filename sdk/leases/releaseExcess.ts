import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { tryEventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ReleaseExcessParameters {
  readonly orderId: number;
}

export interface ReleaseExcessReturnType extends Written {
  /** Back to the tenant and its sponsor, token units. */
  readonly amount: bigint;
}

/**
 * Returns to the tenant what an order's lock holds beyond its price over the remaining time plus fees, for anyone.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { amount } = await releaseExcess(client, { orderId: 7 });
 */
export async function releaseExcess(
  client: MarketClient,
  { orderId }: ReleaseExcessParameters,
): Promise<ReleaseExcessReturnType> {
  const receipt = await writeMarket(client, {
    address: client.contracts.computeLease,
    abi: iComputeLeaseAbi,
    functionName: 'releaseExcess',
    args: [orderId],
  });
  const released = tryEventOf(receipt, { address: client.contracts.escrow, abi: iEscrowAbi, eventName: 'Released' });
  return { ...writtenBy(receipt), amount: released === null ? 0n : released.toTenant + released.toSponsor };
}
