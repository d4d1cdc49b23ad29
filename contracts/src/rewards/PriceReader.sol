// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAggregatorV3 } from "./IAggregatorV3.sol";
import { IRewardOracle } from "./IRewardOracle.sol";

/// @notice What a feed's answer must be to be used.
struct FeedBounds {
    address feed;
    uint32 heartbeatSeconds;
    uint64 minMicroUsd;
    uint64 maxMicroUsd;
    /// Which way a part of a micro-USD is rounded.
    bool roundUp;
}

/// @title Reads Chainlink feeds and refuses every answer that may be wrong.
/// @dev A wrong feed inside the bounds is believed: the bounds are the most that it can be wrong by.
library PriceReader {
    uint256 internal constant MAX_DECIMALS = 18;

    /// @notice USD per whole token in micro-USD. Reverts `PriceStale` for a round that is old, of the future or incomplete, `PriceOutOfBounds`
    /// for an answer that is zero, negative, outside the bounds or of a feed with more than 18 decimals.
    function priceMicroUsd(FeedBounds memory bounds) internal view returns (uint64) {
        IAggregatorV3 feed = IAggregatorV3(bounds.feed);
        (uint80 roundId, int256 answer,, uint256 updatedAt, uint80 answeredInRound) = feed.latestRoundData();
        if (
            updatedAt == 0 || updatedAt > block.timestamp || block.timestamp - updatedAt > bounds.heartbeatSeconds
                || answeredInRound < roundId
        ) {
            revert IRewardOracle.PriceStale(bounds.feed, updatedAt);
        }
        uint256 decimals = feed.decimals();
        if (answer <= 0 || answer > int256(uint256(type(uint128).max)) || decimals > MAX_DECIMALS) {
            revert IRewardOracle.PriceOutOfBounds(bounds.feed, answer);
        }
        uint256 scaled = uint256(answer) * 1e6;
        uint256 unit = 10 ** decimals;
        // Rounded the way that pays out less: the caller says which.
        uint256 micro = bounds.roundUp ? (scaled + unit - 1) / unit : scaled / unit;
        if (micro < bounds.minMicroUsd || micro > bounds.maxMicroUsd) revert IRewardOracle.PriceOutOfBounds(bounds.feed, answer);
        return uint64(micro);
    }

    /// @notice Reverts `SequencerDown` while the feed says so or has no round, `SequencerGrace` until `graceSeconds` after it came up again.
    function requireSequencerUp(address feed, uint256 graceSeconds) internal view {
        (, int256 answer, uint256 startedAt,,) = IAggregatorV3(feed).latestRoundData();
        if (answer != 0 || startedAt == 0) revert IRewardOracle.SequencerDown();
        if (block.timestamp < startedAt + graceSeconds) revert IRewardOracle.SequencerGrace(startedAt + graceSeconds);
    }
}
