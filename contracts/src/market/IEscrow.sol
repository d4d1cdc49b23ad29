// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What governance sets about fees. Every fee is a share of what a lease accrued (G), rounded down, none of another fee:
/// the tenant pays G + G x user, the provider gets G - G x provider - G x foundation.
struct FeeTerms {
    /// On top of G, to the treasury; at most 1000.
    uint16 userFeeBps;
    /// Out of G, to the treasury; at most 1000.
    uint16 providerFeeBps;
    /// Out of G, to the foundation; at most 5000.
    uint16 foundationFeeBps;
    /// The native token: user and provider fee are 0 in it. 0 for none.
    uint16 nativeTokenId;
    address treasury;
    address foundation;
}

/// @notice What is locked for one order. `locked >= spent` always; after release both stand still.
struct OrderLock {
    address tenant;
    uint96 locked;
    /// Where sponsored funds came from and return to; zero for none.
    address sponsor;
    /// How much of what is not spent (`locked - spent`) is the sponsor's; spent first.
    uint96 sponsored;
    /// Debited so far, user fee included.
    uint96 spent;
    /// G paid so far.
    uint96 accruedPaid;
    uint16 tokenId;
    /// Fees as they were when the order locked.
    uint16 userFeeBps;
    uint16 providerFeeBps;
    uint16 foundationFeeBps;
    bool released;
}

/// @title Deposits, sponsored accounts, the locks of orders, bonds, fees, and what everybody may withdraw.
/// @dev Upgradeable. `constructor(MarketContracts)`, `initialize(address authority, FeeTerms terms)`. Money enters by deposit and leaves by withdraw to
/// the caller alone; everything between only moves credit. A deposit is credited by the measured balance change.
interface IEscrow {
    event Deposited(address indexed account, uint16 indexed tokenId, uint256 amount);
    event Withdrawn(address indexed account, uint16 indexed tokenId, uint256 amount);
    event Sponsored(address indexed sponsor, address indexed account, uint16 indexed tokenId, uint256 amount);
    event SponsorshipWithdrawn(address indexed sponsor, address indexed account, uint16 indexed tokenId, uint256 amount);
    event SponsorChosen(address indexed account, address indexed sponsor);
    event Locked(
        uint32 indexed orderId, address indexed tenant, uint16 indexed tokenId, uint256 amount, address sponsor, uint256 sponsored
    );
    event LockAdded(uint32 indexed orderId, uint256 amount);
    event LeasePaid(
        uint32 indexed orderId, address indexed provider, uint16 indexed tokenId, uint256 amount, uint256 toTreasury, uint256 toFoundation
    );
    /// @notice Back to the tenant and its sponsor; the lock goes on when `ended` is false.
    event Released(uint32 indexed orderId, address indexed tenant, uint16 indexed tokenId, uint256 toTenant, uint256 toSponsor, bool ended);
    event BondHeld(address indexed account, uint16 indexed tokenId, uint256 amount);
    event BondMoved(address indexed from, address indexed to, uint16 indexed tokenId, uint256 amount);
    event FeeTermsUpdated(FeeTerms terms);

    error InsufficientBalance(uint256 available, uint256 required);
    error TokenNotAccepted(uint16 tokenId);
    error InvalidAmount();
    /// @notice Less than the token's minimum deposit arrived.
    error MinimumDepositNotMet(uint256 received, uint256 minimum);
    error NotAuthorized(address caller);
    error LockAlreadyReleased(uint32 orderId);
    error LockExceeded(uint32 orderId, uint256 locked, uint256 required);
    error LockTooLarge(uint256 amount);
    error FeeTermsInvalid(string field);
    error TooManyAccounts(uint256 count, uint256 maximum);

    // ---- accounts (callers by ERC-2771 through SignedCalls too)
    function deposit(uint16 tokenId, uint256 amount) external;
    /// @notice To the caller. Never paused, also for revoked tokens.
    function withdraw(uint16 tokenId, uint256 amount) external;
    /// @notice Deposits `amount` for each of at most 16 accounts: they can lock it for orders, only the sponsor can withdraw it.
    function depositFor(uint16 tokenId, uint256 amount, address[] calldata accounts) external;
    /// @notice Takes unlocked sponsored funds back, to the caller, who is the sponsor.
    function withdrawSponsored(uint16 tokenId, address account, uint256 amount) external;
    /// @notice Whose sponsored funds the caller's next orders use first; zero for none. Nobody can be sponsored into anything.
    function chooseSponsor(address sponsor) external;

    // ---- market contracts
    /// @notice Only orders: locks `cost` plus the user fee, rounded up, sponsored funds first.
    function lock(uint32 orderId, address tenant, uint16 tokenId, uint96 cost) external;
    /// @notice Only leases: fits the lock to hold `cost` (G in all, from the start of the order) plus fee: locks more, or returns what is over.
    function fitLock(uint32 orderId, uint96 cost) external returns (uint256 added, uint256 returned);
    /// @notice Only leases: pays up to cumulative `accrued` (G): provider, treasury and foundation are credited. A single last unit that would be
    /// taken from the provider, as both of its fees step there, stays in the lock.
    function pay(uint32 orderId, address provider, uint96 accrued) external returns (uint256 toProvider);
    /// @notice Only orders and leases: returns what is left of the lock and ends it.
    function release(uint32 orderId) external returns (uint256 amount);
    /// @notice Only bids: moves from the account's balance into bonds.
    function holdBond(address account, uint16 tokenId, uint96 amount) external;
    /// @notice Only bids: moves a bond of `from` into `to`'s balance.
    function moveBond(address from, address to, uint16 tokenId, uint96 amount) external;

    /// @notice Only the parameters' role. Orders that exist keep their fees.
    function setFeeTerms(FeeTerms calldata terms) external;

    function balanceOf(address account, uint16 tokenId) external view returns (uint256);
    function sponsoredBalanceOf(address account, address sponsor, uint16 tokenId) external view returns (uint256);
    function sponsorOf(address account) external view returns (address);
    function bondsOf(address account, uint16 tokenId) external view returns (uint256);
    function lockOf(uint32 orderId) external view returns (OrderLock memory);
    function feeTerms() external view returns (FeeTerms memory);
    /// @notice What an order of `cost` locks now: cost plus user fee, rounded up.
    function lockAmount(uint16 tokenId, uint96 cost) external view returns (uint256);
    /// @notice Sum of all balances, sponsored balances, bonds and unspent locks in a token: what the contract owes.
    function liabilities(uint16 tokenId) external view returns (uint256);
}
