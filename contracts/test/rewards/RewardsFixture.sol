// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

import { DevnetPriceFeed } from "../../src/devnet/DevnetPriceFeed.sol";
import { MarketContracts } from "../../src/governance/MarketContracts.sol";
import { MarketPause } from "../../src/governance/MarketPause.sol";
import { FeedTerms } from "../../src/rewards/IRewardOracle.sol";
import { RewardTerms } from "../../src/rewards/IRewarder.sol";
import { RewardOracle } from "../../src/rewards/RewardOracle.sol";
import { Rewarder } from "../../src/rewards/Rewarder.sol";
import { ProviderWord, ProviderWordLib } from "../../src/words/ProviderWord.sol";
import { TestToken } from "../market/TestToken.sol";

/// @notice The registry's side of the oracle: score words, and who may write them.
contract ProviderScores {
    address private immutable _ORACLE;
    mapping(uint24 providerId => uint256) private _words;

    constructor(address oracle) {
        _ORACLE = oracle;
    }

    function add(uint24 providerId) external {
        _words[providerId] = ProviderWord.unwrap(ProviderWordLib.encode(2, 7));
    }

    function providerWord(uint24 providerId) external view returns (bytes32) {
        return bytes32(_words[providerId]);
    }

    function setProviderScores(uint24 providerId, uint16 uptimeBps, uint16 reputationBps) external {
        require(msg.sender == _ORACLE, "not the oracle");
        ProviderWord word = ProviderWord.wrap(_words[providerId]);
        _words[providerId] = ProviderWord.unwrap(word.withScores(uptimeBps, reputationBps));
    }
}

