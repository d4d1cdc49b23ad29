// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBid } from "../../src/market/IBid.sol";
import { IComputeLease, LeaseEnd, LeaseTerms } from "../../src/market/IComputeLease.sol";
import { IEscrow } from "../../src/market/IEscrow.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { OrderState, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { MachineWord, MachineWordLib } from "../../src/words/MachineWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { ComputeLeaseFixture } from "./ComputeLeaseFixture.sol";

/// @notice Every way a lease can end, in every state, and what is due then.
contract ComputeLeaseEndTest is ComputeLeaseFixture {
    uint256 private constant NEED = (uint256(16_384) << 120) | (uint256(4000) << 100) | (uint256(100) << 80) | 1000;

    uint256 private inUse;

    function setUp() public override {
        super.setUp();
        inUse = _machineWord(machine);
    }

    function _expectClosed(uint256 endTime, LeaseEnd end, uint256 accrued) private {
        vm.expectEmit(address(computeLease));
        emit IComputeLease.LeaseClosed(order, provider, tenant, uint32(endTime), end, uint96(accrued));
    }

    function _assertEnded(uint256 endTime, LeaseEnd end, uint256 accrued) private {
        IComputeLease.Lease memory lease = computeLease.getLease(order);
        assertEq(lease.state, uint8(OrderState.Closed));
        assertEq(uint8(lease.end), uint8(end));
        assertEq(lease.endTime, endTime);
        assertEq(lease.durationMinutes, 600);
        assertEq(uint144(_machineWord(machine)), uint144(inUse + NEED), "capacity is back");
        _assertSettled(accrued);
        vm.warp(block.timestamp + 7200);
        assertEq(computeLease.accrued(order), accrued, "nothing accrues after the end");
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, order));
        computeLease.endLease(order);
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, order));
        computeLease.closeLease(order);
    }

    function _assertOpenAgain() private view {
        assertEq(_state(order), uint256(OrderState.Open));
        uint32 next = matchPolicy.fromRoundNow();
        MachineWord expected = MachineWord.wrap(inUse + NEED).withActiveUntilRound(next);
        assertEq(_machineWord(machine), MachineWord.unwrap(expected), "capacity is back, and the machine leaves the market");
        assertEq(escrow.lockOf(order).locked, LOCK, "the lock is whole");
        assertEq(escrow.lockOf(order).spent, 0);
        assertFalse(escrow.lockOf(order).released);
    }

    function test_strangersCannotClose() public {
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyTenantOrProvider.selector, order, address(this)));
        computeLease.closeLease(order);
    }

    // ---- before ready

    function test_aTenantThatClosesBeforeReadyPaysNothing() public {
        _announce();
        vm.warp(start + 599);
        _expectClosed(start + 599, LeaseEnd.ByTenant, 0);
        _close(tenant);
        _assertEnded(start + 599, LeaseEnd.ByTenant, 0);
    }

    function test_aTenantMayCloseWhatIsNotReadyInTimeToo() public {
        vm.warp(start + 10_000);
        _close(tenant);
        _assertEnded(start + 10_000, LeaseEnd.ByTenant, 0);
    }

    function test_aLeaseThatIsNotReadyInTimeGoesBackToMatching() public {
        _announce();
        vm.warp(start + 600);
        vm.expectEmit(true, false, false, false, address(orderRequest));
        emit IOrderRequest.OrderReopened(order, 0);
        _expectClosed(start + 600, LeaseEnd.NotReady, 0);
        computeLease.endLease(order);
        _assertOpenAgain();
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, order));
        computeLease.getLease(order);
    }

    function test_aProviderThatGivesUpBeforeReadyIsAtFaultAtOnce() public {
        _expectClosed(start, LeaseEnd.NotReady, 0);
        _close(providerOwner);
        _assertOpenAgain();
    }

    /// Whoever ends it: a machine that was not ready in time is out until its owner brings it back, and no other end puts it out.
    function test_onlyAProviderThatIsNotReadyLosesItsPlaceInTheMarket() public {
        uint256 snapshot = vm.snapshotState();
        vm.warp(start + 600);
        _close(tenant);
        _assertStandsDown(true);
        vm.prank(providerOwner);
        providerRegistry.activateMachine(machine);
        _assertStandsDown(false);
        vm.revertToState(snapshot);
        vm.warp(start + 599);
        _close(tenant);
        _assertStandsDown(false);
        vm.revertToState(snapshot);
        _ready();
        vm.warp(start + 5000);
        computeLease.endLease(order);
        _assertStandsDown(false);
    }

    function _assertStandsDown(bool expected) private view {
        assertEq(MachineWord.wrap(_machineWord(machine)).activeUntilRound() != MachineWordLib.NO_ROUND, expected);
    }

    /// Nothing of the first lease is left in the second, which another provider serves at another price.
    function test_theNextLeaseOfAReopenedOrderBeginsClean() public {
        _announce();
        vm.warp(start + 600);
        computeLease.endLease(order);

        address other = makeAddr("other provider");
        uint32 second = _machine(_provider(other));
        RecordFields memory record = _record(order, second, 4);
        assertEq(_settle(_openNext(), _encode(record)), 1);
        uint256 again = block.timestamp;
        IComputeLease.Lease memory lease = computeLease.getLease(order);
        assertEq(lease.matchedAt, again);
        assertEq(lease.machineId, second);
        assertEq(lease.readyAt, 0);
        assertEq(lease.confirmedAt, 0);
        assertEq(lease.endTime, 0);
        assertEq(lease.manifestHash, 0);
        assertEq(uint8(lease.end), uint8(LeaseEnd.None));
        assertEq(computeLease.accrued(order), 0);
        (LeaseEnd reason, uint256 deadline) = _deadline();
        assertEq(uint8(reason), uint8(LeaseEnd.NotReady));
        assertEq(deadline, again + 600);
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyProvider.selector, order, providerOwner));
        computeLease.markReady(order);

        _confirm(order);
        vm.warp(again + 3600);
        computeLease.claim(order);
        assertEq(escrow.lockOf(order).accruedPaid, PRICE);
        assertEq(escrow.balanceOf(providerOwner, USD), 0);
        _close(tenant);
        assertEq(escrow.balanceOf(tenant, USD), LOCK - PRICE - PRICE / 50);
    }

    function test_aReopenedOrderThatExpiredIsRefundedAsUsual() public {
        vm.warp(start + 31 days);
        computeLease.endLease(order);
        orderRequest.expire(order);
        _enterRound(matchPolicy.fromRoundNow(), 1);
        orderRequest.refund(order);
        assertEq(escrow.balanceOf(tenant, USD), LOCK);
    }

    // ---- bonds

    /// An order that the provider wins by a bid below its offer, with the bond of 1 USD.
    function _leaseByBid() private {
        order = _order(_spec());
        _fund(providerOwner, 1_000_000);
        vm.prank(providerOwner);
        bid.placeBid(order, machine, 1_000_000);
        RecordFields memory record = _record(order, machine, 2);
        (record.priceMicroPerHour, record.fromBid) = (1_000_000, true);
        assertEq(_settle(_openNext(), _encode(record)), 1);
        start = block.timestamp;
        assertEq(escrow.balanceOf(providerOwner, USD), 0);
    }

    function test_theBondOfAWinnerThatIsNotReadyIsTheTenants() public {
        _leaseByBid();
        vm.warp(start + 600);
        vm.expectEmit(address(bid));
        emit IBid.BondForfeited(order, provider, tenant, 1_000_000);
        computeLease.endLease(order);
        assertEq(escrow.balanceOf(tenant, USD), 1_000_000);
    }

    function test_aWinnerThatGivesUpForfeitsToo() public {
        _leaseByBid();
        _close(providerOwner);
        assertEq(_state(order), uint256(OrderState.Open));
        assertEq(escrow.balanceOf(tenant, USD), 1_000_000);
    }

    function test_aTenantThatClosesALateLeaseGetsTheBondAndAnEarlyOneDoesNot() public {
        _leaseByBid();
        uint256 snapshot = vm.snapshotState();
        vm.warp(start + 600);
        _close(tenant);
        assertEq(escrow.balanceOf(tenant, USD), LOCK + 1_000_000);
        vm.revertToState(snapshot);
        vm.warp(start + 599);
        _close(tenant);
        assertEq(escrow.balanceOf(tenant, USD), LOCK);
        bid.releaseBond(order, provider);
        assertEq(escrow.balanceOf(providerOwner, USD), 1_000_000);
    }

    function test_aWinnerThatWasReadyKeepsItsBond() public {
        _leaseByBid();
        _ready();
        bid.releaseBond(order, provider);
        assertEq(escrow.balanceOf(providerOwner, USD), 1_000_000);
        vm.warp(start + 300);
        computeLease.endLease(order);
        assertEq(_state(order), uint256(OrderState.Closed));
    }

    // ---- ready, without manifest

    function test_withoutManifestTheMinimumIsDue() public {
        _ready();
        vm.warp(start + 300);
        _expectClosed(start + 300, LeaseEnd.NoManifest, _earned(60));
        computeLease.endLease(order);
        _assertEnded(start + 300, LeaseEnd.NoManifest, _earned(60));
    }

    function test_whoeverClosesALeaseWithoutManifestTheFaultDecides() public {
        _ready();
        vm.warp(start + 5000);
        uint256 snapshot = vm.snapshotState();
        _close(providerOwner);
        _assertEnded(start + 5000, LeaseEnd.NoManifest, _earned(60));
        vm.revertToState(snapshot);
        _close(tenant);
        _assertEnded(start + 5000, LeaseEnd.NoManifest, _earned(60));
    }

    // ---- ready and announced, not confirmed

    function test_withoutConfirmationNothingIsDue() public {
        _ready();
        _announce();
        vm.warp(start + 600);
        _expectClosed(start + 600, LeaseEnd.NotConfirmed, 0);
        computeLease.endLease(order);
        _assertEnded(start + 600, LeaseEnd.NotConfirmed, 0);
    }

    function test_whoeverClosesALeaseWithoutConfirmationTheFaultDecides() public {
        _ready();
        _announce();
        vm.warp(start + 601);
        uint256 snapshot = vm.snapshotState();
        _close(tenant);
        _assertEnded(start + 601, LeaseEnd.NotConfirmed, 0);
        vm.revertToState(snapshot);
        _close(providerOwner);
        _assertEnded(start + 601, LeaseEnd.NotConfirmed, 0);
    }

    function test_aProviderThatClosesBeforeConfirmationGetsNothing() public {
        _ready();
        vm.warp(start + 200);
        _expectClosed(start + 200, LeaseEnd.ByProvider, 0);
        _close(providerOwner);
        _assertEnded(start + 200, LeaseEnd.ByProvider, 0);
    }

    function test_aTenantThatClosesAfterReadyPaysTheMinimumOrWhatAccrued() public {
        _ready();
        uint256 snapshot = vm.snapshotState();
        _close(tenant);
        _assertEnded(start, LeaseEnd.ByTenant, _earned(60));
        vm.revertToState(snapshot);
        vm.warp(start + 59);
        _close(tenant);
        _assertEnded(start + 59, LeaseEnd.ByTenant, _earned(60));
        vm.revertToState(snapshot);
        vm.warp(start + 61);
        _close(tenant);
        _assertEnded(start + 61, LeaseEnd.ByTenant, _earned(61));
    }

    // ---- confirmed

    /// dt == 0: a lease that begins, is claimed and closed in one second.
    function test_everythingInOneSecondIsANormalLease() public {
        _confirmed();
        assertEq(computeLease.claim(order), 0);
        assertEq(computeLease.releaseExcess(order), LOCK - _whole());
        assertEq(computeLease.releaseExcess(order), 0);
        _close(providerOwner);
        _assertEnded(start, LeaseEnd.ByProvider, 0);
    }

    /// Cost of the whole paid time at the lease's price, and its fee, each rounded up.
    function _whole() private pure returns (uint256) {
        uint256 cost = (uint256(PRICE) * DURATION + 3599) / 3600;
        return cost + (cost * 200 + 9999) / 10_000;
    }

    function test_aTenantThatClosesPaysWhatAccrued() public {
        _confirmed();
        vm.warp(start + 3600);
        _expectClosed(start + 3600, LeaseEnd.ByTenant, PRICE);
        _close(tenant);
        _assertEnded(start + 3600, LeaseEnd.ByTenant, PRICE);
    }

    function test_aProviderThatClosesGetsWhatAccruedAndNoMinimum() public {
        _confirmed();
        vm.warp(start + 7);
        _expectClosed(start + 7, LeaseEnd.ByProvider, _earned(7));
        _close(providerOwner);
        _assertEnded(start + 7, LeaseEnd.ByProvider, _earned(7));
    }

    function test_anyoneEndsALeaseWhosePaidTimeIsOver() public {
        _confirmed();
        vm.warp(start + DURATION);
        _expectClosed(start + DURATION, LeaseEnd.PaidThrough, uint256(PRICE) * 10);
        computeLease.endLease(order);
        _assertEnded(start + DURATION, LeaseEnd.PaidThrough, uint256(PRICE) * 10);
    }

    function test_accrualStopsWithThePaidTimeHoweverLateTheEndComes() public {
        _confirmed();
        vm.warp(start + DURATION + 30 days);
        _expectClosed(start + DURATION, LeaseEnd.PaidThrough, uint256(PRICE) * 10);
        _close(tenant);
        _assertEnded(start + DURATION, LeaseEnd.PaidThrough, uint256(PRICE) * 10);
    }

    // ---- providers that the market has put out

    function test_noMinimumIsDueToAProviderThatWasPutOut() public {
        _ready();
        ProviderStatus[2] memory out = [ProviderStatus.Suspended, ProviderStatus.Deactivated];
        uint256 snapshot = vm.snapshotState();
        for (uint256 i; i < out.length; ++i) {
            providerRegistry.setProviderStatus(provider, out[i]);
            vm.warp(start + 7);
            _close(tenant);
            _assertEnded(start + 7, LeaseEnd.ByTenant, _earned(7));
            vm.revertToState(snapshot);
            providerRegistry.setProviderStatus(provider, out[i]);
            vm.warp(start + 300);
            computeLease.endLease(order);
            _assertEnded(start + 300, LeaseEnd.NoManifest, 0);
            vm.revertToState(snapshot);
        }
        vm.prank(providerOwner);
        providerRegistry.setMaintenance(provider, true);
        _close(tenant);
        _assertEnded(start, LeaseEnd.ByTenant, _earned(60));
    }

    // ---- the minimum charge is never more than the whole

    function test_theMinimumChargeIsNeverMoreThanTheWhole() public {
        LeaseTerms memory terms = _leaseTerms();
        terms.minimumChargeSeconds = 1 days;
        computeLease.setLeaseTerms(terms);
        vm.warp(start + 2);
        order = _order(_spec());
        assertEq(_settle(_openNext(), _encode(_record(order, machine, 2))), 1);
        start = block.timestamp;
        _ready();
        _close(tenant);
        assertEq(escrow.lockOf(order).accruedPaid, uint256(PRICE) * 10);
    }

    // ---- exit

    function test_S22_noPauseKeepsALeaseFromEnding() public {
        _confirmed();
        vm.warp(start + 3600);
        marketPause.pause(3 days);
        computeLease.claim(order);
        _close(tenant);
        _assertSettled(PRICE);
        vm.prank(tenant);
        escrow.withdraw(USD, LOCK - PRICE - PRICE / 50);
    }

    /// Whoever ends it whenever, in whichever state: what is due is bounded by what accrued, the minimum and the lock, and all adds up.
    function testFuzz_S14_everyEndIsConserved(uint256 steps, uint256 readyAfter, uint256 endAfter, uint256 who) public {
        readyAfter = bound(readyAfter, 0, 599);
        endAfter = bound(endAfter, 0, DURATION + 1000);
        steps = bound(steps, 0, 2);
        vm.warp(start + readyAfter);
        if (steps == 2) _confirmed();
        else _ready();
        if (steps == 1) _announce();
        uint256 readyAt = start + readyAfter;
        vm.warp(readyAt + endAfter);
        (LeaseEnd reason, uint256 deadline) = _deadline();
        bool overdue = block.timestamp >= deadline;
        who = bound(who, 0, overdue ? 2 : 1);
        uint256 elapsed = endAfter < DURATION ? endAfter : DURATION;
        uint256 due;
        if (overdue) {
            if (reason == LeaseEnd.PaidThrough) due = _earned(DURATION);
            else if (reason == LeaseEnd.NoManifest) due = _earned(60);
        } else if (who == 0) {
            due = _earned(elapsed > 60 ? elapsed : 60);
        } else if (steps == 2) {
            due = _earned(elapsed);
        }
        if (who == 0) _close(tenant);
        else if (who == 1) _close(providerOwner);
        else computeLease.endLease(order);
        _assertSettled(due);
        assertEq(_machineWord(machine), inUse + NEED, "capacity is back");
    }

    function test_anEndedLeaseCannotBePaidAgain() public {
        _confirmed();
        vm.warp(start + 3600);
        _close(tenant);
        vm.prank(address(computeLease));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.LockAlreadyReleased.selector, order));
        escrow.release(order);
    }
}
