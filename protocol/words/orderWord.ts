import type { Address } from 'viem';
import { addressOf } from './addressBits.js';
import { wordLayout, WordMalformedError } from './wordLayout.js';

/** States of an order word, as Solidity's `OrderState`. */
export const OrderState = { NONE: 0, OPEN: 1, PROVISIONED: 2, CLOSED: 3, MATCHED: 4 } as const;
export type OrderState = (typeof OrderState)[keyof typeof OrderState];

/** `untilRound` of an order or bid that has no end. */
export const NO_ROUND = 0xffff_ffff;

/** An order word before a match: state OPEN, or CLOSED once refunded. */
export interface OpenOrderFields {
  readonly untilRound: number;
  readonly eligibleFromBlock: number;
  readonly maxPriceMicroPerHour: number;
  /** Bids ever placed. */
  readonly bidCount: number;
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  readonly state: OrderState;
  readonly tokenId: number;
  readonly expiresAtSeconds: number;
}

/** An order word after its match: state MATCHED or PROVISIONED, or CLOSED once ended. */
export interface LeaseFields {
  readonly matchedAtSeconds: number;
  readonly machineId: number;
  readonly priceMicroPerHour: number;
  /** Bit i is device i of the machine. */
  readonly deviceMask: number;
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  readonly state: OrderState;
  readonly fromBid: boolean;
  readonly offerIndex: number;
  readonly tokenId: number;
  readonly providerId: number;
}

/** An order's owner word. */
export interface OrderOwner {
  readonly tenant: Address;
  readonly maxPriceMicroPerHour: number;
  readonly durationMinutes: number;
  readonly expiresAtSeconds: number;
}

const openLayout = wordLayout('open order', {
  untilRound: [224, 32],
  eligibleFromBlock: [192, 32],
  maxPriceMicroPerHour: [152, 40],
  bidCount: [144, 8],
  milliGpu: [128, 16],
  cpuMilli: [104, 24],
  memoryMib: [80, 24],
  storageGib: [56, 24],
  state: [53, 3],
  tokenId: [32, 16],
  expiresAtSeconds: [0, 32],
});

const leaseLayout = wordLayout('lease', {
  matchedAtSeconds: [224, 32],
  machineId: [192, 32],
  priceMicroPerHour: [152, 40],
  deviceMask: [144, 8],
  milliGpu: [128, 16],
  cpuMilli: [104, 24],
  memoryMib: [80, 24],
  storageGib: [56, 24],
  state: [53, 3],
  fromBid: [50, 1],
  offerIndex: [48, 2],
  tokenId: [32, 16],
  providerId: [8, 24],
});

const ownerLayout = wordLayout(
  'order owner',
  { maxPriceMicroPerHour: [56, 40], durationMinutes: [32, 24], expiresAtSeconds: [0, 32] },
  { tenant: [96, 160] },
);

const OPEN_STATES: readonly number[] = [OrderState.OPEN, OrderState.CLOSED];
const LEASE_STATES: readonly number[] = [OrderState.PROVISIONED, OrderState.CLOSED, OrderState.MATCHED];

/** State of an order word of either layout. Throws WordMalformedError for a number that is no state. */
export function orderStateOf(word: bigint): OrderState {
  const number = Number((word >> 53n) & 7n);
  const state = Object.values(OrderState).find((known) => known === number);
  if (state === undefined) throw new WordMalformedError('order', `state ${number} does not exist`, word);
  return state;
}

/** Decodes an order word in the open layout. Throws WordMalformedError for set spare bits or the state of a lease or of no order. */
export function decodeOpenOrderWord(word: bigint): OpenOrderFields {
  const state = stateAmong('open order', word, OPEN_STATES);
  return { ...openLayout.decode(word), state };
}

/** Encodes an order word in the open layout. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeOpenOrderWord(order: OpenOrderFields): bigint {
  return openLayout.encode(order);
}

/** Decodes an order word in the lease layout. Throws WordMalformedError for set spare bits or the state of an open or of no order. */
export function decodeLeaseWord(word: bigint): LeaseFields {
  const state = stateAmong('lease', word, LEASE_STATES);
  const fields = leaseLayout.decode(word);
  return { ...fields, fromBid: fields.fromBid === 1, state };
}

/** Encodes an order word in the lease layout. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeLeaseWord(lease: LeaseFields): bigint {
  return leaseLayout.encode({ ...lease, fromBid: lease.fromBid ? 1 : 0 });
}

/** Decodes an order's owner word. */
export function decodeOrderOwnerWord(word: bigint): OrderOwner {
  const { tenant, ...fields } = ownerLayout.decode(word);
  return { ...fields, tenant: addressOf(tenant) };
}

/** Encodes an order's owner word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeOrderOwnerWord(owner: OrderOwner): bigint {
  return ownerLayout.encode({ ...owner, tenant: BigInt(owner.tenant) });
}

function stateAmong(kind: string, word: bigint, allowed: readonly number[]): OrderState {
  const state = orderStateOf(word);
  if (!allowed.includes(state))
    throw new WordMalformedError(kind, `state ${state} does not belong to this layout`, word);
  return state;
}
