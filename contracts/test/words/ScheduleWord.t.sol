// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { ScheduleWord } from "../../src/words/ScheduleWord.sol";

contract ScheduleWordTest is Test {
    function testFuzz_PushKeepsTheNewestTwo(uint32[3] memory rounds, uint40[3] memory blocks, uint16[3] memory lengths) public pure {
        ScheduleWord word = ScheduleWord.wrap(0);
        for (uint256 i; i < 3; ++i) {
            word = word.push(rounds[i], blocks[i], lengths[i]);
        }
        (uint256 fromRound, uint256 fromBlock, uint256 length) = word.newest();
        assertEq(fromRound, rounds[2]);
        assertEq(fromBlock, blocks[2]);
        assertEq(length, lengths[2]);
        (fromRound, fromBlock, length) = word.previous();
        assertEq(fromRound, rounds[1]);
        assertEq(fromBlock, blocks[1]);
        assertEq(length, lengths[1]);
        assertEq(ScheduleWord.unwrap(word) >> 176, 0);
    }

    function test_WordIsLaidOutAsWritten() public pure {
        ScheduleWord word = ScheduleWord.wrap(0).push(0x11223344, 0x5566778899, 0xaabb).push(0xdeadbeef, 0x0102030405, 0x0607);
        assertEq(ScheduleWord.unwrap(word), 0x112233445566778899aabbdeadbeef01020304050607);
    }

    /// fromRound(n) is the smallest r with B(r) >= n, and the open round the one before, whatever the two periods are.
    function testFuzz_FromRoundIsTheSmallestRoundNotBefore(
        uint16 firstBlock,
        uint8 firstLength,
        uint8 secondLength,
        uint8 lead,
        uint16 step
    ) public pure {
        uint256 length = bound(firstLength, 1, 200);
        ScheduleWord word = ScheduleWord.wrap(0).push(1, uint256(firstBlock) + length, length);
        uint256 change = bound(lead, 3, 255);
        (, uint256 changeBlock) = word.snapshotBlockOf(change);
        if (firstLength % 4 != 0) word = word.push(change, changeBlock, bound(secondLength, 1, 200));
        uint256 blockNumber = uint256(firstBlock) + step;

        uint256 round = word.fromRoundAt(blockNumber);
        (bool known, uint256 snapshotBlock) = word.snapshotBlockOf(round);
        assertTrue(known);
        assertGe(snapshotBlock, blockNumber);
        (known, snapshotBlock) = word.snapshotBlockOf(round - 1);
        assertEq(known, round > 1);
        if (known) assertLt(snapshotBlock, blockNumber);
        assertEq(word.openRoundAt(blockNumber), round - 1);
    }
}
