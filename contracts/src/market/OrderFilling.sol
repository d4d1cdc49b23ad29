// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BidWord } from "../words/BidWord.sol";
import { OrderWord, OrderWordLib } from "../words/OrderWord.sol";
import { RecordWord } from "../words/RecordWord.sol";
import { Slots } from "../words/Slots.sol";
import { SkipReason } from "./MarketTypes.sol";

/// @title Whether an order takes what a record says in a round, and the lease that its word becomes then.
/// @dev Works on the words where `Slots` puts them.
library OrderFilling {
    /// Milli-GPU, cpu-milli, memory, storage, state and token, which a record has where an order has them; its bits of the state are zero.
    uint256 private constant TERMS = 0xffffffffffffffffffffffe0ffff00000000;
    uint256 private constant OPEN = 0x20000000000000;
    uint256 private constant PRICE = 0xffffffffff00000000000000000000000000000000000000;
    /// Machine id, price and provider id, which a record has where a bid has them.
    uint256 private constant BID_TERMS = 0xffffffffffffffffff000000000000000000000000000000ffffff00;

    /// @notice Makes the record's order its lease, as of now, if it takes the record in `round` with its snapshot; says why not otherwise,
    /// and writes nothing.
    function fill(RecordWord record, uint256 round, uint256 snapshotBlock) internal returns (SkipReason) {
        uint256 slot = Slots.order(record.orderId());
        OrderWord order = OrderWord.wrap(Slots.load(slot));
        if (!order.isOpen()) return SkipReason.OrderNotOpen;
        if (!order.sameTerms(record)) return SkipReason.OrderTerms;
        if (order.untilRound() <= round || order.eligibleFromBlock() > snapshotBlock) return SkipReason.OrderNotEligible;
        if (record.priceMicroPerHour() > order.maxPriceMicroPerHour()) return SkipReason.OrderMaxPrice;
        if (record.fromBid()) {
            if (record.bidIndex() >= order.bidCount()) return SkipReason.BidMissing;
            BidWord bid = BidWord.wrap(Slots.load(Slots.bid(record.orderId(), record.bidIndex())));
            if (bid.untilRound() <= round || bid.machineId() != record.machineId() || bid.providerId() != record.providerId()) {
                return SkipReason.BidMissing;
            }
            if (bid.priceMicroPerHour() != record.priceMicroPerHour()) return SkipReason.BidPrice;
        }
        Slots.store(slot, OrderWord.unwrap(OrderWordLib.leaseOf(record, block.timestamp)));
        return SkipReason.None;
    }

    /// @notice Makes the order of each record from `position` in calldata on its lease, up to the first that `fill` would refuse.
    /// @param orders Slot of order 0.
    /// @param bids Slot of bid 0 of order 0.
    /// @return stopped Where that one stands, or `end`.
    /// @dev Settlement pays for this once a match, hence assembly: `fill` without the reasons, and without a branch but for a bid. Whatever is
    /// wrong with a record adds up in `bad`. Assumes that the records' spare flags are zero.
    function fillWhileTaken(uint256 position, uint256 end, uint256 round, uint256 snapshotBlock, uint256 orders, uint256 bids)
        internal
        returns (uint256 stopped)
    {
        // The lease of a record of zeros: time and state.
        uint256 lease = OrderWord.unwrap(OrderWordLib.leaseOf(RecordWord.wrap(0), block.timestamp));
        uint256 kept = OrderWordLib.LEASE_FROM_RECORD;
        // Blocks of orders have 32 bits.
        if (snapshotBlock > type(uint32).max) snapshotBlock = type(uint32).max;
        assembly ("memory-safe") {
            // A word is above one of these if its highest 32 bits are above the round, or the block.
            round := or(shl(224, round), 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffff)
            snapshotBlock := or(shl(224, snapshotBlock), 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffff)
            for { } lt(position, end) { position := add(position, 0x20) } {
                let record := calldataload(position)
                // 4 slots an order.
                let slot := add(orders, shl(2, shr(224, record)))
                let order := sload(slot)
                let bad :=
                    or(
                        or(xor(and(xor(order, record), TERMS), OPEN), gt(and(record, PRICE), and(order, PRICE))),
                        or(iszero(gt(order, round)), gt(shl(32, order), snapshotBlock))
                    )
                if and(record, 0x4000000000000) {
                    let bidIndex := and(record, 0xff)
                    // 256 slots an order.
                    let bid := sload(add(bids, add(shl(8, shr(224, record)), bidIndex)))
                    bad := or(bad, or(iszero(lt(bidIndex, and(shr(144, order), 0xff))), iszero(gt(bid, round))))
                    bad := or(bad, and(xor(bid, record), BID_TERMS))
                }
                if bad { break }
                sstore(slot, or(and(record, kept), lease))
            }
            stopped := position
        }
    }
}
