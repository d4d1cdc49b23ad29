// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BN254OperatorInfo, BN254OperatorSetInfo, G1Point } from "../eigenlayer/EigenTypes.sol";
import { Bn254 } from "./Bn254.sol";
import { IQuorumVerifier } from "./IQuorumVerifier.sol";

/// @title Packed entries of a BN254 operator table: the signing key in G1, X and Y of 32 bytes, then its weight, 12.
/// @dev EigenLayer's source keeps only a commitment to a table, so the entries come from anyone and are proven against all of it.
library Bn254Table {
    uint256 internal constant ENTRY_BYTES = 76;
    uint256 private constant WEIGHT_SHIFT = 160;
    /// @dev Tells the leaf of an operator from inner nodes and from leaves of other trees.
    bytes1 private constant OPERATOR_INFO_LEAF_SALT = 0x75;

    /// @notice Proves `entries` against the source's commitment and puts one entry before them: the sum of the keys with the total weight.
    /// @return code That summary, then the entries.
    /// @return count Number of operators.
    function prove(uint32 tableTimestamp, bytes calldata entries, BN254OperatorSetInfo memory info, uint256 maxOperators)
        internal
        view
        returns (bytes memory code, uint256 count)
    {
        count = info.numOperators;
        if (count > maxOperators) revert IQuorumVerifier.TooManyOperators(count);
        if (entries.length != count * ENTRY_BYTES) revert IQuorumVerifier.EntriesMismatch(tableTimestamp);
        (bool proven, uint256 total) = _check(entries, info, count);
        if (!proven) revert IQuorumVerifier.EntriesMismatch(tableTimestamp);
        code = abi.encodePacked(info.aggregatePubkey.X, info.aggregatePubkey.Y, uint96(total), entries);
    }

    /// @notice Hash of the packed entries in what `prove` made, and the sum of their weights.
    function summary(bytes memory code) internal pure returns (bytes32 tableHash, uint96 totalWeight) {
        assembly ("memory-safe") {
            tableHash := keccak256(add(code, add(0x20, ENTRY_BYTES)), sub(mload(code), ENTRY_BYTES))
            totalWeight := shr(WEIGHT_SHIFT, mload(add(code, 0x60)))
        }
    }

    /// Root, sum of the keys and total weight, each as the commitment says. A key off the curve or without a bit in it is none.
    function _check(bytes calldata entries, BN254OperatorSetInfo memory info, uint256 count)
        private
        view
        returns (bool proven, uint256 total)
    {
        bytes32[] memory leaves = new bytes32[](count);
        G1Point memory sum;
        BN254OperatorInfo memory operator = BN254OperatorInfo({ pubkey: G1Point(0, 0), weights: new uint256[](1) });
        for (uint256 i; i < count; ++i) {
            bytes calldata entry = entries[i * ENTRY_BYTES:(i + 1) * ENTRY_BYTES];
            operator.pubkey.X = uint256(bytes32(entry[:32]));
            operator.pubkey.Y = uint256(bytes32(entry[32:64]));
            operator.weights[0] = uint96(bytes12(entry[64:]));
            if (!Bn254.isOnCurve(operator.pubkey)) return (false, 0);
            leaves[i] = keccak256(abi.encodePacked(OPERATOR_INFO_LEAF_SALT, abi.encode(operator)));
            (, sum) = Bn254.add(sum, operator.pubkey);
            total += operator.weights[0];
        }
        uint256[] memory totals = info.totalWeights;
        // The source commits to no weight at all for a set without operators.
        if (count == 0) return (totals.length == 0 || totals[0] == 0, 0);
        if (total > type(uint96).max) revert IQuorumVerifier.WeightTooLarge(total);
        proven = totals.length == 1 && totals[0] == total && sum.X == info.aggregatePubkey.X && sum.Y == info.aggregatePubkey.Y
            && _root(leaves) == info.operatorInfoTreeRoot;
    }

    /// Root over unsorted pairs, padded with zero leaves to a power of two; the leaves are overwritten.
    function _root(bytes32[] memory leaves) private pure returns (bytes32) {
        uint256 filled = leaves.length;
        uint256 width = 1;
        while (width < filled) width <<= 1;
        bytes32[] memory level = leaves;
        if (width != filled) {
            level = new bytes32[](width);
            for (uint256 i; i < filled; ++i) {
                level[i] = leaves[i];
            }
        }
        for (; width > 1; width >>= 1) {
            for (uint256 i; i < width; i += 2) {
                level[i >> 1] = keccak256(abi.encodePacked(level[i], level[i + 1]));
            }
        }
        return level[0];
    }
}
