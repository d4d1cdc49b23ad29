// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Fault, WrongRecordEvidence } from "../../src/judge/Evidence.sol";
import { IFaultJudge, Verdict } from "../../src/judge/IFaultJudge.sol";
import { OrderSpec, OrderState, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { Candidate, MatchRules } from "../../src/rules/MatchRules.sol";
import { BidWord, BidWordLib } from "../../src/words/BidWord.sol";
import { MachineWord, MachineWordLib } from "../../src/words/MachineWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordWord } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { JudgeFixture } from "./JudgeFixture.sol";

contract FaultJudgeWrongRecordTest is JudgeFixture {
    /// One provider, one machine with four devices and an offer at place 2, one order for two devices.
    function setUp() public override {
        super.setUp();
        uint24 provider = _addProvider(50_000);
        _addMachine(provider, 4);
        _addOffer(1, 2, 1_000_000, 100_000, USD);
        _addOrder(_spec(2000));
    }

    // ---- every filter, at the value that rejects and at the last one that does not

    function test_S8_aMachineThatAFilterRejects_isAWrongRecord() public {
        for (uint256 i = 0; i < 23; i++) {
            uint256 state = vm.snapshotState();
            bytes memory records = _match();
            assertEq(records.length, 32);
            uint256 reason = _break(i, true);
            _seal();
            assertEq(_rejection(), reason, "the rules' reason");
            assertEq(_match().length, 0);
            // The tenant of a closed order had nothing at stake, and is not named.
            _assertGuilty(_wrongRecord(records, 0), i == 0 ? 0 : 1, i == 0 ? 0 : USD);
            vm.revertToState(state);
        }
    }

    function test_S7_aMachineThatAFilterJustLetsThrough_isNoFault() public {
        for (uint256 i = 0; i < 23; i++) {
            uint256 state = vm.snapshotState();
            assertEq(_break(i, false), 0);
            _seal();
            bytes memory records = _match();
            assertEq(records.length, 32, vm.toString(i));
            _assertNoFault(_wrongRecord(records, 0));
            vm.revertToState(state);
        }
    }

    /// Makes the machine fail a filter, or pass it by the least; returns the filter.
    function _break(uint256 which, bool wrong) private returns (uint256) {
        uint256 less = wrong ? 1 : 0;
        OrderWord order = _order(1);
        if (which == 0) {
            _setOrder(1, order.withState(uint256(wrong ? OrderState.Closed : OrderState.Open)));
        } else if (which == 1) {
            _setOrder(1, order.withEligibleFromBlock(SNAPSHOT_BLOCK + less));
        } else if (which == 2) {
            _setOrder(1, order.withUntilRound(ROUND + 1 - less));
        } else if (which == 3) {
            _setOrder(1, OrderWord.wrap(OrderWord.unwrap(order) >> 32 << 32 | (SNAPSHOT_TIME + 1 - less)));
        }
        if (which < 4) return wrong ? MatchRules.ORDER_NOT_ELIGIBLE : 0;
        return which < 9 ? _breakMachine(which, wrong) : which < 18 ? _breakWish(which, wrong) : _breakCapacity(which, less);
    }

    function _breakMachine(uint256 which, bool wrong) private returns (uint256) {
        uint256 less = wrong ? 1 : 0;
        if (which == 4) _setMachine(1, _machine(1).withActiveFromRound(ROUND + less));
        if (which == 5) _setMachine(1, _machine(1).withActiveUntilRound(ROUND + 1 - less));
        if (which < 6) return wrong ? MatchRules.MACHINE_INACTIVE : 0;
        if (which == 6) {
            ProviderStatus status = wrong ? ProviderStatus.Maintenance : ProviderStatus.Active;
            _setProvider(1, ProviderWord.wrap(words[Slots.provider(1)]).withStatus(uint256(status)));
            return wrong ? MatchRules.PROVIDER_NOT_ACTIVE : 0;
        }
        // An offer in another token, and one that was withdrawn.
        if (wrong) _addOffer(1, 2, 1_000_000, 100_000, which == 7 ? EUR : 0);
        return wrong ? MatchRules.TOKEN : 0;
    }

    function _breakWish(uint256 which, bool wrong) private returns (uint256 reason) {
        OrderSpec memory spec = specs[1];
        ProviderWord provider = ProviderWord.wrap(words[Slots.provider(1)]);
        if (which == 9) (spec.providersExcluded, reason) = (_ids(wrong ? 1 : 2), MatchRules.PROVIDER_EXCLUDED);
        if (which == 10) (spec.providersWanted, reason) = (_ids(wrong ? 2 : 1), MatchRules.PROVIDER_NOT_WANTED);
        if (which == 11) (spec.models, reason) = (_list(wrong ? 8 : 7), MatchRules.GPU_MODEL);
        if (which == 12) (spec.regionsExcluded, reason) = (_list(wrong ? 33 : 34), MatchRules.REGION_EXCLUDED);
        if (which == 13) (spec.regions, spec.regionRequired, reason) = (_list(34), wrong, MatchRules.REGION_REQUIRED);
        if (which == 14) (spec.tiers, reason) = (wrong ? 4 : 2, MatchRules.TIER);
        if (which == 15) {
            provider = provider.withAttributes(wrong ? 5 : 7);
            (spec.attributes, reason) = (3, MatchRules.ATTRIBUTES);
        }
        if (which == 16) (spec.minUptimeBps, spec.minReputationBps, reason) = (wrong ? 9501 : 9500, 5000, MatchRules.UPTIME);
        if (which == 17) {
            provider = provider.withSlashes(wrong ? 3 : 2);
            (spec.minReputationBps, spec.maxSlashes, reason) = (5000, 2, MatchRules.SLASHES);
        }
        _setProvider(1, provider);
        _setSpec(1, spec);
        return wrong ? reason : 0;
    }

    function _breakCapacity(uint256 which, uint256 less) private returns (uint256 reason) {
        uint256 devices = MachineWordLib.spread(3, 1000);
        if (which == 18) (reason,) = (MatchRules.CPU, _free(2_000 - less, 4_096, 10, devices));
        if (which == 19) (reason,) = (MatchRules.MEMORY, _free(2_000, 4_096 - less, 10, devices));
        if (which == 20) (reason,) = (MatchRules.STORAGE, _free(2_000, 4_096, 10 - less, devices));
        if (which == 21) (reason,) = (MatchRules.DEVICES, _free(2_000, 4_096, 10, devices - less));
        if (which == 22) {
            OrderSpec memory spec = specs[1];
            spec.maxPriceMicroPerHour = uint40(2_200_000 - less);
            _setSpec(1, spec);
            reason = MatchRules.PRICE;
        }
        return less == 0 ? 0 : reason;
    }

    function _free(uint256 cpuMilli, uint256 memoryMib, uint256 storageGib, uint256 devices) private returns (bool) {
        _setMachine(1, _machine(1).withFree(memoryMib, cpuMilli, storageGib, devices));
        return true;
    }

    function test_S8_reputationBelowTheWish_isAWrongRecord() public {
        OrderSpec memory spec = specs[1];
        spec.minReputationBps = 5001;
        _setSpec(1, spec);
        policy.defaultReputationBps = 5001;
        _seal();
        bytes memory records = _match();
        _assertNoFault(_wrongRecord(records, 0));
        policy.defaultReputationBps = 5000;
        _assertGuilty(_wrongRecord(records, 0), 1, USD);
    }

    // ---- every field of the record

    function test_S8_aRecordWithAnyBitWrong_isAWrongRecord() public {
        _addOffer(1, 3, 1_000_000, 100_000, EUR);
        _seal();
        bytes memory records = _match();
        uint256 honest = RecordWord.unwrap(_at(records, 0));
        _assertNoFault(_wrongRecord(records, 0));
        for (uint256 bit = 0; bit < 192; bit++) {
            // Bits 48 to 50 say where the price is from: the tests of sources.
            if (bit < 48 || bit > 50) this.assertGuiltyOfBit(records, bit);
        }
        // The offer at place 3 is in another token.
        _assertGuilty(_wrongRecord(_with(records, 0, honest | (1 << 48)), 0), 1, USD);
    }

    /// A call of its own for each bit, so that memory is given back.
    function assertGuiltyOfBit(bytes memory records, uint256 bit) external view {
        uint256 record = RecordWord.unwrap(_at(records, 0)) ^ (1 << bit);
        _assertGuilty(_wrongRecord(_with(records, 0, record), 0, 2, NONE), 1, USD);
    }

    // ---- sources of the price

    function test_S7_S8_aBidBelowTheOffer() public {
        _addBid(1, 1, 2_200_000);
        _addBid(1, 1, 2_199_999);
        _seal();
        bytes memory records = _match();
        RecordWord record = _at(records, 0);
        assertTrue(record.fromBid());
        assertEq(record.bidIndex(), 1);
        // Honest, whichever of the sources is given with the one it names.
        _assertNoFault(_wrongRecord(records, 0));
        _assertNoFault(_wrongRecord(records, 0, 2, 1));
        // Given instead of the named one: a worse bid shows nothing.
        _assertMissing(_wrongRecord(records, 0, NONE, 0), "bid");
        _assertMissing(_wrongRecord(records, 0, 2, NONE), "bid");

        // At the offer's price although a bid was lower: guilty once the bid is shown, and not before.
        bytes memory fromOffer = _with(records, 0, _recordFromOffer(RecordWord.unwrap(record), 2, 2_200_000));
        _assertNoFault(_wrongRecord(fromOffer, 0));
        _assertGuilty(_wrongRecord(fromOffer, 0, 2, 1), 1, USD);
        _assertMissing(_wrongRecord(fromOffer, 0, NONE, 1), "offer");
        // A bid that is as low as the offer is no better.
        _assertNoFault(_wrongRecord(fromOffer, 0, 2, 0));
        // From the bid that is as low as the offer, the offer shown.
        bytes memory fromFirst = _with(records, 0, _recordFromBid(RecordWord.unwrap(record), 0, 2_200_000));
        _assertNoFault(_wrongRecord(fromFirst, 0));
        _assertGuilty(_wrongRecord(fromFirst, 0, 2, 0), 1, USD);
        // Or the lower bid shown instead.
        _assertGuilty(_wrongRecord(fromFirst, 0, NONE, 1), 1, USD);
    }

    function test_S8_ofTwoEqualBids_theFirstCounts() public {
        _addBid(1, 1, 2_000_000);
        _addBid(1, 1, 2_000_000);
        _seal();
        bytes memory records = _match();
        assertEq(_at(records, 0).bidIndex(), 0);
        _assertNoFault(_wrongRecord(records, 0));
        _assertMissing(_wrongRecord(records, 0, NONE, 1), "bid");
        _assertGuilty(_wrongRecord(_with(records, 0, RecordWord.unwrap(_at(records, 0)) | 1), 0, NONE, 0), 1, USD);
    }

    function test_S8_aBidThatDoesNotCount_isNoSource() public {
        _addProvider(1);
        _addMachine(1, 4);
        _addMachine(2, 4);
        for (uint32 i = 0; i < 4; i++) {
            _addBid(1, 1, 2_000_000 - uint40(i));
        }
        // Withdrawn for this round, for the next one only; on another machine; by another provider.
        _setBid(0, BidWordLib.encode(uint32(ROUND), 1, 2_000_000, 1, 1));
        _setBid(1, BidWordLib.encode(uint32(ROUND + 1), 1, 1_999_999, 1, 1));
        _setBid(2, BidWordLib.encode(type(uint32).max, 2, 1_999_998, 1, 1));
        _setBid(3, BidWordLib.encode(type(uint32).max, 1, 1_999_997, 1, 2));
        _seal();
        bytes memory records = _match();
        uint256 honest = RecordWord.unwrap(_at(records, 0));
        assertEq(_at(records, 0).bidIndex(), 1);
        _assertNoFault(_wrongRecord(records, 0));
        uint40[4] memory prices = [uint40(2_000_000), 0, 1_999_998, 1_999_997];
        for (uint8 i = 0; i < 4; i++) {
            if (i == 1) continue;
            _assertGuilty(_wrongRecord(_with(records, 0, _recordFromBid(honest, i, prices[i])), 0), 1, USD);
            // As other evidence against the honest record they are nothing.
            _assertMissing(_wrongRecord(records, 0, NONE, i), "bid");
        }
    }

    function test_S7_aBidFromBeforeTheOrderWasReopened_isRefused() public {
        _addBid(1, 1, 1_000_000);
        _setOrder(1, _order(1).withBidCount(0));
        _seal();
        bytes memory records = _match();
        assertFalse(_at(records, 0).fromBid());
        _assertReverts(_wrongRecord(records, 0, 2, 0), abi.encodeWithSelector(IFaultJudge.IndexOutOfRange.selector, 0));
    }

    /// The slots behind the four offers hold terms that were in force before.
    function test_S7_previousTermsOfAnOffer_areRefused() public {
        _putRegistry(Slots.offerPrevious(1, 0), words[Slots.offer(1, 2)]);
        _seal();
        bytes memory records = _match();
        _assertReverts(_wrongRecord(records, 0, 4, NONE), abi.encodeWithSelector(IFaultJudge.IndexOutOfRange.selector, 4));
    }

    // ---- what the records before took

    function test_S7_S8_capacityIsWhatTheRecordsBeforeLeft() public {
        _addOrder(_spec(2000));
        _addOrder(_spec(1000));
        _addMachine(1, 1);
        _addOffer(2, 0, 4_000_000, 100_000, USD);
        _seal();
        bytes memory records = _match();
        assertEq(records.length, 96);
        for (uint256 i = 0; i < 3; i++) {
            _assertNoFault(_wrongRecord(records, i));
        }
        // The second on the devices of the first; the third on a machine that the first two filled.
        uint256 second = RecordWord.unwrap(_at(records, 1));
        _assertGuilty(_wrongRecord(_with(records, 1, second ^ (uint256(0xf) << 144)), 1), 2, USD);
        (,, RecordWord third) = _placed(3, 1, _machine(1));
        _assertGuilty(_wrongRecord(_with(records, 2, RecordWord.unwrap(third)), 2), 3, USD);
        // Without the second record there is room for it, and with it in front of the second.
        _assertNoFault(_wrongRecord(_with(_without(records, 1), 1, _onThirdDevice(RecordWord.unwrap(third))), 1));
    }

    function _onThirdDevice(uint256 record) private pure returns (uint256) {
        return (record & ~(uint256(0xff) << 144)) | (uint256(4) << 144);
    }

    // ---- an order that cannot be matched is judged by its word alone

    function test_S8_anIneligibleOrder_needsItsWordAlone() public {
        bytes memory records = _match();
        // A lease in the order's place: its bits that count bids are the devices, its token stays.
        _setOrder(1, OrderWord.wrap((RecordWord.unwrap(_at(records, 0)) & ~(uint256(7) << 53)) | (uint256(OrderState.Matched) << 53)));
        _seal();
        WrongRecordEvidence memory evidence = _wrongRecord(records, 0);
        delete evidence.machine;
        delete evidence.order.spec;
        delete evidence.order.specHash;
        _assertGuilty(evidence, 0, 0);
        delete evidence.order.orderWord;
        _assertMissing(evidence, "order");
    }

    // ---- helpers

    function _rejection() private view returns (uint256) {
        Candidate memory candidate;
        candidate.machineId = 1;
        candidate.machine = _machine(1);
        candidate.provider = ProviderWord.wrap(words[Slots.provider(1)]);
        (candidate.offer,) = _offerIn(1, USD);
        return MatchRules.rejection(_facts(), policy, _order(1), specs[1], candidate);
    }

    function _setBid(uint8 index, BidWord word) private {
        _putOrders(Slots.bid(1, index), BidWord.unwrap(word));
    }

    function _recordFromOffer(uint256 record, uint256 offerIndex, uint256 price) private pure returns (uint256) {
        return _priced(record, price) & ~(uint256(7) << 48) & ~uint256(0xff) | (offerIndex << 48);
    }

    function _recordFromBid(uint256 record, uint256 bidIndex, uint256 price) private pure returns (uint256) {
        return _priced(record, price) & ~(uint256(7) << 48) & ~uint256(0xff) | (1 << 50) | bidIndex;
    }

    function _priced(uint256 record, uint256 price) private pure returns (uint256) {
        return record & ~(uint256(type(uint40).max) << 152) | (price << 152);
    }

    function _list(uint16 only) private pure returns (uint16[] memory list) {
        list = new uint16[](1);
        list[0] = only;
    }

    function _ids(uint24 only) private pure returns (uint24[] memory list) {
        list = new uint24[](1);
        list[0] = only;
    }

    function _assertGuilty(WrongRecordEvidence memory evidence, uint32 orderId, uint16 tokenId) private view {
        Verdict memory verdict = judge.judge(Fault.WrongRecord, abi.encode(evidence));
        assertEq(uint8(verdict.fault), uint8(Fault.WrongRecord));
        assertEq(verdict.round, ROUND);
        assertEq(verdict.messageHash, _messageHash(evidence.batch.signed.batch));
        assertEq(verdict.snapshotHash, snapshotHash);
        assertEq(verdict.orderId, orderId);
        assertEq(verdict.tokenId, tokenId);
        assertEq(verdict.positions, _everybody());
        assertEq(verdict.signers.length, 20 * operatorKeys.length);
    }

    function _assertNoFault(WrongRecordEvidence memory evidence) private {
        _assertReverts(evidence, abi.encodeWithSelector(IFaultJudge.NoFault.selector));
    }

    function _assertMissing(WrongRecordEvidence memory evidence, string memory what) private {
        _assertReverts(evidence, abi.encodeWithSelector(IFaultJudge.WordMissing.selector, what));
    }

    function _assertReverts(WrongRecordEvidence memory evidence, bytes memory reason) private {
        vm.expectRevert(reason);
        judge.judge(Fault.WrongRecord, abi.encode(evidence));
    }
}
