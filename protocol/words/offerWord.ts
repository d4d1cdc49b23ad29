import type { OfferFields } from '../../engine/market.js';
import { wordLayout } from './wordLayout.js';

/** An offer's word: unit prices, and the first round they count for (unused in the word of the previous terms). */
export interface OfferWordFields extends OfferFields {
  readonly fromRound: number;
}

const layout = wordLayout('offer', {
  fromRound: [224, 32],
  gpuMicroPerHour: [134, 36],
  coreMicroPerHour: [104, 30],
  memoryGibMicroPerHour: [78, 26],
  storageTibMicroPerHour: [48, 30],
  tokenId: [32, 16],
});

/** Decodes an offer's word. Throws WordMalformedError for set spare bits. */
export function decodeOfferWord(word: bigint): OfferWordFields {
  return layout.decode(word);
}

/** Encodes an offer's word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeOfferWord(offer: OfferWordFields): bigint {
  return layout.encode(offer);
}
