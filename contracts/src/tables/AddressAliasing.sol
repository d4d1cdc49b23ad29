// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title How Arbitrum names a contract of the parent chain that calls by a retryable ticket.
library AddressAliasing {
    uint160 internal constant OFFSET = uint160(0x1111000000000000000000000000000000001111);

    /// @notice Who such a call comes from, as the child chain sees it. Wraps around after the highest address.
    function toAlias(address parentSender) internal pure returns (address) {
        unchecked {
            return address(uint160(parentSender) + OFFSET);
        }
    }
}
