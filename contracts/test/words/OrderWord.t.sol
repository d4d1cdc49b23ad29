// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { OpenOrderFields, OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { OrderOwnerWord, OrderOwnerWordLib } from "../../src/words/OrderOwnerWord.sol";
import { BidWord, BidWordLib } from "../../src/words/BidWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";

contract OrderWordTest is Test {
    function testFuzz_OpenRoundTrip(OpenOrderFields memory fields) public pure {
        fields.state &= 7;
        OrderWord order = OrderWordLib.encodeOpen(fields);
        _assertOpen(order, fields);
    }

    function testFuzz_WithChangesOneFieldOnly(
        OpenOrderFields memory fields,
        uint8 state,
        uint32 untilRound,
        uint32 eligibleFromBlock,
        uint8 which
    ) public pure {
        fields.state &= 7;
        OrderWord order = OrderWordLib.encodeOpen(fields);
        if (which % 3 == 0) {
            fields.state = state & 7;
            order = order.withState(fields.state);
        } else if (which % 3 == 1) {
            fields.untilRound = untilRound;
            order = order.withUntilRound(untilRound);
        } else {
            fields.eligibleFromBlock = eligibleFromBlock;
            order = order.withEligibleFromBlock(eligibleFromBlock);
        }
        _assertOpen(order, fields);
    }

    function testFuzz_LeaseKeepsTheRecord(RecordFields memory fields, uint32 matchedAt) public pure {
        fields.offerIndex &= 3;
        RecordWord record = RecordWordLib.encode(fields);
        // Spare flag bits of the record must not leak into the lease's state.
        OrderWord lease = OrderWordLib.leaseOf(RecordWord.wrap(RecordWord.unwrap(record) | (uint256(0x1f) << 51)), matchedAt);
        assertEq(lease.matchedAt(), matchedAt, "matchedAt");
        assertEq(lease.machineId(), fields.machineId, "machineId");
        assertEq(lease.priceMicroPerHour(), fields.priceMicroPerHour, "price");
        assertEq(lease.deviceMask(), fields.deviceMask, "deviceMask");
        assertEq(lease.milliGpu(), fields.milliGpu, "milliGpu");
        assertEq(lease.cpuMilli(), fields.cpuMilli, "cpuMilli");
        assertEq(lease.memoryMib(), fields.memoryMib, "memoryMib");
        assertEq(lease.storageGib(), fields.storageGib, "storageGib");
        assertEq(lease.state(), 4, "state");
        assertEq((OrderWord.unwrap(lease) >> 48) & 0x1f, record.flags(), "flags");
        assertEq(lease.tokenId(), fields.tokenId, "tokenId");
        assertEq(lease.providerId(), fields.providerId, "providerId");
        assertEq(OrderWord.unwrap(lease) & 0xff, 0, "lowest byte");
        assertTrue(lease.sameTerms(record));
    }

    function testFuzz_SameTerms(OpenOrderFields memory order, RecordFields memory record, uint8 change) public pure {
        (record.milliGpu, record.cpuMilli, record.memoryMib) = (order.milliGpu, order.cpuMilli, order.memoryMib);
        (record.storageGib, record.tokenId) = (order.storageGib, order.tokenId);
        change = change % 6;
        unchecked {
            if (change == 1) record.milliGpu++;
            if (change == 2) record.cpuMilli--;
            if (change == 3) record.memoryMib ^= 0x800000;
            if (change == 4) record.storageGib++;
            if (change == 5) record.tokenId ^= 0x8000;
        }
        assertEq(OrderWordLib.encodeOpen(order).sameTerms(RecordWordLib.encode(record)), change == 0);
    }

    function testFuzz_OwnerRoundTrip(address tenant, uint40 maxPrice, uint24 durationMinutes, uint32 expiresAt) public pure {
        OrderOwnerWord word = OrderOwnerWordLib.encode(tenant, maxPrice, durationMinutes, expiresAt);
        assertEq(word.tenant(), tenant);
        assertEq(word.maxPriceMicroPerHour(), maxPrice);
        assertEq(word.durationMinutes(), durationMinutes);
        assertEq(word.expiresAt(), expiresAt);
    }

    function testFuzz_BidRoundTrip(uint32 untilRound, uint32 machineId, uint40 price, uint120 bondAndTime, uint24 providerId) public pure {
        BidWord bid = BidWordLib.encode(untilRound, machineId, price, bondAndTime, providerId);
        assertEq(bid.untilRound(), untilRound);
        assertEq(bid.machineId(), machineId);
        assertEq(bid.priceMicroPerHour(), price);
        assertEq(bid.bondAndTime(), bondAndTime);
        assertEq(bid.providerId(), providerId);
        assertEq(BidWord.unwrap(bid) & 0xff, 0);
    }

    function _assertOpen(OrderWord order, OpenOrderFields memory fields) private pure {
        assertEq(order.untilRound(), fields.untilRound, "untilRound");
        assertEq(order.eligibleFromBlock(), fields.eligibleFromBlock, "eligibleFromBlock");
        assertEq(order.maxPriceMicroPerHour(), fields.maxPriceMicroPerHour, "maxPrice");
        assertEq(order.bidCount(), fields.bidCount, "bidCount");
        assertEq(order.milliGpu(), fields.milliGpu, "milliGpu");
        assertEq(order.cpuMilli(), fields.cpuMilli, "cpuMilli");
        assertEq(order.memoryMib(), fields.memoryMib, "memoryMib");
        assertEq(order.storageGib(), fields.storageGib, "storageGib");
        assertEq(order.state(), fields.state, "state");
        assertEq(order.isOpen(), fields.state == 1, "isOpen");
        assertEq(order.tokenId(), fields.tokenId, "tokenId");
        assertEq(order.expiresAt(), fields.expiresAt, "expiresAt");
        assertEq((OrderWord.unwrap(order) >> 48) & 0x1f, 0, "record flags");
    }

    function testFuzz_countingBidsChangesTheCountAlone(uint256 raw, uint8 count) public pure {
        OrderWord word = OrderWord.wrap(raw).withBidCount(count);
        assertEq(word.bidCount(), count);
        assertEq((OrderWord.unwrap(word) ^ raw) & ~(uint256(0xff) << 144), 0);
    }

    function testFuzz_aLeaseSaysWhetherItsPriceWasABids(uint256 raw) public pure {
        assertEq(OrderWordLib.leaseOf(RecordWord.wrap(raw), 1).isFromBid(), RecordWord.wrap(raw).fromBid());
    }
}
