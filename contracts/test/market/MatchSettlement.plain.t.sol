// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";

import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { MatchBatch, Policy, SkipReason } from "../../src/market/MarketTypes.sol";
import { BidWord, BidWordLib } from "../../src/words/BidWord.sol";
import { MachineWord, MachineWordLib } from "../../src/words/MachineWord.sol";
import { OfferWord, OfferWordLib } from "../../src/words/OfferWord.sol";
import { OpenOrderFields, OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { PlainOutcome, PlainSettlement, PlainTerms } from "./PlainSettlement.sol";
import { SettlementFixture } from "./SettlementFixture.sol";

/// @notice The settlement of the market and the plain one, on the same words and the same records, whatever they are: both refuse the batch
/// for the same reason, or both skip and bench the same records for the same reasons and leave the same words.
contract MatchSettlementPlainTest is SettlementFixture {
    uint32 private constant MACHINES = 16;
    uint256 private constant MOST_RECORDS = 40;
    uint32 private constant FIRST_MACHINE = 0x10fff0;
    uint32 private constant FIRST_ORDER = 0x2000ff;
    uint16 private constant USD = 1;
    uint16 private constant EUR = 0x1234;

    PlainSettlement private plain;
    uint256[] private registrySlots;
    uint256[] private orderSlots;
    uint256 private seed;
    uint256 private drawn;
    uint256 private mostRecords;
    mapping(SkipReason reason => uint256) private seen;
    mapping(bytes32 what => uint256) private refused;

    function setUp() public override {
        super.setUp();
        plain = new PlainSettlement();
    }

    function testFuzz_settlesAsThePlainOneDoes(uint256 seed_) public {
        _compare(seed_, MOST_RECORDS);
    }

    /// Beyond one word of the bitmaps, and every reason, bench and refusal at least once.
    function test_settlesAsThePlainOneDoes_inEveryWay() public {
        for (uint256 run = 0; run < 80; run++) {
            this.compare(uint256(keccak256(abi.encode("every way", run))), run == 0 ? 600 : MOST_RECORDS);
        }
        for (uint256 reason = 1; reason <= uint256(type(SkipReason).max); reason++) {
            assertGt(seen[SkipReason(reason)], 0, vm.toString(reason));
        }
        assertGt(seen[SkipReason.None], 40, "leased");
        assertGt(mostRecords, 256, "records");
        assertGt(refused["matchCount"], 0, "matchCount");
        assertGt(refused["orderId"], 0, "orderId");
        assertGt(refused["flags"], 0, "flags");
        assertGt(refused["bidIndex"], 0, "bidIndex");
    }

    /// From outside, so that each run begins with empty memory.
    function compare(uint256 seed_, uint256 most) external {
        _compare(seed_, most);
    }

    function _compare(uint256 seed_, uint256 most) private {
        (seed, drawn) = (seed_, 0);
        delete registrySlots;
        delete orderSlots;
        vm.store(address(settlement), bytes32(Slots.SETTLEMENT), bytes32(uint256(ROUND - 1)));
        for (uint32 i = 0; i < MACHINES; i++) {
            _putAnyMachine(FIRST_MACHINE + i);
        }
        bytes memory records = _anyRecords(1 + _draw(most));
        Policy memory policy = _policy();
        policy.maxMatches = uint16(_draw(20) == 0 ? 1 + _draw(most) : 512);
        policy.coolRounds = uint32(_draw(20));
        _usePolicy(policy);
        uint256 matchCount = records.length / 32 + (_draw(40) == 0 ? 1 : 0);
        PlainTerms memory terms = PlainTerms({
            matchCount: matchCount,
            maxMatches: policy.maxMatches,
            round: ROUND,
            snapshotBlock: SNAPSHOT_BLOCK,
            coolRounds: policy.coolRounds,
            time: block.timestamp
        });
        MatchBatch memory batch = _batch(records, matchCount);
        bytes memory certificate = _sign(batch);
        vm.recordLogs();
        (bool accepted, bytes memory answer) =
            address(settlement).call(abi.encodeCall(IMatchSettlement.settle, (batch, policy, records, certificate)));
        try plain.settle(records, terms) returns (PlainOutcome[] memory outcomes) {
            assertTrue(accepted, "accepted");
            _compareOutcomes(records, outcomes, abi.decode(answer, (uint256)));
        } catch (bytes memory reason) {
            assertFalse(accepted, "refused");
            assertEq(answer, reason, "for the same reason");
            vm.getRecordedLogs();
            _noteRefusal(reason);
        }
        _compareWords();
    }

    function _noteRefusal(bytes memory reason) private {
        assembly ("memory-safe") {
            let length := sub(mload(reason), 4)
            reason := add(reason, 4)
            mstore(reason, length)
        }
        refused[bytes32(bytes(abi.decode(reason, (string))))]++;
    }

    function _compareOutcomes(bytes memory records, PlainOutcome[] memory outcomes, uint256 matched) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        (, uint256[] memory skipped, uint256[] memory benched) = abi.decode(logs[logs.length - 1].data, (bytes, uint256[], uint256[]));
        uint256 count = 0;
        for (uint256 i = 0; i < outcomes.length; i++) {
            bool skips = outcomes[i].reason != SkipReason.None;
            assertEq((skipped[i / 256] >> (i % 256)) & 1 == 1, skips, "left out");
            assertEq((benched[i / 256] >> (i % 256)) & 1 == 1, outcomes[i].benched, "benched");
            if (skips) assertEq(_loggedReason(logs, records, i), uint256(outcomes[i].reason), "reason");
            else count++;
            seen[outcomes[i].reason]++;
        }
        if (outcomes.length > mostRecords) mostRecords = outcomes.length;
        assertEq(matched, count, "matched");
        assertEq(logs.length, outcomes.length - count + 1, "one log for each record that was left out, one for the batch");
    }

    /// Of the log about the record, whose order id no other has.
    function _loggedReason(Vm.Log[] memory logs, bytes memory records, uint256 index) private view returns (uint256) {
        uint256 orderId;
        assembly ("memory-safe") {
            orderId := shr(224, mload(add(records, shl(5, add(index, 1)))))
        }
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] != IProviderRegistry.RecordSkipped.selector || uint256(logs[i].topics[1]) != orderId) continue;
            uint256 reason = abi.decode(logs[i].data, (uint256));
            bool byOrders = reason >= uint256(SkipReason.OrderNotOpen);
            assertEq(logs[i].emitter, byOrders ? address(orderRequest) : address(providerRegistry));
            return reason;
        }
        revert("no log");
    }

    function _compareWords() private view {
        for (uint256 i = 0; i < registrySlots.length; i++) {
            assertEq(uint256(vm.load(address(providerRegistry), bytes32(registrySlots[i]))), plain.words(registrySlots[i]), "registry");
        }
        for (uint256 i = 0; i < orderSlots.length; i++) {
            assertEq(uint256(vm.load(address(orderRequest), bytes32(orderSlots[i]))), plain.words(orderSlots[i]), "orders");
        }
        // Machines that are not there stay so.
        assertEq(plain.words(Slots.machine(99)), 0);
        assertEq(vm.load(address(providerRegistry), bytes32(Slots.machine(99))), 0);
    }

    // ---- markets

    function _putAnyMachine(uint32 machineId) private {
        // Ends of the interval on, before and after the round.
        uint256 from = _draw(6) == 0 ? ROUND + _draw(3) - 1 : 1;
        uint256 until = _draw(6) == 0 ? ROUND + _draw(3) - 1 : MachineWordLib.NO_ROUND;
        uint256 devices = _draw(3) == 0 ? _draw(1 << 80) : MachineWordLib.spread(0xff, 1000);
        MachineWord machine = MachineWordLib.encode(0, _providerOf(machineId), _draw(1024), _draw(1024)).withInterval(from, until);
        machine = machine.withFree(_anyAmount(24), _anyAmount(20), _anyAmount(20), devices).withOfferWritten(_draw(4));
        _putRegistry(Slots.machine(machineId), MachineWord.unwrap(machine));
        for (uint256 offerIndex = 0; offerIndex < 4; offerIndex++) {
            bool changed = _draw(3) == 0;
            _putRegistry(Slots.offer(machineId, offerIndex), _anyOffer(changed ? ROUND + 1 : ROUND));
            _putRegistry(Slots.offerPrevious(machineId, offerIndex), _draw(4) == 0 ? 0 : _anyOffer(ROUND - 1));
        }
    }

    function _providerOf(uint32 machineId) private pure returns (uint24) {
        return 0xabcdef - uint24(machineId % 3);
    }

    /// As much as the bits hold, or anything down to next to nothing.
    function _anyAmount(uint256 bits) private returns (uint256) {
        return _draw(2) == 0 ? _draw(1 << (bits - _draw(bits))) : (1 << bits) - 1;
    }

    function _anyOffer(uint256 fromRound) private returns (uint256) {
        uint256 tokenId = _draw(8) == 0 ? 0 : _draw(8) == 0 ? EUR : USD;
        bool dear = _draw(8) == 0;
        uint256 gpu = dear ? (1 << 36) - 1 : _draw(2_000_000);
        uint256 core = dear ? (1 << 30) - 1 : _draw(20_000);
        uint256 memoryGib = dear ? (1 << 26) - 1 : _draw(3_000);
        uint256 storageTib = dear ? (1 << 30) - 1 : _draw(30_000);
        return OfferWord.unwrap(OfferWordLib.encode(fromRound, gpu, core, memoryGib, storageTib, tokenId));
    }

    // ---- records

    function _anyRecords(uint256 count) private returns (bytes memory records) {
        for (uint32 i = 0; i < count; i++) {
            records = bytes.concat(records, _anyRecord(FIRST_ORDER + i));
        }
        // One batch in eight is malformed somewhere, in one bit or in its length.
        if (_draw(8) != 0) return records;
        uint256 byteInRecord = [0, 3, 25, 25, 31, 31][_draw(6)];
        records[32 * _draw(count) + byteInRecord] ^= bytes1(uint8(1 << _draw(8)));
        if (_draw(8) == 0) records = bytes.concat(records, hex"00");
    }

    /// A record that holds if its machine and order let it, or that has one thing wrong; and its order's word, likewise.
    function _anyRecord(uint32 orderId) private returns (bytes memory) {
        RecordFields memory fields;
        fields.orderId = orderId;
        fields.machineId = FIRST_MACHINE + uint32(_draw(MACHINES));
        fields.providerId = _providerOf(fields.machineId);
        fields.offerIndex = uint8(_draw(4));
        fields.tokenId = USD;
        fields.cpuMilli = uint24(1 + _draw(20_000));
        fields.memoryMib = uint24(_draw(100_000));
        fields.storageGib = uint24(_draw(10_000));
        uint256 devices = _draw(10);
        fields.milliGpu = uint16(devices == 9 ? 1 + _draw(999) : 1000 * devices);
        fields.deviceMask = _anyMask(devices == 9 ? 1 : devices);
        _tighten(fields, MachineWord.wrap(plain.words(Slots.machine(fields.machineId))));
        fields.priceMicroPerHour = _priceByOffer(fields);
        if (_draw(4) == 0) _putAnyBid(fields);
        _putAnyOrder(fields);
        if (_draw(3) == 0) _spoil(fields);
        return abi.encodePacked(RecordWord.unwrap(RecordWordLib.encode(fields)));
    }

    /// Lets every other record ask for just what its machine has of one resource, or for one unit more; small amounts of the others.
    function _tighten(RecordFields memory fields, MachineWord machine) private {
        uint256 resource = _draw(8);
        if (resource > 3) return;
        (fields.cpuMilli, fields.memoryMib, fields.storageGib) = (1, 0, 0);
        (fields.milliGpu, fields.deviceMask) = (0, 0);
        if (resource == 0) fields.cpuMilli = uint24(machine.freeCpuMilli() + _draw(2));
        if (resource == 1 && machine.freeMemoryMib() < 1 << 23) fields.memoryMib = uint24(machine.freeMemoryMib() + _draw(2));
        if (resource == 2) fields.storageGib = uint24(machine.freeStorageGib() + _draw(2));
        if (resource != 3) return;
        uint256 device = _draw(8);
        (fields.milliGpu, fields.deviceMask) = (uint16(machine.freeMilliGpu(device) + _draw(2)), uint8(1 << device));
    }

    function _anyMask(uint256 devices) private returns (uint8 mask) {
        while (devices != 0) {
            uint8 bit = uint8(1 << _draw(8));
            if (mask & bit != 0) continue;
            mask |= bit;
            devices--;
        }
    }

    /// By the terms of the round; cut to the record's 40 bits.
    function _priceByOffer(RecordFields memory fields) private view returns (uint40) {
        OfferWord offer = OfferWord.wrap(plain.words(Slots.offer(fields.machineId, fields.offerIndex)));
        if (offer.fromRound() > ROUND) offer = OfferWord.wrap(plain.words(Slots.offerPrevious(fields.machineId, fields.offerIndex)));
        return uint40(
            fields.milliGpu * offer.gpuMicroPerHour() / 1000 + fields.cpuMilli * offer.coreMicroPerHour() / 1000 + fields.memoryMib
                * offer.memoryGibMicroPerHour() / 1024 + fields.storageGib * offer.storageTibMicroPerHour() / 1024
        );
    }

    function _putAnyBid(RecordFields memory fields) private {
        (fields.fromBid, fields.offerIndex, fields.bidIndex) = (true, 0, uint8(_draw(255)));
        uint32 untilRound = _draw(6) == 0 ? uint32(ROUND + _draw(3) - 1) : type(uint32).max;
        uint32 machineId = _draw(8) == 0 ? fields.machineId ^ 1 : fields.machineId;
        uint24 providerId = _draw(8) == 0 ? fields.providerId ^ 0x800000 : fields.providerId;
        uint40 price = _draw(8) == 0 ? fields.priceMicroPerHour ^ (1 << 39) : fields.priceMicroPerHour;
        BidWord bid = BidWordLib.encode(untilRound, machineId, price, uint120(_draw(1 << 120)), providerId);
        _putOrders(Slots.bid(fields.orderId, fields.bidIndex), BidWord.unwrap(bid));
    }

    function _putAnyOrder(RecordFields memory fields) private {
        OpenOrderFields memory order;
        order.untilRound = _draw(8) == 0 ? uint32(ROUND + _draw(3) - 1) : uint32(OrderWordLib.NO_ROUND);
        order.eligibleFromBlock = uint32(SNAPSHOT_BLOCK + (_draw(8) == 0 ? 1 : 0) - (_draw(2) == 0 ? 0 : 1));
        uint256 above = _draw(10);
        order.maxPriceMicroPerHour = above == 0 && fields.priceMicroPerHour != 0
            ? fields.priceMicroPerHour - 1
            : above == 1 ? fields.priceMicroPerHour : type(uint40).max;
        order.bidCount = uint8(_draw(4) == 0 ? fields.bidIndex : uint256(fields.bidIndex) + 1);
        order.milliGpu = fields.milliGpu;
        order.cpuMilli = fields.cpuMilli;
        order.memoryMib = fields.memoryMib;
        order.storageGib = fields.storageGib;
        order.state = uint8(_draw(10) == 0 ? _draw(8) : 1);
        order.tokenId = fields.tokenId;
        order.expiresAt = uint32(_draw(1 << 32));
        _putOrders(Slots.order(fields.orderId), OrderWord.unwrap(OrderWordLib.encodeOpen(order)));
    }

    /// Nearly right is where a packed check would fail: a single bit of a single field.
    function _spoil(RecordFields memory fields) private {
        uint256 field = _draw(12);
        if (field == 0) fields.machineId = uint32(_draw(2) == 0 ? 99 : fields.machineId ^ (1 << _draw(32)));
        else if (field == 1) fields.priceMicroPerHour ^= uint40(1 << _draw(40));
        else if (field == 2) fields.deviceMask ^= uint8(1 << _draw(8));
        else if (field == 3) fields.milliGpu ^= uint16(1 << _draw(16));
        else if (field == 4) fields.cpuMilli ^= uint24(1 << _draw(24));
        else if (field == 5) fields.memoryMib ^= uint24(1 << _draw(24));
        else if (field == 6) fields.storageGib ^= uint24(1 << _draw(24));
        else if (field == 7) fields.tokenId ^= uint16(1 << _draw(16));
        else if (field == 8) fields.providerId ^= uint24(1 << _draw(24));
        else if (field == 9 && fields.fromBid) fields.bidIndex ^= uint8(1 << _draw(8));
        else if (field == 9) fields.offerIndex ^= uint8(1 << _draw(2));
        else if (field == 10) (fields.milliGpu, fields.deviceMask) = (uint16(_draw(1 << 16)), uint8(_draw(256)));
        else fields.tokenId = 0;
        // A wrong price alone would hide what the other fields do.
        if (field != 1 && field != 10 && !fields.fromBid) fields.priceMicroPerHour = _priceByOffer(fields);
    }

    function _putRegistry(uint256 slot, uint256 word) internal override {
        super._putRegistry(slot, word);
        plain.put(slot, word);
        registrySlots.push(slot);
    }

    function _putOrders(uint256 slot, uint256 word) internal override {
        super._putOrders(slot, word);
        plain.put(slot, word);
        orderSlots.push(slot);
    }

    function _draw(uint256 below) private returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++drawn))) % below;
    }
}
