// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CurveType, OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { IKeyRegistrar } from "../eigenlayer/IKeyRegistrar.sol";
import { MatchBatch, OrderSpec, Policy } from "../market/MarketTypes.sol";
import { Candidate, MatchRules, RoundFacts } from "../rules/MatchRules.sol";
import { PackingRules } from "../rules/PackingRules.sol";
import { PackingTerms } from "../rules/PackingTerms.sol";
import { PolicyHash } from "../rules/PolicyHash.sol";
import { RoundRules, RulesByVersion } from "../rules/RulesByVersion.sol";
import { BidWord } from "../words/BidWord.sol";
import { MachineWord } from "../words/MachineWord.sol";
import { OfferWord } from "../words/OfferWord.sol";
import { OrderOwnerWord } from "../words/OrderOwnerWord.sol";
import { OrderWord } from "../words/OrderWord.sol";
import { ProviderWord } from "../words/ProviderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../words/RecordWord.sol";
import { Slots } from "../words/Slots.sol";
import { BatchSigners, Signers } from "./BatchSigners.sol";
import { EarlierRecords } from "./EarlierRecords.sol";
import {
    BatchEvidence,
    BetterCandidateEvidence,
    EquivocationEvidence,
    Fault,
    MachineEvidence,
    Name,
    OmittedOrderEvidence,
    OrderEvidence,
    SnapshotProof,
    UnknownNameEvidence,
    WrongRecordEvidence
} from "./Evidence.sol";
import { IFaultJudge, Verdict, Victim } from "./IFaultJudge.sol";
import { ProvenBlock, StateProof } from "./StateProof.sol";

/// @notice Whose faults are judged, and against which contracts of the market's chain.
struct JudgeTerms {
    uint256 marketChainId;
    address settlement;
    address providerRegistry;
    address orderRequest;
    /// The verifier in whose domain operators sign ECDSA certificates.
    address certificateVerifier;
    IKeyRegistrar keyRegistrar;
    OperatorSet operatorSet;
    CurveType curve;
    uint32 challengeWindowSeconds;
}

