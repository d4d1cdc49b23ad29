import type { BatchFinding, MachineInFault, UnknownNameFinding } from '../../engine/auditBatch.js';
import { matchRound } from '../../engine/matchRound.js';
import type { PackingTerms, Policy } from '../../engine/policy.js';
import type { MatchRecord } from '../../engine/record.js';
import { byVersionOne, byVersionTwo } from '../../engine/reference/plantFault.js';
import { otherPackingTerms } from '../../engine/reference/wrongPacking.js';
import type { Hex, Snapshot } from '../../engine/snapshot.js';

/** An honest round, and chance. */
export interface HonestRound {
  readonly snapshot: Snapshot;
  readonly policy: Policy;
  readonly seed: Hex;
  /** What the rules give. */
  readonly records: readonly MatchRecord[];
  /** First order id that no order has. */
  readonly nextOrderId: number;
  /** 0 <= choose(count) < count. */
  readonly choose: (count: number) => number;
}

/** A claim about a batch, and the policy and packing terms that are said to have been the round's. */
export interface Attack {
  readonly finding: BatchFinding;
  readonly policy: Policy;
  /** Null for those of the policy. */
  readonly packing: PackingTerms | null;
}

const NAMES: readonly UnknownNameFinding['name'][] = ['order', 'machine', 'offer', 'bid'];

/** What somebody may claim of a batch that has no fault: every kind of claim about its records and orders, any machine and any terms. */
export function attacksOn(round: HonestRound, count: number): Attack[] {
  const { snapshot, policy, seed } = round;
  const byOtherRules = matchRound(
    snapshot,
    policy.packing === null ? byVersionTwo(policy) : byVersionOne(policy),
    seed,
  );
  return Array.from({ length: count }, (_, index) => attackOn(round, byOtherRules, index));
}

function attackOn(round: HonestRound, byOtherRules: readonly MatchRecord[], turn: number): Attack {
  const { records, policy } = round;
  const index = round.choose(records.length);
  const { orderId, machineId } = records[index]!;
  const claimed = (finding: BatchFinding): Attack => ({ finding, policy, packing: null });
  switch (turn % 8) {
    case 0:
      return claimed({
        fault: 'wrongRecord',
        index,
        orderId,
        reason: 1,
        differing: [],
        machine: null,
        orderIsOpen: false,
      });
    case 1:
    case 2:
      return claimed(wrongRecord(round, index));
    case 3:
      return claimed(betterCandidate(round, index, anyMachine(round, orderId)));
    case 4: {
      const name = NAMES[round.choose(NAMES.length)]!;
      return claimed({ fault: 'unknownName', index, orderId, machineId, orderIsOpen: true, name });
    }
    case 5: {
      const chosen = byOtherRules.find((record) => record.orderId === orderId);
      return claimed(betterCandidate(round, index, chosen ? sourceOf(chosen) : anyMachine(round, orderId)));
    }
    case 6: {
      const finding =
        round.choose(2) === 0 ? wrongRecord(round, index) : betterCandidate(round, index, anyMachine(round, orderId));
      return { finding, ...otherTerms(round) };
    }
    default: {
      const omitted = 1 + round.choose(round.nextOrderId - 1);
      return claimed({ fault: 'omittedOrder', orderId: omitted, candidate: anyMachine(round, omitted) });
    }
  }
}

function wrongRecord(round: HonestRound, index: number): BatchFinding {
  const { orderId } = round.records[index]!;
  const machine = ownMachine(round, index);
  return { fault: 'wrongRecord', index, orderId, reason: 2, differing: [], machine, orderIsOpen: true };
}

function betterCandidate(round: HonestRound, index: number, candidate: MachineInFault): BatchFinding {
  const { orderId } = round.records[index]!;
  const winner = { ...ownMachine(round, index), offerIndex: null, bidIndex: null };
  return { fault: 'betterCandidate', index, orderId, winner, winnerTotal: 0, candidate, candidateTotal: 1 };
}

/** Rules, weights or packing terms that the round did not have, or that the rules without packing do not read. */
function otherTerms({ policy, choose }: HonestRound): Pick<Attack, 'policy' | 'packing'> {
  const terms = policy.packing ?? byVersionTwo(policy).packing!;
  const others = otherPackingTerms(terms);
  const packing = others[choose(others.length)]!;
  switch (choose(4)) {
    case 0:
      return { policy: policy.packing === null ? byVersionTwo(policy) : byVersionOne(policy), packing: null };
    case 1:
      return { policy: { ...policy, weightPackingBps: policy.weightPackingBps === 0 ? 10_000 : 0 }, packing: null };
    case 2:
      return { policy: { ...policy, packing }, packing: null };
    default:
      return { policy, packing };
  }
}

/** A record's machine with the source of its price. */
function sourceOf({ machineId, providerId, fromBid, offerIndex, bidIndex }: MatchRecord): MachineInFault {
  return fromBid
    ? { machineId, providerId, offerIndex: null, bidIndex }
    : { machineId, providerId, offerIndex, bidIndex: null };
}

/** The record's machine, with its own source shown and any other beside it. */
function ownMachine(round: HonestRound, index: number): MachineInFault {
  const { machineId, fromBid, offerIndex, bidIndex, orderId } = round.records[index]!;
  const providerId = round.snapshot.market.providerId[machineId]!;
  const other = anyMachine(round, orderId, machineId);
  if (fromBid) return { machineId, providerId, offerIndex: other.offerIndex, bidIndex };
  return { machineId, providerId, offerIndex, bidIndex: other.bidIndex };
}

/** Some machine with an offer, a bid on the order, both or neither of its prices shown. */
function anyMachine(round: HonestRound, orderId: number, given?: number): MachineInFault {
  const { market, bids } = round.snapshot;
  const machineId = given ?? 1 + round.choose(market.machineCount);
  const providerId = market.providerId[machineId]!;
  const written = [0, 1, 2, 3].filter((offer) => (market.offersWritten[machineId]! >> offer) & 1);
  const placed = bids.get(orderId)?.length ?? 0;
  const offerIndex = written.length > 0 && round.choose(4) > 0 ? written[round.choose(written.length)]! : null;
  const bidIndex = placed > 0 && round.choose(2) > 0 ? round.choose(placed) : null;
  return { machineId, providerId, offerIndex, bidIndex };
}
