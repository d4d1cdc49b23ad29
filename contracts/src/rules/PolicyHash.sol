// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Policy } from "../market/MarketTypes.sol";
import { PackingTerms } from "./PackingTerms.sol";

/// @title The hash by which a policy is named: keccak256 of its words as the ABI encodes them.
/// @dev Version 1 of the rules knows the first 18 words only, and only they are hashed: what stands in the others is nobody's word and must
/// not be read. Words are hashed as they are given; one with bits beyond its type is another policy and matches none.
library PolicyHash {
    uint256 private constant FIRST_VERSION_BYTES = 18 * 32;
    uint256 private constant ALL_BYTES = 20 * 32;

    function ofCalldata(Policy calldata policy) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let length := ALL_BYTES
            if eq(calldataload(policy), 1) { length := FIRST_VERSION_BYTES }
            let free := mload(0x40)
            calldatacopy(free, policy, length)
            hash := keccak256(free, length)
        }
    }

    function ofMemory(Policy memory policy) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let length := ALL_BYTES
            if eq(mload(policy), 1) { length := FIRST_VERSION_BYTES }
            hash := keccak256(policy, length)
        }
    }

    /// @notice `packingHash` of the terms.
    function ofPacking(PackingTerms memory terms) internal pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }
}
