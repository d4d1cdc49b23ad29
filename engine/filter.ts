import type { Capacity } from './capacity.js';
import type { OrderTerms } from './orderTerms.js';
import { quoteMachine } from './quote.js';
import type { Quote } from './quote.js';
import { RejectionReason } from './rejectionReason.js';
import type { RoundTerms } from './roundTerms.js';

/**
 * Runs filters 2 to 19 on one machine in the order of the rules and returns the code of the first that fails, 0 for a candidate;
 * `quote` holds its price once filters 2 to 18 have passed.
 */
export function rejectionOf(
  round: RoundTerms,
  capacity: Capacity,
  terms: OrderTerms,
  machineId: number,
  quote: Quote,
): number {
  const standing = round.standing[machineId]!;
  if (standing !== 0) return standing;
  const { market } = round;
  const provider = market.providerId[machineId]!;
  const list = terms.listRejection[provider]!;
  if (list !== 0) return list;
  const offerIndex = terms.offerIndex[machineId]!;
  if (offerIndex < 0 && terms.bids?.has(machineId) !== true) return RejectionReason.TOKEN;
  const model = terms.modelRejection[market.model[machineId]!]!;
  if (model !== 0) return model;
  const region = terms.regionRejection[market.region[machineId]!]!;
  if (region !== 0) return region;
  const providerStanding = terms.standingRejection[provider]!;
  if (providerStanding !== 0) return providerStanding;
  if (capacity.freeCpuMilli[machineId]! < terms.cpuMilli) return RejectionReason.CPU;
  if (capacity.freeMemoryMib[machineId]! < terms.memoryMib) return RejectionReason.MEMORY;
  if (capacity.freeStorageGib[machineId]! < terms.storageGib) return RejectionReason.STORAGE;
  if (!capacity.fitsDevices(machineId, terms.milliGpu)) return RejectionReason.DEVICES;
  quoteMachine(market, terms, machineId, offerIndex, quote);
  return quote.priceMicroPerHour > terms.maxPriceMicroPerHour ? RejectionReason.PRICE : 0;
}
