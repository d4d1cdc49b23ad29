import {
  ORDER_SPEC_WORD,
  ORDER_WORD,
  MACHINE_OFFER_WORD,
  MACHINE_WORD,
  PROVIDER_WORD,
  bidSlot,
  machineSlot,
  orderSlot,
  providerSlot,
} from '../../protocol/words/slots.js';
import type { Hex } from 'viem';
import { OFFERS_PER_MACHINE } from '../../engine/market.js';
import { MatchmakerError } from '../../engine/error.js';

/** A fact names a slot that is none of those the contracts fold. */
export class FactSlotUnknownError extends MatchmakerError<'FACT_SLOT_UNKNOWN'> {
  constructor(slot: Hex) {
    super('FACT_SLOT_UNKNOWN', `a fact names the unknown slot ${slot}`, { metadata: { slot } });
  }
}

/** What a fact's slot holds, and of which machine, provider, order or bid. */
export type FactSlot =
  | { readonly kind: 'machine' | 'provider' | 'order' | 'spec'; readonly id: number }
  | { readonly kind: 'offer' | 'bid'; readonly id: number; readonly index: number };

const MACHINE_PREFIX = prefixOf(machineSlot(1, 0));
const PROVIDER_PREFIX = prefixOf(providerSlot(1, 0));
const ORDER_PREFIX = prefixOf(orderSlot(1, 0));
const BID_PREFIX = prefixOf(bidSlot(1, 0));

/** Reads a fact's slot (32 bytes of lower-case hex) by slicing, without big integers. Throws FactSlotUnknownError. */
export function readFactSlot(slot: Hex): FactSlot {
  const prefix = slot.slice(2, 50);
  const low = Number.parseInt(slot.slice(50), 16);
  if (prefix === MACHINE_PREFIX) {
    const id = Math.floor(low / 16);
    const k = low % 16;
    if (k === MACHINE_WORD) return { kind: 'machine', id };
    if (k >= MACHINE_OFFER_WORD && k < MACHINE_OFFER_WORD + OFFERS_PER_MACHINE)
      return { kind: 'offer', id, index: k - MACHINE_OFFER_WORD };
  } else if (prefix === ORDER_PREFIX) {
    const id = Math.floor(low / 4);
    if (low % 4 === ORDER_WORD) return { kind: 'order', id };
    if (low % 4 === ORDER_SPEC_WORD) return { kind: 'spec', id };
  } else if (prefix === PROVIDER_PREFIX) {
    if (low % 4 === PROVIDER_WORD) return { kind: 'provider', id: Math.floor(low / 4) };
  } else if (prefix === BID_PREFIX) {
    return { kind: 'bid', id: Math.floor(low / 256), index: low % 256 };
  }
  throw new FactSlotUnknownError(slot);
}

/** The 24 leading bytes, which no id reaches. */
function prefixOf(slot: bigint): string {
  return slot.toString(16).padStart(64, '0').slice(0, 48);
}
