// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OrderSpec, SkipReason } from "./MarketTypes.sol";

/// @title Orders, and the leases their words become.
interface IOrderRequest {
    /// @notice A word that nodes build their snapshot from, folded into the orders' facts word.
    event Fact(uint256 indexed slot, bytes32 value);

    event OrderCreated(uint32 indexed orderId, address indexed tenant, uint32 eligibleFromBlock, uint32 expiresAt, OrderSpec spec);
    event OrderCancelled(uint32 indexed orderId, uint32 untilRound);
    event OrderExpired(uint32 indexed orderId, uint32 untilRound);
    event OrderMarkedAsClosed(uint32 indexed orderId);
    /// @notice The open order's tenant posted `newOrderId` in its place.
    event OrderReplaced(uint32 indexed orderId, uint32 indexed newOrderId);
    /// @notice The provider was not ready: the order is open again from `eligibleFromBlock` on, its bids begin anew.
    event OrderReopened(uint32 indexed orderId, uint32 eligibleFromBlock);
    event BidWindowUpdated(uint32 bidWindowBlocks);
    /// @notice Why settlement left a record out; for people, nodes derive nothing from it.
    event RecordSkipped(uint32 indexed orderId, uint32 indexed machineId, SkipReason reason);

    /// @notice `field` of the spec, or expiresAt, is outside its bounds or contradicts another.
    error OrderFieldInvalid(string field);
    error TokenNotAccepted(uint16 tokenId);
    error OrderNotFound(uint32 orderId);
    error OrderNotOpened(uint32 orderId);
    error OrderNotMatched(uint32 orderId);
    error OrderAlreadyEnding(uint32 orderId, uint32 untilRound);
    error OrderNotEnding(uint32 orderId);
    /// @notice The round that may still match the order is open until after block `refundableAfterBlock`.
    error RefundTooEarly(uint32 orderId, uint256 refundableAfterBlock);
    error OrderNotExpired(uint32 orderId, uint32 expiresAt);
    error NotTenant(uint32 orderId, address caller);
    error NotAuthorized(address caller);
    /// @notice The lock for this price and duration would not fit 96 bits.
    error LockTooLarge(uint256 amount);
    /// @notice The next bid of the order has the index `bidCount`, below 255; an earlier one is replaced.
    error BidIndexInvalid(uint32 orderId, uint8 bidIndex);
    error BidWindowTooLong(uint32 bidWindowBlocks, uint32 maximum);

    /// @notice Posts an order and locks maxPrice x duration from the caller's escrow balance.
    function createOrder(OrderSpec calldata spec, uint32 expiresAt) external returns (uint32 orderId);
    /// @notice Ends the order from the next round on; the open round may still match it. Only its tenant.
    function cancel(uint32 orderId) external;
    /// @notice Ends an order whose time has passed. Anyone.
    function expire(uint32 orderId) external;
    /// @notice Returns the lock of an ended order after block B(untilRound). Anyone; the funds go to the tenant.
    function refund(uint32 orderId) external;

    /// @notice Cancels an open order and posts another in its place, in one call; the first lock comes back after its round. Only its tenant.
    function replaceOrder(uint32 orderId, OrderSpec calldata spec, uint32 expiresAt) external returns (uint32 newOrderId);

    /// @notice Only settlement: rewrites the order word of each record that holds into the lease. Returns `skip` plus what it left out.
    function fill(bytes calldata records, uint256[] calldata skip, uint32 round, uint40 snapshotBlock)
        external
        returns (uint256[] memory skipped);
    /// @notice Only compute lease: closes the lease and returns the word as it was.
    function close(uint32 orderId) external returns (bytes32 lease);

    /// @notice Only compute lease: a lease whose provider was not ready is an open order again, eligible after the open snapshot, without bids.
    /// Returns the lease word as it was.
    function reopen(uint32 orderId) external returns (bytes32 lease);
    /// @notice Only compute lease (an update) and settlement (a self-match): writes the lease word as a fact. From settlement the order must be
    /// open, not ended and not expired.
    function setLease(uint32 orderId, bytes32 lease) external;
    /// @notice Only bids: writes a bid word as a fact; `bidIndex` equal to the order's bid count adds one. The order must be open.
    function setBid(uint32 orderId, uint8 bidIndex, bytes32 bid) external;

    /// @notice Blocks between an order and the first snapshot it may be in. Orders that exist keep theirs.
    function setBidWindowBlocks(uint32 bidWindowBlocks) external;

    function orderWord(uint32 orderId) external view returns (bytes32);
    function ownerWord(uint32 orderId) external view returns (bytes32);
    function specHash(uint32 orderId) external view returns (bytes32);
    function bidWord(uint32 orderId, uint8 bidIndex) external view returns (bytes32);
    function orderCount() external view returns (uint32);
    function factsWord() external view returns (bytes32);
    function bidWindowBlocks() external view returns (uint32);
}
