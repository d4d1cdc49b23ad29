// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test, stdError } from "forge-std/Test.sol";
import { Holding, Pool, StakePool } from "../../src/market/StakePool.sol";

contract StakePoolTest is Test {
    Pool private pool;
    Holding[4] private holdings;

    function test_SharesBeginAsUnits() public {
        assertEq(pool.enter(holdings[0], 100), 100);
        assertEq(pool.enter(holdings[1], 7), 7);
        assertEq(_worth(1), 7);
        assertEq(pool.exit(holdings[0], 100), 100);
        assertEq(pool.exit(holdings[1], 7), 7);
        assertEq(pool.amount, 0);
        assertEq(pool.shares, 0);
    }

    function test_EnteringRoundsDownAgainstWhoEnters() public {
        pool.enter(holdings[0], 100);
        assertEq(pool.slash(3300), 33);
        // 10 x 100 / 67 = 14.9 shares.
        assertEq(pool.enter(holdings[1], 10), 14);
        // 14 x 77 / 114 = 9.5; the first has 67.5.
        assertEq(_worth(1), 9);
        assertEq(_worth(0), 67);
    }

    function test_LeavingRoundsDownAgainstWhoLeaves() public {
        pool.enter(holdings[0], 100);
        pool.slash(3300);
        // 50 x 67 / 100 = 33.5.
        assertEq(pool.exit(holdings[0], 50), 33);
        assertEq(pool.exit(holdings[0], 50), 34, "the rest is with the shares that stayed");
        assertEq(pool.amount, 0);
    }

    function test_RevertIf_MoreLeavesThanIsHeld() public {
        pool.enter(holdings[0], 100);
        pool.enter(holdings[1], 100);
        vm.expectRevert(stdError.arithmeticError);
        this.exit(0, 101);
    }

    function test_SlashRoundsUpAgainstTheSlashed() public {
        pool.enter(holdings[0], 3);
        assertEq(pool.slash(1), 1, "a part of a unit is one");
        assertEq(pool.slash(5000), 1);
        assertEq(pool.slash(5001), 1, "never above what is there");
        assertEq(pool.slash(10_000), 0);
    }

    function test_SlashOfAnEmptyPoolTakesNothingAndCountsNoEpoch() public {
        assertEq(pool.slash(10_000), 0);
        assertEq(pool.epoch, 0);
        assertEq(pool.scale, 0);
    }

    function test_AWipedOutPoolBeginsAnew() public {
        pool.enter(holdings[0], 100);
        assertEq(pool.slash(10_000), 100);
        assertEq(pool.epoch, 1);
        assertEq(pool.held(holdings[0]), 0);
        assertEq(pool.enter(holdings[1], 40), 40, "as if nobody had been there");
        assertEq(pool.held(holdings[0]), 0, "the old take nothing from the new");
        assertEq(pool.enter(holdings[0], 5), 5, "and may come again");
        assertEq(_worth(0), 5);
        assertEq(pool.exit(holdings[1], 40), 40);
    }

    /// Else the next to enter would get so many shares that no product could hold them.
    function test_SharesBeyondTheScaleAreDividedAndNobodyLosesByIt() public {
        pool.enter(holdings[0], 3e18);
        for (uint256 i; i < 4; ++i) {
            pool.slash(9999);
        }
        assertEq(pool.amount, 300);
        assertEq(pool.slash(9900), 297);
        assertEq(pool.scale, 0, "exactly 10^18 shares a unit are kept");
        pool.enter(holdings[1], 1e27);
        assertEq(pool.shares, 3e18 + 1e45);
        assertEq(pool.slash(5000), 5e26 + 2);
        assertEq(pool.scale, 1);
        assertEq(pool.held(holdings[0]), 3, "three units before the slash");
        assertEq(_worth(0), 1);
        assertEq(_worth(1), 5e26 - 1);
        assertEq(pool.enter(holdings[2], 100), 200, "a share is half a unit");
        assertEq(_worth(2), 99);
        assertEq(pool.exit(holdings[1], 1e27), 5e26 - 1);
        assertEq(pool.exit(holdings[2], 200), 100);
    }

    /// Rounded down, against the holder: what is less than a share of the new scale is nothing.
    function test_DividingRoundsDownAgainstTheHolder() public {
        pool.enter(holdings[0], 1e18 - 1);
        pool.enter(holdings[1], 1e18 + 2);
        for (uint256 i; i < 4; ++i) {
            pool.slash(9999);
        }
        pool.slash(9950);
        assertEq(pool.amount, 1);
        assertEq(pool.scale, 1);
        assertEq(pool.held(holdings[0]), 0);
        assertEq(pool.held(holdings[1]), 1);
        assertEq(pool.shares, 2, "2.000000000000000001 of them");
    }

    /// A holder that sleeps through scale after scale keeps its part until it is less than a share, and the arithmetic holds throughout.
    function test_TheGreatestPoolFits() public {
        pool.enter(holdings[0], type(uint128).max);
        for (uint256 i; i < 100; ++i) {
            uint256 before = _worth(0);
            uint256 taken = pool.slash(9000);
            assertLe(_worth(0), before / 10 + 1);
            assertEq(pool.enter(holdings[1], uint128(taken)) != 0, true);
            assertEq(pool.amount, type(uint128).max);
            assertApproxEqAbs(_worth(0) + _worth(1), type(uint128).max, 2);
        }
        assertEq(pool.scale, 5);
        assertEq(pool.held(holdings[0]), 0);
    }

    /// Any sequence: a share is never worth more than a unit, no entry or exit lowers what others have, all shares together get all.
    function testFuzz_NobodyLosesButBySlash(uint256 seed) public {
        emit log_named_uint("seed", seed);
        for (uint256 step; step < 48; ++step) {
            uint256 random = uint256(keccak256(abi.encode(seed, step)));
            uint256 who = random % 4;
            uint256[4] memory before = _worths();
            uint256 action = (random >> 8) % 8;
            if (action < 4) {
                uint128 amount = uint128(1 + (random >> 16) % 10 ** (1 + (random >> 200) % 27));
                assertGe(pool.enter(holdings[who], amount), amount, "at least a share a unit");
                assertLe(_worth(who), before[who] + amount + 1, "nothing is won by entering");
            } else if (action < 6) {
                uint256 amount = pool.exit(holdings[who], bound(random >> 16, 0, pool.held(holdings[who])));
                assertLe(amount + _worth(who), before[who] + 1, "nothing is won by leaving");
            } else {
                // Mostly next to all, so that pools get thin.
                uint256 bps = action == 6 ? 9999 : 1 + (random >> 16) % 10_000;
                uint256 exact = (pool.amount * bps + 9999) / 10_000;
                assertEq(pool.slash(bps), exact);
                for (uint256 i; i < 4; ++i) {
                    assertLe(_worth(i), before[i], "everybody bears it");
                    assertLe(before[i] - _worth(i), (before[i] + 1) * bps / 10_000 + 3, "in proportion");
                }
                continue;
            }
            uint256[4] memory afterwards = _worths();
            uint256 sum;
            for (uint256 i; i < 4; ++i) {
                if (i != who) assertGe(afterwards[i], before[i], "others keep what they have");
                sum += afterwards[i];
            }
            assertLe(sum, pool.amount, "no more than there is");
            assertLe(pool.amount, sum + 7, "but for less than a unit each in worth, and in shares where they were divided, all of it");
            assertLe(pool.amount, pool.shares, "a share is at most a unit");
            assertLe(pool.shares, pool.amount * StakePool.SCALE);
        }
    }

    function exit(uint256 who, uint256 shares) external {
        pool.exit(holdings[who], shares);
    }

    function _worth(uint256 who) private view returns (uint256) {
        return pool.worth(pool.held(holdings[who]));
    }

    function _worths() private view returns (uint256[4] memory worths) {
        for (uint256 i; i < 4; ++i) {
            worths[i] = _worth(i);
        }
    }
}
