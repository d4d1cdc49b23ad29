// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";

contract RecordWordTest is Test {
    function testFuzz_RoundTrip(RecordFields memory fields) public pure {
        fields.offerIndex &= 3;
        RecordWord record = RecordWordLib.encode(fields);
        assertEq(record.orderId(), fields.orderId, "orderId");
        assertEq(record.machineId(), fields.machineId, "machineId");
        assertEq(record.priceMicroPerHour(), fields.priceMicroPerHour, "price");
        assertEq(record.deviceMask(), fields.deviceMask, "deviceMask");
        assertEq(record.milliGpu(), fields.milliGpu, "milliGpu");
        assertEq(record.cpuMilli(), fields.cpuMilli, "cpuMilli");
        assertEq(record.memoryMib(), fields.memoryMib, "memoryMib");
        assertEq(record.storageGib(), fields.storageGib, "storageGib");
        assertEq(record.offerIndex(), fields.offerIndex, "offerIndex");
        assertEq(record.fromBid(), fields.fromBid, "fromBid");
        assertEq(record.flags(), fields.offerIndex | (fields.fromBid ? 4 : 0), "flags");
        assertEq(record.tokenId(), fields.tokenId, "tokenId");
        assertEq(record.providerId(), fields.providerId, "providerId");
        assertEq(record.bidIndex(), fields.bidIndex, "bidIndex");
    }

    /// The 32 bytes of a record are its fields one after the other, as an indexer reads them.
    function testFuzz_IsPackedEncoding(RecordFields memory f) public pure {
        f.offerIndex &= 3;
        bytes memory head = abi.encodePacked(
            f.orderId, f.machineId, f.priceMicroPerHour, f.deviceMask, f.milliGpu, f.cpuMilli, f.memoryMib, f.storageGib
        );
        bytes memory tail = abi.encodePacked(uint8(f.offerIndex | (f.fromBid ? 4 : 0)), f.tokenId, f.providerId, f.bidIndex);
        assertEq(bytes32(RecordWord.unwrap(RecordWordLib.encode(f))), bytes32(bytes.concat(head, tail)));
    }

    function testFuzz_RecordAt(bytes32[4] memory words, uint256 index) public view {
        index = bound(index, 0, 3);
        bytes memory records = abi.encodePacked(words[0], words[1], words[2], words[3]);
        assertEq(this.recordAt(records, index), uint256(words[index]));
    }

    function recordAt(bytes calldata records, uint256 index) external pure returns (uint256) {
        return RecordWord.unwrap(RecordWordLib.recordAt(records, index));
    }
}
