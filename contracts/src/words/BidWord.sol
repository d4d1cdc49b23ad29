// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A provider's bid on one order:
/// 224 untilRound32 (all ones = none) | 192 machineId32 | 152 price40 | 32 bond and time120 | 8 providerId24 | 0 zero.
type BidWord is uint256;

using BidWordLib for BidWord global;

library BidWordLib {
    function encode(uint32 untilRound_, uint32 machineId_, uint40 price, uint120 bondAndTime_, uint24 providerId_)
        internal
        pure
        returns (BidWord)
    {
        return BidWord.wrap(
            (uint256(untilRound_) << 224) | (uint256(machineId_) << 192) | (uint256(price) << 152) | (uint256(bondAndTime_) << 32)
                | (uint256(providerId_) << 8)
        );
    }

    function withUntilRound(BidWord bid, uint256 newUntilRound) internal pure returns (BidWord) {
        return BidWord.wrap((BidWord.unwrap(bid) & type(uint224).max) | (newUntilRound << 224));
    }

    function untilRound(BidWord bid) internal pure returns (uint256) {
        return BidWord.unwrap(bid) >> 224;
    }

    function machineId(BidWord bid) internal pure returns (uint256) {
        return (BidWord.unwrap(bid) >> 192) & 0xffffffff;
    }

    function priceMicroPerHour(BidWord bid) internal pure returns (uint256) {
        return (BidWord.unwrap(bid) >> 152) & 0xffffffffff;
    }

    function bondAndTime(BidWord bid) internal pure returns (uint256) {
        return (BidWord.unwrap(bid) >> 32) & type(uint120).max;
    }

    function providerId(BidWord bid) internal pure returns (uint256) {
        return (BidWord.unwrap(bid) >> 8) & 0xffffff;
    }
}
