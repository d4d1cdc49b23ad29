// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { EnumerableMap } from "@openzeppelin/contracts/utils/structs/EnumerableMap.sol";
import { EnumerableSet } from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IStrategy } from "../IStrategy.sol";
import { IAllocationManager } from "../IAllocationManager.sol";
import { IStrategyManager } from "../IStrategyManager.sol";
import { OperatorSets } from "../OperatorSets.sol";
import { OperatorSet } from "../EigenTypes.sol";
import { DevnetDelegationManager } from "./DevnetDelegationManager.sol";
import { DevnetStrategy } from "./DevnetStrategy.sol";

/// @title Takes deposits of restakers and pays out what was slashed, for a chain that has no EigenLayer.
contract DevnetStrategyManager is IStrategyManager, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using EnumerableMap for EnumerableMap.AddressToUintMap;
    using EnumerableSet for EnumerableSet.AddressSet;
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using EnumerableSet for EnumerableSet.UintSet;
    using OperatorSets for OperatorSet;
    using OperatorSets for bytes32;

    error OnlyStrategyFactory();
    error OnlyDelegationManager();

    bytes32 private constant DEPOSIT_TYPEHASH =
        keccak256("Deposit(address staker,address strategy,address token,uint256 amount,uint256 nonce,uint256 expiry)");

    uint256 private constant MAX_STRATEGIES_PER_STAKER = 32;

    DevnetDelegationManager public immutable delegation;
    IAllocationManager public immutable allocationManager;
    address public immutable strategyFactory;

    mapping(address staker => mapping(IStrategy strategy => uint256)) public stakerDepositShares;
    mapping(IStrategy strategy => bool) public strategyIsWhitelistedForDeposit;
    mapping(address staker => uint256) public nonces;
    mapping(address staker => EnumerableSet.AddressSet) private _strategiesOf;
    /// @dev What slashings took and nobody has paid out yet, in shares by strategy.
    mapping(bytes32 setKey => mapping(uint256 slashId => EnumerableMap.AddressToUintMap)) private _slashedShares;
    mapping(bytes32 setKey => EnumerableSet.UintSet) private _pendingSlashIds;
    EnumerableSet.Bytes32Set private _pendingSets;

    constructor(DevnetDelegationManager delegation_, IAllocationManager allocationManager_, address strategyFactory_)
        EIP712("EigenLayer", "1")
    {
        delegation = delegation_;
        allocationManager = allocationManager_;
        strategyFactory = strategyFactory_;
    }

    modifier onlyDelegationManager() {
        require(msg.sender == address(delegation), OnlyDelegationManager());
        _;
    }

    /// @notice Opens a strategy that the factory has just made.
    function whitelistForDeposit(IStrategy strategy) external {
        require(msg.sender == strategyFactory, OnlyStrategyFactory());
        strategyIsWhitelistedForDeposit[strategy] = true;
    }

    // ------------------------------------------------------------------ deposits

    function depositIntoStrategy(IStrategy strategy, IERC20 token, uint256 amount) external nonReentrant returns (uint256) {
        return _deposit(msg.sender, strategy, token, amount);
    }

    function depositIntoStrategyWithSignature(
        IStrategy strategy,
        IERC20 token,
        uint256 amount,
        address staker,
        uint256 expiry,
        bytes memory signature
    ) external nonReentrant returns (uint256) {
        require(expiry >= block.timestamp, SignatureExpired());
        bytes32 digest = calculateStrategyDepositDigestHash(staker, strategy, token, amount, nonces[staker]++, expiry);
        require(SignatureChecker.isValidSignatureNow(staker, digest, signature), InvalidSignature());
        return _deposit(staker, strategy, token, amount);
    }

    // ------------------------------------------------------------------ what was slashed

    function clearBurnOrRedistributableShares(OperatorSet calldata operatorSet, uint256 slashId)
        external
        nonReentrant
        returns (uint256[] memory amounts)
    {
        address[] memory strategies = _slashedShares[operatorSet.key()][slashId].keys();
        amounts = new uint256[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            amounts[i] = _clear(operatorSet, slashId, strategies[i]);
        }
    }

    function clearBurnOrRedistributableSharesByStrategy(OperatorSet calldata operatorSet, uint256 slashId, IStrategy strategy)
        external
        nonReentrant
        returns (uint256)
    {
        return _clear(operatorSet, slashId, address(strategy));
    }

    // ------------------------------------------------------------------ the delegation manager

    /// @notice Credits shares that come back from the withdrawal queue.
    /// @return depositSharesBefore The staker's.
    function addShares(address staker, IStrategy strategy, uint256 shares)
        external
        onlyDelegationManager
        returns (uint256 depositSharesBefore)
    {
        return _addShares(staker, strategy, shares);
    }

    /// @notice Takes shares that go into the withdrawal queue.
    /// @return left The staker's deposit shares afterwards.
    function removeDepositShares(address staker, IStrategy strategy, uint256 depositShares)
        external
        onlyDelegationManager
        returns (uint256 left)
    {
        require(depositShares != 0, SharesAmountZero());
        uint256 sharesBefore = stakerDepositShares[staker][strategy];
        require(depositShares <= sharesBefore, SharesAmountTooHigh());
        left = sharesBefore - depositShares;
        stakerDepositShares[staker][strategy] = left;
        if (left == 0) _strategiesOf[staker].remove(address(strategy));
    }

    function withdrawSharesAsTokens(address staker, IStrategy strategy, IERC20 token, uint256 shares) external onlyDelegationManager {
        DevnetStrategy(address(strategy)).withdraw(staker, token, shares);
    }

    /// @notice Takes note of shares that a slashing took, for anyone to have paid out.
    function increaseBurnOrRedistributableShares(OperatorSet calldata operatorSet, uint256 slashId, IStrategy strategy, uint256 shares)
        external
        onlyDelegationManager
    {
        bytes32 setKey = operatorSet.key();
        _slashedShares[setKey][slashId].set(address(strategy), shares);
        _pendingSlashIds[setKey].add(slashId);
        _pendingSets.add(setKey);
        emit BurnOrRedistributableSharesIncreased(operatorSet, slashId, strategy, shares);
    }

    // ------------------------------------------------------------------ views

    function getBurnOrRedistributableShares(OperatorSet calldata operatorSet, uint256 slashId)
        external
        view
        returns (IStrategy[] memory strategies, uint256[] memory shares)
    {
        EnumerableMap.AddressToUintMap storage slashed = _slashedShares[operatorSet.key()][slashId];
        strategies = _asStrategies(slashed.keys());
        shares = new uint256[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            shares[i] = slashed.get(address(strategies[i]));
        }
    }

    function getBurnOrRedistributableShares(OperatorSet calldata operatorSet, uint256 slashId, IStrategy strategy)
        external
        view
        returns (uint256 shares)
    {
        (, shares) = _slashedShares[operatorSet.key()][slashId].tryGet(address(strategy));
    }

    function getBurnOrRedistributableCount(OperatorSet calldata operatorSet, uint256 slashId) external view returns (uint256) {
        return _slashedShares[operatorSet.key()][slashId].length();
    }

    function getPendingOperatorSets() external view returns (OperatorSet[] memory operatorSets) {
        bytes32[] memory setKeys = _pendingSets.values();
        operatorSets = new OperatorSet[](setKeys.length);
        for (uint256 i; i < setKeys.length; ++i) {
            operatorSets[i] = setKeys[i].fromKey();
        }
    }

    function getPendingSlashIds(OperatorSet calldata operatorSet) external view returns (uint256[] memory) {
        return _pendingSlashIds[operatorSet.key()].values();
    }

    function getDeposits(address staker) external view returns (IStrategy[] memory strategies, uint256[] memory shares) {
        strategies = _asStrategies(_strategiesOf[staker].values());
        shares = new uint256[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            shares[i] = stakerDepositShares[staker][strategies[i]];
        }
    }

    function calculateStrategyDepositDigestHash(
        address staker,
        IStrategy strategy,
        IERC20 token,
        uint256 amount,
        uint256 nonce,
        uint256 expiry
    ) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(DEPOSIT_TYPEHASH, staker, strategy, token, amount, nonce, expiry)));
    }

    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    // ------------------------------------------------------------------ internals

    /// @dev The caller pays, the staker gets the shares.
    function _deposit(address staker, IStrategy strategy, IERC20 token, uint256 amount) private returns (uint256 depositShares) {
        require(strategyIsWhitelistedForDeposit[strategy], StrategyNotWhitelisted());
        token.safeTransferFrom(msg.sender, address(strategy), amount);
        depositShares = DevnetStrategy(address(strategy)).deposit(token, amount);
        uint256 sharesBefore = _addShares(staker, strategy, depositShares);
        delegation.increaseDelegatedShares(staker, strategy, sharesBefore, depositShares);
    }

    function _addShares(address staker, IStrategy strategy, uint256 shares) private returns (uint256 sharesBefore) {
        sharesBefore = stakerDepositShares[staker][strategy];
        if (sharesBefore == 0) {
            require(_strategiesOf[staker].length() < MAX_STRATEGIES_PER_STAKER, MaxStrategiesExceeded());
            _strategiesOf[staker].add(address(strategy));
        }
        stakerDepositShares[staker][strategy] = sharesBefore + shares;
        emit Deposit(staker, strategy, shares);
    }

    /// @return amount Tokens; 0 for an entry that is not there.
    function _clear(OperatorSet calldata operatorSet, uint256 slashId, address strategy) private returns (uint256 amount) {
        bytes32 setKey = operatorSet.key();
        EnumerableMap.AddressToUintMap storage slashed = _slashedShares[setKey][slashId];
        (bool isThere, uint256 shares) = slashed.tryGet(strategy);
        if (!isThere) return 0;
        slashed.remove(strategy);
        if (slashed.length() == 0) {
            _pendingSlashIds[setKey].remove(slashId);
            if (_pendingSlashIds[setKey].length() == 0) _pendingSets.remove(setKey);
        }
        if (shares == 0) return 0;
        emit BurnOrRedistributableSharesDecreased(operatorSet, slashId, IStrategy(strategy), shares);
        address recipient = allocationManager.getRedistributionRecipient(operatorSet);
        amount = DevnetStrategy(strategy).withdraw(recipient, IStrategy(strategy).underlyingToken(), shares);
    }

    function _asStrategies(address[] memory addresses) private pure returns (IStrategy[] memory strategies) {
        strategies = new IStrategy[](addresses.length);
        for (uint256 i; i < addresses.length; ++i) {
            strategies[i] = IStrategy(addresses[i]);
        }
    }
}
