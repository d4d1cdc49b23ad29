// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice P1, whose a provider is and what stake its machines need: 96 owner160 | 56 requiredStakeWhole40 | 24 zero | 0 machineCount24.
type ProviderOwnerWord is uint256;

using ProviderOwnerWordLib for ProviderOwnerWord global;

library ProviderOwnerWordLib {
    function encode(address owner_, uint256 requiredStakeWhole_, uint256 machineCount_) internal pure returns (ProviderOwnerWord) {
        return ProviderOwnerWord.wrap((uint256(uint160(owner_)) << 96) | (requiredStakeWhole_ << 56) | machineCount_);
    }

    function owner(ProviderOwnerWord word) internal pure returns (address) {
        return address(uint160(ProviderOwnerWord.unwrap(word) >> 96));
    }

    function requiredStakeWhole(ProviderOwnerWord word) internal pure returns (uint256) {
        return (ProviderOwnerWord.unwrap(word) >> 56) & 0xffffffffff;
    }

    function machineCount(ProviderOwnerWord word) internal pure returns (uint256) {
        return ProviderOwnerWord.unwrap(word) & 0xffffff;
    }
}
