// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What this market calls of a Chainlink data feed.
/// @dev A sequencer uptime feed has the same ABI: answer 0 is up, 1 is down, `startedAt` is when that began.
interface IAggregatorV3 {
    function decimals() external view returns (uint8);
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
