// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { BidWord } from "../../src/words/BidWord.sol";

contract BidWordTest is Test {
    function testFuzz_aWithdrawalChangesTheRoundAlone(uint256 raw, uint32 untilRound) public pure {
        BidWord word = BidWord.wrap(raw).withUntilRound(untilRound);
        assertEq(word.untilRound(), untilRound);
        assertEq(BidWord.unwrap(word) & type(uint224).max, raw & type(uint224).max);
    }
}
