// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSAOperatorInfo } from "../eigenlayer/EigenTypes.sol";
import { IQuorumVerifier } from "./IQuorumVerifier.sol";

/// @title Packed entries of an ECDSA operator table: the signing key's address, 20 bytes, then its weight, 12.
library EcdsaTable {
    uint256 internal constant ENTRY_BYTES = 32;
    uint256 private constant WEIGHT_BITS = 96;

    /// @notice Packs a table of the source in its order; of several weights the first counts.
    function pack(uint32 tableTimestamp, ECDSAOperatorInfo[] memory infos, uint256 maxOperators)
        internal
        pure
        returns (bytes memory entries)
    {
        if (infos.length > maxOperators) revert IQuorumVerifier.TooManyOperators(infos.length);
        entries = new bytes(infos.length * ENTRY_BYTES);
        uint256 total;
        for (uint256 i; i < infos.length; ++i) {
            if (infos[i].weights.length == 0) revert IQuorumVerifier.EntriesMismatch(tableTimestamp);
            uint256 weight = infos[i].weights[0];
            if (weight > type(uint96).max) revert IQuorumVerifier.WeightTooLarge(weight);
            total += weight;
            uint256 entry = (uint256(uint160(infos[i].pubkey)) << WEIGHT_BITS) | weight;
            assembly ("memory-safe") {
                mstore(add(add(entries, 0x20), shl(5, i)), entry)
            }
        }
        if (total > type(uint96).max) revert IQuorumVerifier.WeightTooLarge(total);
    }

    /// @notice Hash of packed entries, and the sum of their weights.
    /// @dev Of entries that `pack` made, whose sum fits.
    function summary(bytes memory entries) internal pure returns (bytes32 tableHash, uint96 totalWeight) {
        uint256 total;
        for (uint256 end = ENTRY_BYTES; end <= entries.length; end += ENTRY_BYTES) {
            uint256 entry;
            assembly ("memory-safe") {
                entry := mload(add(entries, end))
            }
            total += uint96(entry);
        }
        return (keccak256(entries), uint96(total));
    }
}
