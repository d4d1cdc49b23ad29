// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { IERC20Metadata } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";
import { IStakingManager } from "./IStakingManager.sol";

/// @title Providers' stake, required by the capacity they register.
/// @dev The score and the requirements count whole tokens; the rest of an amount is kept and returned but counts for nothing.
/// Assumes a token that never takes balances away; whoever stakes for a provider gives the stake to that provider's owner.
contract StakingManager is IStakingManager, AccessManaged, ReentrancyGuardTransient {
    using SafeERC20 for IERC20Metadata;

    /// Keeps the requirement of the largest machine below 2^40: 8 devices and 1049 cores of 2^29 each.
    uint32 private constant REQUIREMENT_LIMIT = 1 << 29;

    IERC20Metadata private immutable _TOKEN;
    IProviderRegistry private immutable _PROVIDER_REGISTRY;
    uint256 private immutable _WHOLE;

    mapping(uint24 providerId => uint256) private _stakes;
    uint32 private _wholePerDevice;
    uint32 private _wholePerCore;
    uint32 private _wholeMinimum;

    constructor(
        address authority,
        address stakingToken_,
        address providerRegistry,
        uint32 wholePerDevice,
        uint32 wholePerCore,
        uint32 wholeMinimum
    ) AccessManaged(authority) {
        _TOKEN = IERC20Metadata(stakingToken_);
        _PROVIDER_REGISTRY = IProviderRegistry(providerRegistry);
        _WHOLE = 10 ** _TOKEN.decimals();
        _setStakeRequirement(wholePerDevice, wholePerCore, wholeMinimum);
    }

    /// @inheritdoc IStakingManager
    function stake(uint24 providerId, uint256 amount) external nonReentrant {
        uint256 before = _TOKEN.balanceOf(address(this));
        _TOKEN.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = _TOKEN.balanceOf(address(this)) - before;
        if (received == 0) revert InvalidAmount();
        uint256 total = _stakes[providerId] + received;
        _stakes[providerId] = total;
        _PROVIDER_REGISTRY.setProviderStake(providerId, _wholeOf(total));
        emit Staked(providerId, msg.sender, received);
    }

    /// @inheritdoc IStakingManager
    function unstake(uint24 providerId, uint256 amount) external nonReentrant {
        if (msg.sender != _PROVIDER_REGISTRY.providerOwner(providerId)) revert NotProviderOwner(providerId, msg.sender);
        if (amount == 0) revert InvalidAmount();
        uint256 total = _stakes[providerId];
        if (amount > total) revert InsufficientBalance(total, amount);
        uint256 whole = _wholeOf(total - amount);
        uint256 required = _PROVIDER_REGISTRY.requiredStakeWhole(providerId);
        if (whole < required) revert InsufficientStake(whole, required);
        _stakes[providerId] = total - amount;
        _PROVIDER_REGISTRY.setProviderStake(providerId, uint32(whole));
        emit Unstaked(providerId, msg.sender, amount);
        _TOKEN.safeTransfer(msg.sender, amount);
    }

    /// @notice Takes effect for machines registered, grown or reconfigured from now on.
    function setStakeRequirement(uint32 wholePerDevice, uint32 wholePerCore, uint32 wholeMinimum) external restricted {
        _setStakeRequirement(wholePerDevice, wholePerCore, wholeMinimum);
    }

    /// @inheritdoc IStakingManager
    function requirementOf(uint8 deviceCount, uint24 cpuMilli) external view returns (uint40 whole) {
        // Rounded up: a part of a core is staked as a whole one would be, in proportion.
        uint256 sized = uint256(deviceCount) * _wholePerDevice + Math.ceilDiv(uint256(cpuMilli) * _wholePerCore, 1000);
        return uint40(Math.max(sized, _wholeMinimum));
    }

    /// @inheritdoc IStakingManager
    function stakeOf(uint24 providerId) external view returns (uint256 amount) {
        return _stakes[providerId];
    }

    /// @inheritdoc IStakingManager
    function stakingToken() external view returns (address) {
        return address(_TOKEN);
    }

    function _setStakeRequirement(uint32 wholePerDevice, uint32 wholePerCore, uint32 wholeMinimum) private {
        if (wholePerDevice >= REQUIREMENT_LIMIT) revert RequirementOutOfBounds("wholePerDevice");
        if (wholePerCore >= REQUIREMENT_LIMIT) revert RequirementOutOfBounds("wholePerCore");
        (_wholePerDevice, _wholePerCore, _wholeMinimum) = (wholePerDevice, wholePerCore, wholeMinimum);
        emit StakeRequirementUpdated(wholePerDevice, wholePerCore, wholeMinimum);
    }

    /// Rounded down to whole tokens; what exceeds 32 bits of them counts no further.
    function _wholeOf(uint256 amount) private view returns (uint32) {
        return uint32(Math.min(amount / _WHOLE, type(uint32).max));
    }
}
