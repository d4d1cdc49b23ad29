// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { Facts } from "../../src/words/Facts.sol";
import { Slots } from "../../src/words/Slots.sol";

contract FactsTest is Test {
    function testFuzz_Fold(uint256 word, uint256 slot, uint256 value) public pure {
        uint256 accumulator = uint256(keccak256(abi.encodePacked(word, slot, value))) >> 48;
        uint256 count = (word % (1 << 48) + 1) % (1 << 48);
        assertEq(Facts.fold(word, slot, value), (accumulator << 48) | count);
    }

    function test_BasesAreHashesWithTheLowest64BitsCleared() public pure {
        string[8] memory names = ["machine", "provider", "registry", "order", "bid", "orders", "settlement", "schedule"];
        uint256[8] memory bases = [
            Slots.MACHINE,
            Slots.PROVIDER,
            Slots.REGISTRY_FACTS,
            Slots.ORDER,
            Slots.BID,
            Slots.ORDERS_FACTS,
            Slots.SETTLEMENT,
            Slots.SCHEDULE
        ];
        for (uint256 i; i < names.length; ++i) {
            uint256 hash = uint256(keccak256(bytes(string.concat("matchmaker.words.", names[i]))));
            assertEq(bases[i], (hash >> 64) << 64, names[i]);
        }
    }

    /// The slots that docs/words.md gives, also for the greatest ids.
    function testFuzz_Slots(uint32 id, uint8 index) public pure {
        assertEq(Slots.machine(id), Slots.MACHINE + uint256(id) * 16);
        assertEq(Slots.machineTotals(id), Slots.MACHINE + uint256(id) * 16 + 1);
        assertEq(Slots.offer(id, index % 4), Slots.MACHINE + uint256(id) * 16 + 2 + index % 4);
        assertEq(Slots.offerPrevious(id, index % 4), Slots.MACHINE + uint256(id) * 16 + 6 + index % 4);
        assertEq(Slots.provider(uint24(id)), Slots.PROVIDER + uint256(uint24(id)) * 4);
        assertEq(Slots.providerOwner(uint24(id)), Slots.PROVIDER + uint256(uint24(id)) * 4 + 1);
        assertEq(Slots.order(id), Slots.ORDER + uint256(id) * 4);
        assertEq(Slots.orderOwner(id), Slots.ORDER + uint256(id) * 4 + 1);
        assertEq(Slots.orderSpec(id), Slots.ORDER + uint256(id) * 4 + 2);
        assertEq(Slots.bid(id, index), Slots.BID + uint256(id) * 256 + index);
    }
}
