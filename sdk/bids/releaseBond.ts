import { iBidAbi } from '../../chain/contracts/generated/IBid.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ReleaseBondParameters {
  readonly orderId: number;
  readonly providerId: number;
}

export interface ReleaseBondReturnType extends Written {
  /** Token units. */
  readonly bond: bigint;
}

/**
 * Returns a bond that can no longer be needed to the provider's owner, for anyone.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { bond } = await releaseBond(client, { orderId: 7, providerId: 2 });
 */
export async function releaseBond(
  client: MarketClient,
  { orderId, providerId }: ReleaseBondParameters,
): Promise<ReleaseBondReturnType> {
  const contract = { address: client.contracts.bid, abi: iBidAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'releaseBond', args: [orderId, providerId] });
  const { bond } = eventOf(receipt, { ...contract, eventName: 'BondReleased' });
  return { ...writtenBy(receipt), bond };
}
