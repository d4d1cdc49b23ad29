// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OrderSpec } from "../../src/market/MarketTypes.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice What the orders' own functions cost, each at its bound. Figures go to snapshots/OrderRequest.json.
contract OrderRequestGasTest is MarketBase {
    string private constant FILE = "OrderRequest";

    uint32 private orderId;

    function setUp() public override {
        super.setUp();
        orderId = _order(_largest());
        _fund(tenant, _lockOf(_largest()));
    }

    /// Every list full.
    function _largest() private pure returns (OrderSpec memory spec) {
        spec = _spec();
        (spec.models, spec.regions, spec.regionsExcluded) = (new uint16[](8), new uint16[](8), new uint16[](8));
        (spec.providersWanted, spec.providersExcluded) = (new uint24[](8), new uint24[](8));
        for (uint256 i; i < 8; ++i) {
            spec.models[i] = uint16(7 + i);
            (spec.regions[i], spec.regionsExcluded[i]) = (uint16(3 + i), uint16(40 + i));
            (spec.providersWanted[i], spec.providersExcluded[i]) = (uint24(1 + i), uint24(40 + i));
        }
    }

    function _lease() private {
        uint32 machineId = _machine(_provider(providerOwner));
        uint32 round = _openNext();
        assertEq(_settle(round, _encode(_record(orderId, machineId, 1))), 1);
    }

    /// forge-config: default.isolate = true
    function test_gasOfCreateOrder() public {
        vm.prank(tenant);
        orderRequest.createOrder(_largest(), type(uint32).max);
        vm.snapshotGasLastCall(FILE, "createOrder with every list full");
    }

    /// forge-config: default.isolate = true
    function test_gasOfReplaceOrder() public {
        vm.prank(tenant);
        orderRequest.replaceOrder(orderId, _largest(), type(uint32).max);
        vm.snapshotGasLastCall(FILE, "replaceOrder with every list full");
    }

    /// forge-config: default.isolate = true
    function test_gasOfEnding() public {
        vm.prank(tenant);
        orderRequest.cancel(orderId);
        vm.snapshotGasLastCall(FILE, "cancel");
        _enterRound(2, 1);
        orderRequest.refund(orderId);
        vm.snapshotGasLastCall(FILE, "refund");
    }

    /// forge-config: default.isolate = true
    function test_gasOfExpire() public {
        vm.warp(block.timestamp + 31 days);
        orderRequest.expire(orderId);
        vm.snapshotGasLastCall(FILE, "expire");
    }

    /// forge-config: default.isolate = true
    function test_gasOfAFirstAndTheLastBid() public {
        vm.startPrank(address(bid));
        orderRequest.setBid(orderId, 0, bytes32(uint256(1)));
        vm.snapshotGasLastCall(FILE, "setBid of a new bid");
        orderRequest.setBid(orderId, 0, bytes32(uint256(2)));
        vm.snapshotGasLastCall(FILE, "setBid in place");
    }

    /// forge-config: default.isolate = true
    function test_gasOfLeases() public {
        _lease();
        bytes32 word = orderRequest.orderWord(orderId);
        vm.startPrank(address(computeLease));
        orderRequest.setLease(orderId, bytes32(uint256(word) + (uint256(1) << 152)));
        vm.snapshotGasLastCall(FILE, "setLease");
        orderRequest.reopen(orderId);
        vm.snapshotGasLastCall(FILE, "reopen");
    }

    /// forge-config: default.isolate = true
    function test_gasOfClose() public {
        _lease();
        vm.prank(address(computeLease));
        orderRequest.close(orderId);
        vm.snapshotGasLastCall(FILE, "close");
    }

    /// forge-config: default.isolate = true
    function test_gasOfTheBidWindow() public {
        orderRequest.setBidWindowBlocks(9);
        vm.snapshotGasLastCall(FILE, "setBidWindowBlocks");
    }
}
