// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RLP } from "@openzeppelin/contracts/utils/RLP.sol";
import { Test } from "forge-std/Test.sol";

import { CurveType, OperatorSet } from "../../src/eigenlayer/EigenTypes.sol";
import { IKeyRegistrar } from "../../src/eigenlayer/IKeyRegistrar.sol";
import {
    BatchEvidence,
    BetterCandidateEvidence,
    EquivocationEvidence,
    Fault,
    MachineEvidence,
    Name,
    OmittedOrderEvidence,
    OrderEvidence,
    SignedBatch,
    SnapshotProof,
    UnknownNameEvidence,
    WrongRecordEvidence
} from "../../src/judge/Evidence.sol";
import { FaultJudge, JudgeTerms } from "../../src/judge/FaultJudge.sol";
import { Verdict } from "../../src/judge/IFaultJudge.sol";
import { MatchBatch, OrderSpec, OrderState, Policy, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { Candidate, Components, MatchRules, RoundFacts } from "../../src/rules/MatchRules.sol";
import { BidWord, BidWordLib } from "../../src/words/BidWord.sol";
import { MachineWord, MachineWordLib } from "../../src/words/MachineWord.sol";
import { OfferWord, OfferWordLib } from "../../src/words/OfferWord.sol";
import { OrderOwnerWord, OrderOwnerWordLib } from "../../src/words/OrderOwnerWord.sol";
import { OpenOrderFields, OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { ProviderWord, ProviderWordLib } from "../../src/words/ProviderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { Trie, TrieLib } from "./Trie.sol";
import { PackingTerms } from "../../src/rules/PackingTerms.sol";
import { PlainPacking } from "../rules/PlainPacking.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";

/// @notice A market of the test's own words, the block that holds them, operators who sign batches of it, and an engine of its own.
abstract contract JudgeFixture is Test {
    using TrieLib for Trie;

    uint256 internal constant MARKET_CHAIN_ID = 42_161;
    uint32 internal constant WINDOW = 7 days;
    uint64 internal constant ROUND = 100;
    uint64 internal constant SNAPSHOT_BLOCK = 5_000;
    uint256 internal constant SNAPSHOT_TIME = 1_800_000_000;
    uint16 internal constant USD = 1;
    uint16 internal constant EUR = 2;
    /// An offer or bid that is not given.
    uint8 internal constant NONE = 255;
    bytes32 private constant MATCH_BATCH_TYPEHASH = keccak256(
        "MatchBatch(uint64 round,uint64 snapshotBlock,bytes32 snapshotHash,bytes32 policyHash,bytes32 operatorSetKey,uint32 tableTimestamp,bytes32 tableHash,bytes32 recordsHash,uint32 matchCount)"
    );

    FaultJudge internal judge;
    IKeyRegistrar internal keyRegistrar;
    address internal settlement = makeAddr("settlement");
    address internal registry = makeAddr("providerRegistry");
    address internal orders = makeAddr("orderRequest");
    address internal verifier = makeAddr("certificateVerifier");
    address internal tenant = makeAddr("tenant");
    OperatorSet internal operatorSet = OperatorSet({ avs: makeAddr("avs"), id: 7 });

    /// Private keys and weights, in the table's order.
    uint256[] internal operatorKeys;
    uint96[] internal operatorWeights;
    Policy internal policy;
    /// Empty in version 1.
    PackingTerms internal packing;

    mapping(uint256 slot => uint256) internal words;
    uint256[] private _registrySlots;
    uint256[] private _orderSlots;
    mapping(uint32 orderId => OrderSpec) internal specs;
    uint32 internal machineCount;
    uint24 internal providerCount;
    uint32 internal orderCount;

    /// Levels of full branches, as in a large state.
    uint256 internal storageDepth;
    uint256 internal accountDepth;
    bytes internal header;
    bytes32 internal snapshotHash;

    function setUp() public virtual {
        vm.warp(SNAPSHOT_TIME + 60);
        policy = Policy({
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
            maxTableAgeSeconds: 30 days,
            coolRounds: 10,
            selfMatchRounds: 30,
            weightPackingBps: 0,
            packingHash: 0
        });
        _addOperators(4);
        judge = new FaultJudge(_terms());
    }

    function _terms() internal view virtual returns (JudgeTerms memory) {
        return JudgeTerms({
            marketChainId: MARKET_CHAIN_ID,
            settlement: settlement,
            providerRegistry: registry,
            orderRequest: orders,
            certificateVerifier: verifier,
            keyRegistrar: keyRegistrar,
            operatorSet: operatorSet,
            curve: CurveType.ECDSA,
            challengeWindowSeconds: WINDOW
        });
    }

    function _addOperators(uint256 count) internal {
        for (uint256 i = 0; i < count; i++) {
            operatorKeys.push(uint256(keccak256(abi.encode("operator", operatorKeys.length))));
            operatorWeights.push(100);
        }
    }

    // ---- words

    function _putRegistry(uint256 slot, uint256 word) internal {
        if (words[slot] == 0) _registrySlots.push(slot);
        words[slot] = word;
    }

    function _putOrders(uint256 slot, uint256 word) internal {
        if (words[slot] == 0) _orderSlots.push(slot);
        words[slot] = word;
    }

    function _addProvider(uint256 stakeWhole) internal returns (uint24 id) {
        id = ++providerCount;
        _setProvider(id, ProviderWordLib.encode(uint256(ProviderStatus.Active), 2).withStakeWhole(stakeWhole));
    }

    function _setProvider(uint24 id, ProviderWord word) internal {
        _putRegistry(Slots.provider(id), ProviderWord.unwrap(word));
    }

    /// Active, in region 33, with 64 cores, 256 GiB, 2 TiB and `gpus` free devices of model 7.
    function _addMachine(uint24 providerId, uint256 gpus) internal returns (uint32 id) {
        id = ++machineCount;
        uint256 devices = MachineWordLib.spread((1 << gpus) - 1, 1000);
        MachineWord word = MachineWordLib.encode(0, providerId, gpus == 0 ? 0 : 7, 33).withInterval(1, MachineWordLib.NO_ROUND);
        _setMachine(id, word.withFree(262_144, 64_000, 2_048, devices));
    }

    function _setMachine(uint32 id, MachineWord word) internal {
        _putRegistry(Slots.machine(id), MachineWord.unwrap(word));
    }

    function _machine(uint32 id) internal view returns (MachineWord) {
        return MachineWord.wrap(words[Slots.machine(id)]);
    }

    /// An offer whose price for an order is `perCore` times its cores and `perGpu` times its devices.
    function _addOffer(uint32 machineId, uint8 offerIndex, uint256 perGpu, uint256 perCore, uint16 tokenId) internal {
        _putRegistry(Slots.offer(machineId, offerIndex), OfferWord.unwrap(OfferWordLib.encode(1, perGpu, perCore, 0, 0, tokenId)));
        _setMachine(machineId, _machine(machineId).withOfferWritten(offerIndex));
    }

    /// Two cores, 4 GiB, 10 GiB of storage for an hour, at most 10 a hour.
    function _spec(uint16 milliGpu) internal pure returns (OrderSpec memory spec) {
        spec.milliGpu = milliGpu;
        spec.cpuMilli = 2_000;
        spec.memoryMib = 4_096;
        spec.storageGib = 10;
        spec.maxSlashes = 255;
        spec.tokenId = USD;
        spec.maxPriceMicroPerHour = 10_000_000;
        spec.durationMinutes = 60;
    }

    function _addOrder(OrderSpec memory spec) internal returns (uint32 id) {
        id = ++orderCount;
        _setSpec(id, spec);
        OrderOwnerWord owner =
            OrderOwnerWordLib.encode(tenant, spec.maxPriceMicroPerHour, spec.durationMinutes, uint32(SNAPSHOT_TIME + 1 hours));
        _putOrders(Slots.orderOwner(id), OrderOwnerWord.unwrap(owner));
    }

    /// Gives an order a spec and the open word that belongs to it.
    function _setSpec(uint32 id, OrderSpec memory spec) internal {
        specs[id] = spec;
        _putOrders(Slots.orderSpec(id), uint256(keccak256(abi.encode(spec))));
        OpenOrderFields memory fields;
        fields.untilRound = uint32(OrderWordLib.NO_ROUND);
        fields.eligibleFromBlock = uint32(SNAPSHOT_BLOCK - 10);
        fields.maxPriceMicroPerHour = spec.maxPriceMicroPerHour;
        fields.milliGpu = spec.milliGpu;
        fields.cpuMilli = spec.cpuMilli;
        fields.memoryMib = spec.memoryMib;
        fields.storageGib = spec.storageGib;
        fields.state = uint8(OrderState.Open);
        fields.tokenId = spec.tokenId;
        fields.expiresAt = uint32(SNAPSHOT_TIME + 1 hours);
        _setOrder(id, OrderWordLib.encodeOpen(fields));
    }

    function _setOrder(uint32 id, OrderWord word) internal {
        _putOrders(Slots.order(id), OrderWord.unwrap(word));
    }

    function _order(uint32 id) internal view returns (OrderWord) {
        return OrderWord.wrap(words[Slots.order(id)]);
    }

    function _addBid(uint32 orderId, uint32 machineId, uint40 price) internal returns (uint8 bidIndex) {
        bidIndex = uint8(_order(orderId).bidCount());
        BidWord word = BidWordLib.encode(type(uint32).max, machineId, price, 1, uint24(_machine(machineId).providerId()));
        _putOrders(Slots.bid(orderId, bidIndex), BidWord.unwrap(word));
        _setOrder(orderId, _order(orderId).withBidCount(bidIndex + 1));
    }

    /// Makes the block that holds all words as they are now.
    function _seal() internal {
        _putRegistry(Slots.REGISTRY_COUNTERS, (uint256(providerCount + 1) << 32) | (machineCount + 1));
        _putOrders(Slots.ORDERS_COUNTER, orderCount + 1);
        bytes[] memory fields = new bytes[](20);
        for (uint256 i = 0; i < 20; i++) {
            fields[i] = RLP.encode(keccak256(abi.encode("header", i)));
        }
        fields[3] = RLP.encode(_accounts().root());
        fields[8] = RLP.encode(uint256(SNAPSHOT_BLOCK));
        fields[11] = RLP.encode(SNAPSHOT_TIME);
        header = RLP.encode(fields);
        snapshotHash = keccak256(header);
    }

    function _trieOf(uint256[] storage slots) private view returns (Trie memory trie) {
        trie = Trie(new bytes32[](slots.length), new bytes[](slots.length), storageDepth);
        for (uint256 i = 0; i < slots.length; i++) {
            trie.keys[i] = keccak256(abi.encode(slots[i]));
            trie.values[i] = RLP.encode(words[slots[i]]);
        }
        trie.sort();
    }

    function _accounts() private view returns (Trie memory trie) {
        trie = Trie(new bytes32[](6), new bytes[](6), accountDepth);
        for (uint256 i = 0; i < 6; i++) {
            address account = i == 0 ? registry : i == 1 ? orders : address(uint160(i));
            bytes[] memory fields = new bytes[](4);
            fields[0] = RLP.encode(uint256(1));
            fields[1] = RLP.encode(uint256(0));
            fields[2] = RLP.encode(i == 0 ? _trieOf(_registrySlots).root() : i == 1 ? _trieOf(_orderSlots).root() : bytes32(i));
            fields[3] = RLP.encode(keccak256("code"));
            trie.keys[i] = keccak256(abi.encodePacked(account));
            trie.values[i] = RLP.encode(fields);
        }
        trie.sort();
    }

    function _proveRegistry(uint256 slot) internal view returns (bytes[] memory) {
        return _trieOf(_registrySlots).prove(keccak256(abi.encode(slot)));
    }

    function _proveOrders(uint256 slot) internal view returns (bytes[] memory) {
        return _trieOf(_orderSlots).prove(keccak256(abi.encode(slot)));
    }

    function _proveAccount(address account) internal view returns (bytes[] memory) {
        return _accounts().prove(keccak256(abi.encodePacked(account)));
    }

    // ---- batches

    function _batchOf(bytes memory records) internal view returns (MatchBatch memory batch) {
        batch.round = ROUND;
        batch.snapshotBlock = SNAPSHOT_BLOCK;
        batch.snapshotHash = snapshotHash;
        batch.policyHash = PolicyHash.ofMemory(policy);
        batch.operatorSetKey = bytes32(abi.encodePacked(operatorSet.avs, uint96(operatorSet.id)));
        batch.tableTimestamp = uint32(SNAPSHOT_TIME - 1 days);
        batch.tableHash = keccak256(_table());
        batch.recordsHash = keccak256(records);
        batch.matchCount = uint32(records.length / 32);
    }

    function _table() internal view virtual returns (bytes memory table) {
        for (uint256 i = 0; i < operatorKeys.length; i++) {
            table = abi.encodePacked(table, vm.addr(operatorKeys[i]), operatorWeights[i]);
        }
    }

    function _messageHash(MatchBatch memory batch) internal view returns (bytes32) {
        return _messageHashAt(batch, MARKET_CHAIN_ID, settlement);
    }

    function _messageHashAt(MatchBatch memory batch, uint256 chainId, address contract_) internal pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Matchmaker"),
                keccak256("1"),
                chainId,
                contract_
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(MATCH_BATCH_TYPEHASH, batch))));
    }

    function _digestOf(uint32 tableTimestamp, bytes32 messageHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,address verifyingContract)"),
                keccak256("EigenLayer"),
                keccak256("1"),
                verifier
            )
        );
        bytes32 hashed = keccak256(
            abi.encode(keccak256("ECDSACertificate(uint32 referenceTimestamp,bytes32 messageHash)"), tableTimestamp, messageHash)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, hashed));
    }

    /// The batch with the certificate of those operators whose bit is set.
    function _sign(MatchBatch memory batch, uint256 who) internal view virtual returns (SignedBatch memory signed) {
        signed.batch = batch;
        signed.table = _table();
        signed.certificate = _certificate(batch.tableTimestamp, _messageHash(batch), who);
    }

    function _certificate(uint32 tableTimestamp, bytes32 messageHash, uint256 who) internal view returns (bytes memory certificate) {
        bytes32 digest = _digestOf(tableTimestamp, messageHash);
        certificate = abi.encodePacked(who);
        for (uint256 i = 0; i < operatorKeys.length; i++) {
            if ((who >> i) & 1 == 0) continue;
            (bytes32 r, bytes32 vs) = vm.signCompact(operatorKeys[i], digest);
            certificate = abi.encodePacked(certificate, r, vs);
        }
    }

    function _everybody() internal view returns (uint256) {
        return type(uint256).max >> (256 - operatorKeys.length);
    }

    // ---- evidence

    function _batchEvidence(bytes memory records) internal view returns (BatchEvidence memory evidence) {
        evidence.signed = _sign(_batchOf(records), _everybody());
        evidence.policy = policy;
        evidence.packing = packing;
        evidence.records = records;
        evidence.snapshot = SnapshotProof(header, _proveAccount(registry), _proveAccount(orders));
    }

    function _orderEvidence(uint32 orderId) internal view returns (OrderEvidence memory evidence) {
        evidence.spec = specs[orderId];
        evidence.orderWord = _proveOrders(Slots.order(orderId));
        evidence.specHash = _proveOrders(Slots.orderSpec(orderId));
    }

    function _machineEvidence(uint32 machineId, uint8 offerIndex, uint32 orderId, uint8 bidIndex)
        internal
        view
        returns (MachineEvidence memory evidence)
    {
        evidence.machineId = machineId;
        evidence.machineWord = _proveRegistry(Slots.machine(machineId));
        evidence.providerWord = _proveRegistry(Slots.provider(_machine(machineId).providerId()));
        if (offerIndex != NONE) {
            evidence.offerIndex = offerIndex;
            evidence.offerWord = _proveRegistry(Slots.offer(machineId, offerIndex));
        }
        if (bidIndex != NONE) {
            evidence.bidIndex = bidIndex;
            evidence.bidWord = _proveOrders(Slots.bid(orderId, bidIndex));
        }
    }

    /// Evidence against a record with the source that it names.
    function _wrongRecord(bytes memory records, uint256 index) internal view returns (WrongRecordEvidence memory) {
        RecordWord record = _at(records, index);
        return record.fromBid()
            ? _wrongRecord(records, index, NONE, uint8(record.bidIndex()))
            : _wrongRecord(records, index, uint8(record.offerIndex()), NONE);
    }

    function _wrongRecord(bytes memory records, uint256 index, uint8 offerIndex, uint8 bidIndex)
        internal
        view
        returns (WrongRecordEvidence memory evidence)
    {
        RecordWord record = _at(records, index);
        evidence.batch = _batchEvidence(records);
        evidence.index = index;
        evidence.order = _orderEvidence(uint32(record.orderId()));
        evidence.machine = _machineEvidence(uint32(record.machineId()), offerIndex, uint32(record.orderId()), bidIndex);
    }

    function _betterCandidate(bytes memory records, uint256 index, uint32 machineId, uint8 offerIndex, uint8 bidIndex)
        internal
        view
        returns (BetterCandidateEvidence memory evidence)
    {
        RecordWord record = _at(records, index);
        evidence.batch = _batchEvidence(records);
        evidence.index = index;
        evidence.order = _orderEvidence(uint32(record.orderId()));
        evidence.winner = _machineEvidence(uint32(record.machineId()), NONE, 0, NONE);
        evidence.candidate = _machineEvidence(machineId, offerIndex, uint32(record.orderId()), bidIndex);
    }

    function _omittedOrder(bytes memory records, uint32 orderId, uint32 machineId, uint8 offerIndex, uint8 bidIndex)
        internal
        view
        returns (OmittedOrderEvidence memory evidence)
    {
        evidence.batch = _batchEvidence(records);
        evidence.orderId = orderId;
        evidence.order = _orderEvidence(orderId);
        evidence.candidate = _machineEvidence(machineId, offerIndex, orderId, bidIndex);
    }

    function _unknownName(bytes memory records, uint256 index, Name name) internal view returns (UnknownNameEvidence memory evidence) {
        RecordWord record = _at(records, index);
        evidence.batch = _batchEvidence(records);
        evidence.index = index;
        evidence.name = name;
        if (name == Name.Order) evidence.word = _proveOrders(Slots.ORDERS_COUNTER);
        if (name == Name.Machine) evidence.word = _proveRegistry(Slots.REGISTRY_COUNTERS);
        if (name == Name.Offer) evidence.word = _proveRegistry(Slots.machine(record.machineId()));
        if (name == Name.Bid) evidence.word = _proveOrders(Slots.order(record.orderId()));
        if (name == Name.Machine || name == Name.Offer) evidence.orderWord = _proveOrders(Slots.order(record.orderId()));
    }

    function _equivocation(SignedBatch memory first, SignedBatch memory second) internal pure returns (EquivocationEvidence memory) {
        return EquivocationEvidence(first, second);
    }

    // ---- verdicts

    function _verdict(Fault fault, bytes memory evidence) internal view returns (Verdict memory verdict) {
        verdict = judge.judge(fault, evidence);
        assertEq(uint8(verdict.fault), uint8(fault));
        assertEq(verdict.round, ROUND);
    }

    function _assertReverts(Fault fault, bytes memory evidence, bytes memory reason) internal {
        vm.expectRevert(reason);
        judge.judge(fault, evidence);
    }

    // ---- the engine, by itself

    function _facts() internal pure returns (RoundFacts memory) {
        return RoundFacts({ round: ROUND, snapshotBlock: SNAPSHOT_BLOCK, timestamp: SNAPSHOT_TIME });
    }

    /// The records of the round by the rules.
    function _match() internal view returns (bytes memory records) {
        MachineWord[] memory free = _freeNow();
        for (uint32 orderId = 1; orderId <= orderCount && records.length / 32 < policy.maxMatches; orderId++) {
            (bool found, RecordWord record) = _best(orderId, free);
            if (!found) continue;
            records = abi.encodePacked(records, RecordWord.unwrap(record));
            _reserve(free, record);
        }
    }

    function _freeNow() internal view returns (MachineWord[] memory free) {
        free = new MachineWord[](machineCount + 1);
        for (uint32 id = 1; id <= machineCount; id++) {
            free[id] = _machine(id);
        }
    }

    function _best(uint32 orderId, MachineWord[] memory free) internal view returns (bool found, RecordWord best) {
        uint256 bestTotal = 0;
        for (uint32 id = 1; id <= machineCount; id++) {
            (bool eligible, uint256 total, RecordWord record) = _placed(orderId, id, free[id]);
            if (!eligible) continue;
            bool precedes = record.providerId() < best.providerId() || (record.providerId() == best.providerId() && id < best.machineId());
            if (!found || total > bestTotal || (total == bestTotal && precedes)) (found, bestTotal, best) = (true, total, record);
        }
    }

    /// The order on one machine with `left` of it: whether it can be, the total and the record.
    function _placed(uint32 orderId, uint32 machineId, MachineWord left)
        internal
        view
        returns (bool eligible, uint256 total, RecordWord record)
    {
        OrderSpec memory spec = specs[orderId];
        RecordFields memory fields;
        Candidate memory candidate;
        candidate.machineId = machineId;
        candidate.machine = left;
        candidate.provider = ProviderWord.wrap(words[Slots.provider(left.providerId())]);
        (candidate.offer, fields.offerIndex) = _offerIn(machineId, spec.tokenId);
        (candidate.bid, fields.bidIndex) = _bidOn(orderId, machineId);
        if (MatchRules.rejection(_facts(), policy, _order(orderId), spec, candidate) != 0) return (false, 0, record);
        uint256 price;
        (price, fields.fromBid) = MatchRules.quote(_facts(), spec, candidate);
        uint256 mask = _maskOf(left, spec.milliGpu);
        fields.orderId = orderId;
        fields.machineId = machineId;
        fields.priceMicroPerHour = uint40(price);
        fields.deviceMask = uint8(mask);
        (fields.milliGpu, fields.cpuMilli, fields.memoryMib, fields.storageGib) =
        (spec.milliGpu, spec.cpuMilli, spec.memoryMib, spec.storageGib);
        fields.tokenId = spec.tokenId;
        fields.providerId = uint24(left.providerId());
        if (fields.fromBid) fields.offerIndex = 0;
        else fields.bidIndex = 0;
        return (true, _totalAt(orderId, candidate, price), RecordWordLib.encode(fields));
    }

    function _totalAt(uint32 orderId, Candidate memory candidate, uint256 price) internal view returns (uint256) {
        Components memory components = MatchRules.componentsOf(policy, specs[orderId], candidate, price);
        bytes32 seed = keccak256(abi.encodePacked(snapshotHash, ROUND));
        return MatchRules.baseOf(_facts(), policy, candidate.provider, components)
            + MatchRules.complianceOf(_facts(), policy, candidate.provider) * _packedAt(orderId, candidate.machine)
            + MatchRules.jitterOf(policy, seed, orderId, uint24(candidate.machine.providerId()));
    }

    /// Version 2 with these terms, and a weight for them that price gives up.
    function _pack(PackingTerms memory terms, uint16 weightBps) internal {
        packing = terms;
        policy.rulesVersion = 2;
        policy.weightPriceBps -= weightBps;
        policy.weightPackingBps = weightBps;
        policy.packingHash = keccak256(abi.encode(terms));
    }

    function _maskOf(MachineWord left, uint256 milliGpu) internal view returns (uint256 mask) {
        if (policy.rulesVersion == 2) return PlainPacking.maskOf(packing, PlainPacking.capacityOf(left), milliGpu);
        (, mask) = MatchRules.chooseDevices(left, milliGpu);
    }

    /// The weighted packing component, 0 in version 1.
    function _packedAt(uint32 orderId, MachineWord left) private view returns (uint256) {
        if (policy.rulesVersion == 1) return 0;
        uint256 greatest = PlainPacking.greatestLossOf(packing, specs[orderId]);
        uint256 kept = greatest - PlainPacking.lossOf(packing, specs[orderId], left);
        return uint256(policy.weightPackingBps) * 10_000 * kept / greatest;
    }

    function _offerIn(uint32 machineId, uint16 tokenId) internal view returns (OfferWord offer, uint8 offerIndex) {
        for (uint8 i = 0; i < 4; i++) {
            offer = OfferWord.wrap(words[Slots.offer(machineId, i)]);
            if (offer.tokenId() == tokenId) return (offer, i);
        }
        return (OfferWord.wrap(0), NONE);
    }

    /// The lowest live bid on the machine, the earliest of equal ones.
    function _bidOn(uint32 orderId, uint32 machineId) internal view returns (BidWord best, uint8 bidIndex) {
        bidIndex = NONE;
        for (uint8 i = 0; i < _order(orderId).bidCount(); i++) {
            BidWord bid = BidWord.wrap(words[Slots.bid(orderId, i)]);
            if (bid.machineId() != machineId || bid.providerId() != _machine(machineId).providerId() || ROUND >= bid.untilRound()) {
                continue;
            }
            if (bidIndex == NONE || bid.priceMicroPerHour() < best.priceMicroPerHour()) (best, bidIndex) = (bid, i);
        }
    }

    function _reserve(MachineWord[] memory free, RecordWord record) internal pure {
        MachineWord machine = free[record.machineId()];
        uint256 devices = 0;
        for (uint256 device = 0; device < 8; device++) {
            uint256 units = (record.deviceMask() >> device) & 1 == 0 ? 0 : record.milliGpu() < 1000 ? record.milliGpu() : 1000;
            devices |= (machine.freeMilliGpu(device) - units) << (10 * device);
        }
        free[record.machineId()] = machine.withFree(
            machine.freeMemoryMib() - record.memoryMib(),
            machine.freeCpuMilli() - record.cpuMilli(),
            machine.freeStorageGib() - record.storageGib(),
            devices
        );
    }

    // ---- records

    function _at(bytes memory records, uint256 index) internal pure returns (RecordWord record) {
        assembly ("memory-safe") {
            record := mload(add(add(records, 0x20), mul(index, 0x20)))
        }
    }

    /// The same records with another one at `index`.
    function _with(bytes memory records, uint256 index, uint256 record) internal pure returns (bytes memory changed) {
        changed = bytes.concat(records);
        assembly ("memory-safe") {
            mstore(add(add(changed, 0x20), mul(index, 0x20)), record)
        }
    }

    function _without(bytes memory records, uint256 index) internal pure returns (bytes memory changed) {
        for (uint256 i = 0; i < records.length / 32; i++) {
            if (i != index) changed = abi.encodePacked(changed, RecordWord.unwrap(_at(records, i)));
        }
    }
}
