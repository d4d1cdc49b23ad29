// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One match of a batch, 32 bytes:
/// 224 orderId32 | 192 machineId32 | 152 price40 | 144 deviceMask8 | 128 milliGpu16 | 104 cpuMilli24 | 80 memoryMib24 | 56 storageGib24
/// | 48 flags8 (bits 0-1 offerIndex, bit 2 price from bid, 3-7 zero) | 32 tokenId16 | 8 providerId24 | 0 bidIndex8 (0 unless flag 2).
type RecordWord is uint256;

/// @notice A record taken apart.
struct RecordFields {
    uint32 orderId;
    uint32 machineId;
    uint40 priceMicroPerHour;
    uint8 deviceMask;
    uint16 milliGpu;
    uint24 cpuMilli;
    uint24 memoryMib;
    uint24 storageGib;
    uint8 offerIndex;
    bool fromBid;
    uint16 tokenId;
    uint24 providerId;
    uint8 bidIndex;
}

using RecordWordLib for RecordWord global;

library RecordWordLib {
    /// @notice Record `index` of `records`; the caller keeps `index` below `records.length / 32`.
    function recordAt(bytes calldata records, uint256 index) internal pure returns (RecordWord record) {
        assembly ("memory-safe") {
            record := calldataload(add(records.offset, shl(5, index)))
        }
    }

    function encode(RecordFields memory fields) internal pure returns (RecordWord) {
        uint256 word = (uint256(fields.orderId) << 224) | (uint256(fields.machineId) << 192) | (uint256(fields.priceMicroPerHour) << 152)
            | (uint256(fields.deviceMask) << 144) | (uint256(fields.milliGpu) << 128) | (uint256(fields.cpuMilli) << 104)
            | (uint256(fields.memoryMib) << 80) | (uint256(fields.storageGib) << 56);
        word |= (uint256(fields.offerIndex & 3) << 48) | (fields.fromBid ? uint256(1) << 50 : 0) | (uint256(fields.tokenId) << 32)
            | (uint256(fields.providerId) << 8) | uint256(fields.bidIndex);
        return RecordWord.wrap(word);
    }

    function orderId(RecordWord record) internal pure returns (uint256) {
        return RecordWord.unwrap(record) >> 224;
    }

    function machineId(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 192) & 0xffffffff;
    }

    function priceMicroPerHour(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 152) & 0xffffffffff;
    }

    function deviceMask(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 144) & 0xff;
    }

    function milliGpu(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 128) & 0xffff;
    }

    function cpuMilli(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 104) & 0xffffff;
    }

    function memoryMib(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 80) & 0xffffff;
    }

    function storageGib(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 56) & 0xffffff;
    }

    function flags(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 48) & 0xff;
    }

    function offerIndex(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 48) & 3;
    }

    function fromBid(RecordWord record) internal pure returns (bool) {
        return RecordWord.unwrap(record) & (1 << 50) != 0;
    }

    function tokenId(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 32) & 0xffff;
    }

    function providerId(RecordWord record) internal pure returns (uint256) {
        return (RecordWord.unwrap(record) >> 8) & 0xffffff;
    }

    function bidIndex(RecordWord record) internal pure returns (uint256) {
        return RecordWord.unwrap(record) & 0xff;
    }
}
