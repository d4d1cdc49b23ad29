// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IStrategy } from "./IStrategy.sol";
import { SignatureWithExpiry, Withdrawal, QueuedWithdrawalParams } from "./EigenTypes.sol";

/// @title EigenLayer's delegation manager: who is an operator, whose stake stands behind it, and how it leaves.
interface IDelegationManager {
    event OperatorRegistered(address indexed operator, address delegationApprover);
    event DelegationApproverUpdated(address indexed operator, address newDelegationApprover);
    event OperatorMetadataURIUpdated(address indexed operator, string metadataURI);
    event OperatorSharesIncreased(address indexed operator, address staker, IStrategy strategy, uint256 shares);
    event OperatorSharesDecreased(address indexed operator, address staker, IStrategy strategy, uint256 shares);
    /// @param totalSlashedShares Queued withdrawals included.
    event OperatorSharesSlashed(address indexed operator, IStrategy strategy, uint256 totalSlashedShares);
    event StakerDelegated(address indexed staker, address indexed operator);
    event StakerUndelegated(address indexed staker, address indexed operator);
    event StakerForceUndelegated(address indexed staker, address indexed operator);
    event DepositScalingFactorUpdated(address staker, IStrategy strategy, uint256 newDepositScalingFactor);
    /// @param sharesToWithdraw What would be paid if nothing were slashed until the end.
    event SlashingWithdrawalQueued(bytes32 withdrawalRoot, Withdrawal withdrawal, uint256[] sharesToWithdraw);
    event SlashingWithdrawalCompleted(bytes32 withdrawalRoot);

    error InvalidPermissions();
    error InputAddressZero();
    error InputArrayLengthZero();
    error ActivelyDelegated();
    error NotActivelyDelegated();
    error OperatorNotRegistered();
    error OperatorsCannotUndelegate();
    error CallerCannotUndelegate();
    error WithdrawalDelayNotElapsed();
    error WithdrawalNotQueued();
    error WithdrawerNotCaller();
    error FullySlashed();
    error SaltSpent();
    error SignatureExpired();
    error InvalidSignature();
    error InputArrayLengthMismatch();

    /// @param initDelegationApprover Who must sign delegations to this operator; zero if anyone may delegate.
    /// @param allocationDelay Blocks until an allocation becomes slashable; in force at once.
    function registerAsOperator(address initDelegationApprover, uint32 allocationDelay, string calldata metadataURI) external;
    function modifyOperatorDetails(address operator, address newDelegationApprover) external;
    function updateOperatorMetadataURI(address operator, string calldata metadataURI) external;
    function delegateTo(address operator, SignatureWithExpiry memory approverSignatureAndExpiry, bytes32 approverSalt) external;
    /// @notice Ends a staker's delegation and queues all of its stake for withdrawal, one withdrawal per strategy.
    /// @dev By the staker, its operator, whoever may act for the operator, or the operator's delegation approver.
    function undelegate(address staker) external returns (bytes32[] memory withdrawalRoots);
    /// @notice Undelegates the caller and delegates it to another operator; its queued stake follows once it is completed as shares.
    function redelegate(address newOperator, SignatureWithExpiry memory newOperatorApproverSig, bytes32 approverSalt)
        external
        returns (bytes32[] memory withdrawalRoots);
    /// @param params In deposit shares, which slashing does not change; what they pay is `getWithdrawableShares`.
    function queueWithdrawals(QueuedWithdrawalParams[] calldata params) external returns (bytes32[] memory withdrawalRoots);
    /// @notice Pays a withdrawal from `startBlock + minWithdrawalDelayBlocks + 1` on: what all slashings up to then left.
    /// @param receiveAsTokens False to get the shares back as stake.
    function completeQueuedWithdrawal(Withdrawal calldata withdrawal, IERC20[] calldata tokens, bool receiveAsTokens) external;
    function completeQueuedWithdrawals(Withdrawal[] calldata withdrawals, IERC20[][] calldata tokens, bool[] calldata receiveAsTokens)
        external;
    function isOperator(address operator) external view returns (bool);
    function isDelegated(address staker) external view returns (bool);
    function delegatedTo(address staker) external view returns (address);
    function delegationApprover(address operator) external view returns (address);
    function getOperatorShares(address operator, IStrategy[] memory strategies) external view returns (uint256[] memory);
    function getOperatorsShares(address[] memory operators, IStrategy[] memory strategies) external view returns (uint256[][] memory);
    /// @return Shares in the operator's queued withdrawals that a slashing in this block would reach.
    function getSlashableSharesInQueue(address operator, IStrategy strategy) external view returns (uint256);
    /// @return withdrawableShares What is left of the staker's shares after all slashings, by strategy.
    /// @return depositShares What `queueWithdrawals` counts in.
    function getWithdrawableShares(address staker, IStrategy[] memory strategies)
        external
        view
        returns (uint256[] memory withdrawableShares, uint256[] memory depositShares);
    function getDepositedShares(address staker) external view returns (IStrategy[] memory strategies, uint256[] memory depositShares);
    /// @return withdrawals All that the staker has queued and not completed.
    /// @return shares By withdrawal and strategy, what each pays as slashed up to now.
    function getQueuedWithdrawals(address staker) external view returns (Withdrawal[] memory withdrawals, uint256[][] memory shares);
    function getQueuedWithdrawalRoots(address staker) external view returns (bytes32[] memory);
    /// @return Blocks.
    function minWithdrawalDelayBlocks() external view returns (uint32);
    function domainSeparator() external view returns (bytes32);
    function calculateDelegationApprovalDigestHash(
        address staker,
        address operator,
        address _delegationApprover,
        bytes32 approverSalt,
        uint256 expiry
    ) external view returns (bytes32);
}
