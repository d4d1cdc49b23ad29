import { keccak256, stringToBytes } from 'viem';
import { WordFieldInvalidError } from './wordLayout.js';

/** Slots of one machine: matching word, totals, newest and previous terms of its four offers (add the offer's index). */
export const MACHINE_WORD = 0;
export const MACHINE_TOTALS_WORD = 1;
export const MACHINE_OFFER_WORD = 2;
export const MACHINE_PREVIOUS_OFFER_WORD = 6;

/** Slots of one provider: score word, owner word. */
export const PROVIDER_WORD = 0;
export const PROVIDER_OWNER_WORD = 1;

/** Slots of one order: order or lease word, owner word, hash of the spec. */
export const ORDER_WORD = 0;
export const ORDER_OWNER_WORD = 1;
export const ORDER_SPEC_WORD = 2;

/** Bids an order can hold: indices 0..254. */
export const BIDS_PER_ORDER = 255;

const MACHINE_BASE = slotBase('machine');
const PROVIDER_BASE = slotBase('provider');
const ORDER_BASE = slotBase('order');
const BID_BASE = slotBase('bid');
const REGISTRY_BASE = slotBase('registry');
const ORDERS_BASE = slotBase('orders');
const SETTLEMENT_BASE = slotBase('settlement');
const SCHEDULE_BASE = slotBase('schedule');

/** ProviderRegistry: facts word; counters (next machine id, next provider id). */
export const REGISTRY_FACTS_SLOT = REGISTRY_BASE;
export const REGISTRY_COUNTERS_SLOT = REGISTRY_BASE + 1n;
/** OrderRequest: facts word; counter (next order id). */
export const ORDERS_FACTS_SLOT = ORDERS_BASE;
export const ORDERS_COUNTER_SLOT = ORDERS_BASE + 1n;
/** MatchSettlement: settlement word; newest recorded table and its hash; the one before. */
export const SETTLEMENT_SLOT = SETTLEMENT_BASE;
export const TABLE_SLOT = SETTLEMENT_BASE + 1n;
export const TABLE_HASH_SLOT = SETTLEMENT_BASE + 2n;
export const PREVIOUS_TABLE_SLOT = SETTLEMENT_BASE + 3n;
export const PREVIOUS_TABLE_HASH_SLOT = SETTLEMENT_BASE + 4n;
/** MatchPolicy: schedule word; policy hash of the newest and of the previous period. */
export const SCHEDULE_SLOT = SCHEDULE_BASE;
export const POLICY_HASH_SLOT = SCHEDULE_BASE + 1n;
export const PREVIOUS_POLICY_HASH_SLOT = SCHEDULE_BASE + 2n;

/**
 * Slot of word `k` (0 matching, 1 totals, 2..5 newest offers, 6..9 previous offers) of a machine in ProviderRegistry.
 * Throws WordFieldInvalidError for an id or word that cannot exist.
 */
export function machineSlot(machineId: number, k: number): bigint {
  return slotAt('machine slot', MACHINE_BASE, machineId, 0xffff_ffff, 16, k, 9);
}

/**
 * Slot of word `k` (0 score word, 1 owner word) of a provider in ProviderRegistry.
 * Throws WordFieldInvalidError for an id or word that cannot exist.
 */
export function providerSlot(providerId: number, k: number): bigint {
  return slotAt('provider slot', PROVIDER_BASE, providerId, 0xff_ffff, 4, k, 1);
}

/**
 * Slot of word `k` (0 order or lease, 1 owner, 2 spec hash) of an order in OrderRequest.
 * Throws WordFieldInvalidError for an id or word that cannot exist.
 */
export function orderSlot(orderId: number, k: number): bigint {
  return slotAt('order slot', ORDER_BASE, orderId, 0xffff_ffff, 4, k, 2);
}

/** Slot of bid `bidIndex` (0..254) of an order in OrderRequest. Throws WordFieldInvalidError for one that cannot exist. */
export function bidSlot(orderId: number, bidIndex: number): bigint {
  return slotAt('bid slot', BID_BASE, orderId, 0xffff_ffff, 256, bidIndex, BIDS_PER_ORDER - 1);
}

function slotBase(name: string): bigint {
  const hash = BigInt(keccak256(stringToBytes(`matchmaker.words.${name}`)));
  return (hash >> 64n) << 64n;
}

function slotAt(
  kind: string,
  base: bigint,
  id: number,
  maxId: number,
  stride: number,
  k: number,
  maxK: number,
): bigint {
  if (!Number.isInteger(id) || id < 1 || id > maxId) throw new WordFieldInvalidError(kind, 'id', id, `1 to ${maxId}`);
  if (!Number.isInteger(k) || k < 0 || k > maxK) throw new WordFieldInvalidError(kind, 'word', k, `0 to ${maxK}`);
  return base + BigInt(id) * BigInt(stride) + BigInt(k);
}
