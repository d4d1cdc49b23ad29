// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { SkipReason } from "../../src/market/MarketTypes.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { RegistryFixture } from "./RegistryFixture.sol";

/// @notice Capacity that a lease gives back and takes in one step: an update of the lease, and a self-match that has nothing to give back.
contract ProviderRegistryMoveTest is RegistryFixture {
    uint32 private constant ROUND = 3;

    uint24 private providerId;
    uint32 private machineId;
    uint256 private whole;

    function setUp() public override {
        super.setUp();
        providerId = _provider(owner, 1_000_000);
        machineId = _machine(providerId, 8);
        _openRound(ROUND);
        whole = MachineWord.unwrap(_m0(machineId));
    }

    function test_TakesFromNothingAtTheOffersPriceAndIsAFact() public {
        RecordFields memory record = _record();
        bytes32 facts = registry.factsWord();
        uint256 expected = whole - (uint256(32_768) << 120) - (uint256(8000) << 100) - (uint256(100) << 80) - 1000;
        vm.expectEmit(address(registry));
        emit IProviderRegistry.Fact(Slots.machine(machineId), bytes32(expected));
        _move(0, _word(record));
        assertEq(MachineWord.unwrap(_m0(machineId)), expected);
        assertEq(uint48(uint256(registry.factsWord())), uint48(uint256(facts)) + 1);
        // The price is the offer's unless the flag of a bid is set.
        record.deviceMask = 2;
        record.priceMicroPerHour -= 1;
        _expectRefused(SkipReason.OfferPrice);
        _move(0, _word(record));
        record.fromBid = true;
        _move(0, _word(record));
        assertEq(_m0(machineId).freeMilliGpu(1), 0);
    }

    function test_SettlementMayMoveToo() public {
        vm.prank(settlement);
        registry.moveCapacity(0, _word(_record()), ROUND);
        assertEq(_m0(machineId).freeCpuMilli(), 64_000 - 8000);
    }

    function test_GrowsAndShrinksAndComesBackWhole() public {
        RecordFields memory record = _record();
        _move(0, _word(record));
        bytes32 lease = _lease(record);
        RecordFields memory grown = _record();
        (grown.fromBid, grown.milliGpu, grown.deviceMask) = (true, 3000, 0x83);
        (grown.cpuMilli, grown.memoryMib, grown.storageGib) = (64_000, 262_144, 4096);
        _move(lease, _word(grown));
        assertEq(_m0(machineId).freeCpuMilli(), 0);
        assertEq(_m0(machineId).freeMemoryMib(), 0);
        assertEq(_m0(machineId).freeStorageGib(), 0);
        for (uint256 device; device < 8; ++device) {
            assertEq(_m0(machineId).freeMilliGpu(device), (0x83 >> device) & 1 == 1 ? 0 : 1000);
        }
        RecordFields memory shrunk = _record();
        (shrunk.fromBid, shrunk.milliGpu, shrunk.deviceMask) = (true, 300, 0x80);
        shrunk.cpuMilli = 1;
        _move(_lease(grown), _word(shrunk));
        assertEq(_m0(machineId).freeMilliGpu(7), 700);
        assertEq(_m0(machineId).freeMilliGpu(0), 1000);
        assertEq(_m0(machineId).freeCpuMilli(), 63_999);
        vm.prank(computeLease);
        registry.release(_lease(shrunk));
        assertEq(MachineWord.unwrap(_m0(machineId)), whole);
    }

    /// A machine full to the brim: the lease's own capacity comes back before the new is taken.
    function test_ReleasesBeforeItTakes() public {
        RecordFields memory record = _record();
        (record.fromBid, record.cpuMilli) = (true, 64_000);
        _move(0, _word(record));
        RecordFields memory other = record;
        bytes32 lease = _lease(record);
        other.deviceMask = 2;
        _move(lease, _word(other));
        assertEq(_m0(machineId).freeMilliGpu(0), 1000);
        assertEq(_m0(machineId).freeMilliGpu(1), 0);
        assertEq(_m0(machineId).freeCpuMilli(), 0);
    }

    function test_InactiveMachineLetsALeaseShrinkAndNotGrow() public {
        RecordFields memory record = _record();
        _move(0, _word(record));
        bytes32 lease = _lease(record);
        vm.prank(owner);
        registry.deactivateMachine(machineId);
        _openRound(ROUND + 1);
        MachineWord before = _m0(machineId);
        record.fromBid = true;
        record.cpuMilli += 1;
        _expectRefused(SkipReason.MachineInactive);
        _moveIn(ROUND + 1, lease, _word(record));
        // Another device is taken from what is free, whatever else shrinks.
        record.cpuMilli = 1;
        record.deviceMask = 4;
        _expectRefused(SkipReason.MachineInactive);
        _moveIn(ROUND + 1, lease, _word(record));
        record.deviceMask = 1;
        _moveIn(ROUND + 1, lease, _word(record));
        assertEq(_m0(machineId).freeCpuMilli(), before.freeCpuMilli() + 7999);
        assertEq(_m0(machineId).activeFromRound(), before.activeFromRound());
        assertEq(_m0(machineId).activeUntilRound(), before.activeUntilRound());
    }

    function test_RevertIf_WhatIsAskedForDoesNotHold() public {
        RecordFields memory record = _record();
        record.fromBid = true;
        record.cpuMilli = 64_001;
        _expectRefused(SkipReason.MachineCapacity);
        _move(0, _word(record));
        record = _record();
        record.providerId = providerId + 1;
        _expectRefused(SkipReason.ProviderMismatch);
        _move(0, _word(record));
        record = _record();
        record.milliGpu = 1500;
        _expectRefused(SkipReason.DeviceMask);
        _move(0, _word(record));
        record = _record();
        record.offerIndex = 2;
        _expectRefused(SkipReason.OfferMissing);
        _move(0, _word(record));
        assertEq(MachineWord.unwrap(_m0(machineId)), whole);
    }

    /// A share of a device is no multiple of devices, though it would be less than the lease has.
    function test_RevertIf_AShrinkBreaksTheDeviceRule() public {
        RecordFields memory record = _record();
        (record.fromBid, record.milliGpu, record.deviceMask) = (true, 2000, 3);
        _move(0, _word(record));
        bytes32 lease = _lease(record);
        record.milliGpu = 500;
        _expectRefused(SkipReason.DeviceMask);
        _move(lease, _word(record));
    }

    function test_RevertIf_TheCallerOrTheMachineIsWrong() public {
        bytes32 word = _word(_record());
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotAuthorized.selector, address(this)));
        registry.moveCapacity(0, word, ROUND);
        RecordFields memory record = _record();
        record.machineId = 77;
        vm.startPrank(computeLease);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.MachineNotFound.selector, 77));
        registry.moveCapacity(0, _word(record), ROUND);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.FieldOutOfBounds.selector, "machineId"));
        registry.moveCapacity(word, _word(record), ROUND);
    }

    /// Whatever two leases follow each other, the machine ends with exactly what the second one needs taken, or nothing changes.
    function testFuzz_MovedCapacityIsWhatALeaseOfItsOwnWouldTake(uint256 fromSeed, uint256 toSeed) public {
        RecordFields memory from = _draw(fromSeed);
        RecordFields memory to = _draw(toSeed);
        _move(0, _word(from));
        uint256 before = MachineWord.unwrap(_m0(machineId));
        _move(_lease(from), _word(to));
        uint256 moved = MachineWord.unwrap(_m0(machineId));
        vm.prank(computeLease);
        registry.release(_lease(to));
        assertEq(MachineWord.unwrap(_m0(machineId)), whole, "all comes back");
        _move(0, _word(to));
        assertEq(MachineWord.unwrap(_m0(machineId)), moved, "as if taken by itself");
        _move(_lease(to), _word(from));
        assertEq(MachineWord.unwrap(_m0(machineId)), before, "and back again");
    }

    // ----

    function _draw(uint256 seed) private view returns (RecordFields memory record) {
        record = _record();
        record.fromBid = true;
        record.cpuMilli = uint24(1 + seed % 64_000);
        record.memoryMib = uint24((seed >> 24) % 262_145);
        record.storageGib = uint24((seed >> 48) % 4097);
        uint256 kind = (seed >> 72) % 3;
        record.deviceMask = uint8(seed >> 80);
        if (kind == 0) (record.milliGpu, record.deviceMask) = (0, 0);
        if (kind == 1) (record.milliGpu, record.deviceMask) = (uint16(1 + (seed >> 96) % 999), uint8(1 << ((seed >> 112) % 8)));
        if (kind == 2) {
            record.milliGpu = 0;
            for (uint256 i; i < 8; ++i) {
                if ((record.deviceMask >> i) & 1 == 1) record.milliGpu += 1000;
            }
        }
    }

    function _move(bytes32 from, bytes32 to) private {
        _moveIn(ROUND, from, to);
    }

    function _moveIn(uint32 round, bytes32 from, bytes32 to) private {
        vm.prank(computeLease);
        registry.moveCapacity(from, to, round);
    }

    function _expectRefused(SkipReason reason) private {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CapacityRefused.selector, machineId, reason));
    }

    function _word(RecordFields memory record) private pure returns (bytes32) {
        return bytes32(RecordWord.unwrap(RecordWordLib.encode(record)));
    }

    function _lease(RecordFields memory record) private view returns (bytes32) {
        return bytes32(OrderWord.unwrap(OrderWordLib.leaseOf(RecordWordLib.encode(record), block.timestamp)));
    }

    function _record() private view returns (RecordFields memory record) {
        record.orderId = 1;
        record.machineId = machineId;
        record.milliGpu = 1000;
        record.deviceMask = 1;
        record.cpuMilli = 8000;
        record.memoryMib = 32_768;
        record.storageGib = 100;
        record.tokenId = tokenId;
        record.providerId = providerId;
        record.priceMicroPerHour = _price(record);
    }
}