/// @notice Oracle and rewarder behind their proxies with feeds of their own; every role is a separate account.
abstract contract RewardsFixture is Test {
    uint64 internal constant SCORE_ORACLE = 2;
    uint64 internal constant PARAMETERS = 7;
    uint64 internal constant GUARDIAN = 9;
    uint64 internal constant REWARD_POSTER = 10;
    uint64 internal constant REWARD_GUARDIAN = 11;

    uint40 internal constant ERA_ZERO = 1_800_000_000;
    uint32 internal constant ERA_SECONDS = 86_400;
    uint32 internal constant ACTIVATION_SECONDS = 3600;
    uint128 internal constant CONTEST_BOND = 100e18;
    uint128 internal constant MAX_PER_ERA = 10_000e18;
    uint32 internal constant HEARTBEAT = 3600;
    uint32 internal constant GRACE = 3600;

    AccessManager internal manager;
    MarketPause internal marketPause;
    RewardOracle internal oracle;
    Rewarder internal rewarder;
    ProviderScores internal registry;
    TestToken internal token;
    DevnetPriceFeed internal rewardFeed;
    DevnetPriceFeed internal nativeFeed;
    DevnetPriceFeed internal sequencerFeed;

    address internal poster = makeAddr("reward poster");
    address internal scores = makeAddr("score oracle");
    address internal guardian = makeAddr("reward guardian");
    address internal parameters = makeAddr("parameters");
    address internal pauser = makeAddr("guardian");
    address internal stakingManager = makeAddr("staking manager");
    address internal treasury = makeAddr("treasury");
    address internal challenger = makeAddr("challenger");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");

    function setUp() public virtual {
        vm.warp(ERA_ZERO);
        manager = new AccessManager(address(this));
        token = new TestToken("RWD", 18);
        rewardFeed = new DevnetPriceFeed("RWD / USD", 8, 50_000_000);
        nativeFeed = new DevnetPriceFeed("ETH / USD", 8, 3000e8);
        sequencerFeed = new DevnetPriceFeed("sequencer", 0, 0);
        vm.warp(ERA_ZERO + GRACE);
        _answerFeeds();
        marketPause =
            MarketPause(address(new ERC1967Proxy(address(new MarketPause()), abi.encodeCall(MarketPause.initialize, (address(manager))))));
        uint64 nonce = vm.getNonce(address(this));
        MarketContracts memory market;
        market.pause = address(marketPause);
        market.stakingManager = stakingManager;
        // Implementations first, then registry and proxies.
        market.providerRegistry = vm.computeCreateAddress(address(this), nonce + 2);
        market.rewardOracle = vm.computeCreateAddress(address(this), nonce + 3);
        RewardOracle oracleCode = new RewardOracle(market);
        Rewarder rewarderCode = new Rewarder(market, address(token));
        registry = new ProviderScores(market.rewardOracle);
        oracle = RewardOracle(
            address(
                new ERC1967Proxy(
                    address(oracleCode), abi.encodeCall(RewardOracle.initialize, (address(manager), ERA_ZERO, ERA_SECONDS, _feedTerms()))
                )
            )
        );
        assertEq(address(oracle), market.rewardOracle);
        rewarder = Rewarder(
            address(
                new ERC1967Proxy(
                    address(rewarderCode),
                    abi.encodeCall(Rewarder.initialize, (address(manager), _rewardTerms(), ACTIVATION_SECONDS, CONTEST_BOND, treasury))
                )
            )
        );
        _grant(address(oracle), RewardOracle.postResults.selector, SCORE_ORACLE, scores);
        _grant(address(oracle), RewardOracle.setFeedTerms.selector, PARAMETERS, parameters);
        _grant(address(rewarder), Rewarder.proposeRoot.selector, REWARD_POSTER, poster);
        _grant(address(rewarder), Rewarder.resolve.selector, REWARD_GUARDIAN, guardian);
        _grant(address(rewarder), Rewarder.disableRoot.selector, REWARD_GUARDIAN, guardian);
        _grant(address(rewarder), Rewarder.setRewardTerms.selector, PARAMETERS, parameters);
        _grant(address(rewarder), Rewarder.setDistributionTerms.selector, PARAMETERS, parameters);
        _grant(address(marketPause), MarketPause.pause.selector, GUARDIAN, pauser);
    }

    function _grant(address target, bytes4 selector, uint64 role, address account) private {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        manager.setTargetFunctionRole(target, selectors, role);
        manager.grantRole(role, account, 0);
    }

    function _feedTerms() internal view returns (FeedTerms memory) {
        return FeedTerms({
            rewardTokenFeed: address(rewardFeed),
            nativeFeed: address(nativeFeed),
            sequencerFeed: address(sequencerFeed),
            rewardHeartbeatSeconds: HEARTBEAT,
            nativeHeartbeatSeconds: HEARTBEAT,
            sequencerGraceSeconds: GRACE,
            rewardMinMicroUsd: 10_000,
            rewardMaxMicroUsd: 100_000_000,
            nativeMinMicroUsd: 100_000_000,
            nativeMaxMicroUsd: 100_000_000_000
        });
    }

    function _rewardTerms() internal pure returns (RewardTerms memory) {
        return RewardTerms({
            gpuPointsMilli: 20_000,
            cpuPointsMilli: 100,
            tierMultiplierBps: [20_000, 17_000, 15_000, 12_000, 11_000, 10_000, 0],
            slashLineBps: [8500, 8000, 7500, 7000, 6500, 6000, 0],
            complianceCapBps: 12_000,
            cooldownSeconds: 10_800,
            pointMicroUsd: 10_000,
            operatorPoolMicroUsd: 1_000_000_000,
            maxRefundGasPriceWei: 10 gwei,
            maxRefundGas: 16_000_000,
            maxPerEra: MAX_PER_ERA
        });
    }

    function _answerFeeds() internal {
        rewardFeed.setAnswer(50_000_000);
        nativeFeed.setAnswer(3000e8);
    }

    /// To the first second after `era`, with answers of that second.
    function _endEra(uint32 era) internal {
        vm.warp(ERA_ZERO + (uint256(era) + 1) * ERA_SECONDS);
        _answerFeeds();
    }

    function _closeEra(uint32 era) internal {
        _endEra(era);
        rewarder.closeEra(era);
    }

    function _fund(uint256 amount) internal {
        token.mint(address(this), amount);
        token.approve(address(rewarder), amount);
        rewarder.fund(amount);
    }

    function _leaf(address earner, uint256 cumulative) internal view returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(block.chainid, address(rewarder), earner, cumulative))));
    }

    /// The root over two leaves, sorted as MerkleProof hashes pairs.
    function _rootOfTwo(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    function _proof(bytes32 sibling) internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = sibling;
    }

    /// Proposes the root that gives alice and bob so much in all.
    function _propose(uint32 era, uint256 toAlice, uint256 toBob) internal {
        bytes32 root = _rootOfTwo(_leaf(alice, toAlice), _leaf(bob, toBob));
        vm.prank(poster);
        rewarder.proposeRoot(era, root, toAlice + toBob, bytes32(uint256(1)), "ipfs://list");
    }

    function _activate() internal {
        vm.warp(vm.getBlockTimestamp() + ACTIVATION_SECONDS);
    }

    function _bond(address from, uint256 amount) internal {
        token.mint(from, amount);
        vm.prank(from);
        token.approve(address(rewarder), amount);
    }

    function _assertSolvent() internal view {
        assertEq(rewarder.liabilities(), token.balanceOf(address(rewarder)), "what is owed is what is held");
    }
}
