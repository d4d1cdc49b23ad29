import type { Capacity } from './capacity.js';
import type { OrderTerms } from './orderTerms.js';
import { liveOfferOf, quoteMachine } from './quote.js';
import type { Quote } from './quote.js';
import { RejectionReason } from './rejectionReason.js';
import type { RoundTerms } from './roundTerms.js';

/**
 * Runs filters 2 to 19 on one machine and returns the code of the first that fails, 0 when the machine is a candidate;
 * `quote` holds its price once filters 2 to 18 have passed.
 */
export function rejectionOf(
  round: RoundTerms,
  capacity: Capacity,
  terms: OrderTerms,
  machineId: number,
  quote: Quote,
): RejectionReason | 0 {
  const { market } = round;
  const { order } = terms;
  const standing = round.standing[machineId]!;
  if (standing !== 0) {
    return standing === RejectionReason.MACHINE_INACTIVE
      ? RejectionReason.MACHINE_INACTIVE
      : RejectionReason.PROVIDER_NOT_ACTIVE;
  }
  const provider = market.providerId[machineId]!;
  if (order.providersExcluded.length > 0 && order.providersExcluded.includes(provider)) {
    return RejectionReason.PROVIDER_EXCLUDED;
  }
  if (order.providersWanted.length > 0 && !order.providersWanted.includes(provider)) {
    return RejectionReason.PROVIDER_NOT_WANTED;
  }
  const offerIndex = liveOfferOf(market, machineId, terms.tokenId);
  if (offerIndex < 0 && terms.bids?.has(machineId) !== true) return RejectionReason.TOKEN;
  if (terms.acceptsModel[market.model[machineId]!] === 0) return RejectionReason.GPU_MODEL;
  const region = market.region[machineId]!;
  if (terms.excludesRegion[region] === 1) return RejectionReason.REGION_EXCLUDED;
  if (order.regionRequired && terms.listsRegion[region] === 0) return RejectionReason.REGION_REQUIRED;
  if (order.tiers !== 0 && !hasTier(order.tiers, market.tier[provider]!)) return RejectionReason.TIER;
  if (
    (market.attributesLow[provider]! & terms.attributesLow) !== terms.attributesLow ||
    (market.attributesHigh[provider]! & terms.attributesHigh) !== terms.attributesHigh
  ) {
    return RejectionReason.ATTRIBUTES;
  }
  if (round.uptimeBps[provider]! < order.minUptimeBps) return RejectionReason.UPTIME;
  if (round.reputationBps[provider]! < order.minReputationBps) return RejectionReason.REPUTATION;
  if (market.slashes[provider]! > order.maxSlashes) return RejectionReason.SLASHES;
  if (capacity.freeCpuMilli[machineId]! < terms.cpuMilli) return RejectionReason.CPU;
  if (capacity.freeMemoryMib[machineId]! < terms.memoryMib) return RejectionReason.MEMORY;
  if (capacity.freeStorageGib[machineId]! < terms.storageGib) return RejectionReason.STORAGE;
  if (!capacity.fitsDevices(machineId, terms.milliGpu)) return RejectionReason.DEVICES;
  quoteMachine(market, terms, machineId, offerIndex, quote);
  return quote.priceMicroPerHour > terms.maxPriceMicroPerHour ? RejectionReason.PRICE : 0;
}

function hasTier(tiers: number, tier: number): boolean {
  return tier > 0 && ((tiers >> (tier - 1)) & 1) === 1;
}
