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
import { hexOfLimbs, limbsOf } from '../../protocol/words/wordLimbs.js';
import type { WordLimbs } from '../../protocol/words/wordLimbs.js';
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

/** Limbs that no id reaches: the highest 192 bits. */
const PREFIX_LIMBS = 6;
const MACHINES = limbsOf(machineSlot(1, 0));
const PROVIDERS = limbsOf(providerSlot(1, 0));
const ORDERS = limbsOf(orderSlot(1, 0));
const BIDS = limbsOf(bidSlot(1, 0));

/** Reads a fact's slot. Throws FactSlotUnknownError. */
export function readFactSlot(slot: WordLimbs): FactSlot {
  const low = slot[PREFIX_LIMBS]! * 2 ** 32 + slot[PREFIX_LIMBS + 1]!;
  if (isAmong(slot, MACHINES)) {
    const id = Math.floor(low / 16);
    const k = low % 16;
    if (k === MACHINE_WORD) return { kind: 'machine', id };
    if (k >= MACHINE_OFFER_WORD && k < MACHINE_OFFER_WORD + OFFERS_PER_MACHINE)
      return { kind: 'offer', id, index: k - MACHINE_OFFER_WORD };
  } else if (isAmong(slot, ORDERS)) {
    const id = Math.floor(low / 4);
    if (low % 4 === ORDER_WORD) return { kind: 'order', id };
    if (low % 4 === ORDER_SPEC_WORD) return { kind: 'spec', id };
  } else if (isAmong(slot, PROVIDERS)) {
    if (low % 4 === PROVIDER_WORD) return { kind: 'provider', id: Math.floor(low / 4) };
  } else if (isAmong(slot, BIDS)) {
    return { kind: 'bid', id: Math.floor(low / 256), index: low % 256 };
  }
  throw new FactSlotUnknownError(`0x${hexOfLimbs(slot)}`);
}

function isAmong(slot: WordLimbs, first: WordLimbs): boolean {
  for (let limb = 0; limb < PREFIX_LIMBS; limb++) if (slot[limb] !== first[limb]) return false;
  return true;
}
