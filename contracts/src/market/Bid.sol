// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { IMarketPause } from "../governance/IMarketPause.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { MatchRules } from "../rules/MatchRules.sol";
import { BidWord, BidWordLib } from "../words/BidWord.sol";
import { MachineWord, MachineWordLib } from "../words/MachineWord.sol";
import { OfferWord } from "../words/OfferWord.sol";
import { OrderWord, OrderWordLib } from "../words/OrderWord.sol";
import { ProviderWord } from "../words/ProviderWord.sol";
import { BlockSource } from "./BlockSource.sol";
import { BidTerms, IBid } from "./IBid.sol";
import { IComputeLease } from "./IComputeLease.sol";
import { IEscrow } from "./IEscrow.sol";
import { IMatchPolicy } from "./IMatchPolicy.sol";
import { IOrderRequest } from "./IOrderRequest.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";
import { ITokenRegistry } from "./ITokenRegistry.sol";
import { OrderState, ProviderStatus } from "./MarketTypes.sol";

/// @title Providers' bids on single orders: below their own offer, bonded, one a provider and order, final when the bid window closes.
/// @dev Assumes that a provider's owner never changes: a bond is returned to whom the registry names then. While the window is open no snapshot
/// shows the order, so bids may change freely; after it only a withdrawal is left, and that counts from the next round.
contract Bid is IBid, BlockSource, MarketModule {
    uint8 private constant MOST_BIDS_PER_ORDER = 200;
    uint16 private constant MOST_BIDS_PER_PROVIDER = 10_000;
    uint8 private constant OFFERS_PER_MACHINE = 4;
    /// The word has 80 bits for the bond, which is below 2^40 micro-units x 10^12, and 40 for the time in seconds.
    uint256 private constant TIME_BITS = 40;

    /// The newest bid of a provider on an order; `generation` is the `eligibleFromBlock` of the order when it was placed.
    struct Entry {
        uint32 generation;
        uint8 bidIndex;
        uint16 tokenId;
        bool isHeld;
        uint96 bond;
    }

    /// @custom:storage-location erc7201:matchmaker.storage.Bid
    struct Layout {
        BidTerms terms;
        mapping(uint32 orderId => mapping(uint24 providerId => Entry)) entries;
        mapping(uint24 providerId => uint16) heldBids;
    }

    bytes32 private constant LAYOUT_SLOT = 0x7e3b7ffacb27efc17df297c573afdd46cf46f540fa6500b800422edf5ac7fb00;

    IMarketPause private immutable _PAUSE;
    ITokenRegistry private immutable _TOKEN_REGISTRY;
    IMatchPolicy private immutable _MATCH_POLICY;
    IProviderRegistry private immutable _PROVIDER_REGISTRY;
    IEscrow private immutable _ESCROW;
    IOrderRequest private immutable _ORDER_REQUEST;
    IComputeLease private immutable _COMPUTE_LEASE;

    constructor(MarketContracts memory market, bool arbSys) BlockSource(arbSys) {
        _PAUSE = IMarketPause(market.pause);
        _TOKEN_REGISTRY = ITokenRegistry(market.tokenRegistry);
        _MATCH_POLICY = IMatchPolicy(market.matchPolicy);
        _PROVIDER_REGISTRY = IProviderRegistry(market.providerRegistry);
        _ESCROW = IEscrow(market.escrow);
        _ORDER_REQUEST = IOrderRequest(market.orderRequest);
        _COMPUTE_LEASE = IComputeLease(market.computeLease);
    }

    /// @notice Called once, in the proxy's creation.
    function initialize(address authority, BidTerms calldata terms) external initializer {
        __AccessManaged_init(authority);
        _setBidTerms(terms);
    }

    // ---- providers

    /// @inheritdoc IBid
    function placeBid(uint32 orderId, uint32 machineId, uint40 priceMicroPerHour) external returns (uint8 bidIndex) {
        _PAUSE.requireRunning();
        OrderWord order = _biddable(orderId);
        (uint24 providerId, MachineWord machine) = _ownMachine(machineId);
        _checkMachine(machineId, machine, order);
        _checkPrice(machineId, order, priceMicroPerHour);

        Entry storage entry = _layout().entries[orderId][providerId];
        uint32 generation = uint32(order.eligibleFromBlock());
        uint16 tokenId = uint16(order.tokenId());
        if (entry.generation != generation) _enter(entry, orderId, providerId, order);
        bidIndex = entry.bidIndex;
        uint96 added = entry.isHeld ? 0 : _hold(entry, providerId, tokenId);
        uint96 bond = entry.bond;
        emit BidPlaced(orderId, providerId, machineId, bidIndex, priceMicroPerHour, bond);
        uint120 bondAndTime = uint120((uint256(bond) << TIME_BITS) | uint40(block.timestamp));
        BidWord bid = BidWordLib.encode(uint32(OrderWordLib.NO_ROUND), machineId, priceMicroPerHour, bondAndTime, providerId);
        _ORDER_REQUEST.setBid(orderId, bidIndex, bytes32(BidWord.unwrap(bid)));
        if (added != 0) _ESCROW.holdBond(msg.sender, tokenId, added);
    }

    /// @inheritdoc IBid
    function withdrawBid(uint32 orderId, uint24 providerId) external {
        if (_PROVIDER_REGISTRY.providerOwner(providerId) != msg.sender) revert NotProviderOwner(providerId, msg.sender);
        OrderWord order = _order(orderId);
        if (!order.isOpen()) revert OrderNotOpened(orderId);
        Entry storage entry = _layout().entries[orderId][providerId];
        if (entry.generation == 0 || entry.generation != order.eligibleFromBlock()) revert BidNotFound(orderId, providerId);
        BidWord bid = _bid(orderId, entry.bidIndex);
        if (bid.untilRound() != OrderWordLib.NO_ROUND) revert BidAlreadyWithdrawn(orderId, providerId);
        uint32 untilRound = _MATCH_POLICY.fromRoundNow();
        emit BidWithdrawn(orderId, providerId, untilRound);
        _ORDER_REQUEST.setBid(orderId, entry.bidIndex, bytes32(BidWord.unwrap(bid.withUntilRound(untilRound))));
    }

    /// @inheritdoc IBid
    function releaseBond(uint32 orderId, uint24 providerId) external {
        Entry storage entry = _layout().entries[orderId][providerId];
        if (!entry.isHeld) revert BidNotFound(orderId, providerId);
        if (_isNeeded(orderId, providerId, entry)) revert BondStillHeld(orderId, providerId);
        _release(entry, orderId, providerId, _PROVIDER_REGISTRY.providerOwner(providerId));
    }

    // ---- market contracts and governance

    /// @inheritdoc IBid
    function forfeitBond(uint32 orderId, uint24 providerId, address tenant) external {
        if (msg.sender != address(_COMPUTE_LEASE)) revert NotAuthorized(msg.sender);
        Entry storage entry = _layout().entries[orderId][providerId];
        if (!entry.isHeld) return;
        emit BondForfeited(orderId, providerId, tenant, entry.bond);
        _letGo(entry, providerId, _PROVIDER_REGISTRY.providerOwner(providerId), tenant);
    }

    /// @inheritdoc IBid
    function setBidTerms(BidTerms calldata terms) external restricted {
        _setBidTerms(terms);
    }

    // ---- views

    /// @inheritdoc IBid
    function bidTerms() external view returns (BidTerms memory) {
        return _layout().terms;
    }

    /// @inheritdoc IBid
    /// @dev Price, machine and round are zero once another provider's bid of a later generation took the place.
    function bidOf(uint32 orderId, uint24 providerId)
        external
        view
        returns (bool exists, uint8 bidIndex, uint32 generation, uint96 bond, uint40 priceMicroPerHour, uint32 machineId, uint32 untilRound)
    {
        Entry storage entry = _layout().entries[orderId][providerId];
        (generation, bidIndex, bond) = (entry.generation, entry.bidIndex, entry.bond);
        exists = generation != 0;
        BidWord bid = _bid(orderId, bidIndex);
        if (exists && bid.providerId() == providerId) {
            priceMicroPerHour = uint40(bid.priceMicroPerHour());
            machineId = uint32(bid.machineId());
            untilRound = uint32(bid.untilRound());
        }
    }

    /// @inheritdoc IBid
    function heldBids(uint24 providerId) external view returns (uint16) {
        return _layout().heldBids[providerId];
    }

    // ---- rules

    /// The word of an order that takes bids now.
    function _biddable(uint32 orderId) private view returns (OrderWord order) {
        order = _order(orderId);
        bool isOver = order.untilRound() != OrderWordLib.NO_ROUND || block.timestamp >= order.expiresAt();
        if (!order.isOpen() || isOver) revert OrderNotOpened(orderId);
        uint256 eligibleFromBlock = order.eligibleFromBlock();
        if (_blockNumber() > eligibleFromBlock) revert BiddingClosed(orderId, uint32(eligibleFromBlock));
    }

    /// A machine of the caller, who is an Active provider.
    function _ownMachine(uint32 machineId) private view returns (uint24 providerId, MachineWord machine) {
        (bytes32 word,) = _PROVIDER_REGISTRY.machineWords(machineId);
        if (word == 0) revert MachineNotFound(machineId);
        machine = MachineWord.wrap(uint256(word));
        providerId = uint24(machine.providerId());
        if (_PROVIDER_REGISTRY.providerOwner(providerId) != msg.sender) revert NotProviderOwner(providerId, msg.sender);
        ProviderWord provider = ProviderWord.wrap(uint256(_PROVIDER_REGISTRY.providerWord(providerId)));
        if (provider.status() != uint256(ProviderStatus.Active)) revert ProviderNotActive(providerId);
    }

    /// The machine takes part in the open round, and as far as is known in the order's first, f, which is not before the next one.
    /// f is the smallest round with B(f) >= eligibleFromBlock, so a round r is after f exactly when B(r - 1) >= eligibleFromBlock.
    function _checkMachine(uint32 machineId, MachineWord machine, OrderWord order) private view {
        uint256 untilRound = machine.activeUntilRound();
        uint32 next = _MATCH_POLICY.fromRoundNow();
        bool isActive = machine.isActiveIn(uint256(next) - 1) && untilRound > next;
        if (isActive && untilRound != MachineWordLib.NO_ROUND) {
            isActive = _MATCH_POLICY.snapshotBlock(uint32(untilRound - 1)) >= order.eligibleFromBlock();
        }
        if (!isActive) revert MachineNotOffered(machineId);
    }

    /// Below the newest terms of the machine's own offer in the order's token, for the order's resources, and at most its maximum.
    function _checkPrice(uint32 machineId, OrderWord order, uint256 priceMicroPerHour) private view {
        uint256 tokenId = order.tokenId();
        uint8 offerIndex;
        OfferWord offer;
        for (; offerIndex < OFFERS_PER_MACHINE; ++offerIndex) {
            (bytes32 newest,) = _PROVIDER_REGISTRY.offerWords(machineId, offerIndex);
            offer = OfferWord.wrap(uint256(newest));
            if (offer.tokenId() == tokenId) break;
        }
        if (offerIndex == OFFERS_PER_MACHINE) revert MachineNotOffered(machineId);
        uint256 below = MatchRules.priceOf(order.milliGpu(), order.cpuMilli(), order.memoryMib(), order.storageGib(), offer);
        if (priceMicroPerHour >= below) revert BidPriceTooHigh(priceMicroPerHour, below);
        uint256 maximum = order.maxPriceMicroPerHour();
        if (priceMicroPerHour > maximum) revert BidPriceExceedsMaxPrice(priceMicroPerHour, maximum);
    }

    /// Whether the bid can still be matched, or has been and its provider is not ready yet.
    function _isNeeded(uint32 orderId, uint24 providerId, Entry storage entry) private view returns (bool) {
        OrderWord order = _order(orderId);
        if (order.isOpen()) {
            if (entry.generation != order.eligibleFromBlock()) return false;
            // The last round that may match the bid is untilRound - 1, until block B(untilRound).
            uint32 next = _MATCH_POLICY.fromRoundNow();
            return next <= order.untilRound() && next <= _bid(orderId, entry.bidIndex).untilRound();
        }
        if (order.state() != uint256(OrderState.Matched)) return false;
        return order.isFromBid() && order.providerId() == providerId && _COMPUTE_LEASE.getLease(orderId).readyAt == 0;
    }

    // ---- bonds

    /// Gives the provider's first bid of this generation its place, and an earlier generation's bond back.
    function _enter(Entry storage entry, uint32 orderId, uint24 providerId, OrderWord order) private {
        uint8 maximum = _layout().terms.maxBidsPerOrder;
        uint256 bidCount = order.bidCount();
        if (bidCount >= maximum) revert TooManyBids(orderId, maximum);
        (entry.generation, entry.bidIndex) = (uint32(order.eligibleFromBlock()), uint8(bidCount));
        if (entry.isHeld) _release(entry, orderId, providerId, msg.sender);
    }

    /// Counts the bid as held and notes its bond, which the caller still has to take.
    function _hold(Entry storage entry, uint24 providerId, uint16 tokenId) private returns (uint96 bond) {
        Layout storage state = _layout();
        uint16 held = state.heldBids[providerId];
        uint16 maximum = state.terms.maxBidsPerProvider;
        if (held >= maximum) revert TooManyProviderBids(providerId, maximum);
        state.heldBids[providerId] = held + 1;
        (, uint8 decimals,,) = _TOKEN_REGISTRY.tokenOf(tokenId);
        // Below 2^40 x 10^12, as the token registry takes 6 to 18 decimals.
        bond = SafeCast.toUint96(uint256(state.terms.bondMicro) * 10 ** (decimals - 6));
        entry.bond = bond;
        entry.tokenId = tokenId;
        entry.isHeld = true;
    }

    function _release(Entry storage entry, uint32 orderId, uint24 providerId, address owner) private {
        emit BondReleased(orderId, providerId, owner, entry.bond);
        _letGo(entry, providerId, owner, owner);
    }

    /// Ends the holding of a bond once and for all; the entry stays, since it knows the bid's place.
    function _letGo(Entry storage entry, uint24 providerId, address from, address to) private {
        (uint96 bond, uint16 tokenId) = (entry.bond, entry.tokenId);
        entry.isHeld = false;
        entry.bond = 0;
        --_layout().heldBids[providerId];
        if (bond != 0) _ESCROW.moveBond(from, to, tokenId, bond);
    }

    function _setBidTerms(BidTerms calldata terms) private {
        if (terms.maxBidsPerOrder > MOST_BIDS_PER_ORDER) revert BidTermsInvalid("maxBidsPerOrder");
        if (terms.maxBidsPerProvider == 0 || terms.maxBidsPerProvider > MOST_BIDS_PER_PROVIDER) {
            revert BidTermsInvalid("maxBidsPerProvider");
        }
        _layout().terms = terms;
        emit BidTermsUpdated(terms);
    }

    function _order(uint32 orderId) private view returns (OrderWord) {
        return OrderWord.wrap(uint256(_ORDER_REQUEST.orderWord(orderId)));
    }

    function _bid(uint32 orderId, uint8 bidIndex) private view returns (BidWord) {
        return BidWord.wrap(uint256(_ORDER_REQUEST.bidWord(orderId, bidIndex)));
    }

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }
}
