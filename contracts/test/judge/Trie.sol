// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RLP } from "@openzeppelin/contracts/utils/RLP.sol";

/// @notice Leaves of a trie, ascending by hashed key.
/// @param fullDepth Levels from the root down at which every branch on the way to a leaf has sixteen children, as in a large state; the
/// children that lead to no leaf of ours are made up.
struct Trie {
    bytes32[] keys;
    bytes[] values;
    uint256 fullDepth;
}

/// @title Makes Merkle-Patricia tries of any leaves and the proofs of each: branches, extensions, leaves and embedded nodes.
library TrieLib {
    uint256 private constant NIBBLES = 64;
    uint256 private constant HASH_BYTES = 32;

    /// @notice Sorts the leaves in place by key.
    function sort(Trie memory trie) internal pure {
        for (uint256 i = 1; i < trie.keys.length; i++) {
            (bytes32 key, bytes memory value) = (trie.keys[i], trie.values[i]);
            uint256 j = i;
            for (; j > 0 && trie.keys[j - 1] > key; j--) {
                (trie.keys[j], trie.values[j]) = (trie.keys[j - 1], trie.values[j - 1]);
            }
            (trie.keys[j], trie.values[j]) = (key, value);
        }
    }

    function root(Trie memory trie) internal pure returns (bytes32) {
        return keccak256(_node(trie, 0, trie.keys.length, 0));
    }

    /// @notice The nodes from the root to the leaf of `key`, or to where the trie shows that there is none. Embedded nodes are no elements.
    function prove(Trie memory trie, bytes32 key) internal pure returns (bytes[] memory proof) {
        bytes[] memory path = new bytes[](NIBBLES + 1);
        uint256 length = 0;
        (uint256 low, uint256 high, uint256 depth) = (0, trie.keys.length, 0);
        while (low < high) {
            bytes memory node = _node(trie, low, high, depth);
            if (length == 0 || node.length >= HASH_BYTES) path[length++] = node;
            uint256 shared = _shared(trie, low, high, depth);
            if (_isLeaf(trie, low, high, depth)) break;
            if (depth >= trie.fullDepth && shared > depth) {
                // The extension's only child is the branch behind it.
                if (_common(trie.keys[low], key, shared) < shared) break;
                depth = shared;
                continue;
            }
            (low, high) = _range(trie, low, high, depth, _nibble(key, depth));
            depth++;
        }
        proof = new bytes[](length);
        for (uint256 i = 0; i < length; i++) {
            proof[i] = path[i];
        }
    }

    function _isLeaf(Trie memory trie, uint256 low, uint256 high, uint256 depth) private pure returns (bool) {
        return high - low == 1 && depth >= trie.fullDepth;
    }

    /// RLP of the node over leaves `low` to `high`, whose keys agree in their first `depth` nibbles.
    function _node(Trie memory trie, uint256 low, uint256 high, uint256 depth) private pure returns (bytes memory) {
        if (_isLeaf(trie, low, high, depth)) {
            bytes[] memory leaf = new bytes[](2);
            leaf[0] = RLP.encode(_compact(trie.keys[low], depth, NIBBLES, true));
            leaf[1] = RLP.encode(trie.values[low]);
            return RLP.encode(leaf);
        }
        uint256 shared = _shared(trie, low, high, depth);
        if (depth >= trie.fullDepth && shared > depth) {
            bytes[] memory extension = new bytes[](2);
            extension[0] = RLP.encode(_compact(trie.keys[low], depth, shared, false));
            extension[1] = _reference(_node(trie, low, high, shared));
            return RLP.encode(extension);
        }
        bytes[] memory branch = new bytes[](17);
        for (uint256 nibble = 0; nibble < 16; nibble++) {
            (uint256 from, uint256 to) = _range(trie, low, high, depth, nibble);
            if (from < to) branch[nibble] = _reference(_node(trie, from, to, depth + 1));
            else if (depth < trie.fullDepth) branch[nibble] = RLP.encode(keccak256(abi.encode(trie.keys[low], depth, nibble)));
            else branch[nibble] = hex"80";
        }
        branch[16] = hex"80";
        return RLP.encode(branch);
    }

    function _reference(bytes memory node) private pure returns (bytes memory) {
        return node.length < HASH_BYTES ? node : RLP.encode(keccak256(node));
    }

    function _range(Trie memory trie, uint256 low, uint256 high, uint256 depth, uint256 nibble)
        private
        pure
        returns (uint256 from, uint256 to)
    {
        from = low;
        while (from < high && _nibble(trie.keys[from], depth) < nibble) from++;
        to = from;
        while (to < high && _nibble(trie.keys[to], depth) == nibble) to++;
    }

    /// How many nibbles the leaves agree in; as they ascend, the first and the last decide.
    function _shared(Trie memory trie, uint256 low, uint256 high, uint256 depth) private pure returns (uint256) {
        return high - low == 1 ? depth : _common(trie.keys[low], trie.keys[high - 1], NIBBLES);
    }

    function _common(bytes32 a, bytes32 b, uint256 most) private pure returns (uint256 nibbles) {
        while (nibbles < most && _nibble(a, nibbles) == _nibble(b, nibbles)) nibbles++;
    }

    /// Hex-prefix encoding of the key's nibbles `from` to `to`.
    function _compact(bytes32 key, uint256 from, uint256 to, bool isLeaf) private pure returns (bytes memory path) {
        uint256 count = to - from;
        path = new bytes(count / 2 + 1);
        uint256 flag = (isLeaf ? 2 : 0) + count % 2;
        path[0] = bytes1(uint8(flag << 4 | (count % 2 == 1 ? _nibble(key, from) : 0)));
        uint256 next = from + count % 2;
        for (uint256 i = 1; i < path.length; i++) {
            path[i] = bytes1(uint8(_nibble(key, next) << 4 | _nibble(key, next + 1)));
            next += 2;
        }
    }

    function _nibble(bytes32 key, uint256 index) private pure returns (uint256) {
        return uint256(key) >> (252 - 4 * index) & 0xf;
    }
}
