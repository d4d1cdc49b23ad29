// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { OrderLock } from "../../src/market/IEscrow.sol";
import { MachineSpec, MatchBatch, OfferTerms, OrderSpec, OrderState } from "../../src/market/MarketTypes.sol";
import { MachineTotalsWord } from "../../src/words/MachineTotalsWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OrderOwnerWord } from "../../src/words/OrderOwnerWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice Tenants, providers, settlement and time of one market, every step valid for its caller; keeps by own arithmetic what each must own.
/// @dev Settlement is the quorum's own key set signing what it likes: records that hold and records that do not.
contract MarketHandler is MarketBase {
    uint256 private constant MOST_ORDERS = 40;
    uint256 private constant MOST_MACHINES = 4;
    uint256 private constant MOST_RECORDS = 12;
    uint256 private constant NO_ROUND = type(uint32).max;

    address[] public actors;
    uint32[] public machines;
    /// What each actor's escrow balance must be by the rules.
    mapping(address account => uint256) public owned;
    /// How often settlement changed the order's word.
    mapping(uint32 orderId => uint256) public timesLeased;
    /// What each lease has earned and was paid for so far, before fees.
    mapping(uint32 orderId => uint256) public earned;
    uint256 public leased;
    uint256 public left;
    uint256 public refunded;
    uint256 public closed;

    /// A machine's free capacity while a batch is put together.
    struct Free {
        uint256 cpuMilli;
        uint256 memoryMib;
        uint256 storageGib;
        uint256[8] devices;
    }

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < 3; ++i) {
            actors.push(makeAddr(string(abi.encodePacked("tenant ", bytes1(uint8(48 + i))))));
        }
        for (uint256 i; i < 2; ++i) {
            address owner = makeAddr(string(abi.encodePacked("owner ", bytes1(uint8(48 + i)))));
            actors.push(owner);
            machines.push(_machine(_provider(owner)));
        }
        actors.push(treasury);
        actors.push(foundation);
    }

    // ---- money

    function deposit(uint256 who, uint256 amount) external {
        address account = actors[who % actors.length];
        amount = bound(amount, 1, 1e9);
        _fund(account, amount);
        owned[account] += amount;
    }

    function withdraw(uint256 who, uint256 amount) external {
        address account = actors[who % actors.length];
        if (owned[account] == 0) return;
        amount = bound(amount, 1, owned[account]);
        vm.prank(account);
        escrow.withdraw(USD, amount);
        owned[account] -= amount;
    }

    // ---- orders

    function createOrder(uint256 who, uint256 seed) external {
        if (orderRequest.orderCount() >= MOST_ORDERS) return;
        address account = actors[who % 3];
        OrderSpec memory spec;
        spec.milliGpu = [0, 250, 500, 999, 1000, 2000, 3000, 8000][seed % 8];
        spec.cpuMilli = uint24(1 + (seed >> 8) % 24_000);
        spec.memoryMib = uint24((seed >> 32) % 100_000);
        spec.storageGib = uint24((seed >> 64) % 800);
        spec.tokenId = USD;
        spec.maxPriceMicroPerHour = uint40(1 + (seed >> 96) % 30_000_000);
        spec.durationMinutes = uint24(1 + (seed >> 128) % 300);
        uint256 lock = _withUserFee((uint256(spec.maxPriceMicroPerHour) * spec.durationMinutes + 59) / 60);
        if (owned[account] < lock) {
            _fund(account, lock);
            owned[account] += lock;
        }
        vm.prank(account);
        orderRequest.createOrder(spec, uint32(block.timestamp + 1 + (seed >> 160) % 4 hours));
        owned[account] -= lock;
    }

    function cancel(uint256 seed) external {
        uint32 orderId = _pick(seed);
        OrderWord order = _word(orderId);
        if (!order.isOpen() || order.untilRound() != NO_ROUND) return;
        vm.prank(_tenant(orderId));
        orderRequest.cancel(orderId);
    }

    function expire(uint256 seed) external {
        uint32 orderId = _pick(seed);
        OrderWord order = _word(orderId);
        if (!order.isOpen() || order.untilRound() != NO_ROUND || block.timestamp < order.expiresAt()) return;
        orderRequest.expire(orderId);
    }

    function refund(uint256 seed) external {
        uint32 orderId = _pick(seed);
        OrderWord order = _word(orderId);
        if (!order.isOpen() || order.untilRound() == NO_ROUND || matchPolicy.openRound() < order.untilRound()) return;
        orderRequest.refund(orderId);
        owned[_tenant(orderId)] += _locked(orderId);
        ++refunded;
    }

    // ---- leases

    function claim(uint256 seed) external {
        uint32 orderId = _pick(seed);
        OrderWord lease = _word(orderId);
        if (lease.state() != uint256(OrderState.Matched)) return;
        computeLease.claim(orderId);
        _earn(orderId, lease, 0);
    }

    function closeLease(uint256 who, uint256 seed) external {
        uint32 orderId = _pick(seed);
        OrderWord lease = _word(orderId);
        if (lease.state() != uint256(OrderState.Matched)) return;
        uint256 caller = who % 3;
        if (caller == 2) {
            if (block.timestamp < lease.matchedAt() + _durationSeconds(orderId)) return;
            computeLease.endLease(orderId);
        } else {
            vm.prank(caller == 0 ? _tenant(orderId) : _ownerOfLease(lease));
            computeLease.closeLease(orderId);
        }
        // Who closes early pays a minute at least.
        _earn(orderId, lease, caller == 0 ? _leaseTerms().minimumChargeSeconds : 0);
        owned[_tenant(orderId)] += _locked(orderId) - earned[orderId] - _share(earned[orderId], _feeTerms().userFeeBps);
        ++closed;
    }

    // ---- machines

    function addMachine(uint256 seed) external {
        if (machines.length >= MOST_MACHINES) return;
        machines.push(_machine(providerRegistry.providerOf(actors[3 + seed % 2])));
    }

    function changeOffer(uint256 seed) external {
        uint32 machineId = machines[seed % machines.length];
        OfferTerms memory terms = _offer();
        terms.gpuMicroPerHour = uint40((seed >> 8) % 3_000_000);
        terms.coreMicroPerHour = uint32((seed >> 64) % 30_000);
        bool withdraws = (seed >> 96) % 8 == 0 && uint16(_newestOffer(machineId) >> 32) != 0;
        vm.startPrank(_ownerOf(machineId));
        if (withdraws) providerRegistry.withdrawOffer(machineId, 0);
        else providerRegistry.setOffer(machineId, 0, terms);
        vm.stopPrank();
    }

    function switchMachine(uint256 seed) external {
        uint32 machineId = machines[seed % machines.length];
        bool active = MachineWord.wrap(_machineWord(machineId)).activeUntilRound() == NO_ROUND;
        vm.startPrank(_ownerOf(machineId));
        if (active) providerRegistry.deactivateMachine(machineId);
        else providerRegistry.activateMachine(machineId);
        vm.stopPrank();
    }

    function growMachine(uint256 seed) external {
        uint32 machineId = machines[seed % machines.length];
        (, bytes32 m1) = providerRegistry.machineWords(machineId);
        MachineTotalsWord totals = MachineTotalsWord.wrap(uint256(m1));
        MachineSpec memory spec = _machineSpec();
        spec.cpuMilli = uint24(totals.cpuMilli() + (seed >> 8) % 1000);
        spec.memoryMib = uint24(totals.memoryMib() + (seed >> 32) % 1000);
        spec.storageGib = uint24(totals.storageGib() + (seed >> 64) % 1000);
        vm.prank(_ownerOf(machineId));
        providerRegistry.growMachine(machineId, spec);
    }

    // ---- rounds

    function settle(uint256 seed) external {
        uint32 round = matchPolicy.openRound();
        if (round <= settlement.lastSettledRound()) return;
        Free[] memory free = _allFree();
        bytes memory records;
        uint32 count = orderRequest.orderCount();
        for (uint32 orderId = 1; orderId <= count && records.length < MOST_RECORDS * 32; ++orderId) {
            seed = uint256(keccak256(abi.encode(seed, orderId)));
            // Open orders, and half of those that cannot be matched any more.
            if (!_word(orderId).isOpen() && seed % 2 != 0) continue;
            records = bytes.concat(records, _encode(_choose(orderId, seed >> 8, free)));
        }
        if (records.length == 0) return;
        bytes32[] memory before = _words(records);
        MatchBatch memory batch = _batch(round, records);
        uint256 matched = settlement.settle(batch, _defaultPolicy(), records, _sign(batch, ALL_SIGN));
        bytes32[] memory afterwards = _words(records);
        uint256 changed;
        for (uint256 i; i < before.length; ++i) {
            if (before[i] == afterwards[i]) continue;
            ++changed;
            uint32 orderId = uint32(_recordAt(records, i) >> 224);
            ++timesLeased[orderId];
            // Accrual begins with the lease.
            _confirm(orderId);
        }
        assertEq(changed, matched, "a record matched exactly if its order's word changed");
        leased += matched;
        left += before.length - matched;
    }

    function renewTable() external {
        (uint32 newest,,) = settlement.tableOf(type(uint32).max);
        if (newest >= block.timestamp) return;
        _setTable(_weights(), uint32(block.timestamp), MAX_TABLE_STALENESS);
        settlement.recordTable("");
    }

    function pass(uint256 blocks, uint256 time) external {
        blocks = bound(blocks, 2, 16);
        vm.roll(vm.getBlockNumber() + blocks);
        vm.warp(vm.getBlockTimestamp() + bound(time, blocks, 2 hours));
    }

    // ---- views for the invariants

    function actorCount() external view returns (uint256) {
        return actors.length;
    }

    function machineCount() external view returns (uint256) {
        return machines.length;
    }

    function balanceOf(address account) external view returns (uint256 balance) {
        return escrow.balanceOf(account, USD);
    }

    function escrowTotals() external view returns (uint256 held, uint256 owed) {
        return (usd.balanceOf(address(escrow)), escrow.liabilities(USD));
    }

    function unspentLock(uint32 orderId) external view returns (uint256) {
        OrderLock memory lock = escrow.lockOf(orderId);
        return lock.released ? 0 : lock.locked - lock.spent;
    }

    function orderCount() external view returns (uint32) {
        return orderRequest.orderCount();
    }

    function orderWord(uint32 orderId) external view returns (OrderWord) {
        return _word(orderId);
    }

    function machineWords(uint32 machineId) external view returns (MachineWord, MachineTotalsWord) {
        (bytes32 m0, bytes32 m1) = providerRegistry.machineWords(machineId);
        return (MachineWord.wrap(uint256(m0)), MachineTotalsWord.wrap(uint256(m1)));
    }

    // ---- inner

    /// A record for the order: at the lowest devices that fit and the round's price, or with one thing wrong.
    function _choose(uint32 orderId, uint256 seed, Free[] memory free) private view returns (RecordFields memory fields) {
        uint256 index = seed % machines.length;
        fields = _record(orderId, machines[index], 0);
        fields.deviceMask = _reserve(free[index], fields);
        uint256 fault = (seed >> 16) % 16;
        if (fault == 0) fields.priceMicroPerHour += 1;
        else if (fault == 1) fields.machineId = 99;
        else if (fault == 2) fields.deviceMask ^= 1;
        else if (fault == 3) fields.cpuMilli += 1;
        else if (fault == 4) fields.providerId += 1;
        else if (fault == 5) fields.deviceMask = uint8(seed >> 32);
    }

    /// Takes the record's need off `free` when it fits; returns the mask it would use.
    function _reserve(Free memory free, RecordFields memory fields) private pure returns (uint8 mask) {
        uint256 devices = fields.milliGpu < 1000 ? (fields.milliGpu == 0 ? 0 : 1) : fields.milliGpu / 1000;
        uint256 units = fields.milliGpu < 1000 ? fields.milliGpu : 1000;
        uint256 missing = devices;
        for (uint256 i; i < 8 && missing > 0; ++i) {
            if (free.devices[i] < units) continue;
            mask |= uint8(1 << i);
            --missing;
        }
        // Not enough devices: ask for the first ones all the same, settlement must refuse them.
        if (missing > 0) return uint8((1 << devices) - 1);
        if (fields.cpuMilli > free.cpuMilli || fields.memoryMib > free.memoryMib || fields.storageGib > free.storageGib) return mask;
        free.cpuMilli -= fields.cpuMilli;
        free.memoryMib -= fields.memoryMib;
        free.storageGib -= fields.storageGib;
        for (uint256 i; i < 8; ++i) {
            if ((mask >> i) & 1 != 0) free.devices[i] -= units;
        }
    }

    function _allFree() private view returns (Free[] memory free) {
        free = new Free[](machines.length);
        for (uint256 m; m < machines.length; ++m) {
            MachineWord machine = MachineWord.wrap(_machineWord(machines[m]));
            free[m].cpuMilli = machine.freeCpuMilli();
            free[m].memoryMib = machine.freeMemoryMib();
            free[m].storageGib = machine.freeStorageGib();
            for (uint256 i; i < 8; ++i) {
                free[m].devices[i] = machine.freeMilliGpu(i);
            }
        }
    }

    /// Books what a running lease has earned by now, or in `leastSeconds` if that is more.
    function _earn(uint32 orderId, OrderWord lease, uint256 leastSeconds) private {
        uint256 time = Math.min(Math.max(block.timestamp - lease.matchedAt(), leastSeconds), _durationSeconds(orderId));
        uint256 before = earned[orderId];
        uint256 now_ = lease.priceMicroPerHour() * time / 3600;
        // A unit at which both of the provider's fees step waits for the next payment.
        if (_toProvider(now_) < _toProvider(before)) return;
        earned[orderId] = now_;
        owned[_ownerOfLease(lease)] += _toProvider(now_) - _toProvider(before);
        owned[treasury] += _toTreasury(now_) - _toTreasury(before);
        owned[foundation] += _share(now_, _feeTerms().foundationFeeBps) - _share(before, _feeTerms().foundationFeeBps);
    }

    /// Fees are shares of what accrued, each rounded down.
    function _share(uint256 amount, uint256 bps) private pure returns (uint256) {
        return amount * bps / 10_000;
    }

    function _toProvider(uint256 amount) private view returns (uint256) {
        return amount - _share(amount, _feeTerms().providerFeeBps) - _share(amount, _feeTerms().foundationFeeBps);
    }

    function _toTreasury(uint256 amount) private view returns (uint256) {
        return _share(amount, _feeTerms().userFeeBps) + _share(amount, _feeTerms().providerFeeBps);
    }

    function _withUserFee(uint256 cost) private view returns (uint256) {
        return cost + (cost * _feeTerms().userFeeBps + 9999) / 10_000;
    }

    function _pick(uint256 seed) private view returns (uint32) {
        uint32 count = orderRequest.orderCount();
        return count == 0 ? 1 : uint32(1 + seed % count);
    }

    function _word(uint32 orderId) private view returns (OrderWord) {
        return OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
    }

    function _words(bytes memory records) private view returns (bytes32[] memory words) {
        words = new bytes32[](records.length / 32);
        for (uint256 i; i < words.length; ++i) {
            words[i] = orderRequest.orderWord(uint32(_recordAt(records, i) >> 224));
        }
    }

    function _recordAt(bytes memory records, uint256 index) private pure returns (uint256 record) {
        assembly ("memory-safe") {
            record := mload(add(add(records, 0x20), shl(5, index)))
        }
    }

    function _ownerWord(uint32 orderId) private view returns (OrderOwnerWord) {
        return OrderOwnerWord.wrap(uint256(orderRequest.ownerWord(orderId)));
    }

    function _tenant(uint32 orderId) private view returns (address) {
        return _ownerWord(orderId).tenant();
    }

    function _durationSeconds(uint32 orderId) private view returns (uint256) {
        return _ownerWord(orderId).durationMinutes() * 60;
    }

    function _locked(uint32 orderId) private view returns (uint256) {
        return _withUserFee((_ownerWord(orderId).maxPriceMicroPerHour() * _ownerWord(orderId).durationMinutes() + 59) / 60);
    }

    function _ownerOfLease(OrderWord lease) private view returns (address) {
        return providerRegistry.providerOwner(uint24(lease.providerId()));
    }

    function _ownerOf(uint32 machineId) private view returns (address) {
        return providerRegistry.providerOwner(uint24(MachineWord.wrap(_machineWord(machineId)).providerId()));
    }

    function _newestOffer(uint32 machineId) private view returns (uint256) {
        (bytes32 newest,) = providerRegistry.offerWords(machineId, 0);
        return uint256(newest);
    }
}
