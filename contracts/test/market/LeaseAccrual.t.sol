// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { LeaseAccrual } from "../../src/market/LeaseAccrual.sol";

contract LeaseAccrualTest is Test {
    function test_earningsRoundDownAndCostsUp() public pure {
        assertEq(LeaseAccrual.earned(1, 6, 3599), 0, "1 micro an hour");
        assertEq(LeaseAccrual.cost(1, 6, 3599), 1);
        assertEq(LeaseAccrual.earned(1, 6, 3600), 1);
        assertEq(LeaseAccrual.cost(1, 6, 3600), 1);
        assertEq(LeaseAccrual.cost(1, 6, 3601), 2);
        assertEq(LeaseAccrual.earned(7, 6, 5400), 10);
        assertEq(LeaseAccrual.cost(7, 6, 5400), 11);
        assertEq(LeaseAccrual.earned(1, 18, 1), 277_777_777, "1 micro an hour for a second, 18 decimals");
        assertEq(LeaseAccrual.cost(1, 18, 1), 277_777_778);
        assertEq(LeaseAccrual.earned(5_000_000, 6, 0), 0);
        assertEq(LeaseAccrual.cost(5_000_000, 6, 0), 0);
    }

    /// The largest price for the longest time at 18 decimals, which is above 2^96 and must be seen as such.
    function test_theLargestAmountsDoNotOverflow() public pure {
        uint256 most = LeaseAccrual.cost((1 << 40) - 1, 18, type(uint32).max);
        assertEq(most, (((1 << 40) - 1) * 10 ** 12 * uint256(type(uint32).max) + 3599) / 3600);
        assertGt(most, type(uint96).max);
    }

    function testFuzz_theCostCoversTheEarningsByLessThanAUnit(uint40 price, uint8 decimals, uint32 elapsed) public pure {
        decimals = uint8(bound(decimals, 6, 18));
        uint256 earned = LeaseAccrual.earned(price, decimals, elapsed);
        uint256 cost = LeaseAccrual.cost(price, decimals, elapsed);
        assertLe(earned, cost);
        assertLe(cost - earned, 1);
        if (elapsed % 3600 == 0) assertEq(cost, earned);
    }

    /// A time cut in two costs no less, and earns no more, than the whole.
    function testFuzz_partsEarnNoMoreAndCostNoLess(uint40 price, uint8 decimals, uint32 first, uint32 second) public pure {
        decimals = uint8(bound(decimals, 6, 18));
        uint256 whole = uint256(first) + second;
        assertLe(
            LeaseAccrual.earned(price, decimals, first) + LeaseAccrual.earned(price, decimals, second),
            LeaseAccrual.earned(price, decimals, whole)
        );
        assertGe(
            LeaseAccrual.cost(price, decimals, first) + LeaseAccrual.cost(price, decimals, second),
            LeaseAccrual.cost(price, decimals, whole)
        );
    }
}
