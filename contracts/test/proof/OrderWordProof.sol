// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BlockHeader } from "@openzeppelin/contracts/utils/BlockHeader.sol";
import { RLP } from "@openzeppelin/contracts/utils/RLP.sol";
import { TrieProof } from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";

/// @title Proves a storage word of a past block against the block hash that operators signed: the shape disputes use.
/// @dev Words that are zero have no leaf and can not be proven this way.
contract OrderWordProof {
    uint256 private constant STORAGE_ROOT = 2;

    error HeaderMismatch(bytes32 given, bytes32 snapshotHash);

    /// @notice The word in `slot` of `account` in the block whose hash is `snapshotHash`. Reverts unless all three proofs hold.
    function wordAt(
        bytes32 snapshotHash,
        bytes calldata headerRlp,
        address account,
        bytes[] calldata accountProof,
        uint256 slot,
        bytes[] calldata slotProof
    ) external pure returns (bytes32) {
        bytes32 given = keccak256(headerRlp);
        if (given != snapshotHash) revert HeaderMismatch(given, snapshotHash);
        bytes32 stateRoot = BlockHeader.getStateRoot(headerRlp);
        bytes memory leaf = TrieProof.traverse(stateRoot, abi.encodePacked(keccak256(abi.encodePacked(account))), accountProof);
        bytes32 storageRoot = RLP.readBytes32(RLP.decodeList(leaf)[STORAGE_ROOT]);
        bytes memory word = TrieProof.traverse(storageRoot, abi.encodePacked(keccak256(abi.encode(slot))), slotProof);
        return RLP.decodeBytes32(word);
    }
}
