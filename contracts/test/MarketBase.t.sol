// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";

import { DevnetECDSACertificateVerifier } from "../src/eigenlayer/devnet/DevnetECDSACertificateVerifier.sol";
import { ECDSAOperatorInfo, OperatorSet, OperatorSetConfig } from "../src/eigenlayer/EigenTypes.sol";
import { IOperatorTableUpdater } from "../src/eigenlayer/IOperatorTableUpdater.sol";
import { ComplianceRegistry } from "../src/market/ComplianceRegistry.sol";
import { ComputeLease } from "../src/market/ComputeLease.sol";
import { Escrow } from "../src/market/Escrow.sol";
import { MachineSpec, MatchBatch, OfferTerms, OrderSpec, Policy } from "../src/market/MarketTypes.sol";
import { MatchPolicy } from "../src/market/MatchPolicy.sol";
import { MatchSettlement } from "../src/market/MatchSettlement.sol";
import { OrderRequest } from "../src/market/OrderRequest.sol";
import { ProviderRegistry } from "../src/market/ProviderRegistry.sol";
import { StakingManager } from "../src/market/StakingManager.sol";
import { TokenRegistry } from "../src/market/TokenRegistry.sol";
import { OrderWord } from "../src/words/OrderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../src/words/RecordWord.sol";
import { TestToken } from "./market/TestToken.sol";

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

/// @notice Deploys the whole market with four operators of 30/27/23/20 % weight, and knows how to fill, sign and settle a round of it.
abstract contract MarketBase is Test {
    uint32 internal constant ROUND_LENGTH = 8;
    uint32 internal constant BID_WINDOW = 4;
    uint32 internal constant MAX_TABLE_STALENESS = 30 days;
    uint256 internal constant OPERATORS = 4;
    uint256 internal constant ALL_SIGN = (1 << OPERATORS) - 1;
    uint16 internal constant USD = 1;

    AccessManager internal manager;
    TokenRegistry internal tokenRegistry;
    MatchPolicy internal matchPolicy;
    ProviderRegistry internal providerRegistry;
    StakingManager internal stakingManager;
    ComplianceRegistry internal complianceRegistry;
    Escrow internal escrow;
    OrderRequest internal orderRequest;
    ComputeLease internal computeLease;
    MatchSettlement internal settlement;
    TableUpdater internal tableUpdater;
    DevnetECDSACertificateVerifier internal verifier;
    TestToken internal usd;
    TestToken internal stakeToken;

    OperatorSet internal operatorSet = OperatorSet({ avs: makeAddr("avs"), id: 7 });
    uint256[] internal operatorKeys;
    address internal tenant = makeAddr("tenant");
    address internal providerOwner = makeAddr("provider");

    function setUp() public virtual {
        vm.roll(1000);
        vm.warp(1_800_000_000);
        _deploy();
        _makeOperators();
        _setTable(_weights(), uint32(block.timestamp), MAX_TABLE_STALENESS);
        settlement.recordTable();
    }

    // ---- deployment

    function _deploy() private {
        manager = new AccessManager(address(this));
        usd = new TestToken("USD", 6);
        stakeToken = new TestToken("STK", 18);
        tableUpdater = new TableUpdater();
        verifier = new DevnetECDSACertificateVerifier(IOperatorTableUpdater(address(tableUpdater)));
        tokenRegistry = new TokenRegistry(address(manager));
        matchPolicy = new MatchPolicy(address(manager), false, uint16(ROUND_LENGTH), _defaultPolicy());
        uint256 nonce = vm.getNonce(address(this));
        address staking = vm.computeCreateAddress(address(this), nonce + 1);
        address compliance = vm.computeCreateAddress(address(this), nonce + 2);
        address orders = vm.computeCreateAddress(address(this), nonce + 4);
        address leases = vm.computeCreateAddress(address(this), nonce + 5);
        address settles = vm.computeCreateAddress(address(this), nonce + 6);
        providerRegistry = new ProviderRegistry(
            address(manager), address(matchPolicy), address(tokenRegistry), staking, compliance, settles, leases, true
        );
        stakingManager = new StakingManager(address(manager), address(stakeToken), address(providerRegistry), 0, 0, 0);
        complianceRegistry = new ComplianceRegistry(address(manager), address(providerRegistry));
        escrow = new Escrow(tokenRegistry, orders, leases);
        orderRequest = new OrderRequest(address(manager), escrow, tokenRegistry, matchPolicy, settles, leases, false, BID_WINDOW);
        computeLease = new ComputeLease(escrow, orderRequest, providerRegistry, tokenRegistry);
        settlement = new MatchSettlement(matchPolicy, providerRegistry, orderRequest, verifier, operatorSet, false);
        assertEq(address(settlement), settles, "settlement is where the others expect it");
        assertEq(tokenRegistry.approveToken(address(usd), 0), USD);
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
            selfMatchRounds: 30
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

    /// Signatures of the operators whose bit is set in `signers`, ascending by address.
    function _sign(MatchBatch memory batch, uint256 signers) internal view returns (bytes memory signatures) {
        bytes32 digest = verifier.calculateCertificateDigest(batch.tableTimestamp, settlement.messageHash(batch));
        for (uint256 i; i < OPERATORS; ++i) {
            if ((signers >> i) & 1 == 0) continue;
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(operatorKeys[i], digest);
            signatures = abi.encodePacked(signatures, r, s, v);
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

    function _order(OrderSpec memory spec) internal returns (uint32 orderId) {
        _fund(tenant, 50_000_000);
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

    function _provider(address owner) internal returns (uint24 providerId) {
        vm.prank(owner);
        providerId = providerRegistry.registerProvider("provider", "https://provider.example");
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

    function _state(uint32 orderId) internal view returns (uint256) {
        return OrderWord.wrap(uint256(orderRequest.orderWord(orderId))).state();
    }

    function _machineWord(uint32 machineId) internal view returns (uint256) {
        (bytes32 m0,) = providerRegistry.machineWords(machineId);
        return uint256(m0);
    }
}
