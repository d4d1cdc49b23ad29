// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IStrategy } from "../IStrategy.sol";
import { IStrategyFactory } from "../IStrategyFactory.sol";
import { DevnetStrategy } from "./DevnetStrategy.sol";
import { DevnetStrategyManager } from "./DevnetStrategyManager.sol";

/// @title Makes one strategy per token, for a chain that has no EigenLayer.
contract DevnetStrategyFactory is IStrategyFactory {
    DevnetStrategyManager public immutable strategyManager;
    mapping(IERC20 token => IStrategy) public deployedStrategies;

    constructor(DevnetStrategyManager strategyManager_) {
        strategyManager = strategyManager_;
    }

    function deployNewStrategy(IERC20 token) external returns (IStrategy newStrategy) {
        require(address(deployedStrategies[token]) == address(0), StrategyAlreadyExists());
        newStrategy = new DevnetStrategy(address(strategyManager), token);
        deployedStrategies[token] = newStrategy;
        emit StrategySetForToken(token, newStrategy);
        strategyManager.whitelistForDeposit(newStrategy);
    }

    /// @notice No token is.
    function isBlacklisted(IERC20) external pure returns (bool) {
        return false;
    }
}
