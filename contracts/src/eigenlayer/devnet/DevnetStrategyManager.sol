// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IStrategy } from "../IStrategy.sol";
import { IStrategyManager } from "../IStrategyManager.sol";
import { DevnetDelegationManager } from "./DevnetDelegationManager.sol";
import { DevnetStrategy } from "./DevnetStrategy.sol";

/// @title Takes deposits of restakers, for a chain that has no EigenLayer.
contract DevnetStrategyManager is IStrategyManager, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    error OnlyStrategyFactory();

    uint256 private constant MAX_STRATEGIES_PER_STAKER = 32;

    DevnetDelegationManager public immutable delegation;
    address public immutable strategyFactory;

    mapping(address staker => mapping(IStrategy strategy => uint256)) public stakerDepositShares;
    mapping(IStrategy strategy => bool) public strategyIsWhitelistedForDeposit;
    mapping(address staker => IStrategy[]) private _strategiesOf;

    constructor(DevnetDelegationManager delegation_, address strategyFactory_) {
        delegation = delegation_;
        strategyFactory = strategyFactory_;
    }

    /// @notice Opens a strategy that the factory has just made.
    function whitelistForDeposit(IStrategy strategy) external {
        require(msg.sender == strategyFactory, OnlyStrategyFactory());
        strategyIsWhitelistedForDeposit[strategy] = true;
    }

    function depositIntoStrategy(IStrategy strategy, IERC20 token, uint256 amount) external nonReentrant returns (uint256 depositShares) {
        require(strategyIsWhitelistedForDeposit[strategy], StrategyNotWhitelisted());
        token.safeTransferFrom(msg.sender, address(strategy), amount);
        depositShares = DevnetStrategy(address(strategy)).deposit(token, amount);
        require(depositShares != 0, SharesAmountZero());

        uint256 sharesBefore = stakerDepositShares[msg.sender][strategy];
        if (sharesBefore == 0) {
            require(_strategiesOf[msg.sender].length < MAX_STRATEGIES_PER_STAKER, MaxStrategiesExceeded());
            _strategiesOf[msg.sender].push(strategy);
        }
        stakerDepositShares[msg.sender][strategy] = sharesBefore + depositShares;
        emit Deposit(msg.sender, strategy, depositShares);
        delegation.increaseDelegatedShares(msg.sender, strategy, depositShares);
    }

    function getDeposits(address staker) external view returns (IStrategy[] memory strategies, uint256[] memory shares) {
        strategies = _strategiesOf[staker];
        shares = new uint256[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            shares[i] = stakerDepositShares[staker][strategies[i]];
        }
    }
}
