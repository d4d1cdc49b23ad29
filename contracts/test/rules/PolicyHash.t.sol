// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { Policy } from "../../src/market/MarketTypes.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";

contract PolicyHashTest is Test {
    uint256 private constant WORDS = 20;

    /// As a contract that is called with it sees the policy.
    function hashOf(Policy calldata policy) external pure returns (bytes32) {
        return PolicyHash.ofCalldata(policy);
    }

    function testFuzz_TheFirstVersionHashesItsEighteenWords(Policy memory policy) public view {
        policy.rulesVersion = 1;
        bytes memory encoded = abi.encode(policy);
        bytes memory known = new bytes(18 * 32);
        for (uint256 i = 0; i < known.length; i++) {
            known[i] = encoded[i];
        }
        assertEq(PolicyHash.ofMemory(policy), keccak256(known));
        assertEq(this.hashOf(policy), keccak256(known));
        policy.weightPackingBps ^= 1;
        policy.packingHash ^= bytes32(uint256(1));
        assertEq(this.hashOf(policy), keccak256(known));
    }

    function testFuzz_LaterVersionsHashAllWords(Policy memory policy) public view {
        if (policy.rulesVersion == 1) policy.rulesVersion = 2;
        assertEq(PolicyHash.ofMemory(policy), keccak256(abi.encode(policy)));
        assertEq(this.hashOf(policy), keccak256(abi.encode(policy)));
    }

    /// Every bit of every word that the version knows counts, and bits beyond a field's type give a hash that no policy has.
    function testFuzz_OneBitMakesAnotherHash(Policy memory policy, bool first, uint256 bit) public view {
        policy.rulesVersion = first ? 1 : 2;
        bit = bound(bit, 0, (first ? 18 : WORDS) * 256 - 1);
        bytes memory encoded = abi.encode(policy);
        bytes32 hash = _rawHash(encoded);
        assertEq(hash, PolicyHash.ofMemory(policy));
        encoded[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool ok, bytes memory answer) = address(this).staticcall(bytes.concat(this.hashOf.selector, encoded));
        assertTrue(!ok || abi.decode(answer, (bytes32)) != hash);
    }

    function _rawHash(bytes memory encoded) private view returns (bytes32) {
        (bool ok, bytes memory answer) = address(this).staticcall(bytes.concat(this.hashOf.selector, encoded));
        assertTrue(ok);
        return abi.decode(answer, (bytes32));
    }
}
