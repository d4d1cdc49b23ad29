// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Tenants' deposits, the locks of their orders, and what providers may withdraw.
/// @dev Assumes tokens that move exactly what they are asked to. A deposit is credited by the measured balance change.
interface IEscrow {
    event Deposited(address indexed account, uint16 indexed tokenId, uint256 amount);
    event Withdrawn(address indexed account, uint16 indexed tokenId, uint256 amount);
    event Locked(uint32 indexed orderId, address indexed tenant, uint16 indexed tokenId, uint256 amount);
    event LeasePaid(uint32 indexed orderId, address indexed provider, uint16 indexed tokenId, uint256 amount);
    event Released(uint32 indexed orderId, address indexed tenant, uint16 indexed tokenId, uint256 amount);

    error InsufficientBalance(uint256 available, uint256 required);
    error TokenNotAccepted(uint16 tokenId);
    error InvalidAmount();
    error NotAuthorized(address caller);
    error LockAlreadyReleased(uint32 orderId);
    error LockExceeded(uint32 orderId, uint256 locked, uint256 required);

    function deposit(uint16 tokenId, uint256 amount) external;
    function withdraw(uint16 tokenId, uint256 amount) external;

    /// @notice Only orders: moves `amount` from the tenant's balance into the order's lock.
    function lock(uint32 orderId, address tenant, uint16 tokenId, uint96 amount) external;
    /// @notice Only leases: credits `provider` with what `accrued` (cumulative since the start) exceeds what was paid.
    function pay(uint32 orderId, address provider, uint16 tokenId, uint96 accrued) external returns (uint256 amount);
    /// @notice Only orders and leases: returns what is left of the lock to the tenant and ends it.
    function release(uint32 orderId, address tenant, uint16 tokenId) external returns (uint256 amount);

    function balanceOf(address account, uint16 tokenId) external view returns (uint256);
    function lockOf(uint32 orderId) external view returns (uint96 locked, uint96 paid, bool released);
    /// @notice Sum of all balances and unspent locks in a token: what the contract owes.
    function liabilities(uint16 tokenId) external view returns (uint256);
}
