import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { validateOrderSpec, type OrderSpec } from '../../protocol/orderSpec.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ReplaceOrderParameters {
  readonly orderId: number;
  readonly spec: OrderSpec;
  /** When the new order ends if it is not matched, seconds since 1970. */
  readonly expiresAtSeconds: number;
}

export interface ReplaceOrderReturnType extends Written {
  readonly newOrderId: number;
}

/**
 * Cancels an open order of the account and posts another in its place, in one transaction. The first lock comes back with
 * `refundOrder` after its round, so the account needs free balance for the second.
 * Throws OrderFieldInvalidError for a spec that the market would refuse, and the errors of `writeMarket`.
 *
 * @example
 * const { newOrderId } = await replaceOrder(client, { orderId: 7, spec, expiresAtSeconds });
 */
export async function replaceOrder(
  client: MarketClient,
  { orderId, spec, expiresAtSeconds }: ReplaceOrderParameters,
): Promise<ReplaceOrderReturnType> {
  validateOrderSpec(spec);
  const contract = { address: client.contracts.orderRequest, abi: iOrderRequestAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'replaceOrder',
    args: [orderId, spec, expiresAtSeconds],
  });
  const { newOrderId } = eventOf(receipt, { ...contract, eventName: 'OrderReplaced' });
  return { ...writtenBy(receipt), newOrderId };
}
