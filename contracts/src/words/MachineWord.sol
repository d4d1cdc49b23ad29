// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice M0, all that matching and settlement read of a machine:
/// 224 activeFromRound32 | 192 activeUntilRound32 (all ones = none) | 168 providerId24 | 158 model10 | 148 region10
/// | 144 offersWritten4 (bit 144+i for offer i) | 120 freeMemoryMib24 | 100 freeCpuMilli20 | 80 freeStorageGib20
/// | 0 eight devices of 10 bits free milli-GPU, device i at bit 10*i.
type MachineWord is uint256;

/// @dev One bit at the foot of each of the eight 10-bit devices.
uint256 constant DEVICE_ONES = 0x401004010040100401;
/// @dev Copies of a device mask 9 bits apart: copy i brings mask bit i to bit 10*i.
uint256 constant DEVICE_SPREAD = 0x8040201008040201;
/// @dev The lowest bit of every field but the first that stands above a free amount: where a subtraction that had too little borrows.
uint256 constant FREE_BORROWS = 0x1000001000010000100401004010040100400;

using MachineWordLib for MachineWord global;

library MachineWordLib {
    /// @notice `activeUntilRound` of a machine that nobody has deactivated.
    uint256 internal constant NO_ROUND = 0xffffffff;

    /// @notice A machine that is active in no round and has nothing free yet.
    function encode(uint256 round, uint256 providerId_, uint256 model_, uint256 region_) internal pure returns (MachineWord) {
        return MachineWord.wrap((round << 224) | (round << 192) | (providerId_ << 168) | (model_ << 158) | (region_ << 148));
    }

    // ---- interval

    function activeFromRound(MachineWord machine) internal pure returns (uint256) {
        return MachineWord.unwrap(machine) >> 224;
    }

    function activeUntilRound(MachineWord machine) internal pure returns (uint256) {
        return (MachineWord.unwrap(machine) >> 192) & 0xffffffff;
    }

    function isActiveIn(MachineWord machine, uint256 round) internal pure returns (bool) {
        return activeFromRound(machine) <= round && round < activeUntilRound(machine);
    }

    function withActiveFromRound(MachineWord machine, uint256 round) internal pure returns (MachineWord) {
        return MachineWord.wrap((MachineWord.unwrap(machine) & type(uint224).max) | (round << 224));
    }

    function withActiveUntilRound(MachineWord machine, uint256 round) internal pure returns (MachineWord) {
        return MachineWord.wrap((MachineWord.unwrap(machine) & ~(uint256(0xffffffff) << 192)) | (round << 192));
    }

    function withInterval(MachineWord machine, uint256 fromRound, uint256 untilRound) internal pure returns (MachineWord) {
        return MachineWord.wrap((MachineWord.unwrap(machine) & type(uint192).max) | (fromRound << 224) | (untilRound << 192));
    }

    /// @notice The machine sitting out the rounds before `round`; a longer cool-down stays.
    function benchedUntil(MachineWord machine, uint256 round) internal pure returns (MachineWord) {
        return round > activeFromRound(machine) ? withActiveFromRound(machine, round) : machine;
    }

    // ---- identity

    function providerId(MachineWord machine) internal pure returns (uint256) {
        return (MachineWord.unwrap(machine) >> 168) & 0xffffff;
    }

    function model(MachineWord machine) internal pure returns (uint256) {
        return (MachineWord.unwrap(machine) >> 158) & 0x3ff;
    }

    function region(MachineWord machine) internal pure returns (uint256) {
        return (MachineWord.unwrap(machine) >> 148) & 0x3ff;
    }

    function withModelAndRegion(MachineWord machine, uint256 model_, uint256 region_) internal pure returns (MachineWord) {
        return MachineWord.wrap((MachineWord.unwrap(machine) & ~(uint256(0xfffff) << 148)) | (model_ << 158) | (region_ << 148));
    }

    function offersWritten(MachineWord machine) internal pure returns (uint256) {
        return (MachineWord.unwrap(machine) >> 144) & 0xf;
    }

    function withOfferWritten(MachineWord machine, uint256 offerIndex) internal pure returns (MachineWord) {
        return MachineWord.wrap(MachineWord.unwrap(machine) | (uint256(1) << (144 + offerIndex)));
    }

    // ---- capacity

    function freeMemoryMib(MachineWord machine) internal pure returns (uint256) {
        return (MachineWord.unwrap(machine) >> 120) & 0xffffff;
    }

    function freeCpuMilli(MachineWord machine) internal pure returns (uint256) {
        return (MachineWord.unwrap(machine) >> 100) & 0xfffff;
    }

    function freeStorageGib(MachineWord machine) internal pure returns (uint256) {
        return (MachineWord.unwrap(machine) >> 80) & 0xfffff;
    }

    function freeMilliGpu(MachineWord machine, uint256 device) internal pure returns (uint256) {
        return (MachineWord.unwrap(machine) >> (10 * device)) & 0x3ff;
    }

    /// @notice The machine with these free amounts; `devices` is the 80 bits of the eight devices.
    function withFree(MachineWord machine, uint256 memoryMib, uint256 cpuMilli, uint256 storageGib, uint256 devices)
        internal
        pure
        returns (MachineWord)
    {
        return MachineWord.wrap(
            (MachineWord.unwrap(machine) & ~uint256(type(uint144).max)) | (memoryMib << 120) | (cpuMilli << 100) | (storageGib << 80)
                | devices
        );
    }

    /// @notice The devices of `mask` with `units` milli-GPU each, as they stand in the lowest 80 bits. `units` below 1024.
    function spread(uint256 mask, uint256 units) internal pure returns (uint256) {
        unchecked {
            return ((mask * DEVICE_SPREAD) & DEVICE_ONES) * units;
        }
    }

    /// @notice What a record, or the lease it became, takes of a machine, placed where the machine has it free.
    /// @dev Record and lease share the bit positions. Assumes cpu-milli and storage below 2^20, which every reserved record has.
    function needOf(uint256 recordOrLease) internal pure returns (uint256) {
        unchecked {
            uint256 milliGpu = (recordOrLease >> 128) & 0xffff;
            uint256 units = milliGpu < 1000 ? milliGpu : 1000;
            return (((recordOrLease >> 80) & 0xffffff) << 120) | (((recordOrLease >> 104) & 0xffffff) << 100)
                | (((recordOrLease >> 56) & 0xffffff) << 80) | spread((recordOrLease >> 144) & 0xff, units);
        }
    }

    /// @notice Whether every amount of `need`, placed as `needOf` does, is free; cpu-milli and storage of it below 2^20.
    /// @dev One subtraction for all: of the fields that have too little the lowest borrows from the bit above it.
    function hasFree(MachineWord machine, uint256 need) internal pure returns (bool) {
        unchecked {
            uint256 word = MachineWord.unwrap(machine);
            return (word ^ need ^ (word - need)) & FREE_BORROWS == 0;
        }
    }

    /// @notice The machine after what a record or lease holds came back to it.
    function released(MachineWord machine, uint256 recordOrLease) internal pure returns (MachineWord) {
        unchecked {
            return MachineWord.wrap(MachineWord.unwrap(machine) + needOf(recordOrLease));
        }
    }
}
