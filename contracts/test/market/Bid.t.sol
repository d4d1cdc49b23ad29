// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";

import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { Bid } from "../../src/market/Bid.sol";
import { BidTerms, IBid } from "../../src/market/IBid.sol";
import { IEscrow } from "../../src/market/IEscrow.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { OfferTerms, OrderSpec, OrderState, SkipReason } from "../../src/market/MarketTypes.sol";
import { BidWord } from "../../src/words/BidWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { MarketBase } from "../MarketBase.t.sol";
import { TestToken } from "./TestToken.sol";

contract BidTest is MarketBase {
    uint32 private constant NO_ROUND = type(uint32).max;
    uint96 private constant BOND = 1_000_000;
    uint256 private constant PURSE = 100_000_000;
    uint40 private constant PRICE = 900_000;

    uint24 private provider;
    uint32 private machine;
    address private secondOwner = makeAddr("second provider");
    uint24 private second;
    uint32 private secondMachine;

    function setUp() public override {
        super.setUp();
        provider = _provider(providerOwner);
        machine = _machine(provider);
        second = _provider(secondOwner);
        secondMachine = _machine(second);
        _fund(providerOwner, PURSE);
        _fund(secondOwner, PURSE);
        _enterRound(2, 1);
    }

    function _place(address owner, uint32 orderId, uint32 machineId, uint40 price) private returns (uint8) {
        vm.prank(owner);
        return bid.placeBid(orderId, machineId, price);
    }

    function _refuse(bytes memory reason, uint32 orderId, uint32 machineId, uint40 price) private {
        vm.prank(providerOwner);
        vm.expectRevert(reason);
        bid.placeBid(orderId, machineId, price);
    }

    function _generation(uint32 orderId) private view returns (uint32) {
        return uint32(uint256(orderRequest.orderWord(orderId)) >> 192);
    }

    function _ownPrice(uint32 orderId) private view returns (uint40) {
        return _record(orderId, machine, 1).priceMicroPerHour;
    }

    function _bidRecord(uint32 orderId, uint32 machineId, uint8 bidIndex, uint40 price) private view returns (RecordFields memory fields) {
        fields = _record(orderId, machineId, 1);
        (fields.fromBid, fields.bidIndex, fields.priceMicroPerHour) = (true, bidIndex, price);
    }

    /// The first provider wins by its bid, the second loses with a higher one.
    function _won() private returns (uint32 orderId) {
        orderId = _order(_spec());
        _place(secondOwner, orderId, secondMachine, PRICE + 1);
        uint8 index = _place(providerOwner, orderId, machine, PRICE);
        uint32 round = _openNext();
        assertEq(_settle(round, _encode(_bidRecord(orderId, machine, index, PRICE))), 1);
    }

    function _expectHeld(address owner, uint24 providerId, uint256 bonds) private view {
        assertEq(escrow.bondsOf(owner, USD), bonds * BOND, "bonds in the escrow");
        assertEq(bid.heldBids(providerId), bonds, "bids that hold one");
    }

    // ---- placing

    function test_placeBidWritesTheWordAndTakesTheBond() public {
        uint32 orderId = _order(_spec());
        bytes32 word = bytes32(
            (uint256(NO_ROUND) << 224) | (uint256(machine) << 192) | (uint256(PRICE) << 152) | (uint256(BOND) << 72)
                | (block.timestamp << 32) | (uint256(provider) << 8)
        );
        vm.expectEmit(address(bid));
        emit IBid.BidPlaced(orderId, provider, machine, 0, PRICE, BOND);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.Fact(Slots.bid(orderId, 0), word);
        vm.expectEmit(address(escrow));
        emit IEscrow.BondHeld(providerOwner, USD, BOND);
        assertEq(_place(providerOwner, orderId, machine, PRICE), 0);
        assertEq(orderRequest.bidWord(orderId, 0), word);
        assertEq(uint8(uint256(orderRequest.orderWord(orderId)) >> 144), 1);
        assertEq(escrow.balanceOf(providerOwner, USD), PURSE - BOND);
        _expectHeld(providerOwner, provider, 1);
        (bool exists, uint8 index, uint32 generation, uint96 bond, uint40 price, uint32 machineId, uint32 untilRound) =
            bid.bidOf(orderId, provider);
        assertTrue(exists);
        assertEq(index, 0);
        assertEq(generation, _generation(orderId));
        assertEq(bond, BOND);
        assertEq(price, PRICE);
        assertEq(machineId, machine);
        assertEq(untilRound, NO_ROUND);
        assertEq(_place(secondOwner, orderId, secondMachine, PRICE), 1, "the next provider has the next index");
    }

    function test_aBidIsReplacedInPlaceWithTheSameBond() public {
        uint32 orderId = _order(_spec());
        uint32 other = _machineOf(providerOwner, provider);
        _enterRound(matchPolicy.fromRoundNow(), 1);
        orderId = _order(_spec());
        _place(providerOwner, orderId, machine, PRICE);
        bid.setBidTerms(BidTerms({ maxBidsPerOrder: 1, maxBidsPerProvider: 1, bondMicro: 7_000_000 }));
        assertEq(_place(providerOwner, orderId, other, PRICE - 1), 0);
        BidWord word = BidWord.wrap(uint256(orderRequest.bidWord(orderId, 0)));
        assertEq(word.machineId(), other);
        assertEq(word.priceMicroPerHour(), PRICE - 1);
        assertEq(uint8(uint256(orderRequest.orderWord(orderId)) >> 144), 1);
        _expectHeld(providerOwner, provider, 1);
    }

    function _machineOf(address owner, uint24 providerId) private returns (uint32) {
        _stake(providerId, 1000);
        assertEq(providerRegistry.providerOwner(providerId), owner);
        return _machine(providerId);
    }

    function testFuzz_bidsAreTakenUntilTheBlockTheOrderIsEligibleFrom(uint256 wait) public {
        uint32 orderId = _order(_spec());
        wait = bound(wait, 0, 3 * BID_WINDOW);
        uint32 eligibleFrom = _generation(orderId);
        _rollTo(block.number + wait);
        if (block.number > eligibleFrom) {
            _refuse(abi.encodeWithSelector(IBid.BiddingClosed.selector, orderId, eligibleFrom), orderId, machine, PRICE);
        } else {
            _place(providerOwner, orderId, machine, PRICE);
        }
    }

    function test_theBondIsInUnitsOfTheOrdersToken() public {
        TestToken wide = new TestToken("WIDE", 18);
        uint16 wideId = tokenRegistry.approveToken(address(wide), 0);
        OfferTerms memory terms = _offer();
        terms.tokenId = wideId;
        vm.prank(providerOwner);
        providerRegistry.setOffer(machine, 1, terms);
        OrderSpec memory spec = _spec();
        spec.tokenId = wideId;
        address[2] memory accounts = [tenant, providerOwner];
        for (uint256 i; i < accounts.length; ++i) {
            wide.mint(accounts[i], 1000 ether);
            vm.startPrank(accounts[i]);
            wide.approve(address(escrow), 1000 ether);
            escrow.deposit(wideId, 1000 ether);
            vm.stopPrank();
        }
        vm.prank(tenant);
        uint32 orderId = orderRequest.createOrder(spec, type(uint32).max);
        _place(providerOwner, orderId, machine, PRICE);
        assertEq(escrow.bondsOf(providerOwner, wideId), 1 ether);
        vm.prank(tenant);
        orderRequest.cancel(orderId);
        _enterRound(matchPolicy.fromRoundNow(), 1);
        bid.releaseBond(orderId, provider);
        assertEq(escrow.balanceOf(providerOwner, wideId), 1000 ether);
    }

    function test_aBidMayBeWithoutBond() public {
        bid.setBidTerms(BidTerms({ maxBidsPerOrder: 32, maxBidsPerProvider: 1, bondMicro: 0 }));
        uint32 first = _order(_spec());
        uint32 later = _order(_spec());
        _place(providerOwner, first, machine, PRICE);
        assertEq(escrow.bondsOf(providerOwner, USD), 0);
        assertEq(bid.heldBids(provider), 1, "it counts all the same");
        _refuse(abi.encodeWithSelector(IBid.TooManyProviderBids.selector, provider, 1), later, machine, PRICE);
        vm.prank(tenant);
        orderRequest.cancel(first);
        _enterRound(matchPolicy.fromRoundNow(), 1);
        bid.releaseBond(first, provider);
        assertEq(bid.heldBids(provider), 0);
    }

    // ---- refusals

    function test_onlyAnOpenOrderTakesBids() public {
        _refuse(abi.encodeWithSelector(IBid.OrderNotOpened.selector, 99), 99, machine, PRICE);
        uint32 orderId = _order(_spec());
        uint256 state = vm.snapshotState();
        vm.prank(tenant);
        orderRequest.cancel(orderId);
        bytes memory reason = abi.encodeWithSelector(IBid.OrderNotOpened.selector, orderId);
        _refuse(reason, orderId, machine, PRICE);
        vm.revertToState(state);
        vm.warp(block.timestamp + 30 days);
        _refuse(reason, orderId, machine, PRICE);
        vm.revertToState(state);
        uint32 round = _openNext();
        _settle(round, _encode(_record(orderId, machine, 1)));
        _refuse(reason, orderId, machine, PRICE);
    }

    function test_onlyTheOwnerOfAnActiveProviderBids() public {
        uint32 orderId = _order(_spec());
        _refuse(abi.encodeWithSelector(IBid.MachineNotFound.selector, 99), orderId, 99, PRICE);
        _refuse(abi.encodeWithSelector(IBid.NotProviderOwner.selector, second, providerOwner), orderId, secondMachine, PRICE);
        vm.prank(providerOwner);
        providerRegistry.setMaintenance(provider, true);
        _refuse(abi.encodeWithSelector(IBid.ProviderNotActive.selector, provider), orderId, machine, PRICE);
    }

    function test_theMachineMustBeActiveNowAndInTheOrdersFirstRound() public {
        uint32 fresh = _machineOf(providerOwner, provider);
        uint32 orderId = _order(_spec());
        _refuse(abi.encodeWithSelector(IBid.MachineNotOffered.selector, fresh), orderId, fresh, PRICE);
        _enterRound(matchPolicy.fromRoundNow(), 1);
        orderId = _order(_spec());
        _place(providerOwner, orderId, fresh, PRICE);
        vm.prank(providerOwner);
        providerRegistry.deactivateMachine(fresh);
        _refuse(abi.encodeWithSelector(IBid.MachineNotOffered.selector, fresh), orderId, fresh, PRICE - 1);
    }

    /// The bid window spans rounds: a machine that leaves in the next round is there for an order that enters it, not for a later one.
    function test_aMachineThatLeavesBeforeTheOrdersFirstRoundIsRefused() public {
        uint32 last = matchPolicy.fromRoundNow() + 1;
        uint256 word = _machineWord(machine) & ~(uint256(NO_ROUND) << 192);
        vm.store(address(providerRegistry), bytes32(Slots.machine(machine)), bytes32(word | (uint256(last) << 192)));
        // The last round the machine takes part in is `last - 1`, whose snapshot shows orders eligible up to its block.
        _rollTo(uint256(matchPolicy.snapshotBlock(last - 1)) - BID_WINDOW);
        uint32 inTime = _order(_spec());
        assertEq(_generation(inTime), matchPolicy.snapshotBlock(last - 1));
        _place(providerOwner, inTime, machine, PRICE);
        _rollTo(block.number + 1);
        uint32 late = _order(_spec());
        _refuse(abi.encodeWithSelector(IBid.MachineNotOffered.selector, machine), late, machine, PRICE);
    }

    function test_theMachineNeedsAnOfferInTheOrdersToken() public {
        uint32 orderId = _order(_spec());
        vm.prank(providerOwner);
        providerRegistry.withdrawOffer(machine, 0);
        _refuse(abi.encodeWithSelector(IBid.MachineNotOffered.selector, machine), orderId, machine, PRICE);
        uint16 other = tokenRegistry.approveToken(address(rewardToken), 0);
        OfferTerms memory terms = _offer();
        terms.tokenId = other;
        vm.prank(providerOwner);
        providerRegistry.setOffer(machine, 0, terms);
        _refuse(abi.encodeWithSelector(IBid.MachineNotOffered.selector, machine), orderId, machine, PRICE);
        terms.tokenId = USD;
        vm.prank(providerOwner);
        providerRegistry.setOffer(machine, 3, terms);
        _place(providerOwner, orderId, machine, PRICE);
    }

    function testFuzz_aBidIsBelowTheOwnOfferAndAtMostTheMaximum(uint40 price, uint40 maximum) public {
        OrderSpec memory spec = _spec();
        spec.maxPriceMicroPerHour = uint40(bound(maximum, 1, 5_000_000));
        uint32 orderId = _order(spec);
        uint40 own = _ownPrice(orderId);
        price = uint40(bound(price, 0, 2 * own));
        if (price >= own) {
            _refuse(abi.encodeWithSelector(IBid.BidPriceTooHigh.selector, price, own), orderId, machine, price);
        } else if (price > spec.maxPriceMicroPerHour) {
            bytes memory reason = abi.encodeWithSelector(IBid.BidPriceExceedsMaxPrice.selector, price, spec.maxPriceMicroPerHour);
            _refuse(reason, orderId, machine, price);
        } else {
            _place(providerOwner, orderId, machine, price);
        }
    }

    function test_theNewestOfferIsTheOneToBeat() public {
        uint32 orderId = _order(_spec());
        OfferTerms memory terms = _offer();
        terms.gpuMicroPerHour = 500_000;
        vm.prank(providerOwner);
        providerRegistry.setOffer(machine, 0, terms);
        uint40 own = _ownPrice(orderId);
        assertLt(own, PRICE);
        _refuse(abi.encodeWithSelector(IBid.BidPriceTooHigh.selector, PRICE, own), orderId, machine, PRICE);
        _place(providerOwner, orderId, machine, own - 1);
    }

    function test_bidsAreCappedPerOrderAndPerProvider() public {
        bid.setBidTerms(BidTerms({ maxBidsPerOrder: 1, maxBidsPerProvider: 1, bondMicro: uint40(BOND) }));
        uint32 orderId = _order(_spec());
        uint32 other = _order(_spec());
        _place(secondOwner, orderId, secondMachine, PRICE);
        _refuse(abi.encodeWithSelector(IBid.TooManyBids.selector, orderId, 1), orderId, machine, PRICE);
        vm.prank(secondOwner);
        vm.expectRevert(abi.encodeWithSelector(IBid.TooManyProviderBids.selector, second, 1));
        bid.placeBid(other, secondMachine, PRICE);
        _place(secondOwner, orderId, secondMachine, PRICE - 1);
        bid.setBidTerms(BidTerms({ maxBidsPerOrder: 0, maxBidsPerProvider: 1, bondMicro: uint40(BOND) }));
        _refuse(abi.encodeWithSelector(IBid.TooManyBids.selector, other, 0), other, machine, PRICE);
    }

    function test_theBondComesFromTheOwnersBalance() public {
        uint32 orderId = _order(_spec());
        vm.prank(providerOwner);
        escrow.withdraw(USD, PURSE - BOND + 1);
        _refuse(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, BOND - 1, BOND), orderId, machine, PRICE);
    }

    function test_aPauseStopsBidsAndLetsThemOut() public {
        uint32 orderId = _order(_spec());
        _place(providerOwner, orderId, machine, PRICE);
        marketPause.pause(1 days);
        _refuse(abi.encodeWithSelector(IMarketPause.MarketPaused.selector, uint40(block.timestamp + 1 days)), orderId, machine, PRICE);
        vm.prank(providerOwner);
        bid.withdrawBid(orderId, provider);
        _enterRound(matchPolicy.fromRoundNow(), 1);
        bid.releaseBond(orderId, provider);
        _expectHeld(providerOwner, provider, 0);
    }

    // ---- withdrawal

    function test_aWithdrawalCountsFromTheNextRound() public {
        uint32 orderId = _order(_spec());
        _place(providerOwner, orderId, machine, PRICE);
        uint32 round = _openNext();
        vm.expectEmit(address(bid));
        emit IBid.BidWithdrawn(orderId, provider, round + 1);
        vm.prank(providerOwner);
        bid.withdrawBid(orderId, provider);
        uint256 state = vm.snapshotState();
        assertEq(_settle(round, _encode(_bidRecord(orderId, machine, 0, PRICE))), 1, "the open round may still take it");
        vm.revertToState(state);
        _enterRound(round + 1, 1);
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.RecordSkipped(orderId, machine, SkipReason.BidMissing);
        assertEq(_settle(round + 1, _encode(_bidRecord(orderId, machine, 0, PRICE))), 0);
    }

    function test_whoMayWithdrawWhat() public {
        uint32 orderId = _order(_spec());
        vm.expectRevert(abi.encodeWithSelector(IBid.NotProviderOwner.selector, provider, address(this)));
        bid.withdrawBid(orderId, provider);
        vm.startPrank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(IBid.OrderNotOpened.selector, 99));
        bid.withdrawBid(99, provider);
        vm.expectRevert(abi.encodeWithSelector(IBid.BidNotFound.selector, orderId, provider));
        bid.withdrawBid(orderId, provider);
        bid.placeBid(orderId, machine, PRICE);
        bid.withdrawBid(orderId, provider);
        vm.expectRevert(abi.encodeWithSelector(IBid.BidAlreadyWithdrawn.selector, orderId, provider));
        bid.withdrawBid(orderId, provider);
        vm.stopPrank();
    }

    function test_aWithdrawnBidComesBackInItsPlaceWhileTheWindowIsOpen() public {
        orderRequest.setBidWindowBlocks(3 * ROUND_LENGTH);
        uint32 orderId = _order(_spec());
        _place(providerOwner, orderId, machine, PRICE);
        vm.prank(providerOwner);
        bid.withdrawBid(orderId, provider);
        _place(providerOwner, orderId, machine, PRICE - 1);
        _expectHeld(providerOwner, provider, 1);
        vm.prank(providerOwner);
        bid.withdrawBid(orderId, provider);
        _enterRound(matchPolicy.fromRoundNow(), 1);
        bid.releaseBond(orderId, provider);
        _expectHeld(providerOwner, provider, 0);
        assertEq(_place(providerOwner, orderId, machine, PRICE - 2), 0, "the same index");
        _expectHeld(providerOwner, provider, 1);
        assertEq(uint8(uint256(orderRequest.orderWord(orderId)) >> 144), 1);
    }

    // ---- bonds

    function test_aBondIsHeldWhileItsBidCanStillBeMatched() public {
        uint32 orderId = _order(_spec());
        vm.expectRevert(abi.encodeWithSelector(IBid.BidNotFound.selector, orderId, provider));
        bid.releaseBond(orderId, provider);
        _place(providerOwner, orderId, machine, PRICE);
        bytes memory held = abi.encodeWithSelector(IBid.BondStillHeld.selector, orderId, provider);
        vm.expectRevert(held);
        bid.releaseBond(orderId, provider);
        uint32 round = _openNext();
        vm.prank(providerOwner);
        bid.withdrawBid(orderId, provider);
        _enterRound(round, ROUND_LENGTH);
        vm.expectRevert(held);
        bid.releaseBond(orderId, provider);
        _enterRound(round + 1, 1);
        vm.expectEmit(address(bid));
        emit IBid.BondReleased(orderId, provider, providerOwner, BOND);
        vm.expectEmit(address(escrow));
        emit IEscrow.BondMoved(providerOwner, providerOwner, USD, BOND);
        bid.releaseBond(orderId, provider);
        assertEq(escrow.balanceOf(providerOwner, USD), PURSE);
        vm.expectRevert(abi.encodeWithSelector(IBid.BidNotFound.selector, orderId, provider));
        bid.releaseBond(orderId, provider);
    }

    function test_theBondOfAnEndedOrderComesBackAfterItsLastRound() public {
        uint32 orderId = _order(_spec());
        _place(providerOwner, orderId, machine, PRICE);
        uint32 round = _openNext();
        vm.prank(tenant);
        orderRequest.cancel(orderId);
        _enterRound(round, ROUND_LENGTH);
        vm.expectRevert(abi.encodeWithSelector(IBid.BondStillHeld.selector, orderId, provider));
        bid.releaseBond(orderId, provider);
        _enterRound(round + 1, 1);
        uint256 state = vm.snapshotState();
        bid.releaseBond(orderId, provider);
        _expectHeld(providerOwner, provider, 0);
        vm.revertToState(state);
        orderRequest.refund(orderId);
        bid.releaseBond(orderId, provider);
        _expectHeld(providerOwner, provider, 0);
    }

    function test_theWinnersBondIsHeldUntilItIsReadyAndTheLosersIsFree() public {
        uint32 orderId = _won();
        bid.releaseBond(orderId, second);
        _expectHeld(secondOwner, second, 0);
        vm.expectRevert(abi.encodeWithSelector(IBid.BondStillHeld.selector, orderId, provider));
        bid.releaseBond(orderId, provider);
        vm.prank(providerOwner);
        computeLease.markReady(orderId);
        bid.releaseBond(orderId, provider);
        _expectHeld(providerOwner, provider, 0);
        assertEq(escrow.balanceOf(providerOwner, USD), PURSE);
    }

    function test_aProviderThatWonByItsOfferNeedsNoBond() public {
        uint32 orderId = _order(_spec());
        _place(providerOwner, orderId, machine, PRICE);
        uint32 round = _openNext();
        assertEq(_settle(round, _encode(_record(orderId, machine, 1))), 1);
        bid.releaseBond(orderId, provider);
        _expectHeld(providerOwner, provider, 0);
    }

    function test_theBondOfALeaseThatEndedIsFree() public {
        uint32 orderId = _won();
        vm.prank(tenant);
        computeLease.closeLease(orderId);
        assertEq(_state(orderId), uint256(OrderState.Closed));
        bid.releaseBond(orderId, provider);
        _expectHeld(providerOwner, provider, 0);
    }

    function test_aWinnerThatIsNotReadyPaysTheTenantAndBidsBeginAnew() public {
        uint32 orderId = _won();
        uint32 before = uint32(uint256(orderRequest.orderWord(orderId)) >> 224);
        uint256 tenants = escrow.balanceOf(tenant, USD);
        _rollTo(block.number + 600);
        assertEq(before + 600, block.timestamp);
        vm.expectEmit(address(bid));
        emit IBid.BondForfeited(orderId, provider, tenant, BOND);
        computeLease.endLease(orderId);
        // The machine stood down with the lease; its owner brings it back.
        vm.prank(providerOwner);
        providerRegistry.activateMachine(machine);
        assertEq(escrow.balanceOf(tenant, USD), tenants + BOND);
        assertEq(escrow.balanceOf(providerOwner, USD), PURSE - BOND);
        _expectHeld(providerOwner, provider, 0);
        assertEq(_state(orderId), uint256(OrderState.Open));
        assertEq(uint8(uint256(orderRequest.orderWord(orderId)) >> 144), 0);
        vm.expectRevert(abi.encodeWithSelector(IBid.BidNotFound.selector, orderId, provider));
        bid.releaseBond(orderId, provider);

        // The loser's bid belongs to the generation before: it cannot be withdrawn, and its bond makes room for the new one.
        vm.prank(secondOwner);
        vm.expectRevert(abi.encodeWithSelector(IBid.BidNotFound.selector, orderId, second));
        bid.withdrawBid(orderId, second);
        vm.expectEmit(address(bid));
        emit IBid.BondReleased(orderId, second, secondOwner, BOND);
        vm.expectEmit(address(bid));
        emit IBid.BidPlaced(orderId, second, secondMachine, 0, PRICE - 5, BOND);
        assertEq(_place(secondOwner, orderId, secondMachine, PRICE - 5), 0);
        _expectHeld(secondOwner, second, 1);
        (,, uint32 generation,, uint40 price,,) = bid.bidOf(orderId, second);
        assertEq(generation, _generation(orderId));
        assertEq(price, PRICE - 5);
        // The first provider's old bid was at index 1; the slot still holds its word, which must not be matched.
        uint32 round = _openNext();
        bytes memory stale = _encode(_bidRecord(orderId, machine, 1, PRICE));
        uint256 state = vm.snapshotState();
        vm.expectEmit(address(orderRequest));
        emit IOrderRequest.RecordSkipped(orderId, machine, SkipReason.BidMissing);
        assertEq(_settle(round, stale), 0);
        vm.revertToState(state);
        assertEq(_settle(round, _encode(_bidRecord(orderId, secondMachine, 0, PRICE - 5))), 1);
    }

    function test_theBondOfAnEarlierGenerationIsFreeOnceTheOrderWentBack() public {
        uint32 orderId = _won();
        _rollTo(block.number + 600);
        computeLease.endLease(orderId);
        vm.prank(providerOwner);
        providerRegistry.activateMachine(machine);
        bid.releaseBond(orderId, second);
        _expectHeld(secondOwner, second, 0);
        _place(providerOwner, orderId, machine, PRICE - 7);
        (bool exists,,, uint96 bond, uint40 price,,) = bid.bidOf(orderId, second);
        assertTrue(exists);
        assertEq(bond, 0);
        assertEq(price, 0, "the place is another's now");
        (,,,, price,,) = bid.bidOf(orderId, provider);
        assertEq(price, PRICE - 7);
    }

    function test_forfeitIsTheLeasesAndDoesNothingWithoutABond() public {
        vm.expectRevert(abi.encodeWithSelector(IBid.NotAuthorized.selector, address(this)));
        bid.forfeitBond(1, provider, tenant);
        vm.recordLogs();
        vm.prank(address(computeLease));
        bid.forfeitBond(1, provider, tenant);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    // ---- governance

    function test_termsAreGovernanceAndBounded() public {
        BidTerms memory terms = BidTerms({ maxBidsPerOrder: 200, maxBidsPerProvider: 10_000, bondMicro: type(uint40).max });
        vm.expectEmit(address(bid));
        emit IBid.BidTermsUpdated(terms);
        bid.setBidTerms(terms);
        assertEq(abi.encode(bid.bidTerms()), abi.encode(terms));
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, tenant));
        bid.setBidTerms(terms);
        terms.maxBidsPerOrder = 201;
        vm.expectRevert(abi.encodeWithSelector(IBid.BidTermsInvalid.selector, "maxBidsPerOrder"));
        bid.setBidTerms(terms);
        terms.maxBidsPerOrder = 200;
        terms.maxBidsPerProvider = 10_001;
        vm.expectRevert(abi.encodeWithSelector(IBid.BidTermsInvalid.selector, "maxBidsPerProvider"));
        bid.setBidTerms(terms);
        terms.maxBidsPerProvider = 0;
        vm.expectRevert(abi.encodeWithSelector(IBid.BidTermsInvalid.selector, "maxBidsPerProvider"));
        bid.setBidTerms(terms);
    }

    function test_theProxyIsInitializedOnceAndTheCodeNever() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        bid.initialize(address(this), _bidTerms());
        Bid code = new Bid(market, false);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        code.initialize(address(this), _bidTerms());
    }

    function test_stateLiesInItsNamespace() public {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.Bid");
        BidTerms memory terms = _bidTerms();
        uint256 packed = terms.maxBidsPerOrder | (uint256(terms.maxBidsPerProvider) << 8) | (uint256(terms.bondMicro) << 24);
        assertEq(uint256(vm.load(address(bid), slot)), packed);
    }
}
