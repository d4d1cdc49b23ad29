// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";

import { IMatchPolicy } from "../../src/market/IMatchPolicy.sol";
import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { MatchBatch, OfferTerms, OrderSpec, OrderState, Policy } from "../../src/market/MarketTypes.sol";
import { Candidate, MatchRules, RoundFacts } from "../../src/rules/MatchRules.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord } from "../../src/words/OfferWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { MarketBase } from "../MarketBase.t.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";
import { noPacking } from "../rules/NoPacking.sol";

/// @notice The calls that take a round's place: a tenant's own match, and the gate that a growing lease passes.
contract SelfMatchTest is MarketBase {
    uint32 private constant WAIT = 30;

    uint24 private provider;
    uint32 private machine;

    function setUp() public override {
        super.setUp();
        provider = _provider(providerOwner);
        machine = _machine(provider);
    }

    function _selfMatch(uint32 orderId) private {
        vm.prank(tenant);
        settlement.selfMatch(orderId, machine, 0, _spec(), _defaultPolicy());
    }

    function _refuse(bytes memory reason, uint32 orderId) private {
        vm.expectRevert(reason);
        _selfMatch(orderId);
    }

    function _ineligible(uint32 orderId, uint256 reason) private view returns (bytes memory) {
        return abi.encodeWithSelector(IMatchSettlement.SelfMatchIneligible.selector, orderId, machine, reason);
    }

    /// An order that was in the snapshot of `WAIT` rounds before the open one, with no round ever settled.
    function _waited() private returns (uint32 orderId, uint32 round) {
        orderId = _order(_spec());
        round = _openNext() + WAIT;
        _enterRound(round, 1);
    }

    function _fold(bytes32 word, uint256 slot, bytes32 value) private pure returns (bytes32) {
        uint256 accumulator = uint256(keccak256(abi.encodePacked(word, slot, value))) >> 48;
        return bytes32((accumulator << 48) | (uint48(uint256(word)) + 1));
    }

    // ---- a self-match

    function test_aSelfMatchTakesTheRoundAndMakesTheLease() public {
        (uint32 orderId, uint32 round) = _waited();
        RecordFields memory fields = _record(orderId, machine, 1);
        bytes memory record = _encode(fields);
        uint256 machineWord = _machineWord(machine);
        bytes32 folded = keccak256(abi.encodePacked(settlement.settlementWord(), bytes32(0), bytes32(0)));
        bytes32[2] memory facts = [orderRequest.factsWord(), providerRegistry.factsWord()];

        vm.recordLogs();
        vm.expectEmit(address(settlement));
        emit IMatchSettlement.RoundTaken(round, tenant);
        vm.expectEmit(address(settlement));
        emit IMatchSettlement.OrderSelfMatched(round, orderId, tenant, bytes32(record));
        _selfMatch(orderId);

        assertEq(uint256(settlement.settlementWord()), (uint256(folded) >> 32 << 32) | round);
        assertEq(settlement.lastSettledRound(), round);
        uint256 lease = (block.timestamp << 224) | (uint256(bytes32(record)) & (((1 << 224) - 1) ^ 0xff)) | (uint256(4) << 53);
        assertEq(orderRequest.orderWord(orderId), bytes32(lease));
        uint256 need = (uint256(16_384) << 120) | (uint256(4000) << 100) | (uint256(100) << 80) | 1000;
        assertEq(_machineWord(machine), machineWord - need);
        assertEq(computeLease.getLease(orderId).priceMicroPerHour, fields.priceMicroPerHour);

        // The registry's Fact has the same topic as the orders': each is folded where it was written.
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IOrderRequest.Fact.selector) continue;
            uint256 which = logs[i].emitter == address(orderRequest) ? 0 : 1;
            facts[which] = _fold(facts[which], uint256(logs[i].topics[1]), abi.decode(logs[i].data, (bytes32)));
        }
        assertEq(orderRequest.factsWord(), facts[0]);
        assertEq(providerRegistry.factsWord(), facts[1]);
    }

    function test_noBatchOfATakenRoundSettles() public {
        uint32 other = _order(_spec());
        (uint32 orderId, uint32 round) = _waited();
        bytes memory records = _encode(_record(other, machine, 2));
        MatchBatch memory batch = _batch(round, records);
        bytes memory signatures = _sign(batch, ALL_SIGN);
        _selfMatch(orderId);
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.RoundAlreadySettled.selector, round, round));
        settlement.settle(batch, _defaultPolicy(), records, signatures);
        // More of them pass in the round that was taken, and it is taken once.
        vm.recordLogs();
        _selfMatch(other);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            assertTrue(logs[i].topics[0] != IMatchSettlement.RoundTaken.selector, "taken once");
        }
        assertEq(_state(other), uint256(OrderState.Matched));
        // The next round's batch settles as ever.
        uint32 next = _order(_spec());
        round = _openNext();
        assertEq(_settle(round, _encode(_record(next, machine, 4))), 1);
    }

    function test_theGateIsOpenOnceTheRoundIsSettledAndClosedWhileItsBatchMayCome() public {
        uint32 other = _order(_spec());
        uint32 third = _order(_spec());
        (uint32 orderId, uint32 round) = _waited();
        assertEq(_settle(round, _encode(_record(other, machine, 2))), 1);
        uint256 state = vm.snapshotState();
        vm.recordLogs();
        _selfMatch(orderId);
        assertEq(vm.getRecordedLogs()[0].topics[0], IMatchSettlement.OrderSelfMatched.selector, "nothing is taken");
        assertEq(settlement.lastSettledRound(), round);
        vm.revertToState(state);

        for (uint32 later = 1; later < WAIT; later += 7) {
            _enterRound(round + later, ROUND_LENGTH);
            _refuse(abi.encodeWithSelector(IMatchSettlement.GateClosed.selector, round + later, round, WAIT), orderId);
        }
        _enterRound(round + WAIT - 1, ROUND_LENGTH);
        _refuse(abi.encodeWithSelector(IMatchSettlement.GateClosed.selector, round + WAIT - 1, round, WAIT), orderId);
        _enterRound(round + WAIT, 1);
        _selfMatch(orderId);
        assertEq(settlement.lastSettledRound(), round + WAIT);
        _selfMatch(third);
    }

    /// Works in exactly the round that the refusal before it named.
    function testFuzz_theOrderMustHaveBeenShownLongEnough(uint256 offset, uint256 tried, bool isSettled) public {
        _rollTo(block.number + bound(offset, 0, 2 * ROUND_LENGTH));
        uint32 decoy = _order(_spec());
        uint32 orderId = _order(_spec());
        uint32 first = _firstRound(orderId);
        uint32 round = uint32(bound(tried, 1, first + WAIT - 1));
        if (matchPolicy.snapshotBlock(round) < block.number) round = matchPolicy.fromRoundNow();
        _enterRound(round, ROUND_LENGTH);
        if (isSettled && round >= first) assertEq(_settle(round, _encode(_record(decoy, machine, 2))), 1);
        bytes memory tooEarly = abi.encodeWithSelector(IMatchSettlement.SelfMatchTooEarly.selector, orderId, first + WAIT);
        bool isGateShut = round < WAIT && settlement.lastSettledRound() != round;
        bytes memory shut = abi.encodeWithSelector(IMatchSettlement.GateClosed.selector, round, settlement.lastSettledRound(), WAIT);
        _refuse(isGateShut ? shut : tooEarly, orderId);
        _enterRound(uint32(first + WAIT) + (isSettled ? WAIT : 0), 1);
        _selfMatch(orderId);
        assertEq(_state(orderId), uint256(OrderState.Matched));
    }

    function _firstRound(uint32 orderId) private view returns (uint32 round) {
        uint256 eligibleFrom = OrderWord.wrap(uint256(orderRequest.orderWord(orderId))).eligibleFromBlock();
        for (round = 1; matchPolicy.snapshotBlock(round) < eligibleFrom;) {
            ++round;
        }
    }

    function test_roundsThatTheScheduleHasForgottenDoNotCount() public {
        _enterRound(1, 1);
        uint32 orderId = _order(_spec());
        for (uint256 i; i < 2; ++i) {
            uint32 fromRound = matchPolicy.fromRoundNow() + WAIT;
            matchPolicy.schedule(fromRound, uint16(ROUND_LENGTH), _defaultPolicy(), noPacking());
            _enterRound(fromRound, 1);
        }
        // Two more changes in quick succession, and all that is known began a few rounds ago.
        for (uint256 i; i < 2; ++i) {
            uint32 fromRound = matchPolicy.fromRoundNow() + 2;
            matchPolicy.schedule(fromRound, uint16(ROUND_LENGTH), _defaultPolicy(), noPacking());
            _enterRound(fromRound, 1);
        }
        uint32 round = matchPolicy.openRound();
        _refuse(abi.encodeWithSelector(IMatchPolicy.RoundClosed.selector, round - WAIT), orderId);
        _enterRound(round + WAIT, 1);
        _selfMatch(orderId);
    }

    // ---- refusals

    function test_onlyTheTenantWithItsSpecUnderTheRoundsPolicy() public {
        (uint32 orderId,) = _waited();
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.NotTenant.selector, orderId, address(this)));
        settlement.selfMatch(orderId, machine, 0, _spec(), _defaultPolicy());
        OrderSpec memory spec = _spec();
        spec.cpuMilli -= 1;
        vm.startPrank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.SpecMismatch.selector, orderId));
        settlement.selfMatch(orderId, machine, 0, spec, _defaultPolicy());
        Policy memory policy = _defaultPolicy();
        bytes32 expected = PolicyHash.ofMemory(policy);
        policy.selfMatchRounds = 1;
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.PolicyMismatch.selector, PolicyHash.ofMemory(policy), expected));
        settlement.selfMatch(orderId, machine, 0, _spec(), policy);
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.NotTenant.selector, 99, tenant));
        settlement.selfMatch(99, machine, 0, _spec(), _defaultPolicy());
    }

    function test_onlyAnOrderThatIsOpenNotEndedAndNotExpired() public {
        (uint32 orderId, uint32 round) = _waited();
        uint256 state = vm.snapshotState();
        vm.prank(tenant);
        orderRequest.cancel(orderId);
        _refuse(abi.encodeWithSelector(IOrderRequest.OrderAlreadyEnding.selector, orderId, round + 1), orderId);
        vm.revertToState(state);
        vm.warp(block.timestamp + 30 days);
        _refuse(_ineligible(orderId, MatchRules.ORDER_NOT_ELIGIBLE), orderId);
        vm.revertToState(state);
        _selfMatch(orderId);
        _refuse(_ineligible(orderId, MatchRules.ORDER_NOT_ELIGIBLE), orderId);
    }

    function test_theMachineMustPassTheRules() public {
        (uint32 orderId,) = _waited();
        uint256 state = vm.snapshotState();
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.SelfMatchIneligible.selector, orderId, 99, MatchRules.MACHINE_INACTIVE));
        settlement.selfMatch(orderId, 99, 0, _spec(), _defaultPolicy());
        vm.prank(tenant);
        vm.expectRevert(_ineligible(orderId, MatchRules.TOKEN));
        settlement.selfMatch(orderId, machine, 1, _spec(), _defaultPolicy());
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.OfferIndexInvalid.selector, 4));
        settlement.selfMatch(orderId, machine, 4, _spec(), _defaultPolicy());
        vm.prank(providerOwner);
        providerRegistry.setMaintenance(provider, true);
        _refuse(_ineligible(orderId, MatchRules.PROVIDER_NOT_ACTIVE), orderId);
        vm.revertToState(state);
        vm.prank(providerOwner);
        providerRegistry.deactivateMachine(machine);
        state = vm.snapshotState();
        _selfMatch(orderId);
        vm.revertToState(state);
        uint32 next = matchPolicy.fromRoundNow();
        _enterRound(next, 1);
        _refuse(_ineligible(orderId, MatchRules.MACHINE_INACTIVE), orderId);
    }

    function test_thePriceIsThatOfTheOpenRound() public {
        (uint32 orderId,) = _waited();
        uint40 price = _record(orderId, machine, 1).priceMicroPerHour;
        OfferTerms memory terms = _offer();
        terms.gpuMicroPerHour *= 2;
        vm.prank(providerOwner);
        providerRegistry.setOffer(machine, 0, terms);
        _selfMatch(orderId);
        assertEq(computeLease.getLease(orderId).priceMicroPerHour, price);
    }

    function test_aBidDoesNotCount() public {
        _fund(providerOwner, 10_000_000);
        _enterRound(1, 1);
        uint32 orderId = _order(_spec());
        vm.prank(providerOwner);
        bid.placeBid(orderId, machine, 1);
        uint32 round = _openNext() + WAIT;
        _enterRound(round, 1);
        uint40 price = _record(orderId, machine, 1).priceMicroPerHour;
        _selfMatch(orderId);
        assertEq(computeLease.getLease(orderId).priceMicroPerHour, price);
        bid.releaseBond(orderId, provider);
        assertEq(escrow.bondsOf(providerOwner, USD), 0);
    }

    /// Same answer as the matching rules on the words of now, for orders and machines of any kind.
    function testFuzz_theDecisionIsTheMatchingRules(uint256 seed) public {
        OrderSpec memory spec = _anySpec(seed);
        uint32 orderId = _order(spec);
        _disturb(seed);
        uint32 round = _openNext() + WAIT;
        _enterRound(round, 1);
        RoundFacts memory facts = RoundFacts({ round: round, snapshotBlock: matchPolicy.snapshotBlock(round), timestamp: block.timestamp });
        Candidate memory candidate;
        candidate.machineId = machine;
        candidate.machine = MachineWord.wrap(_machineWord(machine));
        candidate.provider = ProviderWord.wrap(uint256(providerRegistry.providerWord(provider)));
        (bytes32 newest,) = providerRegistry.offerWords(machine, 0);
        candidate.offer = OfferWord.wrap(uint256(newest));
        OrderWord order = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        uint256 reason = MatchRules.rejection(facts, _defaultPolicy(), order, spec, candidate);
        if (reason != 0) vm.expectRevert(_ineligible(orderId, reason));
        vm.prank(tenant);
        settlement.selfMatch(orderId, machine, 0, spec, _defaultPolicy());
        if (reason != 0) return;
        OrderWord lease = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        (, uint256 mask) = MatchRules.chooseDevices(candidate.machine, spec.milliGpu);
        (uint256 price, bool fromBid) = MatchRules.quote(facts, spec, candidate);
        assertEq(lease.deviceMask(), mask);
        assertEq(lease.priceMicroPerHour(), price);
        assertEq(lease.isFromBid(), fromBid);
        assertEq(lease.providerId(), provider);
    }

    function _anySpec(uint256 seed) private pure returns (OrderSpec memory spec) {
        spec = _spec();
        spec.milliGpu = [0, 300, 1000, 8000][seed % 4];
        spec.cpuMilli = uint24(1 + (seed >> 8) % 70_000);
        spec.memoryMib = uint24((seed >> 32) % 300_000);
        spec.storageGib = uint24((seed >> 64) % 2200);
        if (spec.milliGpu != 0 && (seed >> 90) % 4 == 0) (spec.models = new uint16[](1))[0] = uint16(6 + (seed >> 92) % 2);
        if ((seed >> 96) % 4 == 0) (spec.regionsExcluded = new uint16[](1))[0] = uint16(2 + (seed >> 98) % 2);
        if ((seed >> 100) % 4 == 0) {
            (spec.regions = new uint16[](1))[0] = uint16(2 + (seed >> 102) % 2);
            spec.regionRequired = (seed >> 104) % 2 == 0;
        }
        if ((seed >> 108) % 6 == 0) (spec.providersExcluded = new uint24[](1))[0] = uint24(1 + (seed >> 110) % 2);
        if ((seed >> 112) % 6 == 0) (spec.providersWanted = new uint24[](1))[0] = uint24(1 + (seed >> 114) % 2);
        if ((seed >> 116) % 6 == 0) spec.tiers = uint8((seed >> 118) % 128);
        if ((seed >> 126) % 8 == 0) spec.attributes = 1;
        spec.minUptimeBps = uint16((seed >> 130) % 8 == 0 ? 9501 : 0);
        spec.minReputationBps = uint16((seed >> 134) % 8 == 0 ? 5001 : 0);
        spec.maxPriceMicroPerHour = uint40(500_000 + (seed >> 140) % 10_000_000);
        spec.durationMinutes = 60;
    }

    function _disturb(uint256 seed) private {
        if ((seed >> 200) % 8 == 0) {
            vm.prank(providerOwner);
            providerRegistry.deactivateMachine(machine);
        } else if ((seed >> 200) % 8 == 1) {
            vm.prank(providerOwner);
            providerRegistry.setMaintenance(provider, true);
        } else if ((seed >> 200) % 8 == 2) {
            vm.prank(providerOwner);
            providerRegistry.withdrawOffer(machine, 0);
        }
    }

    // ---- the gate of a growing lease

    function test_onlyLeasesPassTheGate() public {
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.NotAuthorized.selector, address(this)));
        settlement.passGate(_defaultPolicy());
        uint32 round = _openNext();
        vm.startPrank(address(computeLease));
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.GateClosed.selector, round, 0, WAIT));
        settlement.passGate(_defaultPolicy());
        Policy memory other = _defaultPolicy();
        bytes32 expected = PolicyHash.ofMemory(other);
        other.selfMatchRounds = 1;
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.PolicyMismatch.selector, PolicyHash.ofMemory(other), expected));
        settlement.passGate(other);
        _enterRound(WAIT, 1);
        vm.expectEmit(address(settlement));
        emit IMatchSettlement.RoundTaken(WAIT, address(computeLease));
        assertEq(settlement.passGate(_defaultPolicy()), WAIT);
        assertEq(settlement.passGate(_defaultPolicy()), WAIT, "the rest of the round's span is open");
        assertEq(settlement.lastSettledRound(), WAIT);
    }

    function test_thereIsNoGateBeforeTheFirstRound() public {
        vm.prank(address(computeLease));
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.RoundClosed.selector, 0));
        settlement.passGate(_defaultPolicy());
    }

    // ---- gas

    /// forge-config: default.isolate = true
    function test_gasOfASelfMatchWithEveryListFull() public {
        OrderSpec memory spec = _spec();
        spec.milliGpu = 8000;
        spec.maxPriceMicroPerHour = 20_000_000;
        (spec.models, spec.regions, spec.regionsExcluded) = (new uint16[](8), new uint16[](8), new uint16[](8));
        (spec.providersWanted, spec.providersExcluded) = (new uint24[](8), new uint24[](8));
        for (uint256 i; i < 8; ++i) {
            // What matches comes last.
            spec.models[i] = uint16(14 - i);
            (spec.regions[i], spec.regionsExcluded[i]) = (uint16(10 - i), uint16(40 + i));
            (spec.providersWanted[i], spec.providersExcluded[i]) = (uint24(8 - i), uint24(40 + i));
        }
        spec.regionRequired = true;
        uint32 orderId = _order(spec);
        _enterRound(_openNext() + WAIT, 1);
        vm.prank(tenant);
        settlement.selfMatch(orderId, machine, 0, spec, _defaultPolicy());
        vm.snapshotGasLastCall("MatchSettlement", "selfMatch with every list full, takes the round");
    }

    /// forge-config: default.isolate = true
    function test_gasOfTheGate() public {
        _enterRound(WAIT, 1);
        vm.prank(address(computeLease));
        settlement.passGate(_defaultPolicy());
        vm.snapshotGasLastCall("MatchSettlement", "passGate that takes the round");
    }

    /// forge-config: default.isolate = true
    function test_gasOfTablesAndTicks() public {
        _rollTo(block.number + 1);
        _setTable(_weights(), uint32(block.timestamp), MAX_TABLE_STALENESS);
        settlement.recordTable("");
        vm.snapshotGasLastCall("MatchSettlement", "recordTable of 4 operators");
        settlement.tick();
        vm.snapshotGasLastCall("MatchSettlement", "tick");
    }
}
