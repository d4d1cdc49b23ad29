// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ISignedCalls } from "../../src/market/ISignedCalls.sol";
import { LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { OrderSpec } from "../../src/market/MarketTypes.sol";
import { ComputeLeaseFixture } from "./ComputeLeaseFixture.sol";
import { SignedCallsFixture } from "./SignedCallsFixture.sol";

/// @notice Every call by signature on the real market, sent by a stranger, and what it costs him.
contract SignedCallsGasTest is ComputeLeaseFixture, SignedCallsFixture {
    uint256 private constant KEY = uint256(keccak256("signing tenant"));
    uint256 private constant DEADLINE = 2_000_000_000;

    function setUp() public override {
        tenant = vm.addr(KEY);
        super.setUp();
        usd.mint(tenant, 1e12);
        vm.prank(tenant);
        usd.approve(address(escrow), type(uint256).max);
    }

    function test_depositSponsorAndWithdraw() public {
        uint256 before = escrow.balanceOf(tenant, USD);
        ISignedCalls.Authorization memory given = _given(DEPOSIT, abi.encode(USD, uint256(1e9), tenant, uint256(0), DEADLINE), 0);
        signedCalls.deposit(USD, 1e9, given);
        vm.snapshotGasLastCall("SignedCalls", "deposit");
        assertEq(escrow.balanceOf(tenant, USD), before + 1e9);
        given = _given(CHOOSE_SPONSOR, abi.encode(providerOwner, tenant, uint256(1), DEADLINE), 1);
        signedCalls.chooseSponsor(providerOwner, given);
        vm.snapshotGasLastCall("SignedCalls", "chooseSponsor");
        assertEq(escrow.sponsorOf(tenant), providerOwner);
        given = _given(WITHDRAW, abi.encode(USD, uint256(1e9), tenant, uint256(2), DEADLINE), 2);
        signedCalls.withdraw(USD, 1e9, given);
        vm.snapshotGasLastCall("SignedCalls", "withdraw");
        assertEq(usd.balanceOf(tenant), 1e12);
    }

    /// A spec with every list full of what the wallet signs.
    function test_createReplaceAndCancel() public {
        vm.prank(tenant);
        escrow.deposit(USD, 1e10);
        OrderSpec memory spec = _fullSpec();
        uint32 expiresAt = uint32(block.timestamp + 1 days);
        ISignedCalls.Authorization memory given =
            _given(string.concat(CREATE_ORDER, SPEC_TYPE), _tuple(abi.encode(spec, expiresAt, tenant, uint256(0), DEADLINE)), 0);
        uint32 created = signedCalls.createOrder(spec, expiresAt, given);
        vm.snapshotGasLastCall("SignedCalls", "createOrder");
        assertEq(created, orderRequest.orderCount());
        assertEq(orderRequest.specHash(created), keccak256(abi.encode(spec)));
        bytes memory fields = _tuple(abi.encode(created, spec, expiresAt, tenant, uint256(1), DEADLINE));
        given = _given(string.concat(REPLACE_ORDER, SPEC_TYPE), fields, 1);
        uint32 replacing = signedCalls.replaceOrder(created, spec, expiresAt, given);
        vm.snapshotGasLastCall("SignedCalls", "replaceOrder");
        assertEq(replacing, created + 1);
        given = _given(CANCEL_ORDER, abi.encode(replacing, tenant, uint256(2), DEADLINE), 2);
        signedCalls.cancelOrder(replacing, given);
        vm.snapshotGasLastCall("SignedCalls", "cancelOrder");
    }

    function test_theCallsOfALease() public {
        _ready();
        ISignedCalls.Authorization memory given = _given(ANNOUNCE_MANIFEST, abi.encode(order, MANIFEST, tenant, uint256(0), DEADLINE), 0);
        signedCalls.announceManifest(order, MANIFEST, given);
        vm.snapshotGasLastCall("SignedCalls", "announceManifest");
        vm.prank(providerOwner);
        computeLease.confirmDeployment(order, MANIFEST);
        LeaseUpdate memory update = _sameSize();
        given = _given(string.concat(REQUEST_UPDATE, UPDATE_TYPE), abi.encode(order, update, tenant, uint256(1), DEADLINE), 1);
        signedCalls.requestUpdate(order, update, given);
        vm.snapshotGasLastCall("SignedCalls", "requestUpdate");
        assertEq(keccak256(abi.encode(computeLease.pendingUpdate(order))), keccak256(abi.encode(update)));
        given = _given(CANCEL_UPDATE, abi.encode(order, tenant, uint256(2), DEADLINE), 2);
        signedCalls.cancelUpdate(order, given);
        vm.snapshotGasLastCall("SignedCalls", "cancelUpdate");
        vm.prank(tenant);
        escrow.deposit(USD, 1e10);
        given = _given(RENEW_LEASE, abi.encode(order, uint24(900), tenant, uint256(3), DEADLINE), 3);
        signedCalls.renewLease(order, 900, given);
        vm.snapshotGasLastCall("SignedCalls", "renewLease");
        given = _given(TOP_UP, abi.encode(order, uint24(60), tenant, uint256(4), DEADLINE), 4);
        signedCalls.topUp(order, 60, given);
        vm.snapshotGasLastCall("SignedCalls", "topUp");
        assertEq(computeLease.getLease(order).endTime, block.timestamp + 960 minutes);
        given = _given(CLOSE_LEASE, abi.encode(order, tenant, uint256(5), DEADLINE), 5);
        signedCalls.closeLease(order, given);
        vm.snapshotGasLastCall("SignedCalls", "closeLease");
        assertTrue(escrow.lockOf(order).released);
    }

    function _given(string memory typeName, bytes memory fields, uint256 nonce) private view returns (ISignedCalls.Authorization memory) {
        bytes memory signature = _sign(KEY, _digest(address(signedCalls), block.chainid, typeName, fields));
        return ISignedCalls.Authorization({ tenant: tenant, nonce: nonce, deadline: DEADLINE, signature: signature });
    }
}
