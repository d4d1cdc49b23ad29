// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { IBid } from "../../src/market/IBid.sol";
import { IEscrow } from "../../src/market/IEscrow.sol";
import { OrderSpec, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { MatchRules } from "../../src/rules/MatchRules.sol";
import { MachineTotalsWord } from "../../src/words/MachineTotalsWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord } from "../../src/words/OfferWord.sol";
import { Deal, Phase } from "./CampaignBase.sol";
import { RewardSteps } from "./RewardSteps.sol";

/// @notice Providers' bids and their bonds.
abstract contract BidSteps is RewardSteps {
    struct BidBook {
        /// `eligibleFromBlock` of the order when the bid was placed.
        uint32 generation;
        uint8 index;
        uint32 machineId;
        uint40 price;
        uint32 untilRound;
        bool held;
        uint96 bond;
        uint16 tokenId;
    }

    mapping(uint32 orderId => mapping(uint24 providerId => BidBook)) internal bids;
    /// Bids of the order's generation, in their order.
    mapping(uint32 orderId => uint24[]) internal bidders;
    mapping(uint24 providerId => uint16) internal heldBids;
    /// Bonds that may still be given back: order and provider, packed.
    uint256[] internal heldBonds;
    uint8 internal maxBidsPerOrder = 32;
    uint16 internal maxBidsPerProvider = 256;
    uint40 internal bondMicro = 1_000_000;

    function _bidStep() internal {
        uint256 kind = _draw(8);
        if (kind < 5) _placeBid();
        else if (kind == 5) _withdrawBid();
        else _releaseBond();
    }

    function _openOrder() private returns (uint32) {
        uint256 start = _draw(live.length + 1);
        for (uint256 i; i < live.length; ++i) {
            uint32 orderId = live[(start + i) % live.length];
            Deal storage deal = deals[orderId];
            if (deal.phase == Phase.Open && block.number <= deal.eligibleFromBlock && !_one(8)) return orderId;
        }
        return _anyOrder();
    }

    function _placeBid() private {
        uint32 orderId = _openOrder();
        uint32 machineId = _anyMachine();
        uint24 providerId = machineProvider[machineId];
        address caller = _callerFor(providerId);
        Deal storage deal = deals[orderId];
        uint256 below = _offerPrice(machineId, orderId);
        bool tooHigh = below != type(uint256).max && (below == 0 || _one(10));
        uint40 price = uint40(tooHigh ? below + _draw(3) : _draw(below) % (1 << 40));
        _refuse(_isPaused(), IMarketPause.MarketPaused.selector);
        bool open = deal.phase == Phase.Open && deal.untilRound == NO_ROUND && block.timestamp < deal.expiresAt;
        _refuse(!open, IBid.OrderNotOpened.selector);
        _refuse(open && block.number > deal.eligibleFromBlock, IBid.BiddingClosed.selector);
        _refuse(providerId == 0, IBid.MachineNotFound.selector);
        if (providerId != 0) {
            _refuse(providerBooks[providerId].owner != caller, IBid.NotProviderOwner.selector);
            _refuse(providerBooks[providerId].status != ProviderStatus.Active, IBid.ProviderNotActive.selector);
            _refuse(!_isOffered(machineId, deal.eligibleFromBlock), IBid.MachineNotOffered.selector);
            _refuse(below == type(uint256).max, IBid.MachineNotOffered.selector);
            _refuse(price >= below, IBid.BidPriceTooHigh.selector);
            _refuse(price > deal.maxPrice, IBid.BidPriceExceedsMaxPrice.selector);
        }
        BidBook storage book = bids[orderId][providerId];
        bool anew = book.generation != deal.eligibleFromBlock;
        _refuse(anew && bidders[orderId].length >= maxBidsPerOrder, IBid.TooManyBids.selector);
        _refuse(!book.held && heldBids[providerId] >= maxBidsPerProvider, IBid.TooManyProviderBids.selector);
        if (open && providerId != 0 && !_affordsBond(caller, book, deal) && _mustSucceed()) {
            _discard();
            return _depositAsOwner(caller, deal.tokenId);
        }
        _refuse(!_affordsBond(caller, book, deal), IEscrow.InsufficientBalance.selector);
        (bool done,) = _call(caller, address(bid), abi.encodeCall(IBid.placeBid, (orderId, machineId, price)));
        if (!done) return;
        if (anew) {
            (book.generation, book.index) = (deal.eligibleFromBlock, uint8(bidders[orderId].length));
            bidders[orderId].push(providerId);
        }
        (book.machineId, book.price, book.untilRound) = (machineId, price, NO_ROUND);
        if (book.held && !anew) return;
        // A bond from before the order was reopened goes back, and one of today's terms is taken.
        _bookBond(orderId, providerId, caller);
        _holdBond(orderId, providerId, caller);
    }

    /// A bid of this generation keeps its bond; any other takes one, to which an earlier generation's may go.
    function _affordsBond(address owner, BidBook storage book, Deal storage deal) private view returns (bool) {
        if (book.held && book.generation == deal.eligibleFromBlock) return true;
        return bondMicro * _scale(deal.tokenId) <= owned[deal.tokenId][owner] + book.bond;
    }

    function _holdBond(uint32 orderId, uint24 providerId, address owner) private {
        BidBook storage book = bids[orderId][providerId];
        uint16 tokenId = deals[orderId].tokenId;
        uint256 bond = bondMicro * _scale(tokenId);
        (book.held, book.bond, book.tokenId) = (true, uint96(bond), tokenId);
        owned[tokenId][owner] -= bond;
        bonded[tokenId][owner] += bond;
        ++heldBids[providerId];
        heldBonds.push((uint256(orderId) << 24) | providerId);
    }

    function _depositAsOwner(address owner, uint16 tokenId) private {
        for (uint256 i = TENANTS; i < TENANTS + OWNERS; ++i) {
            if (accounts[i] == owner) return _deposit(i, tokenId, 5_000_000);
        }
    }

    /// The price of the order on the machine's own newest offer; all ones without an offer in its token.
    function _offerPrice(uint32 machineId, uint32 orderId) private view returns (uint256) {
        OrderSpec memory spec = specs[orderId];
        for (uint8 i; i < 4; ++i) {
            (bytes32 newest,) = providerRegistry.offerWords(machineId, i);
            OfferWord offer = OfferWord.wrap(uint256(newest));
            if (spec.tokenId != 0 && offer.tokenId() == spec.tokenId) return MatchRules.priceOf(spec, offer);
        }
        return type(uint256).max;
    }

    /// In the open round, and as far as is known in the first that may match the order.
    function _isOffered(uint32 machineId, uint32 eligibleFromBlock) private view returns (bool) {
        (MachineWord machine,) = _machineWords(machineId);
        uint256 next = matchPolicy.fromRoundNow();
        uint256 until = machine.activeUntilRound();
        if (!machine.isActiveIn(next - 1) || until <= next) return false;
        return until == NO_ROUND || matchPolicy.snapshotBlock(uint32(until - 1)) >= eligibleFromBlock;
    }

    function _someBid() private returns (uint32 orderId, uint24 providerId) {
        if (heldBonds.length != 0 && !_one(8)) {
            uint256 packed = heldBonds[_draw(heldBonds.length)];
            return (uint32(packed >> 24), uint24(packed));
        }
        return (_anyOrder(), _anyProvider());
    }

    function _withdrawBid() private {
        (uint32 orderId, uint24 providerId) = _someBid();
        address caller = _callerFor(providerId);
        Deal storage deal = deals[orderId];
        BidBook storage book = bids[orderId][providerId];
        bool present = deal.phase == Phase.Open && book.generation != 0 && book.generation == deal.eligibleFromBlock;
        _refuse(providerBooks[providerId].owner != caller, IBid.NotProviderOwner.selector);
        _refuse(deal.phase != Phase.Open, IBid.OrderNotOpened.selector);
        _refuse(deal.phase == Phase.Open && !present, IBid.BidNotFound.selector);
        _refuse(present && book.untilRound != NO_ROUND, IBid.BidAlreadyWithdrawn.selector);
        (bool done,) = _call(caller, address(bid), abi.encodeCall(IBid.withdrawBid, (orderId, providerId)));
        if (done) book.untilRound = matchPolicy.fromRoundNow();
    }

    function _releaseBond() private {
        (uint32 orderId, uint24 providerId) = _someBid();
        BidBook storage book = bids[orderId][providerId];
        _refuse(!book.held, IBid.BidNotFound.selector);
        _refuse(book.held && _isNeeded(orderId, providerId, book), IBid.BondStillHeld.selector);
        (bool done,) = _call(_anyone(), address(bid), abi.encodeCall(IBid.releaseBond, (orderId, providerId)));
        if (done) _bookBond(orderId, providerId, providerBooks[providerId].owner);
    }

    /// Whether the bid can still be matched, or was and its provider is not ready yet.
    function _isNeeded(uint32 orderId, uint24 providerId, BidBook storage book) private view returns (bool) {
        Deal storage deal = deals[orderId];
        if (deal.phase == Phase.Leased) return deal.fromBid && deal.providerId == providerId && deal.readyAt == 0;
        if (deal.phase != Phase.Open || book.generation != deal.eligibleFromBlock) return false;
        uint256 next = matchPolicy.fromRoundNow();
        return next <= deal.untilRound && next <= book.untilRound;
    }

    /// The bond leaves for `to`, once.
    function _bookBond(uint32 orderId, uint24 providerId, address to) internal {
        BidBook storage book = bids[orderId][providerId];
        if (!book.held) return;
        bonded[book.tokenId][providerBooks[providerId].owner] -= book.bond;
        owned[book.tokenId][to] += book.bond;
        --heldBids[providerId];
        (book.held, book.bond) = (false, 0);
        uint256 packed = (uint256(orderId) << 24) | providerId;
        for (uint256 i; i < heldBonds.length; ++i) {
            if (heldBonds[i] != packed) continue;
            heldBonds[i] = heldBonds[heldBonds.length - 1];
            heldBonds.pop();
            return;
        }
    }
}
