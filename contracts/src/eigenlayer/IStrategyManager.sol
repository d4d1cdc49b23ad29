// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IStrategy } from "./IStrategy.sol";
import { OperatorSet } from "./EigenTypes.sol";

/// @title EigenLayer's strategy manager: where restakers deposit, and where slashed shares wait to be paid out.
interface IStrategyManager {
    event Deposit(address staker, IStrategy strategy, uint256 shares);
    event BurnOrRedistributableSharesIncreased(OperatorSet operatorSet, uint256 slashId, IStrategy strategy, uint256 shares);
    event BurnOrRedistributableSharesDecreased(OperatorSet operatorSet, uint256 slashId, IStrategy strategy, uint256 shares);

    error StrategyNotWhitelisted();
    error SharesAmountZero();
    error SharesAmountTooHigh();
    error SignatureExpired();
    error InvalidSignature();
    error MaxStrategiesExceeded();

    /// @notice Takes `amount` of the strategy's token from the caller, who approved this contract, and credits shares.
    function depositIntoStrategy(IStrategy strategy, IERC20 token, uint256 amount) external returns (uint256 depositShares);
    /// @notice Takes the caller's tokens and credits the shares to a staker who signed `calculateStrategyDepositDigestHash`.
    /// @param expiry Seconds; the last at which the signature counts.
    function depositIntoStrategyWithSignature(
        IStrategy strategy,
        IERC20 token,
        uint256 amount,
        address staker,
        uint256 expiry,
        bytes memory signature
    ) external returns (uint256 depositShares);
    /// @notice Pays what one slashing took to the set's redistribution recipient or burn address; nothing if that was done already.
    /// @return amounts Tokens by strategy.
    function clearBurnOrRedistributableShares(OperatorSet calldata operatorSet, uint256 slashId) external returns (uint256[] memory amounts);
    /// @return amount Tokens; 0 if that was done already.
    function clearBurnOrRedistributableSharesByStrategy(OperatorSet calldata operatorSet, uint256 slashId, IStrategy strategy)
        external
        returns (uint256 amount);
    function getBurnOrRedistributableShares(OperatorSet calldata operatorSet, uint256 slashId)
        external
        view
        returns (IStrategy[] memory strategies, uint256[] memory shares);
    function getBurnOrRedistributableShares(OperatorSet calldata operatorSet, uint256 slashId, IStrategy strategy)
        external
        view
        returns (uint256 shares);
    /// @return How many strategies of a slashing are still to be paid out.
    function getBurnOrRedistributableCount(OperatorSet calldata operatorSet, uint256 slashId) external view returns (uint256);
    /// @return Sets with a slashing that is still to be paid out.
    function getPendingOperatorSets() external view returns (OperatorSet[] memory);
    function getPendingSlashIds(OperatorSet calldata operatorSet) external view returns (uint256[] memory);
    function getDeposits(address staker) external view returns (IStrategy[] memory strategies, uint256[] memory shares);
    function stakerDepositShares(address user, IStrategy strategy) external view returns (uint256);
    function strategyIsWhitelistedForDeposit(IStrategy strategy) external view returns (bool);
    function nonces(address staker) external view returns (uint256);
    function calculateStrategyDepositDigestHash(
        address staker,
        IStrategy strategy,
        IERC20 token,
        uint256 amount,
        uint256 nonce,
        uint256 expiry
    ) external view returns (bytes32);
    function domainSeparator() external view returns (bytes32);
}
