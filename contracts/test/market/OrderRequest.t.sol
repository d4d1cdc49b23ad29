// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { IEscrow } from "../../src/market/IEscrow.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { OrderSpec, OrderState } from "../../src/market/MarketTypes.sol";
import { Slots } from "../../src/words/Slots.sol";
import { MarketBase } from "../MarketBase.t.sol";
import { TestToken } from "./TestToken.sol";
import { noPacking } from "../rules/NoPacking.sol";

contract OrderRequestTest is MarketBase {
    /// 5 USD an hour for ten hours, and 2 % for the market.
    uint256 private constant LOCK = 51_000_000;

    function _expectField(string memory field, OrderSpec memory spec) private {
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderFieldInvalid.selector, field));
        orderRequest.createOrder(spec, uint32(block.timestamp + 1));
    }

    function _ids(uint256 length, uint16 value) private pure returns (uint16[] memory list) {
        list = new uint16[](length);
        for (uint256 i; i < length; ++i) {
            list[i] = value;
        }
    }

    function _providers(uint256 length, uint24 value) private pure returns (uint24[] memory list) {
        list = new uint24[](length);
        for (uint256 i; i < length; ++i) {
            list[i] = value;
        }
    }

    /// What a node computes from the Fact events alone.
    function _fold(bytes32 word, uint256 slot, bytes32 value) private pure returns (bytes32) {
        uint256 accumulator = uint256(keccak256(abi.encodePacked(word, bytes32(slot), value))) >> 48;
        return bytes32((accumulator << 48) | (uint48(uint256(word)) + 1));
    }

    // ---- creation

    function test_createOrderStoresWordOwnerAndSpec() public {
        OrderSpec memory spec = _spec();
        uint32 expiresAt = uint32(block.timestamp + 30 days);
        uint32 eligibleFrom = uint32(block.number) + BID_WINDOW;
        _fund(tenant, LOCK);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.OrderCreated(1, tenant, eligibleFrom, expiresAt, spec);
        vm.prank(tenant);
        uint32 orderId = orderRequest.createOrder(spec, expiresAt);

        assertEq(orderId, 1);
        assertEq(orderRequest.orderCount(), 1);
        uint256 word = (uint256(type(uint32).max) << 224) | (uint256(eligibleFrom) << 192) | (uint256(5_000_000) << 152)
            | (uint256(1000) << 128) | (uint256(4000) << 104) | (uint256(16_384) << 80) | (uint256(100) << 56) | (uint256(1) << 53)
            | (uint256(USD) << 32) | expiresAt;
        assertEq(orderRequest.orderWord(1), bytes32(word));
        assertEq(
            orderRequest.ownerWord(1),
            bytes32((uint256(uint160(tenant)) << 96) | (uint256(5_000_000) << 56) | (uint256(600) << 32) | expiresAt)
        );
        assertEq(orderRequest.specHash(1), keccak256(abi.encode(spec)));
        assertEq(orderRequest.bidWord(1, 0), 0);
        assertEq(escrow.lockOf(1).locked, LOCK);
        assertEq(escrow.balanceOf(tenant, USD), 0);
    }

    function test_idsCountFromOneAndTheCounterIsProvableFromTheStart() public {
        assertEq(vm.load(address(orderRequest), bytes32(Slots.ORDERS_COUNTER)), bytes32(uint256(1)));
        assertEq(_order(_spec()), 1);
        assertEq(_order(_spec()), 2);
        assertEq(vm.load(address(orderRequest), bytes32(Slots.ORDERS_COUNTER)), bytes32(uint256(3)));
    }

    function test_everyFactIsFoldedInOrder() public {
        bytes32 word = orderRequest.factsWord();
        assertEq(word, 0);
        uint32 orderId = _order(_spec());
        word = _fold(word, Slots.order(orderId), orderRequest.orderWord(orderId));
        word = _fold(word, Slots.orderSpec(orderId), orderRequest.specHash(orderId));
        assertEq(orderRequest.factsWord(), word);
        vm.prank(tenant);
        orderRequest.cancel(orderId);
        word = _fold(word, Slots.order(orderId), orderRequest.orderWord(orderId));
        assertEq(orderRequest.factsWord(), word);
        _enterRound(2, 1);
        bytes32 closed = bytes32((uint256(orderRequest.orderWord(orderId)) & ~(uint256(7) << 53)) | (uint256(3) << 53));
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.Fact(Slots.order(orderId), closed);
        orderRequest.refund(orderId);
        assertEq(orderRequest.factsWord(), _fold(word, Slots.order(orderId), closed));
    }

    function test_createOrderNamesTheFieldThatIsOutOfBounds() public {
        OrderSpec memory spec = _spec();
        spec.milliGpu = 1001;
        _expectField("milliGpu", spec);
        spec.milliGpu = 9000;
        _expectField("milliGpu", spec);
        spec.milliGpu = 0;
        spec.models = _ids(1, 7);
        _expectField("models", spec);

        spec = _spec();
        spec.cpuMilli = 0;
        _expectField("cpuMilli", spec);
        spec.cpuMilli = 1 << 20;
        _expectField("cpuMilli", spec);

        spec = _spec();
        spec.storageGib = 1 << 20;
        _expectField("storageGib", spec);

        spec = _spec();
        spec.models = _ids(1, 0);
        _expectField("models", spec);
        spec.models = _ids(1, 1024);
        _expectField("models", spec);
        spec.models = _ids(9, 1);
        _expectField("models", spec);

        spec = _spec();
        spec.regions = _ids(1, 1024);
        _expectField("regions", spec);
        spec.regions = _ids(9, 0);
        _expectField("regions", spec);

        spec = _spec();
        spec.regionsExcluded = _ids(1, 1024);
        _expectField("regionsExcluded", spec);
        spec.regionsExcluded = _ids(9, 0);
        _expectField("regionsExcluded", spec);

        spec = _spec();
        spec.providersWanted = _providers(1, 0);
        _expectField("providersWanted", spec);
        spec.providersWanted = _providers(9, 1);
        _expectField("providersWanted", spec);

        spec = _spec();
        spec.providersExcluded = _providers(1, 0);
        _expectField("providersExcluded", spec);
        spec.providersExcluded = _providers(9, 1);
        _expectField("providersExcluded", spec);

        spec = _spec();
        spec.tiers = 128;
        _expectField("tiers", spec);
        spec = _spec();
        spec.attributes = 1 << 54;
        _expectField("attributes", spec);
        spec = _spec();
        spec.minUptimeBps = 10_001;
        _expectField("minUptimeBps", spec);
        spec = _spec();
        spec.minReputationBps = 10_001;
        _expectField("minReputationBps", spec);

        spec = _spec();
        spec.maxPriceMicroPerHour = 0;
        _expectField("maxPriceMicroPerHour", spec);
        spec.maxPriceMicroPerHour = 1 << 39;
        _expectField("maxPriceMicroPerHour", spec);

        spec = _spec();
        spec.durationMinutes = 0;
        _expectField("durationMinutes", spec);

        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderFieldInvalid.selector, "expiresAt"));
        orderRequest.createOrder(_spec(), uint32(block.timestamp));
    }

    function test_createOrderTakesTheLargestOfEverything() public {
        OrderSpec memory spec = OrderSpec({
            milliGpu: 8000,
            cpuMilli: (1 << 20) - 1,
            memoryMib: type(uint24).max,
            storageGib: (1 << 20) - 1,
            models: _ids(8, 1023),
            regions: _ids(8, 1023),
            regionsExcluded: _ids(8, 0),
            providersWanted: _providers(8, type(uint24).max),
            providersExcluded: _providers(8, 1),
            tiers: 127,
            attributes: (1 << 54) - 1,
            regionRequired: true,
            minUptimeBps: 10_000,
            minReputationBps: 10_000,
            maxSlashes: 255,
            tokenId: USD,
            maxPriceMicroPerHour: (1 << 39) - 1,
            durationMinutes: type(uint24).max
        });
        _fund(tenant, type(uint80).max);
        vm.prank(tenant);
        uint32 orderId = orderRequest.createOrder(spec, type(uint32).max);
        assertEq(_state(orderId), uint256(OrderState.Open));
        assertEq(uint8(uint256(orderRequest.orderWord(orderId)) >> 48), 1 << 5, "no field spills into the flags");
    }

    function testFuzz_milliGpuIsAShareOrWholeDevices(uint16 milliGpu) public {
        OrderSpec memory spec = _spec();
        spec.milliGpu = milliGpu;
        bool shape = milliGpu < 1000 || (milliGpu <= 8000 && milliGpu % 1000 == 0);
        if (!shape) return _expectField("milliGpu", spec);
        assertEq(_state(_order(spec)), uint256(OrderState.Open));
    }

    function test_createOrderRefusesTokensThatAreNotApproved() public {
        OrderSpec memory spec = _spec();
        spec.tokenId = 9;
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.TokenNotAccepted.selector, 9));
        orderRequest.createOrder(spec, type(uint32).max);
        tokenRegistry.revokeToken(USD);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.TokenNotAccepted.selector, USD));
        orderRequest.createOrder(_spec(), type(uint32).max);
    }

    function test_createOrderNeedsTheWholeLock() public {
        _fund(tenant, LOCK - 1);
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, LOCK - 1, LOCK));
        orderRequest.createOrder(_spec(), type(uint32).max);
    }

    function test_theCostRoundsUp() public {
        OrderSpec memory spec = _spec();
        spec.durationMinutes = 1;
        spec.maxPriceMicroPerHour = 1;
        _expectCost(spec, 1);
        spec.maxPriceMicroPerHour = 60;
        _expectCost(spec, 1);
        spec.maxPriceMicroPerHour = 61;
        _expectCost(spec, 2);
    }

    function _expectCost(OrderSpec memory spec, uint96 cost) private {
        _fund(tenant, 10);
        vm.expectCall(address(escrow), abi.encodeCall(IEscrow.lock, (orderRequest.orderCount() + 1, tenant, USD, cost)));
        vm.prank(tenant);
        orderRequest.createOrder(spec, type(uint32).max);
    }

    function test_lockOf96BitsOrMoreIsRefused() public {
        TestToken token = new TestToken("BIG", 18);
        OrderSpec memory spec = _spec();
        spec.tokenId = tokenRegistry.approveToken(address(token), 0);
        spec.maxPriceMicroPerHour = (1 << 39) - 1;
        spec.durationMinutes = type(uint24).max;
        uint256 product = uint256((1 << 39) - 1) * 1e12 * type(uint24).max;
        uint256 amount = product / 60 + (product % 60 == 0 ? 0 : 1);
        assertGt(amount, type(uint96).max);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.LockTooLarge.selector, amount));
        orderRequest.createOrder(spec, type(uint32).max);
    }

    // ---- ending

    function test_cancelEndsTheOrderFromTheNextRound() public {
        uint32 orderId = _order(_spec());
        _enterRound(3, 1);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.OrderCancelled(orderId, 4);
        vm.prank(tenant);
        orderRequest.cancel(orderId);
        assertEq(uint256(orderRequest.orderWord(orderId)) >> 224, 4);
        assertEq(_state(orderId), uint256(OrderState.Open));
    }

    function test_aCancelInTheSnapshotBlockCountsForThatRound() public {
        uint32 orderId = _order(_spec());
        _enterRound(3, 0);
        vm.prank(tenant);
        orderRequest.cancel(orderId);
        assertEq(uint256(orderRequest.orderWord(orderId)) >> 224, 3);
    }

    function test_onlyTheTenantCancelsAndOnce() public {
        uint32 orderId = _order(_spec());
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.NotTenant.selector, orderId, address(this)));
        orderRequest.cancel(orderId);
        vm.startPrank(tenant);
        orderRequest.cancel(orderId);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderAlreadyEnding.selector, orderId, 1));
        orderRequest.cancel(orderId);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotFound.selector, 99));
        orderRequest.cancel(99);
    }

    function test_anybodyExpiresAnOrderWhoseTimeHasPassed() public {
        uint32 orderId = _order(_spec());
        uint32 expiresAt = uint32(block.timestamp + 30 days);
        vm.warp(expiresAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotExpired.selector, orderId, expiresAt));
        orderRequest.expire(orderId);
        vm.warp(expiresAt);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.OrderExpired(orderId, 1);
        orderRequest.expire(orderId);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderAlreadyEnding.selector, orderId, 1));
        orderRequest.expire(orderId);
    }

    function test_refundWaitsUntilTheLastRoundCanNoLongerBeMined() public {
        uint32 orderId = _order(_spec());
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotEnding.selector, orderId));
        orderRequest.refund(orderId);
        _enterRound(3, 1);
        vm.prank(tenant);
        orderRequest.cancel(orderId);
        _enterRound(4, 0);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.RefundTooEarly.selector, orderId, matchPolicy.snapshotBlock(4)));
        orderRequest.refund(orderId);
        _enterRound(4, 1);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.OrderMarkedAsClosed(orderId);
        orderRequest.refund(orderId);
        assertEq(_state(orderId), uint256(OrderState.Closed));
        assertEq(escrow.balanceOf(tenant, USD), LOCK);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotOpened.selector, orderId));
        orderRequest.refund(orderId);
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotOpened.selector, orderId));
        orderRequest.cancel(orderId);
    }

    function test_refundStillWorksWhenThePolicyHasForgottenTheRound() public {
        uint32 orderId = _order(_spec());
        vm.prank(tenant);
        orderRequest.cancel(orderId);
        _enterRound(2, 1);
        for (uint32 i; i < 2; ++i) {
            uint32 fromRound = matchPolicy.fromRoundNow() + 2;
            matchPolicy.schedule(fromRound, uint16(ROUND_LENGTH), _defaultPolicy(), noPacking());
            _enterRound(fromRound, 1);
        }
        vm.expectRevert();
        matchPolicy.snapshotBlock(1);
        orderRequest.refund(orderId);
        assertEq(escrow.balanceOf(tenant, USD), LOCK);
    }

    // ---- callers

    function test_eachMarketContractHasItsOwnCalls() public {
        bytes memory reason = abi.encodeWithSelector(IOrderRequest.NotAuthorized.selector, address(this));
        vm.expectRevert(reason);
        orderRequest.fill("", new uint256[](0), 1, 1);
        vm.expectRevert(reason);
        orderRequest.close(1);
        vm.expectRevert(reason);
        orderRequest.reopen(1);
        vm.expectRevert(reason);
        orderRequest.setLease(1, 0);
        vm.expectRevert(reason);
        orderRequest.setBid(1, 0, 0);
    }

    function test_closeAndReopenNeedALease() public {
        uint32 orderId = _order(_spec());
        bytes memory reason = abi.encodeWithSelector(IOrderRequest.OrderNotMatched.selector, orderId);
        vm.startPrank(address(computeLease));
        vm.expectRevert(reason);
        orderRequest.close(orderId);
        vm.expectRevert(reason);
        orderRequest.reopen(orderId);
        vm.expectRevert(reason);
        orderRequest.setLease(orderId, bytes32(uint256(4) << 53));
    }

    // ---- replacement

    function test_replaceOrderEndsTheOldAndPostsTheNew() public {
        uint32 orderId = _order(_spec());
        _enterRound(3, 1);
        OrderSpec memory spec = _spec();
        spec.cpuMilli = 2000;
        _fund(tenant, LOCK);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.OrderCancelled(orderId, 4);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.OrderCreated(orderId + 1, tenant, uint32(block.number) + BID_WINDOW, type(uint32).max, spec);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.OrderReplaced(orderId, orderId + 1);
        vm.prank(tenant);
        assertEq(orderRequest.replaceOrder(orderId, spec, type(uint32).max), orderId + 1);
        assertEq(uint256(orderRequest.orderWord(orderId)) >> 224, 4);
        assertEq(orderRequest.specHash(orderId + 1), keccak256(abi.encode(spec)));
        _enterRound(4, 1);
        orderRequest.refund(orderId);
        assertEq(escrow.balanceOf(tenant, USD), LOCK, "the first lock came back, the second stays");
    }

    function test_onlyTheTenantReplacesAndOnlyWhatIsOpen() public {
        uint32 orderId = _order(_spec());
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.NotTenant.selector, orderId, address(this)));
        orderRequest.replaceOrder(orderId, _spec(), type(uint32).max);
        vm.startPrank(tenant);
        orderRequest.cancel(orderId);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderAlreadyEnding.selector, orderId, 1));
        orderRequest.replaceOrder(orderId, _spec(), type(uint32).max);
    }

    // ---- signed calls

    function test_theForwarderSpeaksForTheTenantItNames() public {
        _fund(tenant, LOCK);
        bytes memory create = abi.encodeCall(IOrderRequest.createOrder, (_spec(), type(uint32).max));
        vm.prank(address(signedCalls));
        (bool ok, bytes memory answer) = address(orderRequest).call(abi.encodePacked(create, tenant));
        assertTrue(ok);
        uint32 orderId = abi.decode(answer, (uint32));
        assertEq(address(uint160(uint256(orderRequest.ownerWord(orderId)) >> 96)), tenant);

        bytes memory cancel = abi.encodeCall(IOrderRequest.cancel, (orderId));
        vm.prank(address(signedCalls));
        (ok, answer) = address(orderRequest).call(abi.encodePacked(cancel, address(this)));
        assertFalse(ok);
        assertEq(answer, abi.encodeWithSelector(IOrderRequest.NotTenant.selector, orderId, address(this)));
        // Nobody else is believed.
        (ok, answer) = address(orderRequest).call(abi.encodePacked(cancel, tenant));
        assertFalse(ok);
        assertEq(answer, abi.encodeWithSelector(IOrderRequest.NotTenant.selector, orderId, address(this)));
        vm.prank(address(signedCalls));
        (ok,) = address(orderRequest).call(abi.encodePacked(cancel, tenant));
        assertTrue(ok);
    }

    // ---- pause

    function test_aPauseStopsNewOrdersAndLetsEverybodyOut() public {
        uint32 orderId = _order(_spec());
        _fund(tenant, LOCK);
        marketPause.pause(1 days);
        bytes memory reason = abi.encodeWithSelector(IMarketPause.MarketPaused.selector, uint40(block.timestamp + 1 days));
        vm.startPrank(tenant);
        vm.expectRevert(reason);
        orderRequest.createOrder(_spec(), type(uint32).max);
        vm.expectRevert(reason);
        orderRequest.replaceOrder(orderId, _spec(), type(uint32).max);
        orderRequest.cancel(orderId);
        _enterRound(2, 1);
        orderRequest.refund(orderId);
        assertEq(escrow.balanceOf(tenant, USD), 2 * LOCK);
    }

    // ---- leases

    /// An order that the only machine took in the round it opened in.
    function _leased() private returns (uint32 orderId, uint32 round) {
        uint32 machineId = _machine(_provider(providerOwner));
        orderId = _order(_spec());
        round = _openNext();
        assertEq(_settle(round, _encode(_record(orderId, machineId, 1))), 1);
    }

    function test_reopenMakesTheOrderOfTheLeaseAnew() public {
        (uint32 orderId, uint32 round) = _leased();
        bytes32 lease = orderRequest.orderWord(orderId);
        bytes32 facts = orderRequest.factsWord();
        uint32 eligibleFrom = uint32(block.number) + BID_WINDOW;
        uint256 expected = (uint256(type(uint32).max) << 224) | (uint256(eligibleFrom) << 192) | (uint256(5_000_000) << 152)
            | (uint256(1000) << 128) | (uint256(4000) << 104) | (uint256(16_384) << 80) | (uint256(100) << 56) | (uint256(1) << 53)
            | (uint256(USD) << 32) | uint32(uint256(orderRequest.ownerWord(orderId)));
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.Fact(Slots.order(orderId), bytes32(expected));
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.OrderReopened(orderId, eligibleFrom);
        vm.prank(address(computeLease));
        assertEq(orderRequest.reopen(orderId), lease);
        assertEq(orderRequest.orderWord(orderId), bytes32(expected));
        assertEq(orderRequest.factsWord(), _fold(facts, Slots.order(orderId), bytes32(expected)));
        assertGt(eligibleFrom, matchPolicy.snapshotBlock(round), "the open round cannot take it again");
        assertEq(escrow.lockOf(orderId).locked, LOCK, "the lock is untouched");
    }

    function testFuzz_aReopenedOrderIsNeverInTheOpenSnapshot(uint256 offset, uint32 window) public {
        (uint32 orderId, uint32 round) = _leased();
        orderRequest.setBidWindowBlocks(uint32(bound(window, 0, 100)));
        _enterRound(round + 1, bound(offset, 0, 3 * ROUND_LENGTH));
        vm.prank(address(computeLease));
        orderRequest.reopen(orderId);
        uint256 eligibleFrom = uint32(uint256(orderRequest.orderWord(orderId)) >> 192);
        assertGt(eligibleFrom, matchPolicy.snapshotBlock(matchPolicy.openRound()));
    }

    function test_aLeaseIsRewrittenAsAFact() public {
        (uint32 orderId,) = _leased();
        bytes32 word = bytes32(uint256(orderRequest.orderWord(orderId)) + (uint256(1) << 152));
        bytes32 facts = orderRequest.factsWord();
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.Fact(Slots.order(orderId), word);
        vm.prank(address(computeLease));
        orderRequest.setLease(orderId, word);
        assertEq(orderRequest.orderWord(orderId), word);
        assertEq(orderRequest.factsWord(), _fold(facts, Slots.order(orderId), word));
        vm.prank(address(computeLease));
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotMatched.selector, orderId));
        orderRequest.setLease(orderId, bytes32(uint256(word) ^ (uint256(7) << 53)));
    }

    function test_settlementsLeaseNeedsAnOrderThatIsOpenNotEndedAndNotExpired() public {
        (uint32 leased,) = _leased();
        uint32 cancelled = _order(_spec());
        vm.prank(tenant);
        orderRequest.cancel(cancelled);
        uint32 untilRound = uint32(uint256(orderRequest.orderWord(cancelled)) >> 224);
        uint32 expired = _order(_spec());
        bytes32 word = orderRequest.orderWord(leased);
        bytes32 open = orderRequest.orderWord(expired);
        vm.startPrank(address(settlement));
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotOpened.selector, leased));
        orderRequest.setLease(leased, word);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotFound.selector, 99));
        orderRequest.setLease(99, word);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderAlreadyEnding.selector, cancelled, untilRound));
        orderRequest.setLease(cancelled, word);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotMatched.selector, expired));
        orderRequest.setLease(expired, open);
        vm.warp(block.timestamp + 30 days);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotOpened.selector, expired));
        orderRequest.setLease(expired, word);
        vm.warp(block.timestamp - 1);
        orderRequest.setLease(expired, word);
        assertEq(orderRequest.orderWord(expired), word);
    }

    // ---- bids

    function test_aBidIsAFactAndCountedOnce() public {
        uint32 orderId = _order(_spec());
        bytes32 facts = orderRequest.factsWord();
        bytes32 counted = bytes32(uint256(orderRequest.orderWord(orderId)) | (uint256(1) << 144));
        vm.startPrank(address(bid));
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.Fact(Slots.order(orderId), counted);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.Fact(Slots.bid(orderId, 0), bytes32(uint256(77)));
        orderRequest.setBid(orderId, 0, bytes32(uint256(77)));
        facts = _fold(_fold(facts, Slots.order(orderId), counted), Slots.bid(orderId, 0), bytes32(uint256(77)));
        orderRequest.setBid(orderId, 0, bytes32(uint256(78)));
        facts = _fold(facts, Slots.bid(orderId, 0), bytes32(uint256(78)));
        assertEq(orderRequest.orderWord(orderId), counted, "a bid that is replaced counts no second time");
        assertEq(orderRequest.bidWord(orderId, 0), bytes32(uint256(78)));
        assertEq(orderRequest.factsWord(), facts);
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.BidIndexInvalid.selector, orderId, 2));
        orderRequest.setBid(orderId, 2, bytes32(uint256(79)));
    }

    function test_theCountOfBidsNeverOverflows() public {
        uint32 orderId = _order(_spec());
        uint256 word = uint256(orderRequest.orderWord(orderId));
        vm.startPrank(address(bid));
        for (uint256 i; i < 255; ++i) {
            orderRequest.setBid(orderId, uint8(i), bytes32(i + 1));
        }
        assertEq(uint256(orderRequest.orderWord(orderId)), word | (uint256(255) << 144));
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.BidIndexInvalid.selector, orderId, 255));
        orderRequest.setBid(orderId, 255, bytes32(uint256(1)));
    }

    function test_onlyAnOpenOrderTakesBids() public {
        (uint32 orderId,) = _leased();
        vm.startPrank(address(bid));
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotOpened.selector, orderId));
        orderRequest.setBid(orderId, 0, bytes32(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.OrderNotFound.selector, 99));
        orderRequest.setBid(99, 0, bytes32(uint256(1)));
    }

    function test_theBidWindowIsGovernanceAndBounded() public {
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, tenant));
        orderRequest.setBidWindowBlocks(1);
        uint32 maximum = orderRequest.MAX_BID_WINDOW_BLOCKS();
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.BidWindowTooLong.selector, maximum + 1, maximum));
        orderRequest.setBidWindowBlocks(maximum + 1);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.BidWindowUpdated(9);
        orderRequest.setBidWindowBlocks(9);
        assertEq(uint32(uint256(orderRequest.orderWord(_order(_spec()))) >> 192), block.number + 9);
    }
}
