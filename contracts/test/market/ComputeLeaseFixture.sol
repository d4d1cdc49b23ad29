// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LeaseEnd, LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { OrderLock } from "../../src/market/IEscrow.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice One order of ten hours at up to 5 USD an hour, matched at 1.056976 USD an hour through a real settlement at `start`.
/// Ready within 600 s, manifest within 300 s, confirmation within 600 s, minimum charge 60 s.
abstract contract ComputeLeaseFixture is MarketBase {
    uint256 internal constant COST = 50_000_000;
    uint256 internal constant LOCK = 51_000_000;
    uint40 internal constant PRICE = 1_056_976;
    uint256 internal constant DURATION = 600 minutes;
    bytes32 internal constant MANIFEST = keccak256("manifest");

    uint24 internal provider;
    uint32 internal machine;
    uint32 internal order;
    uint256 internal start;

    function setUp() public virtual override {
        super.setUp();
        provider = _provider(providerOwner);
        machine = _machine(provider);
        order = _order(_spec());
        uint32 round = _openNext();
        assertEq(_settle(round, _encode(_record(order, machine, 1))), 1);
        start = block.timestamp;
    }

    function _ready() internal {
        vm.prank(providerOwner);
        computeLease.markReady(order);
    }

    function _announce() internal {
        vm.prank(tenant);
        computeLease.announceManifest(order, MANIFEST);
    }

    function _confirmed() internal {
        _ready();
        _announce();
        vm.prank(providerOwner);
        computeLease.confirmDeployment(order, MANIFEST);
    }

    function _close(address caller) internal {
        vm.prank(caller);
        computeLease.closeLease(order);
    }

    /// The resources and the price of now, with another manifest.
    function _sameSize() internal view returns (LeaseUpdate memory) {
        OrderWord word = OrderWord.wrap(uint256(orderRequest.orderWord(order)));
        return LeaseUpdate({
            milliGpu: uint16(word.milliGpu()),
            cpuMilli: uint24(word.cpuMilli()),
            memoryMib: uint24(word.memoryMib()),
            storageGib: uint24(word.storageGib()),
            maxPriceMicroPerHour: uint40(word.priceMicroPerHour()),
            manifestHash: keccak256("another manifest")
        });
    }

    function _request(LeaseUpdate memory update) internal {
        vm.prank(tenant);
        computeLease.requestUpdate(order, update);
    }

    function _accept(LeaseUpdate memory update, uint40 price, uint8 deviceMask) internal {
        vm.prank(providerOwner);
        computeLease.acceptUpdate(order, keccak256(abi.encode(update)), price, deviceMask, _defaultPolicy());
    }

    function _deadline() internal view returns (LeaseEnd reason, uint256 deadline) {
        return computeLease.nextDeadline(order);
    }

    /// Token units of the lease's price for a time, rounded down.
    function _earned(uint256 elapsed) internal pure returns (uint256) {
        return uint256(PRICE) * elapsed / 3600;
    }

    /// S14: `accrued` was paid and its fees taken, the rest is back, the capacity too, and the market owes what it holds.
    function _assertSettled(uint256 accrued) internal view {
        OrderLock memory entry = escrow.lockOf(order);
        assertTrue(entry.released, "released");
        assertEq(entry.accruedPaid, accrued, "paid");
        uint256 userFee = accrued / 50;
        assertEq(escrow.balanceOf(providerOwner, USD), accrued - accrued / 100 - accrued / 5, "the provider's share");
        assertEq(escrow.balanceOf(foundation, USD), accrued / 5, "the foundation's share");
        assertEq(escrow.balanceOf(treasury, USD), accrued / 100 + userFee, "the treasury's share");
        assertEq(escrow.balanceOf(tenant, USD), LOCK - accrued - userFee, "the rest is the tenant's");
        assertEq(escrow.liabilities(USD), usd.balanceOf(address(escrow)), "S13");
        assertEq(computeLease.accrued(order), accrued, "the lease remembers its whole");
    }
}
