// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice How a provider did in one era.
struct EraResult {
    uint24 providerId;
    /// Share of GPU and of CPU challenges passed; gpu = 0x3fff when the provider has no GPU.
    uint16 gpuPassedBps;
    uint16 cpuPassedBps;
    /// Reputation after the era, bounded step from the one before.
    uint16 reputationBps;
    /// Seconds of the era that earn nothing: disconnected, paused, and the cooldown after each reconnect.
    uint32 idleSeconds;
    /// The era's rewards are void (downtime without a lease, tier's slash line).
    bool voided;
}

/// @notice Price feeds and their bounds. Answers are USD with the feed's decimals.
struct FeedTerms {
    /// USD per whole reward token.
    address rewardTokenFeed;
    /// USD per whole native coin, for gas.
    address nativeFeed;
    /// Chainlink's L2 sequencer uptime feed, zero on chains without one.
    address sequencerFeed;
    uint32 rewardHeartbeatSeconds;
    uint32 nativeHeartbeatSeconds;
    uint32 sequencerGraceSeconds;
    /// Bounds in micro-USD per whole token; an answer outside changes nothing.
    uint64 rewardMinMicroUsd;
    uint64 rewardMaxMicroUsd;
    uint64 nativeMinMicroUsd;
    uint64 nativeMaxMicroUsd;
}

/// @title What rewards must be told from outside: challenge results an era, posted by a role within bounds, and prices from feeds.
/// @dev Upgradeable. `constructor(MarketContracts)`, `initialize(address authority, uint40 eraZero, uint32 eraSeconds, FeedTerms terms)`. Era e covers
/// [eraZero + e x eraSeconds, + eraSeconds). Trusts the poster within: closed eras only, of the last 8, once an era and provider, reputation
/// step <= 1000 bps. Uptime of the era = (8000 x gpu + 2000 x cpu) / 10000, rounded down; cpu alone without GPU; written to the provider's word
/// as a moving average over eras, weight 1/8 for the new one.
interface IRewardOracle {
    event ResultPosted(uint32 indexed era, uint24 indexed providerId, EraResult result, uint16 eraUptimeBps, uint16 uptimeBps);
    event FeedTermsUpdated(FeedTerms terms);

    error EraNotClosed(uint32 era);
    error EraTooOld(uint32 era);
    error ResultAlreadyPosted(uint32 era, uint24 providerId);
    error ResultInvalid(string field);
    error ProviderNotFound(uint24 providerId);
    error TooManyResults(uint256 count, uint256 maximum);
    error FeedTermsInvalid(string field);
    error PriceStale(address feed, uint256 updatedAt);
    error PriceOutOfBounds(address feed, int256 answer);
    error SequencerDown();
    error SequencerGrace(uint256 until);

    /// @notice At most 64 results. Only the score oracle's role.
    function postResults(uint32 era, EraResult[] calldata results) external;
    /// @notice Only the parameters' role.
    function setFeedTerms(FeedTerms calldata terms) external;

    function currentEra() external view returns (uint32);
    function eraTerms() external view returns (uint40 eraZero, uint32 eraSeconds);
    function feedTerms() external view returns (FeedTerms memory);
    function resultOf(uint32 era, uint24 providerId) external view returns (bool posted, EraResult memory result, uint16 eraUptimeBps);
    /// @notice Checked prices in micro-USD. Reverts rather than answer with a price that may be wrong.
    function prices() external view returns (uint64 rewardTokenMicroUsd, uint64 nativeMicroUsd);
}
