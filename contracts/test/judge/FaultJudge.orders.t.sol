// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BetterCandidateEvidence, Fault, Name, OmittedOrderEvidence, UnknownNameEvidence } from "../../src/judge/Evidence.sol";
import { IFaultJudge, Verdict } from "../../src/judge/IFaultJudge.sol";
import { OrderSpec, OrderState } from "../../src/market/MarketTypes.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordWord } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { JudgeFixture } from "./JudgeFixture.sol";

/// @notice Better candidates, omitted orders and names that never existed.
contract FaultJudgeOrdersTest is JudgeFixture {
    /// Three providers with a machine each, cheapest first, and two orders.
    function setUp() public override {
        super.setUp();
        for (uint24 i = 1; i <= 3; i++) {
            _addMachine(_addProvider(50_000), 4);
            _addOffer(i, 0, 1_000_000 * uint256(i), 100_000, USD);
        }
        policy.jitterRange = 0;
        _addOrder(_spec(2000));
        _addOrder(_spec(2000));
    }

    // ---- better candidate

    function test_S8_aWorseMachine_isGuilty_andTheBestIsNot() public {
        _seal();
        bytes memory honest = _match();
        assertEq(_at(honest, 0).machineId(), 1);
        (,, RecordWord second) = _placed(1, 2, _machine(2));
        (,, RecordWord third) = _placed(1, 3, _machine(3));
        bytes memory records = _with(honest, 0, RecordWord.unwrap(second));
        _assertBetter(_betterCandidate(records, 0, 1, 0, NONE), 1);
        // The third is worse than the second, and nothing is better than itself.
        _assertNoBetter(_betterCandidate(records, 0, 3, 0, NONE));
        _assertNoBetter(_betterCandidate(records, 0, 2, 0, NONE));
        records = _with(honest, 0, RecordWord.unwrap(third));
        _assertBetter(_betterCandidate(records, 0, 1, 0, NONE), 1);
        _assertBetter(_betterCandidate(records, 0, 2, 0, NONE), 1);
        for (uint32 machineId = 1; machineId <= 3; machineId++) {
            _assertNoBetter(_betterCandidate(honest, 0, machineId, 0, NONE));
            _assertNoBetter(_betterCandidate(honest, 1, machineId, 0, NONE));
        }
    }

    /// Three machines with nothing to tell them apart but their ids: two of one provider, one of a later.
    function test_S7_S8_ofEqualTotals_theLowerProviderThenTheLowerMachineWins() public {
        _setMachine(2, MachineWord.wrap(words[Slots.machine(1)]));
        _addOffer(2, 0, 1_000_000, 100_000, USD);
        _addOffer(3, 0, 1_000_000, 100_000, USD);
        _seal();
        bytes memory honest = _match();
        assertEq(_at(honest, 0).machineId(), 1);
        for (uint32 winner = 1; winner <= 3; winner++) {
            (,, RecordWord record) = _placed(1, winner, _machine(winner));
            bytes memory records = _with(honest, 0, RecordWord.unwrap(record));
            for (uint32 other = 1; other <= 3; other++) {
                if (other < winner) _assertBetter(_betterCandidate(records, 0, other, 0, NONE), 1);
                else _assertNoBetter(_betterCandidate(records, 0, other, 0, NONE));
            }
        }
    }

    function test_S8_jitterDecides_asTheSeedSays() public {
        policy.jitterRange = 6_000_000_000;
        _addOffer(2, 0, 1_000_000, 100_000, USD);
        _addOffer(3, 0, 1_000_000, 100_000, USD);
        _seal();
        bytes memory honest = _match();
        uint32 best = uint32(_at(honest, 0).machineId());
        for (uint32 winner = 1; winner <= 3; winner++) {
            if (winner == best) continue;
            _assertNoBetter(_betterCandidate(honest, 0, winner, 0, NONE));
            (,, RecordWord record) = _placed(1, winner, _machine(winner));
            _assertBetter(_betterCandidate(_with(honest, 0, RecordWord.unwrap(record)), 0, best, 0, NONE), 1);
        }
    }

    /// What is not given cannot make a candidate better: its offer alone, its bid alone, and an offer in another token.
    function test_S7_S8_aCandidateIsAsGoodAsWhatIsGivenOfIt() public {
        _addBid(1, 2, 1_500_000);
        _addOffer(2, 1, 1, 1, EUR);
        _seal();
        bytes memory honest = _match();
        assertEq(_at(honest, 0).machineId(), 2);
        (,, RecordWord first) = _placed(1, 1, _machine(1));
        bytes memory records = _with(honest, 0, RecordWord.unwrap(first));
        _assertNoBetter(_betterCandidate(records, 0, 2, 0, NONE));
        _assertNoBetter(_betterCandidate(records, 0, 2, 1, NONE));
        _assertNoBetter(_betterCandidate(records, 0, 2, NONE, NONE));
        _assertBetter(_betterCandidate(records, 0, 2, NONE, 0), 1);
        _assertBetter(_betterCandidate(records, 0, 2, 0, 0), 1);
    }

    function test_S7_S8_aCandidateHasWhatTheRecordsBeforeLeft() public {
        _setMachine(1, _machine(1).withFree(262_144, 64_000, 2_048, 1000 | 1000 << 10));
        _seal();
        bytes memory honest = _match();
        assertEq(_at(honest, 0).machineId(), 1);
        assertEq(_at(honest, 1).machineId(), 2);
        // The first machine is full at the second place, and free at the first.
        _assertNoBetter(_betterCandidate(honest, 1, 1, 0, NONE));
        _assertBetter(_betterCandidate(_without(honest, 0), 0, 1, 0, NONE), 2);
    }

    function test_S7_aWinnerWithoutATotal_isNoMatterOfCandidates() public {
        _seal();
        bytes memory honest = _match();
        uint256 record = RecordWord.unwrap(_at(honest, 0));
        // Above the order's highest price, and on a machine that the record before has emptied.
        _assertNoBetter(_betterCandidate(_with(honest, 0, record | (uint256(type(uint40).max) << 152)), 0, 2, 0, NONE));
        _setMachine(1, _machine(1).withFree(262_144, 64_000, 2_048, 0));
        _seal();
        _assertNoBetter(_betterCandidate(honest, 0, 2, 0, NONE));
        _setMachine(1, _machine(1).withFree(262_144, 0, 2_048, 1000 | 1000 << 10));
        _seal();
        _assertNoBetter(_betterCandidate(honest, 0, 2, 0, NONE));
    }

    function test_S7_aCandidateThatAFilterRejects_isNone() public {
        _setProvider(1, ProviderWord.wrap(words[Slots.provider(1)]).withStatus(3));
        _seal();
        bytes memory honest = _match();
        assertEq(_at(honest, 0).machineId(), 2);
        _assertNoBetter(_betterCandidate(honest, 0, 1, 0, NONE));
    }

    // ---- omitted order

    function test_S8_anOmittedOrder_isGuilty_firstMiddleAndLast() public {
        _addOrder(_spec(1000));
        _seal();
        bytes memory honest = _match();
        assertEq(honest.length, 96);
        for (uint32 orderId = 1; orderId <= 3; orderId++) {
            _assertNotOmitted(_omittedOrder(honest, orderId, 1, 0, NONE));
            Verdict memory verdict =
                _verdict(Fault.OmittedOrder, abi.encode(_omittedOrder(_without(honest, orderId - 1), orderId, 3, 0, NONE)));
            assertEq(verdict.orderId, orderId);
            assertEq(verdict.tokenId, USD);
        }
    }

    function test_S7_anOrderThatNoMachineCouldTake_isNotOmitted() public {
        for (uint32 machineId = 1; machineId <= 3; machineId++) {
            _setMachine(machineId, _machine(machineId).withFree(262_144, 64_000, 2_048, machineId == 1 ? 1000 | 1000 << 10 : 0));
        }
        _seal();
        bytes memory honest = _match();
        assertEq(honest.length, 32);
        for (uint32 machineId = 1; machineId <= 3; machineId++) {
            _assertNotOmitted(_omittedOrder(honest, 2, machineId, 0, NONE));
        }
        // The same records with the first gone: then there was room for the second.
        _verdict(Fault.OmittedOrder, abi.encode(_omittedOrder(_without(honest, 0), 2, 1, 0, NONE)));
    }

    function test_S7_S8_afterTheLimit_noOrderIsOmitted_beforeItEveryOneIs() public {
        policy.maxMatches = 1;
        _seal();
        bytes memory honest = _match();
        assertEq(honest.length, 32);
        _assertNotOmitted(_omittedOrder(honest, 2, 3, 0, NONE));
        (,, RecordWord second) = _placed(2, 1, _machine(1));
        bytes memory records = abi.encodePacked(RecordWord.unwrap(second));
        _assertNotOmitted(_omittedOrder(records, 2, 3, 0, NONE));
        _verdict(Fault.OmittedOrder, abi.encode(_omittedOrder(records, 1, 3, 0, NONE)));
        policy.maxMatches = 2;
        _verdict(Fault.OmittedOrder, abi.encode(_omittedOrder(honest, 2, 3, 0, NONE)));
    }

    function test_S7_anOrderThatWasNotEligible_isNotOmitted() public {
        _setOrder(2, _order(2).withEligibleFromBlock(SNAPSHOT_BLOCK + 1));
        _seal();
        _assertNotOmitted(_omittedOrder(_match(), 2, 3, 0, NONE));
        _setOrder(2, _order(2).withEligibleFromBlock(SNAPSHOT_BLOCK).withState(uint256(OrderState.Closed)));
        _seal();
        _assertNotOmitted(_omittedOrder(_match(), 2, 3, 0, NONE));
    }

    function test_S7_aBidFromBeforeTheReopening_doesNotMakeACandidate() public {
        for (uint32 machineId = 1; machineId <= 3; machineId++) {
            _addOffer(machineId, 0, 0, 0, EUR);
        }
        _addBid(2, 3, 1_000_000);
        _seal();
        bytes memory none = _without(_match(), 0);
        assertEq(_match().length, 32);
        _verdict(Fault.OmittedOrder, abi.encode(_omittedOrder(none, 2, 3, NONE, 0)));
        _setOrder(2, _order(2).withBidCount(0));
        _seal();
        assertEq(_match().length, 0);
        OmittedOrderEvidence memory evidence = _omittedOrder(none, 2, 3, NONE, 0);
        _assertReverts(Fault.OmittedOrder, abi.encode(evidence), abi.encodeWithSelector(IFaultJudge.IndexOutOfRange.selector, 0));
    }

    // ---- names

    function test_S8_ordersAndMachinesThatNeverExisted() public {
        _seal();
        bytes memory honest = _match();
        uint256 record = RecordWord.unwrap(_at(honest, 1));
        for (uint256 id = 2; id <= 4; id++) {
            bytes memory records = _with(honest, 1, (record & type(uint224).max) | (id << 224));
            _assertName(_unknownName(records, 1, Name.Order), id > 2, 0);
            records = _with(honest, 1, (record & ~(uint256(0xffffffff) << 192)) | ((id + 1) << 192));
            _assertName(_unknownName(records, 1, Name.Machine), id > 2, 2);
        }
        UnknownNameEvidence memory zero = _unknownName(_with(honest, 0, record & type(uint224).max), 0, Name.Order);
        delete zero.word;
        _assertName(zero, true, 0);
        zero = _unknownName(_with(honest, 0, record & ~(uint256(0xffffffff) << 192)), 0, Name.Machine);
        delete zero.word;
        _assertName(zero, true, 2);
        // Without the order there is nobody to make whole.
        delete zero.orderWord;
        _assertName(zero, true, 0);
    }

    function test_S8_offersAndBidsThatNeverExisted() public {
        _addBid(1, 1, 500_000);
        _addOffer(1, 2, 1, 1, EUR);
        _seal();
        bytes memory honest = _match();
        uint256 bidden = RecordWord.unwrap(_at(honest, 0));
        assertTrue(_at(honest, 0).fromBid());
        for (uint256 i = 0; i < 3; i++) {
            _assertName(_unknownName(_with(honest, 0, bidden + i), 0, Name.Bid), i > 0, 1);
        }
        uint256 offered = RecordWord.unwrap(_at(honest, 1));
        for (uint256 i = 0; i < 4; i++) {
            _assertName(_unknownName(_with(honest, 1, offered | (i << 48)), 1, Name.Offer), i == 1 || i == 3, 2);
        }
        // A record names an offer or a bid, never both.
        _assertName(_unknownName(honest, 0, Name.Offer), false, 0);
        _assertName(_unknownName(honest, 1, Name.Bid), false, 0);
    }

    function test_S8_aBidOnAnOrderThatIsNotOpen_neverExisted() public {
        _addBid(1, 1, 500_000);
        _seal();
        bytes memory records = _match();
        _setOrder(1, OrderWord.wrap((RecordWord.unwrap(_at(records, 0)) & ~(uint256(7) << 53)) | (uint256(OrderState.Matched) << 53)));
        _seal();
        _assertName(_unknownName(records, 0, Name.Bid), true, 0);
    }

    // ---- helpers

    function _assertBetter(BetterCandidateEvidence memory evidence, uint32 orderId) private view {
        Verdict memory verdict = _verdict(Fault.BetterCandidate, abi.encode(evidence));
        assertEq(verdict.orderId, orderId);
        assertEq(verdict.tokenId, USD);
    }

    function _assertNoBetter(BetterCandidateEvidence memory evidence) private {
        _assertReverts(Fault.BetterCandidate, abi.encode(evidence), abi.encodeWithSelector(IFaultJudge.NoFault.selector));
    }

    function _assertNotOmitted(OmittedOrderEvidence memory evidence) private {
        _assertReverts(Fault.OmittedOrder, abi.encode(evidence), abi.encodeWithSelector(IFaultJudge.NoFault.selector));
    }

    function _assertName(UnknownNameEvidence memory evidence, bool guilty, uint32 orderId) private {
        if (!guilty) {
            _assertReverts(Fault.UnknownName, abi.encode(evidence), abi.encodeWithSelector(IFaultJudge.NoFault.selector));
            return;
        }
        Verdict memory verdict = _verdict(Fault.UnknownName, abi.encode(evidence));
        assertEq(verdict.orderId, orderId);
        assertEq(verdict.tokenId, orderId == 0 ? 0 : USD);
    }
}
