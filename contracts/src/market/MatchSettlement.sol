// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { LibBit } from "solady/utils/LibBit.sol";

import { OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { IQuorumVerifier } from "../quorum/IQuorumVerifier.sol";
import { Candidate, MatchRules, RoundFacts } from "../rules/MatchRules.sol";
import { PolicyHash } from "../rules/PolicyHash.sol";
import { MachineWord } from "../words/MachineWord.sol";
import { OfferWord } from "../words/OfferWord.sol";
import { OrderOwnerWord } from "../words/OrderOwnerWord.sol";
import { OrderWord, OrderWordLib } from "../words/OrderWord.sol";
import { ProviderWord } from "../words/ProviderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../words/RecordWord.sol";
import { Slots } from "../words/Slots.sol";
import { BlockSource } from "./BlockSource.sol";
import { IMatchPolicy } from "./IMatchPolicy.sol";
import { IMatchSettlement } from "./IMatchSettlement.sol";
import { IOrderRequest } from "./IOrderRequest.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";
import { MatchBatch, OrderSpec, Policy } from "./MarketTypes.sol";

/// @title Turns one round's signed batch into leases, in one transaction, by anyone.
/// @dev The signatures decide which records are tried; every limit that a tenant or a provider wrote is checked here all the same.
/// Assumes that the quorum verifier never changes a table it keeps and that policy, registry and orders are the market's own contracts: none of
/// them calls out, so the settlement word may be written last. Outside a batch capacity falls only behind the gate: the open round is settled,
/// or taken, so no batch of it can still meet the changed words. Nothing here can be paused, and no role exists.
contract MatchSettlement is IMatchSettlement, BlockSource, EIP712 {
    bytes32 private constant MATCH_BATCH_TYPEHASH = keccak256(
        "MatchBatch(uint64 round,uint64 snapshotBlock,bytes32 snapshotHash,bytes32 policyHash,bytes32 operatorSetKey,uint32 tableTimestamp,bytes32 tableHash,bytes32 recordsHash,uint32 matchCount)"
    );

    uint256 private constant BPS = 10_000;
    uint256 private constant RECORD_BYTES = 32;
    /// Record: all bits below the order id, flag bits 3-7, offer index, the bit "price from bid", bid index.
    uint256 private constant BELOW_ORDER_ID = 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffff;
    uint256 private constant SPARE_FLAGS = 0xf8 << 48;
    uint256 private constant OFFER_INDEX = 0x03 << 48;
    uint256 private constant FROM_BID = 0x04 << 48;
    uint256 private constant BID_INDEX = 0xff;
    /// What is zero in a well-formed record whose price is an offer's: all flags but the offer index, and the bid index.
    uint256 private constant NOT_OF_OFFERS = 0xfc0000000000ff;
    /// Settlement word: the rolling keccak above the last settled round.
    uint256 private constant ROUND_BITS = 32;
    /// Table word.
    uint256 private constant TABLE_FROM_ROUND_SHIFT = 224;
    uint256 private constant TABLE_TIMESTAMP_SHIFT = 192;

    IMatchPolicy public immutable matchPolicy;
    IProviderRegistry public immutable providerRegistry;
    IOrderRequest public immutable orderRequest;
    address public immutable computeLease;
    IQuorumVerifier public immutable verifier;
    /// @inheritdoc IMatchSettlement
    bytes32 public immutable operatorSetKey;

    constructor(MarketContracts memory market, IQuorumVerifier verifier_, OperatorSet memory operatorSet, bool arbSys)
        BlockSource(arbSys)
        EIP712("Matchmaker", "1")
    {
        matchPolicy = IMatchPolicy(market.matchPolicy);
        providerRegistry = IProviderRegistry(market.providerRegistry);
        orderRequest = IOrderRequest(market.orderRequest);
        computeLease = market.computeLease;
        verifier = verifier_;
        operatorSetKey = bytes32(abi.encodePacked(operatorSet.avs, uint96(operatorSet.id)));
    }

    /// @inheritdoc IMatchSettlement
    function settle(MatchBatch calldata batch, Policy calldata policy, bytes calldata records, bytes calldata certificate)
        external
        returns (uint256 matched)
    {
        bytes32 digest = messageHash(batch);
        uint40 snapshotBlock = _checkRound(batch, policy);
        _checkRecords(batch, records, policy.maxMatches);
        _checkQuorum(batch, policy, digest, certificate);
        (uint256[] memory skipped, uint256[] memory benched) = _apply(records, uint32(batch.round), snapshotBlock, policy.coolRounds);
        _fold(uint32(batch.round), digest, batch.recordsHash, skipped, benched);
        emit BatchSettled(batch.round, digest, records, skipped, benched);
        matched = batch.matchCount - _count(skipped);
    }

    /// @inheritdoc IMatchSettlement
    /// @dev Judged by version 1 of the rules whatever the policy's version is, on the words of now and the offer's terms of the open round.
    function selfMatch(uint32 orderId, uint32 machineId, uint8 offerIndex, OrderSpec calldata spec, Policy calldata policy) external {
        if (msg.sender != OrderOwnerWord.wrap(uint256(orderRequest.ownerWord(orderId))).tenant()) revert NotTenant(orderId, msg.sender);
        if (keccak256(abi.encode(spec)) != orderRequest.specHash(orderId)) revert SpecMismatch(orderId);
        uint32 round = _passGate(policy);
        OrderWord order = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        if (!order.isOpen()) revert SelfMatchIneligible(orderId, machineId, MatchRules.ORDER_NOT_ELIGIBLE);
        _checkWaited(orderId, order, round, policy.selfMatchRounds);
        RecordWord record = _selfMatched(orderId, machineId, offerIndex, order, spec, policy, round);

        emit OrderSelfMatched(round, orderId, msg.sender, bytes32(RecordWord.unwrap(record)));
        // As if from a bid: the price was taken from the offer here and need not be compared with it again.
        providerRegistry.moveCapacity(0, bytes32(RecordWord.unwrap(record) | FROM_BID), round);
        orderRequest.setLease(orderId, bytes32(OrderWord.unwrap(OrderWordLib.leaseOf(record, block.timestamp))));
    }

    /// @inheritdoc IMatchSettlement
    function passGate(Policy calldata policy) external returns (uint32 round) {
        if (msg.sender != computeLease) revert NotAuthorized(msg.sender);
        return _passGate(policy);
    }

    /// @inheritdoc IMatchSettlement
    /// @dev A table is kept by its hash; the verifier has the entries.
    function recordTable(bytes calldata entries) external {
        (uint32 tableTimestamp, bytes32 tableHash, uint96 totalWeight) = verifier.takeTable(entries);
        uint256 newest = Slots.load(Slots.TABLE_NEWEST);
        if (tableTimestamp <= uint32(newest >> TABLE_TIMESTAMP_SHIFT)) revert TableNotNewer(tableTimestamp);
        uint32 fromRound = matchPolicy.fromRoundNow();
        // A table of the open round or an earlier one stays readable for the open round; one that never came into force is overwritten.
        if (newest != 0 && newest >> TABLE_FROM_ROUND_SHIFT < fromRound) {
            Slots.store(Slots.TABLE_PREVIOUS, newest);
            Slots.store(Slots.TABLE_PREVIOUS_HASH, Slots.load(Slots.TABLE_NEWEST_HASH));
        }
        Slots.store(
            Slots.TABLE_NEWEST,
            (uint256(fromRound) << TABLE_FROM_ROUND_SHIFT) | (uint256(tableTimestamp) << TABLE_TIMESTAMP_SHIFT) | totalWeight
        );
        Slots.store(Slots.TABLE_NEWEST_HASH, uint256(tableHash));
        emit TableRecorded(tableTimestamp, fromRound, tableHash, totalWeight);
    }

    /// @inheritdoc IMatchSettlement
    function tick() external { }

    /// @inheritdoc IMatchSettlement
    function messageHash(MatchBatch calldata batch) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(MATCH_BATCH_TYPEHASH, batch)));
    }

    /// @inheritdoc IMatchSettlement
    /// @dev All zero when no recorded table is in force in `round`.
    function tableOf(uint32 round) public view returns (uint32 tableTimestamp, bytes32 tableHash, uint96 totalWeight) {
        uint256 word = Slots.load(Slots.TABLE_NEWEST);
        uint256 hashSlot = Slots.TABLE_NEWEST_HASH;
        if (word >> TABLE_FROM_ROUND_SHIFT > round) {
            word = Slots.load(Slots.TABLE_PREVIOUS);
            hashSlot = Slots.TABLE_PREVIOUS_HASH;
            if (word >> TABLE_FROM_ROUND_SHIFT > round) return (0, 0, 0);
        }
        tableTimestamp = uint32(word >> TABLE_TIMESTAMP_SHIFT);
        tableHash = bytes32(Slots.load(hashSlot));
        totalWeight = uint96(word);
    }

    /// @inheritdoc IMatchSettlement
    function lastSettledRound() external view returns (uint32) {
        return uint32(Slots.load(Slots.SETTLEMENT));
    }

    /// @inheritdoc IMatchSettlement
    function settlementWord() external view returns (bytes32) {
        return bytes32(Slots.load(Slots.SETTLEMENT));
    }

    /// Round, window, snapshot and policy of the batch; returns B(round).
    function _checkRound(MatchBatch calldata batch, Policy calldata policy) private view returns (uint40 snapshotBlock) {
        uint32 lastSettled = uint32(Slots.load(Slots.SETTLEMENT));
        if (batch.round <= lastSettled) revert RoundAlreadySettled(batch.round, lastSettled);
        uint256 blockNumber = _blockNumber();
        if (batch.round > type(uint32).max) revert RoundNotOpen(batch.round, blockNumber);
        uint40 nextSnapshotBlock;
        bytes32 policyHash;
        (snapshotBlock, nextSnapshotBlock, policyHash) = matchPolicy.roundTerms(uint32(batch.round));
        if (blockNumber <= snapshotBlock || blockNumber > nextSnapshotBlock) revert RoundNotOpen(batch.round, blockNumber);
        if (batch.snapshotBlock != snapshotBlock) revert SnapshotBlockMismatch(batch.snapshotBlock, snapshotBlock);
        bytes32 canonical = _blockHash(snapshotBlock);
        // A chain that no longer knows the hash answers zero, which must never pass as a snapshot.
        if (canonical == 0 || batch.snapshotHash != canonical) revert SnapshotHashMismatch(batch.snapshotHash, canonical);
        if (batch.policyHash != policyHash) revert PolicyMismatch(batch.policyHash, policyHash);
        bytes32 given = PolicyHash.ofCalldata(policy);
        if (given != policyHash) revert PolicyMismatch(given, policyHash);
        if (batch.operatorSetKey != operatorSetKey) revert OperatorSetMismatch();
    }

    /// The round in whose span capacity may fall outside a batch: no honest batch of it can come any more.
    function _passGate(Policy calldata policy) private returns (uint32 round) {
        round = matchPolicy.openRound();
        (,, bytes32 policyHash) = matchPolicy.roundTerms(round);
        bytes32 given = PolicyHash.ofCalldata(policy);
        if (given != policyHash) revert PolicyMismatch(given, policyHash);
        uint32 lastSettled = uint32(Slots.load(Slots.SETTLEMENT));
        if (lastSettled == round) return round;
        if (round - lastSettled < policy.selfMatchRounds) revert GateClosed(round, lastSettled, policy.selfMatchRounds);
        _fold(round, 0, 0, new uint256[](0), new uint256[](0));
        emit RoundTaken(round, msg.sender);
    }

    /// The order was in the snapshot of `selfMatchRounds` rounds before the open one. A round that the schedule has forgotten reverts there.
    function _checkWaited(uint32 orderId, OrderWord order, uint32 round, uint32 selfMatchRounds) private view {
        uint256 eligibleFromBlock = order.eligibleFromBlock();
        if (round > selfMatchRounds && eligibleFromBlock <= matchPolicy.snapshotBlock(round - selfMatchRounds)) return;
        (uint40 snapshotBlock, uint40 nextSnapshotBlock,) = matchPolicy.roundTerms(round);
        uint256 length = nextSnapshotBlock - snapshotBlock;
        // Counted in rounds of today's length; the first round whose snapshot has the order, so later blocks round up and earlier ones down.
        uint256 firstRound = eligibleFromBlock > snapshotBlock
            ? round + (eligibleFromBlock - snapshotBlock + length - 1) / length
            : round - Math.min(round - 1, (snapshotBlock - eligibleFromBlock) / length);
        revert SelfMatchTooEarly(orderId, uint32(firstRound + selfMatchRounds));
    }

    /// The record that the rules give the order on that machine at its own offer's price.
    function _selfMatched(
        uint32 orderId,
        uint32 machineId,
        uint8 offerIndex,
        OrderWord order,
        OrderSpec calldata spec,
        Policy calldata policy,
        uint32 round
    ) private view returns (RecordWord) {
        Candidate memory candidate = _candidate(machineId, offerIndex, round);
        RoundFacts memory facts = RoundFacts({ round: round, snapshotBlock: matchPolicy.snapshotBlock(round), timestamp: block.timestamp });
        OrderSpec memory wanted = spec;
        uint256 reason = MatchRules.rejection(facts, policy, order, wanted, candidate);
        if (reason != 0) revert SelfMatchIneligible(orderId, machineId, reason);
        (, uint256 deviceMask) = MatchRules.chooseDevices(candidate.machine, wanted.milliGpu);
        RecordFields memory fields = RecordFields({
            orderId: orderId,
            machineId: machineId,
            priceMicroPerHour: uint40(MatchRules.priceOf(wanted, candidate.offer)),
            deviceMask: uint8(deviceMask),
            milliGpu: wanted.milliGpu,
            cpuMilli: wanted.cpuMilli,
            memoryMib: wanted.memoryMib,
            storageGib: wanted.storageGib,
            offerIndex: offerIndex,
            fromBid: false,
            tokenId: wanted.tokenId,
            providerId: uint24(candidate.machine.providerId()),
            bidIndex: 0
        });
        return RecordWordLib.encode(fields);
    }

    /// The machine with the words of now and the offer's terms of `round`: the newest unless those came later. Bids do not count.
    function _candidate(uint32 machineId, uint8 offerIndex, uint32 round) private view returns (Candidate memory candidate) {
        (bytes32 machineWord,) = providerRegistry.machineWords(machineId);
        (bytes32 newest, bytes32 previous) = providerRegistry.offerWords(machineId, offerIndex);
        candidate.machineId = machineId;
        candidate.machine = MachineWord.wrap(uint256(machineWord));
        candidate.provider = ProviderWord.wrap(uint256(providerRegistry.providerWord(uint24(candidate.machine.providerId()))));
        candidate.offer = OfferWord.wrap(uint256(newest));
        if (candidate.offer.fromRound() > round) candidate.offer = OfferWord.wrap(uint256(previous));
    }

    /// Form of the records: nothing in here is a fact about the market, so an offence reverts the whole batch.
    function _checkRecords(MatchBatch calldata batch, bytes calldata records, uint256 maxMatches) private pure {
        if (records.length % RECORD_BYTES != 0) revert RecordsMalformed("length");
        uint256 count = records.length / RECORD_BYTES;
        if (count != batch.matchCount || count == 0 || count > maxMatches) revert RecordsMalformed("matchCount");
        if (keccak256(records) != batch.recordsHash) revert RecordsHashMismatch();
        uint256 disorder;
        uint256 spare;
        uint256 bid;
        // Without a branch for each record but the bids': offences are collected and reported after the loop.
        assembly ("memory-safe") {
            let position := records.offset
            let end := add(position, records.length)
            // A record is above this if its order id is above the one before, at first above 0.
            let previous := BELOW_ORDER_ID
            for { } lt(position, end) { position := add(position, RECORD_BYTES) } {
                let record := calldataload(position)
                disorder := or(disorder, iszero(gt(record, previous)))
                previous := or(record, BELOW_ORDER_ID)
                if and(record, NOT_OF_OFFERS) {
                    spare := or(spare, and(record, SPARE_FLAGS))
                    // With the flag the offer index must be 0, without it the bid index.
                    switch and(record, FROM_BID)
                    case 0 { bid := or(bid, and(record, BID_INDEX)) }
                    default { bid := or(bid, and(record, OFFER_INDEX)) }
                }
            }
        }
        if (disorder != 0) revert RecordsMalformed("orderId");
        if (spare != 0) revert RecordsMalformed("flags");
        if (bid != 0) revert RecordsMalformed("bidIndex");
    }

    /// The table is the round's, young enough, and more than the policy's share of its weight signed.
    function _checkQuorum(MatchBatch calldata batch, Policy calldata policy, bytes32 digest, bytes calldata certificate) private {
        (uint32 tableTimestamp, bytes32 tableHash, uint96 total) = tableOf(uint32(batch.round));
        if (tableHash == 0 || batch.tableTimestamp != tableTimestamp || batch.tableHash != tableHash) {
            revert TableMismatch(batch.tableTimestamp, batch.tableHash);
        }
        if (block.timestamp > uint256(tableTimestamp) + policy.maxTableAgeSeconds) revert TableTooOld(tableTimestamp);
        if (total < policy.minTotalStake) revert TotalStakeTooLow(total, policy.minTotalStake);
        uint256 weight = verifier.signedWeight(tableTimestamp, digest, certificate);
        // Looked at again: the verifier may call on, and whom it calls may have come back here.
        uint32 lastSettled = uint32(Slots.load(Slots.SETTLEMENT));
        if (batch.round <= lastSettled) revert RoundAlreadySettled(batch.round, lastSettled);
        // The recorded total is the sum of the same entries; a verifier that counts more than them holds another table.
        if (weight > total) revert TableMismatch(tableTimestamp, tableHash);
        if (weight * BPS <= uint256(total) * policy.quorumBps) revert QuorumNotReached(weight, total);
    }

    /// Machines give capacity first, then orders become leases; what an order refused goes back to its machine.
    function _apply(bytes calldata records, uint32 round, uint40 snapshotBlock, uint32 coolRounds)
        private
        returns (uint256[] memory skipped, uint256[] memory benched)
    {
        uint256[] memory refused;
        (refused, benched) = providerRegistry.reserve(records, round, SafeCast.toUint32(uint256(round) + 1 + coolRounds));
        skipped = orderRequest.fill(records, refused, round, snapshotBlock);
        uint256 any;
        for (uint256 i; i < skipped.length; ++i) {
            // What the registry skipped is in both, so only what the orders' contract added stays.
            refused[i] ^= skipped[i];
            any |= refused[i];
        }
        if (any != 0) providerRegistry.giveBack(records, refused);
    }

    /// Binds what was done into the settlement word. The digest binds the records only for who knows the whole batch, and the log carries
    /// the records alone, hence their own hash.
    function _fold(uint32 round, bytes32 digest, bytes32 recordsHash, uint256[] memory skipped, uint256[] memory benched) private {
        uint256 word = Slots.load(Slots.SETTLEMENT);
        uint256 folded = uint256(keccak256(abi.encodePacked(word, digest, recordsHash, skipped, benched)));
        Slots.store(Slots.SETTLEMENT, (folded >> ROUND_BITS << ROUND_BITS) | round);
    }

    function _count(uint256[] memory bitmap) private pure returns (uint256 bits) {
        for (uint256 i; i < bitmap.length; ++i) {
            bits += LibBit.popCount(bitmap[i]);
        }
    }
}
