// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RecordWord } from "./RecordWord.sol";

/// @notice An order's word and, once matched, its lease; resources and token stand where a record has them.
/// Open: 224 untilRound32 (all ones = none) | 192 eligibleFromBlock32 | 152 maxPrice40 | 144 bidCount8 | 128 milliGpu16 | 104 cpuMilli24
/// | 80 memoryMib24 | 56 storageGib24 | 53 state3 | 48 zero | 32 tokenId16 | 0 expiresAt32.
/// Lease: 224 matchedAt32 | 192 machineId32 | 152 price40 | 144 deviceMask8 | resources | 53 state3 | 48 record flags | 32 tokenId16
/// | 8 providerId24 | 0 zero.
type OrderWord is uint256;

/// @notice Terms of an open order.
struct OpenOrderFields {
    uint32 untilRound;
    uint32 eligibleFromBlock;
    uint40 maxPriceMicroPerHour;
    uint8 bidCount;
    uint16 milliGpu;
    uint24 cpuMilli;
    uint24 memoryMib;
    uint24 storageGib;
    uint8 state;
    uint16 tokenId;
    uint32 expiresAt;
}

using OrderWordLib for OrderWord global;

library OrderWordLib {
    /// @notice `untilRound` of an order that nobody has ended.
    uint256 internal constant NO_ROUND = 0xffffffff;

    uint256 private constant STATE_OPEN = 1;
    uint256 private constant STATE_MATCHED = 4;
    /// Bits 56..143 and 32..47: milli-GPU, cpu, memory, storage, token.
    uint256 private constant TERMS_MASK = (uint256(type(uint88).max) << 56) | (uint256(type(uint16).max) << 32);
    /// What a lease takes over from its record: all but the order id, the spare flag bits and the bid index.
    uint256 internal constant LEASE_FROM_RECORD =
        ((uint256(type(uint176).max) << 48) & ~(uint256(0x1f) << 51)) | (uint256(0xffffffffff) << 8);

    function encodeOpen(OpenOrderFields memory fields) internal pure returns (OrderWord) {
        uint256 word = (uint256(fields.untilRound) << 224) | (uint256(fields.eligibleFromBlock) << 192)
            | (uint256(fields.maxPriceMicroPerHour) << 152) | (uint256(fields.bidCount) << 144) | (uint256(fields.milliGpu) << 128)
            | (uint256(fields.cpuMilli) << 104) | (uint256(fields.memoryMib) << 80) | (uint256(fields.storageGib) << 56);
        word |= (uint256(fields.state & 7) << 53) | (uint256(fields.tokenId) << 32) | uint256(fields.expiresAt);
        return OrderWord.wrap(word);
    }

    /// @notice The lease that `record` makes of its order: state Matched at `timestamp`, in seconds.
    function leaseOf(RecordWord record, uint256 timestamp) internal pure returns (OrderWord) {
        return OrderWord.wrap((RecordWord.unwrap(record) & LEASE_FROM_RECORD) | (timestamp << 224) | (STATE_MATCHED << 53));
    }

    /// @notice Whether the record asks for exactly the order's resources in the order's token.
    function sameTerms(OrderWord order, RecordWord record) internal pure returns (bool) {
        return (OrderWord.unwrap(order) ^ RecordWord.unwrap(record)) & TERMS_MASK == 0;
    }

    function withState(OrderWord order, uint256 newState) internal pure returns (OrderWord) {
        return OrderWord.wrap((OrderWord.unwrap(order) & ~(uint256(7) << 53)) | (newState << 53));
    }

    function withUntilRound(OrderWord order, uint256 newUntilRound) internal pure returns (OrderWord) {
        return OrderWord.wrap((OrderWord.unwrap(order) & type(uint224).max) | (newUntilRound << 224));
    }

    function withEligibleFromBlock(OrderWord order, uint256 newEligibleFromBlock) internal pure returns (OrderWord) {
        return OrderWord.wrap((OrderWord.unwrap(order) & ~(uint256(0xffffffff) << 192)) | (newEligibleFromBlock << 192));
    }

    function withBidCount(OrderWord order, uint256 newBidCount) internal pure returns (OrderWord) {
        return OrderWord.wrap((OrderWord.unwrap(order) & ~(uint256(0xff) << 144)) | (newBidCount << 144));
    }

    function state(OrderWord order) internal pure returns (uint256) {
        return (OrderWord.unwrap(order) >> 53) & 7;
    }

    function isOpen(OrderWord order) internal pure returns (bool) {
        return state(order) == STATE_OPEN;
    }

    function milliGpu(OrderWord order) internal pure returns (uint256) {
        return (OrderWord.unwrap(order) >> 128) & 0xffff;
    }

    function cpuMilli(OrderWord order) internal pure returns (uint256) {
        return (OrderWord.unwrap(order) >> 104) & 0xffffff;
    }

    function memoryMib(OrderWord order) internal pure returns (uint256) {
        return (OrderWord.unwrap(order) >> 80) & 0xffffff;
    }

    function storageGib(OrderWord order) internal pure returns (uint256) {
        return (OrderWord.unwrap(order) >> 56) & 0xffffff;
    }

    function tokenId(OrderWord order) internal pure returns (uint256) {
        return (OrderWord.unwrap(order) >> 32) & 0xffff;
    }

    // ---- open

    function untilRound(OrderWord order) internal pure returns (uint256) {
        return OrderWord.unwrap(order) >> 224;
    }

    function eligibleFromBlock(OrderWord order) internal pure returns (uint256) {
        return (OrderWord.unwrap(order) >> 192) & 0xffffffff;
    }

    function maxPriceMicroPerHour(OrderWord order) internal pure returns (uint256) {
        return (OrderWord.unwrap(order) >> 152) & 0xffffffffff;
    }

    function bidCount(OrderWord order) internal pure returns (uint256) {
        return (OrderWord.unwrap(order) >> 144) & 0xff;
    }

    function expiresAt(OrderWord order) internal pure returns (uint256) {
        return OrderWord.unwrap(order) & 0xffffffff;
    }

    // ---- lease

    function matchedAt(OrderWord lease) internal pure returns (uint256) {
        return OrderWord.unwrap(lease) >> 224;
    }

    function machineId(OrderWord lease) internal pure returns (uint256) {
        return (OrderWord.unwrap(lease) >> 192) & 0xffffffff;
    }

    function priceMicroPerHour(OrderWord lease) internal pure returns (uint256) {
        return (OrderWord.unwrap(lease) >> 152) & 0xffffffffff;
    }

    function deviceMask(OrderWord lease) internal pure returns (uint256) {
        return (OrderWord.unwrap(lease) >> 144) & 0xff;
    }

    function isFromBid(OrderWord lease) internal pure returns (bool) {
        return OrderWord.unwrap(lease) & (1 << 50) != 0;
    }

    function providerId(OrderWord lease) internal pure returns (uint256) {
        return (OrderWord.unwrap(lease) >> 8) & 0xffffff;
    }
}
