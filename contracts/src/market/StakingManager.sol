// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20Metadata } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IMarketPause } from "../governance/IMarketPause.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { IRewarder } from "../rewards/IRewarder.sol";
import { OrderOwnerWord } from "../words/OrderOwnerWord.sol";
import { OrderWord } from "../words/OrderWord.sol";
import { ProviderWord } from "../words/ProviderWord.sol";
import { IOrderRequest } from "./IOrderRequest.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";
import { IStakingManager, SlashCause, SlashOrder, StakeTerms } from "./IStakingManager.sol";
import { OrderState, ProviderStatus } from "./MarketTypes.sol";
import { Holding, Pool } from "./StakePool.sol";

/// @title Providers' own stake, what others delegate to them, unbonding, and slashing.
/// @dev Counts what arrives and what leaves and never asks for its balance in between: tokens sent here without a call belong to nobody.
/// Assumes a staking token that never takes balances away and has fewer than 2^128 units. An unbonding that is over stands in the pool, and
/// can be slashed with it, until its account withdraws it. Trusts the slasher's role to name the tenant who was harmed and the harm, within
/// the shares that the terms allow. Calls the market's own contracts, and the token last.
contract StakingManager is IStakingManager, MarketModule, ReentrancyGuardTransient {
    using SafeERC20 for IERC20Metadata;

    /// @notice Open unbondings an account can have with one provider.
    uint8 public constant MAX_UNBONDINGS = 8;
    /// @notice No terms make stake wait longer, so that parameters cannot lock it up.
    uint32 public constant MAX_UNBONDING_SECONDS = 365 days;

    /// Keeps the requirement of the largest machine below 2^40: 8 devices and 1049 cores of 2^29 each.
    uint32 private constant REQUIREMENT_LIMIT = 1 << 29;
    uint256 private constant BPS = 10_000;

    struct Unbonding {
        /// What was asked for, in token units; never is more paid.
        uint128 amount;
        uint40 releaseAt;
        bool own;
        /// In the unbonding pool.
        Holding holding;
    }

    struct Account {
        uint32 lastUnbondingId;
        uint8 unbondings;
        Holding delegation;
        mapping(uint32 unbondingId => Unbonding) unbondingOf;
    }

    struct Provider {
        uint128 own;
        uint40 lastDowntimeSlashAt;
        uint16 commissionBps;
        uint16 nextCommissionBps;
        /// When the next commission takes the place of the commission.
        uint40 nextCommissionAt;
        Pool delegated;
        Pool unbonding;
        mapping(address account => Account) accounts;
        mapping(bytes32 evidenceHash => bool) slashed;
    }

    /// @custom:storage-location erc7201:matchmaker.storage.StakingManager
    struct Layout {
        StakeTerms terms;
        address treasury;
        uint256 liabilities;
        mapping(uint24 providerId => Provider) providers;
        mapping(address account => uint256) compensation;
    }

    bytes32 private constant LAYOUT_SLOT = 0x010ffa6747a7f1cdb7cee61b7114a1284fd2840730976d82502fda949c3e9f00;

    IERC20Metadata private immutable _TOKEN;
    uint256 private immutable _WHOLE;
    IMarketPause private immutable _PAUSE;
    IProviderRegistry private immutable _PROVIDER_REGISTRY;
    IOrderRequest private immutable _ORDER_REQUEST;
    IRewarder private immutable _REWARDER;

    constructor(MarketContracts memory market, address stakingToken_) {
        _TOKEN = IERC20Metadata(stakingToken_);
        _WHOLE = 10 ** _TOKEN.decimals();
        _PAUSE = IMarketPause(market.pause);
        _PROVIDER_REGISTRY = IProviderRegistry(market.providerRegistry);
        _ORDER_REQUEST = IOrderRequest(market.orderRequest);
        _REWARDER = IRewarder(market.rewarder);
    }

    /// @notice Called once, in the proxy's creation.
    function initialize(address authority, StakeTerms calldata terms, address treasury) external initializer {
        __AccessManaged_init(authority);
        _setStakeTerms(terms);
        _setTreasury(treasury);
    }

    // ---- providers and delegators

    /// @inheritdoc IStakingManager
    function stake(uint24 providerId, uint256 amount) external nonReentrant {
        _PAUSE.requireRunning();
        _ownerOf(providerId);
        uint128 received = _receive(amount);
        Provider storage provider = _layout().providers[providerId];
        provider.own += received;
        emit Staked(providerId, msg.sender, received);
        _writeStake(providerId, provider);
    }

    /// @inheritdoc IStakingManager
    function requestUnstake(uint24 providerId, uint256 amount) external nonReentrant returns (uint32 unbondingId) {
        _requireOwner(providerId);
        ProviderStatus status = _statusOf(providerId);
        if (status == ProviderStatus.Suspended) revert IProviderRegistry.StatusNotAllowed(status);
        if (amount == 0) revert InvalidAmount();
        Provider storage provider = _layout().providers[providerId];
        uint256 own = provider.own;
        if (amount > own) revert InsufficientBalance(own, amount);
        uint256 whole = (own - amount) / _WHOLE; // Rounded down, against who leaves.
        uint256 required = _PROVIDER_REGISTRY.requiredStakeWhole(providerId);
        // Without machines there is nothing to back, and nobody's leave to wait for.
        if (whole < required && _PROVIDER_REGISTRY.machinesStakeWhole(providerId) != 0) revert InsufficientStake(whole, required);
        provider.own = uint128(own - amount);
        unbondingId = _startUnbonding(providerId, provider, uint128(amount), 0, true);
        _writeStake(providerId, provider);
    }

    /// @inheritdoc IStakingManager
    function delegate(uint24 providerId, uint256 amount) external nonReentrant returns (uint256 shares) {
        _PAUSE.requireRunning();
        _ownerOf(providerId);
        uint128 received = _receive(amount);
        Provider storage provider = _layout().providers[providerId];
        shares = provider.delegated.enter(provider.accounts[msg.sender].delegation, received);
        emit Delegated(providerId, msg.sender, received, shares);
        _writeStake(providerId, provider);
    }

    /// @inheritdoc IStakingManager
    /// @dev Shares that slashes have left worth less than one unit cannot leave by themselves.
    function requestUndelegate(uint24 providerId, uint256 shares) external nonReentrant returns (uint32 unbondingId) {
        Provider storage provider = _layout().providers[providerId];
        Holding storage delegation = provider.accounts[msg.sender].delegation;
        uint256 available = provider.delegated.held(delegation);
        if (shares > available) revert InsufficientBalance(available, shares);
        uint128 amount = provider.delegated.exit(delegation, shares);
        if (amount == 0) revert InvalidAmount();
        unbondingId = _startUnbonding(providerId, provider, amount, shares, false);
        _writeStake(providerId, provider);
    }

    /// @inheritdoc IStakingManager
    /// @dev One that was slashed to nothing can be cleared at once.
    function withdrawUnbonded(uint24 providerId, uint32 unbondingId) external nonReentrant returns (uint256 amount) {
        Layout storage state = _layout();
        Provider storage provider = state.providers[providerId];
        Account storage account = provider.accounts[msg.sender];
        Unbonding storage unbonding = account.unbondingOf[unbondingId];
        uint40 releaseAt = unbonding.releaseAt;
        if (releaseAt == 0) revert UnbondingNotFound(providerId, msg.sender, unbondingId);
        uint256 shares = provider.unbonding.held(unbonding.holding);
        if (shares != 0 && block.timestamp < releaseAt) revert UnbondingNotOver(unbondingId, releaseAt);

        uint256 worth = provider.unbonding.exit(unbonding.holding, shares);
        // What others' roundings added is nobody's who asked for less.
        amount = Math.min(unbonding.amount, worth);
        if (worth != amount) state.compensation[state.treasury] += worth - amount;
        delete account.unbondingOf[unbondingId];
        --account.unbondings;
        emit Unbonded(providerId, msg.sender, unbondingId, amount);
        _pay(msg.sender, amount);
    }

    /// @inheritdoc IStakingManager
    /// @dev A raise that has not begun is replaced. A maximum that governance lowers binds commissions that are set from then on.
    function setCommission(uint24 providerId, uint16 commissionBps_) external {
        _requireOwner(providerId);
        Layout storage state = _layout();
        uint16 maximum = state.terms.maxCommissionBps;
        if (commissionBps_ > maximum) revert CommissionTooHigh(commissionBps_, maximum);
        Provider storage provider = state.providers[providerId];
        uint16 present = _commissionAt(provider, uint40(block.timestamp));
        bool raised = commissionBps_ > present;
        uint40 effectiveAt = uint40(block.timestamp) + (raised ? state.terms.unbondingSeconds : 0);
        provider.commissionBps = raised ? present : commissionBps_;
        provider.nextCommissionBps = commissionBps_;
        provider.nextCommissionAt = effectiveAt;
        emit CommissionUpdated(providerId, commissionBps_, effectiveAt);
    }

    /// @inheritdoc IStakingManager
    function withdrawCompensation() external nonReentrant returns (uint256 amount) {
        Layout storage state = _layout();
        amount = state.compensation[msg.sender];
        if (amount == 0) revert InvalidAmount();
        state.compensation[msg.sender] = 0;
        emit CompensationPaid(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    // ---- roles

    /// @inheritdoc IStakingManager
    function slash(SlashOrder calldata order) external restricted nonReentrant returns (uint256 slashed) {
        address owner = _ownerOf(order.providerId);
        Provider storage provider = _layout().providers[order.providerId];
        _admit(order, provider);
        slashed = _take(order, provider, _harmedTenant(order));
        if (order.cause == SlashCause.DowntimeIdle) return slashed;
        bool misconduct = order.cause == SlashCause.Misconduct;
        _PROVIDER_REGISTRY.recordSlash(order.providerId, misconduct);
        _writeStake(order.providerId, provider);
        if (misconduct) _REWARDER.forfeit(owner);
    }

    /// @inheritdoc IStakingManager
    /// @dev Requirements hold for machines registered, grown or reconfigured from now on, the provider's minimum for who goes Active.
    function setStakeTerms(StakeTerms calldata terms) external restricted {
        _setStakeTerms(terms);
    }

    /// @inheritdoc IStakingManager
    /// @dev What is already credited stays the old treasury's.
    function setTreasury(address treasury) external restricted {
        _setTreasury(treasury);
    }

    // ---- views

    /// @inheritdoc IStakingManager
    function requirementOf(uint8 deviceCount, uint24 cpuMilli) external view returns (uint40 whole) {
        StakeTerms storage terms = _layout().terms;
        // Rounded up, against the provider: a part of a core is staked as a whole one would be, in proportion.
        uint256 sized = uint256(deviceCount) * terms.wholePerDevice + Math.ceilDiv(uint256(cpuMilli) * terms.wholePerCore, 1000);
        return uint40(Math.max(sized, terms.wholeMinimumPerMachine));
    }

    /// @inheritdoc IStakingManager
    function ownStakeWhole(uint24 providerId) external view returns (uint256 whole) {
        return _layout().providers[providerId].own / _WHOLE;
    }

    /// @inheritdoc IStakingManager
    function stakeTerms() external view returns (StakeTerms memory) {
        return _layout().terms;
    }

    /// @inheritdoc IStakingManager
    function stakeOf(uint24 providerId) external view returns (uint256 own, uint256 delegated, uint256 unbonding) {
        Provider storage provider = _layout().providers[providerId];
        return (provider.own, provider.delegated.amount, provider.unbonding.amount);
    }

    /// @inheritdoc IStakingManager
    function delegationOf(uint24 providerId, address delegator) external view returns (uint256 shares, uint256 amount) {
        Provider storage provider = _layout().providers[providerId];
        shares = provider.delegated.held(provider.accounts[delegator].delegation);
        amount = provider.delegated.worth(shares);
    }

    /// @inheritdoc IStakingManager
    /// @dev All zero for one that does not exist; the amount is what would be paid now.
    function unbondingOf(uint24 providerId, address account, uint32 unbondingId)
        external
        view
        returns (uint256 amount, uint40 releaseAt, bool own)
    {
        Provider storage provider = _layout().providers[providerId];
        Unbonding storage unbonding = provider.accounts[account].unbondingOf[unbondingId];
        amount = Math.min(unbonding.amount, provider.unbonding.worth(provider.unbonding.held(unbonding.holding)));
        return (amount, unbonding.releaseAt, unbonding.own);
    }

    /// @inheritdoc IStakingManager
    /// @dev Right for the present block and later; of the past only as far as the newest change.
    function commissionBps(uint24 providerId, uint40 timestamp) external view returns (uint16) {
        return _commissionAt(_layout().providers[providerId], timestamp);
    }

    /// @inheritdoc IStakingManager
    function compensationOf(address account) external view returns (uint256) {
        return _layout().compensation[account];
    }

    /// @inheritdoc IStakingManager
    function liabilities() external view returns (uint256) {
        return _layout().liabilities;
    }

    /// @inheritdoc IStakingManager
    function stakingToken() external view returns (address) {
        return address(_TOKEN);
    }

    // ---- slashing

    /// Refuses a slash that the terms do not allow, and remembers the one that they do.
    function _admit(SlashOrder calldata order, Provider storage provider) private {
        if (order.evidenceHash == 0 || provider.slashed[order.evidenceHash]) revert SlashInvalid("evidenceHash");
        provider.slashed[order.evidenceHash] = true;

        StakeTerms storage terms = _layout().terms;
        uint16 maximum;
        if (order.cause == SlashCause.Misconduct) maximum = terms.maxMisconductBps;
        else if (order.cause == SlashCause.DowntimeWithLease) maximum = terms.maxDowntimeBps;
        bool none = order.amountBps == 0;
        if (order.amountBps > maximum || none != (order.cause == SlashCause.DowntimeIdle)) revert SlashInvalid("amountBps");

        if (order.cause == SlashCause.Misconduct) return;
        if (_statusOf(order.providerId) == ProviderStatus.Maintenance) revert NoSlashInMaintenance(order.providerId);
        uint40 last = provider.lastDowntimeSlashAt;
        uint40 earliest = last + terms.downtimeCooldownSeconds;
        if (last != 0 && block.timestamp < earliest) revert SlashCoolingDown(order.providerId, earliest);
        provider.lastDowntimeSlashAt = uint40(block.timestamp);
    }

    /// Whose the order is; nobody's when none is named, and then nobody was harmed.
    function _harmedTenant(SlashOrder calldata order) private view returns (address tenant) {
        if (order.orderId != 0) {
            if (order.cause == SlashCause.DowntimeIdle) revert SlashInvalid("orderId");
            tenant = OrderOwnerWord.wrap(uint256(_ORDER_REQUEST.ownerWord(order.orderId))).tenant();
            if (tenant == address(0)) revert SlashInvalid("orderId");
        } else if (order.harm != 0) {
            revert SlashInvalid("harm");
        }
        if (order.cause != SlashCause.DowntimeWithLease) return tenant;
        OrderWord lease = OrderWord.wrap(uint256(_ORDER_REQUEST.orderWord(order.orderId)));
        if (lease.state() != uint256(OrderState.Matched) || lease.providerId() != order.providerId) revert SlashInvalid("orderId");
    }

    /// Takes what the cause may take, and credits it to the tenant up to the harm, then to the treasury.
    function _take(SlashOrder calldata order, Provider storage provider, address tenant) private returns (uint256 slashed) {
        // Rounded up, against the slashed; never above the stake, since a share is at most 10000.
        uint128 own = uint128(Math.ceilDiv(uint256(provider.own) * order.amountBps, BPS));
        provider.own -= own;
        uint128 delegated;
        uint128 unbonding;
        if (order.cause == SlashCause.Misconduct) {
            delegated = provider.delegated.slash(order.amountBps);
            unbonding = provider.unbonding.slash(order.amountBps);
        }
        slashed = uint256(own) + delegated + unbonding;
        uint256 toTenant = Math.min(order.harm, slashed);
        Layout storage state = _layout();
        if (toTenant != 0) state.compensation[tenant] += toTenant;
        if (slashed != toTenant) state.compensation[state.treasury] += slashed - toTenant;
        _emitSlashed(order, own, delegated, unbonding, toTenant);
    }

    function _emitSlashed(SlashOrder calldata order, uint256 own, uint256 delegated, uint256 unbonding, uint256 toTenant) private {
        uint256 toTreasury = own + delegated + unbonding - toTenant;
        bytes32 evidenceHash = order.evidenceHash;
        emit Slashed(order.providerId, order.cause, order.orderId, own, delegated, unbonding, toTenant, toTreasury, evidenceHash);
    }

    // ---- stake

    function _startUnbonding(uint24 providerId, Provider storage provider, uint128 amount, uint256 givenUp, bool own)
        private
        returns (uint32 unbondingId)
    {
        Account storage account = provider.accounts[msg.sender];
        if (account.unbondings == MAX_UNBONDINGS) revert TooManyUnbondings(providerId, msg.sender);
        ++account.unbondings;
        unbondingId = ++account.lastUnbondingId;
        uint40 releaseAt = uint40(block.timestamp) + _layout().terms.unbondingSeconds;
        Unbonding storage unbonding = account.unbondingOf[unbondingId];
        (unbonding.amount, unbonding.releaseAt, unbonding.own) = (amount, releaseAt, own);
        provider.unbonding.enter(unbonding.holding, amount);
        emit UnbondingStarted(providerId, msg.sender, unbondingId, amount, givenUp, releaseAt, own);
    }

    /// Tells the registry, each part rounded down to whole tokens; what exceeds 32 bits of them scores no further.
    function _writeStake(uint24 providerId, Provider storage provider) private {
        uint256 ownWhole = provider.own / _WHOLE;
        uint256 delegatedWhole = provider.delegated.amount / _WHOLE;
        _PROVIDER_REGISTRY.setProviderStake(providerId, uint32(Math.min(ownWhole + delegatedWhole, type(uint32).max)), ownWhole);
    }

    function _commissionAt(Provider storage provider, uint40 timestamp) private view returns (uint16) {
        return timestamp < provider.nextCommissionAt ? provider.commissionBps : provider.nextCommissionBps;
    }

    /// Reverts for a provider that does not exist.
    function _ownerOf(uint24 providerId) private view returns (address owner) {
        owner = _PROVIDER_REGISTRY.providerOwner(providerId);
        if (owner == address(0)) revert ProviderNotFound(providerId);
    }

    function _requireOwner(uint24 providerId) private view {
        if (msg.sender != _ownerOf(providerId)) revert NotProviderOwner(providerId, msg.sender);
    }

    function _statusOf(uint24 providerId) private view returns (ProviderStatus) {
        return ProviderStatus(ProviderWord.wrap(uint256(_PROVIDER_REGISTRY.providerWord(providerId))).status());
    }

    // ---- tokens

    /// What arrived, which a token with a fee makes less than `amount`.
    function _receive(uint256 amount) private returns (uint128 received) {
        uint256 before = _TOKEN.balanceOf(address(this));
        _TOKEN.safeTransferFrom(msg.sender, address(this), amount);
        received = SafeCast.toUint128(_TOKEN.balanceOf(address(this)) - before);
        if (received == 0) revert InvalidAmount();
        _layout().liabilities += received;
    }

    function _pay(address account, uint256 amount) private {
        if (amount == 0) return;
        _layout().liabilities -= amount;
        _TOKEN.safeTransfer(account, amount);
    }

    // ---- terms

    function _setStakeTerms(StakeTerms calldata terms) private {
        if (terms.wholePerDevice >= REQUIREMENT_LIMIT) revert StakeTermsInvalid("wholePerDevice");
        if (terms.wholePerCore >= REQUIREMENT_LIMIT) revert StakeTermsInvalid("wholePerCore");
        if (terms.unbondingSeconds == 0 || terms.unbondingSeconds > MAX_UNBONDING_SECONDS) revert StakeTermsInvalid("unbondingSeconds");
        if (terms.maxCommissionBps > BPS) revert StakeTermsInvalid("maxCommissionBps");
        if (terms.maxMisconductBps == 0 || terms.maxMisconductBps > BPS) revert StakeTermsInvalid("maxMisconductBps");
        if (terms.maxDowntimeBps > BPS) revert StakeTermsInvalid("maxDowntimeBps");
        _layout().terms = terms;
        emit StakeTermsUpdated(terms);
    }

    function _setTreasury(address treasury) private {
        if (treasury == address(0)) revert StakeTermsInvalid("treasury");
        _layout().treasury = treasury;
        emit TreasuryUpdated(treasury);
    }

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }
}
