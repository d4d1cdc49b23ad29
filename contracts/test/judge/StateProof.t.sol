// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RLP } from "@openzeppelin/contracts/utils/RLP.sol";
import { TrieProof } from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";
import { Test } from "forge-std/Test.sol";

import { IFaultJudge } from "../../src/judge/IFaultJudge.sol";
import { ProvenBlock, StateProof } from "../../src/judge/StateProof.sol";
import { Trie, TrieLib } from "./Trie.sol";

contract StateProofTest is Test {
    using TrieLib for Trie;

    string private _vectors;

    function setUp() public {
        _vectors = vm.readFile("../test/vectors/accountProof.json");
    }

    // ---- reached from outside, so that reverts can be expected

    function blockOf(bytes32 snapshotHash, bytes memory header) external pure returns (ProvenBlock memory) {
        return StateProof.blockOf(snapshotHash, header);
    }

    function storageRootOf(bytes32 stateRoot, address account, bytes[] memory proof) external pure returns (bytes32) {
        return StateProof.storageRootOf(stateRoot, account, proof);
    }

    function wordAt(bytes32 storageRoot, uint256 slot, bytes[] memory proof) external pure returns (uint256) {
        return StateProof.wordAt(storageRoot, slot, proof);
    }

    function traverse(bytes32 root, bytes32 key, bytes[] memory proof) external pure returns (bool found, bytes memory value) {
        return StateProof.traverse(root, key, proof);
    }

    function theirs(bytes32 root, bytes32 key, bytes[] memory proof) external pure returns (bool found, bytes memory value) {
        TrieProof.ProofError err;
        (value, err) = TrieProof.tryTraverse(root, abi.encodePacked(key), proof);
        found = err == TrieProof.ProofError.NO_ERROR;
    }

    // ---- a node's own answer to eth_getProof

    function test_aNodesProof_givesHeaderAccountAndWords() public view {
        ProvenBlock memory proven = this.blockOf(vm.parseJsonBytes32(_vectors, ".snapshotHash"), vm.parseJsonBytes(_vectors, ".header"));
        assertEq(proven.stateRoot, vm.parseJsonBytes32(_vectors, ".stateRoot"));
        assertEq(proven.number, vm.parseJsonUint(_vectors, ".number"));
        assertEq(proven.timestamp, vm.parseJsonUint(_vectors, ".timestamp"));
        bytes32 storageRoot = this.storageRootOf(
            proven.stateRoot, vm.parseJsonAddress(_vectors, ".account"), vm.parseJsonBytesArray(_vectors, ".accountProof")
        );
        assertEq(storageRoot, vm.parseJsonBytes32(_vectors, ".storageRoot"));
        bytes32[] memory slots = vm.parseJsonBytes32Array(_vectors, ".slots");
        bytes32[] memory values = vm.parseJsonBytes32Array(_vectors, ".values");
        for (uint256 i = 0; i < 6; i++) {
            (uint256 index, bytes[] memory proof) = _proven(i);
            assertEq(this.wordAt(storageRoot, uint256(slots[index]), proof), uint256(values[index]));
        }
    }

    /// The builder that every other test of the judge takes its tries from agrees with the node's trie of the same words.
    function test_theBuildersTrie_isTheNodes() public view {
        bytes32[] memory slots = vm.parseJsonBytes32Array(_vectors, ".slots");
        bytes32[] memory values = vm.parseJsonBytes32Array(_vectors, ".values");
        Trie memory trie = Trie(new bytes32[](slots.length), new bytes[](slots.length), 0);
        for (uint256 i = 0; i < slots.length; i++) {
            trie.keys[i] = keccak256(abi.encode(slots[i]));
            trie.values[i] = RLP.encode(uint256(values[i]));
        }
        trie.sort();
        assertEq(trie.root(), vm.parseJsonBytes32(_vectors, ".storageRoot"));
        for (uint256 i = 0; i < 6; i++) {
            (uint256 index, bytes[] memory proof) = _proven(i);
            bytes[] memory built = trie.prove(keccak256(abi.encode(slots[index])));
            assertEq(built.length, proof.length);
            for (uint256 node = 0; node < built.length; node++) {
                assertEq(built[node], proof[node]);
            }
        }
    }

    function test_aNodesProof_ofAnotherSlotAccountOrBlock_provesNothing() public {
        bytes32 storageRoot = vm.parseJsonBytes32(_vectors, ".storageRoot");
        bytes32[] memory slots = vm.parseJsonBytes32Array(_vectors, ".slots");
        (uint256 index, bytes[] memory proof) = _proven(0);
        uint256 other = uint256(slots[index]) + 1;
        vm.expectRevert(abi.encodeWithSelector(IFaultJudge.WordProofInvalid.selector, bytes32(other)));
        this.wordAt(storageRoot, other, proof);

        bytes32 stateRoot = vm.parseJsonBytes32(_vectors, ".stateRoot");
        bytes[] memory accountProof = vm.parseJsonBytesArray(_vectors, ".accountProof");
        // Where the trie shows that there is no such leaf, the reader of RLP refuses the empty child.
        vm.expectRevert(RLP.RLPInvalidEncoding.selector);
        this.storageRootOf(stateRoot, address(this), accountProof);
        accountProof[0] = proof[0];
        address account = vm.parseJsonAddress(_vectors, ".account");
        vm.expectRevert(IFaultJudge.AccountProofInvalid.selector);
        this.storageRootOf(stateRoot, account, accountProof);

        bytes memory header = vm.parseJsonBytes(_vectors, ".header");
        bytes32 snapshotHash = vm.parseJsonBytes32(_vectors, ".snapshotHash");
        header[100] ^= 0x01;
        vm.expectRevert(IFaultJudge.SnapshotHeaderMismatch.selector);
        this.blockOf(snapshotHash, header);
    }

    // ---- against OpenZeppelin's TrieProof, which follows every node

    function testFuzz_traverse_agreesWithTrieProof(uint256 seed, uint256 count, uint256 fullDepth, uint256 which) public view {
        Trie memory trie = _trie(seed, bound(count, 1, 24), bound(fullDepth, 0, 7));
        bytes32 root = trie.root();
        which = bound(which, 0, trie.keys.length - 1);
        bytes[] memory proof = trie.prove(trie.keys[which]);
        (bool found, bytes memory value) = this.traverse(root, trie.keys[which], proof);
        assertTrue(found);
        assertEq(value, trie.values[which]);
        (found, value) = this.theirs(root, trie.keys[which], proof);
        assertTrue(found);
        assertEq(value, trie.values[which]);
    }

    function testFuzz_traverse_agreesWithTrieProof_onAnythingElse(uint256 seed, uint256 fullDepth, uint256 change, uint256 place)
        public
        view
    {
        Trie memory trie = _trie(seed, 12, bound(fullDepth, 0, 7));
        bytes32 root = trie.root();
        bytes32 key = trie.keys[seed % 12];
        bytes[] memory proof = trie.prove(key);
        if (change % 6 == 0) key = bytes32(uint256(key) ^ (1 << (place % 256)));
        if (change % 6 == 1) proof = trie.prove(keccak256(abi.encode(place)));
        if (change % 6 == 2) root = bytes32(uint256(root) ^ (1 << (place % 256)));
        if (change % 6 == 3) {
            bytes memory node = proof[place % proof.length];
            node[(place >> 8) % node.length] ^= bytes1(uint8(1 << (place % 8)));
        }
        if (change % 6 == 4) proof[place % proof.length] = proof[(place >> 8) % proof.length];
        if (change % 6 == 5) proof = _resized(proof, bound(place, 0, proof.length + 2));
        bytes memory call = abi.encode(root, key, proof);
        (bool ok, bytes memory answer) = address(this).staticcall(bytes.concat(this.traverse.selector, call));
        (bool theirOk, bytes memory theirAnswer) = address(this).staticcall(bytes.concat(this.theirs.selector, call));
        assertEq(ok, theirOk);
        if (ok) assertEq(answer, theirAnswer);
    }

    /// Leaves below 32 bytes stand inside their parents; keys that differ in the last nibbles alone make such.
    function testFuzz_traverse_embeddedNodes(uint256 seed, uint8 which) public view {
        Trie memory trie = Trie(new bytes32[](9), new bytes[](9), 0);
        for (uint256 i = 0; i < 9; i++) {
            // Eight neighbours that agree in 62 nibbles, and one far from them.
            trie.keys[i] = i == 8 ? keccak256(abi.encode(seed, i)) : bytes32(uint256(keccak256(abi.encode(seed))) >> 8 << 8 | i * 19);
            trie.values[i] = RLP.encode(uint256(i + 1));
        }
        trie.sort();
        uint256 index = which % 9;
        bytes[] memory proof = trie.prove(trie.keys[index]);
        (bool found, bytes memory value) = this.traverse(trie.root(), trie.keys[index], proof);
        assertTrue(found);
        assertEq(value, trie.values[index]);
    }

    /// A node below 32 bytes stands inside its parent; one that is named by its hash is no node of a trie, wherever it comes.
    function testFuzz_traverse_shortNodeByItsHash(bytes32 key, uint256 branches) public view {
        branches = bound(branches, 1, 63);
        bytes[] memory leaf = new bytes[](2);
        leaf[0] = RLP.encode(_pathTo(key, branches));
        leaf[1] = RLP.encode(uint256(0x2a));
        bytes[] memory proof = new bytes[](branches + 1);
        proof[branches] = RLP.encode(leaf);
        for (uint256 level = 1; level <= branches; level++) {
            uint256 i = branches - level;
            bytes[] memory children = new bytes[](17);
            for (uint256 nibble = 0; nibble < 16; nibble++) {
                children[nibble] = RLP.encode(keccak256(proof[i + 1]));
            }
            children[16] = hex"80";
            proof[i] = RLP.encode(children);
        }
        bytes32 root = keccak256(proof[0]);
        (bool found, bytes memory value) = this.traverse(root, key, proof);
        (bool theirFound, bytes memory theirValue) = this.theirs(root, key, proof);
        assertEq(found, theirFound);
        assertEq(value, theirValue);
        assertEq(found, proof[branches].length >= 32);
    }

    /// The leaf's path from nibble `from` of the key on.
    function _pathTo(bytes32 key, uint256 from) private pure returns (bytes memory path) {
        uint256 left = 64 - from;
        path = new bytes(left / 2 + 1);
        uint256 rest = uint256(key) & (type(uint256).max >> (4 * from));
        rest |= uint256(left % 2 == 1 ? 3 : 2) << (left % 2 == 1 ? 4 * left : 4 * left + 4);
        for (uint256 i = 1; i <= path.length; i++) {
            path[path.length - i] = bytes1(uint8(rest));
            rest >>= 8;
        }
    }

    function _trie(uint256 seed, uint256 count, uint256 fullDepth) private pure returns (Trie memory trie) {
        trie = Trie(new bytes32[](count), new bytes[](count), fullDepth);
        for (uint256 i = 0; i < count; i++) {
            trie.keys[i] = keccak256(abi.encode(seed, i));
            trie.values[i] = RLP.encode(uint256(keccak256(abi.encode(trie.keys[i]))) >> ((i * 61) % 250));
        }
        trie.sort();
    }

    function _resized(bytes[] memory proof, uint256 length) private pure returns (bytes[] memory resized) {
        resized = new bytes[](length);
        for (uint256 i = 0; i < length && i < proof.length; i++) {
            resized[i] = proof[i];
        }
    }

    function _proven(uint256 i) private view returns (uint256 index, bytes[] memory proof) {
        string memory place = string.concat(".proven[", vm.toString(i), "]");
        index = vm.parseJsonUint(_vectors, string.concat(place, ".index"));
        proof = vm.parseJsonBytesArray(_vectors, string.concat(place, ".proof"));
    }
}
