// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { MachineSpec, OfferTerms } from "../../src/market/MarketTypes.sol";
import { Facts } from "../../src/words/Facts.sol";
import { MachineTotalsWord } from "../../src/words/MachineTotalsWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord } from "../../src/words/OfferWord.sol";
import { OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { ScheduleWord } from "../../src/words/ScheduleWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { RegistryFixture } from "./RegistryFixture.sol";
import { noPacking } from "../rules/NoPacking.sol";

/// @notice The promise that no honest record is ever skipped: in every block of the span in which round r may settle, the live words
/// read for r say what the snapshot at B(r) said, whatever the provider does, however often, in whichever block.
contract ProviderRegistryRoundsTest is RegistryFixture {
    uint256 private constant MACHINES = 3;
    uint256 private constant BLOCKS = 48;

    /// What the engine saw of a machine at B(r).
    struct Seen {
        bool active;
        uint256 identity;
        uint256 free;
        uint256[2] offers;
    }

    uint24 private providerId;
    uint256 private seed;
    uint256 private drawn;
    Seen[MACHINES + 1] private seen;
    uint32 private seenRound;
    bool private settled;
    OrderWord[] private leases;
    uint256 private compared;

    function setUp() public override { }

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_LiveWordsOfARoundSayWhatItsSnapshotSaid(uint256 seed_, uint8 length) public {
        seed = seed_;
        vm.roll(1000);
        vm.warp(1_800_000_000);
        _deploy(uint16(bound(length, 1, 8)));
        vm.recordLogs();
        providerId = _provider(owner, 1_000_000);
        for (uint32 i; i < MACHINES; ++i) {
            vm.prank(owner);
            registry.registerMachine(providerId, _spec(uint8(i * 3)));
        }
        for (uint256 i; i < BLOCKS; ++i) {
            uint256 actions = _draw(4);
            for (uint256 action; action < actions; ++action) {
                _act();
                _compare();
            }
            _reserveOnce();
            // The snapshot of a round is the state after the last transaction of its block.
            uint32 round = matchPolicy.fromRoundNow();
            if (matchPolicy.snapshotBlock(round) == block.number) _look(round);
            vm.roll(block.number + 1);
            _compare();
            _assertCapacityAddsUp();
        }
        // Each round is looked at once at the least, in the block after its snapshot.
        assertGe(compared, MACHINES * (BLOCKS / 8 - 1));
        _assertFactsFold();
    }

    /// One random call; those that the rules refuse revert and change nothing.
    function _act() private {
        uint32 machineId = uint32(1 + _draw(MACHINES));
        uint256 kind = _draw(11);
        vm.startPrank(owner);
        if (kind < 2) _try(abi.encodeCall(IProviderRegistry.activateMachine, (machineId)));
        if (kind == 2) _try(abi.encodeCall(IProviderRegistry.deactivateMachine, (machineId)));
        if (kind == 3 || kind == 4) {
            OfferTerms memory terms = _terms();
            terms.gpuMicroPerHour = uint40(1 + _draw(1e6));
            _try(abi.encodeCall(IProviderRegistry.setOffer, (machineId, uint8(_draw(2)), terms)));
        }
        if (kind == 5) _try(abi.encodeCall(IProviderRegistry.withdrawOffer, (machineId, uint8(_draw(2)))));
        if (kind == 6) _try(abi.encodeCall(IProviderRegistry.growMachine, (machineId, _randomSpec(machineId, true))));
        if (kind == 7) _try(abi.encodeCall(IProviderRegistry.reconfigureMachine, (machineId, _randomSpec(machineId, false))));
        if (kind == 8 && _draw(4) == 0) _try(abi.encodeCall(IProviderRegistry.retireMachine, (machineId)));
        vm.stopPrank();
        if (kind == 9 && leases.length != 0) {
            vm.prank(computeLease);
            registry.release(bytes32(OrderWord.unwrap(leases[leases.length - 1])));
            leases.pop();
        }
        if (kind == 10 && leases.length != 0) _moveOne();
        if (kind == 8 && _draw(8) == 0) {
            (uint256 newest,,) = ScheduleWord.wrap(uint256(vm.load(address(matchPolicy), bytes32(Slots.SCHEDULE)))).newest();
            uint32 next = matchPolicy.fromRoundNow();
            if (newest < next) matchPolicy.schedule(next + 2 + uint32(_draw(3)), uint16(1 + _draw(8)), _policy(), noPacking());
        }
    }

    /// A lease that shrinks at any time, or grows once the open round has settled, as the gate has it.
    function _moveOne() private {
        OrderWord lease = leases[leases.length - 1];
        uint32 open = matchPolicy.openRound();
        uint256 cpuMilli = settled && open == seenRound ? 1 + _draw(1000) : 1 + _draw(lease.cpuMilli());
        uint256 word = (OrderWord.unwrap(lease) & ~(uint256(type(uint24).max) << 104)) | (cpuMilli << 104);
        vm.prank(computeLease);
        try registry.moveCapacity(bytes32(OrderWord.unwrap(lease)), bytes32(word), open) {
            leases[leases.length - 1] = OrderWord.wrap(word);
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), IProviderRegistry.CapacityRefused.selector);
            assertGt(cpuMilli, lease.cpuMilli(), "what shrinks is never refused");
        }
    }

    function _randomSpec(uint32 machineId, bool grow) private returns (MachineSpec memory spec) {
        MachineTotalsWord totals = _m1(machineId);
        spec.deviceCount = uint8(grow ? totals.deviceCount() + (totals.deviceCount() == 0 ? 0 : _draw(2)) : _draw(9));
        if (spec.deviceCount > 8) spec.deviceCount = 8;
        spec.model = spec.deviceCount == 0 ? 0 : uint16(grow ? _m0(machineId).model() : 7 + _draw(2));
        spec.region = uint16(grow ? _m0(machineId).region() : 33 + _draw(2));
        spec.cpuMilli = uint24(grow ? totals.cpuMilli() + 1 + _draw(100) : 1 + _draw(70_000));
        spec.memoryMib = uint24(grow ? totals.memoryMib() + _draw(100) : _draw(300_000));
        spec.storageGib = uint24(grow ? totals.storageGib() + _draw(100) : _draw(5000));
    }

    /// At most one batch a round: a record that fits what is left, or one that is too large and so benches.
    function _reserveOnce() private {
        if (seenRound == 0 || settled || _draw(8) != 0) return;
        settled = true;
        RecordFields memory record;
        record.orderId = 1;
        record.machineId = uint32(1 + _draw(MACHINES));
        (record.providerId, record.fromBid) = (providerId, true);
        record.cpuMilli = _draw(6) == 0 ? 200_000 : 500;
        if (_m0(record.machineId).freeMilliGpu(0) >= 300) (record.milliGpu, record.deviceMask) = (300, 1);
        vm.prank(settlement);
        (uint256[] memory skipped, uint256[] memory benched) = registry.reserve(
            abi.encodePacked(RecordWord.unwrap(RecordWordLib.encode(record))), seenRound, seenRound + 1 + uint32(_draw(4))
        );
        bool fits = seen[record.machineId].active && record.cpuMilli <= _freeCpu(seen[record.machineId].free);
        if (fits) assertEq(skipped[0], 0, "a record that held at the snapshot was skipped");
        if (!seen[record.machineId].active) assertEq(benched[0], 1, "a machine inactive at the snapshot was taken");
        if (skipped[0] == 0) leases.push(OrderWordLib.leaseOf(RecordWordLib.encode(record), block.timestamp));
    }

    function _look(uint32 round) private {
        seenRound = round;
        settled = false;
        for (uint32 machineId = 1; machineId <= MACHINES; ++machineId) {
            MachineWord machine = _m0(machineId);
            Seen storage entry = seen[machineId];
            entry.active = machine.isActiveIn(round);
            entry.identity = uint24(MachineWord.unwrap(machine) >> 148) % (1 << 20);
            entry.free = MachineWord.unwrap(machine) & type(uint144).max;
            for (uint8 offerIndex; offerIndex < 2; ++offerIndex) {
                (bytes32 newest,) = registry.offerWords(machineId, offerIndex);
                // At B(r) the newest terms are always in force.
                assertLe(OfferWord.wrap(uint256(newest)).fromRound(), round);
                entry.offers[offerIndex] = uint256(newest) & type(uint224).max;
            }
        }
    }

    /// What settlement would read for the round now, against what its snapshot said.
    function _compare() private {
        if (seenRound == 0 || settled || matchPolicy.openRound() != seenRound) return;
        for (uint32 machineId = 1; machineId <= MACHINES; ++machineId) {
            MachineWord machine = _m0(machineId);
            Seen storage entry = seen[machineId];
            assertEq(machine.isActiveIn(seenRound), entry.active, "activity");
            for (uint8 offerIndex; offerIndex < 2; ++offerIndex) {
                (bytes32 newest, bytes32 previous) = registry.offerWords(machineId, offerIndex);
                uint256 terms = OfferWord.wrap(uint256(newest)).fromRound() <= seenRound ? uint256(newest) : uint256(previous);
                assertEq(terms & type(uint224).max, entry.offers[offerIndex], "offer terms");
            }
            if (entry.active) {
                assertEq(uint24(MachineWord.unwrap(machine) >> 148) % (1 << 20), entry.identity, "model and region");
                MachineWord before = MachineWord.wrap(entry.free);
                assertGe(machine.freeCpuMilli(), before.freeCpuMilli(), "cpu");
                assertGe(machine.freeMemoryMib(), before.freeMemoryMib(), "memory");
                assertGe(machine.freeStorageGib(), before.freeStorageGib(), "storage");
                for (uint256 device; device < 8; ++device) {
                    assertGe(machine.freeMilliGpu(device), before.freeMilliGpu(device), "device");
                }
            }
            ++compared;
        }
    }

    /// What is free and what is leased is what the machine has, in every dimension and on every device.
    function _assertCapacityAddsUp() private view {
        for (uint32 machineId = 1; machineId <= MACHINES; ++machineId) {
            MachineWord machine = _m0(machineId);
            MachineTotalsWord totals = _m1(machineId);
            uint256 leasedCpu;
            uint256 leasedGpu;
            for (uint256 i; i < leases.length; ++i) {
                if (leases[i].machineId() != machineId) continue;
                leasedCpu += leases[i].cpuMilli();
                leasedGpu += leases[i].milliGpu();
            }
            assertEq(machine.freeCpuMilli() + leasedCpu, totals.cpuMilli(), "cpu");
            assertEq(machine.freeMemoryMib(), totals.memoryMib(), "memory");
            assertEq(machine.freeStorageGib(), totals.storageGib(), "storage");
            for (uint256 device; device < 8; ++device) {
                uint256 whole = device < totals.deviceCount() ? 1000 : 0;
                assertEq(machine.freeMilliGpu(device) + (device == 0 ? leasedGpu : 0), whole, "device");
            }
        }
    }

    /// Folding the events again gives the facts word; a node that does so knows it has missed none.
    function _assertFactsFold() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 word;
        uint256 folded;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != address(registry) || logs[i].topics[0] != IProviderRegistry.Fact.selector) continue;
            word = Facts.fold(word, uint256(logs[i].topics[1]), uint256(abi.decode(logs[i].data, (bytes32))));
            ++folded;
        }
        assertGt(folded, MACHINES);
        assertEq(uint256(registry.factsWord()), word);
    }

    function _freeCpu(uint256 free) private pure returns (uint256) {
        return MachineWord.wrap(free).freeCpuMilli();
    }

    function _m1(uint32 machineId) private view returns (MachineTotalsWord) {
        (, bytes32 m1) = registry.machineWords(machineId);
        return MachineTotalsWord.wrap(uint256(m1));
    }

    function _try(bytes memory call) private {
        (bool done,) = address(registry).call(call);
        // Which calls the rules refuse is the subject of other tests.
        done;
    }

    function _draw(uint256 below) private returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++drawn))) % below;
    }
}
