import type { Address } from 'viem';
import { iBidAbi } from '../../chain/contracts/generated/IBid.js';
import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { MatchmakerError } from '../../engine/error.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import {
  decodeOpenOrderWord,
  decodeOrderOwnerWord,
  NO_ROUND,
  OrderState,
  orderStateOf,
} from '../../protocol/words/orderWord.js';
import { readMarket } from '../calls/callMarket.js';
import { readBlock } from '../calls/readBlock.js';
import { MarketCallRefusedError } from '../calls/marketCallRefused.js';
import { readLogs } from '../calls/readLogs.js';
import { getLease, type Lease } from '../leases/getLease.js';
import type { MarketClient } from '../marketClient.js';
import { leaseStatus, openOrderStatus, type OrderStatus } from './orderStatus.js';

export interface GetOrderParameters {
  readonly orderId: number;
}

/** An order with everything the market knows about it. */
export interface Order {
  readonly orderId: number;
  readonly status: OrderStatus;
  readonly tenant: Address;
  readonly spec: OrderSpec;
  readonly expiresAtSeconds: number;
  /** First block whose snapshot may hold the order; null of a lease. */
  readonly eligibleFromBlock: number | null;
  /** First round that can no longer match it, null while it is not ending, and of a lease. */
  readonly untilRound: number | null;
  readonly bids: readonly OrderBid[];
  /** What is locked for the order, token units. */
  readonly lock: { readonly locked: bigint; readonly spent: bigint; readonly released: boolean };
  /** The lease it became, null before. */
  readonly lease: Lease | null;
}

/** There is no order with this id. */
export class OrderUnknownError extends MatchmakerError<'ORDER_UNKNOWN'> {
  constructor(orderId: number) {
    super('ORDER_UNKNOWN', `order ${orderId} does not exist; check the order id`, { metadata: { orderId } });
  }
}

/** A provider's newest bid on an order. */
export interface OrderBid {
  readonly providerId: number;
  readonly machineId: number;
  readonly priceMicroPerHour: number;
}

/**
 * An order with its status in the field's names (`ORDER_STATUSES`), its spec, bids, lock and lease, all of one block.
 * Throws OrderUnknownError and the errors of `readMarket`.
 *
 * @example
 * const { status, lease } = await getOrder(client, { orderId: 7 });
 */
export async function getOrder(client: MarketClient, { orderId }: GetOrderParameters): Promise<Order> {
  // An order may be matched or its lease may end between two reads.
  const { number: blockNumber, timestamp } = await readBlock(client);
  const contract = { address: client.contracts.orderRequest, abi: iOrderRequestAbi } as const;
  const [word, ownerWord, created, placed, lock, lease] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'orderWord', args: [orderId], blockNumber }),
    readMarket(client, { ...contract, functionName: 'ownerWord', args: [orderId], blockNumber }),
    readLogs(client, { ...contract, eventName: 'OrderCreated', args: { orderId } }),
    readLogs(client, { address: client.contracts.bid, abi: iBidAbi, eventName: 'BidPlaced', args: { orderId } }),
    readMarket(client, {
      address: client.contracts.escrow,
      abi: iEscrowAbi,
      functionName: 'lockOf',
      args: [orderId],
      blockNumber,
    }),
    leaseOrNull(client, orderId, blockNumber),
  ]);
  const isKnown = (log: { readonly blockNumber: bigint }): boolean => log.blockNumber <= blockNumber;
  const spec = created.find(isKnown)?.args.spec;
  if (spec === undefined) throw new OrderUnknownError(orderId);
  const owner = decodeOrderOwnerWord(BigInt(ownerWord));
  const bids = new Map<number, OrderBid>();
  for (const { args } of placed.filter(isKnown)) {
    const { providerId, machineId, priceMicroPerHour } = args;
    bids.set(providerId, { providerId, machineId, priceMicroPerHour });
  }
  const shared = {
    orderId,
    tenant: owner.tenant,
    spec,
    expiresAtSeconds: owner.expiresAtSeconds,
    bids: [...bids.values()],
    lock: { locked: lock.locked, spent: lock.spent, released: lock.released },
  };
  if (lease !== null) {
    return { ...shared, status: leaseStatus(lease), eligibleFromBlock: null, untilRound: null, lease };
  }
  const open = decodeOpenOrderWord(BigInt(word));
  return {
    ...shared,
    status: openOrderStatus({
      closed: orderStateOf(BigInt(word)) === OrderState.CLOSED,
      ending: open.untilRound !== NO_ROUND,
      expired: timestamp >= BigInt(owner.expiresAtSeconds),
      bidCount: open.bidCount,
    }),
    eligibleFromBlock: open.eligibleFromBlock,
    untilRound: open.untilRound === NO_ROUND ? null : open.untilRound,
    lease: null,
  };
}

async function leaseOrNull(client: MarketClient, orderId: number, blockNumber: bigint): Promise<Lease | null> {
  try {
    return await getLease(client, { orderId, blockNumber });
  } catch (error) {
    if (error instanceof MarketCallRefusedError && error.errorName === 'LeaseNotActive') return null;
    throw error;
  }
}
