// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title EigenLayer's Merkle tree: keccak256 of unsorted pairs, leaves padded with zeros to a power of two.
library EigenMerkle {
    error InvalidIndex();
    error InvalidProofLength();
    error EmptyRoot();

    /// @notice Whether `leaf` stands at `index` under `root`; the index's bits say on which side each sibling stands.
    /// @param proof Siblings from the bottom up, 32 bytes each. None for a tree of one leaf, whose root is the leaf.
    function isIncluded(bytes memory proof, bytes32 root, bytes32 leaf, uint256 index) internal pure returns (bool) {
        require(proof.length % 32 == 0, InvalidProofLength());
        require(root != bytes32(0), EmptyRoot());
        bytes32 node = leaf;
        for (uint256 offset = 32; offset <= proof.length; offset += 32) {
            bytes32 sibling;
            assembly ("memory-safe") {
                sibling := mload(add(proof, offset))
            }
            node = index & 1 == 0 ? keccak256(abi.encode(node, sibling)) : keccak256(abi.encode(sibling, node));
            index >>= 1;
        }
        require(index == 0, InvalidIndex());
        return node == root;
    }
}
