// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";
import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { OrderSpec } from "../../src/market/MarketTypes.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice What a node does: from the words before a batch and its one log it must derive every word after it, whatever a quorum signed.
/// Skipped records leave nothing behind but a bench, also those whose capacity was taken and given back.
contract MatchSettlementEffectsTest is MarketBase {
    uint32 private constant MACHINES = 4;
    uint32 private constant COOL_ROUNDS = 10;

    uint256 private seed;
    uint256 private drawn;
    mapping(uint32 machineId => uint256) private machineWords;
    mapping(uint32 orderId => uint256) private orderWords;
    uint256 private leased;
    uint256 private benches;
    uint256 private givenBack;

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < MACHINES; ++i) {
            _machine(i < 2 ? _provider(makeAddr(i == 0 ? "owner 0" : "owner 1")) : uint24(1 + i % 2));
        }
    }

    function testFuzz_wordsFollowFromTheLog(uint256 seed_, uint8 orders) public {
        seed = seed_;
        _settleAndDerive(1 + orders % 24);
    }

    /// More records than one bitmap word has bits.
    function test_wordsFollowFromTheLogBeyond256Records() public {
        seed = uint256(keccak256("effects"));
        _settleAndDerive(300);
        assertGt(leased, 0, "leased");
        assertGt(benches, 0, "benched");
        assertGt(givenBack, 0, "given back");
    }

    function _settleAndDerive(uint32 orders) private {
        for (uint32 i; i < orders; ++i) {
            OrderSpec memory spec = _spec();
            spec.milliGpu = [0, 300, 1000, 2000][_draw(4)];
            spec.cpuMilli = uint24(1 + _draw(20_000));
            uint32 orderId = _order(spec);
            if (_draw(5) != 0) continue;
            vm.prank(tenant);
            orderRequest.cancel(orderId);
        }
        vm.prank(providerRegistry.providerOwner(2));
        providerRegistry.deactivateMachine(MACHINES);
        uint32 round = _openNext();
        bytes memory records;
        for (uint32 orderId = 1; orderId <= orders; ++orderId) {
            records = bytes.concat(records, _encode(_anyRecord(orderId)));
        }
        _remember(orders);
        vm.recordLogs();
        uint256 matched = _settle(round, records);
        _deriveFromLog(round, matched);
        for (uint32 machineId = 1; machineId <= MACHINES; ++machineId) {
            assertEq(_machineWord(machineId), machineWords[machineId], "machine");
        }
        assertEq(_machineWord(99), 0, "a machine that never existed");
        for (uint32 orderId = 1; orderId <= orders; ++orderId) {
            assertEq(uint256(orderRequest.orderWord(orderId)), orderWords[orderId], "order");
        }
    }

    /// Half of the records could hold; the others have one thing wrong, on the machine's side or the order's.
    function _anyRecord(uint32 orderId) private returns (RecordFields memory fields) {
        uint32 machineId = uint32(1 + _draw(MACHINES));
        fields = _record(orderId, machineId, 0);
        uint8 first = uint8(_draw(8));
        if (fields.milliGpu != 0) fields.deviceMask = uint8(1 << first);
        if (fields.milliGpu == 2000) fields.deviceMask |= uint8(1 << ((first + 1) % 8));
        uint256 fault = _draw(24);
        if (fault == 0) fields.machineId = 99;
        else if (fault == 1) fields.machineId = 0;
        else if (fault == 2) fields.providerId += 1;
        else if (fault == 3) fields.deviceMask = uint8(_draw(256));
        else if (fault == 4) fields.cpuMilli = type(uint24).max;
        else if (fault == 5) fields.storageGib = 1 << 20;
        else if (fault == 6) fields.offerIndex = 3;
        else if (fault == 7) fields.priceMicroPerHour += 1;
        else if (fault == 8) fields.tokenId = 2;
        else if (fault == 9) (fields.fromBid, fields.bidIndex) = (true, uint8(_draw(256)));
        else if (fault == 10) fields.milliGpu = uint16(_draw(1 << 16));
        else if (fault == 11) (fields.memoryMib, fields.priceMicroPerHour) = (0, _offerPriceWithoutMemory(fields));
    }

    /// The machine takes it at the right price, only the order did not ask for it.
    function _offerPriceWithoutMemory(RecordFields memory fields) private view returns (uint40) {
        fields.memoryMib = 0;
        return _offerPrice(fields);
    }

    function _remember(uint32 orders) private {
        for (uint32 machineId = 1; machineId <= MACHINES; ++machineId) {
            machineWords[machineId] = _machineWord(machineId);
        }
        for (uint32 orderId = 1; orderId <= orders; ++orderId) {
            orderWords[orderId] = uint256(orderRequest.orderWord(orderId));
        }
    }

    /// The effects that docs/words.md lets nodes derive, in the order of the records.
    function _deriveFromLog(uint32 round, uint256 matched) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory log = logs[logs.length - 1];
        assertEq(log.topics[0], IMatchSettlement.BatchSettled.selector, "the last log is the batch's");
        assertEq(uint256(log.topics[1]), round);
        (bytes memory records, uint256[] memory skipped, uint256[] memory benched) = abi.decode(log.data, (bytes, uint256[], uint256[]));
        uint256 count = records.length / 32;
        assertEq(skipped.length, (count + 255) / 256, "a bit for each record");
        assertEq(benched.length, skipped.length);
        for (uint256 i; i < count; ++i) {
            bool skips = (skipped[i / 256] >> (i % 256)) & 1 != 0;
            bool benchesMachine = (benched[i / 256] >> (i % 256)) & 1 != 0;
            assertTrue(skips || !benchesMachine, "a benched record is always skipped");
            _deriveRecord(round, _word(records, i), skips, benchesMachine);
        }
        assertEq(leased, matched);
        // A record that the orders refused was reserved first: the registry said nothing of it, the orders did.
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter == address(orderRequest)) ++givenBack;
        }
    }

    function _deriveRecord(uint32 round, uint256 record, bool skips, bool benchesMachine) private {
        uint32 machineId = uint32(record >> 192);
        MachineWord machine = MachineWord.wrap(machineWords[machineId]);
        if (benchesMachine) {
            ++benches;
            uint256 from = machine.activeFromRound();
            uint256 benchFrom = uint256(round) + 1 + COOL_ROUNDS;
            machineWords[machineId] = MachineWord.unwrap(machine.withActiveFromRound(from > benchFrom ? from : benchFrom));
        }
        if (skips) return;
        ++leased;
        uint256 milliGpu = uint16(record >> 128);
        uint256 devices = MachineWord.unwrap(machine) & type(uint80).max;
        for (uint256 i; i < 8; ++i) {
            if ((record >> (144 + i)) & 1 != 0) devices -= (milliGpu < 1000 ? milliGpu : 1000) << (10 * i);
        }
        machineWords[machineId] = MachineWord.unwrap(
            machine.withFree(
                machine.freeMemoryMib() - uint24(record >> 80),
                machine.freeCpuMilli() - uint24(record >> 104),
                machine.freeStorageGib() - uint24(record >> 56),
                devices
            )
        );
        // All of the record but order id and bid index, with time and state Matched.
        uint256 lease = (record & ~(uint256(0xffffffff) << 224)) & ~uint256(0xff);
        orderWords[uint32(record >> 224)] = lease | (vm.getBlockTimestamp() << 224) | (uint256(4) << 53);
    }

    function _word(bytes memory data, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), shl(5, index)))
        }
    }

    function _draw(uint256 below) private returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++drawn))) % below;
    }
}
