import type { Bid, Order } from './order.js';
import { REGIONS, regionScoresOf } from './score.js';
import type { Snapshot } from './snapshot.js';

const MODELS = 1024;
const LOW_ATTRIBUTES = 0x7ff_ffffn;
const HIGH_SHIFT = 27n;

/** An order prepared for one pass over all machines: lists become tables by id, bids are found by machine. */
export interface OrderTerms {
  readonly order: Order;
  readonly tokenId: number;
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  readonly maxPriceMicroPerHour: number;
  /** 1 by model id when accepted. */
  readonly acceptsModel: Uint8Array;
  /** 1 by region id when excluded. */
  readonly excludesRegion: Uint8Array;
  /** Region component of the score by region id. */
  readonly regionScores: Uint16Array;
  /** 1 by region id when listed or nothing is. */
  readonly listsRegion: Uint8Array;
  readonly attributesLow: number;
  readonly attributesHigh: number;
  /** The best live bid by machine; undefined when the order has none. */
  readonly bids: ReadonlyMap<number, Bid> | undefined;
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

/** Prepares an order and the bids on it that count in the snapshot's round. */
export function orderTermsOf(order: Order, snapshot: Snapshot): OrderTerms {
  const listsRegion = new Uint8Array(REGIONS);
  if (order.regions.length === 0) listsRegion.fill(1);
  for (const region of order.regions) listsRegion[region] = 1;
  const excludesRegion = new Uint8Array(REGIONS);
  for (const region of order.regionsExcluded) excludesRegion[region] = 1;
  const acceptsModel = new Uint8Array(MODELS);
  if (order.models.length === 0) acceptsModel.fill(1);
  for (const model of order.models) acceptsModel[model] = 1;
  return {
    order,
    tokenId: order.tokenId,
    milliGpu: order.milliGpu,
    cpuMilli: order.cpuMilli,
    memoryMib: order.memoryMib,
    storageGib: order.storageGib,
    maxPriceMicroPerHour: order.maxPriceMicroPerHour,
    acceptsModel,
    excludesRegion,
    regionScores: regionScoresOf(order.regions),
    listsRegion,
    attributesLow: Number(order.attributes & LOW_ATTRIBUTES),
    attributesHigh: Number(order.attributes >> HIGH_SHIFT),
    bids: bestBidsOf(order.orderId, snapshot),
  };
}

/** By machine the live bid with the lowest price, lowest index on a tie; a bid by another than the machine's provider never counts. */
function bestBidsOf(orderId: number, snapshot: Snapshot): ReadonlyMap<number, Bid> | undefined {
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
