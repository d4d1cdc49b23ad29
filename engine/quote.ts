import { OFFERS_PER_MACHINE } from './market.js';
import type { Market } from './market.js';
import type { OrderTerms } from './orderTerms.js';
import { priceAt } from './price.js';

/** A machine's price for an order, written by `quoteMachine` into an object that is used again for the next machine. */
export interface Quote {
  priceMicroPerHour: number;
  /** Offer that set the price, 0 when a bid did. */
  offerIndex: number;
  /** Index of the bid that set the price, -1 when an offer did. */
  bidIndex: number;
}

/** Writes the lower of the machine's live offer `offerIndex` (-1 for none) and live bid into `quote`; the offer on a tie. */
export function quoteMachine(
  market: Market,
  terms: OrderTerms,
  machineId: number,
  offerIndex: number,
  quote: Quote,
): void {
  quote.bidIndex = -1;
  quote.priceMicroPerHour = Infinity;
  quote.offerIndex = 0;
  if (offerIndex >= 0) {
    const row = machineId * OFFERS_PER_MACHINE + offerIndex;
    quote.offerIndex = offerIndex;
    quote.priceMicroPerHour = priceAt(
      terms,
      market.offerGpuMicroPerHour[row]!,
      market.offerCoreMicroPerHour[row]!,
      market.offerMemoryGibMicroPerHour[row]!,
      market.offerStorageTibMicroPerHour[row]!,
    );
  }
  const bid = terms.bids?.get(machineId);
  if (bid !== undefined && bid.priceMicroPerHour < quote.priceMicroPerHour) {
    quote.priceMicroPerHour = bid.priceMicroPerHour;
    quote.offerIndex = 0;
    quote.bidIndex = bid.bidIndex;
  }
}
