// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { MatchBatch, OrderSpec, OrderState } from "../../src/market/MarketTypes.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice A tenant and a provider who are one, with a lease between them that grows whenever the gate lets it, against everybody's rounds.
contract RoundCensorshipTest is MarketBase {
    uint32 private constant WAIT = 30;

    address private colluder = makeAddr("colluder");
    uint32 private ownMachine;
    uint32 private ownLease;
    uint32 private honestMachine;

    function setUp() public override {
        super.setUp();
        honestMachine = _machine(_provider(providerOwner));
        ownMachine = _machine(_provider(colluder));
        OrderSpec memory spec = _spec();
        _fund(colluder, 10 * _lockOf(spec));
        vm.prank(colluder);
        ownLease = orderRequest.createOrder(spec, uint32(block.timestamp + 30 days));
        assertEq(_settle(_openNext(), _encode(_record(ownLease, ownMachine, 1))), 1);
        _confirm(ownLease);
        vm.prank(colluder);
        computeLease.topUp(ownLease, 10_000);
    }

    /// One core more, accepted by itself. Whether the gate let it through.
    function _grow() private returns (bool through) {
        OrderWord word = OrderWord.wrap(uint256(orderRequest.orderWord(ownLease)));
        LeaseUpdate memory update = LeaseUpdate({
            milliGpu: uint16(word.milliGpu()),
            cpuMilli: uint24(word.cpuMilli() + 100),
            memoryMib: uint24(word.memoryMib()),
            storageGib: uint24(word.storageGib()),
            maxPriceMicroPerHour: 1,
            manifestHash: keccak256("manifest")
        });
        vm.startPrank(colluder);
        computeLease.requestUpdate(ownLease, update);
        try computeLease.acceptUpdate(ownLease, keccak256(abi.encode(update)), 1, 1, _defaultPolicy()) {
            through = true;
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), IMatchSettlement.GateClosed.selector);
        }
        vm.stopPrank();
    }

    /// In a market so quiet that no round settles, at most one round in `selfMatchRounds` is lost, and never two in a row.
    function test_atMostOneRoundInSelfMatchRoundsIsTakenFromAQuietMarket() public {
        uint32 first = settlement.lastSettledRound() + 1;
        uint32 lastTaken = first - 1;
        uint256 taken;
        for (uint32 round = first; round < first + 4 * WAIT; ++round) {
            _enterRound(round, 1);
            if (!_grow()) continue;
            ++taken;
            assertGe(round - lastTaken, WAIT, "the place of a round was taken too soon after the last one");
            lastTaken = round;
        }
        assertEq(taken, 4);
    }

    /// An order whose batch meets a taken round is leased by the next one, which nobody can take.
    function test_aTakenRoundDelaysAnHonestOrderByOneRound() public {
        _enterRound(settlement.lastSettledRound() + WAIT, 1);
        uint32 honest = _order(_spec());
        uint32 round = _openNext();
        bytes memory records = _encode(_record(honest, honestMachine, 1));
        MatchBatch memory batch = _batch(round, records);
        bytes memory signatures = _sign(batch, ALL_SIGN);
        assertTrue(_grow(), "the round is taken in front of the batch");
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.RoundAlreadySettled.selector, round, round));
        settlement.settle(batch, _defaultPolicy(), records, signatures);

        _enterRound(round + 1, 1);
        assertFalse(_grow(), "the next round cannot be taken");
        assertEq(_settle(round + 1, records), 1);
        assertEq(_state(honest), uint256(OrderState.Matched));
    }

    /// While rounds settle, a lease grows behind the batch of the open round or not at all.
    function test_noRoundIsTakenWhileAQuorumSettles() public {
        for (uint256 i; i < 5; ++i) {
            uint32 honest = _order(_spec());
            uint32 round = _openNext();
            assertFalse(_grow(), "before the batch");
            assertEq(_settle(round, _encode(_record(honest, honestMachine, uint8(1 << i)))), 1);
            assertTrue(_grow(), "behind it");
        }
    }
}
