// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { ProviderOwnerWord, ProviderOwnerWordLib } from "../../src/words/ProviderOwnerWord.sol";
import { ProviderWord, ProviderWordLib } from "../../src/words/ProviderWord.sol";

contract ProviderWordTest is Test {
    function testFuzz_FieldsAreAtTheirBits(uint256 word) public pure {
        ProviderWord provider = ProviderWord.wrap(word);
        assertEq(provider.stakeWhole(), word >> 224);
        assertEq(provider.status(), uint8(word >> 221) % 8);
        assertEq(provider.tier(), uint8(word >> 218) % 8);
        assertEq(provider.uptimeBps(), uint16(word >> 204) % (1 << 14));
        assertEq(provider.reputationBps(), uint16(word >> 190) % (1 << 14));
        assertEq(provider.slashes(), uint8(word >> 182));
        assertEq(provider.attributes(), uint64(word >> 128) % (1 << 54));
        for (uint256 index; index < 4; ++index) {
            assertEq(provider.report(index), uint32(word >> (32 * index)));
        }
    }

    function testFuzz_ChangesTouchTheirOwnBitsOnly(uint256 word, uint256 seed) public pure {
        ProviderWord provider = ProviderWord.wrap(word);
        ProviderWord other = ProviderWord.wrap(seed);
        // Fields of `other` moved over one group at a time end in `other` itself, so nothing is lost and nothing is touched twice.
        ProviderWord moved = provider.withStakeWhole(other.stakeWhole());
        assertEq(ProviderWord.unwrap(moved), (word & type(uint224).max) | (seed & ~uint256(type(uint224).max)));
        moved = moved.withStatus(other.status()).withTier(other.tier()).withAttributes(other.attributes());
        assertEq(moved.uptimeBps(), provider.uptimeBps());
        assertEq(moved.slashes(), provider.slashes());
        moved = moved.withScores(other.uptimeBps(), other.reputationBps());
        assertEq(moved.slashes(), provider.slashes());
        moved = moved.withSlashes(other.slashes());
        assertEq(ProviderWord.unwrap(moved), (seed >> 128 << 128) | (word & type(uint128).max));
        for (uint256 index; index < 4; ++index) {
            moved = moved.withReport(index, other.report(index));
        }
        assertEq(ProviderWord.unwrap(moved), seed);
    }

    function test_NewProviderIsUnmeasured() public pure {
        ProviderWord provider = ProviderWordLib.encode(1, 7);
        assertEq(provider.status(), 1);
        assertEq(provider.tier(), 7);
        assertEq(provider.uptimeBps(), 0x3fff);
        assertEq(provider.reputationBps(), 0x3fff);
        assertEq(provider.stakeWhole(), 0);
        assertEq(uint192(ProviderWord.unwrap(provider)) >> 190, 3, "only the two measures are set below the tier");
        assertEq(ProviderWord.unwrap(provider) & ((1 << 190) - 1), 0);
    }

    function testFuzz_OwnerRoundTrip(address owner, uint40 required, uint24 machineCount) public pure {
        ProviderOwnerWord word = ProviderOwnerWordLib.encode(owner, required, machineCount);
        assertEq(word.owner(), owner);
        assertEq(word.requiredStakeWhole(), required);
        assertEq(word.machineCount(), machineCount);
    }
}
