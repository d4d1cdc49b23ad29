// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

import { MarketAuthority, RoleHolder } from "../src/deploy/MarketAuthority.sol";
import { DevnetPriceFeed } from "../src/devnet/DevnetPriceFeed.sol";
import { DevnetECDSACertificateVerifier } from "../src/eigenlayer/devnet/DevnetECDSACertificateVerifier.sol";
import { ECDSAOperatorInfo, OperatorSet, OperatorSetConfig } from "../src/eigenlayer/EigenTypes.sol";
import { IOperatorTableUpdater } from "../src/eigenlayer/IOperatorTableUpdater.sol";
import { MarketContracts } from "../src/governance/MarketContracts.sol";
import { MarketPause } from "../src/governance/MarketPause.sol";
import { MarketRoles } from "../src/governance/MarketRoles.sol";
import { Bid } from "../src/market/Bid.sol";
import { CertificateRegistry } from "../src/market/CertificateRegistry.sol";
import { ComplianceRegistry } from "../src/market/ComplianceRegistry.sol";
import { ComputeLease } from "../src/market/ComputeLease.sol";
import { Escrow } from "../src/market/Escrow.sol";
import { BidTerms } from "../src/market/IBid.sol";
import { LeaseTerms } from "../src/market/IComputeLease.sol";
import { FeeTerms } from "../src/market/IEscrow.sol";
import { ProviderProposal } from "../src/market/IProviderAdmission.sol";
import { StakeTerms } from "../src/market/IStakingManager.sol";
import { MachineSpec, MatchBatch, OfferTerms, OrderSpec, Policy } from "../src/market/MarketTypes.sol";
import { MatchPolicy } from "../src/market/MatchPolicy.sol";
import { MatchSettlement } from "../src/market/MatchSettlement.sol";
import { OrderRequest } from "../src/market/OrderRequest.sol";
import { ProviderAdmission } from "../src/market/ProviderAdmission.sol";
import { ProviderAttributes } from "../src/market/ProviderAttributes.sol";
import { ProviderRegistry } from "../src/market/ProviderRegistry.sol";
import { SignedCalls } from "../src/market/SignedCalls.sol";
import { StakingManager } from "../src/market/StakingManager.sol";
import { TokenRegistry } from "../src/market/TokenRegistry.sol";
import { IEcdsaTableSource, ITableRoots } from "../src/quorum/ITableSource.sol";
import { TableEcdsaQuorum } from "../src/quorum/TableEcdsaQuorum.sol";
import { FeedTerms } from "../src/rewards/IRewardOracle.sol";
import { RewardTerms } from "../src/rewards/IRewarder.sol";
import { RewardOracle } from "../src/rewards/RewardOracle.sol";
import { Rewarder } from "../src/rewards/Rewarder.sol";
import { OrderWord } from "../src/words/OrderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../src/words/RecordWord.sol";
import { TestToken } from "./market/TestToken.sol";
import { noPacking } from "./rules/NoPacking.sol";

/// @notice Holds the verifier's updater role: what roots it vouches for is the test's to say.
contract TableUpdater {
    mapping(uint32 referenceTimestamp => bool) private _disabled;

    function disableRoot(uint32 referenceTimestamp) external {
        _disabled[referenceTimestamp] = true;
    }

    function isRootValidByTimestamp(uint32 referenceTimestamp) external view returns (bool) {
        return !_disabled[referenceTimestamp];
    }
}

