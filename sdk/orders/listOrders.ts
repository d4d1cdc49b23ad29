import type { Address } from 'viem';
import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';
import { getOrder, type Order } from './getOrder.js';

export interface ListOrdersParameters {
  /** Leave it out for the orders of all tenants. */
  readonly tenant?: Address;
  /** At most so many, the newest. Default 50. */
  readonly limit?: number;
}

/**
 * Orders by descending id.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const orders = await listOrders(client, { tenant: '0x…' });
 */
export async function listOrders(
  client: MarketClient,
  { tenant, limit = 50 }: ListOrdersParameters,
): Promise<readonly Order[]> {
  const created = await readLogs(client, {
    address: client.contracts.orderRequest,
    abi: iOrderRequestAbi,
    eventName: 'OrderCreated',
    ...(tenant === undefined ? {} : { args: { tenant } }),
  });
  const newest = created.map(({ args }) => args.orderId).slice(-limit);
  const orders: Order[] = [];
  for (const orderId of newest.toReversed()) orders.push(await getOrder(client, { orderId }));
  return orders;
}
