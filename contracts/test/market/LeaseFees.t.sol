// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { LeaseFees } from "../../src/market/LeaseFees.sol";

contract LeaseFeesTest is Test {
    function test_everyFeeRoundsDownAndTheLockUp() public pure {
        (uint256 toProvider, uint256 providerFee, uint256 foundationFee) = LeaseFees.split(99, 100, 2000);
        assertEq(providerFee, 0, "0.99");
        assertEq(foundationFee, 19, "19.8");
        assertEq(toProvider, 80);
        (toProvider, providerFee, foundationFee) = LeaseFees.split(1000, 100, 2000);
        assertEq(providerFee, 10);
        assertEq(foundationFee, 200);
        assertEq(toProvider, 790);
        assertEq(LeaseFees.userFeeOf(49, 200), 0, "0.98");
        assertEq(LeaseFees.userFeeOf(50, 200), 1);
        assertEq(LeaseFees.lockOf(1, 200), 2, "1 and 0.02, up");
        assertEq(LeaseFees.lockOf(50, 200), 51);
        assertEq(LeaseFees.lockOf(51, 200), 53, "51 and 1.02, up");
        assertEq(LeaseFees.lockOf(51, 0), 51);
    }

    /// The one case in which a rising G takes a unit from the provider, by every G below ten thousand.
    function test_theProvidersShareFallsByAUnitAtMostAndOnlyFromOneUnitToTheNext() public pure {
        uint256 falls;
        uint256[3] memory last;
        for (uint256 accrued; accrued < 10_000; ++accrued) {
            (uint256 share,,) = LeaseFees.split(accrued, 100, 2000);
            if (share < last[0]) {
                ++falls;
                assertEq(accrued % 100, 0, "both fees step at whole hundreds");
                assertEq(last[0] - share, 1);
            }
            if (accrued > 1) assertGe(share, last[1]);
            (last[0], last[1]) = (share, last[0]);
        }
        assertEq(falls, 99);
    }

    function testFuzz_theSharesAddUpAndNeverFallOverTwoUnits(uint96 accrued, uint96 step, uint16 providerFeeBps, uint16 foundationFeeBps)
        public
        pure
    {
        providerFeeBps = uint16(bound(providerFeeBps, 0, 1000));
        foundationFeeBps = uint16(bound(foundationFeeBps, 0, 5000));
        uint256 later = uint256(accrued) + 2 + step;
        (uint256 provider, uint256 fee, uint256 foundation) = LeaseFees.split(accrued, providerFeeBps, foundationFeeBps);
        (uint256 providerLater, uint256 feeLater, uint256 foundationLater) = LeaseFees.split(later, providerFeeBps, foundationFeeBps);
        assertEq(provider + fee + foundation, accrued);
        assertGe(providerLater, provider);
        assertGe(feeLater, fee);
        assertGe(foundationLater, foundation);
    }

    /// What is paid for a lease of at most `cost` always fits what was locked for it.
    function testFuzz_theLockCoversTheAccrualAndItsFee(uint96 cost, uint96 accrued, uint16 userFeeBps) public pure {
        userFeeBps = uint16(bound(userFeeBps, 0, 1000));
        accrued = uint96(bound(accrued, 0, cost));
        uint256 spent = uint256(accrued) + LeaseFees.userFeeOf(accrued, userFeeBps);
        uint256 locked = LeaseFees.lockOf(cost, userFeeBps);
        assertLe(spent, locked);
        if (accrued == cost) assertLe(locked - spent, 1, "and exceeds it by a fraction of a unit");
    }
}
