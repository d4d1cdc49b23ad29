import { wordLayout } from './wordLayout.js';

/** A bid's word; its order and index are in its slot. */
export interface BidWordFields {
  /** First round that no longer counts; 0xffffffff for none. */
  readonly untilRound: number;
  readonly machineId: number;
  readonly priceMicroPerHour: number;
  /** 120 bits that matching does not read. */
  readonly bondAndTime: bigint;
  readonly providerId: number;
}

const layout = wordLayout(
  'bid',
  { untilRound: [224, 32], machineId: [192, 32], priceMicroPerHour: [152, 40], providerId: [8, 24] },
  { bondAndTime: [32, 120] },
);

/** Decodes a bid's word. Throws WordMalformedError for set spare bits. */
export function decodeBidWord(word: bigint): BidWordFields {
  return layout.decode(word);
}

/** Encodes a bid's word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeBidWord(bid: BidWordFields): bigint {
  return layout.encode(bid);
}
