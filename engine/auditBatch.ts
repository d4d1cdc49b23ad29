import { BatchMalformedError } from './engineError.js';
import { rejectionOf } from './filter.js';
import { requireAscending } from './matchRound.js';
import type { Order } from './order.js';
import { OrderMatcher } from './orderMatcher.js';
import { eligibilityOf, orderTermsOf } from './orderTerms.js';
import type { OrderTerms } from './orderTerms.js';
import type { Policy } from './policy.js';
import type { Quote } from './quote.js';
import type { MatchRecord } from './record.js';
import { RejectionReason } from './rejectionReason.js';
import type { Hex, Snapshot } from './snapshot.js';

/** A machine as a proof shows it: its words, and of its prices those that the fault turns on. */
export interface MachineInFault {
  readonly machineId: number;
  readonly providerId: number;
  /** Offer to show, null for none. */
  readonly offerIndex: number | null;
  /** Bid on the order to show, null for none. */
  readonly bidIndex: number | null;
}

/** A record that the rules forbid, or whose fields are not those that the rules give. */
export interface WrongRecordFinding {
  readonly fault: 'wrongRecord';
  readonly index: number;
  readonly orderId: number;
  /** The filter that the record's machine fails, RejectionReason 1..19; 0 when only fields differ. */
  readonly reason: number;
  /** Fields that differ from the rules', empty unless `reason` is 0. */
  readonly differing: readonly (keyof MatchRecord)[];
  /** Null when the order's own word shows the fault. */
  readonly machine: MachineInFault | null;
  /** Whether the order was open, so that its tenant had something at stake. */
  readonly orderIsOpen: boolean;
}

/** A record although another machine was eligible at its place and better. */
export interface BetterCandidateFinding {
  readonly fault: 'betterCandidate';
  readonly index: number;
  readonly orderId: number;
  /** Its price is the record's, so none is shown. */
  readonly winner: MachineInFault;
  readonly winnerTotal: number;
  readonly candidate: MachineInFault;
  readonly candidateTotal: number;
}

/** A record that names what never existed. */
export interface UnknownNameFinding {
  readonly fault: 'unknownName';
  readonly index: number;
  readonly orderId: number;
  readonly machineId: number;
  /** Whether the record's order was one and open, so that its tenant had something at stake. */
  readonly orderIsOpen: boolean;
  readonly name: 'order' | 'machine' | 'offer' | 'bid';
}

/** No record for an order that a machine could have taken after the reservations of all records of lower orders. */
export interface OmittedOrderFinding {
  readonly fault: 'omittedOrder';
  readonly orderId: number;
  readonly candidate: MachineInFault;
}

/** A fault of a signed batch that the judge can be shown, with the ids that the proof needs. */
export type BatchFinding = WrongRecordFinding | BetterCandidateFinding | UnknownNameFinding | OmittedOrderFinding;

export interface AuditInput {
  readonly snapshot: Snapshot;
  readonly policy: Policy;
  readonly seed: Hex;
  /** First order id that no order has at the snapshot. */
  readonly nextOrderId: number;
  readonly records: readonly MatchRecord[];
}

/**
 * Every provable fault of a batch, in the order of its records. What earlier records take is reserved as they state it, whether
 * they are right or not, as the judge does; so a batch without a finding is the batch that `matchRound` gives, and only that one.
 * Batches that settlement refuses by their form (order ids that do not ascend from 1, more records than `policy.maxMatches`, an offer index
 * beside a bid or a bid index without one) are no offence and throw BatchMalformedError. Throws too what `matchRound` throws.
 */
export function auditBatch(input: AuditInput): BatchFinding[] {
  const { snapshot, policy, seed, records } = input;
  requireAscending(snapshot);
  requireWellFormed(records, policy);
  return new BatchAudit(input, new OrderMatcher(snapshot, policy, seed)).run();
}

class BatchAudit {
  readonly #input: AuditInput;
  readonly #matcher: OrderMatcher;
  readonly #findings: BatchFinding[] = [];
  readonly #quote: Quote = { priceMicroPerHour: 0, offerIndex: 0, bidIndex: -1 };

