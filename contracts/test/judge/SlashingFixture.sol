// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RLP } from "@openzeppelin/contracts/utils/RLP.sol";

import { CurveType, OperatorSet } from "../../src/eigenlayer/EigenTypes.sol";
import { EquivocationEvidence, Fault, SignedBatch, SnapshotProof, WrongRecordEvidence } from "../../src/judge/Evidence.sol";
import { FaultJudge, JudgeTerms } from "../../src/judge/FaultJudge.sol";
import { IFaultJudge } from "../../src/judge/IFaultJudge.sol";
import { IMatchmakerSlasher } from "../../src/judge/IMatchmakerSlasher.sol";
import { ISlashVault } from "../../src/judge/ISlashVault.sol";
import { MatchmakerSlasher, SlasherTerms } from "../../src/judge/MatchmakerSlasher.sol";
import { SlashVault, VaultTerms } from "../../src/judge/SlashVault.sol";
import { MatchBatch, OrderState, Policy } from "../../src/market/MarketTypes.sol";
import { OrderOwnerWord, OrderOwnerWordLib } from "../../src/words/OrderOwnerWord.sol";
import { OpenOrderFields, OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { EigenDevnetFixture } from "../eigenlayer/EigenDevnetFixture.sol";
import { Trie, TrieLib } from "./Trie.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";

/// @notice The judge, the slasher and the vault on the devnet's EigenLayer, with a redistributing set and operators who break the rules.
abstract contract SlashingFixture is EigenDevnetFixture {
    using TrieLib for Trie;

    uint256 internal constant MARKET_CHAIN_ID = 42_161;
    uint32 internal constant WINDOW = 7 days;
    uint32 internal constant CLAIM_PERIOD = 30 days;
    uint64 internal constant EQUIVOCATION_WAD = 0.05e18;
    uint64 internal constant WRONG_BATCH_WAD = 0.5e18;
    uint16 internal constant CHALLENGER_BPS = 1_000;
    uint256 internal constant STAKE = 100e18;
    uint16 internal constant USD = 1;
    uint64 internal constant SNAPSHOT_BLOCK = 5_000;
    /// The order that every wrong batch treats wrongly.
    uint32 internal constant ORDER = 3;
    bytes32 private constant MATCH_BATCH_TYPEHASH = keccak256(
        "MatchBatch(uint64 round,uint64 snapshotBlock,bytes32 snapshotHash,bytes32 policyHash,bytes32 operatorSetKey,uint32 tableTimestamp,bytes32 tableHash,bytes32 recordsHash,uint32 matchCount)"
    );

    FaultJudge internal judge;
    MatchmakerSlasher internal matchmakerSlasher;
    SlashVault internal vault;
    address internal settlement = makeAddr("settlement");
    address internal orders = makeAddr("orderRequest");
    address internal owner = makeAddr("owner");
    address internal treasury = makeAddr("treasury");
    address internal challenger = makeAddr("challenger");
    address internal tenant = makeAddr("tenant");
    Operator[] internal operators;
    bytes internal header;

    function setUp() public virtual override {
        super.setUp();
        operatorSet = OperatorSet(avs, 9);
        judge = new FaultJudge(_judgeTerms());
        uint256 nonce = vm.getNonce(address(this));
        address predictedVault = vm.computeCreateAddress(address(this), nonce + 1);
        matchmakerSlasher = new MatchmakerSlasher(_slasherTerms(predictedVault, EQUIVOCATION_WAD, WRONG_BATCH_WAD));
        vault = new SlashVault(_vaultTerms(CHALLENGER_BPS, treasury));
        assertEq(address(vault), predictedVault);
        slasher = address(matchmakerSlasher);
        vm.startPrank(avs);
        allocationManager.createRedistributingOperatorSets(avs, setParams(operatorSet.id, strategy), addresses(address(vault)));
        keyRegistrar.configureOperatorSet(operatorSet, CurveType.ECDSA);
        vm.stopPrank();
        for (uint256 i = 0; i < 4; i++) {
            operators.push(joinSet(string.concat("operator", vm.toString(i)), STAKE));
        }
        vm.prank(owner);
        vault.setCompensationRate(USD, 2e18);
        _seal();
    }

    function _judgeTerms() internal returns (JudgeTerms memory) {
        return JudgeTerms({
            marketChainId: MARKET_CHAIN_ID,
            settlement: settlement,
            providerRegistry: makeAddr("providerRegistry"),
            orderRequest: orders,
            certificateVerifier: address(ecdsaVerifier),
            keyRegistrar: keyRegistrar,
            operatorSet: operatorSet,
            curve: CurveType.ECDSA,
            challengeWindowSeconds: WINDOW
        });
    }

    function _slasherTerms(address vault_, uint64 equivocationWad, uint64 wrongBatchWad) internal view returns (SlasherTerms memory) {
        return SlasherTerms({
            allocationManager: allocationManager,
            keyRegistrar: keyRegistrar,
            judge: IFaultJudge(judge),
            vault: ISlashVault(vault_),
            operatorSet: operatorSet,
            curve: CurveType.ECDSA,
            strategy: strategy,
            equivocationWad: equivocationWad,
            wrongBatchWad: wrongBatchWad
        });
    }

    function _vaultTerms(uint16 challengerBps, address treasury_) internal view returns (VaultTerms memory) {
        return VaultTerms({
            strategyManager: strategyManager,
            slasher: IMatchmakerSlasher(matchmakerSlasher),
            judge: IFaultJudge(judge),
            operatorSet: operatorSet,
            strategy: strategy,
            challengerBps: challengerBps,
            victimBps: challengerBps > 10_000 ? 0 : 10_000 - challengerBps,
            claimPeriodSeconds: CLAIM_PERIOD,
            owner: owner,
            treasury: treasury_
        });
    }

    // ---- the snapshot: one order, expired, so that any record of it is wrong

    function _seal() private {
        bytes[] memory fields = new bytes[](20);
        for (uint256 i = 0; i < 20; i++) {
            fields[i] = RLP.encode(keccak256(abi.encode("header", i)));
        }
        fields[3] = RLP.encode(_accounts().root());
        fields[8] = RLP.encode(uint256(SNAPSHOT_BLOCK));
        fields[11] = RLP.encode(block.timestamp);
        header = RLP.encode(fields);
    }

    function _ordersTrie() private view returns (Trie memory trie) {
        OpenOrderFields memory fields;
        fields.state = uint8(OrderState.Open);
        fields.tokenId = USD;
        trie = Trie(new bytes32[](2), new bytes[](2), 0);
        trie.keys[0] = keccak256(abi.encode(Slots.order(ORDER)));
        trie.values[0] = RLP.encode(OrderWord.unwrap(OrderWordLib.encodeOpen(fields)));
        trie.keys[1] = keccak256(abi.encode(Slots.orderOwner(ORDER)));
        // 30 an hour for 90 minutes.
        trie.values[1] = RLP.encode(OrderOwnerWord.unwrap(OrderOwnerWordLib.encode(tenant, 30_000_000, 90, 0)));
        trie.sort();
    }

    function _accounts() private view returns (Trie memory trie) {
        trie = Trie(new bytes32[](1), new bytes[](1), 0);
        bytes[] memory fields = new bytes[](4);
        fields[0] = RLP.encode(uint256(1));
        fields[1] = RLP.encode(uint256(0));
        fields[2] = RLP.encode(_ordersTrie().root());
        fields[3] = RLP.encode(keccak256("code"));
        trie.keys[0] = keccak256(abi.encodePacked(orders));
        trie.values[0] = RLP.encode(fields);
    }

    function _snapshot() internal view returns (SnapshotProof memory snapshot) {
        snapshot.header = header;
        snapshot.ordersAccount = _accounts().prove(keccak256(abi.encodePacked(orders)));
    }

    function _ownerWord() internal view returns (bytes[] memory) {
        return _ordersTrie().prove(keccak256(abi.encode(Slots.orderOwner(ORDER))));
    }

    // ---- batches

    function _policy() internal pure returns (Policy memory policy) {
        policy.rulesVersion = 1;
        policy.maxMatches = 512;
        policy.quorumBps = 5_000;
        policy.minTotalStake = 1;
    }

    function _batch(uint64 round, uint256 variant) internal view returns (MatchBatch memory batch) {
        bytes memory records = _records(variant);
        batch.round = round;
        batch.snapshotBlock = SNAPSHOT_BLOCK;
        batch.snapshotHash = keccak256(header);
        batch.policyHash = PolicyHash.ofMemory(_policy());
        batch.operatorSetKey = bytes32(abi.encodePacked(operatorSet.avs, uint96(operatorSet.id)));
        batch.tableTimestamp = 1;
        batch.tableHash = keccak256(_table());
        batch.recordsHash = keccak256(records);
        batch.matchCount = 1;
    }

    function _records(uint256 variant) private pure returns (bytes memory) {
        return abi.encodePacked((uint256(ORDER) << 224) | variant);
    }

    function _table() internal view returns (bytes memory table) {
        for (uint256 i = 0; i < operators.length; i++) {
            table = abi.encodePacked(table, operators[i].signer, uint96(100));
        }
    }

    function _sign(MatchBatch memory batch, uint256 who) internal view returns (SignedBatch memory signed) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Matchmaker"),
                keccak256("1"),
                MARKET_CHAIN_ID,
                settlement
            )
        );
        bytes32 messageHash = keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(MATCH_BATCH_TYPEHASH, batch))));
        bytes32 digest = ecdsaVerifier.calculateCertificateDigest(batch.tableTimestamp, messageHash);
        signed.batch = batch;
        signed.table = _table();
        signed.certificate = abi.encodePacked(who);
        for (uint256 i = 0; i < operators.length; i++) {
            if ((who >> i) & 1 == 0) continue;
            (bytes32 r, bytes32 vs) = vm.signCompact(operators[i].signingKey, digest);
            signed.certificate = abi.encodePacked(signed.certificate, r, vs);
        }
    }

    function _equivocation(uint64 round, uint256 who) internal view returns (bytes memory) {
        return _equivocation(round, 1, 2, who);
    }

    function _equivocation(uint64 round, uint256 first, uint256 second, uint256 who) internal view returns (bytes memory) {
        return abi.encode(EquivocationEvidence(_sign(_batch(round, first), who), _sign(_batch(round, second), who)));
    }

    function _wrongBatch(uint64 round, uint256 variant, uint256 who) internal view returns (bytes memory) {
        WrongRecordEvidence memory evidence;
        evidence.batch.signed = _sign(_batch(round, variant), who);
        evidence.batch.policy = _policy();
        evidence.batch.records = _records(variant);
        evidence.batch.snapshot = _snapshot();
        evidence.order.orderWord = _ordersTrie().prove(keccak256(abi.encode(Slots.order(ORDER))));
        return abi.encode(evidence);
    }

    // ---- steps

    function _commit(address by, Fault fault, bytes memory evidence) internal {
        vm.prank(by);
        matchmakerSlasher.commit(keccak256(abi.encode(by, fault, keccak256(evidence), bytes32("salt"))));
    }

    /// Commits, waits a block and proves.
    function _prove(Fault fault, bytes memory evidence) internal returns (bytes32 offenceId) {
        _commit(challenger, fault, evidence);
        vm.roll(vm.getBlockNumber() + 1);
        vm.prank(challenger);
        return matchmakerSlasher.prove(fault, evidence, "salt");
    }

    /// Packed keys of those operators.
    function _keys(uint256 who) internal view returns (bytes memory keys) {
        for (uint256 i = 0; i < operators.length; i++) {
            if ((who >> i) & 1 != 0) keys = abi.encodePacked(keys, operators[i].signer);
        }
    }

    function _magnitude(uint256 i) internal view returns (uint64) {
        return allocationManager.getAllocation(operators[i].account, operatorSet, strategy).currentMagnitude;
    }
}
