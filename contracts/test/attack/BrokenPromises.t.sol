// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBid } from "../../src/market/IBid.sol";
import { OrderSpec, OrderState, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { SlashCause, SlashOrder, StakeTerms } from "../../src/market/IStakingManager.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice Those who win and do not serve, order and do not want, or are slashed in the middle of a round.
contract BrokenPromisesTest is MarketBase {
    uint256 private constant BOND = 1_000_000;
    uint40 private constant BID = 900_000;

    uint24 private provider;
    uint32 private machine;
    address private rival = makeAddr("rival");
    uint24 private rivalProvider;
    uint32 private rivalMachine;

    function setUp() public override {
        super.setUp();
        provider = _provider(providerOwner);
        machine = _machine(provider);
        rivalProvider = _provider(rival);
        rivalMachine = _machine(rivalProvider);
        _fund(providerOwner, 10 * BOND);
        _fund(rival, 10 * BOND);
        _rollTo(block.number + 2 * ROUND_LENGTH);
    }

    function _generation(uint32 orderId) private view returns (uint256) {
        return OrderWord.wrap(uint256(orderRequest.orderWord(orderId))).eligibleFromBlock();
    }

    function _bid(address owner, uint32 orderId, uint32 onMachine) private returns (uint8 bidIndex) {
        vm.prank(owner);
        return bid.placeBid(orderId, onMachine, BID);
    }

    function _bidRecord(uint32 orderId, uint32 onMachine, uint8 bidIndex) private view returns (bytes memory) {
        RecordFields memory fields = _record(orderId, onMachine, 1);
        (fields.fromBid, fields.priceMicroPerHour, fields.bidIndex) = (true, BID, bidIndex);
        return _encode(fields);
    }

    /// Every broken promise costs one bond, whichever way it is broken, and no bond or place in the caps is left behind.
    function test_aProviderThatWinsAndIsNeverReadyPaysABondEachTime() public {
        uint32 orderId = _order(_spec());
        uint256 generation = _generation(orderId);
        for (uint256 time; time < 4; ++time) {
            // The loser of the first generation leaves its bond where it is.
            if (time == 0) _bid(rival, orderId, rivalMachine);
            uint8 index = _bid(providerOwner, orderId, machine);
            assertEq(bid.heldBids(provider), 1);
            assertEq(_settle(_openNext(), _bidRecord(orderId, machine, index)), 1, "won by the bid");
            vm.expectRevert(abi.encodeWithSelector(IBid.BondStillHeld.selector, orderId, provider));
            bid.releaseBond(orderId, provider);

            if (time % 2 == 0) {
                vm.warp(block.timestamp + 600);
                computeLease.endLease(orderId);
            } else {
                vm.prank(providerOwner);
                computeLease.closeLease(orderId);
            }
            // The machine stands down with the lease; its owner brings it back to try again.
            vm.prank(providerOwner);
            providerRegistry.activateMachine(machine);
            assertEq(escrow.balanceOf(tenant, USD), (time + 1) * BOND, "the tenant has the bonds");
            assertEq(bid.heldBids(provider), 0);
            assertEq(escrow.bondsOf(providerOwner, USD), 0);
            assertGt(_generation(orderId), generation, "generations ascend");
            generation = _generation(orderId);
        }
        bid.releaseBond(orderId, rivalProvider);
        assertEq(escrow.balanceOf(rival, USD), 10 * BOND);
        assertEq(bid.heldBids(rivalProvider), 0);
    }

    /// The cheapest machine, whose provider is gone, holds an order up once and then no other: it is out of the market.
    function test_aMachineThatNobodyServesSwallowsNoOrderTwice() public {
        uint32 orderId = _order(_spec());
        assertEq(_settle(_openNext(), _encode(_record(orderId, machine, 1))), 1);
        vm.warp(block.timestamp + 600);
        computeLease.endLease(orderId);
        uint32 round = _openNext();
        assertFalse(MachineWord.wrap(_machineWord(machine)).isActiveIn(round));
        assertEq(_settle(round, _encode(_record(orderId, rivalMachine, 1))), 1);
        _confirm(orderId);
    }

    /// Were the window shortened to nothing between two matches, a bid of the first must not count in the second.
    function testFuzz_noBidOfAnEarlierGenerationIsEverLive(uint32 before, uint32 afterwards) public {
        before = uint32(bound(before, 1, 200));
        afterwards = uint32(bound(afterwards, 0, 200));
        orderRequest.setBidWindowBlocks(before);
        uint32 orderId = _order(_spec());
        uint256 generation = _generation(orderId);
        uint8 index = _bid(providerOwner, orderId, machine);
        _rollTo(generation);
        uint32 round = matchPolicy.fromRoundNow();
        _enterRound(round, 1);
        assertEq(_settle(round, _encode(_record(orderId, rivalMachine, 1))), 1, "the rival won by its offer");
        orderRequest.setBidWindowBlocks(afterwards);
        vm.prank(rival);
        computeLease.closeLease(orderId);
        assertGt(_generation(orderId), generation);

        _rollTo(_generation(orderId));
        round = matchPolicy.fromRoundNow();
        _enterRound(round, 1);
        assertEq(_settle(round, _bidRecord(orderId, machine, index)), 0, "the old word names no bid");
        bid.releaseBond(orderId, provider);
        assertEq(bid.heldBids(provider), 0);
    }

    /// The open round may match an order that was replaced in it: then both live, and the unwanted one costs nothing but a call.
    function test_anOrderMatchedInItsLastRoundIsLeftWithoutLoss() public {
        uint32 orderId = _order(_spec());
        uint32 round = _openNext();
        OrderSpec memory spec = _spec();
        _fund(tenant, _lockOf(spec));
        vm.prank(tenant);
        uint32 second = orderRequest.replaceOrder(orderId, spec, uint32(block.timestamp + 1 days));
        assertEq(_settle(round, _encode(_record(orderId, machine, 1))), 1);
        vm.prank(tenant);
        computeLease.closeLease(orderId);
        assertEq(_state(orderId), uint256(OrderState.Closed));
        assertEq(_state(second), uint256(OrderState.Open));
        assertEq(escrow.balanceOf(tenant, USD), _lockOf(spec), "its lock came back whole");
    }

    /// What was shown at the snapshot settles whole; afterwards the provider is out, and its tenant leaves without the minimum.
    function test_aSlashInTheMiddleOfARoundSkipsNoHonestRecord() public {
        uint32 orderId = _order(_spec());
        uint32 round = _openNext();
        stakingManager.slash(
            SlashOrder({
                providerId: provider,
                cause: SlashCause.Misconduct,
                amountBps: 10_000,
                orderId: 0,
                harm: 0,
                evidenceHash: keccak256("evidence")
            })
        );
        ProviderWord word = ProviderWord.wrap(uint256(providerRegistry.providerWord(provider)));
        assertEq(word.status(), uint256(ProviderStatus.Suspended));
        assertEq(_settle(round, _encode(_record(orderId, machine, 1))), 1);
        vm.prank(providerOwner);
        computeLease.markReady(orderId);
        vm.prank(tenant);
        computeLease.closeLease(orderId);
        assertEq(escrow.balanceOf(tenant, USD), _lockOf(_spec()));
        assertEq(escrow.balanceOf(providerOwner, USD), 10 * BOND);
    }

    /// A raised minimum binds as soon as anyone moves a unit of the provider's stake; what stands above it is not touched.
    function test_aRaisedMinimumIsEnforcedByAnybodysUnitOfStake() public {
        address nobody = makeAddr("nobody");
        stakeToken.mint(nobody, 2);
        vm.prank(nobody);
        stakeToken.approve(address(stakingManager), 2);
        uint256 own = stakingManager.ownStakeWhole(provider);
        _setMinimum(own + 1);
        assertEq(_status(), uint256(ProviderStatus.Active), "not by the raise itself");
        vm.prank(nobody);
        stakingManager.delegate(provider, 1);
        assertEq(_status(), uint256(ProviderStatus.Registered));
        _setMinimum(own);
        vm.prank(providerOwner);
        providerRegistry.activateProvider(provider);
        vm.prank(nobody);
        stakingManager.delegate(provider, 1);
        assertEq(_status(), uint256(ProviderStatus.Active));
    }

    function _status() private view returns (uint256) {
        return ProviderWord.wrap(uint256(providerRegistry.providerWord(provider))).status();
    }

    function _setMinimum(uint256 whole) private {
        StakeTerms memory terms = _stakeTerms();
        terms.wholeMinimumPerProvider = uint32(whole);
        stakingManager.setStakeTerms(terms);
    }
}
