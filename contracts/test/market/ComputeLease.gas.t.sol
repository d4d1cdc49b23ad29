// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LeaseTerms, LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { ComputeLeaseFixture } from "./ComputeLeaseFixture.sol";

/// @notice What each call of a lease costs at its worst, execution only: a first claim and a first return to every account, a lock with a
/// sponsor's part, growth through the gate, a bond to forfeit. The leases are made in `setUp`, so that every word is cold.
contract ComputeLeaseGasTest is ComputeLeaseFixture {
    uint32 private matched;
    uint32 private announced;
    uint32 private confirmed;
    uint32 private requested;
    uint32 private byBid;
    LeaseUpdate private update;

    function setUp() public override {
        super.setUp();
        address sponsor = makeAddr("sponsor");
        usd.mint(sponsor, 1_000_000_000);
        vm.startPrank(sponsor);
        usd.approve(address(escrow), 1_000_000_000);
        address[] memory accounts = new address[](1);
        accounts[0] = tenant;
        escrow.depositFor(USD, 75_000_000, accounts);
        vm.stopPrank();
        vm.prank(tenant);
        escrow.chooseSponsor(sponsor);
        matched = _order(_spec());
        announced = _order(_spec());
        vm.prank(tenant);
        escrow.chooseSponsor(address(0));
        confirmed = _order(_spec());
        requested = _order(_spec());
        byBid = _order(_spec());
        _fund(providerOwner, 1_000_000);
        vm.prank(providerOwner);
        bid.placeBid(byBid, machine, 1_000_000);
        RecordFields memory record = _record(byBid, machine, 32);
        (record.priceMicroPerHour, record.fromBid) = (1_000_000, true);
        bytes memory records = bytes.concat(
            _encode(_record(matched, machine, 2)),
            _encode(_record(announced, machine, 4)),
            _encode(_record(confirmed, machine, 8)),
            _encode(_record(requested, machine, 16)),
            _encode(record)
        );
        assertEq(_settle(_openNext(), records), 5);
        start = block.timestamp;
        _confirm(confirmed);
        _confirm(requested);
        vm.prank(providerOwner);
        computeLease.markReady(announced);
        vm.prank(tenant);
        computeLease.announceManifest(announced, MANIFEST);
        order = requested;
        update = _sameSize();
        (update.cpuMilli, update.milliGpu, update.maxPriceMicroPerHour) = (8000, 2000, 9_000_000);
        _request(update);
        vm.warp(start + 120);
        _fund(tenant, 500_000_000);
    }

    function _measure(string memory name) private {
        vm.snapshotGasLastCall("ComputeLease", name);
    }

    function test_Gas_MarkReady() public {
        vm.prank(providerOwner);
        computeLease.markReady(matched);
        _measure("markReady");
    }

    function test_Gas_AnnounceManifest() public {
        vm.prank(tenant);
        computeLease.announceManifest(matched, MANIFEST);
        _measure("announceManifest");
    }

    function test_Gas_ConfirmDeployment() public {
        vm.prank(providerOwner);
        computeLease.confirmDeployment(announced, MANIFEST);
        _measure("confirmDeployment");
    }

    function test_Gas_RequestUpdate() public {
        vm.prank(tenant);
        computeLease.requestUpdate(confirmed, update);
        _measure("requestUpdate");
    }

    function test_Gas_CancelUpdate() public {
        vm.prank(tenant);
        computeLease.cancelUpdate(requested);
        _measure("cancelUpdate");
    }

    function test_Gas_AcceptUpdate() public {
        _accept(update, 9_000_000, 64 + 128);
        _measure("acceptUpdate, growth through the gate, lock raised");
    }

    function test_Gas_RenewLease() public {
        vm.prank(tenant);
        computeLease.renewLease(confirmed, 6000);
        _measure("renewLease, lock raised");
    }

    function test_Gas_TopUp() public {
        vm.prank(tenant);
        computeLease.topUp(confirmed, 6000);
        _measure("topUp, lock raised");
    }

    function test_Gas_ReleaseExcess() public {
        computeLease.releaseExcess(announced);
        _measure("releaseExcess, to sponsor and tenant");
    }

    function test_Gas_Claim() public {
        computeLease.claim(confirmed);
        _measure("claim, the first of a provider, treasury and foundation");
    }

    function test_Gas_CloseLease() public {
        vm.prank(tenant);
        computeLease.closeLease(announced);
        _measure("closeLease by the tenant, everybody paid for the first time, rest to sponsor and tenant");
    }

    function test_Gas_EndLease() public {
        vm.warp(start + 31 days);
        uint256 snapshot = vm.snapshotState();
        computeLease.endLease(byBid);
        _measure("endLease, not ready, bond forfeited");
        vm.revertToState(snapshot);
        computeLease.endLease(confirmed);
        _measure("endLease, paid through");
    }

    function test_Gas_SetLeaseTerms() public {
        LeaseTerms memory terms = _leaseTerms();
        terms.readySeconds = 300;
        computeLease.setLeaseTerms(terms);
        _measure("setLeaseTerms");
    }
}
