// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The rolling keccak over every word that nodes build their snapshot from.
/// @dev Facts word: 48 accumulator208 | 0 count48. A node that missed one event holds another word than the chain.
library Facts {
    /// @notice The facts word after `value` was written at `slot`.
    function fold(uint256 word, uint256 slot, uint256 value) internal pure returns (uint256 folded) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, word)
            mstore(add(free, 0x20), slot)
            mstore(add(free, 0x40), value)
            let accumulator := shl(48, shr(48, keccak256(free, 0x60)))
            folded := or(accumulator, and(add(word, 1), 0xffffffffffff))
        }
    }
}
