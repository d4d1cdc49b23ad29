import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface CancelOrderParameters {
  readonly orderId: number;
}

export interface CancelOrderReturnType extends Written {
  /** First round that can no longer match the order. */
  readonly untilRound: number;
}

/**
 * Ends an order of the account from the next round on; the open round may still match it. The lock comes back with `refundOrder`.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { untilRound } = await cancelOrder(client, { orderId: 7 });
 */
export async function cancelOrder(
  client: MarketClient,
  { orderId }: CancelOrderParameters,
): Promise<CancelOrderReturnType> {
  const contract = { address: client.contracts.orderRequest, abi: iOrderRequestAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'cancel', args: [orderId] });
  const { untilRound } = eventOf(receipt, { ...contract, eventName: 'OrderCancelled' });
  return { ...writtenBy(receipt), untilRound };
}
