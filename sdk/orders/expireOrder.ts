import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ExpireOrderParameters {
  readonly orderId: number;
}

export interface ExpireOrderReturnType extends Written {
  /** First round that can no longer match the order. */
  readonly untilRound: number;
}

/**
 * Ends an order whose time has passed, for anyone; `refundOrder` then returns its lock.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await expireOrder(client, { orderId: 7 });
 */
export async function expireOrder(
  client: MarketClient,
  { orderId }: ExpireOrderParameters,
): Promise<ExpireOrderReturnType> {
  const contract = { address: client.contracts.orderRequest, abi: iOrderRequestAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'expire', args: [orderId] });
  const { untilRound } = eventOf(receipt, { ...contract, eventName: 'OrderExpired' });
  return { ...writtenBy(receipt), untilRound };
}
