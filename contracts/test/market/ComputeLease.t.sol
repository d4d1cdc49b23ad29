// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IComputeLease } from "../../src/market/IComputeLease.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { OrderSpec, OrderState } from "../../src/market/MarketTypes.sol";
import { Slots } from "../../src/words/Slots.sol";
import { MarketBase } from "../MarketBase.t.sol";

contract ComputeLeaseTest is MarketBase {
    uint256 private constant LOCK = 50_000_000;
    uint40 private constant PRICE = 1_056_976;

    uint24 private provider;
    uint32 private machine;
    uint32 private order;
    uint256 private start;

    function setUp() public override {
        super.setUp();
        provider = _provider(providerOwner);
        machine = _machine(provider);
        order = _order(_spec());
        uint32 round = _openNext();
        assertEq(_settle(round, _encode(_record(order, machine, 1))), 1);
        start = block.timestamp;
    }

    function test_theMatchIsTheLease() public view {
        IComputeLease.Lease memory lease = computeLease.getLease(order);
        assertEq(lease.orderId, order);
        assertEq(lease.machineId, machine);
        assertEq(lease.providerId, provider);
        assertEq(lease.tenant, tenant);
        assertEq(lease.tokenId, USD);
        assertEq(lease.priceMicroPerHour, PRICE);
        assertEq(lease.startTime, start);
        assertEq(lease.endTime, start + 600 minutes);
        assertEq(lease.state, uint8(OrderState.Matched));
    }

    function test_anOrderWithoutLeaseHasNone() public {
        uint32 open = _order(_spec());
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, open));
        computeLease.getLease(open);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, open));
        computeLease.claim(open);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, 99));
        computeLease.closeLease(99);
    }

    function test_anOrderThatWasRefundedIsNoLease() public {
        uint32 cancelled = _order(_spec());
        vm.prank(tenant);
        orderRequest.cancel(cancelled);
        _enterRound(matchPolicy.fromRoundNow(), 1);
        orderRequest.refund(cancelled);
        assertEq(_state(cancelled), uint256(OrderState.Closed));
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, cancelled));
        computeLease.getLease(cancelled);
    }

    function test_claimCreditsWhatAccruedAndNoMore() public {
        vm.warp(start + 1800);
        assertEq(computeLease.accrued(order), PRICE / 2);
        assertEq(computeLease.claim(order), PRICE / 2);
        assertEq(computeLease.claim(order), 0);
        vm.warp(start + 3600);
        assertEq(computeLease.claim(order), PRICE - PRICE / 2, "rounded from the start, not from the last claim");
        assertEq(escrow.balanceOf(providerOwner, USD), PRICE);
        vm.warp(start + 700 minutes);
        computeLease.claim(order);
        assertEq(escrow.balanceOf(providerOwner, USD), uint256(PRICE) * 10, "accrual stops at the end of the paid time");
    }

    function test_closePaysReturnsAndFrees() public {
        uint256 before = _machineWord(machine);
        vm.warp(start + 3600);
        vm.expectEmit(address(computeLease));
        emit IComputeLease.LeaseClosed(order, provider, tenant, uint32(start + 3600));
        vm.prank(tenant);
        computeLease.closeLease(order);
        assertEq(escrow.balanceOf(providerOwner, USD), PRICE);
        assertEq(escrow.balanceOf(tenant, USD), LOCK - PRICE);
        assertEq(_state(order), uint256(OrderState.Closed));
        uint256 need = (uint256(16_384) << 120) | (uint256(4000) << 100) | (uint256(100) << 80) | 1000;
        assertEq(_machineWord(machine), before + need, "capacity is back");

        vm.warp(start + 7200);
        IComputeLease.Lease memory lease = computeLease.getLease(order);
        assertEq(lease.state, uint8(OrderState.Closed));
        assertEq(lease.endTime, start + 3600);
        assertEq(computeLease.accrued(order), PRICE, "a closed lease earns nothing");
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, order));
        computeLease.claim(order);
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, order));
        computeLease.closeLease(order);
    }

    function test_closeFoldsTheOrdersWord() public {
        bytes32 facts = orderRequest.factsWord();
        bytes32 closed = bytes32((uint256(orderRequest.orderWord(order)) & ~(uint256(7) << 53)) | (uint256(3) << 53));
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.Fact(Slots.order(order), closed);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.OrderMarkedAsClosed(order);
        vm.prank(tenant);
        computeLease.closeLease(order);
        assertEq(orderRequest.orderWord(order), closed);
        uint256 accumulator = uint256(keccak256(abi.encodePacked(facts, bytes32(Slots.order(order)), closed))) >> 48;
        assertEq(uint256(orderRequest.factsWord()) >> 48, accumulator);
    }

    function test_theProviderMayClose() public {
        vm.prank(providerOwner);
        computeLease.closeLease(order);
        assertEq(_state(order), uint256(OrderState.Closed));
        assertEq(escrow.balanceOf(tenant, USD), LOCK, "no second passed");
    }

    function test_othersCloseOnlyOnceThePaidTimeIsOver() public {
        vm.warp(start + 600 minutes - 1);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyTenantOrProvider.selector, order, address(this)));
        computeLease.closeLease(order);
        vm.warp(start + 900 minutes);
        computeLease.closeLease(order);
        assertEq(computeLease.getLease(order).endTime, start + 600 minutes);
        assertEq(escrow.balanceOf(providerOwner, USD), uint256(PRICE) * 10);
        assertEq(escrow.balanceOf(tenant, USD), LOCK - uint256(PRICE) * 10);
    }

    function test_thePaidTimeIsOverInItsLastSecond() public {
        vm.warp(start + 600 minutes);
        computeLease.closeLease(order);
        assertEq(computeLease.getLease(order).endTime, start + 600 minutes);
    }

    /// Claims at any moments add up to one rounding down, and tenant and provider share the lock without a rest.
    function testFuzz_claimsNeverLoseOrGain(uint256 firstSeconds, uint256 secondSeconds, uint256 lastSeconds) public {
        firstSeconds = bound(firstSeconds, 0, 40_000);
        secondSeconds = bound(secondSeconds, firstSeconds, 40_000);
        lastSeconds = bound(lastSeconds, secondSeconds, 40_000);
        vm.warp(start + firstSeconds);
        computeLease.claim(order);
        vm.warp(start + secondSeconds);
        computeLease.claim(order);
        vm.warp(start + lastSeconds);
        vm.prank(tenant);
        computeLease.closeLease(order);
        uint256 earned = uint256(PRICE) * (lastSeconds < 36_000 ? lastSeconds : 36_000) / 3600;
        assertEq(escrow.balanceOf(providerOwner, USD), earned);
        assertEq(escrow.balanceOf(tenant, USD), LOCK - earned);
    }

    function testFuzz_theHighestPriceNeverExceedsTheLock(uint40 maxPrice, uint24 durationMinutes) public {
        OrderSpec memory spec = _spec();
        spec.maxPriceMicroPerHour = uint40(bound(maxPrice, PRICE, (1 << 39) - 1));
        spec.durationMinutes = uint24(bound(durationMinutes, 1, type(uint24).max));
        _fund(tenant, 1 << 70);
        vm.prank(tenant);
        uint32 orderId = orderRequest.createOrder(spec, type(uint32).max);
        // A lease at exactly the highest price, as settlement would write it.
        uint256 lease = (block.timestamp << 224) | (uint256(machine) << 192) | (uint256(spec.maxPriceMicroPerHour) << 152)
            | (uint256(4) << 53) | (uint256(USD) << 32) | (uint256(provider) << 8);
        vm.store(address(orderRequest), bytes32(Slots.order(orderId)), bytes32(lease));
        vm.warp(block.timestamp + uint256(spec.durationMinutes) * 60);
        (uint96 locked,,) = escrow.lockOf(orderId);
        uint256 paid = computeLease.claim(orderId);
        assertLe(paid, locked);
        assertLe(locked - paid, 1, "and uses all of it but a fraction");
    }
}
