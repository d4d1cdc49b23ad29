// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";

import { IComputeLease, LeaseEnd, LeaseTerms, LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { FeeTerms, IEscrow, OrderLock } from "../../src/market/IEscrow.sol";
import { OrderSpec, OrderState } from "../../src/market/MarketTypes.sol";
import { MachineWord, MachineWordLib } from "../../src/words/MachineWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice Two tenants, two sponsors, a provider and everybody else, acting on escrow and leases of the whole market; keeps its own books of
/// every order from the events, and its own accrual from the calls.
contract ComputeLeaseHandler is MarketBase {
    uint256 private constant MOST_ORDERS = 24;

    /// What the events said of an order's money.
    struct Flow {
        uint256 locked;
        uint256 returned;
        uint256 toProvider;
        uint256 toTreasury;
        uint256 toFoundation;
    }

    /// The model of a running lease.
    struct Model {
        uint256 readyAt;
        uint256 pricedAt;
        uint256 price;
        uint256 paidThrough;
        uint256 earnedBefore;
        uint256 minimumChargeSeconds;
        bool confirmed;
        bool ended;
        /// G that was due when it ended.
        uint256 due;
    }

    address[4] public actors;
    uint32 private machine;
    uint24 private provider;
    uint32[] public orders;
    mapping(uint32 orderId => Flow) public flows;
    mapping(uint32 orderId => Model) public models;

    // Balances before the call: by actor and others, own and sponsored.
    address[7] private watched;
    uint256[7] private ownBefore;
    uint256[7][2] private sponsoredBefore;

    function setUp() public override {
        super.setUp();
        actors = [makeAddr("tenant 1"), makeAddr("tenant 2"), makeAddr("sponsor 1"), makeAddr("sponsor 2")];
        watched = [actors[0], actors[1], actors[2], actors[3], providerOwner, treasury, foundation];
        provider = _provider(providerOwner);
        machine = _machine(provider);
        for (uint256 i; i < actors.length; ++i) {
            usd.mint(actors[i], 1 << 80);
            vm.startPrank(actors[i]);
            usd.approve(address(escrow), type(uint256).max);
            escrow.deposit(USD, 500_000_000);
            vm.stopPrank();
        }
        _rollTo(block.number + 2 * ROUND_LENGTH);
    }

    /// Runs a call with the books kept, and checks that nobody's funds fell but the caller's and those of `consenting` (S21).
    modifier kept(address caller, address consenting) {
        for (uint256 i; i < watched.length; ++i) {
            ownBefore[i] = escrow.balanceOf(watched[i], USD);
            sponsoredBefore[0][i] = escrow.sponsoredBalanceOf(watched[i], actors[2], USD);
            sponsoredBefore[1][i] = escrow.sponsoredBalanceOf(watched[i], actors[3], USD);
        }
        vm.recordLogs();
        _;
        _keepBooks(vm.getRecordedLogs());
        for (uint256 i; i < watched.length; ++i) {
            address account = watched[i];
            if (account != caller && account != consenting) assertGe(escrow.balanceOf(account, USD), ownBefore[i], "S21: own funds fell");
            for (uint256 s; s < 2; ++s) {
                address giver = actors[2 + s];
                if (account == caller || account == consenting || giver == caller) continue;
                assertGe(escrow.sponsoredBalanceOf(account, giver, USD), sponsoredBefore[s][i], "S21: sponsored funds fell");
            }
        }
    }

    function _keepBooks(Vm.Log[] memory logs) private {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != address(escrow)) continue;
            bytes32 topic = logs[i].topics[0];
            Flow storage flow = flows[uint32(uint256(logs[i].topics.length > 1 ? logs[i].topics[1] : bytes32(0)))];
            if (topic == IEscrow.Locked.selector) {
                (uint256 amount,,) = abi.decode(logs[i].data, (uint256, address, uint256));
                flow.locked += amount;
            } else if (topic == IEscrow.LockAdded.selector) {
                flow.locked += abi.decode(logs[i].data, (uint256));
            } else if (topic == IEscrow.Released.selector) {
                (uint256 toTenant, uint256 toSponsor,) = abi.decode(logs[i].data, (uint256, uint256, bool));
                flow.returned += toTenant + toSponsor;
            } else if (topic == IEscrow.LeasePaid.selector) {
                (uint256 amount, uint256 toTreasury, uint256 toFoundation) = abi.decode(logs[i].data, (uint256, uint256, uint256));
                flow.toProvider += amount;
                flow.toTreasury += toTreasury;
                flow.toFoundation += toFoundation;
            }
        }
    }

    // ---- accounts

    function deposit(uint256 who, uint256 amount) external {
        address actor = actors[who % 4];
        _deposit(actor, bound(amount, 1, 1_000_000_000));
    }

    function _deposit(address actor, uint256 amount) private kept(actor, address(0)) {
        vm.prank(actor);
        escrow.deposit(USD, amount);
    }

    function withdraw(uint256 who, uint256 amount) external {
        address actor = watched[who % 7];
        uint256 balance = escrow.balanceOf(actor, USD);
        if (balance != 0) _withdraw(actor, bound(amount, 1, balance));
    }

    function _withdraw(address actor, uint256 amount) private kept(actor, address(0)) {
        uint256 before = usd.balanceOf(actor);
        vm.prank(actor);
        escrow.withdraw(USD, amount);
        assertEq(usd.balanceOf(actor), before + amount);
    }

    function sponsor(uint256 who, uint256 amount) external {
        _sponsor(actors[2 + who % 2], bound(amount, 1, 100_000_000));
    }

    function _sponsor(address actor, uint256 amount) private kept(actor, address(0)) {
        address[] memory accounts = new address[](2);
        (accounts[0], accounts[1]) = (actors[0], actors[1]);
        vm.prank(actor);
        escrow.depositFor(USD, amount, accounts);
    }

    function withdrawSponsored(uint256 who, uint256 account, uint256 amount) external {
        address actor = actors[2 + who % 2];
        uint256 balance = escrow.sponsoredBalanceOf(actors[account % 2], actor, USD);
        if (balance != 0) _withdrawSponsored(actor, actors[account % 2], bound(amount, 1, balance));
    }

    function _withdrawSponsored(address actor, address account, uint256 amount) private kept(actor, address(0)) {
        vm.prank(actor);
        escrow.withdrawSponsored(USD, account, amount);
    }

    function chooseSponsor(uint256 who, uint256 choice) external {
        vm.prank(actors[who % 2]);
        escrow.chooseSponsor(choice % 3 == 0 ? address(0) : actors[1 + choice % 3]);
    }

    // ---- orders and matches

    function createOrder(uint256 who, uint256 price, uint256 minutes_) external {
        if (orders.length == MOST_ORDERS) return;
        OrderSpec memory spec = _spec();
        // Small enough for all of them to fit the machine at once.
        (spec.milliGpu, spec.cpuMilli, spec.memoryMib, spec.storageGib) = (0, 2000, 4096, 16);
        spec.maxPriceMicroPerHour = uint40(bound(price, 30_000, 5_000_000));
        spec.durationMinutes = uint24(bound(minutes_, 1, 600));
        address actor = actors[who % 2];
        uint256 needed = _lockOf(spec);
        address chosen = escrow.sponsorOf(actor);
        if (escrow.balanceOf(actor, USD) + escrow.sponsoredBalanceOf(actor, chosen, USD) < needed) return;
        _createOrder(actor, spec);
    }

    function _createOrder(address actor, OrderSpec memory spec) private kept(actor, address(0)) {
        vm.prank(actor);
        orders.push(orderRequest.createOrder(spec, uint32(block.timestamp + 3650 days)));
    }

    /// Settles the next round with every open order.
    function settle() external kept(address(0), address(0)) {
        uint32 round = _openNext();
        // Long silences make the table of the operators too old.
        _setTable(_weights(), uint32(block.timestamp), MAX_TABLE_STALENESS);
        settlement.recordTable("");
        round = _openNext();
        bytes memory records;
        for (uint256 i; i < orders.length; ++i) {
            if (_state(orders[i]) == uint256(OrderState.Open)) {
                records = bytes.concat(records, _encode(_record(orders[i], machine, 0)));
            }
        }
        if (records.length == 0) return;
        assertEq(_settle(round, records), records.length / 32, "every honest record holds");
    }

    // ---- leases

    /// A matched order, or 0.
    function _pick(uint256 seed) private view returns (uint32) {
        uint256 count = orders.length;
        for (uint256 i; i < count; ++i) {
            uint32 orderId = orders[(seed % count + i) % count];
            if (_state(orderId) == uint256(OrderState.Matched)) return orderId;
        }
        return 0;
    }

    function _tenantOf(uint32 orderId) private view returns (address) {
        return escrow.lockOf(orderId).tenant;
    }

    function _isInTime(uint32 orderId) private view returns (bool) {
        (, uint32 deadline) = computeLease.nextDeadline(orderId);
        return block.timestamp < deadline;
    }

    /// Takes a lease one step on: ready, announced, confirmed.
    function advance(uint256 seed) external {
        uint32 orderId = _pick(seed);
        if (orderId == 0 || !_isInTime(orderId)) return;
        _advance(orderId);
    }

    function _advance(uint32 orderId) private kept(providerOwner, address(0)) {
        IComputeLease.Lease memory lease = computeLease.getLease(orderId);
        Model storage model = models[orderId];
        if (lease.readyAt == 0) {
            vm.prank(providerOwner);
            computeLease.markReady(orderId);
            (model.readyAt, model.pricedAt, model.price) = (block.timestamp, block.timestamp, lease.priceMicroPerHour);
            model.paidThrough = block.timestamp + uint256(lease.durationMinutes) * 60;
            model.minimumChargeSeconds = _minimumAt(lease.matchedAt);
        } else if (lease.manifestHash == 0) {
            vm.prank(lease.tenant);
            computeLease.announceManifest(orderId, keccak256("manifest"));
        } else if (lease.confirmedAt == 0) {
            vm.prank(providerOwner);
            computeLease.confirmDeployment(orderId, lease.manifestHash);
            model.confirmed = true;
        }
    }

    function extend(uint256 seed, uint256 minutes_, bool renew) external {
        uint32 orderId = _pick(seed);
        if (orderId == 0 || models[orderId].readyAt == 0 || !_isInTime(orderId)) return;
        _extend(orderId, uint24(bound(minutes_, 1, 600)), renew);
    }

    function _extend(uint32 orderId, uint24 minutes_, bool renew) private kept(_tenantOf(orderId), address(0)) {
        Model storage model = models[orderId];
        uint256 paidThrough = (renew ? block.timestamp : model.paidThrough) + uint256(minutes_) * 60;
        vm.prank(_tenantOf(orderId));
        (bool ok, bytes memory answer) = address(computeLease)
            .call(
                renew
                    ? abi.encodeCall(IComputeLease.renewLease, (orderId, minutes_))
                    : abi.encodeCall(IComputeLease.topUp, (orderId, minutes_))
            );
        if (ok) {
            model.paidThrough = paidThrough;
            return;
        }
        uint256 least = model.readyAt + model.minimumChargeSeconds;
        bool evades = renew && paidThrough < (least < model.paidThrough ? least : model.paidThrough);
        bytes4 expected = evades ? IComputeLease.LeaseFieldInvalid.selector : IEscrow.InsufficientBalance.selector;
        assertEq(bytes4(answer), expected, "an extension fails for want of funds or minimum alone");
    }

    function update(uint256 seed, uint256 ceiling, uint256 price, uint256 cpuMilli, uint256 memoryMib) external {
        uint32 orderId = _pick(seed);
        if (orderId == 0 || !models[orderId].confirmed || !_isInTime(orderId)) return;
        OrderWord word = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        LeaseUpdate memory wanted = LeaseUpdate({
            milliGpu: 0,
            cpuMilli: uint24(bound(cpuMilli, 1, 2500)),
            memoryMib: uint24(bound(memoryMib, 0, 5000)),
            storageGib: uint24(word.storageGib()),
            maxPriceMicroPerHour: uint40(bound(ceiling, 1, 8_000_000)),
            manifestHash: keccak256("another")
        });
        // The round that is open has settled whenever the last call that moved blocks was a settlement with a match.
        bool grows = wanted.cpuMilli > word.cpuMilli() || wanted.memoryMib > word.memoryMib();
        if (grows && settlement.lastSettledRound() != matchPolicy.openRound()) return;
        _update(orderId, wanted, uint40(bound(price, 0, wanted.maxPriceMicroPerHour)));
    }

    function _update(uint32 orderId, LeaseUpdate memory wanted, uint40 price) private kept(providerOwner, _tenantOf(orderId)) {
        vm.prank(_tenantOf(orderId));
        computeLease.requestUpdate(orderId, wanted);
        vm.prank(providerOwner);
        try computeLease.acceptUpdate(orderId, keccak256(abi.encode(wanted)), price, 0, _defaultPolicy()) {
            Model storage model = models[orderId];
            model.earnedBefore = _modelAt(model, block.timestamp);
            (model.pricedAt, model.price) = (block.timestamp, price);
        } catch (bytes memory answer) {
            assertEq(bytes4(answer), IEscrow.InsufficientBalance.selector, "an update fails for want of funds alone");
        }
    }

    function claim(uint256 seed) external {
        uint32 orderId = _pick(seed);
        if (orderId != 0 && models[orderId].confirmed) _claim(orderId);
    }

    function _claim(uint32 orderId) private kept(address(0), address(0)) {
        computeLease.claim(orderId);
        assertEq(computeLease.claim(orderId), 0, "a second claim in the same second");
    }

    function releaseExcess(uint256 seed) external {
        uint32 orderId = _pick(seed);
        if (orderId != 0 && models[orderId].readyAt != 0) _releaseExcess(orderId);
    }

    function _releaseExcess(uint32 orderId) private kept(address(0), address(0)) {
        computeLease.releaseExcess(orderId);
        assertEq(computeLease.releaseExcess(orderId), 0);
    }

    function close(uint256 seed, bool byTenant) external {
        uint32 orderId = _pick(seed);
        if (orderId != 0) _end(orderId, byTenant ? _tenantOf(orderId) : providerOwner, false);
    }

    function end(uint256 seed) external {
        uint32 orderId = _pick(seed);
        if (orderId != 0 && !_isInTime(orderId)) _end(orderId, address(this), true);
    }

    function _end(uint32 orderId, address caller, bool byAnyone) private kept(address(0), address(0)) {
        Model storage model = models[orderId];
        (LeaseEnd reason,) = computeLease.nextDeadline(orderId);
        bool inTime = _isInTime(orderId);
        bool byTenant = caller == _tenantOf(orderId);
        uint256 due = _due(model, reason, inTime, byTenant);
        vm.prank(caller);
        if (byAnyone) computeLease.endLease(orderId);
        else computeLease.closeLease(orderId);
        if (MachineWord.wrap(_machineWord(machine)).activeUntilRound() != MachineWordLib.NO_ROUND) {
            vm.prank(providerOwner);
            providerRegistry.activateMachine(machine);
        }
        if (model.readyAt == 0 && !byTenant) {
            assertEq(_state(orderId), uint256(OrderState.Open));
            return;
        }
        (model.ended, model.due) = (true, due);
    }

    function _due(Model storage model, LeaseEnd reason, bool inTime, bool byTenant) private view returns (uint256) {
        if (model.readyAt == 0) return 0;
        uint256 least = model.readyAt + model.minimumChargeSeconds;
        if (!inTime) {
            if (reason == LeaseEnd.PaidThrough) return _modelAt(model, model.paidThrough);
            return reason == LeaseEnd.NoManifest ? _modelAt(model, least) : 0;
        }
        if (byTenant) return _modelAt(model, block.timestamp > least ? block.timestamp : least);
        return model.confirmed ? _modelAt(model, block.timestamp) : 0;
    }

    // ---- time and governance

    /// Nothing, seconds, minutes or days.
    function pass(uint256 seed) external {
        uint256[4] memory most = [uint256(0), 60, 3600, 3 days];
        vm.warp(block.timestamp + bound(seed >> 8, 0, most[seed % 4]));
    }

    function setFees(uint256 user, uint256 providerShare, uint256 foundationShare) external {
        FeeTerms memory terms = _feeTerms();
        terms.userFeeBps = uint16(bound(user, 0, 1000));
        terms.providerFeeBps = uint16(bound(providerShare, 0, 1000));
        terms.foundationFeeBps = uint16(bound(foundationShare, 0, 5000));
        escrow.setFeeTerms(terms);
    }

    uint256[] private minimumFrom;
    uint256[] private minimums;

    function setTerms(uint256 minimum) external {
        LeaseTerms memory terms = _leaseTerms();
        terms.minimumChargeSeconds = uint32(bound(minimum, 0, 7200));
        computeLease.setLeaseTerms(terms);
        minimumFrom.push(block.timestamp);
        minimums.push(terms.minimumChargeSeconds);
    }

    /// The minimum charge of a lease matched at `time`: the newest that was set before.
    function _minimumAt(uint256 time) private view returns (uint256) {
        for (uint256 i = minimums.length; i > 0; --i) {
            if (minimumFrom[i - 1] < time) return minimums[i - 1];
        }
        return _leaseTerms().minimumChargeSeconds;
    }

    // ---- books

    function _modelAt(Model storage model, uint256 time) private view returns (uint256) {
        if (model.readyAt == 0) return 0;
        uint256 until = time < model.paidThrough ? time : model.paidThrough;
        return model.earnedBefore + model.price * (until - model.pricedAt) / 3600;
    }

    function orderCount() external view returns (uint256) {
        return orders.length;
    }

    function expectedAccrual(uint32 orderId) external view returns (uint256) {
        Model storage model = models[orderId];
        return model.ended ? model.due : _modelAt(model, block.timestamp);
    }

    function isMatched(uint32 orderId) external view returns (bool) {
        return _state(orderId) == uint256(OrderState.Matched);
    }

    function isEnded(uint32 orderId) external view returns (bool) {
        return models[orderId].ended;
    }

    function lockOf(uint32 orderId) external view returns (OrderLock memory) {
        return escrow.lockOf(orderId);
    }

    function accrued(uint32 orderId) external view returns (uint256) {
        return computeLease.accrued(orderId);
    }

    function flowOf(uint32 orderId) external view returns (Flow memory) {
        return flows[orderId];
    }

    /// What the escrow holds, says it owes, and owes by its parts.
    function totals() external view returns (uint256 held, uint256 liabilities, uint256 owed) {
        held = usd.balanceOf(address(escrow));
        liabilities = escrow.liabilities(USD);
        for (uint256 i; i < watched.length; ++i) {
            owed += escrow.balanceOf(watched[i], USD) + escrow.bondsOf(watched[i], USD);
            owed += escrow.sponsoredBalanceOf(watched[i], actors[2], USD) + escrow.sponsoredBalanceOf(watched[i], actors[3], USD);
        }
        for (uint256 i; i < orders.length; ++i) {
            OrderLock memory entry = escrow.lockOf(orders[i]);
            if (!entry.released) owed += entry.locked - entry.spent;
        }
    }

    /// Everybody takes out all they can; the lease that is not ended keeps its lock.
    function withdrawAll() external {
        for (uint256 i; i < watched.length; ++i) {
            uint256 balance = escrow.balanceOf(watched[i], USD);
            vm.startPrank(watched[i]);
            if (balance != 0) escrow.withdraw(USD, balance);
            for (uint256 account; account < watched.length; ++account) {
                uint256 left = escrow.sponsoredBalanceOf(watched[account], watched[i], USD);
                if (left != 0) escrow.withdrawSponsored(USD, watched[account], left);
            }
            vm.stopPrank();
        }
    }
}
