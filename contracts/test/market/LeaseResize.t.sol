// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { LeaseResize } from "../../src/market/LeaseResize.sol";
import { OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";

contract LeaseResizeTest is Test {
    function _fields() private pure returns (RecordFields memory) {
        return RecordFields({
            orderId: 11,
            machineId: 12,
            priceMicroPerHour: 13,
            deviceMask: 3,
            milliGpu: 2000,
            cpuMilli: 14,
            memoryMib: 15,
            storageGib: 16,
            offerIndex: 2,
            fromBid: false,
            tokenId: 17,
            providerId: 18,
            bidIndex: 0
        });
    }

    function _update() private pure returns (LeaseUpdate memory) {
        return LeaseUpdate({
            milliGpu: 1000, cpuMilli: 24, memoryMib: 25, storageGib: 26, maxPriceMicroPerHour: 99, manifestHash: bytes32(uint256(1))
        });
    }

    function test_aResizedLeaseChangesNothingButSizeAndPrice() public pure {
        OrderWord lease = OrderWordLib.leaseOf(RecordWordLib.encode(_fields()), 1_800_000_000);
        OrderWord resized = LeaseResize.resized(lease, _update(), 33, 4);
        RecordFields memory expected = _fields();
        (expected.priceMicroPerHour, expected.deviceMask, expected.milliGpu) = (33, 4, 1000);
        (expected.cpuMilli, expected.memoryMib, expected.storageGib) = (24, 25, 26);
        assertEq(
            OrderWord.unwrap(resized),
            OrderWord.unwrap(OrderWordLib.leaseOf(RecordWordLib.encode(expected), 1_800_000_000)),
            "the lease word"
        );
        assertFalse(LeaseResize.isSameSize(lease, resized));
        assertTrue(LeaseResize.isSameSize(resized, LeaseResize.resized(resized, _update(), 34, 4)), "a price is no size");
        assertFalse(LeaseResize.isSameSize(resized, LeaseResize.resized(resized, _update(), 33, 8)), "other devices are another size");

        (expected.fromBid, expected.offerIndex) = (true, 0);
        assertEq(
            RecordWord.unwrap(LeaseResize.asRecord(resized, 11)), RecordWord.unwrap(RecordWordLib.encode(expected)), "the record of a move"
        );
    }

    function test_anUpdateKeepsTheBoundsOfAnOrder() public pure {
        LeaseUpdate memory update = _update();
        assertEq(LeaseResize.invalidField(update), "");
        uint16[5] memory bad = [1001, 1500, 8001, 9000, type(uint16).max];
        for (uint256 i; i < bad.length; ++i) {
            update.milliGpu = bad[i];
            assertEq(LeaseResize.invalidField(update), "milliGpu");
        }
        uint16[5] memory good = [0, 1, 999, 1000, 8000];
        for (uint256 i; i < good.length; ++i) {
            update.milliGpu = good[i];
            assertEq(LeaseResize.invalidField(update), "");
        }
        update.cpuMilli = 0;
        assertEq(LeaseResize.invalidField(update), "cpuMilli");
        update.cpuMilli = 1 << 20;
        assertEq(LeaseResize.invalidField(update), "cpuMilli");
        (update.cpuMilli, update.storageGib) = ((1 << 20) - 1, 1 << 20);
        assertEq(LeaseResize.invalidField(update), "storageGib");
        (update.storageGib, update.maxPriceMicroPerHour) = ((1 << 20) - 1, 0);
        assertEq(LeaseResize.invalidField(update), "maxPriceMicroPerHour");
        update.maxPriceMicroPerHour = 1 << 39;
        assertEq(LeaseResize.invalidField(update), "maxPriceMicroPerHour");
        (update.maxPriceMicroPerHour, update.manifestHash) = ((1 << 39) - 1, 0);
        assertEq(LeaseResize.invalidField(update), "manifestHash");
    }
}
