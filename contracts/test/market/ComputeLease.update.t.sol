// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IComputeLease, LeaseEnd, LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { IEscrow } from "../../src/market/IEscrow.sol";
import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { SkipReason } from "../../src/market/MarketTypes.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { ComputeLeaseFixture } from "./ComputeLeaseFixture.sol";

/// @notice Updates: asked for by the tenant, accepted by the provider, earned before and after to the unit.
contract ComputeLeaseUpdateTest is ComputeLeaseFixture {
    function setUp() public override {
        super.setUp();
        _confirmed();
    }

    function _larger() private view returns (LeaseUpdate memory update) {
        update = _sameSize();
        (update.milliGpu, update.cpuMilli, update.memoryMib, update.storageGib) = (2000, 8000, 32_768, 200);
        update.maxPriceMicroPerHour = 3_000_000;
    }

    function _smaller() private view returns (LeaseUpdate memory update) {
        update = _sameSize();
        (update.milliGpu, update.cpuMilli, update.memoryMib, update.storageGib) = (500, 2000, 8192, 50);
        update.maxPriceMicroPerHour = 500_000;
    }

    // ---- asking

    function test_theTenantAsksReplacesAndTakesBack() public {
        LeaseUpdate memory update = _larger();
        vm.expectEmit(address(computeLease));
        emit IComputeLease.LeaseUpdateRequested(order, tenant, update);
        _request(update);
        assertEq(abi.encode(computeLease.pendingUpdate(order)), abi.encode(update));
        update.maxPriceMicroPerHour = 2_000_000;
        _request(update);
        assertEq(abi.encode(computeLease.pendingUpdate(order)), abi.encode(update));
        vm.startPrank(tenant);
        vm.expectEmit(address(computeLease));
        emit IComputeLease.LeaseUpdateCancelled(order);
        computeLease.cancelUpdate(order);
        assertEq(computeLease.pendingUpdate(order).manifestHash, 0);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.UpdateNotRequested.selector, order));
        computeLease.cancelUpdate(order);
    }

    function test_onlyTheTenantAsks() public {
        LeaseUpdate memory update = _larger();
        vm.startPrank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyTenant.selector, order, providerOwner));
        computeLease.requestUpdate(order, update);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyTenant.selector, order, providerOwner));
        computeLease.cancelUpdate(order);
        vm.stopPrank();
        update.cpuMilli = 0;
        vm.startPrank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseFieldInvalid.selector, "cpuMilli"));
        computeLease.requestUpdate(order, update);
        vm.warp(start + DURATION);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.DeadlinePassed.selector, order, start + DURATION));
        computeLease.requestUpdate(order, update);
    }

    function test_onlyAConfirmedLeaseIsUpdated() public {
        order = _order(_spec());
        assertEq(_settle(_openNext(), _encode(_record(order, machine, 2))), 1);
        LeaseUpdate memory update = _larger();
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.NotReady.selector, order));
        computeLease.requestUpdate(order, update);
        _ready();
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.NotConfirmed.selector, order));
        computeLease.requestUpdate(order, update);
    }

    // ---- accepting

    function test_theProviderAcceptsWhatStands() public {
        LeaseUpdate memory first = _larger();
        vm.startPrank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.UpdateNotRequested.selector, order));
        computeLease.acceptUpdate(order, keccak256(abi.encode(first)), 1, 3, _defaultPolicy());
        vm.stopPrank();
        _request(first);
        LeaseUpdate memory second = _larger();
        second.memoryMib += 1;
        _request(second);
        vm.startPrank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.UpdateNotRequested.selector, order));
        computeLease.acceptUpdate(order, keccak256(abi.encode(first)), 1, 3, _defaultPolicy());
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.PriceAboveConsent.selector, 3_000_001, 3_000_000));
        computeLease.acceptUpdate(order, keccak256(abi.encode(second)), 3_000_001, 3, _defaultPolicy());
        vm.stopPrank();
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyProvider.selector, order, tenant));
        computeLease.acceptUpdate(order, keccak256(abi.encode(second)), 1, 3, _defaultPolicy());
        vm.warp(start + DURATION);
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.DeadlinePassed.selector, order, start + DURATION));
        computeLease.acceptUpdate(order, keccak256(abi.encode(second)), 1, 3, _defaultPolicy());
        vm.warp(start + DURATION - 1);
        _accept(second, 3_000_000, 3);
        assertEq(computeLease.pendingUpdate(order).manifestHash, 0, "accepted once");
    }

    function test_aNewManifestAloneMovesNothing() public {
        bytes32 word = orderRequest.orderWord(order);
        uint256 machineBefore = _machineWord(machine);
        LeaseUpdate memory update = _sameSize();
        _request(update);
        vm.warp(start + 1000);
        vm.expectEmit(address(computeLease));
        emit IComputeLease.LeaseUpdated(order, provider, PRICE, word, update.manifestHash);
        _accept(update, PRICE, 1);
        assertEq(orderRequest.orderWord(order), word);
        assertEq(_machineWord(machine), machineBefore);
        assertEq(computeLease.getLease(order).manifestHash, update.manifestHash);
        assertEq(computeLease.accrued(order), _earned(1000));
    }

    function test_aLargerLeasePassesTheGateAndTakesCapacity() public {
        uint256 before = _machineWord(machine);
        LeaseUpdate memory update = _larger();
        _request(update);
        vm.warp(start + 1800);
        _accept(update, 3_000_000, 3);
        uint256 added = (uint256(16_384) << 120) | (uint256(4000) << 100) | (uint256(100) << 80) | (uint256(1000) << 10);
        assertEq(_machineWord(machine), before - added);
        OrderWord word = OrderWord.wrap(uint256(orderRequest.orderWord(order)));
        assertEq(word.milliGpu(), 2000);
        assertEq(word.deviceMask(), 3);
        assertEq(word.cpuMilli(), 8000);
        assertEq(word.priceMicroPerHour(), 3_000_000);
        assertEq(word.matchedAt(), start, "the match stays");

        // Half an hour at the old price is fixed; the rest of the time costs the new one.
        uint256 cost = PRICE / 2 + (3_000_000 * (DURATION - 1800) + 3599) / 3600;
        assertEq(escrow.lockOf(order).locked, cost + (cost * 200 + 9999) / 10_000);
        vm.warp(start + 1800 + 3600);
        assertEq(computeLease.accrued(order), PRICE / 2 + 3_000_000);
        _close(tenant);
        _assertSettled(PRICE / 2 + 3_000_000);
        assertEq(_machineWord(machine), before - added + added + _need(16_384, 4000, 100, 1000), "all of it is back");
    }

    function _need(uint256 memoryMib, uint256 cpuMilli, uint256 storageGib, uint256 devices) private pure returns (uint256) {
        return (memoryMib << 120) | (cpuMilli << 100) | (storageGib << 80) | devices;
    }

    function test_aSmallerLeaseIsFreeAtOnceWithoutTheGate() public {
        uint256 before = _machineWord(machine);
        LeaseUpdate memory update = _smaller();
        _request(update);
        // A round that nobody has settled: the gate is shut, and the machine has left the market.
        vm.prank(providerOwner);
        providerRegistry.deactivateMachine(machine);
        _rollTo(vm.getBlockNumber() + 3 * ROUND_LENGTH);
        uint256 elapsed = block.timestamp - start;
        _accept(update, 400_000, 1);
        assertEq(
            _machineWord(machine) & type(uint144).max,
            (before & type(uint144).max) + _need(8192, 2000, 50, 500),
            "half of everything is back"
        );
        uint256 cost = _earned(elapsed) + (400_000 * (DURATION - elapsed) + 3599) / 3600;
        assertEq(escrow.lockOf(order).locked, cost + (cost * 200 + 9999) / 10_000, "what is over came back");
    }

    function test_growthWaitsForTheGate() public {
        LeaseUpdate memory update = _larger();
        _request(update);
        _rollTo(vm.getBlockNumber() + 3 * ROUND_LENGTH);
        vm.prank(providerOwner);
        vm.expectPartialRevert(IMatchSettlement.GateClosed.selector);
        computeLease.acceptUpdate(order, keccak256(abi.encode(update)), 3_000_000, 3, _defaultPolicy());
    }

    function test_theDevicesFollowTheRuleOfTheRecord() public {
        LeaseUpdate memory update = _larger();
        _request(update);
        uint8[4] memory wrong = [0, 1, 7, 8];
        for (uint256 i; i < wrong.length; ++i) {
            vm.prank(providerOwner);
            vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CapacityRefused.selector, machine, SkipReason.DeviceMask));
            computeLease.acceptUpdate(order, keccak256(abi.encode(update)), 3_000_000, wrong[i], _defaultPolicy());
        }
        update = _smaller();
        _request(update);
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CapacityRefused.selector, machine, SkipReason.DeviceMask));
        computeLease.acceptUpdate(order, keccak256(abi.encode(update)), 500_000, 0, _defaultPolicy());
        // Another device is a new reservation, also for a smaller lease.
        _accept(update, 500_000, 128);
        update = _sameSize();
        update.cpuMilli = 65_000;
        _request(update);
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CapacityRefused.selector, machine, SkipReason.MachineCapacity));
        computeLease.acceptUpdate(order, keccak256(abi.encode(update)), 1, 128, _defaultPolicy());
    }

    function test_aLeaseMayGiveUpItsDevices() public {
        LeaseUpdate memory update = _sameSize();
        update.milliGpu = 0;
        _request(update);
        uint256 before = _machineWord(machine);
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CapacityRefused.selector, machine, SkipReason.DeviceMask));
        computeLease.acceptUpdate(order, keccak256(abi.encode(update)), PRICE, 1, _defaultPolicy());
        _accept(update, PRICE, 0);
        assertEq(_machineWord(machine), before + 1000);
    }

    function test_anUpdateThatTheTenantCannotPayChangesNothing() public {
        LeaseUpdate memory update = _larger();
        update.maxPriceMicroPerHour = 60_000_000;
        _request(update);
        bytes32 word = orderRequest.orderWord(order);
        uint256 before = _machineWord(machine);
        vm.prank(providerOwner);
        vm.expectPartialRevert(IEscrow.InsufficientBalance.selector);
        computeLease.acceptUpdate(order, keccak256(abi.encode(update)), 60_000_000, 3, _defaultPolicy());
        assertEq(orderRequest.orderWord(order), word);
        assertEq(_machineWord(machine), before);
    }

    // ---- several

    function test_downAndUpAgainEarnsEachSegment() public {
        uint256 before = _machineWord(machine);
        LeaseUpdate memory down = _smaller();
        _request(down);
        vm.warp(start + 1001);
        _accept(down, 400_000, 1);
        computeLease.claim(order);
        LeaseUpdate memory up = _larger();
        _request(up);
        vm.warp(start + 2003);
        _accept(up, 2_999_999, 5);
        vm.warp(start + 3007);
        uint256 first = _earned(1001);
        uint256 second = uint256(400_000) * 1002 / 3600;
        uint256 third = uint256(2_999_999) * 1004 / 3600;
        assertEq(computeLease.accrued(order), first + second + third, "each segment rounds down once");
        _close(tenant);
        _assertSettled(first + second + third);
        assertEq(_machineWord(machine), before + _need(16_384, 4000, 100, 1000));
    }

    function test_aLeaseThatEndsTakesItsRequestAlong() public {
        LeaseUpdate memory update = _larger();
        _request(update);
        vm.warp(start + 3600);
        _close(tenant);
        assertEq(computeLease.pendingUpdate(order).manifestHash, 0);
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, order));
        computeLease.acceptUpdate(order, keccak256(abi.encode(update)), 3_000_000, 3, _defaultPolicy());
        _assertSettled(PRICE);
    }

    /// Renewal and top-up after an update are at the price of now.
    function test_paidTimeAfterAnUpdateCostsTheNewPrice() public {
        LeaseUpdate memory update = _sameSize();
        update.maxPriceMicroPerHour = 2_000_000;
        _request(update);
        vm.warp(start + 3600);
        _accept(update, 2_000_000, 1);
        vm.warp(start + 7200);
        vm.prank(tenant);
        computeLease.renewLease(order, 60);
        vm.prank(tenant);
        computeLease.topUp(order, 60);
        uint256 cost = uint256(PRICE) + 2_000_000 * 3;
        assertEq(escrow.lockOf(order).locked, cost + cost / 50 + (cost % 50 == 0 ? 0 : 1));
        (, uint256 deadline) = _deadline();
        assertEq(deadline, start + 4 * 3600);
        vm.warp(deadline);
        computeLease.endLease(order);
        _assertSettled(cost);
        assertEq(uint8(computeLease.getLease(order).end), uint8(LeaseEnd.PaidThrough));
    }

    /// S15: the price is never above the ceiling of the order or of the update that replaced it.
    function testFuzz_S15_noPriceAboveConsent(uint40 ceiling, uint40 price) public {
        LeaseUpdate memory update = _sameSize();
        update.maxPriceMicroPerHour = uint40(bound(ceiling, 1, 5_000_000));
        price = uint40(bound(price, 0, 6_000_000));
        _request(update);
        if (price > update.maxPriceMicroPerHour) {
            vm.prank(providerOwner);
            vm.expectRevert(abi.encodeWithSelector(IComputeLease.PriceAboveConsent.selector, price, update.maxPriceMicroPerHour));
            computeLease.acceptUpdate(order, keccak256(abi.encode(update)), price, 1, _defaultPolicy());
        } else {
            _accept(update, price, 1);
            assertEq(computeLease.getLease(order).priceMicroPerHour, price);
            vm.warp(start + DURATION);
            computeLease.endLease(order);
            _assertSettled(uint256(price) * 10);
        }
    }
}
