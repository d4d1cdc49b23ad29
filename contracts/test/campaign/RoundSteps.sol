// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMatchPolicy } from "../../src/market/IMatchPolicy.sol";
import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { IQuorumVerifier } from "../../src/quorum/IQuorumVerifier.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { MatchBatch, OrderSpec, Policy, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { Candidate, MatchRules, RoundFacts } from "../../src/rules/MatchRules.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";
import { RoundRules, RulesByVersion } from "../../src/rules/RulesByVersion.sol";
import { BidWord, BidWordLib } from "../../src/words/BidWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord } from "../../src/words/OfferWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { Deal, Period, Phase } from "./CampaignBase.sol";
import { LeaseSteps } from "./LeaseSteps.sol";

/// @notice Time, and the operators: at each snapshot the one batch that the rules give, found by trying every machine for every order;
/// settled by anybody in its span, or lapsed; now and then a quorum that signs something else. Tenants that match themselves.
abstract contract RoundSteps is LeaseSteps {
    struct Pick {
        uint256 total;
        uint256 providerId;
        uint256 machineId;
        uint256 price;
        bool fromBid;
        uint8 offerIndex;
        uint8 bidIndex;
    }

    MatchBatch private _pending;
    bytes private _pendingRecords;
    uint32 private _snapshotRound;
    /// Settled or lapsed, kept to be sent again.
    MatchBatch private _old;
    bytes private _oldRecords;
    mapping(uint32 tableTimestamp => uint256[]) private _weightsAt;
    uint32 private _newestTable;
    uint32 private _recordedTable;

    bool private _asleep;
    /// Whether governance changes the rules of matching while the market works.
    bool internal rulesChange;

    /// Settled, by the version of the rules.
    mapping(uint32 rulesVersion => uint256) public rounds;
    mapping(uint32 rulesVersion => uint256) public matches;

    function setUp() public virtual override {
        super.setUp();
        _newestTable = verifier.latestReferenceTimestamp(operatorSet);
        (_recordedTable, _weightsAt[_newestTable]) = (_newestTable, _weights());
        lastSettled = settlement.lastSettledRound();
        _snapshotRound = matchPolicy.openRound();
    }

    function _roundStep() internal {
        uint256 kind = _draw(16);
        // Operators that sleep for a while leave tenants to match themselves.
        if (_one(12)) _asleep = !_asleep && _one(2);
        if (kind < 9 && !_asleep) _settlePending();
        else if (kind < 9) _selfMatch();
        else if (kind == 9) _settleOld();
        else if (kind < 14) _selfMatch();
        else _renewTable();
    }

    // ---- time

    /// Blocks and seconds apart from each other: many blocks in one second, or a day in one block.
    function _pass() internal {
        uint256 kind = _draw(64);
        if (kind < 36) _advance(1 + _draw(3), 0);
        else if (kind < 58) _advance(1 + _draw(4), 1 + _draw(8));
        else if (kind < 61) _advance(_draw(9), _draw(120));
        else if (kind == 61) _advance(1, _draw(1500));
        else if (kind == 62) _advance(40, 40);
        else if (_one(2)) _advance(30, 1 hours + _draw(6 hours));
        else if (_one(2)) _advance(1, 1 days + _draw(1 days));
        else if (_one(2)) _advance(1, 7 days + _draw(12 days));
    }

    function _advance(uint256 blocks, uint256 elapsed) private {
        uint32 next = matchPolicy.fromRoundNow();
        bool isSnapshot = matchPolicy.snapshotBlock(next) == block.number;
        uint256 timestamp = vm.getBlockTimestamp();
        vm.roll(vm.getBlockNumber() + blocks);
        vm.warp(timestamp + elapsed);
        uint32 open = matchPolicy.openRound();
        if (open <= _snapshotRound) return;
        _snapshotRound = open;
        // Nothing happened since B(open), so its state is the state of now.
        _takeSnapshot(open, isSnapshot && open == next ? timestamp : timestamp + elapsed);
    }

    // ---- the honest batch

    function _takeSnapshot(uint32 round, uint256 timestamp) private {
        if (_pendingRecords.length != 0) (_old, _oldRecords) = (_pending, _pendingRecords);
        RoundFacts memory facts = RoundFacts(round, matchPolicy.snapshotBlock(round), timestamp);
        Period storage period = _periodOf(round);
        bytes32 seed = keccak256(abi.encodePacked(blockhash(facts.snapshotBlock), uint64(round)));
        RoundRules memory rules = RoundRules(facts, period.policy, period.packing, seed);
        MachineWord[] memory words = new MachineWord[](uint256(machines) + 1);
        for (uint32 i = 1; i <= machines; ++i) {
            (words[i],) = _machineWords(i);
        }
        bytes memory records;
        uint32[] memory ids = _sortedLive();
        for (uint256 i; i < ids.length; ++i) {
            records = bytes.concat(records, _match(rules, ids[i], words));
        }
        _pendingRecords = records;
        if (records.length == 0) return;
        _pending = _batch(round, records);
        bytes32 policyHash = PolicyHash.ofMemory(rules.policy);
        _require(_pending.policyHash == policyHash, "S1 a round is matched by what was scheduled for it", round, uint256(policyHash));
    }

    function _sortedLive() private view returns (uint32[] memory ids) {
        ids = live;
        for (uint256 i = 1; i < ids.length; ++i) {
            for (uint256 k = i; k > 0 && ids[k] < ids[k - 1]; --k) {
                (ids[k], ids[k - 1]) = (ids[k - 1], ids[k]);
            }
        }
    }

    /// The order's best machine by the rules; reserves it in `words`. Empty when there is none.
    function _match(RoundRules memory rules, uint32 orderId, MachineWord[] memory words) private view returns (bytes memory) {
        OrderWord order = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        if (!MatchRules.isEligible(rules.facts, order)) return "";
        OrderSpec memory spec = specs[orderId];
        Pick memory best;
        for (uint32 i = 1; i <= machines; ++i) {
            Candidate memory candidate = _candidate(i, words[i], orderId, uint32(order.eligibleFromBlock()));
            if (MatchRules.rejection(rules.facts, rules.policy, order, spec, candidate) != 0) continue;
            _weigh(rules, orderId, spec, candidate, best);
        }
        if (best.machineId == 0) return "";
        (, uint256 mask) = RulesByVersion.chooseDevices(rules, words[best.machineId], spec.milliGpu);
        RecordFields memory fields = _fields(orderId, spec, best, uint8(mask));
        words[best.machineId] = _reserved(words[best.machineId], fields);
        return abi.encodePacked(RecordWord.unwrap(RecordWordLib.encode(fields)));
    }

    function _weigh(RoundRules memory rules, uint32 orderId, OrderSpec memory spec, Candidate memory candidate, Pick memory best)
        private
        view
    {
        (uint256 price, bool fromBid) = MatchRules.quote(rules.facts, spec, candidate);
        uint256 providerId = candidate.machine.providerId();
        uint256 total = RulesByVersion.totalOf(rules, orderId, spec, candidate, price);
        bool better = total > best.total || (total == best.total && providerId < best.providerId);
        if (best.machineId != 0 && !better) return;
        (best.total, best.providerId, best.machineId) = (total, providerId, candidate.machineId);
        (best.price, best.fromBid) = (price, fromBid);
        best.bidIndex = fromBid ? bids[orderId][uint24(providerId)].index : 0;
        best.offerIndex = fromBid ? 0 : _offerIndex(uint32(candidate.machineId), spec.tokenId);
    }

    function _offerIndex(uint32 machineId, uint16 tokenId) private view returns (uint8 index) {
        for (; index < 4; ++index) {
            (bytes32 offer,) = providerRegistry.offerWords(machineId, index);
            if (OfferWord.wrap(uint256(offer)).tokenId() == tokenId) return index;
        }
    }

    function _candidate(uint32 machineId, MachineWord machine, uint32 orderId, uint32 generation)
        private
        view
        returns (Candidate memory candidate)
    {
        uint24 providerId = machineProvider[machineId];
        candidate.machineId = machineId;
        candidate.machine = machine;
        candidate.provider = ProviderWord.wrap(uint256(providerRegistry.providerWord(providerId)));
        uint8 index = _offerIndex(machineId, specs[orderId].tokenId);
        if (index < 4) {
            (bytes32 offer,) = providerRegistry.offerWords(machineId, index);
            candidate.offer = OfferWord.wrap(uint256(offer));
        }
        BidBook storage book = bids[orderId][providerId];
        if (book.generation == generation && generation != 0) {
            candidate.bid = BidWordLib.encode(book.untilRound, book.machineId, book.price, 0, providerId);
        }
    }

    function _fields(uint32 orderId, OrderSpec memory spec, Pick memory best, uint8 mask) private pure returns (RecordFields memory) {
        return RecordFields({
            orderId: orderId,
            machineId: uint32(best.machineId),
            priceMicroPerHour: uint40(best.price),
            deviceMask: mask,
            milliGpu: spec.milliGpu,
            cpuMilli: spec.cpuMilli,
            memoryMib: spec.memoryMib,
            storageGib: spec.storageGib,
            offerIndex: best.offerIndex,
            fromBid: best.fromBid,
            tokenId: spec.tokenId,
            providerId: uint24(best.providerId),
            bidIndex: best.bidIndex
        });
    }

    function _reserved(MachineWord machine, RecordFields memory fields) private pure returns (MachineWord) {
        uint256 devices = MachineWord.unwrap(machine) & type(uint80).max;
        for (uint256 i; i < 8; ++i) {
            if ((fields.deviceMask >> i) & 1 != 0) devices -= _unit(fields.milliGpu) << (10 * i);
        }
        return machine.withFree(
            machine.freeMemoryMib() - fields.memoryMib,
            machine.freeCpuMilli() - fields.cpuMilli,
            machine.freeStorageGib() - fields.storageGib,
            devices
        );
    }

    // ---- settlement

    function _settlePending() private {
        if (_pendingRecords.length == 0) return _selfMatch();
        bytes memory records = _pendingRecords;
        uint256 corrupted = type(uint256).max;
        if (_one(10)) corrupted = _corrupt(records);
        MatchBatch memory batch = _pending;
        batch.recordsHash = keccak256(records);
        (bool done, bytes memory result) = _settleWith(batch, records, _one(6) ? _draw(16) : ALL_SIGN);
        if (!done) return;
        delete _pendingRecords;
        (_old, _oldRecords) = (batch, records);
        ++rounds[policies[batch.policyHash].rulesVersion];
        matches[policies[batch.policyHash].rulesVersion] += _bookBatch(records, corrupted, abi.decode(result, (uint256)));
    }

    /// One record that the rules would not give: settlement must leave it out, whoever signed it.
    function _corrupt(bytes memory records) private returns (uint256 index) {
        index = _draw(records.length / 32);
        uint256 kind = _draw(4);
        uint256 record = _recordAt(records, index);
        if (kind == 0) record += 1 << 152;
        else if (kind == 1) record = record & ~(uint256(type(uint32).max) << 192) | (uint256(machines + 7) << 192);
        else if (kind == 2) record ^= 1 << 144;
        else record += 1 << 104;
        assembly ("memory-safe") {
            mstore(add(add(records, 32), mul(index, 32)), record)
        }
    }

    function _recordAt(bytes memory records, uint256 index) private pure returns (uint256 record) {
        assembly ("memory-safe") {
            record := mload(add(add(records, 32), mul(index, 32)))
        }
    }

    function _settleOld() private {
        if (_oldRecords.length == 0) return;
        _settleWith(_old, _oldRecords, ALL_SIGN);
    }

    function _settleWith(MatchBatch memory batch, bytes memory records, uint256 signers) private returns (bool done, bytes memory result) {
        uint32 round = uint32(batch.round);
        uint256[] memory weights = _weightsAt[batch.tableTimestamp];
        (uint256 signed, uint256 total) = (0, 0);
        for (uint256 i; i < weights.length; ++i) {
            total += weights[i];
            if ((signers >> i) & 1 != 0) signed += weights[i];
        }
        bool known = round >= previousPeriod.fromRound;
        bool inSpan = known && block.number > batch.snapshotBlock && block.number <= matchPolicy.snapshotBlock(round + 1);
        _refuse(!known, IMatchPolicy.RoundClosed.selector);
        _refuse(round <= lastSettled, IMatchSettlement.RoundAlreadySettled.selector);
        _refuse(!inSpan, IMatchSettlement.RoundNotOpen.selector);
        _refuse(block.timestamp > uint256(batch.tableTimestamp) + 30 days, IMatchSettlement.TableTooOld.selector);
        bytes memory certificate = _sign(batch, signers);
        _refuse(signers == 0, IQuorumVerifier.CertificateMalformed.selector);
        _refuse(signed * 10_000 <= total * 6667, IMatchSettlement.QuorumNotReached.selector);
        bool quorum = signed * 10_000 > total * 6667;
        Policy memory policy = policies[batch.policyHash];
        if (rulesChange && _one(16)) {
            policy = _otherPolicy(round);
            _refuse(PolicyHash.ofMemory(policy) != batch.policyHash, IMatchSettlement.PolicyMismatch.selector);
        }
        bytes memory data = abi.encodeCall(IMatchSettlement.settle, (batch, policy, records, certificate));
        (done, result) = _call(stranger, address(settlement), data);
        if (!done) return (done, result);
        _require(round > lastSettled, "S1 rounds settle in ascending order", round, lastSettled);
        _require(quorum, "S10 a quorum signed", round, signed);
        lastSettled = round;
    }

    /// The policy of the period that is not the round's.
    function _otherPolicy(uint32 round) private view returns (Policy memory) {
        return round < newestPeriod.fromRound ? newestPeriod.policy : previousPeriod.policy;
    }

    function _bookBatch(bytes memory records, uint256 corrupted, uint256 matched) private returns (uint256 leased) {
        uint256 count = records.length / 32;
        for (uint256 i; i < count; ++i) {
            uint256 record = _recordAt(records, i);
            uint32 orderId = uint32(record >> 224);
            OrderWord word = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
            bool isLease = word.state() == 4 && deals[orderId].phase == Phase.Open;
            if (i == corrupted) _require(!isLease, "S15 a wrong record never holds", orderId, record);
            if (corrupted == type(uint256).max) _require(isLease, "S7 no honest record is skipped", orderId, record);
            if (!isLease) continue;
            ++leased;
            _require(deals[orderId].phase == Phase.Open, "S2 an order is consumed once", orderId, record);
            bool fromBid = record & (1 << 50) != 0;
            _bookLease(orderId, uint32(record >> 192), uint40(record >> 152), uint8(record >> 144), fromBid);
            if (fromBid) {
                _require(bids[orderId][uint24(record >> 8)].price == uint40(record >> 152), "S15 the bid's price", orderId, record);
            }
        }
        _require(leased == matched, "S2 matched records are leases", leased, matched);
    }

    // ---- self-match

    function _selfMatch() private {
        uint32 orderId = _anyOrder();
        for (uint256 i; i < 6 && !_isSelfMatchable(orderId); ++i) {
            orderId = _anyOrder();
        }
        (uint32 machineId, uint8 offerIndex) = _machineFor(orderId);
        address caller = deals[orderId].tenant == address(0) || _one(12) ? _anyone() : deals[orderId].tenant;
        uint32 open = matchPolicy.openRound();
        Candidate memory candidate = _selfCandidate(machineId, offerIndex, open);
        _expectSelfMatch(orderId, caller, open, candidate);
        bytes memory data = _selfMatchCall(orderId, machineId, offerIndex);
        (bool done,) = _call(caller, address(settlement), data);
        if (!done) return;
        lastSettled = open;
        _bookSelfMatch(orderId, candidate);
    }

    function _isSelfMatchable(uint32 orderId) private view returns (bool) {
        Deal storage deal = deals[orderId];
        return deal.phase == Phase.Open && deal.untilRound == NO_ROUND && block.timestamp < deal.expiresAt;
    }

    /// Mostly a machine that may take the order.
    function _machineFor(uint32 orderId) private returns (uint32 machineId, uint8 offerIndex) {
        machineId = _anyMachine();
        uint32 open = matchPolicy.openRound();
        for (uint256 i; i < machines && !_one(8); ++i) {
            machineId = machineId % machines + 1;
            offerIndex = _offerIndex(machineId, deals[orderId].tokenId);
            if (offerIndex == 4) continue;
            if (_selfRejection(orderId, open, _selfCandidate(machineId, offerIndex, open)) == 0) return (machineId, offerIndex);
        }
        offerIndex = _offerIndex(machineId, deals[orderId].tokenId);
        if (offerIndex == 4 || _one(8)) offerIndex = uint8(_draw(4));
    }

    function _selfMatchCall(uint32 orderId, uint32 machineId, uint8 offerIndex) private view returns (bytes memory) {
        Policy memory policy = _periodOf(matchPolicy.openRound()).policy;
        return abi.encodeCall(IMatchSettlement.selfMatch, (orderId, machineId, offerIndex, specs[orderId], policy));
    }

    function _expectSelfMatch(uint32 orderId, address caller, uint32 open, Candidate memory candidate) private {
        Deal storage deal = deals[orderId];
        uint32 rounds_ = _periodOf(open).policy.selfMatchRounds;
        _refuse(deal.tenant != caller, IMatchSettlement.NotTenant.selector);
        _refuse(lastSettled != open && open - lastSettled < rounds_, IMatchSettlement.GateClosed.selector);
        _refuse(deal.phase != Phase.Open, IMatchSettlement.SelfMatchIneligible.selector);
        if (deal.phase != Phase.Open) return;
        bool known = open - rounds_ >= previousPeriod.fromRound;
        _refuse(!known, IMatchPolicy.RoundClosed.selector);
        bool waited = known && deal.eligibleFromBlock <= matchPolicy.snapshotBlock(open - rounds_);
        _refuse(known && !waited, IMatchSettlement.SelfMatchTooEarly.selector);
        _refuse(_selfRejection(orderId, open, candidate) != 0, IMatchSettlement.SelfMatchIneligible.selector);
        _refuse(deal.untilRound != NO_ROUND, IOrderRequest.OrderAlreadyEnding.selector);
    }

    function _selfRejection(uint32 orderId, uint32 open, Candidate memory candidate) private view returns (uint256) {
        RoundFacts memory facts = RoundFacts(open, matchPolicy.snapshotBlock(open), block.timestamp);
        OrderWord order = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        OrderSpec memory spec = specs[orderId];
        return MatchRules.rejection(facts, _periodOf(open).policy, order, spec, candidate);
    }

    function _selfCandidate(uint32 machineId, uint8 offerIndex, uint32 open) private view returns (Candidate memory candidate) {
        (MachineWord machine,) = _machineWords(machineId);
        (bytes32 newest, bytes32 previous) = providerRegistry.offerWords(machineId, offerIndex);
        candidate.machineId = machineId;
        candidate.machine = machine;
        candidate.provider = ProviderWord.wrap(uint256(providerRegistry.providerWord(machineProvider[machineId])));
        OfferWord offer = OfferWord.wrap(uint256(newest));
        candidate.offer = offer.fromRound() > open ? OfferWord.wrap(uint256(previous)) : offer;
    }

    function _bookSelfMatch(uint32 orderId, Candidate memory candidate) private {
        uint256 price = MatchRules.priceOf(specs[orderId], candidate.offer);
        OrderWord word = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        _require(word.priceMicroPerHour() == price, "S15 a self-match pays the offer", orderId, price);
        (, uint256 mask) = MatchRules.chooseDevices(candidate.machine, specs[orderId].milliGpu);
        bool active = candidate.provider.status() == uint256(ProviderStatus.Active);
        _require(active, "S20 nobody is matched to a provider that is not active", orderId, candidate.machineId);
        _bookLease(orderId, uint32(candidate.machineId), uint40(price), uint8(mask), false);
    }

    // ---- the operators' table

    function _renewTable() private {
        if (block.timestamp > _newestTable && !_one(4)) {
            _newestTable = uint32(block.timestamp);
            uint256[] memory weights = _weights();
            for (uint256 i; i < weights.length; ++i) {
                weights[i] += _draw(500);
            }
            _weightsAt[_newestTable] = weights;
            _setTable(weights, _newestTable, MAX_TABLE_STALENESS);
        }
        _refuse(_newestTable <= _recordedTable, IMatchSettlement.TableNotNewer.selector);
        (bool done,) = _call(_anyone(), address(settlement), abi.encodeCall(IMatchSettlement.recordTable, ("")));
        if (done) _recordedTable = _newestTable;
    }
}
