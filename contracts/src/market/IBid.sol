// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What governance sets about bids.
struct BidTerms {
    /// 0..200 bids an order; the word has room for 255.
    uint8 maxBidsPerOrder;
    /// Bids of one provider whose bond is held, 1..10000.
    uint16 maxBidsPerProvider;
    /// Bond in micro-units of the order's token, below 2^40; 0 for none.
    uint40 bondMicro;
}

/// @title Providers' bids on single orders: below their own offer, bonded, one a provider and order, final when the bid window closes.
/// @dev Upgradeable. `constructor(MarketContracts, bool arbSys)`, `initialize(address authority, BidTerms terms)`. The bid words live in
/// OrderRequest; here are the bonds and whose bid is where. A generation of an order's bids is named by its `eligibleFromBlock`: when an order
/// goes back to matching its bids begin anew.
interface IBid {
    event BidPlaced(
        uint32 indexed orderId, uint24 indexed providerId, uint32 indexed machineId, uint8 bidIndex, uint40 priceMicroPerHour, uint96 bond
    );
    event BidWithdrawn(uint32 indexed orderId, uint24 indexed providerId, uint32 untilRound);
    event BondReleased(uint32 indexed orderId, uint24 indexed providerId, address owner, uint96 bond);
    event BondForfeited(uint32 indexed orderId, uint24 indexed providerId, address tenant, uint96 bond);
    event BidTermsUpdated(BidTerms terms);

    error OrderNotOpened(uint32 orderId);
    error BiddingClosed(uint32 orderId, uint32 eligibleFromBlock);
    error ProviderNotActive(uint24 providerId);
    error NotProviderOwner(uint24 providerId, address caller);
    error MachineNotFound(uint32 machineId);
    /// @notice The machine is not active in the order's first round, or has no live offer in the order's token.
    error MachineNotOffered(uint32 machineId);
    /// @notice A bid must be below the provider's own offer for this order, and at most the order's maximum.
    error BidPriceTooHigh(uint256 priceMicroPerHour, uint256 below);
    error BidPriceExceedsMaxPrice(uint256 priceMicroPerHour, uint256 maxPriceMicroPerHour);
    error TooManyBids(uint32 orderId, uint8 maximum);
    error TooManyProviderBids(uint24 providerId, uint16 maximum);
    error BidNotFound(uint32 orderId, uint24 providerId);
    error BidAlreadyWithdrawn(uint32 orderId, uint24 providerId);
    error BondStillHeld(uint32 orderId, uint24 providerId);
    error BidTermsInvalid(string field);
    error NotAuthorized(address caller);

    /// @notice Places the provider's bid on an open order, or replaces it in place (same index, same bond). The bond is taken from the
    /// owner's escrow balance in the order's token. CREATE_BID in the field's words.
    function placeBid(uint32 orderId, uint32 machineId, uint40 priceMicroPerHour) external returns (uint8 bidIndex);
    /// @notice Ends the bid from the next round on; the open round may still match it.
    function withdrawBid(uint32 orderId, uint24 providerId) external;
    /// @notice Returns a bond that can no longer be needed: the order is matched elsewhere, closed, or matched again after it went back;
    /// the bid was withdrawn and its last round is over; or the provider won and is ready. Anyone.
    function releaseBond(uint32 orderId, uint24 providerId) external;
    /// @notice Only compute lease: the winner by a bid was not ready in time; the bond goes to the tenant. Does nothing without a bond.
    function forfeitBond(uint32 orderId, uint24 providerId, address tenant) external;
    /// @notice Only the parameters' role.
    function setBidTerms(BidTerms calldata terms) external;

    function bidTerms() external view returns (BidTerms memory);
    function bidOf(uint32 orderId, uint24 providerId)
        external
        view
        returns (bool exists, uint8 bidIndex, uint32 generation, uint96 bond, uint40 priceMicroPerHour, uint32 machineId, uint32 untilRound);
    /// @notice Bids whose bond is held.
    function heldBids(uint24 providerId) external view returns (uint16);
}
