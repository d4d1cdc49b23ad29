import type { LeaseEnd } from '../leases/leaseEnd.js';

/**
 * Where an order is in its life, in the field's names:
 * PROVIDER_LOOKUP open, no bid yet · CREATE_BID open with bids · ORDER_ENDING cancelled or expired, not refunded yet ·
 * ORDER_CLOSED refunded without a lease · CREATE_LEASE matched, the provider gets ready · PROVIDER_READY ready for the manifest,
 * paid time runs · DEPLOYMENT_CONFIRMED the manifest runs · UPDATE_LEASE confirmed, and the tenant asked for a change ·
 * LEASE_CLOSED ended and settled.
 */
export const ORDER_STATUSES = [
  'PROVIDER_LOOKUP',
  'CREATE_BID',
  'ORDER_ENDING',
  'ORDER_CLOSED',
  'CREATE_LEASE',
  'PROVIDER_READY',
  'DEPLOYMENT_CONFIRMED',
  'UPDATE_LEASE',
  'LEASE_CLOSED',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** Status of an order that is no lease. */
export function openOrderStatus(order: {
  readonly closed: boolean;
  readonly ending: boolean;
  readonly expired: boolean;
  readonly bidCount: number;
}): OrderStatus {
  if (order.closed) return 'ORDER_CLOSED';
  if (order.ending || order.expired) return 'ORDER_ENDING';
  return order.bidCount > 0 ? 'CREATE_BID' : 'PROVIDER_LOOKUP';
}

/** Status of an order that is or was a lease. */
export function leaseStatus(lease: {
  readonly end: LeaseEnd;
  readonly readyAtSeconds: number | null;
  readonly confirmedAtSeconds: number | null;
  readonly update: unknown;
}): OrderStatus {
  if (lease.end !== 'None') return 'LEASE_CLOSED';
  if (lease.readyAtSeconds === null) return 'CREATE_LEASE';
  if (lease.confirmedAtSeconds === null) return 'PROVIDER_READY';
  return lease.update === null ? 'DEPLOYMENT_CONFIRMED' : 'UPDATE_LEASE';
}
