// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { OfferTerms, SkipReason } from "../../src/market/MarketTypes.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord } from "../../src/words/OfferWord.sol";
import { OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { RegistryFixture } from "./RegistryFixture.sol";

/// @notice Settlement's and the leases' side of the registry: which records hold, what they take, what comes back.
contract ProviderRegistryReserveTest is RegistryFixture {
    uint32 private constant ROUND = 3;
    uint32 private constant BENCH_FROM = 14;

    uint24 private providerId;
    uint32 private machineId;

    function setUp() public override {
        super.setUp();
        providerId = _provider(owner, 1_000_000);
        machineId = _machine(providerId, 8);
        _openRound(ROUND);
    }

    // ---- reserve

    function test_ReserveTakesCapacityAndNothingElse() public {
        uint256 before = MachineWord.unwrap(_m0(machineId));
        bytes32 facts = registry.factsWord();
        RecordFields memory record = _record();
        (record.milliGpu, record.deviceMask) = (3000, 0x92);
        record.priceMicroPerHour = _price(record);
        (uint256 skipped, uint256 benched) = _reserve(_encode(record));
        assertEq(skipped, 0);
        assertEq(benched, 0);
        MachineWord machine = _m0(machineId);
        for (uint256 device; device < 8; ++device) {
            assertEq(machine.freeMilliGpu(device), (0x92 >> device) & 1 == 1 ? 0 : 1000);
        }
        assertEq(machine.freeCpuMilli(), 64_000 - 8000);
        assertEq(machine.freeMemoryMib(), 262_144 - 32_768);
        assertEq(machine.freeStorageGib(), 4096 - 100);
        assertEq(MachineWord.unwrap(machine) >> 144, before >> 144);
        assertEq(registry.factsWord(), facts, "settlement folds once, in its own word");
    }

    function test_SharesOfOneDeviceAddUpToAWhole() public {
        RecordFields memory record = _record();
        (record.milliGpu, record.deviceMask) = (600, 0x80);
        record.priceMicroPerHour = _price(record);
        RecordFields memory second = _record();
        (second.orderId, second.milliGpu, second.deviceMask) = (2, 400, 0x80);
        second.priceMicroPerHour = _price(second);
        RecordFields memory third = _record();
        (third.orderId, third.milliGpu, third.deviceMask) = (3, 1, 0x80);
        third.priceMicroPerHour = _price(third);
        (uint256 skipped, uint256 benched) = _reserve(bytes.concat(_encode(record), _encode(second), _encode(third)));
        assertEq(skipped, 4);
        assertEq(benched, 4);
        assertEq(_m0(machineId).freeMilliGpu(7), 0);
    }

    function test_SkipsUnknownMachineWithoutBench() public {
        RecordFields memory record = _record();
        record.machineId = 77;
        _assertSkip(record, SkipReason.MachineUnknown, false);
        assertEq(MachineWord.unwrap(_m0(77)), 0);
    }

    function test_SkipsAndBenchesInactiveMachine() public {
        vm.prank(owner);
        registry.deactivateMachine(machineId);
        _openRound(ROUND + 1);
        vm.prank(settlement);
        (uint256[] memory skipped, uint256[] memory benched) = registry.reserve(_encode(_record()), ROUND + 1, BENCH_FROM);
        assertEq(skipped[0] & benched[0], 1);
        assertEq(_m0(machineId).activeFromRound(), BENCH_FROM);
    }

    function test_SkipsWrongProviderWithoutBench() public {
        RecordFields memory record = _record();
        record.providerId = providerId + 1;
        _assertSkip(record, SkipReason.ProviderMismatch, false);
    }

    function test_SkipsMaskThatDoesNotFitTheMilliGpu() public {
        uint16[2][9] memory wrong = [
            [uint16(0), 1],
            [uint16(500), 0],
            [uint16(500), 3],
            [uint16(1000), 0],
            [uint16(1000), 3],
            [uint16(1500), 3],
            [uint16(8000), 0x7f],
            [uint16(9000), 0xff],
            [uint16(65_535), 0xff]
        ];
        for (uint256 i; i < wrong.length; ++i) {
            RecordFields memory record = _record();
            (record.milliGpu, record.deviceMask) = (wrong[i][0], uint8(wrong[i][1]));
            record.priceMicroPerHour = uint40(_price(record));
            _assertSkip(record, SkipReason.DeviceMask, false);
        }
    }

    function test_SkipsAndBenchesOnEachShortCapacity() public {
        RecordFields memory record = _record();
        record.cpuMilli = 64_001;
        _assertSkipAndRestore(record, SkipReason.MachineCapacity, true);
        record = _record();
        record.cpuMilli = type(uint24).max;
        _assertSkipAndRestore(record, SkipReason.MachineCapacity, true);
        record = _record();
        record.memoryMib = 262_145;
        _assertSkipAndRestore(record, SkipReason.MachineCapacity, true);
        record = _record();
        record.storageGib = 4097;
        _assertSkipAndRestore(record, SkipReason.MachineCapacity, true);

        uint32 small = _smallMachine();
        record = _record();
        (record.machineId, record.deviceMask) = (small, 0x04);
        record.priceMicroPerHour = _price(record);
        _assertSkipAndRestore(record, SkipReason.MachineCapacity, true);
    }

    function test_SkipsAndBenchesMissingOffer() public {
        RecordFields memory record = _record();
        record.offerIndex = 1;
        _assertSkipAndRestore(record, SkipReason.OfferMissing, true);
        record = _record();
        record.tokenId = tokenId + 1;
        _assertSkipAndRestore(record, SkipReason.OfferMissing, true);
        // A withdrawn offer has token 0, which no record may claim as its own.
        record = _record();
        (record.offerIndex, record.tokenId, record.priceMicroPerHour) = (1, 0, 0);
        _assertSkipAndRestore(record, SkipReason.OfferMissing, true);
    }

    function test_SkipsWrongPriceWithoutBench() public {
        RecordFields memory record = _record();
        record.priceMicroPerHour += 1;
        _assertSkip(record, SkipReason.OfferPrice, false);
        record.priceMicroPerHour -= 2;
        _assertSkip(record, SkipReason.OfferPrice, false);
    }

    function test_BidRecordNeedsNoOffer() public {
        RecordFields memory record = _record();
        (record.fromBid, record.offerIndex, record.priceMicroPerHour, record.bidIndex) = (true, 0, 17, 3);
        vm.prank(owner);
        registry.withdrawOffer(machineId, 0);
        _openRound(ROUND + 1);
        vm.prank(settlement);
        (uint256[] memory skipped,) = registry.reserve(_encode(record), ROUND + 1, BENCH_FROM);
        assertEq(skipped[0], 0);
        assertEq(_m0(machineId).freeCpuMilli(), 64_000 - 8000);
    }

    function test_OfferChangedInTheSpanLeavesTheTermsOfTheRound() public {
        OfferTerms memory terms = _terms();
        terms.gpuMicroPerHour = 9_000_000;
        vm.startPrank(owner);
        registry.setOffer(machineId, 0, terms);
        // A second change in the span must not overwrite what the open round reads.
        registry.withdrawOffer(machineId, 0);
        vm.stopPrank();
        (uint256 skipped,) = _reserve(_encode(_record()));
        assertEq(skipped, 0);
    }

    function test_BenchedMachineSitsOutTheRestOfTheBatch() public {
        RecordFields memory record = _record();
        record.cpuMilli = 64_001;
        RecordFields memory second = _record();
        second.orderId = 2;
        uint256 freeBefore = MachineWord.unwrap(_m0(machineId)) & type(uint144).max;
        (uint256 skipped, uint256 benched) = _reserve(bytes.concat(_encode(record), _encode(second)));
        assertEq(skipped, 3);
        assertEq(benched, 3);
        assertEq(MachineWord.unwrap(_m0(machineId)) & type(uint144).max, freeBefore);
    }

    function test_BenchNeverShortensACoolDown() public {
        RecordFields memory record = _record();
        record.cpuMilli = 64_001;
        vm.startPrank(settlement);
        registry.reserve(_encode(record), ROUND, 50);
        registry.reserve(_encode(record), ROUND, BENCH_FROM);
        vm.stopPrank();
        assertEq(_m0(machineId).activeFromRound(), 50);
    }

    function test_BitmapsHaveOneWordFor256Records() public {
        RecordFields memory record = _record();
        record.providerId = 99;
        bytes memory records;
        for (uint32 i; i < 257; ++i) {
            record.orderId = i + 1;
            records = bytes.concat(records, _encode(record));
        }
        vm.prank(settlement);
        (uint256[] memory skipped, uint256[] memory benched) = registry.reserve(records, ROUND, BENCH_FROM);
        assertEq(skipped.length, 2);
        assertEq(benched.length, 2);
        assertEq(skipped[0], type(uint256).max);
        assertEq(skipped[1], 1);
    }

    function test_RevertIf_CallerIsNotSettlement() public {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotAuthorized.selector, address(this)));
        registry.reserve("", ROUND, BENCH_FROM);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotAuthorized.selector, address(this)));
        registry.giveBack("", new uint256[](0));
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotAuthorized.selector, address(this)));
        registry.release(bytes32(0));
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotAuthorized.selector, address(this)));
        registry.standDown(machineId);
    }

    // ---- give back and release

    function test_GiveBackReturnsTheMarkedRecordsOnly() public {
        RecordFields memory record = _record();
        RecordFields memory second = _record();
        (second.orderId, second.deviceMask) = (2, 2);
        bytes memory records = bytes.concat(_encode(record), _encode(second));
        uint256 whole = MachineWord.unwrap(_m0(machineId));
        _reserve(_encode(record));
        uint256 afterFirst = MachineWord.unwrap(_m0(machineId));
        _reserve(_encode(second));
        uint256[] memory which = new uint256[](1);
        which[0] = 2;
        vm.prank(settlement);
        registry.giveBack(records, which);
        assertEq(MachineWord.unwrap(_m0(machineId)), afterFirst);
        which[0] = 1;
        vm.prank(settlement);
        registry.giveBack(records, which);
        assertEq(MachineWord.unwrap(_m0(machineId)), whole);
    }

    function test_GiveBackOfABenchedMachineKeepsTheBench() public {
        RecordFields memory tooLarge = _record();
        (tooLarge.orderId, tooLarge.cpuMilli) = (2, 64_000);
        bytes memory records = bytes.concat(_encode(_record()), _encode(tooLarge));
        uint256 free = MachineWord.unwrap(_m0(machineId)) & type(uint144).max;
        _reserve(records);
        uint256[] memory which = new uint256[](1);
        which[0] = 1;
        vm.prank(settlement);
        registry.giveBack(records, which);
        assertEq(_m0(machineId).activeFromRound(), BENCH_FROM);
        assertEq(MachineWord.unwrap(_m0(machineId)) & type(uint144).max, free);
    }

    function test_ReleaseReturnsTheLeaseAtOnceAndIsAFact() public {
        RecordFields memory record = _record();
        (record.milliGpu, record.deviceMask) = (250, 0x20);
        record.priceMicroPerHour = _price(record);
        uint256 whole = MachineWord.unwrap(_m0(machineId));
        _reserve(_encode(record));
        OrderWord lease = OrderWordLib.leaseOf(RecordWordLib.encode(record), block.timestamp);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.Fact(Slots.machine(machineId), bytes32(whole));
        vm.prank(computeLease);
        registry.release(bytes32(OrderWord.unwrap(lease)));
        assertEq(MachineWord.unwrap(_m0(machineId)), whole);
    }

    /// From the next round on: a batch of the open one may still take the machine. One that its owner took out stays as it is.
    function test_AMachineStandsDownFromTheNextRoundOn() public {
        uint32 next = matchPolicy.fromRoundNow();
        vm.expectEmit(address(registry));
        emit IProviderRegistry.MachineDeactivated(machineId, next);
        vm.startPrank(computeLease);
        registry.standDown(machineId);
        bytes32 fact = registry.factsWord();
        registry.standDown(machineId);
        assertEq(registry.factsWord(), fact, "nothing to write");
        assertEq(_m0(machineId).activeUntilRound(), next);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.MachineNotFound.selector, 99));
        registry.standDown(99);
        vm.stopPrank();
    }

    // ---- the whole of it against a plain model

    struct Seen {
        uint256 from;
        uint256 until;
        uint256 providerId;
        uint256 cpuMilli;
        uint256 memoryMib;
        uint256 storageGib;
        uint256[8] devices;
    }

    /// Words that no sequence of calls may reach are stored directly: reserve must agree with the model on any of them.
    function testFuzz_ReserveAgreesWithPlainModel(
        RecordFields memory record,
        uint256 machineSeed,
        uint256 newestSeed,
        uint256 previousSeed,
        uint8 shape
    ) public {
        record.machineId = machineId;
        _shapeRecord(record, shape);
        Seen memory machine = _shapeMachine(machineSeed, record.providerId);
        OfferWord newest = _shapeOffer(newestSeed, record.tokenId);
        OfferWord previous = _shapeOffer(previousSeed, record.tokenId);
        _store(Slots.machine(machineId), _pack(machine));
        _store(Slots.offer(machineId, record.offerIndex), OfferWord.unwrap(newest));
        _store(Slots.offerPrevious(machineId, record.offerIndex), OfferWord.unwrap(previous));
        OfferWord terms = newest.fromRound() > ROUND ? previous : newest;
        // Most records name the right price, or the last check would never be the one that passes.
        if (shape % 8 != 0) record.priceMicroPerHour = uint40(_modelPrice(record, terms));

        SkipReason expected = _modelReason(record, machine, terms);
        if (expected == SkipReason.None) {
            machine.cpuMilli -= record.cpuMilli;
            machine.memoryMib -= record.memoryMib;
            machine.storageGib -= record.storageGib;
            for (uint256 i; i < 8; ++i) {
                if ((record.deviceMask >> i) & 1 == 1) machine.devices[i] -= record.milliGpu < 1000 ? record.milliGpu : 1000;
            }
        } else {
            vm.expectEmit(address(registry));
            emit IProviderRegistry.RecordSkipped(record.orderId, machineId, expected);
        }
        bool benches =
            expected == SkipReason.MachineInactive || expected == SkipReason.MachineCapacity || expected == SkipReason.OfferMissing;
        if (benches && machine.from < BENCH_FROM) machine.from = BENCH_FROM;

        (uint256 skipped, uint256 benched) = _reserve(_encode(record));
        assertEq(skipped, expected == SkipReason.None ? 0 : 1, "left out");
        assertEq(benched, benches ? 1 : 0, "benched");
        assertEq(MachineWord.unwrap(_m0(machineId)), _pack(machine), "machine word");
    }

    function _modelReason(RecordFields memory record, Seen memory machine, OfferWord terms) private pure returns (SkipReason) {
        if (_pack(machine) == 0) return SkipReason.MachineUnknown;
        if (!(machine.from <= ROUND && ROUND < machine.until)) return SkipReason.MachineInactive;
        if (machine.providerId != record.providerId) return SkipReason.ProviderMismatch;
        uint256 marked;
        for (uint256 i; i < 8; ++i) {
            marked += (record.deviceMask >> i) & 1;
        }
        if (record.milliGpu == 0) {
            if (marked != 0) return SkipReason.DeviceMask;
        } else if (record.milliGpu < 1000) {
            if (marked != 1) return SkipReason.DeviceMask;
        } else if (record.milliGpu % 1000 != 0 || record.milliGpu / 1000 != marked) {
            return SkipReason.DeviceMask;
        }
        for (uint256 i; i < 8; ++i) {
            if ((record.deviceMask >> i) & 1 == 0) continue;
            if (record.milliGpu < 1000 ? machine.devices[i] < record.milliGpu : machine.devices[i] != 1000) {
                return SkipReason.MachineCapacity;
            }
        }
        if (record.cpuMilli > machine.cpuMilli) return SkipReason.MachineCapacity;
        if (record.memoryMib > machine.memoryMib) return SkipReason.MachineCapacity;
        if (record.storageGib > machine.storageGib) return SkipReason.MachineCapacity;
        if (record.fromBid) return SkipReason.None;
        if (terms.tokenId() == 0 || terms.tokenId() != record.tokenId) return SkipReason.OfferMissing;
        if (_modelPrice(record, terms) != record.priceMicroPerHour) return SkipReason.OfferPrice;
        return SkipReason.None;
    }

    function _modelPrice(RecordFields memory record, OfferWord terms) private pure returns (uint256) {
        return uint256(record.milliGpu) * terms.gpuMicroPerHour() / 1000 + uint256(record.cpuMilli) * terms.coreMicroPerHour() / 1000
            + uint256(record.memoryMib) * terms.memoryGibMicroPerHour() / 1024 + uint256(record.storageGib) * terms.storageTibMicroPerHour()
            / 1024;
    }

    function _shapeRecord(RecordFields memory record, uint8 shape) private pure {
        record.offerIndex &= 3;
        record.fromBid = shape % 5 == 0;
        // Resources below the machine's most of the time, anything at all sometimes.
        if (shape % 16 != 1) record.cpuMilli %= 1 << 17;
        if (shape % 16 != 2) record.memoryMib %= 1 << 21;
        if (shape % 16 != 3) record.storageGib %= 1 << 17;
        uint256 kind = (shape >> 4) % 4;
        if (kind == 0) (record.milliGpu, record.deviceMask) = (0, 0);
        if (kind == 1) (record.milliGpu, record.deviceMask) = (record.milliGpu % 1000, uint8(1 << (record.deviceMask & 7)));
        if (kind == 2) {
            uint16 marked;
            for (uint256 i; i < 8; ++i) {
                marked += (record.deviceMask >> i) & 1;
            }
            record.milliGpu = marked * 1000;
        }
    }

    function _shapeMachine(uint256 seed, uint24 recordProvider) private pure returns (Seen memory machine) {
        if (seed % 64 == 0) return machine;
        machine.from = seed % 16 == 1 ? ROUND + 1 + (seed >> 8) % 20 : (seed >> 8) % (ROUND + 1);
        machine.until = seed % 16 == 2 ? (seed >> 16) % (ROUND + 1) : (seed % 2 == 0 ? type(uint32).max : ROUND + 1);
        machine.providerId = seed % 16 == 3 ? uint24(seed >> 24) : recordProvider;
        machine.cpuMilli = (seed >> 48) % (1 << 20);
        machine.memoryMib = (seed >> 72) % (1 << 24);
        machine.storageGib = (seed >> 96) % (1 << 20);
        for (uint256 i; i < 8; ++i) {
            uint256 device = (seed >> (120 + 16 * i)) & 0xffff;
            machine.devices[i] = device % 3 == 0 ? device % 1001 : 1000;
        }
    }

    function _shapeOffer(uint256 seed, uint16 recordToken) private pure returns (OfferWord) {
        uint256 token = seed % 16 == 0 ? 0 : seed % 16 == 1 ? uint16(seed >> 8) : recordToken;
        uint256 fromRound = ROUND - 1 + (seed >> 4) % 3;
        return OfferWord.wrap((fromRound << 224) | (token << 32) | ((seed >> 32) % (1 << 170) & ~uint256(0xffffffffffff)));
    }

    function _pack(Seen memory machine) private pure returns (uint256 word) {
        word = (machine.from << 224) | (machine.until << 192) | (machine.providerId << 168) | (machine.memoryMib << 120)
            | (machine.cpuMilli << 100) | (machine.storageGib << 80);
        for (uint256 i; i < 8; ++i) {
            word |= machine.devices[i] << (10 * i);
        }
    }

    // ---- calls

    function _store(uint256 slot, uint256 word) private {
        vm.store(address(registry), bytes32(slot), bytes32(word));
    }

    function _reserve(bytes memory records) private returns (uint256 skipped, uint256 benched) {
        vm.prank(settlement);
        (uint256[] memory skippedWords, uint256[] memory benchedWords) = registry.reserve(records, ROUND, BENCH_FROM);
        return (skippedWords[0], benchedWords[0]);
    }

    function _assertSkip(RecordFields memory record, SkipReason reason, bool benches) private {
        uint256 free = MachineWord.unwrap(_m0(record.machineId)) & type(uint144).max;
        vm.expectEmit(address(registry));
        emit IProviderRegistry.RecordSkipped(record.orderId, record.machineId, reason);
        (uint256 skipped, uint256 benched) = _reserve(_encode(record));
        assertEq(skipped, 1, "left out");
        assertEq(benched, benches ? 1 : 0, "benched");
        assertEq(_m0(record.machineId).activeFromRound() == BENCH_FROM, benches, "bench");
        assertEq(MachineWord.unwrap(_m0(record.machineId)) & type(uint144).max, free, "free");
    }

    function _assertSkipAndRestore(RecordFields memory record, SkipReason reason, bool benches) private {
        uint256 snapshot = vm.snapshotState();
        _assertSkip(record, reason, benches);
        vm.revertToState(snapshot);
    }

    /// Two devices, so that the third is missing.
    function _smallMachine() private returns (uint32 small) {
        vm.roll(matchPolicy.snapshotBlock(ROUND - 1) + 1);
        small = _machine(providerId, 2);
        _openRound(ROUND);
    }

    function _encode(RecordFields memory record) private pure returns (bytes memory) {
        return abi.encodePacked(RecordWord.unwrap(RecordWordLib.encode(record)));
    }

    function _record() private view returns (RecordFields memory record) {
        record.orderId = 1;
        record.machineId = machineId;
        record.milliGpu = 1000;
        record.deviceMask = 1;
        record.cpuMilli = 8000;
        record.memoryMib = 32_768;
        record.storageGib = 100;
        record.tokenId = tokenId;
        record.providerId = providerId;
        record.priceMicroPerHour = _price(record);
    }
}
