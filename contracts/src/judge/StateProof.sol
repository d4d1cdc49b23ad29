// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BlockHeader } from "@openzeppelin/contracts/utils/BlockHeader.sol";
import { Memory } from "@openzeppelin/contracts/utils/Memory.sol";
import { RLP } from "@openzeppelin/contracts/utils/RLP.sol";
import { TrieProof } from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";

import { IFaultJudge } from "./IFaultJudge.sol";

/// @notice What a header says of its block.
struct ProvenBlock {
    bytes32 stateRoot;
    uint256 number;
    /// Seconds since 1970.
    uint256 timestamp;
}

/// @title Storage words of a past block, proven against the block's hash alone.
/// @dev A word of zero has no leaf and cannot be proven. Branches with all sixteen children, which are nearly all of a large state's proof,
/// are followed directly, for a tenth of what decoding them costs; everything else is OpenZeppelin's TrieProof.
library StateProof {
    using RLP for *;

    uint256 private constant STORAGE_ROOT = 2;
    /// A list of 16 hashes, 33 bytes each, and an empty value: f90211, (a0 hash) x 16, 80. No other node of a trie with hashed keys is as
    /// long: its leaves hold an account or a word, and its children are hashes or shorter.
    uint256 private constant FULL_BRANCH_BYTES = 532;
    uint256 private constant FULL_BRANCH_PREFIX = 0xf90211;
    /// A key has 64 nibbles, and the last one is left to TrieProof.
    uint256 private constant DIRECT_NODES = 63;
    uint256 private constant HASH_BYTES = 32;

    /// @notice The block whose hash is `snapshotHash`.
    function blockOf(bytes32 snapshotHash, bytes memory header) internal pure returns (ProvenBlock memory proven) {
        if (keccak256(header) != snapshotHash) revert IFaultJudge.SnapshotHeaderMismatch();
        Memory.Slice[] memory fields = BlockHeader.parseHeader(header);
        proven.stateRoot = BlockHeader.getStateRoot(fields);
        proven.number = BlockHeader.getNumber(fields);
        proven.timestamp = BlockHeader.getTimestamp(fields);
    }

    /// @notice Root of the account's storage in the state.
    function storageRootOf(bytes32 stateRoot, address account, bytes[] memory proof) internal pure returns (bytes32) {
        (bool found, bytes memory leaf) = traverse(stateRoot, keccak256(abi.encodePacked(account)), proof);
        if (!found) revert IFaultJudge.AccountProofInvalid();
        return leaf.decodeList()[STORAGE_ROOT].readBytes32();
    }

    /// @notice The word in `slot`, never zero.
    function wordAt(bytes32 storageRoot, uint256 slot, bytes[] memory proof) internal pure returns (uint256) {
        (bool found, bytes memory leaf) = traverse(storageRoot, keccak256(abi.encode(slot)), proof);
        if (!found) revert IFaultJudge.WordProofInvalid(bytes32(slot));
        return leaf.decodeUint256();
    }

    /// @notice The leaf's value under `key` in the trie of `root`.
    function traverse(bytes32 root, bytes32 key, bytes[] memory proof) internal pure returns (bool found, bytes memory value) {
        uint256 direct = 0;
        while (direct < DIRECT_NODES && direct + 1 < proof.length) {
            (bool isFull, bytes32 child) = _childOf(root, proof[direct], _nibble(key, direct));
            if (!isFull) break;
            root = child;
            direct++;
        }
        // A child that is named by its hash has at least the length of one; of the first node TrieProof asks nothing but the hash.
        if (direct != 0 && proof[direct].length < HASH_BYTES) return (false, value);
        bytes[] memory rest = _proofFrom(proof, direct);
        if (direct % 2 == 1) {
            // TrieProof takes keys of whole bytes, so the nibble that was followed last is given to it again, as a path of its own.
            rest[0] = _extension(_nibble(key, direct - 1), root);
            root = keccak256(rest[0]);
        }
        TrieProof.ProofError err;
        (value, err) = TrieProof.tryTraverse(root, _keyFrom(key, direct / 2), rest);
        found = err == TrieProof.ProofError.NO_ERROR;
    }

    /// Child `nibble` of the node, if it is the node of `hash` and a branch with all its children.
    function _childOf(bytes32 hash, bytes memory node, uint256 nibble) private pure returns (bool isFull, bytes32 child) {
        if (node.length != FULL_BRANCH_BYTES) return (false, 0);
        uint256 head;
        uint256 childPrefix;
        assembly ("memory-safe") {
            head := shr(232, mload(add(node, 0x20)))
            // Child i stands behind its prefix at byte 3 + 33 * i.
            let position := add(add(node, 0x23), mul(33, nibble))
            childPrefix := byte(0, mload(position))
            child := mload(add(position, 1))
        }
        isFull = head == FULL_BRANCH_PREFIX && childPrefix == 0xa0 && keccak256(node) == hash;
    }

    function _nibble(bytes32 key, uint256 index) private pure returns (uint256) {
        return (uint256(key) >> (252 - 4 * index)) & 0xf;
    }

    /// `key` without its first `count` bytes, of which it has more.
    function _keyFrom(bytes32 key, uint256 count) private pure returns (bytes memory rest) {
        rest = new bytes(32 - count);
        assembly ("memory-safe") {
            mstore(add(rest, 0x20), shl(mul(8, count), key))
        }
    }

    /// The same nodes without the first `count`; of an odd count with a place before them.
    function _proofFrom(bytes[] memory proof, uint256 count) private pure returns (bytes[] memory rest) {
        if (count == 0) return proof;
        uint256 place = count % 2;
        rest = new bytes[](proof.length - count + place);
        for (uint256 i = count; i < proof.length; i++) {
            rest[place++] = proof[i];
        }
    }

    /// RLP of an extension by one nibble: a list of 34 bytes, the path with the mark of an odd extension, the child's hash.
    function _extension(uint256 nibble, bytes32 child) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(0xe2), uint8(0x10 | nibble), uint8(0xa0), child);
    }
}
