// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { IComputeLease } from "../../src/market/IComputeLease.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { MachineSpec, MatchBatch, OfferTerms, OrderSpec, Policy, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { Candidate, MatchRules, RoundFacts } from "../../src/rules/MatchRules.sol";
import { PackingTerms } from "../../src/rules/PackingTerms.sol";
import { RoundRules, RulesByVersion } from "../../src/rules/RulesByVersion.sol";
import { BidWord } from "../../src/words/BidWord.sol";
import { MachineTotalsWord } from "../../src/words/MachineTotalsWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord } from "../../src/words/OfferWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { ScheduleWord } from "../../src/words/ScheduleWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { TestToken } from "../market/TestToken.sol";
import { MarketBase } from "../MarketBase.t.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";
import { RandomPacking } from "../rules/RandomPacking.sol";

/// @notice The promise that no honest record is ever skipped, over the whole market: whatever tenants, providers and governance do after
/// B(r), in whichever order and block, the batch that the rules give for the state of B(r) settles to the last record, in any block of
/// its span; by the version of the rules that governance scheduled for r, while it changes from one to the other.
contract HonestRoundTest is MarketBase {
    uint256 private constant BLOCKS = 72;
    uint256 private constant MOST_ORDERS = 24;
    uint32 private constant MACHINES = 4;
    uint16 private constant EUR = 2;

    uint256 private seed;
    uint256 private drawn;
    address[2] private owners;
    mapping(uint32 orderId => OrderSpec) private specs;
    mapping(bytes32 policyHash => Policy) private policies;
    mapping(bytes32 packingHash => PackingTerms) private packings;
    /// The batch of the newest snapshot, signed as soon as its block has a hash.
    MatchBatch private batch;
    bytes private records;
    uint256 private settledRounds;
    mapping(uint32 rulesVersion => uint256) private matched;

    function setUp() public override {
        super.setUp();
        TestToken euro = new TestToken("EUR", 6);
        assertEq(tokenRegistry.approveToken(address(euro), 0), EUR);
        euro.mint(tenant, 1e15);
        vm.startPrank(tenant);
        euro.approve(address(escrow), 1e15);
        escrow.deposit(EUR, 1e15);
        vm.stopPrank();
        _fund(tenant, 1e15);
        policies[PolicyHash.ofMemory(_defaultPolicy())] = _defaultPolicy();
        owners = [makeAddr("owner 0"), makeAddr("owner 1")];
        for (uint256 i; i < MACHINES; ++i) {
            _machine(i < 2 ? _provider(owners[i]) : uint24(1 + i % 2));
        }
    }

    /// forge-config: default.fuzz.runs = 24
    function testFuzz_noHonestRecordIsEverSkipped(uint256 seed_) public {
        _play(seed_);
    }

    /// The play settles rounds and matches orders; without this the promise could hold for an idle market.
    function test_thePlayReachesSettlements() public {
        _play(uint256(keccak256("honest round")));
        assertGt(settledRounds, 3);
        assertGt(matched[1], 2, "version 1");
        assertGt(matched[2], 2, "version 2");
    }

    function _play(uint256 seed_) private {
        seed = seed_;
        for (uint256 i; i < BLOCKS; ++i) {
            uint256 actions = 1 + _draw(4);
            // Before, between or after what others do in the block; in the last block of the span at the latest.
            uint256 settleBefore = _isLastBlock() ? _draw(actions) : _draw(3 * actions);
            for (uint256 action; action < actions; ++action) {
                if (action == settleBefore) _settlePending();
                _act();
            }
            uint32 round = matchPolicy.fromRoundNow();
            if (matchPolicy.snapshotBlock(round) == vm.getBlockNumber()) _takeSnapshot(round);
            _rollTo(vm.getBlockNumber() + 1);
        }
    }

    // ---- the honest operators

    function _isLastBlock() private view returns (bool) {
        return matchPolicy.snapshotBlock(matchPolicy.fromRoundNow()) == vm.getBlockNumber();
    }

    function _settlePending() private {
        if (records.length == 0) return;
        MatchBatch memory pending = batch;
        bytes memory pendingRecords = records;
        delete records;
        pending.snapshotHash = blockhash(pending.snapshotBlock);
        uint256 count = settlement.settle(pending, policies[pending.policyHash], pendingRecords, _sign(pending, ALL_SIGN));
        assertEq(count, pending.matchCount, "a record that held at the snapshot was skipped");
        ++settledRounds;
        matched[policies[pending.policyHash].rulesVersion] += count;
    }

    /// Matches every eligible order, ascending, to a machine that the rules let it have, reserving as it goes.
    function _takeSnapshot(uint32 round) private {
        (,, bytes32 policyHash) = matchPolicy.roundTerms(round);
        Policy memory policy = policies[policyHash];
        // Which machine is the best is not settlement's business, so no seed is needed.
        RoundRules memory rules =
            RoundRules(RoundFacts(round, vm.getBlockNumber(), vm.getBlockTimestamp()), policy, packings[policy.packingHash], 0);
        MachineWord[] memory machines = new MachineWord[](MACHINES);
        for (uint32 i; i < MACHINES; ++i) {
            machines[i] = MachineWord.wrap(_machineWord(i + 1));
        }
        bytes memory found;
        for (uint32 orderId = 1; orderId <= orderRequest.orderCount(); ++orderId) {
            found = bytes.concat(found, _matchOrder(rules, orderId, machines));
        }
        records = found;
        batch = _batch(round, found);
    }

    function _matchOrder(RoundRules memory rules, uint32 orderId, MachineWord[] memory machines) private returns (bytes memory) {
        OrderWord order = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        OrderSpec memory spec = specs[orderId];
        uint256 first = _draw(MACHINES);
        for (uint256 i; i < MACHINES; ++i) {
            uint256 index = (first + i) % MACHINES;
            (Candidate memory candidate, uint8 offerIndex) = _candidate(uint32(index + 1), machines[index], spec.tokenId);
            if (MatchRules.rejection(rules.facts, rules.policy, order, spec, candidate) != 0) continue;
            RecordFields memory fields = _fields(rules, orderId, spec, candidate, offerIndex);
            machines[index] = _reserved(machines[index], fields);
            return _encode(fields);
        }
        return "";
    }

    function _candidate(uint32 machineId, MachineWord machine, uint16 tokenId)
        private
        view
        returns (Candidate memory candidate, uint8 offerIndex)
    {
        bytes32 offer;
        for (; offerIndex < 3; ++offerIndex) {
            (offer,) = providerRegistry.offerWords(machineId, offerIndex);
            if (OfferWord.wrap(uint256(offer)).tokenId() == tokenId) break;
        }
        (offer,) = providerRegistry.offerWords(machineId, offerIndex);
        bytes32 provider = providerRegistry.providerWord(uint24(machine.providerId()));
        candidate = Candidate({
            machineId: machineId,
            machine: machine,
            provider: ProviderWord.wrap(uint256(provider)),
            offer: OfferWord.wrap(uint256(offer)),
            bid: BidWord.wrap(0)
        });
    }

    function _fields(RoundRules memory rules, uint32 orderId, OrderSpec memory spec, Candidate memory candidate, uint8 offerIndex)
        private
        pure
        returns (RecordFields memory fields)
    {
        (, uint256 mask) = RulesByVersion.chooseDevices(rules, candidate.machine, spec.milliGpu);
        fields = RecordFields({
            orderId: orderId,
            machineId: uint32(candidate.machineId),
            priceMicroPerHour: uint40(MatchRules.priceOf(spec, candidate.offer)),
            deviceMask: uint8(mask),
            milliGpu: spec.milliGpu,
            cpuMilli: spec.cpuMilli,
            memoryMib: spec.memoryMib,
            storageGib: spec.storageGib,
            offerIndex: offerIndex,
            fromBid: false,
            tokenId: spec.tokenId,
            providerId: uint24(candidate.machine.providerId()),
            bidIndex: 0
        });
    }

    function _reserved(MachineWord machine, RecordFields memory fields) private pure returns (MachineWord) {
        uint256 devices = MachineWord.unwrap(machine) & type(uint80).max;
        for (uint256 i; i < 8; ++i) {
            if ((fields.deviceMask >> i) & 1 != 0) devices -= uint256(fields.milliGpu < 1000 ? fields.milliGpu : 1000) << (10 * i);
        }
        return machine.withFree(
            machine.freeMemoryMib() - fields.memoryMib,
            machine.freeCpuMilli() - fields.cpuMilli,
            machine.freeStorageGib() - fields.storageGib,
            devices
        );
    }

    // ---- everybody else: calls that the rules refuse revert and change nothing

    function _act() private {
        uint256 kind = _draw(20);
        if (kind < 7) _order();
        else if (kind < 10) _endOrder();
        else if (kind < 12) _endLease();
        else if (kind < 17) _changeMachine();
        else if (kind == 17) _changeStanding();
        else if (kind == 18) _changeTable();
        else _changeSchedule();
    }

    function _order() private {
        if (orderRequest.orderCount() == MOST_ORDERS) return;
        OrderSpec memory spec = _spec();
        spec.milliGpu = [0, 250, 600, 1000, 3000, 8000][_draw(6)];
        spec.cpuMilli = uint24(1 + _draw(30_000));
        spec.memoryMib = uint24(_draw(120_000));
        spec.storageGib = uint24(_draw(900));
        spec.tokenId = uint16(1 + _draw(2));
        spec.maxPriceMicroPerHour = 60_000_000;
        // Some expire within the play.
        uint32 expiresAt = uint32(vm.getBlockTimestamp() + (_draw(2) == 0 ? 1 + _draw(30) : 1 days));
        vm.prank(tenant);
        if (!_try(address(orderRequest), abi.encodeCall(IOrderRequest.createOrder, (spec, expiresAt)))) return;
        specs[orderRequest.orderCount()] = spec;
    }

    function _endOrder() private {
        uint32 orderId = uint32(1 + _draw(MOST_ORDERS));
        uint256 how = _draw(3);
        vm.prank(tenant);
        if (how == 0) _try(address(orderRequest), abi.encodeCall(IOrderRequest.cancel, (orderId)));
        else if (how == 1) _try(address(orderRequest), abi.encodeCall(IOrderRequest.expire, (orderId)));
        else _try(address(orderRequest), abi.encodeCall(IOrderRequest.refund, (orderId)));
    }

    /// By its tenant for good, or by its provider before it was ready, which sends the order back to matching.
    function _endLease() private {
        uint256 who = _draw(3);
        vm.prank(who == 2 ? tenant : owners[who]);
        _try(address(computeLease), abi.encodeCall(IComputeLease.closeLease, (uint32(1 + _draw(MOST_ORDERS)))));
    }

    function _changeMachine() private {
        uint32 machineId = uint32(1 + _draw(MACHINES));
        uint256 kind = _draw(12);
        bytes memory call;
        if (kind < 3) call = abi.encodeCall(IProviderRegistry.activateMachine, (machineId));
        else if (kind < 5) call = abi.encodeCall(IProviderRegistry.deactivateMachine, (machineId));
        else if (kind < 8) call = abi.encodeCall(IProviderRegistry.setOffer, (machineId, uint8(_draw(3)), _randomOffer()));
        else if (kind == 8) call = abi.encodeCall(IProviderRegistry.withdrawOffer, (machineId, uint8(_draw(3))));
        else if (kind == 9) call = abi.encodeCall(IProviderRegistry.growMachine, (machineId, _randomSpec(machineId, true)));
        else if (kind == 10) call = abi.encodeCall(IProviderRegistry.reconfigureMachine, (machineId, _randomSpec(machineId, false)));
        else if (_draw(6) == 0) call = abi.encodeCall(IProviderRegistry.retireMachine, (machineId));
        else return;
        vm.prank(owners[(machineId - 1) % 2]);
        _try(address(providerRegistry), call);
    }

    function _randomOffer() private returns (OfferTerms memory terms) {
        terms = _offer();
        terms.tokenId = uint16(1 + _draw(2));
        terms.gpuMicroPerHour = uint40(_draw(5_000_000));
        terms.coreMicroPerHour = uint32(_draw(50_000));
    }

    function _randomSpec(uint32 machineId, bool grow) private returns (MachineSpec memory spec) {
        (, bytes32 m1) = providerRegistry.machineWords(machineId);
        MachineTotalsWord totals = MachineTotalsWord.wrap(uint256(m1));
        MachineWord machine = MachineWord.wrap(_machineWord(machineId));
        spec.deviceCount = uint8(grow ? totals.deviceCount() : _draw(9));
        spec.model = spec.deviceCount == 0 ? 0 : uint16(grow ? machine.model() : 7 + _draw(2));
        spec.region = uint16(grow ? machine.region() : 3 + _draw(2));
        spec.cpuMilli = uint24(grow ? totals.cpuMilli() + 1 : 1 + _draw(64_000));
        spec.memoryMib = uint24(grow ? totals.memoryMib() + 1 : _draw(262_144));
        spec.storageGib = uint24(grow ? totals.storageGib() + 1 : _draw(2000));
    }

    /// Provider facts and tokens, which settlement does not read.
    function _changeStanding() private {
        uint24 providerId = uint24(1 + _draw(2));
        uint256 kind = _draw(4);
        if (kind == 0) {
            ProviderStatus status = _draw(2) == 0 ? ProviderStatus.Suspended : ProviderStatus.Active;
            _try(address(providerRegistry), abi.encodeCall(IProviderRegistry.setProviderStatus, (providerId, status)));
        } else if (kind == 1) {
            vm.prank(owners[providerId - 1]);
            _try(address(providerRegistry), abi.encodeCall(IProviderRegistry.setMaintenance, (providerId, _draw(2) == 0)));
        } else if (kind == 2) {
            _try(address(tokenRegistry), abi.encodeCall(tokenRegistry.revokeToken, (EUR)));
        } else {
            _try(address(tokenRegistry), abi.encodeCall(tokenRegistry.reinstateToken, (EUR)));
        }
    }

    function _changeTable() private {
        if (verifier.latestReferenceTimestamp(operatorSet) >= vm.getBlockTimestamp()) return;
        uint256[] memory weights = _weights();
        weights[0] += _draw(1000);
        _setTable(weights, uint32(vm.getBlockTimestamp()), MAX_TABLE_STALENESS);
        settlement.recordTable("");
    }

    function _changeSchedule() private {
        (uint256 newest,,) = ScheduleWord.wrap(uint256(vm.load(address(matchPolicy), bytes32(Slots.SCHEDULE)))).newest();
        uint32 next = matchPolicy.fromRoundNow();
        if (newest >= next) return;
        Policy memory policy = _defaultPolicy();
        policy.coolRounds = uint32(_draw(12));
        PackingTerms memory packing;
        if (_draw(2) == 0) {
            packing = RandomPacking.terms(_draw(type(uint256).max));
            policy.rulesVersion = 2;
            policy.weightPackingBps = uint16(_draw(uint256(policy.weightPriceBps) + 1));
            policy.weightPriceBps -= policy.weightPackingBps;
            policy.packingHash = PolicyHash.ofPacking(packing);
            packings[policy.packingHash] = packing;
        }
        policies[PolicyHash.ofMemory(policy)] = policy;
        matchPolicy.schedule(next + 2 + uint32(_draw(2)), uint16(1 + _draw(8)), policy, packing);
    }

    function _try(address target, bytes memory call) private returns (bool done) {
        (done,) = target.call(call);
    }

    function _draw(uint256 below) private returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++drawn))) % below;
    }
}
