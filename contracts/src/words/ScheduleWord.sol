// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The newest two periods of rounds: newest 56 fromRound32 | 16 fromBlock40 | 0 length16; the one before it at +88.
/// A zero fromRound means that there is no such period.
type ScheduleWord is uint256;

using ScheduleWordLib for ScheduleWord global;

library ScheduleWordLib {
    uint256 private constant PERIOD = type(uint88).max;

    /// @notice `schedule` with a newer period; what was newest becomes the previous one.
    function push(ScheduleWord schedule, uint256 fromRound, uint256 fromBlock, uint256 lengthBlocks) internal pure returns (ScheduleWord) {
        return ScheduleWord.wrap(((ScheduleWord.unwrap(schedule) & PERIOD) << 88) | (fromRound << 56) | (fromBlock << 16) | lengthBlocks);
    }

    function newest(ScheduleWord schedule) internal pure returns (uint256 fromRound, uint256 fromBlock, uint256 lengthBlocks) {
        return _split(ScheduleWord.unwrap(schedule) & PERIOD);
    }

    function previous(ScheduleWord schedule) internal pure returns (uint256 fromRound, uint256 fromBlock, uint256 lengthBlocks) {
        return _split((ScheduleWord.unwrap(schedule) >> 88) & PERIOD);
    }

    /// @notice B(round) = fromBlock + (round - fromRound) * length in the newest period with fromRound <= round.
    /// @return known False when the round is before every known period.
    function snapshotBlockOf(ScheduleWord schedule, uint256 round) internal pure returns (bool known, uint256 snapshotBlock) {
        (uint256 fromRound, uint256 fromBlock, uint256 lengthBlocks) = newest(schedule);
        if (round < fromRound) (fromRound, fromBlock, lengthBlocks) = previous(schedule);
        known = fromRound != 0 && round >= fromRound;
        if (known) snapshotBlock = fromBlock + (round - fromRound) * lengthBlocks;
    }

    /// @notice The smallest round r with B(r) >= `blockNumber`, for any block after the newest period was written.
    function fromRoundAt(ScheduleWord schedule, uint256 blockNumber) internal pure returns (uint256) {
        (uint256 fromRound, uint256 fromBlock, uint256 lengthBlocks) = newest(schedule);
        if (blockNumber <= fromBlock) {
            (uint256 previousFromRound, uint256 previousFromBlock, uint256 previousLength) = previous(schedule);
            if (previousFromRound == 0) return fromRound;
            (fromRound, fromBlock, lengthBlocks) = (previousFromRound, previousFromBlock, previousLength);
        }
        if (blockNumber <= fromBlock) return fromRound;
        // Rounds up: a block between two snapshots belongs to the later one.
        return fromRound + (blockNumber - fromBlock + lengthBlocks - 1) / lengthBlocks;
    }

    /// @notice The newest round whose snapshot block is before `blockNumber`, 0 for none.
    function openRoundAt(ScheduleWord schedule, uint256 blockNumber) internal pure returns (uint256) {
        return fromRoundAt(schedule, blockNumber) - 1;
    }

    function _split(uint256 period) private pure returns (uint256 fromRound, uint256 fromBlock, uint256 lengthBlocks) {
        return (period >> 56, (period >> 16) & type(uint40).max, period & type(uint16).max);
    }
}
