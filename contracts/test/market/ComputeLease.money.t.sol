// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IComputeLease, LeaseEnd, LeaseTerms } from "../../src/market/IComputeLease.sol";
import { IEscrow, OrderLock } from "../../src/market/IEscrow.sol";
import { OfferTerms, OrderSpec } from "../../src/market/MarketTypes.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { ComputeLeaseFixture } from "./ComputeLeaseFixture.sol";
import { TestToken } from "./TestToken.sol";

/// @notice Claims, the excess of the lock, and paid time that is made longer or shorter.
contract ComputeLeaseMoneyTest is ComputeLeaseFixture {
    function _share(uint256 accrued) private pure returns (uint256) {
        return accrued - accrued / 100 - accrued / 5;
    }

    // ---- claims

    function test_nothingIsClaimedBeforeTheConfirmation() public {
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.NotConfirmed.selector, order));
        computeLease.claim(order);
        _ready();
        _announce();
        vm.warp(start + 100);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.NotConfirmed.selector, order));
        computeLease.claim(order);
        vm.prank(providerOwner);
        computeLease.confirmDeployment(order, MANIFEST);
        assertEq(computeLease.claim(order), _share(_earned(100)), "accrual started with ready");
    }

    function test_claimCreditsWhatAccruedAndNoMore() public {
        _confirmed();
        vm.warp(start + 1800);
        assertEq(computeLease.accrued(order), PRICE / 2);
        vm.expectEmit(address(escrow));
        emit IEscrow.LeasePaid(order, providerOwner, USD, _share(PRICE / 2), PRICE / 2 / 100 + PRICE / 2 / 50, PRICE / 2 / 5);
        assertEq(computeLease.claim(order), _share(PRICE / 2));
        assertEq(computeLease.claim(order), 0);
        vm.warp(start + 3600);
        computeLease.claim(order);
        assertEq(escrow.balanceOf(providerOwner, USD), _share(PRICE), "rounded from the start, not from the last claim");
        vm.warp(start + DURATION + 3600);
        computeLease.claim(order);
        assertEq(escrow.lockOf(order).accruedPaid, uint256(PRICE) * 10, "accrual stops at the end of the paid time");
    }

    /// Claims at any moments add up to one rounding down, and nobody else's share depends on them.
    function testFuzz_S14_claimsNeverLoseOrGain(uint256 first, uint256 second, uint256 last) public {
        first = bound(first, 0, 40_000);
        second = bound(second, first, 40_000);
        last = bound(last, second, 40_000);
        _confirmed();
        vm.warp(start + first);
        computeLease.claim(order);
        vm.warp(start + second);
        computeLease.claim(order);
        vm.warp(start + last);
        _close(providerOwner);
        _assertSettled(_earned(last < DURATION ? last : DURATION));
    }

    // ---- excess

    function test_theExcessOfTheLockIsReleasedByAnyoneAfterReady() public {
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.NotReady.selector, order));
        computeLease.releaseExcess(order);
        _ready();
        uint256 whole = uint256(PRICE) * 10;
        uint256 kept = whole + (whole * 200 + 9999) / 10_000;
        vm.expectEmit(address(escrow));
        emit IEscrow.Released(order, tenant, USD, LOCK - kept, 0, false);
        assertEq(computeLease.releaseExcess(order), LOCK - kept);
        assertEq(computeLease.releaseExcess(order), 0);
        _announce();
        vm.prank(providerOwner);
        computeLease.confirmDeployment(order, MANIFEST);
        vm.warp(start + DURATION);
        computeLease.endLease(order);
        _assertSettled(whole);
    }

    // ---- renewal and top-up

    function test_renewalSetsThePaidTimeFromNow() public {
        _confirmed();
        vm.warp(start + 1000);
        vm.expectEmit(address(computeLease));
        emit IComputeLease.LeaseExtended(order, 77, uint32(start + 1000 + 3600));
        vm.prank(tenant);
        computeLease.renewLease(order, 60);
        IComputeLease.Lease memory lease = computeLease.getLease(order);
        assertEq(lease.endTime, start + 4600);
        assertEq(lease.durationMinutes, 77, "76.7 rounded up");
        uint256 cost = (uint256(PRICE) * 4600 + 3599) / 3600;
        assertEq(escrow.lockOf(order).locked, cost + (cost * 200 + 9999) / 10_000, "what is over came back");
        vm.warp(start + 4600);
        computeLease.endLease(order);
        _assertSettled(_earned(4600));
    }

    function test_renewalLocksWhatIsMissing() public {
        _confirmed();
        computeLease.releaseExcess(order);
        vm.prank(tenant);
        computeLease.renewLease(order, 1200);
        uint256 cost = uint256(PRICE) * 20;
        assertEq(escrow.lockOf(order).locked, cost + (cost * 200 + 9999) / 10_000);
        vm.prank(tenant);
        vm.expectPartialRevert(IEscrow.InsufficientBalance.selector);
        computeLease.renewLease(order, 60_000);
    }

    function test_topUpAddsMinutesAtThePriceOfNow() public {
        _confirmed();
        vm.warp(start + DURATION - 1);
        vm.expectEmit(address(computeLease));
        emit IComputeLease.LeaseExtended(order, 660, uint32(start + DURATION + 3600));
        vm.prank(tenant);
        computeLease.topUp(order, 60);
        vm.warp(start + DURATION + 3600);
        computeLease.endLease(order);
        _assertSettled(uint256(PRICE) * 11);
    }

    function test_paidTimeIsTheTenantsToChangeAfterReadyAndBeforeTheEnd() public {
        vm.startPrank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.NotReady.selector, order));
        computeLease.renewLease(order, 60);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.NotReady.selector, order));
        computeLease.topUp(order, 60);
        vm.stopPrank();
        _confirmed();
        vm.startPrank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyTenant.selector, order, providerOwner));
        computeLease.renewLease(order, 60);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyTenant.selector, order, providerOwner));
        computeLease.topUp(order, 60);
        vm.stopPrank();
        vm.startPrank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseFieldInvalid.selector, "durationMinutes"));
        computeLease.renewLease(order, 0);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseFieldInvalid.selector, "addedMinutes"));
        computeLease.topUp(order, 0);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseFieldInvalid.selector, "addedMinutes"));
        computeLease.topUp(order, type(uint24).max);
        vm.warp(start + 61);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseFieldInvalid.selector, "durationMinutes"));
        computeLease.renewLease(order, type(uint24).max);
        vm.warp(start + DURATION);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.DeadlinePassed.selector, order, start + DURATION));
        computeLease.topUp(order, 60);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.DeadlinePassed.selector, order, start + DURATION));
        computeLease.renewLease(order, 60);
    }

    /// A tenant cannot shorten the paid time below the minimum charge and then close.
    function test_renewalDoesNotEvadeTheMinimumCharge() public {
        LeaseTerms memory terms = _leaseTerms();
        terms.minimumChargeSeconds = 3600;
        computeLease.setLeaseTerms(terms);
        vm.warp(start + 2);
        order = _order(_spec());
        assertEq(_settle(_openNext(), _encode(_record(order, machine, 2))), 1);
        _ready();
        vm.startPrank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseFieldInvalid.selector, "durationMinutes"));
        computeLease.renewLease(order, 59);
        computeLease.renewLease(order, 60);
        computeLease.closeLease(order);
        assertEq(escrow.lockOf(order).accruedPaid, PRICE);
    }

    // ---- small, large, 6 and 18 decimals

    /// A lease of one core and, if `perGpu` is not zero, seven GPUs at these prices in a new token of `decimals`, ready at once and confirmed.
    function _leaseIn(uint8 decimals, uint32 perCore, uint40 perGpu, uint24 minutes_) private returns (uint16 tokenId) {
        TestToken token = new TestToken("TKN", decimals);
        tokenId = tokenRegistry.approveToken(address(token), 0);
        vm.prank(providerOwner);
        providerRegistry.setOffer(
            machine,
            1,
            OfferTerms({
                tokenId: tokenId, gpuMicroPerHour: perGpu, coreMicroPerHour: perCore, memoryGibMicroPerHour: 0, storageTibMicroPerHour: 0
            })
        );
        OrderSpec memory spec = _spec();
        (spec.tokenId, spec.cpuMilli, spec.milliGpu) = (tokenId, 1000, perGpu == 0 ? 0 : 7000);
        (spec.maxPriceMicroPerHour, spec.durationMinutes) = (perCore + 7 * perGpu, minutes_);
        token.mint(tenant, type(uint96).max);
        vm.startPrank(tenant);
        token.approve(address(escrow), type(uint96).max);
        escrow.deposit(tokenId, type(uint96).max);
        order = orderRequest.createOrder(spec, uint32(block.timestamp + 30 days));
        vm.stopPrank();
        uint32 round = _openNext();
        RecordFields memory record = _record(order, machine, perGpu == 0 ? 0 : 0xfe);
        (record.offerIndex, record.priceMicroPerHour) = (1, spec.maxPriceMicroPerHour);
        assertEq(_settle(round, _encode(record)), 1);
        start = block.timestamp;
        _confirmed();
    }

    /// Accrual rounds down: one micro an hour earns its first unit after the whole hour.
    function test_aPriceOfOneMicroRoundsDownToTheHour() public {
        uint16 tokenId = _leaseIn(6, 1, 0, 61);
        assertEq(escrow.lockOf(order).locked, 3, "ceil(1.02) and a fee of ceil(0.04)");
        vm.warp(start + 3599);
        assertEq(computeLease.accrued(order), 0);
        assertEq(computeLease.claim(order), 0);
        vm.warp(start + 3600);
        assertEq(computeLease.accrued(order), 1);
        vm.warp(start + 3660);
        computeLease.endLease(order);
        assertEq(escrow.balanceOf(providerOwner, tokenId), 1, "fees of one unit round down to none");
        assertEq(escrow.balanceOf(tenant, tokenId), type(uint96).max - 1);
    }

    function test_aSecondOfAnEighteenDecimalsTokenIsExact() public {
        uint16 tokenId = _leaseIn(18, 1, 0, 1);
        vm.warp(start + 1);
        assertEq(computeLease.accrued(order), 277_777_777);
        computeLease.claim(order);
        assertEq(escrow.balanceOf(providerOwner, tokenId), 277_777_777 - 2_777_777 - 55_555_555);
        assertEq(escrow.balanceOf(foundation, tokenId), 55_555_555);
        assertEq(escrow.balanceOf(treasury, tokenId), 2_777_777 + 5_555_555);
        _close(tenant);
        assertEq(escrow.lockOf(order).accruedPaid, uint256(10) ** 12 / 60, "the minimum of 60 s is the whole");
    }

    /// Just below what 96 bits can lock; a longer time is refused, not cut.
    function test_theLargestLocksAreExactAndLargerOnesRefused() public {
        uint256 price = 7 * ((1 << 36) - 1);
        uint24 minutes_ = 9_600_000;
        uint16 tokenId = _leaseIn(18, 0, (1 << 36) - 1, minutes_);
        uint256 whole = price * 10 ** 12 * minutes_ / 60;
        assertGt(whole, type(uint96).max * uint256(9) / 10);
        vm.startPrank(tenant);
        vm.expectPartialRevert(IEscrow.LockTooLarge.selector);
        computeLease.topUp(order, 3_000_000);
        vm.stopPrank();
        vm.warp(start + uint256(minutes_) * 60);
        computeLease.endLease(order);
        OrderLock memory entry = escrow.lockOf(order);
        assertEq(entry.accruedPaid, whole);
        assertEq(entry.spent, whole + whole / 50);
        assertEq(escrow.balanceOf(tenant, tokenId), type(uint96).max - entry.spent);
        assertEq(escrow.balanceOf(providerOwner, tokenId), whole - whole / 100 - whole / 5);
    }

    /// S14 for any price, time and extension: what is locked always covers what accrues, and by a fraction only once it is fitted.
    function testFuzz_theLockAlwaysCoversTheAccrual(uint32 price, uint24 minutes_, uint24 added, uint256 toppedUpAt) public {
        price = uint32(bound(price, 1, (1 << 30) - 1));
        minutes_ = uint24(bound(minutes_, 2, 100_000));
        added = uint24(bound(added, 1, 100_000));
        _leaseIn(6, price, 0, minutes_);
        vm.warp(start + bound(toppedUpAt, 0, uint256(minutes_) * 60 - 1));
        vm.prank(tenant);
        computeLease.topUp(order, added);
        (LeaseEnd reason, uint256 deadline) = _deadline();
        assertEq(uint8(reason), uint8(LeaseEnd.PaidThrough));
        vm.warp(deadline);
        uint256 locked = escrow.lockOf(order).locked;
        computeLease.endLease(order);
        OrderLock memory entry = escrow.lockOf(order);
        assertEq(entry.accruedPaid, uint256(price) * (uint256(minutes_) + added) * 60 / 3600);
        assertLe(entry.spent, locked);
        assertLe(locked - entry.spent, 2, "one for the accrual and one for its fee");
    }
}
