import type { Address } from 'viem';
import type { Bid, Order } from '../../engine/order.js';
import { snapshotOf, TIMESTAMP } from '../../engine/reference/arbitrarySnapshot.js';
import type { RoundPlan } from '../../engine/reference/arbitrarySnapshot.js';
import type { Snapshot } from '../../engine/snapshot.js';
import { hashOrderSpec } from '../../protocol/orderSpec.js';
import { encodeBidWord } from '../../protocol/words/bidWord.js';
import { encodeMachineWord } from '../../protocol/words/machineWord.js';
import { encodeOfferWord } from '../../protocol/words/offerWord.js';
import {
  encodeLeaseWord,
  encodeOpenOrderWord,
  encodeOrderOwnerWord,
  OrderState,
} from '../../protocol/words/orderWord.js';
import { encodeProviderWord } from '../../protocol/words/providerWord.js';
import {
  bidSlot,
  MACHINE_OFFER_WORD,
  MACHINE_WORD,
  machineSlot,
  ORDER_OWNER_WORD,
  ORDER_SPEC_WORD,
  ORDER_WORD,
  ORDERS_COUNTER_SLOT,
  orderSlot,
  PROVIDER_WORD,
  providerSlot,
  REGISTRY_COUNTERS_SLOT,
} from '../../protocol/words/slots.js';

/** Whose orders all planned orders are. */
export const TENANT: Address = '0x00000000000000000000000000000000000000fe';

/** A planned round as the contracts keep it, word by word, and as the engine reads it. */
export interface PlannedWords {
  /** Its hash is still to be set. */
  readonly snapshot: Snapshot;
  /** First order id that no order has. */
  readonly nextOrderId: number;
  /** By slot. */
  readonly registry: ReadonlyMap<bigint, bigint>;
  /** By slot. */
  readonly orders: ReadonlyMap<bigint, bigint>;
}

/** The words of a plan; bids are numbered as their orders count them, and some offer slots were never written. */
export function plannedWords(plan: RoundPlan): PlannedWords {
  const bids = numbered(plan.bids);
  const orders = plan.orders.map((order) => ({ ...order, bidCount: bids.get(order.orderId)?.length ?? 0 }));
  const machines = machinesOf(plan);
  const planned = plannedSnapshot(plan);
  return {
    ...planned,
    registry: registryWords({ providers: plan.market.providers, machines }),
    orders: orderWords(orders, bids, planned.nextOrderId),
  };
}

/** Of a plan what the engine reads, without the words. */
export function plannedSnapshot(plan: RoundPlan): Pick<PlannedWords, 'snapshot' | 'nextOrderId'> {
  const bids = numbered(plan.bids);
  const orders = plan.orders.filter(({ isOpen }) => isOpen);
  const openBids = orders.flatMap(({ orderId }) => bids.get(orderId) ?? []);
  const market = { ...plan.market, machines: machinesOf(plan) };
  return {
    snapshot: snapshotOf({ market, orders, bids: openBids }, 'ascending'),
    nextOrderId: plan.orders.length + 1,
  };
}

function machinesOf({ market }: RoundPlan): RoundPlan['market']['machines'] {
  return market.machines.map(({ machine, offers }) => ({
    machine: { ...machine, offersWritten: offers.reduce((bits, offer, i) => bits | (isWritten(offer, i) << i), 0) },
    offers,
  }));
}

/** Bids by order, numbered as their order counts them. */
function numbered(planned: readonly Bid[]): ReadonlyMap<number, readonly Bid[]> {
  const bids = new Map<number, Bid[]>();
  for (const bid of planned) {
    const ofOrder = bids.get(bid.orderId) ?? [];
    ofOrder.push({ ...bid, bidIndex: ofOrder.length });
    bids.set(bid.orderId, ofOrder);
  }
  return bids;
}

/** Every other slot without a live offer was never written; the rest hold withdrawn ones. */
function isWritten({ tokenId }: { readonly tokenId: number }, index: number): number {
  return tokenId !== 0 || index % 2 === 0 ? 1 : 0;
}

function registryWords({ providers, machines }: RoundPlan['market']): Map<bigint, bigint> {
  const words = new Map<bigint, bigint>([
    [REGISTRY_COUNTERS_SLOT, (BigInt(providers.length + 1) << 32n) | BigInt(machines.length + 1)],
  ]);
  providers.forEach((provider, index) =>
    words.set(providerSlot(index + 1, PROVIDER_WORD), encodeProviderWord(provider)),
  );
  machines.forEach(({ machine, offers }, index) => {
    words.set(machineSlot(index + 1, MACHINE_WORD), encodeMachineWord(machine));
    offers.forEach((offer, offerIndex) => {
      if (isWritten(offer, offerIndex) === 0) return;
      words.set(
        machineSlot(index + 1, MACHINE_OFFER_WORD + offerIndex),
        encodeOfferWord(offer.tokenId === 0 ? withdrawn : { ...offer, fromRound: 1 }),
      );
    });
  });
  return words;
}

const withdrawn = {
  fromRound: 1,
  tokenId: 0,
  gpuMicroPerHour: 0,
  coreMicroPerHour: 0,
  memoryGibMicroPerHour: 0,
  storageTibMicroPerHour: 0,
};

function orderWords(
  orders: readonly (Order & { readonly bidCount: number })[],
  bids: ReadonlyMap<number, readonly Bid[]>,
  nextOrderId: number,
): Map<bigint, bigint> {
  const words = new Map<bigint, bigint>([[ORDERS_COUNTER_SLOT, BigInt(nextOrderId)]]);
  for (const order of orders) {
    const { orderId } = order;
    words.set(orderSlot(orderId, ORDER_WORD), orderWordOf(order));
    words.set(orderSlot(orderId, ORDER_OWNER_WORD), encodeOrderOwnerWord({ ...order, tenant: TENANT }));
    words.set(orderSlot(orderId, ORDER_SPEC_WORD), BigInt(hashOrderSpec(order)));
    for (const bid of bids.get(orderId) ?? []) {
      words.set(bidSlot(orderId, bid.bidIndex), encodeBidWord({ ...bid, bondAndTime: 1n }));
    }
  }
  return words;
}

function orderWordOf(order: Order & { readonly bidCount: number }): bigint {
  if (order.isOpen) return encodeOpenOrderWord({ ...order, state: OrderState.OPEN });
  return encodeLeaseWord({
    ...order,
    matchedAtSeconds: TIMESTAMP - 60,
    machineId: 1,
    priceMicroPerHour: 1,
    deviceMask: 0,
    state: OrderState.MATCHED,
    fromBid: false,
    offerIndex: 0,
    providerId: 1,
  });
}
