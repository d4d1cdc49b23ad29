// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Checkpoints } from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import { EnumerableSet } from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import { IAllocationManager } from "../IAllocationManager.sol";
import { IDelegationManager } from "../IDelegationManager.sol";
import { IPermissionController } from "../IPermissionController.sol";
import { IStrategy } from "../IStrategy.sol";
import { OperatorSet, SignatureWithExpiry, Withdrawal, QueuedWithdrawalParams } from "../EigenTypes.sol";
import { DevnetPermissioned } from "./DevnetPermissioned.sol";
import { DevnetStrategyManager } from "./DevnetStrategyManager.sol";
import { ScaledShares } from "./ScaledShares.sol";

/// @title Operators, delegation and withdrawals, for a chain that has no EigenLayer.
/// @dev A queued withdrawal stays slashable, and is paid as what slashings left of it, until its delay is over.
contract DevnetDelegationManager is IDelegationManager, DevnetPermissioned, EIP712, ReentrancyGuardTransient {
    using Checkpoints for Checkpoints.Trace224;
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using SafeCast for uint256;

    error OnlyStrategyManager();
    error OnlyAllocationManager();

    uint256 private constant WAD = 1e18;

    bytes32 private constant APPROVAL_TYPEHASH =
        keccak256("DelegationApproval(address delegationApprover,address staker,address operator,bytes32 salt,uint256 expiry)");

    IAllocationManager public immutable allocationManager;
    DevnetStrategyManager public immutable strategyManager;
    uint32 public immutable minWithdrawalDelayBlocks;

    mapping(address staker => address operator) public delegatedTo;
    mapping(address operator => address) public delegationApprover;
    mapping(address operator => mapping(IStrategy strategy => uint256)) private _operatorShares;
    mapping(address approver => mapping(bytes32 salt => bool)) public delegationApproverSaltIsSpent;

    /// @dev Zero stands for 1e18: a staker that has shares has a factor above zero.
    mapping(address staker => mapping(IStrategy strategy => uint256)) private _scalingFactors;
    mapping(address staker => uint256) public cumulativeWithdrawalsQueued;
    mapping(address staker => EnumerableSet.Bytes32Set) private _queuedRoots;
    mapping(bytes32 withdrawalRoot => Withdrawal) private _queued;
    /// @dev By block, the scaled shares of all withdrawals that the operator's stakers ever queued.
    mapping(address operator => mapping(IStrategy strategy => Checkpoints.Trace224)) private _cumulativeScaledShares;

    /// @param withdrawalDelayBlocks Blocks for which a queued withdrawal waits and stays slashable: the deallocation delay.
    constructor(
        IAllocationManager allocationManager_,
        DevnetStrategyManager strategyManager_,
        IPermissionController permissionController_,
        uint32 withdrawalDelayBlocks
    ) DevnetPermissioned(permissionController_) EIP712("EigenLayer", "1") {
        allocationManager = allocationManager_;
        strategyManager = strategyManager_;
        minWithdrawalDelayBlocks = withdrawalDelayBlocks;
    }

    // ------------------------------------------------------------------ operators

    function registerAsOperator(address initDelegationApprover, uint32 allocationDelay, string calldata metadataURI) external {
        require(!isDelegated(msg.sender), ActivelyDelegated());
        _setDelegationApprover(msg.sender, initDelegationApprover);
        _delegate(msg.sender, msg.sender);
        emit OperatorRegistered(msg.sender, initDelegationApprover);
        emit OperatorMetadataURIUpdated(msg.sender, metadataURI);
        allocationManager.setAllocationDelay(msg.sender, allocationDelay);
    }

    function modifyOperatorDetails(address operator, address newDelegationApprover) external {
        require(_mayActFor(operator), InvalidPermissions());
        require(isOperator(operator), OperatorNotRegistered());
        _setDelegationApprover(operator, newDelegationApprover);
    }

    function updateOperatorMetadataURI(address operator, string calldata metadataURI) external {
        require(_mayActFor(operator), InvalidPermissions());
        require(isOperator(operator), OperatorNotRegistered());
        emit OperatorMetadataURIUpdated(operator, metadataURI);
    }

    // ------------------------------------------------------------------ stakers

    function delegateTo(address operator, SignatureWithExpiry memory approverSignatureAndExpiry, bytes32 approverSalt) external {
        _delegateTo(operator, approverSignatureAndExpiry, approverSalt);
    }

    function undelegate(address staker) external nonReentrant returns (bytes32[] memory) {
        return _undelegate(staker);
    }

    function redelegate(address newOperator, SignatureWithExpiry memory newOperatorApproverSig, bytes32 approverSalt)
        external
        nonReentrant
        returns (bytes32[] memory withdrawalRoots)
    {
        withdrawalRoots = _undelegate(msg.sender);
        _delegateTo(newOperator, newOperatorApproverSig, approverSalt);
    }

    function queueWithdrawals(QueuedWithdrawalParams[] calldata params) external nonReentrant returns (bytes32[] memory withdrawalRoots) {
        withdrawalRoots = new bytes32[](params.length);
        address operator = delegatedTo[msg.sender];
        for (uint256 i; i < params.length; ++i) {
            require(params[i].strategies.length == params[i].depositShares.length, InputArrayLengthMismatch());
            withdrawalRoots[i] = _queueWithdrawal(msg.sender, operator, params[i].strategies, params[i].depositShares);
        }
    }

    function completeQueuedWithdrawal(Withdrawal calldata withdrawal, IERC20[] calldata tokens, bool receiveAsTokens)
        external
        nonReentrant
    {
        _completeQueuedWithdrawal(withdrawal, tokens, receiveAsTokens);
    }

    function completeQueuedWithdrawals(Withdrawal[] calldata withdrawals, IERC20[][] calldata tokens, bool[] calldata receiveAsTokens)
        external
        nonReentrant
    {
        for (uint256 i; i < withdrawals.length; ++i) {
            _completeQueuedWithdrawal(withdrawals[i], tokens[i], receiveAsTokens[i]);
        }
    }

    // ------------------------------------------------------------------ other core contracts

    /// @notice Counts a new deposit for the staker and for the operator that it delegates to, if any.
    function increaseDelegatedShares(address staker, IStrategy strategy, uint256 depositSharesBefore, uint256 addedShares) external {
        require(msg.sender == address(strategyManager), OnlyStrategyManager());
        _increaseDelegation(delegatedTo[staker], staker, strategy, depositSharesBefore, addedShares);
    }

    /// @notice Takes from the operator's shares and from its queued withdrawals what the fall of its maximum magnitude means, and leaves
    /// it with the strategy manager to be paid out.
    /// @return slashedShares Both together.
    function slashOperatorShares(
        address operator,
        OperatorSet calldata operatorSet,
        uint256 slashId,
        IStrategy strategy,
        uint64 maxMagnitudeBefore,
        uint64 maxMagnitudeAfter
    ) external returns (uint256 slashedShares) {
        require(msg.sender == address(allocationManager), OnlyAllocationManager());
        uint256 sharesBefore = _operatorShares[operator][strategy];
        // What stays is rounded up, so that the stakers' shares, each rounded down, are all there.
        uint256 sharesAfter = Math.mulDiv(sharesBefore, maxMagnitudeAfter, maxMagnitudeBefore, Math.Rounding.Ceil);
        // Rounded down, for the same reason.
        slashedShares = sharesBefore - sharesAfter
            + ScaledShares.withdrawable(_slashableScaledShares(operator, strategy), maxMagnitudeBefore - maxMagnitudeAfter);
        _decreaseOperatorShares(operator, address(0), strategy, sharesBefore - sharesAfter);
        emit OperatorSharesSlashed(operator, strategy, slashedShares);
        strategyManager.increaseBurnOrRedistributableShares(operatorSet, slashId, strategy, slashedShares);
    }

    // ------------------------------------------------------------------ views

    function isOperator(address operator) public view returns (bool) {
        return operator != address(0) && delegatedTo[operator] == operator;
    }

    function isDelegated(address staker) public view returns (bool) {
        return delegatedTo[staker] != address(0);
    }

    function getOperatorShares(address operator, IStrategy[] memory strategies) public view returns (uint256[] memory shares) {
        shares = new uint256[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            shares[i] = _operatorShares[operator][strategies[i]];
        }
    }

    function getOperatorsShares(address[] memory operators, IStrategy[] memory strategies)
        external
        view
        returns (uint256[][] memory shares)
    {
        shares = new uint256[][](operators.length);
        for (uint256 i; i < operators.length; ++i) {
            shares[i] = getOperatorShares(operators[i], strategies);
        }
    }

    function getSlashableSharesInQueue(address operator, IStrategy strategy) external view returns (uint256) {
        return ScaledShares.withdrawable(_slashableScaledShares(operator, strategy), allocationManager.getMaxMagnitude(operator, strategy));
    }

    function getWithdrawableShares(address staker, IStrategy[] memory strategies)
        external
        view
        returns (uint256[] memory withdrawableShares, uint256[] memory depositShares)
    {
        withdrawableShares = new uint256[](strategies.length);
        depositShares = new uint256[](strategies.length);
        uint64[] memory magnitudes = allocationManager.getMaxMagnitudes(delegatedTo[staker], strategies);
        for (uint256 i; i < strategies.length; ++i) {
            depositShares[i] = strategyManager.stakerDepositShares(staker, strategies[i]);
            uint256 scaled = ScaledShares.scale(depositShares[i], depositScalingFactor(staker, strategies[i]));
            withdrawableShares[i] = ScaledShares.withdrawable(scaled, magnitudes[i]);
        }
    }

    function getDepositedShares(address staker) external view returns (IStrategy[] memory, uint256[] memory) {
        return strategyManager.getDeposits(staker);
    }

    function getQueuedWithdrawals(address staker) external view returns (Withdrawal[] memory withdrawals, uint256[][] memory shares) {
        bytes32[] memory roots = _queuedRoots[staker].values();
        withdrawals = new Withdrawal[](roots.length);
        shares = new uint256[][](roots.length);
        for (uint256 i; i < roots.length; ++i) {
            withdrawals[i] = _queued[roots[i]];
            shares[i] = _sharesLeft(withdrawals[i]);
        }
    }

    function getQueuedWithdrawalRoots(address staker) external view returns (bytes32[] memory) {
        return _queuedRoots[staker].values();
    }

    function calculateWithdrawalRoot(Withdrawal memory withdrawal) public pure returns (bytes32) {
        return keccak256(abi.encode(withdrawal));
    }

    /// @return Out of 1e18; it changes with deposits after a slashing.
    function depositScalingFactor(address staker, IStrategy strategy) public view returns (uint256) {
        uint256 stored = _scalingFactors[staker][strategy];
        return stored == 0 ? WAD : stored;
    }

    function calculateDelegationApprovalDigestHash(
        address staker,
        address operator,
        address _delegationApprover,
        bytes32 approverSalt,
        uint256 expiry
    ) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(APPROVAL_TYPEHASH, _delegationApprover, staker, operator, approverSalt, expiry)));
    }

    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    // ------------------------------------------------------------------ internals

    function _setDelegationApprover(address operator, address approver) private {
        delegationApprover[operator] = approver;
        emit DelegationApproverUpdated(operator, approver);
    }

    function _delegateTo(address operator, SignatureWithExpiry memory approval, bytes32 approverSalt) private {
        require(!isDelegated(msg.sender), ActivelyDelegated());
        require(isOperator(operator), OperatorNotRegistered());
        address approver = delegationApprover[operator];
        if (approver != address(0) && approver != msg.sender) _useApproval(approver, operator, approval, approverSalt);
        _delegate(msg.sender, operator);
    }

    function _useApproval(address approver, address operator, SignatureWithExpiry memory approval, bytes32 salt) private {
        require(!delegationApproverSaltIsSpent[approver][salt], SaltSpent());
        delegationApproverSaltIsSpent[approver][salt] = true;
        require(approval.expiry >= block.timestamp, SignatureExpired());
        bytes32 digest = calculateDelegationApprovalDigestHash(msg.sender, operator, approver, salt, approval.expiry);
        require(SignatureChecker.isValidSignatureNow(approver, digest, approval.signature), InvalidSignature());
    }

    /// @dev A staker holds at most 32 strategies, so the loop is bounded.
    function _delegate(address staker, address operator) private {
        delegatedTo[staker] = operator;
        emit StakerDelegated(staker, operator);
        (IStrategy[] memory strategies, uint256[] memory shares) = strategyManager.getDeposits(staker);
        for (uint256 i; i < strategies.length; ++i) {
            // Nothing was delegated before, so all of it is added.
            _increaseDelegation(operator, staker, strategies[i], 0, shares[i]);
        }
    }

    /// @dev Undelegated stake is never slashed, and `getMaxMagnitude` of no operator is 1e18.
    function _increaseDelegation(address operator, address staker, IStrategy strategy, uint256 depositSharesBefore, uint256 addedShares)
        private
    {
        uint64 maxMagnitude = allocationManager.getMaxMagnitude(operator, strategy);
        require(maxMagnitude != 0, FullySlashed());
        uint256 factor = ScaledShares.afterDeposit(depositScalingFactor(staker, strategy), depositSharesBefore, addedShares, maxMagnitude);
        _scalingFactors[staker][strategy] = factor;
        emit DepositScalingFactorUpdated(staker, strategy, factor);
        if (operator == address(0)) return;
        _operatorShares[operator][strategy] += addedShares;
        emit OperatorSharesIncreased(operator, staker, strategy, addedShares);
    }

    function _decreaseOperatorShares(address operator, address staker, IStrategy strategy, uint256 shares) private {
        _operatorShares[operator][strategy] -= shares;
        emit OperatorSharesDecreased(operator, staker, strategy, shares);
    }

    function _undelegate(address staker) private returns (bytes32[] memory withdrawalRoots) {
        address operator = delegatedTo[staker];
        require(operator != address(0), NotActivelyDelegated());
        require(!isOperator(staker), OperatorsCannotUndelegate());
        if (msg.sender != staker) {
            require(_mayActFor(operator) || msg.sender == delegationApprover[operator], CallerCannotUndelegate());
            emit StakerForceUndelegated(staker, operator);
        }
        delegatedTo[staker] = address(0);
        emit StakerUndelegated(staker, operator);

        (IStrategy[] memory strategies, uint256[] memory depositShares) = strategyManager.getDeposits(staker);
        withdrawalRoots = new bytes32[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            IStrategy[] memory one = new IStrategy[](1);
            uint256[] memory all = new uint256[](1);
            (one[0], all[0]) = (strategies[i], depositShares[i]);
            withdrawalRoots[i] = _queueWithdrawal(staker, operator, one, all);
        }
    }

    function _queueWithdrawal(address staker, address operator, IStrategy[] memory strategies, uint256[] memory depositShares)
        private
        returns (bytes32 withdrawalRoot)
    {
        require(strategies.length != 0, InputArrayLengthZero());
        uint64[] memory magnitudes = allocationManager.getMaxMagnitudes(operator, strategies);
        uint256[] memory scaledShares = new uint256[](strategies.length);
        uint256[] memory sharesToWithdraw = new uint256[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            scaledShares[i] = ScaledShares.scale(depositShares[i], depositScalingFactor(staker, strategies[i]));
            sharesToWithdraw[i] = ScaledShares.withdrawable(scaledShares[i], magnitudes[i]);
            uint256 left = strategyManager.removeDepositShares(staker, strategies[i], depositShares[i]);
            if (left == 0) delete _scalingFactors[staker][strategies[i]];
            if (operator == address(0)) continue;
            _decreaseOperatorShares(operator, staker, strategies[i], sharesToWithdraw[i]);
            Checkpoints.Trace224 storage history = _cumulativeScaledShares[operator][strategies[i]];
            history.push(block.number.toUint32(), (history.latest() + scaledShares[i]).toUint224());
        }

        Withdrawal memory withdrawal = Withdrawal({
            staker: staker,
            delegatedTo: operator,
            withdrawer: staker,
            nonce: cumulativeWithdrawalsQueued[staker]++,
            startBlock: block.number.toUint32(),
            strategies: strategies,
            scaledShares: scaledShares
        });
        withdrawalRoot = calculateWithdrawalRoot(withdrawal);
        _queued[withdrawalRoot] = withdrawal;
        _queuedRoots[staker].add(withdrawalRoot);
        emit SlashingWithdrawalQueued(withdrawalRoot, withdrawal, sharesToWithdraw);
    }

    function _completeQueuedWithdrawal(Withdrawal calldata withdrawal, IERC20[] calldata tokens, bool receiveAsTokens) private {
        require(tokens.length == withdrawal.strategies.length, InputArrayLengthMismatch());
        require(msg.sender == withdrawal.withdrawer, WithdrawerNotCaller());
        bytes32 withdrawalRoot = calculateWithdrawalRoot(withdrawal);
        require(_queuedRoots[withdrawal.staker].contains(withdrawalRoot), WithdrawalNotQueued());
        require(block.number > withdrawal.startBlock + minWithdrawalDelayBlocks, WithdrawalDelayNotElapsed());

        uint256[] memory shares = _sharesLeft(withdrawal);
        _queuedRoots[withdrawal.staker].remove(withdrawalRoot);
        delete _queued[withdrawalRoot];
        emit SlashingWithdrawalCompleted(withdrawalRoot);
        for (uint256 i; i < shares.length; ++i) {
            if (shares[i] == 0) continue;
            IStrategy strategy = withdrawal.strategies[i];
            if (receiveAsTokens) {
                strategyManager.withdrawSharesAsTokens(withdrawal.staker, strategy, tokens[i], shares[i]);
            } else {
                uint256 depositSharesBefore = strategyManager.addShares(withdrawal.staker, strategy, shares[i]);
                _increaseDelegation(delegatedTo[withdrawal.staker], withdrawal.staker, strategy, depositSharesBefore, shares[i]);
            }
        }
    }

    /// @dev After all slashings in the blocks in which the withdrawal was slashable.
    function _sharesLeft(Withdrawal memory withdrawal) private view returns (uint256[] memory shares) {
        uint64[] memory magnitudes = allocationManager.getMaxMagnitudesAtBlock(
            withdrawal.delegatedTo, withdrawal.strategies, withdrawal.startBlock + minWithdrawalDelayBlocks
        );
        shares = new uint256[](withdrawal.strategies.length);
        for (uint256 i; i < shares.length; ++i) {
            shares[i] = ScaledShares.withdrawable(withdrawal.scaledShares[i], magnitudes[i]);
        }
    }

    /// @dev Of withdrawals queued at most the delay's blocks ago.
    function _slashableScaledShares(address operator, IStrategy strategy) private view returns (uint256) {
        Checkpoints.Trace224 storage history = _cumulativeScaledShares[operator][strategy];
        uint256 elapsed =
            block.number > minWithdrawalDelayBlocks + 1 ? history.upperLookup((block.number - minWithdrawalDelayBlocks - 1).toUint32()) : 0;
        return history.latest() - elapsed;
    }
}