/// @notice Deploys the whole market as a genesis does, with four operators of 30/27/23/20 % weight, and knows how to fill, sign and settle a
/// round of it. The test itself holds every role without delay, the administrator's included.
abstract contract MarketBase is Test {
    uint32 internal constant ROUND_LENGTH = 8;
    uint32 internal constant BID_WINDOW = 4;
    uint32 internal constant MAX_TABLE_STALENESS = 30 days;
    uint256 internal constant OPERATORS = 4;
    uint256 internal constant ALL_SIGN = (1 << OPERATORS) - 1;
    uint16 internal constant USD = 1;
    /// Own stake of a provider, in whole tokens: enough for a hundred machines.
    uint256 internal constant PROVIDER_STAKE_WHOLE = 100_000;
    uint32 internal constant ERA_SECONDS = 1 days;

    /// Where every contract lies, as each was told before any existed.
    MarketContracts internal market;
    AccessManager internal manager;
    MarketPause internal marketPause;
    TokenRegistry internal tokenRegistry;
    MatchPolicy internal matchPolicy;
    ProviderRegistry internal providerRegistry;
    ProviderAdmission internal providerAdmission;
    ProviderAttributes internal providerAttributes;
    CertificateRegistry internal certificateRegistry;
    StakingManager internal stakingManager;
    ComplianceRegistry internal complianceRegistry;
    Escrow internal escrow;
    OrderRequest internal orderRequest;
    Bid internal bid;
    ComputeLease internal computeLease;
    MatchSettlement internal settlement;
    SignedCalls internal signedCalls;
    RewardOracle internal rewardOracle;
    Rewarder internal rewarder;
    TableUpdater internal tableUpdater;
    DevnetECDSACertificateVerifier internal verifier;
    TableEcdsaQuorum internal quorum;
    TestToken internal usd;
    TestToken internal stakeToken;
    TestToken internal rewardToken;
    DevnetPriceFeed internal rewardFeed;
    DevnetPriceFeed internal nativeFeed;

    OperatorSet internal operatorSet = OperatorSet({ avs: makeAddr("avs"), id: 7 });
    uint256[] internal operatorKeys;
    address internal tenant = makeAddr("tenant");
    address internal providerOwner = makeAddr("provider");
    address internal treasury = makeAddr("treasury");
    address internal foundation = makeAddr("foundation");

    function setUp() public virtual {
        vm.roll(1000);
        vm.warp(1_800_000_000);
        _deploy();
        _makeOperators();
        _setTable(_weights(), uint32(block.timestamp), MAX_TABLE_STALENESS);
        settlement.recordTable("");
    }

    // ---- deployment

    function _deploy() private {
        usd = new TestToken("USD", 6);
        stakeToken = new TestToken("STK", 18);
        rewardToken = new TestToken("RWD", 18);
        rewardFeed = new DevnetPriceFeed("RWD / USD", 8, 5_000_000);
        nativeFeed = new DevnetPriceFeed("ETH / USD", 8, 3000e8);
        tableUpdater = new TableUpdater();
        verifier = DevnetECDSACertificateVerifier(
            deployCode(
                "DevnetECDSACertificateVerifier.sol:DevnetECDSACertificateVerifier",
                abi.encode(IOperatorTableUpdater(address(tableUpdater)))
            )
        );
        quorum = TableEcdsaQuorum(
            deployCode(
                "TableEcdsaQuorum.sol:TableEcdsaQuorum",
                abi.encode(IEcdsaTableSource(address(verifier)), ITableRoots(address(tableUpdater)), operatorSet)
            )
        );
        _predict();
        manager = MarketAuthority(deployCode("MarketAuthority.sol:MarketAuthority", abi.encode(market, _roleHolders(), address(this))));
        assertEq(address(manager), market.authority, "authority");
        _deployGovernance();
        _deployProviders();
        _deployOrders();
        _deployRewards();
        assertEq(tokenRegistry.approveToken(address(usd), 0), USD);
    }

    /// The contracts come to lie one after the other; each upgradeable one is an implementation and then its proxy.
    function _predict() private {
        uint256 next = vm.getNonce(address(this));
        market.authority = vm.computeCreateAddress(address(this), next);
        market.pause = vm.computeCreateAddress(address(this), next += 2);
        market.tokenRegistry = vm.computeCreateAddress(address(this), next += 2);
        market.matchPolicy = vm.computeCreateAddress(address(this), next += 2);
        market.stakingManager = vm.computeCreateAddress(address(this), next += 2);
        market.complianceRegistry = vm.computeCreateAddress(address(this), next += 2);
        market.providerRegistry = vm.computeCreateAddress(address(this), next += 1);
        market.providerAdmission = vm.computeCreateAddress(address(this), next += 2);
        market.providerAttributes = vm.computeCreateAddress(address(this), next += 2);
        market.certificateRegistry = vm.computeCreateAddress(address(this), next += 2);
        market.escrow = vm.computeCreateAddress(address(this), next += 2);
        market.orderRequest = vm.computeCreateAddress(address(this), next += 1);
        market.bid = vm.computeCreateAddress(address(this), next += 2);
        market.computeLease = vm.computeCreateAddress(address(this), next += 2);
        market.matchSettlement = vm.computeCreateAddress(address(this), next += 1);
        market.signedCalls = vm.computeCreateAddress(address(this), next += 2);
        market.rewardOracle = vm.computeCreateAddress(address(this), next += 2);
        market.rewarder = vm.computeCreateAddress(address(this), next += 2);
    }

    function _roleHolders() internal view virtual returns (RoleHolder[] memory holders) {
        holders = new RoleHolder[](MarketRoles.REWARD_GUARDIAN + 1);
        for (uint64 role; role < holders.length; ++role) {
            holders[role] = RoleHolder({ role: role, account: address(this), executionDelay: 0 });
        }
    }

    function _proxy(address implementation, bytes memory initialization, address predicted) private returns (address proxy) {
        proxy = address(new ERC1967Proxy(implementation, initialization));
        assertEq(proxy, predicted, "a proxy is where the others expect it");
    }

    function _deployGovernance() private {
        address authority = market.authority;
        marketPause = MarketPause(
            _proxy(deployCode("MarketPause.sol:MarketPause"), abi.encodeCall(MarketPause.initialize, (authority)), market.pause)
        );
        tokenRegistry = TokenRegistry(
            _proxy(
                deployCode("TokenRegistry.sol:TokenRegistry"), abi.encodeCall(TokenRegistry.initialize, (authority)), market.tokenRegistry
            )
        );
        matchPolicy = MatchPolicy(
            _proxy(
                deployCode("MatchPolicy.sol:MatchPolicy", abi.encode(false)),
                abi.encodeCall(MatchPolicy.initialize, (authority, uint16(ROUND_LENGTH), _defaultPolicy(), noPacking())),
                market.matchPolicy
            )
        );
    }

    function _deployProviders() private {
        address authority = market.authority;
        stakingManager = StakingManager(
            _proxy(
                deployCode("StakingManager.sol:StakingManager", abi.encode(market, address(stakeToken))),
                abi.encodeCall(StakingManager.initialize, (authority, _stakeTerms(), treasury)),
                market.stakingManager
            )
        );
        complianceRegistry = ComplianceRegistry(
            _proxy(
                deployCode("ComplianceRegistry.sol:ComplianceRegistry", abi.encode(market, address(stakeToken))),
                abi.encodeCall(ComplianceRegistry.initialize, (authority, 1000 ether, 14 days, treasury)),
                market.complianceRegistry
            )
        );
        providerRegistry = ProviderRegistry(deployCode("ProviderRegistry.sol:ProviderRegistry", abi.encode(market)));
        assertEq(address(providerRegistry), market.providerRegistry, "providerRegistry");
        providerAdmission = ProviderAdmission(
            _proxy(
                deployCode("ProviderAdmission.sol:ProviderAdmission", abi.encode(market)),
                abi.encodeCall(ProviderAdmission.initialize, (authority, true, 0)),
                market.providerAdmission
            )
        );
        providerAttributes = ProviderAttributes(
            _proxy(
                deployCode("ProviderAttributes.sol:ProviderAttributes", abi.encode(market)),
                abi.encodeCall(ProviderAttributes.initialize, (authority)),
                market.providerAttributes
            )
        );
        certificateRegistry = CertificateRegistry(
            _proxy(
                deployCode("CertificateRegistry.sol:CertificateRegistry"),
                abi.encodeCall(CertificateRegistry.initialize, (authority)),
                market.certificateRegistry
            )
        );
    }

    function _deployOrders() private {
        address authority = market.authority;
        escrow = Escrow(
            _proxy(
                deployCode("Escrow.sol:Escrow", abi.encode(market)),
                abi.encodeCall(Escrow.initialize, (authority, _feeTerms())),
                market.escrow
            )
        );
        orderRequest = OrderRequest(deployCode("OrderRequest.sol:OrderRequest", abi.encode(market, false, BID_WINDOW)));
        assertEq(address(orderRequest), market.orderRequest, "orderRequest");
        bid = Bid(
            _proxy(
                deployCode("Bid.sol:Bid", abi.encode(market, false)), abi.encodeCall(Bid.initialize, (authority, _bidTerms())), market.bid
            )
        );
        computeLease = ComputeLease(
            _proxy(
                deployCode("ComputeLease.sol:ComputeLease", abi.encode(market)),
                abi.encodeCall(ComputeLease.initialize, (authority, _leaseTerms())),
                market.computeLease
            )
        );
        settlement = MatchSettlement(deployCode("MatchSettlement.sol:MatchSettlement", abi.encode(market, quorum, operatorSet, false)));
        assertEq(address(settlement), market.matchSettlement, "matchSettlement");
        signedCalls = SignedCalls(
            _proxy(
                deployCode("SignedCalls.sol:SignedCalls", abi.encode(market)),
                abi.encodeCall(SignedCalls.initialize, (authority)),
                market.signedCalls
            )
        );
    }

    function _deployRewards() private {
        address authority = market.authority;
        rewardOracle = RewardOracle(
            _proxy(
                deployCode("RewardOracle.sol:RewardOracle", abi.encode(market)),
                abi.encodeCall(RewardOracle.initialize, (authority, uint40(block.timestamp), ERA_SECONDS, _feedTerms())),
                market.rewardOracle
            )
        );
        rewarder = Rewarder(
            _proxy(
                deployCode("Rewarder.sol:Rewarder", abi.encode(market, address(rewardToken))),
                abi.encodeCall(Rewarder.initialize, (authority, _rewardTerms(), 7 days, 1000 ether, treasury)),
                market.rewarder
            )
        );
    }

    function _stakeTerms() internal pure returns (StakeTerms memory) {
        return StakeTerms({
            wholePerDevice: 100,
            wholePerCore: 1,
            wholeMinimumPerMachine: 10,
            wholeMinimumPerProvider: 100,
            unbondingSeconds: 14 days,
            maxCommissionBps: 5000,
            maxMisconductBps: 10_000,
            maxDowntimeBps: 1000,
            downtimeCooldownSeconds: 1 days
        });
    }

    function _feeTerms() internal view returns (FeeTerms memory) {
        return FeeTerms({
            userFeeBps: 200, providerFeeBps: 100, foundationFeeBps: 2000, nativeTokenId: 0, treasury: treasury, foundation: foundation
        });
    }

    function _bidTerms() internal pure returns (BidTerms memory) {
        return BidTerms({ maxBidsPerOrder: 32, maxBidsPerProvider: 256, bondMicro: 1_000_000 });
    }

    function _leaseTerms() internal pure returns (LeaseTerms memory) {
        return LeaseTerms({ readySeconds: 600, manifestSeconds: 300, confirmSeconds: 600, minimumChargeSeconds: 60 });
    }

    function _feedTerms() internal view returns (FeedTerms memory) {
        return FeedTerms({
            rewardTokenFeed: address(rewardFeed),
            nativeFeed: address(nativeFeed),
            sequencerFeed: address(0),
            rewardHeartbeatSeconds: 2 days,
            nativeHeartbeatSeconds: 2 days,
            sequencerGraceSeconds: 0,
            rewardMinMicroUsd: 1000,
            rewardMaxMicroUsd: 10_000_000,
            nativeMinMicroUsd: 100_000_000,
            nativeMaxMicroUsd: 100_000_000_000
        });
    }

    function _rewardTerms() internal pure returns (RewardTerms memory) {
        return RewardTerms({
            gpuPointsMilli: 20_000,
            cpuPointsMilli: 100,
            tierMultiplierBps: [uint16(20_000), 17_000, 15_000, 12_000, 11_000, 10_000, 0],
            slashLineBps: [uint16(8500), 8000, 7500, 7000, 6500, 6000, 0],
            complianceCapBps: 12_000,
            cooldownSeconds: 3600,
            pointMicroUsd: 10_000,
            operatorPoolMicroUsd: 100_000_000,
            maxRefundGasPriceWei: 100 gwei,
            maxRefundGas: 16_000_000,
            maxPerEra: 1_000_000 ether
        });
    }

    /// @notice The policy of DESIGN 4 with its defaults.
    function _defaultPolicy() internal pure returns (Policy memory) {
        return Policy({
            rulesVersion: 1,
            weightPriceBps: 4500,
            weightStakeBps: 1500,
            weightFitBps: 1500,
            weightRegionBps: 1000,
            weightUptimeBps: 1000,
            weightReputationBps: 500,
            saturationWhole: 100_000,
            complianceCapBps: 12_000,
            jitterRange: 6_000_000_000,
            defaultUptimeBps: 9500,
            defaultReputationBps: 5000,
            maxMatches: 512,
            quorumBps: 6667,
            minTotalStake: 100,
            maxTableAgeSeconds: 7 days,
            coolRounds: 10,
            selfMatchRounds: 30,
            weightPackingBps: 0,
            packingHash: 0
        });
    }

    // ---- operators

    /// Keys in ascending order of their addresses, as a certificate wants its signatures.
    function _makeOperators() private {
        for (uint256 i; i < OPERATORS; ++i) {
            operatorKeys.push(uint256(keccak256(abi.encode("operator", i))));
            for (uint256 k = i; k > 0 && vm.addr(operatorKeys[k]) < vm.addr(operatorKeys[k - 1]); --k) {
                (operatorKeys[k], operatorKeys[k - 1]) = (operatorKeys[k - 1], operatorKeys[k]);
            }
        }
    }

    function _weights() internal pure returns (uint256[] memory weights) {
        weights = new uint256[](OPERATORS);
        (weights[0], weights[1], weights[2], weights[3]) = (3000, 2700, 2300, 2000);
    }

    /// Puts a table into the verifier, as its updater would.
    function _setTable(uint256[] memory weights, uint32 tableTimestamp, uint32 maxStaleness) internal {
        ECDSAOperatorInfo[] memory infos = new ECDSAOperatorInfo[](weights.length);
        for (uint256 i; i < weights.length; ++i) {
            infos[i].pubkey = vm.addr(operatorKeys[i]);
            infos[i].weights = new uint256[](1);
            infos[i].weights[0] = weights[i];
        }
        vm.prank(address(tableUpdater));
        verifier.updateOperatorTable(
            operatorSet, tableTimestamp, infos, OperatorSetConfig({ owner: operatorSet.avs, maxStalenessPeriod: maxStaleness })
        );
    }

    /// The certificate of the operators whose bit is set in `signers`.
    function _sign(MatchBatch memory batch, uint256 signers) internal view returns (bytes memory certificate) {
        bytes32 digest = quorum.certificateDigest(batch.tableTimestamp, settlement.messageHash(batch));
        certificate = abi.encodePacked(signers);
        for (uint256 i; i < OPERATORS; ++i) {
            if ((signers >> i) & 1 == 0) continue;
            (bytes32 r, bytes32 vs) = vm.signCompact(operatorKeys[i], digest);
            certificate = abi.encodePacked(certificate, r, vs);
        }
    }

    // ---- rounds

    /// Moves to `offset` blocks after the snapshot block of `round`, one second a block.
    function _enterRound(uint32 round, uint256 offset) internal {
        _rollTo(uint256(matchPolicy.snapshotBlock(round)) + offset);
    }

    function _rollTo(uint256 blockNumber) internal {
        vm.warp(vm.getBlockTimestamp() + (blockNumber - vm.getBlockNumber()));
        vm.roll(blockNumber);
    }

    /// The first round whose snapshot shows what is on the chain now, orders with a bid window included, opened.
    function _openNext() internal returns (uint32 round) {
        _rollTo(vm.getBlockNumber() + BID_WINDOW);
        round = matchPolicy.fromRoundNow();
        _enterRound(round, 1);
    }

    function _batch(uint32 round, bytes memory records) internal view returns (MatchBatch memory) {
        (uint40 snapshotBlock,, bytes32 policyHash) = matchPolicy.roundTerms(round);
        (uint32 tableTimestamp, bytes32 tableHash,) = settlement.tableOf(round);
        return MatchBatch({
            round: round,
            snapshotBlock: snapshotBlock,
            snapshotHash: blockhash(snapshotBlock),
            policyHash: policyHash,
            operatorSetKey: settlement.operatorSetKey(),
            tableTimestamp: tableTimestamp,
            tableHash: tableHash,
            recordsHash: keccak256(records),
            matchCount: uint32(records.length / 32)
        });
    }

    /// Signs with all operators and settles under the default policy.
    function _settle(uint32 round, bytes memory records) internal returns (uint256 matched) {
        MatchBatch memory batch = _batch(round, records);
        return settlement.settle(batch, _defaultPolicy(), records, _sign(batch, ALL_SIGN));
    }

    // ---- market

    function _fund(address account, uint256 amount) internal {
        usd.mint(account, amount);
        vm.startPrank(account);
        usd.approve(address(escrow), amount);
        escrow.deposit(USD, amount);
        vm.stopPrank();
    }

    /// One GPU, 4 cores, 16 GiB, 100 GiB of storage for ten hours at up to 5 USD an hour.
    function _spec() internal pure returns (OrderSpec memory spec) {
        spec.milliGpu = 1000;
        spec.cpuMilli = 4000;
        spec.memoryMib = 16_384;
        spec.storageGib = 100;
        spec.tokenId = USD;
        spec.maxPriceMicroPerHour = 5_000_000;
        spec.durationMinutes = 600;
    }

    /// What the order locks, user fee included.
    function _lockOf(OrderSpec memory spec) internal view returns (uint256) {
        return escrow.lockAmount(USD, uint96((uint256(spec.maxPriceMicroPerHour) * spec.durationMinutes + 59) / 60));
    }

    function _order(OrderSpec memory spec) internal returns (uint32 orderId) {
        _fund(tenant, _lockOf(spec));
        vm.prank(tenant);
        return orderRequest.createOrder(spec, uint32(block.timestamp + 30 days));
    }

    function _machineSpec() internal pure returns (MachineSpec memory) {
        return MachineSpec({ model: 7, region: 3, cpuMilli: 64_000, memoryMib: 262_144, storageGib: 2000, deviceCount: 8 });
    }

    function _offer() internal pure returns (OfferTerms memory) {
        return OfferTerms({
            tokenId: USD, gpuMicroPerHour: 1_000_000, coreMicroPerHour: 10_000, memoryGibMicroPerHour: 1000, storageTibMicroPerHour: 10_000
        });
    }

    /// A provider that was let in, staked and went active.
    function _provider(address owner) internal returns (uint24 providerId) {
        vm.prank(owner);
        (, providerId) = providerAdmission.propose(
            ProviderProposal({ name: "provider", hostUri: "https://provider.example", region: 3, tier: 3, devices: 8, cores: 64 })
        );
        _stake(providerId, PROVIDER_STAKE_WHOLE);
        vm.prank(owner);
        providerRegistry.activateProvider(providerId);
    }

    function _stake(uint24 providerId, uint256 wholeTokens) internal {
        stakeToken.mint(address(this), wholeTokens * 1 ether);
        stakeToken.approve(address(stakingManager), wholeTokens * 1 ether);
        stakingManager.stake(providerId, wholeTokens * 1 ether);
    }

    /// A machine that is active with one offer, in the open market from the next snapshot on.
    function _machine(uint24 providerId) internal returns (uint32 machineId) {
        vm.startPrank(providerRegistry.providerOwner(providerId));
        machineId = providerRegistry.registerMachine(providerId, _machineSpec());
        providerRegistry.setOffer(machineId, 0, _offer());
        providerRegistry.activateMachine(machineId);
        vm.stopPrank();
    }

    /// The record that gives `orderId` the lowest devices in `deviceMask` of `machineId` at its offer 0.
    function _record(uint32 orderId, uint32 machineId, uint8 deviceMask) internal view returns (RecordFields memory fields) {
        OrderWord order = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        (bytes32 m0,) = providerRegistry.machineWords(machineId);
        fields = RecordFields({
            orderId: orderId,
            machineId: machineId,
            priceMicroPerHour: 0,
            deviceMask: deviceMask,
            milliGpu: uint16(order.milliGpu()),
            cpuMilli: uint24(order.cpuMilli()),
            memoryMib: uint24(order.memoryMib()),
            storageGib: uint24(order.storageGib()),
            offerIndex: 0,
            fromBid: false,
            tokenId: uint16(order.tokenId()),
            providerId: uint24(uint256(m0) >> 168),
            bidIndex: 0
        });
        fields.priceMicroPerHour = _offerPrice(fields);
    }

    /// DESIGN 4's price over the newest terms of the record's offer, each term rounded down.
    function _offerPrice(RecordFields memory fields) internal view returns (uint40) {
        (bytes32 newest,) = providerRegistry.offerWords(fields.machineId, fields.offerIndex);
        uint256 word = uint256(newest);
        return uint40(
            uint256(fields.milliGpu) * ((word >> 134) & ((1 << 36) - 1)) / 1000 + uint256(fields.cpuMilli)
                * ((word >> 104) & ((1 << 30) - 1)) / 1000 + uint256(fields.memoryMib) * ((word >> 78) & ((1 << 26) - 1)) / 1024
                + uint256(fields.storageGib) * ((word >> 48) & ((1 << 30) - 1)) / 1024
        );
    }

    function _encode(RecordFields memory fields) internal pure returns (bytes memory) {
        return abi.encodePacked(RecordWord.unwrap(RecordWordLib.encode(fields)));
    }

    /// Takes a fresh lease through ready, manifest and confirmation in this block.
    function _confirm(uint32 orderId) internal {
        address owner = providerRegistry.providerOwner(computeLease.getLease(orderId).providerId);
        address tenant_ = computeLease.getLease(orderId).tenant;
        bytes32 manifestHash = keccak256(abi.encode("manifest", orderId));
        vm.prank(owner);
        computeLease.markReady(orderId);
        vm.prank(tenant_);
        computeLease.announceManifest(orderId, manifestHash);
        vm.prank(owner);
        computeLease.confirmDeployment(orderId, manifestHash);
    }

    function _state(uint32 orderId) internal view returns (uint256) {
        return OrderWord.wrap(uint256(orderRequest.orderWord(orderId))).state();
    }

    function _machineWord(uint32 machineId) internal view returns (uint256) {
        (bytes32 m0,) = providerRegistry.machineWords(machineId);
        return uint256(m0);
    }
}
