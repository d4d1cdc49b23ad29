// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAllocationManager } from "../eigenlayer/IAllocationManager.sol";
import { IKeyRegistrar } from "../eigenlayer/IKeyRegistrar.sol";
import { OperatorSet, BN254OperatorInfo, BN254OperatorSetInfo } from "../eigenlayer/EigenTypes.sol";
import { Bn254 } from "../quorum/Bn254.sol";
import { StakeWeights } from "./StakeWeights.sol";

/// @title Turns slashable stake into a BN254 operator table: sums, and a Merkle root over the operators.
/// @dev Verifiers get no list of operators; whoever signs for a part of them proves the others under the root, with the infos given here
/// at the table's reference block.
contract Bn254TableCalculator is StakeWeights {
    /// @dev The key registrar gave out a key that is no point of the curve.
    error KeyNotOnCurve(address operator);

    /// @dev Keeps leaves apart from inner nodes and other leaves.
    bytes1 private constant OPERATOR_INFO_LEAF_SALT = 0x75;

    constructor(IKeyRegistrar keyRegistrar_, IAllocationManager allocationManager_, uint32 lookaheadBlocks)
        StakeWeights(keyRegistrar_, allocationManager_, lookaheadBlocks)
    { }

    /// @return `abi.encode(BN254OperatorSetInfo)`; zeros and no total weights for a set without operators.
    function calculateOperatorTableBytes(OperatorSet calldata operatorSet) external view returns (bytes memory) {
        (address[] memory operators, uint256[][] memory weights) = getOperatorSetWeights(operatorSet);
        BN254OperatorSetInfo memory table;
        table.numOperators = operators.length;
        if (operators.length == 0) return abi.encode(table);
        table.totalWeights = new uint256[](1);
        bytes32[] memory leaves = new bytes32[](operators.length);
        for (uint256 i; i < operators.length; ++i) {
            BN254OperatorInfo memory info = _infoOf(operatorSet, operators[i], weights[i]);
            bool ok;
            (ok, table.aggregatePubkey) = Bn254.add(table.aggregatePubkey, info.pubkey);
            require(ok, KeyNotOnCurve(operators[i]));
            table.totalWeights[0] += weights[i][0];
            leaves[i] = keccak256(abi.encodePacked(OPERATOR_INFO_LEAF_SALT, abi.encode(info)));
        }
        table.operatorInfoTreeRoot = _rootOf(leaves);
        return abi.encode(table);
    }

    /// @return infos In the order of the tree's leaves.
    function getOperatorInfos(OperatorSet calldata operatorSet) external view returns (BN254OperatorInfo[] memory infos) {
        (address[] memory operators, uint256[][] memory weights) = getOperatorSetWeights(operatorSet);
        infos = new BN254OperatorInfo[](operators.length);
        for (uint256 i; i < operators.length; ++i) {
            infos[i] = _infoOf(operatorSet, operators[i], weights[i]);
        }
    }

    /// @return found False, with index 0, for an operator that the table leaves out.
    /// @return index The operator's leaf.
    function getOperatorIndex(OperatorSet calldata operatorSet, address operator) external view returns (bool found, uint32 index) {
        (address[] memory operators,) = getOperatorSetWeights(operatorSet);
        for (uint32 i; i < operators.length; ++i) {
            if (operators[i] == operator) return (true, i);
        }
    }

    function _infoOf(OperatorSet calldata operatorSet, address operator, uint256[] memory weights)
        private
        view
        returns (BN254OperatorInfo memory info)
    {
        (info.pubkey,) = keyRegistrar.getBN254Key(operatorSet, operator);
        info.weights = weights;
    }

    /// @dev keccak256 of unsorted pairs; the leaves are padded with zeros to a power of two. At least one leaf.
    function _rootOf(bytes32[] memory leaves) private pure returns (bytes32) {
        uint256 width = 1;
        while (width < leaves.length) width *= 2;
        bytes32[] memory nodes = new bytes32[](width);
        for (uint256 i; i < leaves.length; ++i) {
            nodes[i] = leaves[i];
        }
        for (; width > 1; width /= 2) {
            for (uint256 i; i < width; i += 2) {
                nodes[i / 2] = keccak256(abi.encode(nodes[i], nodes[i + 1]));
            }
        }
        return nodes[0];
    }
}
