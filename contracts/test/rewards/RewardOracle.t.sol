// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { ERC1967Utils } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";

import { DevnetPriceFeed } from "../../src/devnet/DevnetPriceFeed.sol";
import { EraResult, FeedTerms, IRewardOracle } from "../../src/rewards/IRewardOracle.sol";
import { RewardOracle } from "../../src/rewards/RewardOracle.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RewardsFixture } from "./RewardsFixture.sol";

contract RewardOracleTest is RewardsFixture {
    uint24 private constant PROVIDER = 1;
    uint16 private constant NO_GPU = 0x3fff;

    function setUp() public override {
        super.setUp();
        for (uint24 id = 1; id <= 64; ++id) {
            registry.add(id);
        }
    }

    // ---- results

    function test_PostResults_WritesScoresAndRemembersTheResult() public {
        _endEra(0);
        EraResult memory result = _result(PROVIDER, 9001, 9999, 5600);
        vm.expectEmit(address(oracle));
        // 0.8 x 9001 + 0.2 x 9999 = 9200.6
        emit IRewardOracle.ResultPosted(0, PROVIDER, result, 9200, 9200);
        _post(0, result);
        (bool posted, EraResult memory stored, uint16 eraUptimeBps) = oracle.resultOf(0, PROVIDER);
        assertTrue(posted);
        assertEq(abi.encode(stored), abi.encode(result));
        assertEq(eraUptimeBps, 9200, "rounded down");
        ProviderWord word = ProviderWord.wrap(uint256(registry.providerWord(PROVIDER)));
        assertEq(word.uptimeBps(), 9200, "the first era is the average");
        assertEq(word.reputationBps(), 5600);
        (posted,,) = oracle.resultOf(1, PROVIDER);
        assertFalse(posted);
    }

    function test_PostResults_WithoutGpuTheCpuAloneCounts() public {
        _endEra(0);
        _post(0, _result(PROVIDER, NO_GPU, 9100, 5000));
        (,, uint16 eraUptimeBps) = oracle.resultOf(0, PROVIDER);
        assertEq(eraUptimeBps, 9100);
    }

    function test_PostResults_TheNewestEraIsAnEighthOfTheAverage() public {
        _endEra(1);
        _post(0, _result(PROVIDER, NO_GPU, 10_000, 5000));
        _post(1, _result(PROVIDER, NO_GPU, 9991, 5000));
        // A step of 9 / 8, rounded up.
        assertEq(_uptime(), 9998);
    }

    function test_PostResults_ASteadyUptimeIsReached() public {
        _endEra(0);
        _post(0, _result(PROVIDER, NO_GPU, 9000, 5000));
        for (uint32 era = 1; era < 60; ++era) {
            _endEra(era);
            _post(era, _result(PROVIDER, NO_GPU, 10_000, 5000));
        }
        assertEq(_uptime(), 10_000);
    }

    function testFuzz_PostResults_TheAverageStaysBetweenOldAndNew(uint16 first, uint16 second) public {
        first = uint16(bound(first, 0, 10_000));
        second = uint16(bound(second, 0, 10_000));
        _endEra(1);
        _post(0, _result(PROVIDER, NO_GPU, first, 5000));
        _post(1, _result(PROVIDER, NO_GPU, second, 5000));
        uint256 uptime = _uptime();
        assertGe(uptime, first < second ? first : second);
        assertLe(uptime, first < second ? second : first);
        // An eighth, to the next bps.
        assertApproxEqAbs(uptime * 8, uint256(first) * 7 + second, 7);
        if (first != second) assertTrue(uptime != first, "every difference moves it");
    }

    function test_RevertWhen_TheEraStillRunsOrIsTooOld() public {
        EraResult memory result = _result(PROVIDER, 9000, 9000, 5000);
        vm.warp(ERA_ZERO + ERA_SECONDS - 1);
        _expectPost(0, result, abi.encodeWithSelector(IRewardOracle.EraNotClosed.selector, 0));
        vm.warp(ERA_ZERO + 9 * ERA_SECONDS);
        _expectPost(0, result, abi.encodeWithSelector(IRewardOracle.EraTooOld.selector, 0));
        vm.warp(ERA_ZERO + 9 * ERA_SECONDS - 1);
        _post(0, result);
    }

    function test_RevertWhen_PostedTwice() public {
        _endEra(0);
        _post(0, _result(PROVIDER, 9000, 9000, 5000));
        _expectPost(0, _result(PROVIDER, 9000, 9000, 5000), abi.encodeWithSelector(IRewardOracle.ResultAlreadyPosted.selector, 0, PROVIDER));
    }

    function test_RevertWhen_TheProviderIsUnknown() public {
        _endEra(0);
        _expectPost(0, _result(65, 9000, 9000, 5000), abi.encodeWithSelector(IRewardOracle.ProviderNotFound.selector, 65));
    }

    function test_RevertWhen_AFieldIsOutOfBounds() public {
        _endEra(0);
        _expectPost(0, _result(PROVIDER, 10_001, 9000, 5000), _invalid("gpuPassedBps"));
        _expectPost(0, _result(PROVIDER, 9000, 10_001, 5000), _invalid("cpuPassedBps"));
        _expectPost(0, _result(PROVIDER, 9000, NO_GPU, 5000), _invalid("cpuPassedBps"));
        _expectPost(0, _result(PROVIDER, 9000, 9000, 6001), _invalid("reputationBps"));
        _expectPost(0, _result(PROVIDER, 9000, 9000, 3999), _invalid("reputationBps"));
        EraResult memory idle = _result(PROVIDER, 9000, 9000, 5000);
        idle.idleSeconds = ERA_SECONDS + 1;
        _expectPost(0, idle, _invalid("idleSeconds"));
    }

    function test_ReputationMovesByAtMostAThousandAnEra() public {
        _endEra(5);
        for (uint32 era; era < 5; ++era) {
            _post(era, _result(PROVIDER, 9000, 9000, uint16(6000 + 1000 * era)));
        }
        _expectPost(5, _result(PROVIDER, 9000, 9000, 10_001), _invalid("reputationBps"));
        _expectPost(5, _result(PROVIDER, 9000, 9000, 8999), _invalid("reputationBps"));
        _post(5, _result(PROVIDER, 9000, 9000, 9000));
    }

    function test_RevertWhen_TooManyResults() public {
        _endEra(0);
        EraResult[] memory results = new EraResult[](65);
        vm.startPrank(scores);
        vm.expectRevert(abi.encodeWithSelector(IRewardOracle.TooManyResults.selector, 65, 64));
        oracle.postResults(0, results);
        vm.expectRevert(abi.encodeWithSelector(IRewardOracle.TooManyResults.selector, 0, 64));
        oracle.postResults(0, new EraResult[](0));
    }

    function test_OnlyTheRolesMayPostAndSetTerms() public {
        _endEra(0);
        EraResult[] memory results = new EraResult[](1);
        results[0] = _result(PROVIDER, 9000, 9000, 5000);
        bytes memory refusal = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice);
        vm.startPrank(alice);
        vm.expectRevert(refusal);
        oracle.postResults(0, results);
        FeedTerms memory terms = _feedTerms();
        vm.expectRevert(refusal);
        oracle.setFeedTerms(terms);
        vm.expectRevert(refusal);
        oracle.upgradeToAndCall(address(1), "");
    }

    // ---- prices

    function test_Prices_InMicroUsd() public view {
        (uint64 reward, uint64 native) = oracle.prices();
        assertEq(reward, 500_000);
        assertEq(native, 3_000_000_000);
    }

    function test_Prices_RoundTowardsPayingLess() public {
        rewardFeed.setAnswer(50_000_001);
        nativeFeed.setAnswer(3000e8 + 199);
        (uint64 reward, uint64 native) = oracle.prices();
        assertEq(reward, 500_001, "up");
        assertEq(native, 3_000_000_001, "down");
    }

    function test_Prices_OfAFeedWithFewOrManyDecimals() public {
        FeedTerms memory terms = _feedTerms();
        terms.rewardTokenFeed = address(new DevnetPriceFeed("coarse", 2, 150));
        terms.nativeFeed = address(new DevnetPriceFeed("fine", 18, 2500e18));
        vm.prank(parameters);
        oracle.setFeedTerms(terms);
        (uint64 reward, uint64 native) = oracle.prices();
        assertEq(reward, 1_500_000);
        assertEq(native, 2_500_000_000);
    }

    function testFuzz_S19_NoAnswerOutsideAgeSignAndBandIsUsed(int256 answer, uint256 age, bool answered, bool incomplete) public {
        age = bound(age, 0, 2 * HEARTBEAT);
        uint256 updatedAt = incomplete ? 0 : block.timestamp - age;
        uint256 upTo = uint256(100_000_000) * 100;
        // Half of them near the band, most others are far outside.
        if (answer % 2 == 0) answer = bound(answer, -1, int256(2 * upTo));
        rewardFeed.setRound(answer, block.timestamp, updatedAt, answered ? type(uint80).max : 0);
        bool good = !incomplete && answered && age <= HEARTBEAT && answer > 0 && answer >= 1_000_000 - 99 && answer <= int256(upTo);
        (bool ok, bytes memory data) = address(oracle).staticcall(abi.encodeCall(IRewardOracle.prices, ()));
        assertEq(ok, good);
        if (ok) {
            (uint64 reward,) = abi.decode(data, (uint64, uint64));
            assertEq(reward, (uint256(answer) + 99) / 100);
        }
    }

    function test_S19_StaleZeroNegativeIncompleteAndOutOfBandChangeNothing() public {
        _fund(1000e18);
        _endEra(0);
        uint256 now_ = block.timestamp;
        _refuse(50_000_000, now_ - HEARTBEAT - 1, 99, _stale(now_ - HEARTBEAT - 1));
        _refuse(50_000_000, 0, 99, _stale(0));
        _refuse(50_000_000, now_ + 1, 99, _stale(now_ + 1));
        _refuse(50_000_000, now_, 0, _stale(now_));
        _refuse(0, now_, 99, _outOfBounds(0));
        _refuse(-1, now_, 99, _outOfBounds(-1));
        _refuse(type(int256).max, now_, 99, _outOfBounds(type(int256).max));
        _refuse(999_900, now_, 99, _outOfBounds(999_900));
        _refuse(10_000_000_001, now_, 99, _outOfBounds(10_000_000_001));
        rewardFeed.setAnswer(10_000_000_000);
        rewarder.closeEra(0);
    }

    function test_S19_TheNativePriceIsJudgedTheSameWay() public {
        nativeFeed.setRound(3000e8, block.timestamp, block.timestamp - HEARTBEAT - 1, 99);
        vm.expectRevert(abi.encodeWithSelector(IRewardOracle.PriceStale.selector, address(nativeFeed), block.timestamp - HEARTBEAT - 1));
        oracle.prices();
        nativeFeed.setAnswer(99e8);
        vm.expectRevert(abi.encodeWithSelector(IRewardOracle.PriceOutOfBounds.selector, address(nativeFeed), int256(99e8)));
        oracle.prices();
    }

    function test_S19_AFeedWithMoreThan18DecimalsIsRefused() public {
        FeedTerms memory terms = _feedTerms();
        terms.rewardTokenFeed = address(new DevnetPriceFeed("absurd", 19, 5e18));
        vm.prank(parameters);
        oracle.setFeedTerms(terms);
        vm.expectRevert(abi.encodeWithSelector(IRewardOracle.PriceOutOfBounds.selector, terms.rewardTokenFeed, int256(5e18)));
        oracle.prices();
    }

    function test_S19_NoPriceWhileTheSequencerIsDownOrJustUp() public {
        uint256 now_ = block.timestamp;
        sequencerFeed.setRound(1, now_ - GRACE, now_, 99);
        vm.expectRevert(IRewardOracle.SequencerDown.selector);
        oracle.prices();
        sequencerFeed.setRound(0, 0, now_, 99);
        vm.expectRevert(IRewardOracle.SequencerDown.selector);
        oracle.prices();
        sequencerFeed.setRound(0, now_ - GRACE + 1, now_, 99);
        vm.expectRevert(abi.encodeWithSelector(IRewardOracle.SequencerGrace.selector, now_ + 1));
        oracle.prices();
        sequencerFeed.setRound(0, now_ - GRACE, now_, 99);
        oracle.prices();
    }

    function test_Prices_WithoutASequencerFeed() public {
        FeedTerms memory terms = _feedTerms();
        (terms.sequencerFeed, terms.sequencerGraceSeconds) = (address(0), 0);
        sequencerFeed.setRound(1, block.timestamp, block.timestamp, 99);
        vm.prank(parameters);
        oracle.setFeedTerms(terms);
        oracle.prices();
    }

    // ---- terms

    function test_SetFeedTerms_Announced() public {
        FeedTerms memory terms = _feedTerms();
        terms.rewardHeartbeatSeconds = 7200;
        vm.expectEmit(address(oracle));
        emit IRewardOracle.FeedTermsUpdated(terms);
        vm.prank(parameters);
        oracle.setFeedTerms(terms);
        assertEq(abi.encode(oracle.feedTerms()), abi.encode(terms));
    }

    function test_RevertWhen_FeedTermsAreInvalid() public {
        FeedTerms memory t = _feedTerms();
        t.rewardTokenFeed = address(0);
        _expectTerms(t, "rewardTokenFeed");
        t = _feedTerms();
        t.nativeFeed = address(0);
        _expectTerms(t, "nativeFeed");
        t = _feedTerms();
        t.rewardHeartbeatSeconds = 0;
        _expectTerms(t, "rewardHeartbeatSeconds");
        t = _feedTerms();
        t.nativeHeartbeatSeconds = 0;
        _expectTerms(t, "nativeHeartbeatSeconds");
        t = _feedTerms();
        t.sequencerGraceSeconds = 0;
        _expectTerms(t, "sequencerGraceSeconds");
        t = _feedTerms();
        t.rewardMinMicroUsd = 0;
        _expectTerms(t, "rewardMinMicroUsd");
        t = _feedTerms();
        t.rewardMaxMicroUsd = t.rewardMinMicroUsd - 1;
        _expectTerms(t, "rewardMaxMicroUsd");
        t = _feedTerms();
        t.nativeMinMicroUsd = 0;
        _expectTerms(t, "nativeMinMicroUsd");
        t = _feedTerms();
        t.nativeMaxMicroUsd = t.nativeMinMicroUsd - 1;
        _expectTerms(t, "nativeMaxMicroUsd");
    }

    function test_Eras() public {
        (uint40 eraZero, uint32 eraSeconds) = oracle.eraTerms();
        assertEq(eraZero, ERA_ZERO);
        assertEq(eraSeconds, ERA_SECONDS);
        vm.warp(ERA_ZERO - 1);
        assertEq(oracle.currentEra(), 0);
        vm.warp(ERA_ZERO + 3 * ERA_SECONDS - 1);
        assertEq(oracle.currentEra(), 2);
        vm.warp(ERA_ZERO + 3 * ERA_SECONDS);
        assertEq(oracle.currentEra(), 3);
    }

    function test_StorageIsAtTheErc7201Slot_AndInitializesOnce() public {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.RewardOracle");
        assertEq(uint256(vm.load(address(oracle), slot)), (uint256(ERA_SECONDS) << 40) | ERA_ZERO);
        FeedTerms memory terms = _feedTerms();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        oracle.initialize(address(manager), ERA_ZERO, ERA_SECONDS, terms);
    }

    function test_RevertWhen_ErasHaveNoLength() public {
        address code = address(uint160(uint256(vm.load(address(oracle), ERC1967Utils.IMPLEMENTATION_SLOT))));
        bytes memory call = abi.encodeCall(RewardOracle.initialize, (address(manager), ERA_ZERO, 0, _feedTerms()));
        vm.expectRevert(abi.encodeWithSelector(IRewardOracle.FeedTermsInvalid.selector, "eraSeconds"));
        new ERC1967Proxy(code, call);
    }

    // ---- the devnet's feed

    function test_DevnetPriceFeed_IsItsOwnersToAnswer() public {
        vm.expectEmit(address(rewardFeed));
        emit DevnetPriceFeed.AnswerUpdated(7, 3, block.timestamp);
        rewardFeed.setAnswer(7);
        (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound) = rewardFeed.latestRoundData();
        assertEq(roundId, 3);
        assertEq(answer, 7);
        assertEq(startedAt, block.timestamp);
        assertEq(updatedAt, block.timestamp);
        assertEq(answeredInRound, 3);
        vm.expectRevert(abi.encodeWithSelector(DevnetPriceFeed.NotOwner.selector, alice));
        vm.prank(alice);
        rewardFeed.setAnswer(8);
    }

    // ---- gas

    function test_Gas_SetFeedTerms() public {
        FeedTerms memory terms = _feedTerms();
        vm.cool(address(oracle));
        vm.prank(parameters);
        oracle.setFeedTerms(terms);
        vm.snapshotGasLastCall("RewardOracle", "setFeedTerms");
    }

    // ---- internal

    function _result(uint24 providerId, uint16 gpu, uint16 cpu, uint16 reputation) private pure returns (EraResult memory) {
        return EraResult({
            providerId: providerId, gpuPassedBps: gpu, cpuPassedBps: cpu, reputationBps: reputation, idleSeconds: 60, voided: false
        });
    }

    function _post(uint32 era, EraResult memory result) private {
        EraResult[] memory results = new EraResult[](1);
        results[0] = result;
        vm.prank(scores);
        oracle.postResults(era, results);
    }

    function _expectPost(uint32 era, EraResult memory result, bytes memory revertData) private {
        EraResult[] memory results = new EraResult[](1);
        results[0] = result;
        vm.expectRevert(revertData);
        vm.prank(scores);
        oracle.postResults(era, results);
    }

    function _expectTerms(FeedTerms memory terms, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IRewardOracle.FeedTermsInvalid.selector, field));
        vm.prank(parameters);
        oracle.setFeedTerms(terms);
    }

    /// The feed answers so: neither a price nor a closed era comes of it.
    function _refuse(int256 answer, uint256 updatedAt, uint80 answeredInRound, bytes memory revertData) private {
        rewardFeed.setRound(answer, block.timestamp, updatedAt, answeredInRound);
        vm.expectRevert(revertData);
        oracle.prices();
        vm.expectRevert(revertData);
        rewarder.closeEra(0);
        (uint64 blockNumber,,) = rewarder.closedEra(0);
        assertEq(blockNumber, 0);
        _assertSolvent();
    }

    function _stale(uint256 updatedAt) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRewardOracle.PriceStale.selector, address(rewardFeed), updatedAt);
    }

    function _outOfBounds(int256 answer) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRewardOracle.PriceOutOfBounds.selector, address(rewardFeed), answer);
    }

    function _invalid(string memory field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRewardOracle.ResultInvalid.selector, field);
    }

    function _uptime() private view returns (uint256) {
        return ProviderWord.wrap(uint256(registry.providerWord(PROVIDER))).uptimeBps();
    }
}