/// @title The judge: executes the rules of matching on proven words and names who signed against them.
/// @dev What is not shown is never held against the signers: a machine is judged by the offer and the bid that are given, and another one
/// that is not given could only make it better. Of a batch with several wrong records any may be judged; which of them, and what those before
/// it took, makes no difference to an honest batch, which has none.
contract FaultJudge is IFaultJudge {
    /// @notice A batch signed by a quorum, and what its snapshot block says.
    struct Round {
        RoundRules rules;
        Signers signers;
        /// Zero when no account proof is given.
        bytes32 registryRoot;
        bytes32 ordersRoot;
    }

    uint256 private constant BPS = 10_000;
    uint256 private constant RECORD_BYTES = 32;
    uint256 private constant OFFERS_PER_MACHINE = 4;

    BatchSigners public immutable batchSigners;
    address public immutable providerRegistry;
    address public immutable orderRequest;
    /// @inheritdoc IFaultJudge
    uint32 public immutable challengeWindowSeconds;

    constructor(JudgeTerms memory terms) {
        batchSigners = new BatchSigners(
            terms.marketChainId, terms.settlement, terms.certificateVerifier, terms.keyRegistrar, terms.operatorSet, terms.curve
        );
        providerRegistry = terms.providerRegistry;
        orderRequest = terms.orderRequest;
        challengeWindowSeconds = terms.challengeWindowSeconds;
    }

    /// @inheritdoc IFaultJudge
    function judge(Fault fault, bytes calldata evidence) external view returns (Verdict memory verdict) {
        if (fault == Fault.Equivocation) return _judgeEquivocation(abi.decode(evidence, (EquivocationEvidence)));
        if (fault == Fault.WrongRecord) return _judgeWrongRecord(abi.decode(evidence, (WrongRecordEvidence)));
        if (fault == Fault.BetterCandidate) return _judgeBetterCandidate(abi.decode(evidence, (BetterCandidateEvidence)));
        if (fault == Fault.UnknownName) return _judgeUnknownName(abi.decode(evidence, (UnknownNameEvidence)));
        return _judgeOmittedOrder(abi.decode(evidence, (OmittedOrderEvidence)));
    }

    /// @inheritdoc IFaultJudge
    function victimOf(bytes32 snapshotHash, uint32 orderId, SnapshotProof calldata snapshot, bytes[] calldata ownerWord)
        external
        view
        returns (Victim memory victim)
    {
        ProvenBlock memory proven = StateProof.blockOf(snapshotHash, snapshot.header);
        bytes32 ordersRoot = StateProof.storageRootOf(proven.stateRoot, orderRequest, snapshot.ordersAccount);
        OrderOwnerWord owner = OrderOwnerWord.wrap(_word(ordersRoot, Slots.orderOwner(orderId), ownerWord, "owner"));
        victim.tenant = owner.tenant();
        victim.maxPriceMicroPerHour = uint40(owner.maxPriceMicroPerHour());
        victim.durationMinutes = uint24(owner.durationMinutes());
    }

    // ---- faults

    function _judgeEquivocation(EquivocationEvidence memory evidence) private view returns (Verdict memory verdict) {
        Signers memory signers = batchSigners.signersOfBoth(evidence.first, evidence.second);
        if (signers.positions == 0) revert NoFault();
        verdict.fault = Fault.Equivocation;
        verdict.round = evidence.first.batch.round;
        verdict.messageHash = signers.messageHash;
        verdict.signers = signers.keys;
        verdict.positions = signers.positions;
    }

    function _judgeWrongRecord(WrongRecordEvidence memory evidence) private view returns (Verdict memory) {
        Round memory round = _open(evidence.batch);
        RecordWord record = _recordAt(evidence.batch, evidence.index);
        OrderWord order = _orderAt(round, record.orderId(), evidence.order.orderWord);
        // Of an order that cannot be matched nothing else is read: a closed one has no bids, and few still know its spec.
        if (MatchRules.isEligible(round.rules.facts, order)) {
            _checkSpec(round, record.orderId(), evidence.order);
            if (!_isWrong(round, evidence, record, order)) revert NoFault();
        }
        return _verdictOf(Fault.WrongRecord, evidence.batch, round, record.orderId(), order);
    }

    function _judgeBetterCandidate(BetterCandidateEvidence memory evidence) private view returns (Verdict memory) {
        Round memory round = _open(evidence.batch);
        RecordWord record = _recordAt(evidence.batch, evidence.index);
        OrderWord order = _orderAt(round, record.orderId(), evidence.order.orderWord);
        _checkSpec(round, record.orderId(), evidence.order);
        Policy memory policy = evidence.batch.policy;
        OrderSpec memory spec = evidence.order.spec;

        Candidate memory winner = _machineAt(round, record.machineId(), evidence.winner);
        winner.machine = EarlierRecords.left(evidence.batch.records, evidence.index, winner.machineId, winner.machine);
        Candidate memory candidate = _candidateAt(round, record.orderId(), order, evidence.candidate);
        candidate.machine = EarlierRecords.left(evidence.batch.records, evidence.index, candidate.machineId, candidate.machine);
        if (MatchRules.rejection(round.rules.facts, policy, order, spec, candidate) != 0) revert NoFault();
        // A winner without room or beyond the tenant's price has no total; its record is the fault.
        if (!RulesByVersion.hasTotal(round.rules, spec, winner, record.priceMicroPerHour())) revert NoFault();

        (uint256 price,) = MatchRules.quote(round.rules.facts, spec, candidate);
        uint256 better = RulesByVersion.totalOf(round.rules, record.orderId(), spec, candidate, price);
        uint256 chosen = RulesByVersion.totalOf(round.rules, record.orderId(), spec, winner, record.priceMicroPerHour());
        if (better < chosen || (better == chosen && !_precedes(candidate, winner))) revert NoFault();
        return _verdictOf(Fault.BetterCandidate, evidence.batch, round, record.orderId(), order);
    }

    function _judgeUnknownName(UnknownNameEvidence memory evidence) private view returns (Verdict memory) {
        Round memory round = _open(evidence.batch);
        RecordWord record = _recordAt(evidence.batch, evidence.index);
        bytes[] memory orderWord = evidence.orderWord;
        if (evidence.name == Name.Order) {
            if (_isOrder(round, record.orderId(), evidence.word)) revert NoFault();
            return _verdictOf(Fault.UnknownName, evidence.batch, round, 0, OrderWord.wrap(0));
        }
        if (evidence.name == Name.Machine) {
            if (_isMachine(round, record.machineId(), evidence.word)) revert NoFault();
        } else if (evidence.name == Name.Offer) {
            if (record.fromBid() || _isOffer(round, record, evidence.word)) revert NoFault();
        } else {
            orderWord = evidence.word;
            OrderWord bidOn = _orderAt(round, record.orderId(), orderWord);
            // An order that is not open has no bids: the bits that count them then say something else.
            if (!record.fromBid() || (bidOn.isOpen() && record.bidIndex() < bidOn.bidCount())) revert NoFault();
        }
        if (orderWord.length == 0) return _verdictOf(Fault.UnknownName, evidence.batch, round, 0, OrderWord.wrap(0));
        OrderWord order = _orderAt(round, record.orderId(), orderWord);
        return _verdictOf(Fault.UnknownName, evidence.batch, round, record.orderId(), order);
    }

    function _judgeOmittedOrder(OmittedOrderEvidence memory evidence) private view returns (Verdict memory) {
        Round memory round = _open(evidence.batch);
        (uint256 before, bool present) = EarlierRecords.placeOf(evidence.batch.records, evidence.orderId);
        // The engine stops at the policy's limit, and an order after the last record was then never looked at.
        if (present || before >= evidence.batch.policy.maxMatches) revert NoFault();
        OrderWord order = _orderAt(round, evidence.orderId, evidence.order.orderWord);
        _checkSpec(round, evidence.orderId, evidence.order);
        Candidate memory candidate = _candidateAt(round, evidence.orderId, order, evidence.candidate);
        candidate.machine = EarlierRecords.left(evidence.batch.records, before, candidate.machineId, candidate.machine);
        if (MatchRules.rejection(round.rules.facts, evidence.batch.policy, order, evidence.order.spec, candidate) != 0) revert NoFault();
        return _verdictOf(Fault.OmittedOrder, evidence.batch, round, evidence.orderId, order);
    }

    // ---- the rules

    /// Whether the record of an eligible order differs in any bit from the one that the rules make of the order on the record's machine.
    function _isWrong(Round memory round, WrongRecordEvidence memory evidence, RecordWord record, OrderWord order)
        private
        pure
        returns (bool)
    {
        MachineEvidence memory given = evidence.machine;
        given.machineId = uint32(record.machineId());
        Candidate memory candidate = _candidateAt(round, record.orderId(), order, given);
        if (record.fromBid()) {
            if (given.bidWord.length == 0) revert WordMissing("bid");
            if (given.bidIndex != record.bidIndex()) {
                if (!_isBetterBid(round, candidate, given.bidIndex, record)) revert WordMissing("bid");
                return true;
            }
        } else if (given.offerWord.length == 0 || given.offerIndex != record.offerIndex()) {
            revert WordMissing("offer");
        }
        candidate.machine = EarlierRecords.left(evidence.batch.records, evidence.index, candidate.machineId, candidate.machine);
        OrderSpec memory spec = evidence.order.spec;
        if (MatchRules.rejection(round.rules.facts, evidence.batch.policy, order, spec, candidate) != 0) return true;
        return RecordWord.unwrap(record) != RecordWord.unwrap(_recordOf(round, record.orderId(), spec, candidate, given));
    }

    /// Whether the candidate's bid would have been taken before the one that the record names: lower, or as low and placed earlier.
    function _isBetterBid(Round memory round, Candidate memory candidate, uint256 bidIndex, RecordWord record) private pure returns (bool) {
        if (!MatchRules.hasLiveBid(round.rules.facts, candidate)) return false;
        uint256 price = candidate.bid.priceMicroPerHour();
        return price < record.priceMicroPerHour() || (price == record.priceMicroPerHour() && bidIndex < record.bidIndex());
    }

    /// The record that the rules make of the order on a machine that no filter rejects.
    function _recordOf(Round memory round, uint256 orderId, OrderSpec memory spec, Candidate memory candidate, MachineEvidence memory given)
        private
        pure
        returns (RecordWord)
    {
        RecordFields memory fields;
        (uint256 price, bool fromBid) = MatchRules.quote(round.rules.facts, spec, candidate);
        (, uint256 deviceMask) = RulesByVersion.chooseDevices(round.rules, candidate.machine, spec.milliGpu);
        fields.orderId = uint32(orderId);
        fields.machineId = uint32(candidate.machineId);
        // At most the order's highest price, or the candidate would have been rejected.
        fields.priceMicroPerHour = uint40(price);
        fields.deviceMask = uint8(deviceMask);
        fields.milliGpu = spec.milliGpu;
        fields.cpuMilli = spec.cpuMilli;
        fields.memoryMib = spec.memoryMib;
        fields.storageGib = spec.storageGib;
        fields.fromBid = fromBid;
        fields.tokenId = spec.tokenId;
        fields.providerId = uint24(candidate.machine.providerId());
        if (fromBid) fields.bidIndex = given.bidIndex;
        else fields.offerIndex = given.offerIndex;
        return RecordWordLib.encode(fields);
    }

    /// Whether the candidate wins over `other` at the same total.
    function _precedes(Candidate memory candidate, Candidate memory other) private pure returns (bool) {
        uint256 providerId = candidate.machine.providerId();
        uint256 otherProviderId = other.machine.providerId();
        return providerId < otherProviderId || (providerId == otherProviderId && candidate.machineId < other.machineId);
    }

    // ---- names

    function _isOrder(Round memory round, uint256 orderId, bytes[] memory word) private pure returns (bool) {
        return orderId != 0 && orderId < uint32(_word(round.ordersRoot, Slots.ORDERS_COUNTER, word, "counter"));
    }

    function _isMachine(Round memory round, uint256 machineId, bytes[] memory word) private pure returns (bool) {
        return machineId != 0 && machineId < uint32(_word(round.registryRoot, Slots.REGISTRY_COUNTERS, word, "counters"));
    }

    function _isOffer(Round memory round, RecordWord record, bytes[] memory word) private pure returns (bool) {
        MachineWord machine = MachineWord.wrap(_word(round.registryRoot, Slots.machine(record.machineId()), word, "machine"));
        return (machine.offersWritten() >> record.offerIndex()) & 1 != 0;
    }

    // ---- evidence

    /// Checks everything that a batch commits to, and that a quorum signed it in time.
    function _open(BatchEvidence memory evidence) private view returns (Round memory round) {
        MatchBatch memory batch = evidence.signed.batch;
        if (PolicyHash.ofMemory(evidence.policy) != batch.policyHash) revert PolicyMismatch();
        _checkRules(evidence.policy, evidence.packing);
        if (evidence.records.length != batch.matchCount * RECORD_BYTES || keccak256(evidence.records) != batch.recordsHash) {
            revert RecordsMismatch();
        }
        ProvenBlock memory proven = StateProof.blockOf(batch.snapshotHash, evidence.snapshot.header);
        if (proven.number != batch.snapshotBlock) revert SnapshotHeaderMismatch();
        if (block.timestamp > proven.timestamp + challengeWindowSeconds) revert TooOld(proven.timestamp);
        round.rules = RoundRules({
            facts: RoundFacts({ round: batch.round, snapshotBlock: proven.number, timestamp: proven.timestamp }),
            policy: evidence.policy,
            packing: evidence.packing,
            seed: keccak256(abi.encodePacked(batch.snapshotHash, batch.round))
        });
        round.signers = batchSigners.signersOf(evidence.signed);
        _checkQuorum(evidence.policy, round.signers.weight, round.signers.totalWeight);
        if (evidence.snapshot.registryAccount.length != 0) {
            round.registryRoot = StateProof.storageRootOf(proven.stateRoot, providerRegistry, evidence.snapshot.registryAccount);
        }
        if (evidence.snapshot.ordersAccount.length != 0) {
            round.ordersRoot = StateProof.storageRootOf(proven.stateRoot, orderRequest, evidence.snapshot.ordersAccount);
        }
    }

    function _checkRules(Policy memory policy, PackingTerms memory packing) private pure {
        if (!RulesByVersion.isKnown(policy.rulesVersion)) revert RulesVersionUnknown(policy.rulesVersion);
        if (policy.rulesVersion == PackingRules.RULES_VERSION && PolicyHash.ofPacking(packing) != policy.packingHash) {
            revert PackingMismatch();
        }
    }

    function _checkQuorum(Policy memory policy, uint256 signed, uint256 total) private pure {
        if (total < policy.minTotalStake || signed * BPS <= total * policy.quorumBps) revert QuorumNotReached(signed, total);
    }

    function _recordAt(BatchEvidence memory evidence, uint256 index) private pure returns (RecordWord) {
        if (index >= evidence.signed.batch.matchCount) revert IndexOutOfRange(index);
        return EarlierRecords.recordAt(evidence.records, index);
    }

    function _orderAt(Round memory round, uint256 orderId, bytes[] memory proof) private pure returns (OrderWord) {
        return OrderWord.wrap(_word(round.ordersRoot, Slots.order(orderId), proof, "order"));
    }

    function _checkSpec(Round memory round, uint256 orderId, OrderEvidence memory given) private pure {
        uint256 specHash = _word(round.ordersRoot, Slots.orderSpec(orderId), given.specHash, "spec");
        if (keccak256(abi.encode(given.spec)) != bytes32(specHash)) revert SpecMismatch();
    }

    /// A machine and its provider, without prices.
    function _machineAt(Round memory round, uint256 machineId, MachineEvidence memory given)
        private
        pure
        returns (Candidate memory candidate)
    {
        candidate.machineId = machineId;
        candidate.machine = MachineWord.wrap(_word(round.registryRoot, Slots.machine(machineId), given.machineWord, "machine"));
        uint256 providerSlot = Slots.provider(candidate.machine.providerId());
        candidate.provider = ProviderWord.wrap(_word(round.registryRoot, providerSlot, given.providerWord, "provider"));
    }

    /// A machine, its provider, and its prices for the order as far as they are given.
    function _candidateAt(Round memory round, uint256 orderId, OrderWord order, MachineEvidence memory given)
        private
        pure
        returns (Candidate memory candidate)
    {
        candidate = _machineAt(round, given.machineId, given);
        if (given.offerWord.length != 0) {
            // The slots after the fourth hold terms that are no longer in force.
            if (given.offerIndex >= OFFERS_PER_MACHINE) revert IndexOutOfRange(given.offerIndex);
            uint256 slot = Slots.offer(given.machineId, given.offerIndex);
            candidate.offer = OfferWord.wrap(_word(round.registryRoot, slot, given.offerWord, "offer"));
        }
        if (given.bidWord.length != 0) {
            // Bids from before an order was matched and reopened still stand in the slots above.
            if (given.bidIndex >= order.bidCount()) revert IndexOutOfRange(given.bidIndex);
            candidate.bid = BidWord.wrap(_word(round.ordersRoot, Slots.bid(orderId, given.bidIndex), given.bidWord, "bid"));
        }
    }

    function _word(bytes32 storageRoot, uint256 slot, bytes[] memory proof, string memory what) private pure returns (uint256) {
        if (proof.length == 0) revert WordMissing(what);
        if (storageRoot == 0) revert AccountProofInvalid();
        return StateProof.wordAt(storageRoot, slot, proof);
    }

    /// @dev Names the order only while it was open: the tenant of a closed one had nothing at stake, and whoever signs wrong records could
    /// make them of an old order of its own to be paid back what it loses.
    function _verdictOf(Fault fault, BatchEvidence memory evidence, Round memory round, uint256 orderId, OrderWord order)
        private
        pure
        returns (Verdict memory verdict)
    {
        verdict.fault = fault;
        verdict.round = evidence.signed.batch.round;
        verdict.messageHash = round.signers.messageHash;
        verdict.snapshotHash = evidence.signed.batch.snapshotHash;
        if (order.isOpen()) {
            verdict.orderId = uint32(orderId);
            verdict.tokenId = uint16(order.tokenId());
        }
        verdict.signers = round.signers.keys;
        verdict.positions = round.signers.positions;
    }
}