  constructor(input: AuditInput, matcher: OrderMatcher) {
    this.#input = input;
    this.#matcher = matcher;
  }

  /** Walks orders and records together by ascending order id. */
  run(): BatchFinding[] {
    const { snapshot, records } = this.#input;
    let next = 0;
    for (const order of snapshot.orders) {
      for (let record = records[next]; record !== undefined && record.orderId < order.orderId; record = records[next]) {
        this.#takeRecord(next, record, undefined);
        next++;
      }
      const record = records[next];
      if (record?.orderId === order.orderId) {
        this.#takeRecord(next, record, order);
        next++;
      } else {
        this.#takeOmission(order);
      }
    }
    for (; next < records.length; next++) this.#takeRecord(next, records[next]!, undefined);
    return this.#findings;
  }

  #takeRecord(index: number, record: MatchRecord, order: Order | undefined): void {
    this.#judgeRecord(index, record, order);
    if (this.#isMachine(record.machineId)) {
      this.#matcher.capacity.takeAsStated(record.machineId, record.deviceMask, record);
    }
  }

  #judgeRecord(index: number, record: MatchRecord, order: Order | undefined): void {
    const { snapshot, nextOrderId } = this.#input;
    const { orderId, machineId } = record;
    const isOrder = order !== undefined || (orderId >= 1 && orderId < nextOrderId);
    const orderIsOpen = order?.isOpen === true;
    const isEligible = order !== undefined && eligibilityOf(order, snapshot) === 'eligible';
    const unknown = this.#unknownNames(record, order, isOrder);
    for (const name of unknown) {
      this.#findings.push({ fault: 'unknownName', index, orderId, machineId, orderIsOpen, name });
    }
    if (isOrder && !isEligible) {
      const reason = RejectionReason.ORDER_NOT_ELIGIBLE;
      this.#findings.push({ fault: 'wrongRecord', index, orderId, reason, differing: [], machine: null, orderIsOpen });
    }
    if (!isEligible || unknown.length > 0) return;
    const terms = orderTermsOf(order, snapshot, this.#matcher.round);
    const wrong = this.#wrongRecord(index, record, terms);
    const finding = wrong ?? this.#betterCandidate(index, record, terms);
    if (finding !== undefined) this.#findings.push(finding);
  }

  #unknownNames(record: MatchRecord, order: Order | undefined, isOrder: boolean): UnknownNameFinding['name'][] {
    const { snapshot } = this.#input;
    const names: UnknownNameFinding['name'][] = [];
    if (!isOrder) names.push('order');
    if (!this.#isMachine(record.machineId)) names.push('machine');
    else if (!record.fromBid && !((snapshot.market.offersWritten[record.machineId]! >> record.offerIndex) & 1)) {
      names.push('offer');
    }
    if (record.fromBid && order?.isOpen === true) {
      const bids = snapshot.bids.get(record.orderId) ?? [];
      if (!bids.some(({ bidIndex }) => bidIndex === record.bidIndex)) names.push('bid');
    }
    return names;
  }

  #isMachine(machineId: number): boolean {
    return machineId >= 1 && machineId <= this.#input.snapshot.market.machineCount;
  }

  #wrongRecord(index: number, record: MatchRecord, terms: OrderTerms): WrongRecordFinding | undefined {
    const { round, capacity } = this.#matcher;
    const { orderId, machineId } = record;
    const providerId = round.market.providerId[machineId]!;
    const quote = this.#quote;
    const reason = rejectionOf(round, capacity, terms, machineId, quote);
    const ruled = reason === 0 ? this.#ruledRecord(terms, machineId, providerId) : undefined;
    const differing = ruled === undefined ? [] : fieldsThatDiffer(record, ruled);
    if (reason === 0 && differing.length === 0) return undefined;
    const machine: MachineInFault = {
      machineId,
      providerId,
      offerIndex: offerToShow(record, ruled),
      bidIndex: bidToShow(record, ruled),
    };
    return { fault: 'wrongRecord', index, orderId, reason, differing, machine, orderIsOpen: true };
  }

  /** The record of an order on a machine that no filter rejects, at the price that `rejectionOf` just quoted. */
  #ruledRecord(terms: OrderTerms, machineId: number, providerId: number): MatchRecord {
    const { priceMicroPerHour, offerIndex, bidIndex } = this.#quote;
    const { orderId, milliGpu, cpuMilli, memoryMib, storageGib, tokenId } = terms;
    const fromBid = bidIndex >= 0;
    return {
      orderId,
      machineId,
      priceMicroPerHour,
      deviceMask: this.#matcher.capacity.devicesFor(machineId, milliGpu),
      milliGpu,
      cpuMilli,
      memoryMib,
      storageGib,
      offerIndex,
      fromBid,
      tokenId,
      providerId,
      bidIndex: fromBid ? bidIndex : 0,
    };
  }

  #betterCandidate(index: number, record: MatchRecord, terms: OrderTerms): BetterCandidateFinding | undefined {
    const chosen = this.#matcher.choose(terms);
    if (chosen === undefined || chosen.machineId === record.machineId) return undefined;
    const { orderId, machineId, providerId, priceMicroPerHour } = record;
    const { jitter } = this.#matcher;
    return {
      fault: 'betterCandidate',
      index,
      orderId,
      winner: { machineId, providerId, offerIndex: null, bidIndex: null },
      winnerTotal: this.#matcher.baseOf(terms, machineId, priceMicroPerHour) + jitter.of(orderId, providerId),
      candidate: candidateOf(chosen),
      candidateTotal: chosen.total,
    };
  }

  #takeOmission(order: Order): void {
    const { snapshot, policy, records } = this.#input;
    const { orderId } = order;
    const isFull = records.length >= policy.maxMatches && orderId > (records.at(-1)?.orderId ?? 0);
    if (isFull || eligibilityOf(order, snapshot) !== 'eligible') return;
    const chosen = this.#matcher.choose(orderTermsOf(order, snapshot, this.#matcher.round));
    if (chosen === undefined) return;
    this.#findings.push({ fault: 'omittedOrder', orderId, candidate: candidateOf(chosen) });
  }
}

