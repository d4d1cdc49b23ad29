// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IStrategy } from "./IStrategy.sol";

/// @title EigenLayer's strategy manager: where restakers deposit.
interface IStrategyManager {
    event Deposit(address staker, IStrategy strategy, uint256 shares);

    error StrategyNotWhitelisted();
    error SharesAmountZero();
    error MaxStrategiesExceeded();

    /// @notice Takes `amount` of the strategy's token from the caller, who approved this contract, and credits shares.
    function depositIntoStrategy(IStrategy strategy, IERC20 token, uint256 amount) external returns (uint256 depositShares);
    function getDeposits(address staker) external view returns (IStrategy[] memory strategies, uint256[] memory shares);
    function stakerDepositShares(address user, IStrategy strategy) external view returns (uint256);
    function strategyIsWhitelistedForDeposit(IStrategy strategy) external view returns (bool);
}
