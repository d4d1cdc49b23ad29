// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ContextUpgradeable } from "@openzeppelin/contracts-upgradeable/utils/ContextUpgradeable.sol";
import { ERC2771ContextUpgradeable } from "@openzeppelin/contracts-upgradeable/metatx/ERC2771ContextUpgradeable.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { Checkpoints } from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { OrderOwnerWord } from "../words/OrderOwnerWord.sol";
import { OrderWord } from "../words/OrderWord.sol";
import { ProviderWord } from "../words/ProviderWord.sol";
import { RecordWord } from "../words/RecordWord.sol";
import { IBid } from "./IBid.sol";
import { IComputeLease, LeaseEnd, LeaseTerms, LeaseUpdate } from "./IComputeLease.sol";
import { IEscrow } from "./IEscrow.sol";
import { IMatchSettlement } from "./IMatchSettlement.sol";
import { IOrderRequest } from "./IOrderRequest.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";
import { ITokenRegistry } from "./ITokenRegistry.sol";
import { LeaseAccrual } from "./LeaseAccrual.sol";
import { LeaseResize } from "./LeaseResize.sol";
import { MachineReservation } from "./MachineReservation.sol";
import { OrderState, Policy, ProviderStatus } from "./MarketTypes.sol";

/// @title Leases: readiness, manifest, confirmation, updates, renewal, accrual and end.
/// @dev A step's time is over at its deadline itself. Nothing here calls out of the market, and money goes to escrow balances, never to an
/// address. Assumes that timestamps fit 32 bits, that the provider's owner is the account to be paid, and that a provider's confirmation is
/// only its own word: what it proves is that the provider had its turn.
contract ComputeLease is IComputeLease, MarketModule, ERC2771ContextUpgradeable {
    using Checkpoints for Checkpoints.Trace224;

    /// What is known of a lease beside its word; all zero until the first call about it, and again when its order is reopened.
    struct Account {
        uint32 readyAt;
        /// Of the newest announcement.
        uint32 announcedAt;
        uint32 confirmedAt;
        /// Start of the current price; 0 before ready.
        uint32 pricedAt;
        /// Paid-through time from ready on; of an ended lease when accrual stopped.
        uint32 endTime;
        /// Paid time from ready on, in minutes; 0 until an extension, then it replaces the order's. Rounded up.
        uint24 durationMinutes;
        LeaseEnd end;
        /// G earned before the current price; of an ended lease the whole.
        uint96 earnedBefore;
        bytes32 manifestHash;
        LeaseUpdate update;
    }

    /// @custom:storage-location erc7201:matchmaker.storage.ComputeLease
    struct Layout {
        mapping(uint32 orderId => Account) accounts;
        /// Packed terms by the first second of matches that they hold for.
        Checkpoints.Trace224 terms;
    }

    /// A running lease as one call sees it.
    struct Running {
        OrderWord word;
        address tenant;
        address provider;
        uint24 orderMinutes;
        uint8 decimals;
    }

    bytes32 private constant LAYOUT_SLOT = 0xf9c8930e544959adbececd62778723fa653e4a7fd388b62fd17679b70576ce00;

    uint32 public constant MAX_STEP_SECONDS = 7 days;
    uint32 public constant MAX_MINIMUM_CHARGE_SECONDS = 1 days;

    uint256 private constant SECONDS_PER_MINUTE = 60;

    IEscrow private immutable _ESCROW;
    IOrderRequest private immutable _ORDER_REQUEST;
    IProviderRegistry private immutable _PROVIDER_REGISTRY;
    ITokenRegistry private immutable _TOKEN_REGISTRY;
    IBid private immutable _BID;
    IMatchSettlement private immutable _MATCH_SETTLEMENT;

    constructor(MarketContracts memory market) ERC2771ContextUpgradeable(market.signedCalls) {
        _ESCROW = IEscrow(market.escrow);
        _ORDER_REQUEST = IOrderRequest(market.orderRequest);
        _PROVIDER_REGISTRY = IProviderRegistry(market.providerRegistry);
        _TOKEN_REGISTRY = ITokenRegistry(market.tokenRegistry);
        _BID = IBid(market.bid);
        _MATCH_SETTLEMENT = IMatchSettlement(market.matchSettlement);
    }

    function initialize(address authority, LeaseTerms calldata terms) external initializer {
        __AccessManaged_init(authority);
        _setLeaseTerms(terms, 0);
    }

    // ---- from the match to the confirmation

    /// @inheritdoc IComputeLease
    function markReady(uint32 orderId) external {
        (Running memory lease, Account storage account) = _running(orderId);
        _requireProvider(orderId, lease);
        if (account.readyAt != 0) revert AlreadyReady(orderId);
        _requireInTime(orderId, lease, account);
        uint32 nowSeconds = uint32(block.timestamp);
        uint32 paidThrough = uint32(Math.min(nowSeconds + lease.orderMinutes * SECONDS_PER_MINUTE, type(uint32).max));
        account.readyAt = nowSeconds;
        account.pricedAt = nowSeconds;
        account.endTime = paidThrough;
        emit ProviderReady(orderId, uint24(lease.word.providerId()), nowSeconds, paidThrough);
    }

    /// @inheritdoc IComputeLease
    /// @dev After ready the manifest may change within `manifestSeconds` only, so that a provider always has a confirmation window in which it cannot.
    function announceManifest(uint32 orderId, bytes32 manifestHash) external {
        (Running memory lease, Account storage account) = _running(orderId);
        _requireTenant(orderId, lease);
        if (manifestHash == 0) revert LeaseFieldInvalid("manifestHash");
        if (account.confirmedAt != 0) revert AlreadyConfirmed(orderId);
        _requireInTime(orderId, lease, account);
        if (account.readyAt != 0) {
            uint32 deadline = account.readyAt + _termsOf(lease).manifestSeconds;
            if (block.timestamp >= deadline) revert DeadlinePassed(orderId, deadline);
        }
        account.manifestHash = manifestHash;
        account.announcedAt = uint32(block.timestamp);
        emit ManifestAnnounced(orderId, lease.tenant, manifestHash);
    }

    /// @inheritdoc IComputeLease
    function confirmDeployment(uint32 orderId, bytes32 manifestHash) external {
        (Running memory lease, Account storage account) = _running(orderId);
        _requireProvider(orderId, lease);
        if (account.readyAt == 0) revert NotReady(orderId);
        if (account.confirmedAt != 0) revert AlreadyConfirmed(orderId);
        _requireInTime(orderId, lease, account);
        if (account.manifestHash == 0 || account.manifestHash != manifestHash) {
            revert ManifestMismatch(orderId, account.manifestHash, manifestHash);
        }
        account.confirmedAt = uint32(block.timestamp);
        emit DeploymentConfirmed(orderId, uint24(lease.word.providerId()), manifestHash);
    }

    // ---- updates

    /// @inheritdoc IComputeLease
    function requestUpdate(uint32 orderId, LeaseUpdate calldata update) external {
        (Running memory lease, Account storage account) = _running(orderId);
        _requireTenant(orderId, lease);
        _requireConfirmed(orderId, account);
        _requireInTime(orderId, lease, account);
        string memory field = LeaseResize.invalidField(update);
        if (bytes(field).length != 0) revert LeaseFieldInvalid(field);
        account.update = update;
        emit LeaseUpdateRequested(orderId, lease.tenant, update);
    }

    /// @inheritdoc IComputeLease
    function cancelUpdate(uint32 orderId) external {
        (Running memory lease, Account storage account) = _running(orderId);
        _requireTenant(orderId, lease);
        if (account.update.manifestHash == 0) revert UpdateNotRequested(orderId);
        delete account.update;
        emit LeaseUpdateCancelled(orderId);
    }

    /// @inheritdoc IComputeLease
    /// @dev What was earned so far is fixed and a new segment begins; each segment rounds down once.
    function acceptUpdate(uint32 orderId, bytes32 updateHash, uint40 priceMicroPerHour, uint8 deviceMask, Policy calldata policy) external {
        (Running memory lease, Account storage account) = _running(orderId);
        _requireProvider(orderId, lease);
        LeaseUpdate memory update = account.update;
        if (update.manifestHash == 0 || keccak256(abi.encode(update)) != updateHash) revert UpdateNotRequested(orderId);
        _requireInTime(orderId, lease, account);
        if (priceMicroPerHour > update.maxPriceMicroPerHour) revert PriceAboveConsent(priceMicroPerHour, update.maxPriceMicroPerHour);

        account.earnedBefore = _amount(_accruedAt(lease, account, block.timestamp));
        account.pricedAt = uint32(block.timestamp);
        account.manifestHash = update.manifestHash;
        delete account.update;

        OrderWord resized = LeaseResize.resized(lease.word, update, priceMicroPerHour, deviceMask);
        _moveCapacity(orderId, lease.word, resized, policy);
        _ORDER_REQUEST.setLease(orderId, bytes32(OrderWord.unwrap(resized)));
        lease.word = resized;
        _fitLock(orderId, lease, account);
        emit LeaseUpdated(orderId, uint24(resized.providerId()), priceMicroPerHour, bytes32(OrderWord.unwrap(resized)), update.manifestHash);
    }

    // ---- paid time

    /// @inheritdoc IComputeLease
    /// @dev Shortens no further than the minimum charge reaches, which a tenant could otherwise evade.
    function renewLease(uint32 orderId, uint24 durationMinutes) external {
        (Running memory lease, Account storage account) = _extensible(orderId);
        if (durationMinutes == 0) revert LeaseFieldInvalid("durationMinutes");
        uint256 paidThrough = block.timestamp + durationMinutes * SECONDS_PER_MINUTE;
        uint256 least = Math.min(account.endTime, uint256(account.readyAt) + _termsOf(lease).minimumChargeSeconds);
        if (paidThrough < least) revert LeaseFieldInvalid("durationMinutes");
        _extend(orderId, lease, account, paidThrough, "durationMinutes");
    }

    /// @inheritdoc IComputeLease
    function topUp(uint32 orderId, uint24 addedMinutes) external {
        (Running memory lease, Account storage account) = _extensible(orderId);
        if (addedMinutes == 0) revert LeaseFieldInvalid("addedMinutes");
        _extend(orderId, lease, account, account.endTime + addedMinutes * SECONDS_PER_MINUTE, "addedMinutes");
    }

    // ---- money

    /// @inheritdoc IComputeLease
    /// @dev Before ready the lock stays whole: the order may go back to matching, up to its maximum price.
    function releaseExcess(uint32 orderId) external returns (uint256 amount) {
        (Running memory lease, Account storage account) = _running(orderId);
        if (account.readyAt == 0) revert NotReady(orderId);
        (, amount) = _fitLock(orderId, lease, account);
    }

    /// @inheritdoc IComputeLease
    function claim(uint32 orderId) external returns (uint256 amount) {
        (Running memory lease, Account storage account) = _running(orderId);
        if (account.confirmedAt == 0) revert NotConfirmed(orderId);
        return _ESCROW.pay(orderId, lease.provider, _amount(_accruedAt(lease, account, block.timestamp)));
    }

    // ---- end

    /// @inheritdoc IComputeLease
    /// @dev A fault whose deadline has passed decides what is due, whoever ends the lease. A provider that gives up before it was ready is at
    /// fault as one that was not ready in time: the order goes back to matching.
    function closeLease(uint32 orderId) external {
        (Running memory lease, Account storage account) = _running(orderId);
        bool byTenant = _msgSender() == lease.tenant;
        if (!byTenant && _msgSender() != lease.provider) revert OnlyTenantOrProvider(orderId, _msgSender());
        (LeaseEnd reason, uint32 deadline) = _nextDeadline(lease, account);
        bool overdue = block.timestamp >= deadline;
        if (account.readyAt == 0) {
            if (!byTenant) return _reopen(orderId, lease);
            _end(orderId, lease, account, LeaseEnd.ByTenant, 0);
            if (overdue) _punish(orderId, lease);
        } else if (overdue) {
            _endOverdue(orderId, lease, account, reason);
        } else if (byTenant) {
            uint256 chargedUntil = Math.max(block.timestamp, _minimumChargeEnd(lease, account));
            _end(orderId, lease, account, LeaseEnd.ByTenant, _accruedAt(lease, account, chargedUntil));
        } else {
            uint256 due = account.confirmedAt == 0 ? 0 : _accruedAt(lease, account, block.timestamp);
            _end(orderId, lease, account, LeaseEnd.ByProvider, due);
        }
    }

    /// @inheritdoc IComputeLease
    function endLease(uint32 orderId) external {
        (Running memory lease, Account storage account) = _running(orderId);
        (LeaseEnd reason, uint32 deadline) = _nextDeadline(lease, account);
        if (block.timestamp < deadline) revert LeaseNotOverdue(orderId, deadline);
        if (reason == LeaseEnd.NotReady) _reopen(orderId, lease);
        else _endOverdue(orderId, lease, account, reason);
    }

    // ---- governance

    /// @inheritdoc IComputeLease
    function setLeaseTerms(LeaseTerms calldata terms) external restricted {
        _setLeaseTerms(terms, uint32(block.timestamp + 1));
    }

    // ---- views

    /// @inheritdoc IComputeLease
    function accrued(uint32 orderId) external view returns (uint256) {
        Account storage account = _layout().accounts[orderId];
        if (account.end != LeaseEnd.None) return account.earnedBefore;
        (Running memory lease,) = _running(orderId);
        return _accruedAt(lease, account, block.timestamp);
    }

    /// @inheritdoc IComputeLease
    function getLease(uint32 orderId) external view returns (Lease memory lease) {
        OrderWord word = OrderWord.wrap(uint256(_ORDER_REQUEST.orderWord(orderId)));
        OrderOwnerWord owner = OrderOwnerWord.wrap(uint256(_ORDER_REQUEST.ownerWord(orderId)));
        Account storage account = _layout().accounts[orderId];
        if (account.end == LeaseEnd.None && word.state() != uint256(OrderState.Matched)) revert LeaseNotActive(orderId);
        lease.orderId = orderId;
        lease.machineId = uint32(word.machineId());
        lease.providerId = uint24(word.providerId());
        lease.tenant = owner.tenant();
        lease.tokenId = uint16(word.tokenId());
        lease.priceMicroPerHour = uint40(word.priceMicroPerHour());
        lease.matchedAt = uint32(word.matchedAt());
        lease.readyAt = account.readyAt;
        lease.confirmedAt = account.confirmedAt;
        lease.endTime = account.endTime;
        lease.durationMinutes = account.durationMinutes == 0 ? uint24(owner.durationMinutes()) : account.durationMinutes;
        lease.manifestHash = account.manifestHash;
        lease.state = uint8(word.state());
        lease.end = account.end;
    }

    /// @inheritdoc IComputeLease
    function nextDeadline(uint32 orderId) external view returns (LeaseEnd reason, uint32 deadline) {
        (Running memory lease, Account storage account) = _running(orderId);
        return _nextDeadline(lease, account);
    }

    /// @inheritdoc IComputeLease
    function pendingUpdate(uint32 orderId) external view returns (LeaseUpdate memory) {
        return _layout().accounts[orderId].update;
    }

    /// @inheritdoc IComputeLease
    function leaseTerms() external view returns (LeaseTerms memory) {
        return _unpack(_layout().terms.latest());
    }

    // ---- who and when

    function _running(uint32 orderId) private view returns (Running memory lease, Account storage account) {
        lease.word = OrderWord.wrap(uint256(_ORDER_REQUEST.orderWord(orderId)));
        if (lease.word.state() != uint256(OrderState.Matched)) revert LeaseNotActive(orderId);
        OrderOwnerWord owner = OrderOwnerWord.wrap(uint256(_ORDER_REQUEST.ownerWord(orderId)));
        lease.tenant = owner.tenant();
        lease.orderMinutes = uint24(owner.durationMinutes());
        lease.provider = _PROVIDER_REGISTRY.providerOwner(uint24(lease.word.providerId()));
        (, lease.decimals,,) = _TOKEN_REGISTRY.tokenOf(uint16(lease.word.tokenId()));
        account = _layout().accounts[orderId];
    }

    /// A lease of the caller, the tenant, whose paid time may change.
    function _extensible(uint32 orderId) private view returns (Running memory lease, Account storage account) {
        (lease, account) = _running(orderId);
        _requireTenant(orderId, lease);
        if (account.readyAt == 0) revert NotReady(orderId);
        _requireInTime(orderId, lease, account);
    }

    function _requireTenant(uint32 orderId, Running memory lease) private view {
        if (_msgSender() != lease.tenant) revert OnlyTenant(orderId, _msgSender());
    }

    function _requireProvider(uint32 orderId, Running memory lease) private view {
        if (_msgSender() != lease.provider) revert OnlyProvider(orderId, _msgSender());
    }

    function _requireConfirmed(uint32 orderId, Account storage account) private view {
        if (account.readyAt == 0) revert NotReady(orderId);
        if (account.confirmedAt == 0) revert NotConfirmed(orderId);
    }

    function _requireInTime(uint32 orderId, Running memory lease, Account storage account) private view {
        (, uint32 deadline) = _nextDeadline(lease, account);
        if (block.timestamp >= deadline) revert DeadlinePassed(orderId, deadline);
    }

    /// From ready on the paid-through time bounds every other deadline.
    function _nextDeadline(Running memory lease, Account storage account) private view returns (LeaseEnd reason, uint32 deadline) {
        uint256 readyAt = account.readyAt;
        LeaseTerms memory terms = _termsOf(lease);
        if (readyAt == 0) return (LeaseEnd.NotReady, _time(lease.word.matchedAt() + terms.readySeconds));
        uint256 paidThrough = account.endTime;
        if (account.confirmedAt != 0) return (LeaseEnd.PaidThrough, uint32(paidThrough));
        if (account.announcedAt == 0) return (LeaseEnd.NoManifest, _time(Math.min(readyAt + terms.manifestSeconds, paidThrough)));
        uint256 confirmFrom = Math.max(readyAt, account.announcedAt);
        return (LeaseEnd.NotConfirmed, _time(Math.min(confirmFrom + terms.confirmSeconds, paidThrough)));
    }

    function _time(uint256 time) private pure returns (uint32) {
        return uint32(Math.min(time, type(uint32).max));
    }

    // ---- accrual

    /// G by `time`, at most by the paid-through time; nothing before ready.
    function _accruedAt(Running memory lease, Account storage account, uint256 time) private view returns (uint256) {
        uint256 pricedAt = account.pricedAt;
        if (pricedAt == 0) return 0;
        uint256 elapsed = Math.min(time, account.endTime) - pricedAt;
        return account.earnedBefore + LeaseAccrual.earned(lease.word.priceMicroPerHour(), lease.decimals, elapsed);
    }

    /// Until when a tenant that closes or sends no manifest pays at least; not at all for a provider that the market has put out.
    function _minimumChargeEnd(Running memory lease, Account storage account) private view returns (uint256) {
        ProviderWord provider = ProviderWord.wrap(uint256(_PROVIDER_REGISTRY.providerWord(uint24(lease.word.providerId()))));
        uint256 status = provider.status();
        if (status == uint256(ProviderStatus.Suspended) || status == uint256(ProviderStatus.Deactivated)) return account.readyAt;
        return uint256(account.readyAt) + _termsOf(lease).minimumChargeSeconds;
    }

    /// Sets the lock to what the lease can still cost at the price of now, what it has earned included.
    function _fitLock(uint32 orderId, Running memory lease, Account storage account) private returns (uint256 added, uint256 returned) {
        uint256 left = uint256(account.endTime) - account.pricedAt;
        uint256 cost = account.earnedBefore + LeaseAccrual.cost(lease.word.priceMicroPerHour(), lease.decimals, left);
        return _ESCROW.fitLock(orderId, _amount(cost));
    }

    function _amount(uint256 amount) private pure returns (uint96) {
        if (amount > type(uint96).max) revert IEscrow.LockTooLarge(amount);
        return uint96(amount);
    }

    // ---- changes

    function _extend(uint32 orderId, Running memory lease, Account storage account, uint256 paidThrough, string memory field) private {
        // Rounded up: the minutes tell people how much is paid, the paid-through time is what counts.
        uint256 durationMinutes = Math.ceilDiv(paidThrough - account.readyAt, SECONDS_PER_MINUTE);
        if (durationMinutes > type(uint24).max || paidThrough > type(uint32).max) revert LeaseFieldInvalid(field);
        account.endTime = uint32(paidThrough);
        account.durationMinutes = uint24(durationMinutes);
        _fitLock(orderId, lease, account);
        emit LeaseExtended(orderId, uint24(durationMinutes), uint32(paidThrough));
    }

    /// Changes what the lease holds of its machine. Only a lease that gets no larger anywhere passes without the gate.
    function _moveCapacity(uint32 orderId, OrderWord from, OrderWord to, Policy calldata policy) private {
        if (LeaseResize.isSameSize(from, to)) return;
        bool shrinks = MachineReservation.within(OrderWord.unwrap(to), OrderWord.unwrap(from));
        uint32 round = shrinks ? 0 : _MATCH_SETTLEMENT.passGate(policy);
        bytes32 record = bytes32(RecordWord.unwrap(LeaseResize.asRecord(to, orderId)));
        _PROVIDER_REGISTRY.moveCapacity(bytes32(OrderWord.unwrap(from)), record, round);
    }

    /// Ends a lease after its deadline, as the fault wants it; not for a lease that was never ready.
    function _endOverdue(uint32 orderId, Running memory lease, Account storage account, LeaseEnd reason) private {
        uint256 due;
        if (reason == LeaseEnd.PaidThrough) due = _accruedAt(lease, account, account.endTime);
        else if (reason == LeaseEnd.NoManifest) due = _accruedAt(lease, account, _minimumChargeEnd(lease, account));
        _end(orderId, lease, account, reason, due);
    }

    /// Closes the lease, pays what is due in all and returns the rest.
    function _end(uint32 orderId, Running memory lease, Account storage account, LeaseEnd end, uint256 due) private {
        uint32 endTime = uint32(block.timestamp);
        if (account.readyAt != 0 && account.endTime < endTime) endTime = account.endTime;
        uint96 whole = _amount(due);
        account.end = end;
        account.endTime = endTime;
        account.earnedBefore = whole;
        delete account.update;
        bytes32 word = _ORDER_REQUEST.close(orderId);
        _PROVIDER_REGISTRY.release(word);
        _ESCROW.pay(orderId, lease.provider, whole);
        _ESCROW.release(orderId);
        emit LeaseClosed(orderId, uint24(lease.word.providerId()), lease.tenant, endTime, end, whole);
    }

    /// Opens the order again as if it had never been matched; its lock stays whole.
    function _reopen(uint32 orderId, Running memory lease) private {
        delete _layout().accounts[orderId];
        bytes32 word = _ORDER_REQUEST.reopen(orderId);
        _PROVIDER_REGISTRY.release(word);
        _punish(orderId, lease);
        emit LeaseClosed(orderId, uint24(lease.word.providerId()), lease.tenant, uint32(block.timestamp), LeaseEnd.NotReady, 0);
    }

    /// The provider was not ready: its machine leaves the market, and the bond of a bid is the tenant's.
    function _punish(uint32 orderId, Running memory lease) private {
        _PROVIDER_REGISTRY.standDown(uint32(lease.word.machineId()));
        if (!lease.word.isFromBid()) return;
        _BID.forfeitBond(orderId, uint24(lease.word.providerId()), lease.tenant);
    }

    // ---- terms

    /// Those in force when the lease was matched.
    function _termsOf(Running memory lease) private view returns (LeaseTerms memory) {
        return _unpack(_layout().terms.upperLookupRecent(uint32(lease.word.matchedAt())));
    }

    function _setLeaseTerms(LeaseTerms calldata terms, uint32 fromTime) private {
        if (terms.readySeconds == 0 || terms.readySeconds > MAX_STEP_SECONDS) revert LeaseFieldInvalid("readySeconds");
        if (terms.manifestSeconds == 0 || terms.manifestSeconds > MAX_STEP_SECONDS) revert LeaseFieldInvalid("manifestSeconds");
        if (terms.confirmSeconds == 0 || terms.confirmSeconds > MAX_STEP_SECONDS) revert LeaseFieldInvalid("confirmSeconds");
        if (terms.minimumChargeSeconds > MAX_MINIMUM_CHARGE_SECONDS) revert LeaseFieldInvalid("minimumChargeSeconds");
        _layout().terms.push(fromTime, _pack(terms));
        emit LeaseTermsUpdated(terms);
    }

    function _pack(LeaseTerms calldata terms) private pure returns (uint224) {
        return (uint224(terms.readySeconds) << 96) | (uint224(terms.manifestSeconds) << 64) | (uint224(terms.confirmSeconds) << 32)
            | terms.minimumChargeSeconds;
    }

    function _unpack(uint224 packed) private pure returns (LeaseTerms memory) {
        return LeaseTerms({
            readySeconds: uint32(packed >> 96),
            manifestSeconds: uint32(packed >> 64),
            confirmSeconds: uint32(packed >> 32),
            minimumChargeSeconds: uint32(packed)
        });
    }

    // ---- context

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }

    function _msgSender() internal view override(ContextUpgradeable, ERC2771ContextUpgradeable) returns (address) {
        return ERC2771ContextUpgradeable._msgSender();
    }

    function _msgData() internal view override(ContextUpgradeable, ERC2771ContextUpgradeable) returns (bytes calldata) {
        return ERC2771ContextUpgradeable._msgData();
    }

    function _contextSuffixLength() internal view override(ContextUpgradeable, ERC2771ContextUpgradeable) returns (uint256) {
        return ERC2771ContextUpgradeable._contextSuffixLength();
    }
}
