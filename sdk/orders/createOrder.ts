import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { validateOrderSpec, type OrderSpec } from '../../protocol/orderSpec.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface CreateOrderParameters {
  readonly spec: OrderSpec;
  /** When the order ends if it is not matched, seconds since 1970. */
  readonly expiresAtSeconds: number;
}

export interface CreateOrderReturnType extends Written {
  readonly orderId: number;
  /** First block whose snapshot may hold the order; bids are taken until then. */
  readonly eligibleFromBlock: number;
}

/**
 * Posts an order and locks its maximum price over its duration, plus the user fee, from the account's escrow balance. The order
 * waits for the operators to match it (PROVIDER_LOOKUP).
 * Throws OrderFieldInvalidError for a spec that the market would refuse, and the errors of `writeMarket`.
 *
 * @example
 * await deposit(client, { tokenId: 1, amount: 50_000_000n });
 * const { orderId } = await createOrder(client, {
 *   spec,
 *   expiresAtSeconds: Math.floor(Date.now() / 1000) + 3600,
 * });
 */
export async function createOrder(
  client: MarketClient,
  { spec, expiresAtSeconds }: CreateOrderParameters,
): Promise<CreateOrderReturnType> {
  validateOrderSpec(spec);
  const contract = { address: client.contracts.orderRequest, abi: iOrderRequestAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'createOrder',
    args: [spec, expiresAtSeconds],
  });
  const { orderId, eligibleFromBlock } = eventOf(receipt, { ...contract, eventName: 'OrderCreated' });
  return { ...writtenBy(receipt), orderId, eligibleFromBlock };
}
