// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";

import { MarketProxy } from "../../src/deploy/MarketProxy.sol";
import { DevnetECDSACertificateVerifier } from "../../src/eigenlayer/devnet/DevnetECDSACertificateVerifier.sol";
import { ECDSAOperatorInfo, OperatorSet, OperatorSetConfig } from "../../src/eigenlayer/EigenTypes.sol";
import { IOperatorTableUpdater } from "../../src/eigenlayer/IOperatorTableUpdater.sol";
import { MarketContracts } from "../../src/governance/MarketContracts.sol";
import { MatchBatch, Policy } from "../../src/market/MarketTypes.sol";
import { MatchPolicy } from "../../src/market/MatchPolicy.sol";
import { MatchSettlement } from "../../src/market/MatchSettlement.sol";
import { OrderRequest } from "../../src/market/OrderRequest.sol";
import { ProviderRegistry } from "../../src/market/ProviderRegistry.sol";
import { IEcdsaTableSource, ITableRoots } from "../../src/quorum/ITableSource.sol";
import { TableEcdsaQuorum } from "../../src/quorum/TableEcdsaQuorum.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";
import { RecordFields, RecordWordLib, RecordWord } from "../../src/words/RecordWord.sol";
import { ScheduleWord, ScheduleWordLib } from "../../src/words/ScheduleWord.sol";
import { Slots } from "../../src/words/Slots.sol";

/// @notice Vouches for every table but those that were withdrawn.
contract RootsOfTables {
    mapping(uint32 referenceTimestamp => bool) private _disabled;

    function isRootValidByTimestamp(uint32 referenceTimestamp) external view returns (bool) {
        return !_disabled[referenceTimestamp];
    }
}

