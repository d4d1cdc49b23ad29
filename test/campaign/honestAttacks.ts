import type { BatchFinding, MachineInFault, UnknownNameFinding } from '../../engine/auditBatch.js';
import type { Policy } from '../../engine/policy.js';
import type { MatchRecord } from '../../engine/record.js';
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

const NAMES: readonly UnknownNameFinding['name'][] = ['order', 'machine', 'offer', 'bid'];

/** What somebody may claim of a batch that has no fault: every kind of claim about its records and orders and any machine. */
export function attacksOn(round: HonestRound, count: number): BatchFinding[] {
  return Array.from({ length: count }, (_, index) => attackOn(round, index));
}

function attackOn(round: HonestRound, turn: number): BatchFinding {
  const { records } = round;
  const index = round.choose(records.length);
  const { orderId, machineId } = records[index]!;
  switch (turn % 6) {
    case 0:
      return { fault: 'wrongRecord', index, orderId, reason: 1, differing: [], machine: null, orderIsOpen: false };
    case 1:
    case 2:
      return {
        fault: 'wrongRecord',
        index,
        orderId,
        reason: 2,
        differing: [],
        machine: ownMachine(round, index),
        orderIsOpen: true,
      };
    case 3: {
      const winner = { ...ownMachine(round, index), offerIndex: null, bidIndex: null };
      const candidate = anyMachine(round, orderId);
      return { fault: 'betterCandidate', index, orderId, winner, winnerTotal: 0, candidate, candidateTotal: 1 };
    }
    case 4: {
      const name = NAMES[round.choose(NAMES.length)]!;
      return { fault: 'unknownName', index, orderId, machineId, orderIsOpen: true, name };
    }
    default: {
      const omitted = 1 + round.choose(round.nextOrderId - 1);
      return { fault: 'omittedOrder', orderId: omitted, candidate: anyMachine(round, omitted) };
    }
  }
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
