import { OrderNotInSnapshotError } from './engineError.js';
import { rejectionOf } from './filter.js';
import { requireAscending } from './matchRound.js';
import { OrderMatcher } from './orderMatcher.js';
import { eligibilityOf, orderTermsOf } from './orderTerms.js';
import type { Eligibility, OrderTerms } from './orderTerms.js';
import { weightedPacking } from './packing.js';
import type { Policy } from './policy.js';
import type { Quote } from './quote.js';
import type { MatchRecord } from './record.js';
import { RejectionReason } from './rejectionReason.js';
import { fitScore, priceScore } from './score.js';
import type { Hex, Snapshot } from './snapshot.js';

/** Why a machine was no candidate. */
export interface MachineRejection {
  readonly machineId: number;
  readonly providerId: number;
  /** RejectionReason 2..19. */
  readonly reason: number;
}

/** Every term of a candidate's total. */
export interface MachineScore {
  readonly machineId: number;
  readonly providerId: number;
  readonly priceMicroPerHour: number;
  readonly offerIndex: number;
  readonly fromBid: boolean;
  readonly bidIndex: number;
  readonly components: {
    readonly price: number;
    readonly stake: number;
    readonly fit: number;
    readonly region: number;
    readonly uptime: number;
    readonly reputation: number;
    /** 0 for rules without packing. */
    readonly packing: number;
  };
  /** What the packing component is made of: S x (largestLoss - loss) / largestLoss, weighted before it is floored. */
  readonly packingLoss: number;
  readonly packingLargestLoss: number;
  readonly complianceBps: number;
  /** complianceBps x weighted sum of the components. */
  readonly base: number;
  readonly jitter: number;
  readonly total: number;
}

/** What became of an order in a round, and why. */
export interface OrderExplanation {
  readonly orderId: number;
  readonly outcome: 'matched' | 'unmatched' | 'notEligible' | 'batchFull';
  readonly eligibility: Eligibility;
  /** The match, when there is one. */
  readonly record: MatchRecord | undefined;
  /** The furthest filter that any machine reached, unless matched or the batch was full; MACHINE_INACTIVE when there is no machine. */
  readonly decidingReason: number | undefined;
  /** How many machines failed at each filter. */
  readonly rejectedByReason: ReadonlyMap<number, number>;
  /** Ascending by machine; empty for an order that was not eligible. */
  readonly rejections: readonly MachineRejection[];
  /** Candidates, the best first. */
  readonly scores: readonly MachineScore[];
}

/**
 * Every stage's result for one order of a round: the matches of all lower order ids are taken first, then each machine is filtered and
 * scored as `matchRound` does. When the batch was full before the order's turn, machines are judged by what capacity the batch left.
 * Throws OrderNotInSnapshotError, and what `matchRound` throws.
 */
export function explainOrder(snapshot: Snapshot, policy: Policy, seed: Hex, orderId: number): OrderExplanation {
  requireAscending(snapshot);
  const order = snapshot.orders.find((candidate) => candidate.orderId === orderId);
  if (order === undefined) throw new OrderNotInSnapshotError(orderId, snapshot.round);
  const matcher = new OrderMatcher(snapshot, policy, seed);
  const eligibility = eligibilityOf(order, snapshot);
  if (eligibility !== 'eligible') {
    return {
      orderId,
      outcome: 'notEligible',
      eligibility,
      record: undefined,
      decidingReason: RejectionReason.ORDER_NOT_ELIGIBLE,
      rejectedByReason: new Map(),
      rejections: [],
      scores: [],
    };
  }
  let matches = 0;
  for (const earlier of snapshot.orders) {
    if (earlier.orderId >= orderId || matches >= policy.maxMatches) break;
    if (eligibilityOf(earlier, snapshot) !== 'eligible') continue;
    if (matcher.match(orderTermsOf(earlier, snapshot, matcher.round)) !== undefined) matches++;
  }
  const terms = orderTermsOf(order, snapshot, matcher.round);
  const { rejections, scores } = judgeMachines(snapshot, matcher, terms);
  const rejectedByReason = new Map<number, number>();
  let furthest: number = RejectionReason.MACHINE_INACTIVE;
  for (const { reason } of rejections) {
    rejectedByReason.set(reason, (rejectedByReason.get(reason) ?? 0) + 1);
    if (reason > furthest) furthest = reason;
  }
  const isFull = matches >= policy.maxMatches;
  const record = isFull ? undefined : matcher.match(terms);
  return {
    orderId,
    outcome: isFull ? 'batchFull' : record === undefined ? 'unmatched' : 'matched',
    eligibility,
    record,
    decidingReason: isFull || record !== undefined ? undefined : furthest,
    rejectedByReason,
    rejections,
    scores,
  };
}

function judgeMachines(
  snapshot: Snapshot,
  matcher: OrderMatcher,
  terms: OrderTerms,
): { rejections: MachineRejection[]; scores: MachineScore[] } {
  const { market } = snapshot;
  const rejections: MachineRejection[] = [];
  const scores: MachineScore[] = [];
  const quote: Quote = { priceMicroPerHour: 0, offerIndex: 0, bidIndex: -1 };
  for (let machineId = 1; machineId <= market.machineCount; machineId++) {
    const reason = rejectionOf(matcher.round, matcher.capacity, terms, machineId, quote);
    if (reason === 0) scores.push(scoreOf(matcher, terms, machineId, quote));
    else rejections.push({ machineId, providerId: market.providerId[machineId]!, reason });
  }
  scores.sort((a, b) => b.total - a.total || a.providerId - b.providerId || a.machineId - b.machineId);
  return { rejections, scores };
}

function scoreOf(matcher: OrderMatcher, terms: OrderTerms, machineId: number, quote: Quote): MachineScore {
  const { round, capacity } = matcher;
  const { market } = round;
  const providerId = market.providerId[machineId]!;
  const base = matcher.baseOf(terms, machineId, quote.priceMicroPerHour);
  const jitter = matcher.jitter.of(terms.orderId, providerId);
  const packingLoss = matcher.packingLossOf(terms, machineId);
  const fromBid = quote.bidIndex >= 0;
  return {
    machineId,
    providerId,
    priceMicroPerHour: quote.priceMicroPerHour,
    offerIndex: quote.offerIndex,
    fromBid,
    bidIndex: fromBid ? quote.bidIndex : 0,
    components: {
      price: priceScore(terms.maxPriceMicroPerHour, quote.priceMicroPerHour),
      stake: round.stakeScore[providerId]!,
      fit: fitScore(
        terms.milliGpu,
        terms.cpuMilli,
        market.model[machineId]!,
        capacity.totalMilliGpu[machineId]!,
        capacity.freeCpuMilli[machineId]!,
      ),
      region: terms.regionScores[market.region[machineId]!]!,
      uptime: round.uptimeBps[providerId]!,
      reputation: round.reputationBps[providerId]!,
      packing: round.packing === null ? 0 : weightedPacking(1, packingLoss, terms.largestLoss),
    },
    packingLoss,
    packingLargestLoss: terms.largestLoss,
    complianceBps: round.complianceBps[providerId]!,
    base,
    jitter,
    total: base + jitter,
  };
}
