import { iMatchSettlementAbi } from '../../chain/contracts/generated/IMatchSettlement.js';
import { decodeRecord, decodeRecords } from '../../protocol/records.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';
import { getOrder, type Order } from '../orders/getOrder.js';

export interface ListLeasesParameters {
  readonly providerId: number;
  /** At most so many, the newest. Default 50. */
  readonly limit?: number;
}

/**
 * Orders that were matched with a provider, the newest first; those that went back to matching since are left out.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const leases = await listLeases(client, { providerId: 2 });
 * const waiting = leases.filter(({ status }) => status === 'CREATE_LEASE');
 */
export async function listLeases(
  client: MarketClient,
  { providerId, limit = 50 }: ListLeasesParameters,
): Promise<readonly Order[]> {
  const contract = { address: client.contracts.matchSettlement, abi: iMatchSettlementAbi } as const;
  const [batches, selfMatched] = await Promise.all([
    readLogs(client, { ...contract, eventName: 'BatchSettled' }),
    readLogs(client, { ...contract, eventName: 'OrderSelfMatched' }),
  ]);
  const matched: { readonly orderId: number; readonly blockNumber: bigint }[] = [];
  for (const { args, blockNumber } of batches) {
    for (const [index, record] of decodeRecords(args.records).entries()) {
      const skipped = ((args.skipped[index >> 8] ?? 0n) >> BigInt(index & 255)) & 1n;
      if (record.providerId === providerId && skipped === 0n) matched.push({ orderId: record.orderId, blockNumber });
    }
  }
  for (const { args, blockNumber } of selfMatched) {
    const record = decodeRecord(BigInt(args.record));
    if (record.providerId === providerId) matched.push({ orderId: record.orderId, blockNumber });
  }
  matched.sort((a, b) => Number(b.blockNumber - a.blockNumber) || b.orderId - a.orderId);
  const newest = [...new Set(matched.map(({ orderId }) => orderId))].slice(0, limit);
  const orders: Order[] = [];
  for (const orderId of newest) {
    const order = await getOrder(client, { orderId });
    if (order.lease?.providerId === providerId) orders.push(order);
  }
  return orders;
}
