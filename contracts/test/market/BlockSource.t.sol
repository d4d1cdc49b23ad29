// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { BlockSource, IArbSys } from "../../src/market/BlockSource.sol";

/// @notice Shows what a contract sees through its block source.
contract BlockReader is BlockSource {
    constructor(bool arbSys) BlockSource(arbSys) { }

    function blockNumber() external view returns (uint256) {
        return _blockNumber();
    }

    function blockHash(uint256 number) external view returns (bytes32) {
        return _blockHash(number);
    }
}

/// @notice Stands at 0x64 and keeps the precompile's rule: a hash outside the last 256 blocks reverts.
contract ArbSysAtBlock is IArbSys {
    uint256 private constant NUMBER = 5_000_000;

    error InvalidBlockNumber(uint256 requested, uint256 current);

    function arbBlockNumber() external pure returns (uint256) {
        return NUMBER;
    }

    function arbBlockHash(uint256 number) external pure returns (bytes32) {
        if (number >= NUMBER || number + 256 < NUMBER) revert InvalidBlockNumber(number, NUMBER);
        return keccak256(abi.encode(number));
    }
}

contract BlockSourceTest is Test {
    function testFuzz_NativeKnowsTheLast256Hashes(uint32 number, uint16 back) public {
        uint256 current = bound(number, 1000, type(uint32).max);
        uint256 asked = current - bound(back, 0, 600);
        vm.roll(current);
        BlockReader reader = new BlockReader(false);
        assertEq(reader.blockNumber(), current);
        assertEq(reader.blockHash(asked) != 0, asked < current && current - asked <= 256);
    }

    function testFuzz_ArbitrumKnowsTheLast256HashesAndNeverReverts(uint256 asked) public {
        vm.etch(address(0x64), address(new ArbSysAtBlock()).code);
        BlockReader reader = new BlockReader(true);
        asked = bound(asked, 4_999_000, 5_001_000);
        bool known = asked < 5_000_000 && 5_000_000 - asked <= 256;
        assertEq(reader.blockHash(asked), known ? keccak256(abi.encode(asked)) : bytes32(0));
    }

    function test_NativeReadsTheEvm() public {
        BlockReader reader = new BlockReader(false);
        vm.roll(1234);
        vm.setBlockhash(1200, bytes32(uint256(42)));
        assertEq(reader.blockNumber(), 1234);
        assertEq(reader.blockHash(1200), bytes32(uint256(42)));
        assertEq(reader.blockHash(1234), 0);
        assertEq(reader.blockHash(1234 - 257), 0);
    }

    function test_ArbitrumReadsThePrecompile() public {
        vm.etch(address(0x64), address(new ArbSysAtBlock()).code);
        BlockReader reader = new BlockReader(true);
        vm.roll(1234);
        assertEq(reader.blockNumber(), 5_000_000);
        assertEq(reader.blockHash(4_999_999), keccak256(abi.encode(4_999_999)));
        assertEq(reader.blockHash(4_999_744), keccak256(abi.encode(4_999_744)));
    }

    function test_ArbitrumAnswersZeroWhereThePrecompileWouldRevert() public {
        vm.etch(address(0x64), address(new ArbSysAtBlock()).code);
        BlockReader reader = new BlockReader(true);
        assertEq(reader.blockHash(5_000_000), 0);
        assertEq(reader.blockHash(4_999_743), 0);
        assertEq(reader.blockHash(type(uint256).max), 0);
    }
}
