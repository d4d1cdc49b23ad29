// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { IProviderRegistry } from "../market/IProviderRegistry.sol";
import { ProviderWord, ProviderWordLib } from "../words/ProviderWord.sol";
import { EraResult, FeedTerms, IRewardOracle } from "./IRewardOracle.sol";
import { FeedBounds, PriceReader } from "./PriceReader.sol";

/// @title What rewards must be told from outside: challenge results an era, posted by a role within bounds, and prices from feeds.
/// @dev Trusts the poster for the results themselves: it can call a provider up or down within the bounds, for each era once. It cannot
/// touch an era that still runs or one older than eight, move a reputation by more than 1000 bps an era, or post twice. Trusts the feeds
/// inside the price bounds. Upgradeable.
contract RewardOracle is IRewardOracle, MarketModule {
    /// @notice Most results of one call.
    uint256 public constant MAX_RESULTS = 64;
    /// @notice Results of an era are taken until this many eras after it have ended.
    uint32 public constant POSTING_ERAS = 8;
    /// @notice Most that one era moves a reputation, in bps.
    uint256 public constant REPUTATION_STEP_BPS = 1000;
    /// @notice Where an unmeasured provider's reputation starts, in bps.
    uint256 public constant REPUTATION_START_BPS = 5000;
    /// @notice Weight of GPU challenges in an era's uptime, in bps; the rest is the CPU's.
    uint256 public constant GPU_WEIGHT_BPS = 8000;
    /// @notice The newest era is 1 / this of a provider's uptime.
    uint256 public constant UPTIME_ERAS = 8;

    uint256 private constant BPS = 10_000;
    uint256 private constant NO_GPU = ProviderWordLib.UNMEASURED;

    /// @custom:storage-location erc7201:matchmaker.storage.RewardOracle
    struct Layout {
        uint40 eraZero;
        uint32 eraSeconds;
        FeedTerms feeds;
        mapping(uint32 era => mapping(uint24 providerId => Posted)) results;
    }

    struct Posted {
        uint16 gpuPassedBps;
        uint16 cpuPassedBps;
        uint16 reputationBps;
        uint16 eraUptimeBps;
        uint32 idleSeconds;
        bool voided;
        bool posted;
    }

    bytes32 private constant LAYOUT_SLOT = 0xeb859e593b9b5393e85f56d980ee78cb06c8f9af6ac27c0ddeef2944c040a100;

    IProviderRegistry public immutable providerRegistry;

    constructor(MarketContracts memory market) {
        providerRegistry = IProviderRegistry(market.providerRegistry);
    }

    /// @notice Called once, in the proxy's creation.
    function initialize(address authority, uint40 eraZero, uint32 eraSeconds, FeedTerms calldata terms) external initializer {
        __AccessManaged_init(authority);
        if (eraSeconds == 0) revert FeedTermsInvalid("eraSeconds");
        Layout storage state = _layout();
        state.eraZero = eraZero;
        state.eraSeconds = eraSeconds;
        _setFeedTerms(terms);
    }

    /// @inheritdoc IRewardOracle
    function postResults(uint32 era, EraResult[] calldata results) external restricted {
        Layout storage state = _layout();
        if (results.length == 0 || results.length > MAX_RESULTS) revert TooManyResults(results.length, MAX_RESULTS);
        uint256 end = _endOf(state, era);
        if (block.timestamp < end) revert EraNotClosed(era);
        if (block.timestamp >= end + uint256(POSTING_ERAS) * state.eraSeconds) revert EraTooOld(era);
        for (uint256 i; i < results.length; ++i) {
            _post(state, era, results[i]);
        }
    }

    function _post(Layout storage state, uint32 era, EraResult calldata result) private {
        bool hasGpu = result.gpuPassedBps != NO_GPU;
        if (hasGpu && result.gpuPassedBps > BPS) revert ResultInvalid("gpuPassedBps");
        if (result.cpuPassedBps > BPS) revert ResultInvalid("cpuPassedBps");
        if (result.reputationBps > BPS) revert ResultInvalid("reputationBps");
        if (result.idleSeconds > state.eraSeconds) revert ResultInvalid("idleSeconds");
        Posted storage place = state.results[era][result.providerId];
        if (place.posted) revert ResultAlreadyPosted(era, result.providerId);
        uint256 word = uint256(providerRegistry.providerWord(result.providerId));
        if (word == 0) revert ProviderNotFound(result.providerId);
        ProviderWord provider = ProviderWord.wrap(word);
        uint256 reputation = provider.reputationBps();
        if (reputation == ProviderWordLib.UNMEASURED) reputation = REPUTATION_START_BPS;
        if (_distance(result.reputationBps, reputation) > REPUTATION_STEP_BPS) revert ResultInvalid("reputationBps");

        // Rounded down, against the provider.
        uint256 eraUptime =
            hasGpu ? (GPU_WEIGHT_BPS * result.gpuPassedBps + (BPS - GPU_WEIGHT_BPS) * result.cpuPassedBps) / BPS : result.cpuPassedBps;
        uint256 uptime = _averaged(provider.uptimeBps(), eraUptime);
        place.gpuPassedBps = result.gpuPassedBps;
        place.cpuPassedBps = result.cpuPassedBps;
        place.reputationBps = result.reputationBps;
        place.eraUptimeBps = uint16(eraUptime);
        place.idleSeconds = result.idleSeconds;
        place.voided = result.voided;
        place.posted = true;
        emit ResultPosted(era, result.providerId, result, uint16(eraUptime), uint16(uptime));
        providerRegistry.setProviderScores(result.providerId, uint16(uptime), result.reputationBps);
    }

    /// @inheritdoc IRewardOracle
    function setFeedTerms(FeedTerms calldata terms) external restricted {
        _setFeedTerms(terms);
    }

    /// @inheritdoc IRewardOracle
    /// @dev 0 before the first era begins.
    function currentEra() external view returns (uint32) {
        Layout storage state = _layout();
        if (block.timestamp < state.eraZero) return 0;
        return uint32((block.timestamp - state.eraZero) / state.eraSeconds);
    }

    /// @inheritdoc IRewardOracle
    function eraTerms() external view returns (uint40 eraZero, uint32 eraSeconds) {
        Layout storage state = _layout();
        return (state.eraZero, state.eraSeconds);
    }

    /// @inheritdoc IRewardOracle
    function feedTerms() external view returns (FeedTerms memory) {
        return _layout().feeds;
    }

    /// @inheritdoc IRewardOracle
    function resultOf(uint32 era, uint24 providerId) external view returns (bool posted, EraResult memory result, uint16 eraUptimeBps) {
        Posted storage place = _layout().results[era][providerId];
        result = EraResult({
            providerId: providerId,
            gpuPassedBps: place.gpuPassedBps,
            cpuPassedBps: place.cpuPassedBps,
            reputationBps: place.reputationBps,
            idleSeconds: place.idleSeconds,
            voided: place.voided
        });
        return (place.posted, result, place.eraUptimeBps);
    }

    /// @inheritdoc IRewardOracle
    /// @dev The reward token is rounded up (fewer tokens a USD), the native coin down (fewer USD a refund).
    function prices() external view returns (uint64 rewardTokenMicroUsd, uint64 nativeMicroUsd) {
        FeedTerms memory feeds = _layout().feeds;
        if (feeds.sequencerFeed != address(0)) PriceReader.requireSequencerUp(feeds.sequencerFeed, feeds.sequencerGraceSeconds);
        rewardTokenMicroUsd = PriceReader.priceMicroUsd(
            FeedBounds({
                feed: feeds.rewardTokenFeed,
                heartbeatSeconds: feeds.rewardHeartbeatSeconds,
                minMicroUsd: feeds.rewardMinMicroUsd,
                maxMicroUsd: feeds.rewardMaxMicroUsd,
                roundUp: true
            })
        );
        nativeMicroUsd = PriceReader.priceMicroUsd(
            FeedBounds({
                feed: feeds.nativeFeed,
                heartbeatSeconds: feeds.nativeHeartbeatSeconds,
                minMicroUsd: feeds.nativeMinMicroUsd,
                maxMicroUsd: feeds.nativeMaxMicroUsd,
                roundUp: false
            })
        );
    }

    function _setFeedTerms(FeedTerms calldata terms) private {
        if (terms.rewardTokenFeed == address(0)) revert FeedTermsInvalid("rewardTokenFeed");
        if (terms.nativeFeed == address(0)) revert FeedTermsInvalid("nativeFeed");
        if (terms.rewardHeartbeatSeconds == 0) revert FeedTermsInvalid("rewardHeartbeatSeconds");
        if (terms.nativeHeartbeatSeconds == 0) revert FeedTermsInvalid("nativeHeartbeatSeconds");
        if (terms.sequencerFeed != address(0) && terms.sequencerGraceSeconds == 0) revert FeedTermsInvalid("sequencerGraceSeconds");
        if (terms.rewardMinMicroUsd == 0) revert FeedTermsInvalid("rewardMinMicroUsd");
        if (terms.rewardMaxMicroUsd < terms.rewardMinMicroUsd) revert FeedTermsInvalid("rewardMaxMicroUsd");
        if (terms.nativeMinMicroUsd == 0) revert FeedTermsInvalid("nativeMinMicroUsd");
        if (terms.nativeMaxMicroUsd < terms.nativeMinMicroUsd) revert FeedTermsInvalid("nativeMaxMicroUsd");
        _layout().feeds = terms;
        emit FeedTermsUpdated(terms);
    }

    function _endOf(Layout storage state, uint32 era) private view returns (uint256) {
        return state.eraZero + (uint256(era) + 1) * state.eraSeconds;
    }

    /// The moving average; the step is rounded up, so that a provider that keeps one uptime arrives at it.
    function _averaged(uint256 before, uint256 now_) private pure returns (uint256) {
        if (before == ProviderWordLib.UNMEASURED) return now_;
        uint256 step = (_distance(before, now_) + UPTIME_ERAS - 1) / UPTIME_ERAS;
        return now_ > before ? before + step : before - step;
    }

    function _distance(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : b - a;
    }

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }
}
