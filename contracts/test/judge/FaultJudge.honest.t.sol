// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Fault, Name } from "../../src/judge/Evidence.sol";
import { OrderSpec, OrderState, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordWord } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { RandomPacking } from "../rules/RandomPacking.sol";
import { JudgeFixture } from "./JudgeFixture.sol";

/// @notice Random markets, matched by the fixture's own engine: nothing convicts an honest batch, and something convicts every other one.
contract FaultJudgeHonestTest is JudgeFixture {
    uint256 private _random;

    /// forge-config: default.fuzz.runs = 48
    function testFuzz_S7_noEvidenceConvictsAnHonestBatch(uint256 seed) public {
        _market(seed);
        bytes memory records = _match();
        if (records.length == 0) return;
        for (uint256 i = 0; i < 6; i++) {
            this.attack(records, _next(), _next(), _next());
        }
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_S8_someEvidenceConvictsEveryWrongRecord(uint256 seed) public {
        _market(seed);
        bytes memory honest = _match();
        if (honest.length == 0) return;
        uint256 index = _next() % (honest.length / 32);
        uint256 record = RecordWord.unwrap(_at(honest, index));
        uint256 wrong = record;
        uint256 kind = _next() % 3;
        if (kind == 0) {
            // Any bit but those of the order id, which would put the records out of order.
            wrong ^= 1 << (_next() % 224);
        } else if (kind == 1) {
            // What the rules make of the order on another machine, or nothing if there is none.
            (, wrong) = _elsewhere(honest, index, uint32(1 + _next() % machineCount));
            if (wrong == 0 || wrong == record) return;
        } else {
            uint32 orderId = uint32(record >> 224);
            assertTrue(this.convictsOmission(_without(honest, index), orderId, uint32(record >> 192)), "omitted");
            return;
        }
        assertTrue(this.convicts(_with(honest, index, wrong), index), vm.toString(bytes32(wrong)));
    }

    // ---- a prover that knows the whole market

    function convictsOmission(bytes memory records, uint32 orderId, uint32 machineId) external returns (bool) {
        (uint8 offerIndex, uint8 bidIndex) = _sources(orderId, machineId);
        return _isGuilty(Fault.OmittedOrder, abi.encode(_omittedOrder(records, orderId, machineId, offerIndex, bidIndex)));
    }

    function convicts(bytes memory records, uint256 index) external returns (bool) {
        RecordWord record = _at(records, index);
        for (uint8 name = 0; name < 4; name++) {
            if (_isGuilty(Fault.UnknownName, abi.encode(_unknownName(records, index, Name(name))))) return true;
        }
        (uint32 orderId, uint32 machineId) = (uint32(record.orderId()), uint32(record.machineId()));
        if (_isGuilty(Fault.WrongRecord, abi.encode(_wrongRecord(records, index)))) return true;
        (uint8 offerIndex, uint8 bidIndex) = _sources(orderId, machineId);
        uint8 named = record.fromBid() ? uint8(record.bidIndex()) : uint8(record.offerIndex());
        (uint8 offer, uint8 bid) = record.fromBid() ? (offerIndex, named) : (named, bidIndex);
        if (_isGuilty(Fault.WrongRecord, abi.encode(_wrongRecord(records, index, offer, bid)))) return true;
        if (_isGuilty(Fault.WrongRecord, abi.encode(_wrongRecord(records, index, NONE, bidIndex)))) return true;
        for (uint32 other = 1; other <= machineCount; other++) {
            (offerIndex, bidIndex) = _sources(orderId, other);
            if (_isGuilty(Fault.BetterCandidate, abi.encode(_betterCandidate(records, index, other, offerIndex, bidIndex)))) return true;
        }
        return false;
    }

    /// One attempt on an honest batch with whatever comes.
    function attack(bytes memory records, uint256 how, uint256 where, uint256 what) external {
        uint256 index = where % (records.length / 32);
        uint32 machineId = uint32(1 + (where >> 32) % machineCount);
        uint32 orderId = uint32(_at(records, index).orderId());
        uint8 offerIndex = uint8(what % 6);
        uint8 bidIndex = uint8((what >> 8) % 5);
        if (offerIndex > 3) offerIndex = offerIndex == 4 ? uint8(_at(records, index).offerIndex()) : NONE;
        if (bidIndex > 2) bidIndex = bidIndex == 3 ? uint8(_at(records, index).bidIndex()) : NONE;
        bytes memory evidence;
        Fault fault = Fault(1 + how % 4);
        if (fault == Fault.WrongRecord) evidence = abi.encode(_wrongRecord(records, index, offerIndex, bidIndex));
        if (fault == Fault.BetterCandidate) evidence = abi.encode(_betterCandidate(records, index, machineId, offerIndex, bidIndex));
        if (fault == Fault.UnknownName) evidence = abi.encode(_unknownName(records, index, Name((what >> 16) % 4)));
        if (fault == Fault.OmittedOrder) {
            orderId = uint32(1 + (what >> 32) % orderCount);
            if ((what >> 64) % 2 == 0) (offerIndex, bidIndex) = _sources(orderId, machineId);
            evidence = abi.encode(_omittedOrder(records, orderId, machineId, offerIndex, bidIndex));
        }
        assertFalse(_isGuilty(fault, evidence), "an honest batch was convicted");
    }

    function _isGuilty(Fault fault, bytes memory evidence) private view returns (bool) {
        try judge.judge(fault, evidence) {
            return true;
        } catch {
            return false;
        }
    }

    function _sources(uint32 orderId, uint32 machineId) private view returns (uint8 offerIndex, uint8 bidIndex) {
        (, offerIndex) = _offerIn(machineId, specs[orderId].tokenId);
        (, bidIndex) = _bidOn(orderId, machineId);
    }

    function _elsewhere(bytes memory honest, uint256 index, uint32 machineId) private view returns (bool eligible, uint256 word) {
        MachineWord[] memory free = _freeNow();
        for (uint256 i = 0; i < index; i++) {
            _reserve(free, _at(honest, i));
        }
        RecordWord record;
        (eligible,, record) = _placed(uint32(_at(honest, index).orderId()), machineId, free[machineId]);
        word = RecordWord.unwrap(record);
    }

    // ---- markets in which ties, shortages and rejections are common

    function _next() private returns (uint256) {
        _random = uint256(keccak256(abi.encode(_random)));
        return _random;
    }

    function _market(uint256 seed) private {
        _random = seed;
        if (_next() % 2 == 0) policy.jitterRange = 0;
        if (_next() % 4 == 0) policy.maxMatches = uint16(1 + _next() % 4);
        // Half of the markets by version 2, with a packing weight from none to nearly all.
        if (_next() % 2 == 0) _pack(RandomPacking.terms(_next()), uint16(_next() % (uint256(policy.weightPriceBps) + 1)));
        for (uint256 i = 0; i < 3; i++) {
            uint24 id = _addProvider((_next() % 3) * 40_000);
            ProviderWord word = ProviderWord.wrap(words[Slots.provider(id)]).withTier(1 + _next() % 3);
            if (_next() % 8 == 0) word = word.withStatus(uint256(ProviderStatus.Maintenance));
            // A report that ends the day before the snapshot, on its day, or later.
            word = word.withReport(0, (1 << 26) | ((SNAPSHOT_TIME / 1 days - 1 + _next() % 3) << 10) | (_next() % 1001));
            _setProvider(id, word);
        }
        for (uint256 i = 0; i < 4; i++) {
            _randomMachine();
        }
        for (uint256 i = 0; i < 5; i++) {
            _randomOrder();
        }
        _seal();
    }

    function _randomMachine() private {
        uint32 id = _addMachine(uint24(1 + _next() % 3), _next() % 5);
        MachineWord word = _machine(id);
        uint256 devices = 0;
        for (uint256 device = 0; device < 8 && word.model() != 0; device++) {
            uint256 random = _next();
            devices |= (random % 3 == 0 ? 0 : random % 3 == 1 ? 1000 : random % 1001) << (10 * device);
        }
        word = word.withFree(8_000 + _next() % 8_000, 4_000 + _next() % 6_000, 20 + _next() % 40, devices);
        if (_next() % 10 == 0) word = word.withActiveUntilRound(ROUND);
        _setMachine(id, word);
        // At most one live offer in a token.
        uint8 first = uint8(_next() % 4);
        _addOffer(id, first, 1_000_000 + 250_000 * (_next() % 3), 100_000 * (1 + _next() % 2), _next() % 6 == 0 ? 0 : USD);
        if (_next() % 2 == 0) _addOffer(id, (first + 1) % 4, 900_000, 100_000, EUR);
    }

    function _randomOrder() private {
        OrderSpec memory spec = _spec([uint16(0), 1, 400, 999, 1000, 2000][_next() % 6]);
        spec.tokenId = _next() % 4 == 0 ? EUR : USD;
        if (_next() % 6 == 0) spec.tiers = uint8(1 + _next() % 7);
        if (_next() % 4 == 0) spec.maxPriceMicroPerHour = uint40(1_000_000 + _next() % 1_500_000);
        uint32 id = _addOrder(spec);
        uint256 bids = _next() % 4;
        for (uint256 i = 0; i < bids; i++) {
            _addBid(id, uint32(1 + _next() % machineCount), uint40(200_000 * (1 + _next() % 4)));
        }
        if (_next() % 8 == 0 && bids != 0) _setOrder(id, _order(id).withBidCount(bids - 1));
        if (_next() % 10 == 0) _setOrder(id, _order(id).withState(uint256(OrderState.Closed)));
    }
}
