import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RefundOrderParameters {
  readonly orderId: number;
}

/**
 * Returns the lock of an ended order to its tenant once no round can match it any more, for anyone.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await refundOrder(client, { orderId: 7 });
 */
export async function refundOrder(client: MarketClient, { orderId }: RefundOrderParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.orderRequest,
    abi: iOrderRequestAbi,
    functionName: 'refund',
    args: [orderId],
  });
  return writtenBy(receipt);
}
