// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

import { ComputeLease } from "../../src/market/ComputeLease.sol";
import { IComputeLease, LeaseEnd, LeaseTerms } from "../../src/market/IComputeLease.sol";
import { OrderSpec, OrderState } from "../../src/market/MarketTypes.sol";
import { ComputeLeaseFixture } from "./ComputeLeaseFixture.sol";

/// @notice From the match to the confirmation, and the terms of it.
contract ComputeLeaseTest is ComputeLeaseFixture {
    // ---- the lease

    function test_theMatchIsTheLease() public view {
        IComputeLease.Lease memory lease = computeLease.getLease(order);
        assertEq(lease.orderId, order);
        assertEq(lease.machineId, machine);
        assertEq(lease.providerId, provider);
        assertEq(lease.tenant, tenant);
        assertEq(lease.tokenId, USD);
        assertEq(lease.priceMicroPerHour, PRICE);
        assertEq(lease.matchedAt, start);
        assertEq(lease.readyAt, 0);
        assertEq(lease.confirmedAt, 0);
        assertEq(lease.endTime, 0);
        assertEq(lease.durationMinutes, 600);
        assertEq(lease.manifestHash, 0);
        assertEq(lease.state, uint8(OrderState.Matched));
        assertEq(uint8(lease.end), uint8(LeaseEnd.None));
        assertEq(computeLease.accrued(order), 0);
    }

    function test_anOrderWithoutLeaseHasNone() public {
        uint32 open = _order(_spec());
        _expectNone(open);
        _expectNone(99);
        vm.prank(tenant);
        orderRequest.cancel(open);
        _enterRound(matchPolicy.fromRoundNow(), 1);
        orderRequest.refund(open);
        assertEq(_state(open), uint256(OrderState.Closed));
        _expectNone(open);
    }

    function _expectNone(uint32 orderId) private {
        bytes[14] memory calls = [
            abi.encodeCall(IComputeLease.getLease, (orderId)),
            abi.encodeCall(IComputeLease.accrued, (orderId)),
            abi.encodeCall(IComputeLease.nextDeadline, (orderId)),
            abi.encodeCall(IComputeLease.markReady, (orderId)),
            abi.encodeCall(IComputeLease.announceManifest, (orderId, MANIFEST)),
            abi.encodeCall(IComputeLease.confirmDeployment, (orderId, MANIFEST)),
            abi.encodeCall(IComputeLease.requestUpdate, (orderId, _sameSize())),
            abi.encodeCall(IComputeLease.cancelUpdate, (orderId)),
            abi.encodeCall(IComputeLease.acceptUpdate, (orderId, bytes32(0), 1, 1, _defaultPolicy())),
            abi.encodeCall(IComputeLease.renewLease, (orderId, 1)),
            abi.encodeCall(IComputeLease.topUp, (orderId, 1)),
            abi.encodeCall(IComputeLease.closeLease, (orderId)),
            abi.encodeCall(IComputeLease.endLease, (orderId)),
            abi.encodeCall(IComputeLease.releaseExcess, (orderId))
        ];
        for (uint256 i; i < calls.length; ++i) {
            (bool ok, bytes memory answer) = address(computeLease).call(calls[i]);
            assertFalse(ok);
            assertEq(answer, abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, orderId));
        }
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotActive.selector, orderId));
        computeLease.claim(orderId);
    }

    // ---- ready

    function test_readinessStartsAccrualAndFixesThePaidTime() public {
        vm.warp(start + 100);
        vm.expectEmit(address(computeLease));
        emit IComputeLease.ProviderReady(order, provider, uint32(start + 100), uint32(start + 100 + DURATION));
        _ready();
        IComputeLease.Lease memory lease = computeLease.getLease(order);
        assertEq(lease.readyAt, start + 100);
        assertEq(lease.endTime, start + 100 + DURATION);
        assertEq(escrow.lockOf(order).locked, LOCK, "frees nothing");
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.AlreadyReady.selector, order));
        computeLease.markReady(order);
        vm.warp(start + 100 + 3600);
        assertEq(computeLease.accrued(order), PRICE);
    }

    function test_onlyTheProviderInTimeIsReady() public {
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyProvider.selector, order, tenant));
        computeLease.markReady(order);
        vm.warp(start + 600);
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.DeadlinePassed.selector, order, start + 600));
        computeLease.markReady(order);
        vm.warp(start + 599);
        _ready();
    }

    // ---- manifest

    function test_theManifestIsAnnouncedFromTheMatchOn() public {
        vm.expectEmit(address(computeLease));
        emit IComputeLease.ManifestAnnounced(order, tenant, MANIFEST);
        _announce();
        assertEq(computeLease.getLease(order).manifestHash, MANIFEST);
        _ready();
        vm.warp(start + 299);
        vm.prank(tenant);
        computeLease.announceManifest(order, keccak256("second"));
        assertEq(computeLease.getLease(order).manifestHash, keccak256("second"));
        (LeaseEnd reason, uint256 deadline) = _deadline();
        assertEq(uint8(reason), uint8(LeaseEnd.NotConfirmed));
        assertEq(deadline, start + 299 + 600, "the provider has the whole time for the newest");
        // From here on the provider's confirmation cannot be overtaken.
        vm.warp(start + 300);
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.DeadlinePassed.selector, order, start + 300));
        computeLease.announceManifest(order, MANIFEST);
        vm.startPrank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.ManifestMismatch.selector, order, keccak256("second"), MANIFEST));
        computeLease.confirmDeployment(order, MANIFEST);
        computeLease.confirmDeployment(order, keccak256("second"));
    }

    function test_onlyTheTenantAnnouncesAndOnlyAHash() public {
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyTenant.selector, order, providerOwner));
        computeLease.announceManifest(order, MANIFEST);
        vm.startPrank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseFieldInvalid.selector, "manifestHash"));
        computeLease.announceManifest(order, 0);
        vm.warp(start + 600);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.DeadlinePassed.selector, order, start + 600));
        computeLease.announceManifest(order, MANIFEST);
    }

    function test_aManifestAfterItsTimeIsRefused() public {
        _ready();
        vm.warp(start + 300);
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.DeadlinePassed.selector, order, start + 300));
        computeLease.announceManifest(order, MANIFEST);
    }

    // ---- confirmation

    function test_theProviderConfirmsWhatWasAnnounced() public {
        vm.startPrank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.NotReady.selector, order));
        computeLease.confirmDeployment(order, MANIFEST);
        computeLease.markReady(order);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.ManifestMismatch.selector, order, bytes32(0), bytes32(0)));
        computeLease.confirmDeployment(order, 0);
        vm.stopPrank();
        _announce();
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.OnlyProvider.selector, order, tenant));
        computeLease.confirmDeployment(order, MANIFEST);
        vm.warp(start + 10);
        vm.startPrank(providerOwner);
        vm.expectEmit(address(computeLease));
        emit IComputeLease.DeploymentConfirmed(order, provider, MANIFEST);
        computeLease.confirmDeployment(order, MANIFEST);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.AlreadyConfirmed.selector, order));
        computeLease.confirmDeployment(order, MANIFEST);
        vm.stopPrank();
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.AlreadyConfirmed.selector, order));
        computeLease.announceManifest(order, MANIFEST);
        assertEq(computeLease.getLease(order).confirmedAt, start + 10);
    }

    function test_aConfirmationAfterItsTimeIsRefused() public {
        _announce();
        vm.warp(start + 50);
        _ready();
        vm.warp(start + 650);
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.DeadlinePassed.selector, order, start + 650));
        computeLease.confirmDeployment(order, MANIFEST);
        vm.warp(start + 649);
        vm.prank(providerOwner);
        computeLease.confirmDeployment(order, MANIFEST);
    }

    // ---- deadlines

    function test_everyStateHasItsDeadline() public {
        _assertDeadline(LeaseEnd.NotReady, start + 600);
        vm.warp(start + 10);
        _ready();
        _assertDeadline(LeaseEnd.NoManifest, start + 310);
        vm.warp(start + 20);
        _announce();
        _assertDeadline(LeaseEnd.NotConfirmed, start + 620);
        vm.prank(providerOwner);
        computeLease.confirmDeployment(order, MANIFEST);
        _assertDeadline(LeaseEnd.PaidThrough, start + 10 + DURATION);
    }

    function test_thePaidTimeBoundsEveryLaterDeadline() public {
        _ready();
        vm.prank(tenant);
        computeLease.renewLease(order, 1);
        _assertDeadline(LeaseEnd.NoManifest, start + 60);
        _announce();
        _assertDeadline(LeaseEnd.NotConfirmed, start + 60);
    }

    function _assertDeadline(LeaseEnd reason, uint256 expected) private {
        (LeaseEnd found, uint256 deadline) = _deadline();
        assertEq(uint8(found), uint8(reason));
        assertEq(deadline, expected);
        uint256 before = block.timestamp;
        vm.warp(expected - 1);
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseNotOverdue.selector, order, expected));
        computeLease.endLease(order);
        vm.warp(before);
    }

    // ---- terms

    function test_newTermsHoldForLeasesThatBeginAfterThem() public {
        LeaseTerms memory terms = LeaseTerms({ readySeconds: 60, manifestSeconds: 61, confirmSeconds: 62, minimumChargeSeconds: 63 });
        vm.expectEmit(address(computeLease));
        emit IComputeLease.LeaseTermsUpdated(terms);
        computeLease.setLeaseTerms(terms);
        assertEq(abi.encode(computeLease.leaseTerms()), abi.encode(terms));
        _assertDeadline(LeaseEnd.NotReady, start + 600);

        uint32 first = order;
        order = _order(_spec());
        assertEq(_settle(_openNext(), _encode(_record(order, machine, 2))), 1);
        uint256 second = block.timestamp;
        _assertDeadline(LeaseEnd.NotReady, second + 60);
        _ready();
        _assertDeadline(LeaseEnd.NoManifest, second + 61);
        _announce();
        _assertDeadline(LeaseEnd.NotConfirmed, second + 62);
        // A third change: each lease keeps its own.
        terms.readySeconds = 1;
        computeLease.setLeaseTerms(terms);
        order = first;
        _assertDeadline(LeaseEnd.NotReady, start + 600);
    }

    function test_aChangeInTheSecondOfTheMatchIsTooLateForIt() public {
        vm.warp(start);
        LeaseTerms memory terms = _leaseTerms();
        terms.readySeconds = 7;
        computeLease.setLeaseTerms(terms);
        terms.readySeconds = 8;
        computeLease.setLeaseTerms(terms);
        _assertDeadline(LeaseEnd.NotReady, start + 600);
        assertEq(computeLease.leaseTerms().readySeconds, 8, "the later of one second");
    }

    function test_termsAreSetByTheirRoleWithinBounds() public {
        LeaseTerms memory terms = _leaseTerms();
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, tenant));
        computeLease.setLeaseTerms(terms);
        terms.readySeconds = 0;
        _expectInvalid(terms, "readySeconds");
        terms.readySeconds = 7 days + 1;
        _expectInvalid(terms, "readySeconds");
        (terms.readySeconds, terms.manifestSeconds) = (7 days, 0);
        _expectInvalid(terms, "manifestSeconds");
        terms.manifestSeconds = 7 days + 1;
        _expectInvalid(terms, "manifestSeconds");
        (terms.manifestSeconds, terms.confirmSeconds) = (7 days, 0);
        _expectInvalid(terms, "confirmSeconds");
        terms.confirmSeconds = 7 days + 1;
        _expectInvalid(terms, "confirmSeconds");
        (terms.confirmSeconds, terms.minimumChargeSeconds) = (7 days, 1 days + 1);
        _expectInvalid(terms, "minimumChargeSeconds");
        terms.minimumChargeSeconds = 0;
        computeLease.setLeaseTerms(terms);
    }

    function _expectInvalid(LeaseTerms memory terms, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IComputeLease.LeaseFieldInvalid.selector, field));
        computeLease.setLeaseTerms(terms);
    }

    // ---- proxy and forwarder

    function test_theForwarderSpeaksForTheTenantAndNobodyElseDoes() public {
        bytes memory call = abi.encodePacked(abi.encodeCall(IComputeLease.announceManifest, (order, MANIFEST)), tenant);
        (bool ok,) = address(computeLease).call(call);
        assertFalse(ok);
        vm.prank(address(signedCalls));
        (ok,) = address(computeLease).call(call);
        assertTrue(ok);
        assertEq(computeLease.getLease(order).manifestHash, MANIFEST);
    }

    function test_itIsInitializedOnceAndItsImplementationNever() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        computeLease.initialize(address(manager), _leaseTerms());
        ComputeLease implementation = new ComputeLease(market);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(address(manager), _leaseTerms());
    }

    /// The first member of the layout is the accounts by order; the first bits of an account are when its provider was ready.
    function test_theLayoutLiesAtItsErc7201Slot() public {
        _ready();
        bytes32 base = keccak256(abi.encode(uint256(keccak256("matchmaker.storage.ComputeLease")) - 1)) & ~bytes32(uint256(0xff));
        assertEq(uint32(uint256(vm.load(address(computeLease), keccak256(abi.encode(order, base))))), start);
    }

    function test_theLongestOrderHasItsWholePaidTime() public {
        OrderSpec memory spec = _spec();
        spec.durationMinutes = type(uint24).max;
        uint32 second = _order(spec);
        assertEq(_settle(_openNext(), _encode(_record(second, machine, 2))), 1);
        order = second;
        _ready();
        assertEq(computeLease.getLease(order).endTime, block.timestamp + uint256(type(uint24).max) * 60);
    }
}
