// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ContextUpgradeable } from "@openzeppelin/contracts-upgradeable/utils/ContextUpgradeable.sol";
import { ERC2771ContextUpgradeable } from "@openzeppelin/contracts-upgradeable/metatx/ERC2771ContextUpgradeable.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { IMarketPause } from "../governance/IMarketPause.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { FeeTerms, IEscrow, OrderLock } from "./IEscrow.sol";
import { ITokenRegistry } from "./ITokenRegistry.sol";
import { LeaseFees } from "./LeaseFees.sol";

/// @title Deposits, sponsored accounts, the locks of orders, bonds, fees, and what everybody may withdraw.
/// @dev Tokens move in `deposit`, `depositFor`, `withdraw` and `withdrawSponsored` only, each the last or the first thing these do; everything else
/// moves credit. No role can move funds. Assumes that approved tokens never take balances back: one that does makes the contract insolvent in
/// that token, and in no other. Assumes that the market's own contracts name the tenant and provider of an order truthfully.
contract Escrow is IEscrow, MarketModule, ERC2771ContextUpgradeable, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @custom:storage-location erc7201:matchmaker.storage.Escrow
    struct Layout {
        mapping(uint16 tokenId => mapping(address account => uint256)) balances;
        /// Deposited by the sponsor for the account, and not locked.
        mapping(uint16 tokenId => mapping(address account => mapping(address sponsor => uint256))) sponsored;
        mapping(uint16 tokenId => mapping(address account => uint256)) bonds;
        mapping(uint16 tokenId => uint256) liabilities;
        mapping(address account => address) sponsors;
        mapping(uint32 orderId => OrderLock) locks;
        FeeTerms terms;
    }

    /// keccak256(abi.encode(uint256(keccak256("matchmaker.storage.Escrow")) - 1)) & ~0xff
    bytes32 private constant LAYOUT_SLOT = 0x85a6bda3731cb1c3ada71209ca44401b72435ff7c5df4b403ae2e0511d858c00;

    /// Accounts one call of `depositFor` can name.
    uint256 public constant MAX_SPONSORED_ACCOUNTS = 16;
    uint256 public constant MAX_USER_FEE_BPS = 1000;
    uint256 public constant MAX_PROVIDER_FEE_BPS = 1000;
    uint256 public constant MAX_FOUNDATION_FEE_BPS = 5000;

    IMarketPause private immutable _PAUSE;
    ITokenRegistry private immutable _TOKEN_REGISTRY;
    address private immutable _ORDER_REQUEST;
    address private immutable _COMPUTE_LEASE;
    address private immutable _BID;

    constructor(MarketContracts memory market) ERC2771ContextUpgradeable(market.signedCalls) {
        _PAUSE = IMarketPause(market.pause);
        _TOKEN_REGISTRY = ITokenRegistry(market.tokenRegistry);
        _ORDER_REQUEST = market.orderRequest;
        _COMPUTE_LEASE = market.computeLease;
        _BID = market.bid;
    }

    function initialize(address authority, FeeTerms calldata terms) external initializer {
        __AccessManaged_init(authority);
        _setFeeTerms(terms);
    }

    modifier onlyCaller(address allowed) {
        if (msg.sender != allowed) revert NotAuthorized(msg.sender);
        _;
    }

    // ---- accounts

    /// @inheritdoc IEscrow
    /// @dev The minimum counts against what arrived.
    function deposit(uint16 tokenId, uint256 amount) external nonReentrant {
        address account = _msgSender();
        uint256 received = _receive(account, tokenId, amount, 1);
        _credit(account, tokenId, received);
        emit Deposited(account, tokenId, received);
    }

    /// @inheritdoc IEscrow
    /// @dev Each account gets the same share of what arrived, rounded down; the remainder, which only a fee on transfer can leave, is the sponsor's.
    function depositFor(uint16 tokenId, uint256 amount, address[] calldata accounts) external nonReentrant {
        uint256 count = accounts.length;
        if (count > MAX_SPONSORED_ACCOUNTS) revert TooManyAccounts(count, MAX_SPONSORED_ACCOUNTS);
        if (count == 0) revert InvalidAmount();
        address sponsor = _msgSender();
        uint256 received = _receive(sponsor, tokenId, amount, count);
        // Rounded down, so that the shares never exceed what arrived.
        uint256 share = received / count;
        mapping(address account => mapping(address sponsor => uint256)) storage sponsored = _layout().sponsored[tokenId];
        for (uint256 i; i < count; ++i) {
            sponsored[accounts[i]][sponsor] += share;
            emit Sponsored(sponsor, accounts[i], tokenId, share);
        }
        uint256 remainder = received - share * count;
        if (remainder != 0) {
            _credit(sponsor, tokenId, remainder);
            emit Deposited(sponsor, tokenId, remainder);
        }
    }

    /// @inheritdoc IEscrow
    function withdraw(uint16 tokenId, uint256 amount) external nonReentrant {
        address account = _msgSender();
        if (amount == 0) revert InvalidAmount();
        _debit(account, tokenId, amount);
        emit Withdrawn(account, tokenId, amount);
        _send(account, tokenId, amount);
    }

    /// @inheritdoc IEscrow
    function withdrawSponsored(uint16 tokenId, address account, uint256 amount) external nonReentrant {
        address sponsor = _msgSender();
        if (amount == 0) revert InvalidAmount();
        mapping(address sponsor => uint256) storage sponsored = _layout().sponsored[tokenId][account];
        uint256 available = sponsored[sponsor];
        if (available < amount) revert InsufficientBalance(available, amount);
        sponsored[sponsor] = available - amount;
        emit SponsorshipWithdrawn(sponsor, account, tokenId, amount);
        _send(sponsor, tokenId, amount);
    }

    /// @inheritdoc IEscrow
    function chooseSponsor(address sponsor) external {
        address account = _msgSender();
        _layout().sponsors[account] = sponsor;
        emit SponsorChosen(account, sponsor);
    }

    // ---- market contracts

    /// @inheritdoc IEscrow
    /// @dev An order locks once: a second lock for the same id is refused as released.
    function lock(uint32 orderId, address tenant, uint16 tokenId, uint96 cost) external onlyCaller(_ORDER_REQUEST) {
        if (cost == 0) revert InvalidAmount();
        Layout storage state = _layout();
        OrderLock storage entry = state.locks[orderId];
        if (entry.tenant != address(0)) revert LockAlreadyReleased(orderId);
        (uint16 userFeeBps, uint16 providerFeeBps) = _tenantAndProviderFee(tokenId);
        entry.tenant = tenant;
        entry.tokenId = tokenId;
        entry.userFeeBps = userFeeBps;
        entry.providerFeeBps = providerFeeBps;
        entry.foundationFeeBps = state.terms.foundationFeeBps;
        uint256 amount = LeaseFees.lockOf(cost, userFeeBps);
        uint256 sponsored = _addToLock(entry, 0, amount);
        emit Locked(orderId, tenant, tokenId, amount, entry.sponsor, sponsored);
    }

    /// @inheritdoc IEscrow
    function fitLock(uint32 orderId, uint96 cost) external onlyCaller(_COMPUTE_LEASE) returns (uint256 added, uint256 returned) {
        OrderLock storage entry = _liveLock(orderId);
        if (cost < entry.accruedPaid) revert LockExceeded(orderId, cost, entry.accruedPaid);
        uint256 locked = entry.locked;
        uint256 needed = LeaseFees.lockOf(cost, entry.userFeeBps);
        if (needed > locked) {
            added = needed - locked;
            _addToLock(entry, locked, added);
            emit LockAdded(orderId, added);
        } else if (needed < locked) {
            // What is needed covers what was spent: the accrual paid is at most `cost`, and its fee rounds down.
            returned = locked - needed;
            entry.locked = uint96(needed);
            _return(orderId, entry, returned, false);
        }
    }

    /// @inheritdoc IEscrow
    /// @dev An `accrued` that is not above what was paid pays nothing. Every credit is a difference of two cumulative amounts, and the provider's
    /// must not be negative: a single unit at which both of its fees step waits for the next payment, or goes back with the rest of the lock.
    function pay(uint32 orderId, address provider, uint96 accrued) external onlyCaller(_COMPUTE_LEASE) returns (uint256 toProvider) {
        OrderLock storage entry = _liveLock(orderId);
        uint256 paid = entry.accruedPaid;
        if (accrued <= paid) return 0;
        uint256 toTreasury;
        uint256 toFoundation;
        {
            uint256 providerFeeBps = entry.providerFeeBps;
            uint256 foundationFeeBps = entry.foundationFeeBps;
            (uint256 providerBefore, uint256 feeBefore, uint256 foundationBefore) = LeaseFees.split(paid, providerFeeBps, foundationFeeBps);
            (toProvider, toTreasury, toFoundation) = LeaseFees.split(accrued, providerFeeBps, foundationFeeBps);
            if (toProvider < providerBefore) return 0;
            toProvider -= providerBefore;
            toTreasury -= feeBefore;
            toFoundation -= foundationBefore;
        }
        {
            uint256 spentBefore = entry.spent;
            uint256 userFee = LeaseFees.userFeeOf(accrued, entry.userFeeBps);
            uint256 spent = accrued + userFee;
            if (spent > entry.locked) revert LockExceeded(orderId, entry.locked, spent);
            // What was spent before is the accrual paid before and its fee.
            toTreasury += spent - accrued - (spentBefore - paid);
            entry.spent = uint96(spent);
            entry.accruedPaid = accrued;
            uint256 sponsored = entry.sponsored;
            if (sponsored != 0) entry.sponsored = uint96(sponsored - Math.min(sponsored, spent - spentBefore));
        }
        uint16 tokenId = entry.tokenId;
        _credit(provider, tokenId, toProvider);
        FeeTerms storage terms = _layout().terms;
        if (toTreasury != 0) _credit(terms.treasury, tokenId, toTreasury);
        if (toFoundation != 0) _credit(terms.foundation, tokenId, toFoundation);
        emit LeasePaid(orderId, provider, tokenId, toProvider, toTreasury, toFoundation);
    }

    /// @inheritdoc IEscrow
    function release(uint32 orderId) external returns (uint256 amount) {
        if (msg.sender != _ORDER_REQUEST && msg.sender != _COMPUTE_LEASE) revert NotAuthorized(msg.sender);
        OrderLock storage entry = _liveLock(orderId);
        amount = entry.locked - entry.spent;
        entry.released = true;
        _return(orderId, entry, amount, true);
    }

    /// @inheritdoc IEscrow
    function holdBond(address account, uint16 tokenId, uint96 amount) external onlyCaller(_BID) {
        _debit(account, tokenId, amount);
        _layout().bonds[tokenId][account] += amount;
        emit BondHeld(account, tokenId, amount);
    }

    /// @inheritdoc IEscrow
    function moveBond(address from, address to, uint16 tokenId, uint96 amount) external onlyCaller(_BID) {
        mapping(address account => uint256) storage bonds = _layout().bonds[tokenId];
        uint256 available = bonds[from];
        if (available < amount) revert InsufficientBalance(available, amount);
        bonds[from] = available - amount;
        _credit(to, tokenId, amount);
        emit BondMoved(from, to, tokenId, amount);
    }

    // ---- governance

    /// @inheritdoc IEscrow
    /// @dev Treasury and foundation of now get every fee that is paid from now on.
    function setFeeTerms(FeeTerms calldata terms) external restricted {
        _setFeeTerms(terms);
    }

    // ---- views

    /// @inheritdoc IEscrow
    function balanceOf(address account, uint16 tokenId) external view returns (uint256) {
        return _layout().balances[tokenId][account];
    }

    /// @inheritdoc IEscrow
    function sponsoredBalanceOf(address account, address sponsor, uint16 tokenId) external view returns (uint256) {
        return _layout().sponsored[tokenId][account][sponsor];
    }

    /// @inheritdoc IEscrow
    function sponsorOf(address account) external view returns (address) {
        return _layout().sponsors[account];
    }

    /// @inheritdoc IEscrow
    function bondsOf(address account, uint16 tokenId) external view returns (uint256) {
        return _layout().bonds[tokenId][account];
    }

    /// @inheritdoc IEscrow
    function lockOf(uint32 orderId) external view returns (OrderLock memory) {
        return _layout().locks[orderId];
    }

    /// @inheritdoc IEscrow
    function feeTerms() external view returns (FeeTerms memory) {
        return _layout().terms;
    }

    /// @inheritdoc IEscrow
    function lockAmount(uint16 tokenId, uint96 cost) external view returns (uint256) {
        (uint256 userFeeBps,) = _tenantAndProviderFee(tokenId);
        return LeaseFees.lockOf(cost, userFeeBps);
    }

    /// @inheritdoc IEscrow
    function liabilities(uint16 tokenId) external view returns (uint256) {
        return _layout().liabilities[tokenId];
    }

    // ---- tokens

    /// Takes `amount` for each of `count` accounts and returns what arrived in all.
    function _receive(address from, uint16 tokenId, uint256 amount, uint256 count) private returns (uint256 received) {
        _PAUSE.requireRunning();
        if (!_TOKEN_REGISTRY.isApproved(tokenId)) revert TokenNotAccepted(tokenId);
        if (amount == 0) revert InvalidAmount();
        (address token,, uint256 minimumDeposit,) = _TOKEN_REGISTRY.tokenOf(tokenId);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount * count);
        uint256 held = IERC20(token).balanceOf(address(this));
        if (held <= before) revert InvalidAmount();
        received = held - before;
        // Rounded down: a share must reach the minimum wholly.
        uint256 share = received / count;
        if (share == 0) revert InvalidAmount();
        if (share < minimumDeposit) revert MinimumDepositNotMet(share, minimumDeposit);
        _layout().liabilities[tokenId] += received;
    }

    function _send(address to, uint16 tokenId, uint256 amount) private {
        _layout().liabilities[tokenId] -= amount;
        (address token,,,) = _TOKEN_REGISTRY.tokenOf(tokenId);
        IERC20(token).safeTransfer(to, amount);
    }

    // ---- credit

    function _credit(address account, uint16 tokenId, uint256 amount) private {
        _layout().balances[tokenId][account] += amount;
    }

    function _debit(address account, uint16 tokenId, uint256 amount) private {
        mapping(address account => uint256) storage balances = _layout().balances[tokenId];
        uint256 available = balances[account];
        if (available < amount) revert InsufficientBalance(available, amount);
        balances[account] = available - amount;
    }

    // ---- locks

    function _liveLock(uint32 orderId) private view returns (OrderLock storage entry) {
        entry = _layout().locks[orderId];
        if (entry.tenant == address(0) || entry.released) revert LockAlreadyReleased(orderId);
    }

    /// Raises a lock of `locked` by `amount`: first what the sponsor has left for the tenant, then the tenant's own. Returns the sponsor's part.
    /// A lock has one sponsor: the one whose funds it took first, else the tenant's choice of now.
    function _addToLock(OrderLock storage entry, uint256 locked, uint256 amount) private returns (uint256 sponsored) {
        if (locked + amount > type(uint96).max) revert LockTooLarge(locked + amount);
        Layout storage state = _layout();
        (address tenant, uint16 tokenId, address sponsor) = (entry.tenant, entry.tokenId, entry.sponsor);
        if (sponsor == address(0)) sponsor = state.sponsors[tenant];
        if (sponsor != address(0)) {
            mapping(address sponsor => uint256) storage left = state.sponsored[tokenId][tenant];
            uint256 available = left[sponsor];
            sponsored = Math.min(available, amount);
            if (sponsored != 0) {
                left[sponsor] = available - sponsored;
                entry.sponsor = sponsor;
                entry.sponsored += uint96(sponsored);
            }
        }
        entry.locked = uint96(locked + amount);
        uint256 own = state.balances[tokenId][tenant];
        if (own < amount - sponsored) revert InsufficientBalance(own + sponsored, amount);
        state.balances[tokenId][tenant] = own - (amount - sponsored);
    }

    /// Returns `amount` of a lock: to the sponsor as far as its part is unspent, the rest to the tenant.
    function _return(uint32 orderId, OrderLock storage entry, uint256 amount, bool ended) private {
        (address tenant, uint16 tokenId) = (entry.tenant, entry.tokenId);
        uint256 unspent = entry.sponsored;
        uint256 toSponsor = Math.min(amount, unspent);
        if (toSponsor != 0) {
            entry.sponsored = uint96(unspent - toSponsor);
            _layout().sponsored[tokenId][tenant][entry.sponsor] += toSponsor;
        }
        if (amount != toSponsor) _credit(tenant, tokenId, amount - toSponsor);
        emit Released(orderId, tenant, tokenId, amount - toSponsor, toSponsor, ended);
    }

    // ---- fees

    /// User and provider fee of new orders in the token; none in the native token.
    function _tenantAndProviderFee(uint16 tokenId) private view returns (uint16 userFeeBps, uint16 providerFeeBps) {
        FeeTerms storage terms = _layout().terms;
        if (tokenId == terms.nativeTokenId) return (0, 0);
        return (terms.userFeeBps, terms.providerFeeBps);
    }

    function _setFeeTerms(FeeTerms calldata terms) private {
        if (terms.userFeeBps > MAX_USER_FEE_BPS) revert FeeTermsInvalid("userFeeBps");
        if (terms.providerFeeBps > MAX_PROVIDER_FEE_BPS) revert FeeTermsInvalid("providerFeeBps");
        if (terms.foundationFeeBps > MAX_FOUNDATION_FEE_BPS) revert FeeTermsInvalid("foundationFeeBps");
        if (terms.treasury == address(0)) revert FeeTermsInvalid("treasury");
        if (terms.foundation == address(0)) revert FeeTermsInvalid("foundation");
        _layout().terms = terms;
        emit FeeTermsUpdated(terms);
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
