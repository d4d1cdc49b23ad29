// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { MachineWord, MachineWordLib } from "../words/MachineWord.sol";
import { RecordWord } from "../words/RecordWord.sol";

/// @title What the records before a place of a batch mean for that place.
/// @dev Never reverts. The records of an honest batch fit one after the other; one that takes more than is free leaves nothing of it, so that
/// a wrong record does not keep what comes after it from being judged.
library EarlierRecords {
    uint256 private constant RECORD_BYTES = 32;
    uint256 private constant WHOLE_DEVICE = 1000;
    uint256 private constant DEVICES = 8;
    /// The bits of a record's cpu-milli and storage that no machine has.
    uint256 private constant TOO_WIDE = (0xf << 124) | (0xf << 76);

    function recordAt(bytes memory records, uint256 index) internal pure returns (RecordWord record) {
        assembly ("memory-safe") {
            record := mload(add(add(records, 0x20), shl(5, index)))
        }
    }

    /// @notice The machine with what it has left after the first `count` records.
    function left(bytes memory records, uint256 count, uint256 machineId, MachineWord machine) internal pure returns (MachineWord) {
        uint256 position;
        uint256 end;
        assembly ("memory-safe") {
            position := add(records, 0x20)
            end := add(position, shl(5, count))
        }
        while (true) {
            uint256 record;
            // Stops at the next record on the machine: most are on others.
            assembly ("memory-safe") {
                for { } lt(position, end) { position := add(position, 0x20) } {
                    record := mload(position)
                    if eq(and(shr(192, record), 0xffffffff), machineId) { break }
                }
            }
            if (position >= end) return machine;
            machine = _taken(machine, RecordWord.wrap(record));
            unchecked {
                position += RECORD_BYTES;
            }
        }
        return machine;
    }

    /// @notice How many records are of orders with a lower id, and whether one is of this order.
    function placeOf(bytes memory records, uint256 orderId) internal pure returns (uint256 before, bool present) {
        assembly ("memory-safe") {
            let end := add(add(records, 0x20), mload(records))
            for { let position := add(records, 0x20) } lt(position, end) { position := add(position, 0x20) } {
                let id := shr(224, mload(position))
                before := add(before, lt(id, orderId))
                present := or(present, eq(id, orderId))
            }
        }
    }

    /// The machine after the record took what it says, in a single subtraction where everything it takes is there.
    function _taken(MachineWord machine, RecordWord record) private pure returns (MachineWord) {
        uint256 word = RecordWord.unwrap(record);
        if (word & TOO_WIDE == 0) {
            uint256 need = MachineWordLib.needOf(word);
            unchecked {
                if (machine.hasFree(need)) return MachineWord.wrap(MachineWord.unwrap(machine) - need);
            }
        }
        return _emptied(machine, record);
    }

    function _emptied(MachineWord machine, RecordWord record) private pure returns (MachineWord) {
        uint256 perDevice = Math.min(record.milliGpu(), WHOLE_DEVICE);
        uint256 devices = 0;
        for (uint256 device = 0; device < DEVICES; device++) {
            uint256 need = (record.deviceMask() >> device) & 1 == 0 ? 0 : perDevice;
            devices |= Math.saturatingSub(machine.freeMilliGpu(device), need) << (10 * device);
        }
        return machine.withFree(
            Math.saturatingSub(machine.freeMemoryMib(), record.memoryMib()),
            Math.saturatingSub(machine.freeCpuMilli(), record.cpuMilli()),
            Math.saturatingSub(machine.freeStorageGib(), record.storageGib()),
            devices
        );
    }
}