/// @notice The contracts that a settlement runs through, alone: policy behind its proxy, registry, orders, verifier of ECDSA tables, and
/// settlement. The test writes the words that a market would have written.
abstract contract SettlementFixture is Test {
    uint32 internal constant ROUND = 5_000;
    uint40 internal constant SNAPSHOT_BLOCK = 1_000_000;
    uint16 internal constant ROUND_LENGTH = 8;
    uint256 internal constant OPERATORS = 25;
    uint256 internal constant SIGNERS = 20;
    uint96 private constant WEIGHT = 1000;

    MatchPolicy internal matchPolicy;
    ProviderRegistry internal providerRegistry;
    OrderRequest internal orderRequest;
    TableEcdsaQuorum internal quorum;
    MatchSettlement internal settlement;
    uint256[] private _operatorKeys;
    uint32 private _tableTimestamp;

    function setUp() public virtual {
        vm.roll(SNAPSHOT_BLOCK + 3);
        vm.warp(1_800_000_000);
        OperatorSet memory operatorSet = OperatorSet({ avs: makeAddr("avs"), id: 7 });
        // The updater's contract is behind a proxy on EigenLayer's chains too.
        address updater = address(new MarketProxy(address(new RootsOfTables()), abi.encodeCall(RootsOfTables.isRootValidByTimestamp, (0))));
        DevnetECDSACertificateVerifier source = new DevnetECDSACertificateVerifier(IOperatorTableUpdater(updater));
        quorum = new TableEcdsaQuorum(IEcdsaTableSource(address(source)), ITableRoots(updater), operatorSet);
        // A proxy wants a call in its creation; this one changes nothing.
        bytes memory call = abi.encodeWithSignature("UPGRADE_INTERFACE_VERSION()");
        matchPolicy = MatchPolicy(address(new MarketProxy(address(new MatchPolicy(false)), call)));

        MarketContracts memory market;
        market.authority = makeAddr("authority");
        market.matchPolicy = address(matchPolicy);
        uint256 nonce = vm.getNonce(address(this));
        market.providerRegistry = vm.computeCreateAddress(address(this), nonce);
        market.orderRequest = vm.computeCreateAddress(address(this), nonce + 1);
        market.matchSettlement = vm.computeCreateAddress(address(this), nonce + 2);
        providerRegistry = new ProviderRegistry(market);
        orderRequest = new OrderRequest(market, false, 4);
        settlement = new MatchSettlement(market, quorum, operatorSet, false);

        _recordTable(source, updater, operatorSet);
        vm.store(
            address(matchPolicy),
            bytes32(Slots.SCHEDULE),
            bytes32(ScheduleWord.unwrap(ScheduleWordLib.push(ScheduleWord.wrap(0), ROUND, SNAPSHOT_BLOCK, ROUND_LENGTH)))
        );
        // A round has settled before, as in any market but on its first day.
        vm.store(address(settlement), bytes32(Slots.SETTLEMENT), bytes32((uint256(keccak256("settled")) << 32) | (ROUND - 1)));
        _usePolicy(_policy());
    }

    function _recordTable(DevnetECDSACertificateVerifier source, address updater, OperatorSet memory operatorSet) private {
        ECDSAOperatorInfo[] memory infos = new ECDSAOperatorInfo[](OPERATORS);
        for (uint256 i; i < OPERATORS; ++i) {
            _operatorKeys.push(uint256(keccak256(abi.encode("operator", i))));
            infos[i].pubkey = vm.addr(_operatorKeys[i]);
            infos[i].weights = new uint256[](1);
            infos[i].weights[0] = WEIGHT;
        }
        _tableTimestamp = uint32(block.timestamp - 1 hours);
        vm.prank(updater);
        source.updateOperatorTable(
            operatorSet, _tableTimestamp, infos, OperatorSetConfig({ owner: operatorSet.avs, maxStalenessPeriod: 30 days })
        );
        (, bytes32 tableHash, uint96 total) = quorum.takeTable("");
        vm.store(address(settlement), bytes32(Slots.TABLE_NEWEST), bytes32((uint256(1) << 224) | (uint256(_tableTimestamp) << 192) | total));
        vm.store(address(settlement), bytes32(Slots.TABLE_NEWEST_HASH), tableHash);
    }

    /// What settlement reads of a policy, and what the rest may be.
    function _policy() internal pure returns (Policy memory policy) {
        policy.rulesVersion = 2;
        policy.weightPriceBps = 9000;
        policy.weightPackingBps = 1000;
        policy.packingHash = keccak256("packing");
        policy.saturationWhole = 100_000;
        policy.complianceCapBps = 12_000;
        policy.jitterRange = 6_000_000_000;
        policy.maxMatches = 512;
        policy.quorumBps = 6667;
        policy.minTotalStake = 100;
        policy.maxTableAgeSeconds = 7 days;
        policy.coolRounds = 10;
        policy.selfMatchRounds = 30;
    }

    /// Puts the policy in force.
    function _usePolicy(Policy memory policy) internal {
        vm.store(address(matchPolicy), bytes32(Slots.POLICY_HASH_NEWEST), PolicyHash.ofMemory(policy));
    }

    function _putRegistry(uint256 slot, uint256 word) internal virtual {
        vm.store(address(providerRegistry), bytes32(slot), bytes32(word));
    }

    function _putOrders(uint256 slot, uint256 word) internal virtual {
        vm.store(address(orderRequest), bytes32(slot), bytes32(word));
    }

    function _batch(bytes memory records, uint256 matchCount) internal view returns (MatchBatch memory batch) {
        (uint32 tableTimestamp, bytes32 tableHash,) = settlement.tableOf(ROUND);
        (uint40 snapshotBlock,, bytes32 policyHash) = matchPolicy.roundTerms(ROUND);
        batch.round = ROUND;
        batch.snapshotBlock = snapshotBlock;
        batch.snapshotHash = blockhash(snapshotBlock);
        batch.policyHash = policyHash;
        batch.operatorSetKey = settlement.operatorSetKey();
        batch.tableTimestamp = tableTimestamp;
        batch.tableHash = tableHash;
        batch.recordsHash = keccak256(records);
        batch.matchCount = uint32(matchCount);
    }

    /// The certificate of the first 20 operators.
    function _sign(MatchBatch memory batch) internal view returns (bytes memory certificate) {
        bytes32 digest = quorum.certificateDigest(batch.tableTimestamp, settlement.messageHash(batch));
        certificate = abi.encodePacked((uint256(1) << SIGNERS) - 1);
        for (uint256 i; i < SIGNERS; ++i) {
            (bytes32 r, bytes32 vs) = vm.signCompact(_operatorKeys[i], digest);
            certificate = abi.encodePacked(certificate, r, vs);
        }
    }

    function _encode(RecordFields memory fields) internal pure returns (bytes memory) {
        return abi.encodePacked(RecordWord.unwrap(RecordWordLib.encode(fields)));
    }
}