/** The record's own source, and of the other kind what the rules would have taken; of two bids the one that the rules take. */
function offerToShow(record: MatchRecord, ruled: MatchRecord | undefined): number | null {
  if (!record.fromBid) return record.offerIndex;
  return ruled === undefined || ruled.fromBid ? null : ruled.offerIndex;
}

function bidToShow(record: MatchRecord, ruled: MatchRecord | undefined): number | null {
  if (ruled?.fromBid === true) return ruled.bidIndex;
  return record.fromBid ? record.bidIndex : null;
}

function candidateOf(chosen: {
  readonly machineId: number;
  readonly providerId: number;
  readonly offerIndex: number;
  readonly bidIndex: number;
}): MachineInFault {
  const { machineId, providerId, offerIndex, bidIndex } = chosen;
  return bidIndex >= 0
    ? { machineId, providerId, offerIndex: null, bidIndex }
    : { machineId, providerId, offerIndex, bidIndex: null };
}

function fieldsThatDiffer(record: MatchRecord, ruled: MatchRecord): (keyof MatchRecord)[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a record made above
  const fields = Object.keys(ruled) as (keyof MatchRecord)[];
  return fields.filter((field) => record[field] !== ruled[field]);
}

function requireWellFormed(records: readonly MatchRecord[], policy: Policy): void {
  if (records.length > policy.maxMatches) {
    throw new BatchMalformedError(policy.maxMatches, `a batch holds at most ${policy.maxMatches} records`);
  }
  let before = 0;
  records.forEach((record, index) => {
    if (record.orderId <= before) {
      throw new BatchMalformedError(index, `order ${record.orderId} follows order ${before}`);
    }
    if (record.fromBid ? record.offerIndex !== 0 : record.bidIndex !== 0) {
      throw new BatchMalformedError(index, 'it names an offer and a bid');
    }
    before = record.orderId;
  });
}
