// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IStrategy } from "./IStrategy.sol";

/// @title EigenLayer's strategy factory: one strategy per token, made by anyone, open for deposits at once.
interface IStrategyFactory {
    event StrategySetForToken(IERC20 token, IStrategy strategy);

    error BlacklistedToken();
    error StrategyAlreadyExists();

    function deployNewStrategy(IERC20 token) external returns (IStrategy newStrategy);
    function deployedStrategies(IERC20 token) external view returns (IStrategy);
    function isBlacklisted(IERC20 token) external view returns (bool);
}
