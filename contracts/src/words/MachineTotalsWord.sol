// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice M1, what a machine has in all:
/// 232 memoryMib24 | 212 cpuMilli20 | 192 storageGib20 | 188 deviceCount4 | 148 requiredStakeWhole40 | 124 zero24 | 84 registeredAt40 | 0 zero.
type MachineTotalsWord is uint256;

using MachineTotalsWordLib for MachineTotalsWord global;

library MachineTotalsWordLib {
    function encode(
        uint256 memoryMib_,
        uint256 cpuMilli_,
        uint256 storageGib_,
        uint256 deviceCount_,
        uint256 requiredStakeWhole_,
        uint256 registeredAt_
    ) internal pure returns (MachineTotalsWord) {
        return MachineTotalsWord.wrap(
            (memoryMib_ << 232) | (cpuMilli_ << 212) | (storageGib_ << 192) | (deviceCount_ << 188) | (requiredStakeWhole_ << 148)
                | (registeredAt_ << 84)
        );
    }

    function memoryMib(MachineTotalsWord totals) internal pure returns (uint256) {
        return MachineTotalsWord.unwrap(totals) >> 232;
    }

    function cpuMilli(MachineTotalsWord totals) internal pure returns (uint256) {
        return (MachineTotalsWord.unwrap(totals) >> 212) & 0xfffff;
    }

    function storageGib(MachineTotalsWord totals) internal pure returns (uint256) {
        return (MachineTotalsWord.unwrap(totals) >> 192) & 0xfffff;
    }

    function deviceCount(MachineTotalsWord totals) internal pure returns (uint256) {
        return (MachineTotalsWord.unwrap(totals) >> 188) & 0xf;
    }

    function requiredStakeWhole(MachineTotalsWord totals) internal pure returns (uint256) {
        return (MachineTotalsWord.unwrap(totals) >> 148) & 0xffffffffff;
    }

    /// @notice Seconds since 1970.
    function registeredAt(MachineTotalsWord totals) internal pure returns (uint256) {
        return (MachineTotalsWord.unwrap(totals) >> 84) & 0xffffffffff;
    }
}
