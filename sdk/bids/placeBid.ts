import { iBidAbi } from '../../chain/contracts/generated/IBid.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface PlaceBidParameters {
  readonly orderId: number;
  readonly machineId: number;
  /** For the whole order, micro-units of its token per hour. */
  readonly priceMicroPerHour: number;
}

export interface PlaceBidReturnType extends Written {
  readonly bidIndex: number;
  readonly providerId: number;
  /** Held, token units. */
  readonly bond: bigint;
}

/**
 * Bids on an open order within its bid window (CREATE_BID), or replaces the provider's bid in place. The price must be below the machine's own offer; the bond
 * comes from the owner's escrow balance in the order's token. Only the provider's owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { bond } = await placeBid(client, { orderId: 7, machineId: 3, priceMicroPerHour: 1_900_000 });
 */
export async function placeBid(
  client: MarketClient,
  { orderId, machineId, priceMicroPerHour }: PlaceBidParameters,
): Promise<PlaceBidReturnType> {
  const contract = { address: client.contracts.bid, abi: iBidAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'placeBid',
    args: [orderId, machineId, priceMicroPerHour],
  });
  const { bidIndex, providerId, bond } = eventOf(receipt, { ...contract, eventName: 'BidPlaced' });
  return { ...writtenBy(receipt), bidIndex, providerId, bond };
}
