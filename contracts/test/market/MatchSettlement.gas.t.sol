// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";

import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { MatchBatch, Policy } from "../../src/market/MarketTypes.sol";
import { BidWord, BidWordLib } from "../../src/words/BidWord.sol";
import { MachineWord, MachineWordLib } from "../../src/words/MachineWord.sol";
import { OfferWord, OfferWordLib } from "../../src/words/OfferWord.sol";
import { OpenOrderFields, OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { ScheduleFloor, ScheduleItems } from "./ScheduleFloor.sol";
import { SettlementFixture } from "./SettlementFixture.sol";

/// @notice What a settlement costs all in (transaction, calldata and execution) with 20 of 25 ECDSA signers, and the floor of the gas schedule
/// below it. Ids and amounts have as many bytes as those of a large market; orders ask for nothing, a share, or 1, 4 or 8 devices.
contract MatchSettlementGasTest is SettlementFixture {
    using ScheduleFloor for ScheduleItems;

    uint256 private constant FIRST_ORDER = 0x1234567;
    uint256 private constant FIRST_MACHINE = 0x0054321;
    uint16 private constant TOKEN = 1;
    /// What every transaction touches: proxy and code of the policy, registry, orders, verifier, the table's code, the updater's proxy and code.
    uint256 private constant ACCOUNTS = 8;
    /// The settlement word, table and its hash; the policy's implementation, schedule and hash; the verifier's table; the updater's
    /// implementation and root.
    uint256 private constant SLOTS = 9;
    uint256 private constant TRANSACTION_CAP = 16_700_000;

    /// How the matches of a batch lie in the words.
    enum Shape {
        OtherMachines,
        FourOnEach,
        FromBids,
        ChangedOffers
    }

    /// Of as many matches as a test of the shape settles.
    mapping(Shape => bytes) private _records;

    /// The words must be there before the measured transaction: what a transaction wrote before it costs less to rewrite.
    function setUp() public override {
        super.setUp();
        for (uint256 shape; shape <= uint256(type(Shape).max); ++shape) {
            bytes memory records;
            for (uint256 i; i < (shape == 0 ? 512 : 256); ++i) {
                records = bytes.concat(records, _match(i, Shape(shape)));
            }
            _records[Shape(shape)] = records;
        }
    }

    /// forge-config: default.isolate = true
    function test_gasOf16Matches() public {
        (uint256 gasUsed, uint256 floor) = _measure(16, Shape.OtherMachines, "settle 16 matches");
        assertLe(gasUsed * 100, floor * 125);
    }

    /// forge-config: default.isolate = true
    function test_gasOf64Matches() public {
        _measure(64, Shape.OtherMachines, "settle 64 matches");
    }

    /// forge-config: default.isolate = true
    function test_gasOf256Matches() public {
        (uint256 gasUsed, uint256 floor) = _measure(256, Shape.OtherMachines, "settle 256 matches");
        assertLe(gasUsed, 256 * 15_000);
        assertLe(gasUsed * 100, floor * 112);
    }

    /// forge-config: default.isolate = true
    function test_gasOf512Matches() public {
        (uint256 gasUsed,) = _measure(512, Shape.OtherMachines, "settle 512 matches");
        assertLt(gasUsed, TRANSACTION_CAP);
    }

    /// forge-config: default.isolate = true
    function test_gasOfFourMatchesOnEachMachine() public {
        _measure(256, Shape.FourOnEach, "settle 256 matches, four on each machine");
    }

    /// forge-config: default.isolate = true
    function test_gasOfMatchesFromBids() public {
        _measure(256, Shape.FromBids, "settle 256 matches, all from bids");
    }

    /// forge-config: default.isolate = true
    function test_gasOfMatchesWithChangedOffers() public {
        _measure(256, Shape.ChangedOffers, "settle 256 matches, every offer changed since");
    }

    function _measure(uint256 count, Shape shape, string memory name) private returns (uint256 gasUsed, uint256 floor) {
        bytes memory records = _records[shape];
        assembly ("memory-safe") {
            mstore(records, shl(5, count))
        }
        ScheduleItems memory items;
        (gasUsed, items) = _settle(records, name);
        // Nothing is touched that need not be: order, machine, and offer or bid of each match, of a changed offer both terms.
        uint256 machines = shape == Shape.FourOnEach ? count / 4 : count;
        uint256 prices = shape == Shape.ChangedOffers ? 2 * count : machines;
        assertEq(items.coldAccounts, ACCOUNTS, "accounts");
        assertEq(items.slots, SLOTS + count + machines + prices, "slots");
        assertEq(items.rewritten, 1 + count + machines, "rewritten");
        floor = items.total();
        vm.snapshotValue("MatchSettlement", string.concat(name, ", floor of the schedule"), floor);
        emit log_named_uint(string.concat(name, ", gas a match"), gasUsed / count);
        emit log_named_decimal_uint(string.concat(name, ", times the floor"), gasUsed * 1000 / floor, 3);
    }

    function _settle(bytes memory records, string memory name) private returns (uint256 gasUsed, ScheduleItems memory items) {
        uint256 count = records.length / 32;
        MatchBatch memory batch = _batch(records, count);
        bytes memory certificate = _sign(batch);
        items.addCalldata(abi.encodeCall(IMatchSettlement.settle, (batch, _policy(), records, certificate)));
        items.addChecks(count, SIGNERS);
        uint256 before = vm.snapshotState();
        assertEq(settlement.settle(batch, _policy(), records, certificate), count);
        gasUsed = vm.snapshotGasLastCall("MatchSettlement", name);
        // Again for what it touches: recording that warms every slot.
        vm.revertToState(before);
        vm.startStateDiffRecording();
        vm.recordLogs();
        settlement.settle(batch, _policy(), records, certificate);
        Vm.AccountAccess[] memory accesses = vm.stopAndReturnStateDiff();
        items.addAccounts(accesses, address(this), address(settlement));
        items.addSlots(accesses);
        items.addLogs(vm.getRecordedLogs());
    }

    /// Writes the words of match `i` and returns its record.
    function _match(uint256 i, Shape shape) private returns (bytes memory) {
        RecordFields memory fields;
        fields.orderId = uint32(FIRST_ORDER * (1 + uint256(shape)) + i);
        uint256 machines = shape == Shape.FourOnEach ? i / 4 : i;
        fields.machineId = uint32(FIRST_MACHINE * (1 + uint256(shape)) + 7 * machines);
        fields.providerId = uint24(0x4321 + machines);
        fields.milliGpu = [0, 250, 1000, 4000, 8000][i % 5];
        fields.deviceMask = [0, 0x08, 0x04, 0x5a, 0xff][i % 5];
        if (shape == Shape.FourOnEach) (fields.milliGpu, fields.deviceMask) = (2000, uint8(3 << (2 * (i % 4))));
        fields.cpuMilli = uint24(4000 + i);
        fields.memoryMib = uint24(16_384 + i);
        fields.storageGib = uint24(100 + i);
        fields.tokenId = TOKEN;
        _putMachine(fields, shape);
        _putOrder(fields, shape);
        return _encode(fields);
    }

    function _putMachine(RecordFields memory fields, Shape shape) private {
        MachineWord machine = MachineWordLib.encode(0, fields.providerId, 7, 33).withInterval(40, MachineWordLib.NO_ROUND);
        machine = machine.withFree(1_000_000, 256_000, 8_000, MachineWordLib.spread(0xff, 1000)).withOfferWritten(2);
        _putRegistry(Slots.machine(fields.machineId), MachineWord.unwrap(machine));
        fields.priceMicroPerHour = uint40(
            uint256(fields.milliGpu) * 1_234_567 / 1000 + uint256(fields.cpuMilli) * 12_345 / 1000 + uint256(fields.memoryMib) * 1_234
                / 1024 + uint256(fields.storageGib) * 23_456 / 1024
        );
        if (shape == Shape.FromBids) return;
        fields.offerIndex = 2;
        OfferWord terms = OfferWordLib.encode(41, 1_234_567, 12_345, 1_234, 23_456, TOKEN);
        uint256 slot = Slots.offer(fields.machineId, fields.offerIndex);
        if (shape == Shape.ChangedOffers) {
            _putRegistry(Slots.offerPrevious(fields.machineId, fields.offerIndex), OfferWord.unwrap(terms));
            terms = OfferWordLib.encode(ROUND + 1, 1, 1, 1, 1, TOKEN);
        }
        _putRegistry(slot, OfferWord.unwrap(terms));
    }

    function _putOrder(RecordFields memory fields, Shape shape) private {
        OpenOrderFields memory order = OpenOrderFields({
            untilRound: uint32(OrderWordLib.NO_ROUND),
            eligibleFromBlock: uint32(SNAPSHOT_BLOCK - 3),
            maxPriceMicroPerHour: fields.priceMicroPerHour + 1_000_000,
            bidCount: 3,
            milliGpu: fields.milliGpu,
            cpuMilli: fields.cpuMilli,
            memoryMib: fields.memoryMib,
            storageGib: fields.storageGib,
            state: 1,
            tokenId: fields.tokenId,
            expiresAt: uint32(block.timestamp + 1 days)
        });
        _putOrders(Slots.order(fields.orderId), OrderWord.unwrap(OrderWordLib.encodeOpen(order)));
        if (shape != Shape.FromBids) return;
        (fields.fromBid, fields.bidIndex) = (true, 2);
        BidWord bid = BidWordLib.encode(type(uint32).max, fields.machineId, fields.priceMicroPerHour, 1, fields.providerId);
        _putOrders(Slots.bid(fields.orderId, fields.bidIndex), BidWord.unwrap(bid));
    }
}
