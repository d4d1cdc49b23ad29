// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";

import { LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { MatchBatch, OfferTerms, OrderSpec, OrderState, Policy } from "../../src/market/MarketTypes.sol";
import { Candidate, MatchRules, RoundFacts } from "../../src/rules/MatchRules.sol";
import { BidWord } from "../../src/words/BidWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord } from "../../src/words/OfferWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { MarketBase } from "../MarketBase.t.sol";
import { noPacking } from "../rules/NoPacking.sol";

/// @notice S16 and the gate: whatever happens in a round's span (self-matches, growing and ending leases, cancels, bids and withdrawals,
/// changed offers, machines that leave), a batch computed on the snapshot settles whole or finds the round taken, and every word follows
/// from the logs. Sequences of rounds that settle, lapse or are taken; the seed is the fuzzer's.
contract GateTest is MarketBase {
    uint32 private constant MACHINES = 3;
    uint32 private constant WAIT = 3;
    uint256 private constant ROUNDS = 12;
    uint256 private constant STEPS = 5;

    uint256 private seed;
    uint256 private drawn;
    OrderSpec[] private specs;
    bytes32[3] private folded;
    /// What the honest batch has taken of the machines while it is computed.
    mapping(uint32 machineId => uint256) private reserved;
    uint256 private settledWhole;
    uint256 private refusedTaken;
    uint256 private selfMatched;
    /// Rounds that the quorum stays dead for.
    uint256 private deadRounds;

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < MACHINES; ++i) {
            address owner = makeAddr(string.concat("owner ", vm.toString(i)));
            _machine(_provider(owner));
            _fund(owner, 1_000_000_000);
        }
        _enterRound(1, 1);
        matchPolicy.schedule(4, uint16(ROUND_LENGTH), _policy(), noPacking());
        _enterRound(4, 1);
        folded = [orderRequest.factsWord(), providerRegistry.factsWord(), settlement.settlementWord()];
    }

    function _policy() private pure returns (Policy memory policy) {
        policy = _defaultPolicy();
        policy.selfMatchRounds = WAIT;
    }

    function testFuzz_noHonestBatchIsEverSkippedInPart(uint256 seed_) public {
        play(seed_, ROUNDS);
    }

    /// The property is about something: rounds settle, and rounds are taken before their batch comes.
    function test_roundsSettleAndAreTaken() public {
        // Each part is a call of its own, which gives its memory back.
        for (uint256 i; i < 5; ++i) {
            this.play(uint256(keccak256(abi.encode("gate", i))), ROUNDS);
        }
        assertGt(settledWhole, 5, "settled");
        assertGt(refusedTaken, 0, "taken");
        assertGt(selfMatched, 0, "self-matched");
    }

    /// Plays on for some rounds.
    function play(uint256 seed_, uint256 rounds) public {
        seed = seed_;
        vm.recordLogs();
        for (uint256 i; i < rounds; ++i) {
            uint32 round = matchPolicy.fromRoundNow();
            _enterRound(round, 0);
            for (uint256 k = _draw(3); k != 0; --k) {
                _step();
            }
            _enterRound(round, 1);
            bytes memory records = _honest(round);
            // Now and then the quorum is dead for longer than a tenant has to wait.
            if (deadRounds != 0) --deadRounds;
            else if (_draw(3) == 0) deadRounds = WAIT + 1 + _draw(WAIT);
            bool isDead = deadRounds != 0;
            uint256 before = _draw(STEPS);
            for (uint256 k; k < before; ++k) {
                _step();
            }
            // A batch that comes late in a round that was taken meanwhile must be refused, whoever is alive.
            bool isTaken = settlement.lastSettledRound() == round;
            if ((!isDead || isTaken) && records.length != 0) _settleHonest(round, records);
            for (uint256 k = _draw(STEPS); k != 0; --k) {
                _step();
            }
            _replay();
        }
        _checkBonds();
    }

    /// Every bond in the escrow belongs to one bid that holds it, and all that left came back to its provider or went to a tenant.
    function _checkBonds() private view {
        for (uint24 providerId = 1; providerId <= MACHINES; ++providerId) {
            uint256 bonds;
            uint256 held;
            for (uint32 orderId = 1; orderId <= specs.length; ++orderId) {
                (,,, uint96 bond,,,) = bid.bidOf(orderId, providerId);
                bonds += bond;
                if (bond != 0) ++held;
            }
            assertEq(escrow.bondsOf(providerRegistry.providerOwner(providerId), USD), bonds, "bonds");
            assertEq(bid.heldBids(providerId), held, "held bids");
        }
    }

    // ---- honest operators

    /// Some eligible machine for each order, at the price of the rules, on the words of the snapshot block, which is over.
    function _honest(uint32 round) private returns (bytes memory records) {
        RoundFacts memory facts =
            RoundFacts({ round: round, snapshotBlock: matchPolicy.snapshotBlock(round), timestamp: block.timestamp - 1 });
        for (uint32 id = 1; id <= MACHINES; ++id) {
            reserved[id] = _machineWord(id);
        }
        for (uint32 orderId = 1; orderId <= specs.length; ++orderId) {
            OrderWord order = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
            if (!MatchRules.isEligible(facts, order)) continue;
            uint32 first = uint32(_draw(MACHINES));
            for (uint32 i; i < MACHINES; ++i) {
                (bool fits, bytes memory record) = _recordOn(facts, orderId, order, 1 + (first + i) % MACHINES);
                if (!fits) continue;
                records = bytes.concat(records, record);
                break;
            }
        }
    }

    function _recordOn(RoundFacts memory facts, uint32 orderId, OrderWord order, uint32 machineId) private returns (bool, bytes memory) {
        OrderSpec memory spec = specs[orderId - 1];
        (Candidate memory candidate, uint8 bidIndex) = _candidate(orderId, order, machineId);
        if (MatchRules.rejection(facts, _policy(), order, spec, candidate) != 0) return (false, "");
        RecordFields memory fields = _record(orderId, machineId, 0);
        (uint256 price, bool fromBid) = MatchRules.quote(facts, spec, candidate);
        (, uint256 mask) = MatchRules.chooseDevices(candidate.machine, spec.milliGpu);
        (fields.priceMicroPerHour, fields.fromBid, fields.deviceMask) = (uint40(price), fromBid, uint8(mask));
        if (fromBid) fields.bidIndex = bidIndex;
        uint256 devices = uint256(MachineWord.unwrap(candidate.machine)) & type(uint80).max;
        for (uint256 i; i < 8; ++i) {
            if ((mask >> i) & 1 != 0) devices -= uint256(spec.milliGpu < 1000 ? spec.milliGpu : 1000) << (10 * i);
        }
        MachineWord machine = candidate.machine;
        reserved[machineId] = MachineWord.unwrap(
            machine.withFree(
                machine.freeMemoryMib() - spec.memoryMib,
                machine.freeCpuMilli() - spec.cpuMilli,
                machine.freeStorageGib() - spec.storageGib,
                devices
            )
        );
        return (true, _encode(fields));
    }

    function _candidate(uint32 orderId, OrderWord order, uint32 machineId)
        private
        view
        returns (Candidate memory candidate, uint8 bidIndex)
    {
        candidate.machineId = machineId;
        candidate.machine = MachineWord.wrap(reserved[machineId]);
        candidate.provider = ProviderWord.wrap(uint256(providerRegistry.providerWord(uint24(candidate.machine.providerId()))));
        // Terms set up to the snapshot block count from its round or an earlier one, so the newest are the round's.
        (bytes32 offer,) = providerRegistry.offerWords(machineId, 0);
        candidate.offer = OfferWord.wrap(uint256(offer));
        for (uint8 i; i < order.bidCount(); ++i) {
            BidWord placed = BidWord.wrap(uint256(orderRequest.bidWord(orderId, i)));
            if (placed.machineId() == machineId) (candidate.bid, bidIndex) = (placed, i);
        }
    }

    function _settleHonest(uint32 round, bytes memory records) private {
        MatchBatch memory batch = _batch(round, records);
        bytes memory signatures = _sign(batch, ALL_SIGN);
        if (settlement.lastSettledRound() == round) {
            ++refusedTaken;
            _replay();
            vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.RoundAlreadySettled.selector, round, round));
            settlement.settle(batch, _policy(), records, signatures);
            return _forget();
        }
        uint256 matched = settlement.settle(batch, _policy(), records, signatures);
        assertEq(matched, records.length / 32, "an honest record was skipped");
        ++settledWhole;
    }

    // ---- everybody else

    function _step() private {
        _replay();
        if (_draw(3) == 0 && block.number < uint256(matchPolicy.snapshotBlock(matchPolicy.openRound() + 1))) _rollTo(block.number + 1);
        uint256 kind = _draw(10);
        uint32 orderId = specs.length == 0 ? 0 : uint32(1 + _draw(specs.length));
        uint32 machineId = uint32(1 + _draw(MACHINES));
        if (kind < 3 || orderId == 0) _post();
        else if (kind < 5) _trySelfMatch(orderId, machineId);
        else if (kind == 5) _tryGrow(orderId);
        else if (kind == 6) _tryEnd(orderId);
        else if (kind == 7) _tryBid(orderId, machineId);
        else if (kind == 8) _tryChangeMachine(machineId);
        else _tryCancel(orderId);
    }

    function _post() private {
        OrderSpec memory spec = _spec();
        spec.milliGpu = [0, 400, 1000, 4000][_draw(4)];
        spec.cpuMilli = uint24(1 + _draw(30_000));
        spec.durationMinutes = 60;
        specs.push(spec);
        assertEq(_order(spec), specs.length);
        // So that its window is open for bids more often than not.
        if (_draw(2) == 0) _tryBid(uint32(specs.length), uint32(1 + _draw(MACHINES)));
    }

    function _trySelfMatch(uint32 from, uint32 machineId) private {
        // The longest waiting one most often: others have not waited long enough.
        uint32 orderId = _openFrom(_draw(4) == 0 ? from : 1);
        uint32 open = matchPolicy.openRound();
        uint32 last = settlement.lastSettledRound();
        vm.prank(tenant);
        try settlement.selfMatch(orderId, machineId, 0, specs[orderId - 1], _policy()) {
            assertTrue(last == open || open - last >= WAIT, "the gate was closed");
            assertEq(settlement.lastSettledRound(), open);
            assertEq(_state(orderId), uint256(OrderState.Matched));
            ++selfMatched;
        } catch (bytes memory reason) {
            _forget();
            bytes4 selector = bytes4(reason);
            bool isExpected = selector == IMatchSettlement.GateClosed.selector || selector == IMatchSettlement.SelfMatchTooEarly.selector
                || selector == IMatchSettlement.SelfMatchIneligible.selector || selector == IOrderRequest.OrderAlreadyEnding.selector;
            assertTrue(isExpected, "self-match fails for a reason of its own");
            assertEq(settlement.lastSettledRound(), last);
        }
    }

    /// The next open order, `from` itself when there is none.
    function _openFrom(uint32 from) private view returns (uint32 orderId) {
        for (uint256 i; i < specs.length; ++i) {
            orderId = uint32(1 + (from - 1 + i) % specs.length);
            if (_state(orderId) == uint256(OrderState.Open)) return orderId;
        }
        return from;
    }

    /// Takes the lease through ready and confirmation, and then one device, or a core, more.
    function _tryGrow(uint32 orderId) private {
        if (_state(orderId) != uint256(OrderState.Matched)) return;
        if (computeLease.getLease(orderId).readyAt == 0) {
            if (block.timestamp >= computeLease.getLease(orderId).matchedAt + 600) return;
            _confirm(orderId);
        }
        OrderWord lease = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        uint8 mask = uint8(lease.deviceMask());
        LeaseUpdate memory update = LeaseUpdate({
            milliGpu: uint16(lease.milliGpu()),
            cpuMilli: uint24(lease.cpuMilli()) + 1000,
            memoryMib: uint24(lease.memoryMib()),
            storageGib: uint24(lease.storageGib()),
            maxPriceMicroPerHour: uint40(lease.priceMicroPerHour()),
            manifestHash: keccak256("grown")
        });
        vm.prank(tenant);
        try computeLease.requestUpdate(orderId, update) { }
        catch {
            return _forget();
        }
        vm.prank(providerRegistry.providerOwner(uint24(lease.providerId())));
        try computeLease.acceptUpdate(orderId, keccak256(abi.encode(update)), update.maxPriceMicroPerHour, mask, _policy()) {
            assertEq(settlement.lastSettledRound(), matchPolicy.openRound(), "growth without the gate");
        } catch {
            _forget();
        }
    }

    /// A provider that gives up before it was ready sends the order back; after that the tenant closes.
    function _tryEnd(uint32 orderId) private {
        if (_state(orderId) != uint256(OrderState.Matched)) return;
        if (computeLease.getLease(orderId).readyAt == 0) {
            uint32 machineId = computeLease.getLease(orderId).machineId;
            address owner = providerRegistry.providerOwner(computeLease.getLease(orderId).providerId);
            vm.prank(owner);
            computeLease.closeLease(orderId);
            assertEq(_state(orderId), uint256(OrderState.Open));
            // The machine stood down with it; now and then its owner forgets to bring it back.
            if (MachineWord.wrap(_machineWord(machineId)).activeUntilRound() == type(uint32).max || _draw(4) == 0) return;
            vm.prank(owner);
            providerRegistry.activateMachine(machineId);
        } else {
            vm.prank(tenant);
            computeLease.closeLease(orderId);
        }
    }

    function _tryBid(uint32 orderId, uint32 machineId) private {
        _replay();
        uint24 providerId = uint24(MachineWord.wrap(_machineWord(machineId)).providerId());
        vm.startPrank(providerRegistry.providerOwner(providerId));
        try bid.placeBid(orderId, machineId, uint40(_draw(900_000))) { }
        catch {
            _forget();
            try bid.withdrawBid(orderId, providerId) { }
            catch {
                _forget();
            }
        }
        vm.stopPrank();
        _replay();
        try bid.releaseBond(orderId, providerId) { }
        catch {
            _forget();
        }
    }

    function _tryChangeMachine(uint32 machineId) private {
        vm.startPrank(providerRegistry.providerOwner(uint24(MachineWord.wrap(_machineWord(machineId)).providerId())));
        if (_draw(2) == 0) {
            OfferTerms memory terms = _offer();
            terms.gpuMicroPerHour = uint40(100_000 + _draw(2_000_000));
            providerRegistry.setOffer(machineId, 0, terms);
        } else {
            try providerRegistry.deactivateMachine(machineId) { }
            catch {
                _forget();
                try providerRegistry.activateMachine(machineId) { }
                catch {
                    _forget();
                }
            }
        }
        vm.stopPrank();
    }

    function _tryCancel(uint32 orderId) private {
        vm.prank(tenant);
        try orderRequest.cancel(orderId) { }
        catch {
            _forget();
        }
        _replay();
        try orderRequest.refund(orderId) { }
        catch {
            _forget();
        }
    }

    // ---- nodes

    /// The three words that commit to everything, from the logs since the last time.
    function _replay() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == IOrderRequest.Fact.selector) {
                uint256 which = logs[i].emitter == address(orderRequest) ? 0 : 1;
                bytes32 word = folded[which];
                uint256 accumulator = uint256(keccak256(abi.encodePacked(word, logs[i].topics[1], logs[i].data))) >> 48;
                folded[which] = bytes32((accumulator << 48) | (uint48(uint256(word)) + 1));
            } else if (topic == IMatchSettlement.RoundTaken.selector) {
                _foldRound(logs[i].topics[1], keccak256(abi.encodePacked(folded[2], bytes32(0), bytes32(0))));
            } else if (topic == IMatchSettlement.BatchSettled.selector) {
                (bytes memory records, uint256[] memory skipped, uint256[] memory benched) =
                    abi.decode(logs[i].data, (bytes, uint256[], uint256[]));
                bytes memory message = abi.encodePacked(folded[2], logs[i].topics[2], keccak256(records), skipped, benched);
                _foldRound(logs[i].topics[1], keccak256(message));
            }
        }
        assertEq(orderRequest.factsWord(), folded[0], "orders");
        assertEq(providerRegistry.factsWord(), folded[1], "registry");
        assertEq(settlement.settlementWord(), folded[2], "settlement");
    }

    /// The recorder keeps logs of calls that failed, which no chain has.
    function _forget() private {
        vm.getRecordedLogs();
    }

    function _foldRound(bytes32 round, bytes32 hash) private {
        folded[2] = bytes32((uint256(hash) >> 32 << 32) | uint256(round));
    }

    function _draw(uint256 below) private returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++drawn))) % below;
    }
}
