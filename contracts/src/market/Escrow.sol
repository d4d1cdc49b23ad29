// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { Slots } from "../words/Slots.sol";
import { IEscrow } from "./IEscrow.sol";
import { ITokenRegistry } from "./ITokenRegistry.sol";

/// @title Tenants' deposits, the locks of their orders, and what providers may withdraw.
/// @dev Money enters by `deposit` and leaves by `withdraw` to the caller alone; everything between only moves credit. No role can move funds.
/// Assumes that approved tokens move exactly what they are asked to and never rebase: a token that takes back balances makes the contract
/// insolvent in that token, and in no other. Assumes that OrderRequest and ComputeLease name the tenant, provider and token of the order.
contract Escrow is IEscrow, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// Position of `locked` and `paid` in a lock word, and the flag of a lock that has ended.
    uint256 private constant LOCKED_SHIFT = 160;
    uint256 private constant PAID_SHIFT = 64;
    uint256 private constant RELEASED = 1;

    ITokenRegistry public immutable tokenRegistry;
    address public immutable orderRequest;
    address public immutable computeLease;

    mapping(uint16 tokenId => mapping(address account => uint256)) private _balances;
    mapping(uint16 tokenId => uint256) private _liabilities;

    constructor(ITokenRegistry tokenRegistry_, address orderRequest_, address computeLease_) {
        tokenRegistry = tokenRegistry_;
        orderRequest = orderRequest_;
        computeLease = computeLease_;
    }

    /// @inheritdoc IEscrow
    /// @dev The minimum counts against what arrived.
    function deposit(uint16 tokenId, uint256 amount) external nonReentrant {
        if (!tokenRegistry.isApproved(tokenId)) revert TokenNotAccepted(tokenId);
        (address token,, uint256 minimumDeposit,) = tokenRegistry.tokenOf(tokenId);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received == 0 || received < minimumDeposit) revert InvalidAmount();
        _balances[tokenId][msg.sender] += received;
        _liabilities[tokenId] += received;
        emit Deposited(msg.sender, tokenId, received);
    }

    /// @inheritdoc IEscrow
    /// @dev Works for revoked tokens too.
    function withdraw(uint16 tokenId, uint256 amount) external nonReentrant {
        if (amount == 0) revert InvalidAmount();
        uint256 available = _balances[tokenId][msg.sender];
        if (available < amount) revert InsufficientBalance(available, amount);
        _balances[tokenId][msg.sender] = available - amount;
        _liabilities[tokenId] -= amount;
        emit Withdrawn(msg.sender, tokenId, amount);
        (address token,,,) = tokenRegistry.tokenOf(tokenId);
        IERC20(token).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IEscrow
    /// @dev An order locks once: a second lock for the same id is refused as released.
    function lock(uint32 orderId, address tenant, uint16 tokenId, uint96 amount) external {
        if (msg.sender != orderRequest) revert NotAuthorized(msg.sender);
        if (amount == 0) revert InvalidAmount();
        if (Slots.load(Slots.lock(orderId)) != 0) revert LockAlreadyReleased(orderId);
        uint256 available = _balances[tokenId][tenant];
        if (available < amount) revert InsufficientBalance(available, amount);
        _balances[tokenId][tenant] = available - amount;
        Slots.store(Slots.lock(orderId), uint256(amount) << LOCKED_SHIFT);
        emit Locked(orderId, tenant, tokenId, amount);
    }

    /// @inheritdoc IEscrow
    function pay(uint32 orderId, address provider, uint16 tokenId, uint96 accrued) external returns (uint256 amount) {
        if (msg.sender != computeLease) revert NotAuthorized(msg.sender);
        (uint96 locked, uint96 paid, bool released) = lockOf(orderId);
        if (released) revert LockAlreadyReleased(orderId);
        if (accrued > locked) revert LockExceeded(orderId, locked, accrued);
        if (accrued <= paid) return 0;
        amount = accrued - paid;
        Slots.store(Slots.lock(orderId), (uint256(locked) << LOCKED_SHIFT) | (uint256(accrued) << PAID_SHIFT));
        _balances[tokenId][provider] += amount;
        emit LeasePaid(orderId, provider, tokenId, amount);
    }

    /// @inheritdoc IEscrow
    function release(uint32 orderId, address tenant, uint16 tokenId) external returns (uint256 amount) {
        if (msg.sender != orderRequest && msg.sender != computeLease) revert NotAuthorized(msg.sender);
        (uint96 locked, uint96 paid, bool released) = lockOf(orderId);
        if (released || locked == 0) revert LockAlreadyReleased(orderId);
        amount = locked - paid;
        Slots.store(Slots.lock(orderId), (uint256(locked) << LOCKED_SHIFT) | (uint256(paid) << PAID_SHIFT) | RELEASED);
        _balances[tokenId][tenant] += amount;
        emit Released(orderId, tenant, tokenId, amount);
    }

    /// @inheritdoc IEscrow
    function balanceOf(address account, uint16 tokenId) external view returns (uint256) {
        return _balances[tokenId][account];
    }

    /// @inheritdoc IEscrow
    function liabilities(uint16 tokenId) external view returns (uint256) {
        return _liabilities[tokenId];
    }

    /// @inheritdoc IEscrow
    function lockOf(uint32 orderId) public view returns (uint96 locked, uint96 paid, bool released) {
        uint256 word = Slots.load(Slots.lock(orderId));
        locked = uint96(word >> LOCKED_SHIFT);
        paid = uint96(word >> PAID_SHIFT);
        released = word & RELEASED != 0;
    }
}
