// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IStrategy } from "../../src/eigenlayer/IStrategy.sol";
import { IStrategyFactory } from "../../src/eigenlayer/IStrategyFactory.sol";
import { IStrategyManager } from "../../src/eigenlayer/IStrategyManager.sol";
import { DevnetToken } from "../../src/devnet/DevnetToken.sol";
import { DevnetStrategy } from "../../src/eigenlayer/devnet/DevnetStrategy.sol";
import { DevnetStrategyManager } from "../../src/eigenlayer/devnet/DevnetStrategyManager.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

contract DevnetStrategyManagerTest is EigenDevnetFixture {
    address private staker = makeAddr("staker");

    function test_factoryMakesOneOpenStrategyPerToken() public {
        assertEq(address(strategyFactory.deployedStrategies(stakeToken)), address(strategy));
        assertTrue(strategyManager.strategyIsWhitelistedForDeposit(strategy));
        assertEq(address(strategy.underlyingToken()), address(stakeToken));
        vm.expectRevert(IStrategyFactory.StrategyAlreadyExists.selector);
        strategyFactory.deployNewStrategy(stakeToken);
        vm.expectRevert(DevnetStrategyManager.OnlyStrategyFactory.selector);
        strategyManager.whitelistForDeposit(strategy);
    }

    function test_depositsAddUp() public {
        assertEq(deposit(staker, 3e18), 3e18);
        assertEq(deposit(staker, 2e18), 2e18);
        assertEq(strategyManager.stakerDepositShares(staker, strategy), 5e18);
        assertEq(stakeToken.balanceOf(address(strategy)), 5e18);
        (IStrategy[] memory list, uint256[] memory shares) = strategyManager.getDeposits(staker);
        assertEq(list.length, 1);
        assertEq(address(list[0]), address(strategy));
        assertEq(shares[0], 5e18);
    }

    function test_strangeStrategyIsRefused() public {
        DevnetStrategy stranger = new DevnetStrategy(address(strategyManager), stakeToken);
        vm.expectRevert(IStrategyManager.StrategyNotWhitelisted.selector);
        strategyManager.depositIntoStrategy(stranger, stakeToken, 1e18);
    }

    function test_otherTokenIsRefused() public {
        DevnetToken other = new DevnetToken("Other", "OTH", 18);
        other.mint(address(this), 1e18);
        other.approve(address(strategyManager), 1e18);
        vm.expectRevert(DevnetStrategy.OnlyUnderlyingToken.selector);
        strategyManager.depositIntoStrategy(strategy, other, 1e18);
    }

    function test_depositOfNothingIsRefused() public {
        vm.expectRevert(DevnetStrategy.NewSharesZero.selector);
        strategyManager.depositIntoStrategy(strategy, stakeToken, 0);
    }

    function test_onlyTheStrategyManagerMakesShares() public {
        vm.expectRevert(DevnetStrategy.OnlyStrategyManager.selector);
        DevnetStrategy(address(strategy)).deposit(stakeToken, 1);
    }

    function test_totalSharesAreBounded() public {
        deal(address(stakeToken), staker, 1e38);
        vm.startPrank(staker);
        stakeToken.approve(address(strategyManager), 1e38);
        vm.expectRevert(DevnetStrategy.TotalSharesExceedsMax.selector);
        strategyManager.depositIntoStrategy(strategy, stakeToken, 1e38);
        strategyManager.depositIntoStrategy(strategy, stakeToken, 1e38 - 1);
    }

    function test_donatedTokensRaiseThePriceOfAShare() public {
        deposit(staker, 1e18);
        require(stakeToken.transfer(address(strategy), 1e18 + 1e3));
        assertEq(strategy.sharesToUnderlyingView(1e18), 2e18);
        assertEq(strategy.underlyingToSharesView(2e18), 1e18);
        assertEq(deposit(makeAddr("later"), 2e18), 1e18);
    }

    /// @dev A first depositor of one unit who then donates can take at most a thousandth of the next deposit.
    function testFuzz_donationCannotRobTheNextDepositor(uint256 donation, uint256 amount) public {
        donation = bound(donation, 0, 1e24);
        amount = bound(amount, donation / 1e3 + 2, 1e27);
        deposit(staker, 1);
        require(stakeToken.transfer(address(strategy), donation));
        uint256 shares = deposit(makeAddr("later"), amount);
        uint256 oneShare = strategy.sharesToUnderlyingView(1) + 1;
        assertGe(strategy.sharesToUnderlyingView(shares) + oneShare, amount);
        assertLe(oneShare, donation / 1e3 + 2);
    }

    function test_stakerHoldsAtMostThirtyTwoStrategies() public {
        for (uint256 i; i < 32; ++i) {
            DevnetToken token = new DevnetToken("T", "T", 18);
            token.mint(address(this), 1e18);
            token.approve(address(strategyManager), 1e18);
            strategyManager.depositIntoStrategy(strategyFactory.deployNewStrategy(token), token, 1e18);
        }
        stakeToken.approve(address(strategyManager), 1e18);
        vm.expectRevert(IStrategyManager.MaxStrategiesExceeded.selector);
        strategyManager.depositIntoStrategy(strategy, stakeToken, 1e18);
    }
}
