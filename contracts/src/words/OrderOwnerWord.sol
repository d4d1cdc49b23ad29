// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Whose an order is and what it may cost: 96 tenant160 | 56 maxPrice40 | 32 duration minutes24 | 0 expiresAt32.
type OrderOwnerWord is uint256;

using OrderOwnerWordLib for OrderOwnerWord global;

library OrderOwnerWordLib {
    function encode(address tenant_, uint40 maxPrice, uint24 minutes_, uint32 expiresAt_) internal pure returns (OrderOwnerWord) {
        return OrderOwnerWord.wrap(
            (uint256(uint160(tenant_)) << 96) | (uint256(maxPrice) << 56) | (uint256(minutes_) << 32) | uint256(expiresAt_)
        );
    }

    function tenant(OrderOwnerWord word) internal pure returns (address) {
        return address(uint160(OrderOwnerWord.unwrap(word) >> 96));
    }

    function maxPriceMicroPerHour(OrderOwnerWord word) internal pure returns (uint256) {
        return (OrderOwnerWord.unwrap(word) >> 56) & 0xffffffffff;
    }

    function durationMinutes(OrderOwnerWord word) internal pure returns (uint256) {
        return (OrderOwnerWord.unwrap(word) >> 32) & 0xffffff;
    }

    function expiresAt(OrderOwnerWord word) internal pure returns (uint256) {
        return OrderOwnerWord.unwrap(word) & 0xffffffff;
    }
}
