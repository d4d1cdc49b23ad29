import type { Bid, Order } from './order.js';
import { RejectionReason } from './rejectionReason.js';
import type { RoundTerms } from './roundTerms.js';
import { REGIONS, regionScoresOf } from './score.js';
import type { Snapshot } from './snapshot.js';

const MODELS = 1024;
const LOW_ATTRIBUTES = 0x7ff_ffffn;
const HIGH_SHIFT = 27n;

/** An order prepared for one pass over all machines: what depends on its lists alone becomes a table by id. */
export interface OrderTerms {
  readonly orderId: number;
  readonly tokenId: number;
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  readonly maxPriceMicroPerHour: number;
  /** Most that a machine can lose by the order, what its packing is measured against; 0 for rules without packing. */
  readonly largestLoss: number;
  /** Offer in the order's token by machine id, -1 for none. */
  readonly offerIndex: Int8Array;
  /** The best live bid by machine id; undefined when the order has none. */
  readonly bids: ReadonlyMap<number, Bid> | undefined;
  /** By provider id the failing one of filters 4 and 5 (lists), 0 for none. */
  readonly listRejection: Uint8Array;
  /** By model id filter 7 or 0. */
  readonly modelRejection: Uint8Array;
  /** By region id the failing one of filters 8 and 9, 0 for none. */
  readonly regionRejection: Uint8Array;
  /** By provider id the first failing of filters 10 to 14 (standing), 0 for none. */
  readonly standingRejection: Uint8Array;
  /** Region component of the score by region id. */
  readonly regionScores: Uint16Array;
}

/** Whether an order may be matched in the snapshot's round, and if not, which condition fails. */
export type Eligibility = 'eligible' | 'notOpen' | 'notYetEligible' | 'ended' | 'expired';

/** Eligible iff open, eligibleFromBlock <= B(r), r < untilRound and timestamp(B(r)) < expiresAt; else the first that fails. */
export function eligibilityOf(order: Order, snapshot: Snapshot): Eligibility {
  if (!order.isOpen) return 'notOpen';
  if (order.eligibleFromBlock > snapshot.blockNumber) return 'notYetEligible';
  if (snapshot.round >= order.untilRound) return 'ended';
  if (snapshot.timestampSeconds >= order.expiresAtSeconds) return 'expired';
  return 'eligible';
}

/** Prepares an order, and the bids on it that count in the snapshot's round. */
export function orderTermsOf(order: Order, snapshot: Snapshot, round: RoundTerms): OrderTerms {
  return {
    orderId: order.orderId,
    tokenId: order.tokenId,
    milliGpu: order.milliGpu,
    cpuMilli: order.cpuMilli,
    memoryMib: order.memoryMib,
    storageGib: order.storageGib,
    maxPriceMicroPerHour: order.maxPriceMicroPerHour,
    largestLoss: round.packing === null ? 0 : round.packing.largestLoss(order),
    offerIndex: round.offersIn(order.tokenId),
    bids: bestBidsOf(order.orderId, snapshot),
    listRejection: listRejectionsOf(order, snapshot.market.providerCount),
    modelRejection: modelRejectionsOf(order),
    regionRejection: regionRejectionsOf(order),
    standingRejection: standingRejectionsOf(order, round),
    regionScores: regionScoresOf(order.regions),
  };
}

function listRejectionsOf(order: Order, providerCount: number): Uint8Array {
  const rejections = new Uint8Array(providerCount + 1);
  if (order.providersWanted.length > 0) {
    rejections.fill(RejectionReason.PROVIDER_NOT_WANTED);
    for (const provider of order.providersWanted) rejections[provider] = 0;
  }
  for (const provider of order.providersExcluded) rejections[provider] = RejectionReason.PROVIDER_EXCLUDED;
  return rejections;
}

function modelRejectionsOf(order: Order): Uint8Array {
  const rejections = new Uint8Array(MODELS);
  if (order.models.length > 0) rejections.fill(RejectionReason.GPU_MODEL);
  for (const model of order.models) rejections[model] = 0;
  return rejections;
}

function regionRejectionsOf(order: Order): Uint8Array {
  const rejections = new Uint8Array(REGIONS);
  if (order.regionRequired && order.regions.length > 0) {
    rejections.fill(RejectionReason.REGION_REQUIRED);
    for (const region of order.regions) rejections[region] = 0;
  }
  for (const region of order.regionsExcluded) rejections[region] = RejectionReason.REGION_EXCLUDED;
  return rejections;
}

function standingRejectionsOf(order: Order, round: RoundTerms): Uint8Array {
  const { market } = round;
  const attributesLow = Number(order.attributes & LOW_ATTRIBUTES);
  const attributesHigh = Number(order.attributes >> HIGH_SHIFT);
  const rejections = new Uint8Array(market.providerCount + 1);
  for (let provider = 1; provider <= market.providerCount; provider++) {
    if (order.tiers !== 0 && !hasTier(order.tiers, market.tier[provider]!)) {
      rejections[provider] = RejectionReason.TIER;
    } else if (
      (market.attributesLow[provider]! & attributesLow) !== attributesLow ||
      (market.attributesHigh[provider]! & attributesHigh) !== attributesHigh
    ) {
      rejections[provider] = RejectionReason.ATTRIBUTES;
    } else if (round.uptimeBps[provider]! < order.minUptimeBps) {
      rejections[provider] = RejectionReason.UPTIME;
    } else if (round.reputationBps[provider]! < order.minReputationBps) {
      rejections[provider] = RejectionReason.REPUTATION;
    } else if (market.slashes[provider]! > order.maxSlashes) {
      rejections[provider] = RejectionReason.SLASHES;
    }
  }
  return rejections;
}

function hasTier(tiers: number, tier: number): boolean {
  return tier > 0 && ((tiers >> (tier - 1)) & 1) === 1;
}

/** By machine the live bid with the lowest price, lowest index on a tie; a bid by another than the machine's provider never counts. */
export function bestBidsOf(orderId: number, snapshot: Snapshot): ReadonlyMap<number, Bid> | undefined {
  const bids = snapshot.bids.get(orderId);
  if (bids === undefined || bids.length === 0) return undefined;
  const best = new Map<number, Bid>();
  for (const bid of bids) {
    if (snapshot.round >= bid.untilRound) continue;
    if (bid.providerId !== snapshot.market.providerId[bid.machineId]) continue;
    const other = best.get(bid.machineId);
    if (
      other === undefined ||
      bid.priceMicroPerHour < other.priceMicroPerHour ||
      (bid.priceMicroPerHour === other.priceMicroPerHour && bid.bidIndex < other.bidIndex)
    ) {
      best.set(bid.machineId, bid);
    }
  }
  return best;
}
