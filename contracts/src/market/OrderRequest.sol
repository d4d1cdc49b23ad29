// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { ERC2771Context } from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import { Context } from "@openzeppelin/contracts/utils/Context.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { LibBit } from "solady/utils/LibBit.sol";

import { IMarketPause } from "../governance/IMarketPause.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { Facts } from "../words/Facts.sol";
import { OpenOrderFields, OrderWord, OrderWordLib } from "../words/OrderWord.sol";
import { OrderOwnerWord, OrderOwnerWordLib } from "../words/OrderOwnerWord.sol";
import { RecordWord, RecordWordLib } from "../words/RecordWord.sol";
import { Slots } from "../words/Slots.sol";
import { BlockSource } from "./BlockSource.sol";
import { IEscrow } from "./IEscrow.sol";
import { IMatchPolicy } from "./IMatchPolicy.sol";
import { IOrderRequest } from "./IOrderRequest.sol";
import { ITokenRegistry } from "./ITokenRegistry.sol";
import { OrderSpec, OrderState, SkipReason } from "./MarketTypes.sol";
import { OrderFilling } from "./OrderFilling.sol";

/// @title Orders, and the leases their words become.
/// @dev Every word is final for the open round: cancel and expiry count from the next one, and the lock goes back only after that round can no
/// longer be mined. Assumes that settlement passes well-formed records (ids ascending, spare flags zero), that leases and bids write only
/// words that follow their own rules, and that timestamps fit 32 bits. Tenants may call through the market's forwarder of signed calls.
contract OrderRequest is IOrderRequest, BlockSource, AccessManaged, ERC2771Context {
    uint32 public constant MAX_BID_WINDOW_BLOCKS = 14_400;

    uint256 private constant MAX_LIST = 8;
    uint256 private constant BPS = 10_000;
    /// The count of bids has 8 bits, so index 255 could never be counted.
    uint256 private constant MAX_BIDS = 255;

    IEscrow public immutable escrow;
    ITokenRegistry public immutable tokenRegistry;
    IMatchPolicy public immutable matchPolicy;
    IMarketPause public immutable pause;
    address public immutable matchSettlement;
    address public immutable computeLease;
    address public immutable bids;

    /// @inheritdoc IOrderRequest
    uint32 public bidWindowBlocks;

    constructor(MarketContracts memory market, bool arbSys, uint32 bidWindowBlocks_)
        AccessManaged(market.authority)
        BlockSource(arbSys)
        ERC2771Context(market.signedCalls)
    {
        escrow = IEscrow(market.escrow);
        tokenRegistry = ITokenRegistry(market.tokenRegistry);
        matchPolicy = IMatchPolicy(market.matchPolicy);
        pause = IMarketPause(market.pause);
        matchSettlement = market.matchSettlement;
        computeLease = market.computeLease;
        bids = market.bid;
        _setBidWindowBlocks(bidWindowBlocks_);
        Slots.store(Slots.ORDERS_COUNTER, 1);
    }

    // ---- tenants

    /// @inheritdoc IOrderRequest
    function createOrder(OrderSpec calldata spec, uint32 expiresAt) external returns (uint32 orderId) {
        return _create(_msgSender(), spec, expiresAt);
    }

    /// @inheritdoc IOrderRequest
    function replaceOrder(uint32 orderId, OrderSpec calldata spec, uint32 expiresAt) external returns (uint32 newOrderId) {
        address tenant = _cancel(orderId);
        newOrderId = _create(tenant, spec, expiresAt);
        emit OrderReplaced(orderId, newOrderId);
    }

    /// @inheritdoc IOrderRequest
    function cancel(uint32 orderId) external {
        _cancel(orderId);
    }

    /// @inheritdoc IOrderRequest
    function expire(uint32 orderId) external {
        OrderWord order = _openOrder(orderId);
        uint32 expiresAt = uint32(order.expiresAt());
        if (block.timestamp < expiresAt) revert OrderNotExpired(orderId, expiresAt);
        emit OrderExpired(orderId, _end(orderId, order));
    }

    /// @inheritdoc IOrderRequest
    function refund(uint32 orderId) external {
        OrderWord order = _openOrder(orderId);
        uint32 untilRound = uint32(order.untilRound());
        if (untilRound == OrderWordLib.NO_ROUND) revert OrderNotEnding(orderId);
        // fromRoundNow() > untilRound says "after block B(untilRound)" also for rounds whose period the policy has forgotten.
        if (matchPolicy.fromRoundNow() <= untilRound) revert RefundTooEarly(orderId, matchPolicy.snapshotBlock(untilRound));
        _close(orderId, order);
        escrow.release(orderId);
    }

    // ---- market contracts

    /// @inheritdoc IOrderRequest
    function fill(bytes calldata records, uint256[] calldata skip, uint32 round, uint40 snapshotBlock)
        external
        returns (uint256[] memory skipped)
    {
        if (msg.sender != matchSettlement) revert NotAuthorized(msg.sender);
        skipped = skip;
        // Unchecked: settlement has checked that the records are whole words and that `skip` has a bit for each.
        unchecked {
            uint256 count = records.length >> 5;
            uint256 from;
            assembly ("memory-safe") {
                from := records.offset
            }
            for (uint256 i; i < count; ++i) {
                uint256 next = _nextSkipped(skip, i, count);
                i = (OrderFilling.fillWhileTaken(from + (i << 5), from + (next << 5), round, snapshotBlock, Slots.ORDER, Slots.BID) - from)
                    >> 5;
                if (i == next) continue;
                RecordWord record = RecordWordLib.recordAt(records, i);
                SkipReason reason = OrderFilling.fill(record, round, snapshotBlock);
                if (reason == SkipReason.None) continue;
                skipped[i >> 8] |= 1 << (i & 0xff);
                emit RecordSkipped(uint32(record.orderId()), uint32(record.machineId()), reason);
            }
        }
    }

    /// @inheritdoc IOrderRequest
    function close(uint32 orderId) external returns (bytes32 lease) {
        OrderWord order = _leaseForComputeLease(orderId);
        _close(orderId, order);
        return bytes32(OrderWord.unwrap(order));
    }

    /// @inheritdoc IOrderRequest
    /// @dev Assumes that a lease keeps the resources of its spec until its provider is ready, so that they still belong to the spec's hash.
    function reopen(uint32 orderId) external returns (bytes32 lease) {
        OrderWord order = _leaseForComputeLease(orderId);
        OrderOwnerWord owner = OrderOwnerWord.wrap(Slots.load(Slots.orderOwner(orderId)));
        uint32 eligibleFromBlock = _eligibleFromBlock();
        OpenOrderFields memory fields = OpenOrderFields({
            untilRound: uint32(OrderWordLib.NO_ROUND),
            eligibleFromBlock: eligibleFromBlock,
            maxPriceMicroPerHour: uint40(owner.maxPriceMicroPerHour()),
            bidCount: 0,
            milliGpu: uint16(order.milliGpu()),
            cpuMilli: uint24(order.cpuMilli()),
            memoryMib: uint24(order.memoryMib()),
            storageGib: uint24(order.storageGib()),
            state: uint8(OrderState.Open),
            tokenId: uint16(order.tokenId()),
            expiresAt: uint32(owner.expiresAt())
        });
        _storeOrder(orderId, OrderWordLib.encodeOpen(fields));
        emit OrderReopened(orderId, eligibleFromBlock);
        return bytes32(OrderWord.unwrap(order));
    }

    /// @inheritdoc IOrderRequest
    /// @dev A batch of the open round that carries an order ended in it may still come, hence no self-match of such an order.
    function setLease(uint32 orderId, bytes32 lease) external {
        OrderWord written = OrderWord.wrap(uint256(lease));
        if (msg.sender == matchSettlement) {
            OrderWord order = _openOrder(orderId);
            uint256 untilRound = order.untilRound();
            if (untilRound != OrderWordLib.NO_ROUND) revert OrderAlreadyEnding(orderId, uint32(untilRound));
            if (block.timestamp >= order.expiresAt()) revert OrderNotOpened(orderId);
        } else {
            _leaseForComputeLease(orderId);
        }
        if (written.state() != uint256(OrderState.Matched)) revert OrderNotMatched(orderId);
        _storeOrder(orderId, written);
    }

    /// @inheritdoc IOrderRequest
    function setBid(uint32 orderId, uint8 bidIndex, bytes32 bid) external {
        if (msg.sender != bids) revert NotAuthorized(msg.sender);
        OrderWord order = _openOrder(orderId);
        uint256 count = order.bidCount();
        if (bidIndex > count || bidIndex == MAX_BIDS) revert BidIndexInvalid(orderId, bidIndex);
        if (bidIndex == count) _storeOrder(orderId, order.withBidCount(count + 1));
        _storeFact(Slots.bid(orderId, bidIndex), uint256(bid));
    }

    // ---- governance

    /// @inheritdoc IOrderRequest
    function setBidWindowBlocks(uint32 bidWindowBlocks_) external restricted {
        _setBidWindowBlocks(bidWindowBlocks_);
    }

    // ---- views

    /// @inheritdoc IOrderRequest
    function orderWord(uint32 orderId) external view returns (bytes32) {
        return bytes32(Slots.load(Slots.order(orderId)));
    }

    /// @inheritdoc IOrderRequest
    function ownerWord(uint32 orderId) external view returns (bytes32) {
        return bytes32(Slots.load(Slots.orderOwner(orderId)));
    }

    /// @inheritdoc IOrderRequest
    function specHash(uint32 orderId) external view returns (bytes32) {
        return bytes32(Slots.load(Slots.orderSpec(orderId)));
    }

    /// @inheritdoc IOrderRequest
    function bidWord(uint32 orderId, uint8 bidIndex) external view returns (bytes32) {
        return bytes32(Slots.load(Slots.bid(orderId, bidIndex)));
    }

    /// @inheritdoc IOrderRequest
    function orderCount() external view returns (uint32) {
        return uint32(Slots.load(Slots.ORDERS_COUNTER)) - 1;
    }

    /// @inheritdoc IOrderRequest
    function factsWord() external view returns (bytes32) {
        return bytes32(Slots.load(Slots.ORDERS_FACTS));
    }

    // ---- orders

    function _create(address tenant, OrderSpec calldata spec, uint32 expiresAt) private returns (uint32 orderId) {
        pause.requireRunning();
        _checkResources(spec);
        _checkWishes(spec);
        if (expiresAt <= block.timestamp) revert OrderFieldInvalid("expiresAt");
        uint96 cost = _costOf(spec);

        orderId = uint32(Slots.load(Slots.ORDERS_COUNTER));
        Slots.store(Slots.ORDERS_COUNTER, SafeCast.toUint32(uint256(orderId) + 1));
        uint32 eligibleFromBlock = _eligibleFromBlock();
        OrderOwnerWord owner = OrderOwnerWordLib.encode(tenant, spec.maxPriceMicroPerHour, spec.durationMinutes, expiresAt);
        Slots.store(Slots.orderOwner(orderId), OrderOwnerWord.unwrap(owner));
        _storeOrder(orderId, _openWord(spec, eligibleFromBlock, expiresAt));
        _storeFact(Slots.orderSpec(orderId), uint256(keccak256(abi.encode(spec))));
        emit OrderCreated(orderId, tenant, eligibleFromBlock, expiresAt, spec);
        escrow.lock(orderId, tenant, spec.tokenId, cost);
    }

    /// Ends the caller's own order; returns the caller.
    function _cancel(uint32 orderId) private returns (address tenant) {
        OrderWord order = _openOrder(orderId);
        tenant = _msgSender();
        if (tenant != OrderOwnerWord.wrap(Slots.load(Slots.orderOwner(orderId))).tenant()) revert NotTenant(orderId, tenant);
        emit OrderCancelled(orderId, _end(orderId, order));
    }

    /// The first snapshot that may show an order of this block: never that of the open round, which is in an earlier block.
    function _eligibleFromBlock() private view returns (uint32) {
        return SafeCast.toUint32(_blockNumber() + bidWindowBlocks);
    }

    /// The first record from `index` on whose bit is set, or `count`.
    function _nextSkipped(uint256[] calldata skip, uint256 index, uint256 count) private pure returns (uint256) {
        unchecked {
            uint256 word = skip[index >> 8] >> (index & 0xff) << (index & 0xff);
            uint256 first = index & ~uint256(0xff);
            while (word == 0) {
                first += 256;
                if (first >= count) return count;
                word = skip[first >> 8];
            }
            return Math.min(first + LibBit.ffs(word), count);
        }
    }

    function _order(uint32 orderId) private view returns (OrderWord) {
        return OrderWord.wrap(Slots.load(Slots.order(orderId)));
    }

    /// The order's word, which must be open.
    function _openOrder(uint32 orderId) private view returns (OrderWord order) {
        order = _order(orderId);
        if (OrderWord.unwrap(order) == 0) revert OrderNotFound(orderId);
        if (!order.isOpen()) revert OrderNotOpened(orderId);
    }

    /// The word of a lease that runs, for compute lease alone.
    function _leaseForComputeLease(uint32 orderId) private view returns (OrderWord order) {
        if (msg.sender != computeLease) revert NotAuthorized(msg.sender);
        order = _order(orderId);
        if (order.state() != uint256(OrderState.Matched)) revert OrderNotMatched(orderId);
    }

    /// Ends an open order from the next round on.
    function _end(uint32 orderId, OrderWord order) private returns (uint32 untilRound) {
        untilRound = uint32(order.untilRound());
        if (untilRound != OrderWordLib.NO_ROUND) revert OrderAlreadyEnding(orderId, untilRound);
        untilRound = matchPolicy.fromRoundNow();
        _storeOrder(orderId, order.withUntilRound(untilRound));
    }

    function _close(uint32 orderId, OrderWord order) private {
        _storeOrder(orderId, order.withState(uint256(OrderState.Closed)));
        emit OrderMarkedAsClosed(orderId);
    }

    function _openWord(OrderSpec calldata spec, uint32 eligibleFromBlock, uint32 expiresAt) private pure returns (OrderWord) {
        return OrderWordLib.encodeOpen(
            OpenOrderFields({
                untilRound: uint32(OrderWordLib.NO_ROUND),
                eligibleFromBlock: eligibleFromBlock,
                maxPriceMicroPerHour: spec.maxPriceMicroPerHour,
                bidCount: 0,
                milliGpu: spec.milliGpu,
                cpuMilli: spec.cpuMilli,
                memoryMib: spec.memoryMib,
                storageGib: spec.storageGib,
                state: uint8(OrderState.Open),
                tokenId: spec.tokenId,
                expiresAt: expiresAt
            })
        );
    }

    /// What the order can cost at most before fees, in token units; rounded up so that the accrual, rounded down, never exceeds it.
    function _costOf(OrderSpec calldata spec) private view returns (uint96) {
        if (!tokenRegistry.isApproved(spec.tokenId)) revert TokenNotAccepted(spec.tokenId);
        (, uint8 decimals,,) = tokenRegistry.tokenOf(spec.tokenId);
        // Below 2^39 x 2^40 x 2^24, as the token registry takes 6 to 18 decimals.
        uint256 amount = Math.ceilDiv(uint256(spec.maxPriceMicroPerHour) * 10 ** (decimals - 6) * spec.durationMinutes, 60);
        if (amount > type(uint96).max) revert LockTooLarge(amount);
        return uint96(amount);
    }

    function _checkResources(OrderSpec calldata spec) private pure {
        uint256 milliGpu = spec.milliGpu;
        if (milliGpu > 8000 || (milliGpu >= 1000 && milliGpu % 1000 != 0)) revert OrderFieldInvalid("milliGpu");
        if (spec.cpuMilli == 0 || spec.cpuMilli >= 1 << 20) revert OrderFieldInvalid("cpuMilli");
        if (spec.storageGib >= 1 << 20) revert OrderFieldInvalid("storageGib");
    }

    function _checkWishes(OrderSpec calldata spec) private pure {
        if (spec.models.length != 0 && spec.milliGpu == 0) revert OrderFieldInvalid("models");
        if (!_within(spec.models, 1, 1 << 10)) revert OrderFieldInvalid("models");
        if (!_within(spec.regions, 0, 1 << 10)) revert OrderFieldInvalid("regions");
        if (!_within(spec.regionsExcluded, 0, 1 << 10)) revert OrderFieldInvalid("regionsExcluded");
        if (!_areProviders(spec.providersWanted)) revert OrderFieldInvalid("providersWanted");
        if (!_areProviders(spec.providersExcluded)) revert OrderFieldInvalid("providersExcluded");
        if (spec.tiers >= 1 << 7) revert OrderFieldInvalid("tiers");
        if (spec.attributes >= 1 << 54) revert OrderFieldInvalid("attributes");
        if (spec.minUptimeBps > BPS) revert OrderFieldInvalid("minUptimeBps");
        if (spec.minReputationBps > BPS) revert OrderFieldInvalid("minReputationBps");
        if (spec.maxPriceMicroPerHour == 0 || spec.maxPriceMicroPerHour >= 1 << 39) revert OrderFieldInvalid("maxPriceMicroPerHour");
        if (spec.durationMinutes == 0) revert OrderFieldInvalid("durationMinutes");
    }

    /// At most 8 entries, each from `least` to below `bound`.
    function _within(uint16[] calldata list, uint256 least, uint256 bound) private pure returns (bool) {
        if (list.length > MAX_LIST) return false;
        for (uint256 i; i < list.length; ++i) {
            if (list[i] < least || list[i] >= bound) return false;
        }
        return true;
    }

    /// At most 8 provider ids, which count from 1.
    function _areProviders(uint24[] calldata list) private pure returns (bool) {
        if (list.length > MAX_LIST) return false;
        for (uint256 i; i < list.length; ++i) {
            if (list[i] == 0) return false;
        }
        return true;
    }

    function _setBidWindowBlocks(uint32 bidWindowBlocks_) private {
        if (bidWindowBlocks_ > MAX_BID_WINDOW_BLOCKS) revert BidWindowTooLong(bidWindowBlocks_, MAX_BID_WINDOW_BLOCKS);
        bidWindowBlocks = bidWindowBlocks_;
        emit BidWindowUpdated(bidWindowBlocks_);
    }

    function _storeOrder(uint32 orderId, OrderWord order) private {
        _storeFact(Slots.order(orderId), OrderWord.unwrap(order));
    }

    /// Writes a word that nodes build their snapshot from, tells them, and folds it.
    function _storeFact(uint256 slot, uint256 word) private {
        Slots.store(slot, word);
        emit Fact(slot, bytes32(word));
        Slots.store(Slots.ORDERS_FACTS, Facts.fold(Slots.load(Slots.ORDERS_FACTS), slot, word));
    }

    // ---- callers

    function _msgSender() internal view override(Context, ERC2771Context) returns (address) {
        return ERC2771Context._msgSender();
    }

    function _msgData() internal view override(Context, ERC2771Context) returns (bytes calldata) {
        return ERC2771Context._msgData();
    }

    function _contextSuffixLength() internal view override(Context, ERC2771Context) returns (uint256) {
        return ERC2771Context._contextSuffixLength();
    }
}
