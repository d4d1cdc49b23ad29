// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { IStrategy } from "../IStrategy.sol";

/// @title One token's stake as shares, for a chain that has no EigenLayer.
/// @dev The token must not take fees on transfer.
contract DevnetStrategy is IStrategy {
    using SafeERC20 for IERC20;

    error OnlyStrategyManager();
    error OnlyUnderlyingToken();
    error NewSharesZero();
    error TotalSharesExceedsMax();
    error WithdrawalAmountExceedsTotalDeposits();

    /// @dev Added to shares and balance alike, so that a first depositor cannot inflate the price of a share.
    uint256 private constant VIRTUAL_OFFSET = 1e3;
    uint256 private constant MAX_TOTAL_SHARES = 1e38 - 1;

    address public immutable strategyManager;
    IERC20 public immutable underlyingToken;
    uint256 public totalShares;

    constructor(address strategyManager_, IERC20 underlyingToken_) {
        strategyManager = strategyManager_;
        underlyingToken = underlyingToken_;
    }

    /// @notice Counts `amount` tokens that the strategy manager has just moved here; shares are rounded down.
    function deposit(IERC20 token, uint256 amount) external returns (uint256 newShares) {
        require(msg.sender == strategyManager, OnlyStrategyManager());
        require(address(token) == address(underlyingToken), OnlyUnderlyingToken());
        uint256 virtualBalanceBefore = underlyingToken.balanceOf(address(this)) + VIRTUAL_OFFSET - amount;
        newShares = (amount * (totalShares + VIRTUAL_OFFSET)) / virtualBalanceBefore;
        require(newShares != 0, NewSharesZero());
        totalShares += newShares;
        require(totalShares <= MAX_TOTAL_SHARES, TotalSharesExceedsMax());
    }

    /// @notice Pays for `amountShares`; tokens are rounded down.
    function withdraw(address recipient, IERC20 token, uint256 amountShares) external returns (uint256 amount) {
        require(msg.sender == strategyManager, OnlyStrategyManager());
        require(address(token) == address(underlyingToken), OnlyUnderlyingToken());
        require(amountShares <= totalShares, WithdrawalAmountExceedsTotalDeposits());
        amount = sharesToUnderlyingView(amountShares);
        totalShares -= amountShares;
        underlyingToken.safeTransfer(recipient, amount);
    }

    /// @notice Tokens that `amountShares` stand for, rounded down.
    function sharesToUnderlyingView(uint256 amountShares) public view returns (uint256) {
        return (amountShares * (underlyingToken.balanceOf(address(this)) + VIRTUAL_OFFSET)) / (totalShares + VIRTUAL_OFFSET);
    }

    /// @notice Shares that `amountUnderlying` tokens would buy, rounded down.
    function underlyingToSharesView(uint256 amountUnderlying) external view returns (uint256) {
        return (amountUnderlying * (totalShares + VIRTUAL_OFFSET)) / (underlyingToken.balanceOf(address(this)) + VIRTUAL_OFFSET);
    }
}
