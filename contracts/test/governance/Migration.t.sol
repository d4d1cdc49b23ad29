// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEscrow } from "../../src/market/IEscrow.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { LeaseEnd } from "../../src/market/IComputeLease.sol";
import { OfferTerms } from "../../src/market/MarketTypes.sol";
import { PopulatedMarket } from "./PopulatedMarket.sol";

/// @notice The migration of docs/governance.md: a market closed for new business by revoking its payment tokens drains to the last unit.
contract MigrationTest is PopulatedMarket {
    function setUp() public override {
        super.setUp();
        _populate();
        tokenRegistry.revokeToken(USD);
    }

    function test_aClosedMarketTakesNoNewBusiness() public {
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TokenNotAccepted.selector, USD));
        escrow.deposit(USD, 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TokenNotAccepted.selector, USD));
        escrow.depositFor(USD, 1, new address[](1));
        vm.expectRevert(abi.encodeWithSelector(IOrderRequest.TokenNotAccepted.selector, USD));
        vm.prank(tenant);
        orderRequest.createOrder(_spec(), uint32(block.timestamp + 1 days));
        OfferTerms memory terms;
        terms.tokenId = USD;
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.TokenNotAccepted.selector, USD));
        vm.prank(providerOwner);
        providerRegistry.setOffer(machineId, 0, terms);
    }

    function test_aClosedMarketDrainsToTheLastUnit() public {
        assertGt(escrow.liabilities(USD), 0);
        vm.prank(tenant);
        orderRequest.cancel(open);
        vm.warp(vm.getBlockTimestamp() + 7 days);
        orderRequest.expire(expired);
        _rollTo(vm.getBlockNumber() + 2 * ROUND_LENGTH);
        orderRequest.refund(cancelled);
        orderRequest.refund(open);
        orderRequest.refund(expired);
        bid.releaseBond(open, providerId);
        computeLease.endLease(running);
        assertEq(uint256(computeLease.getLease(running).end), uint256(LeaseEnd.PaidThrough));
        vm.prank(tenant);
        computeLease.closeLease(matched);

        uint256 sponsored = escrow.sponsoredBalanceOf(tenant, sponsor, USD);
        vm.prank(sponsor);
        escrow.withdrawSponsored(USD, tenant, sponsored);
        address[4] memory accounts = [tenant, providerOwner, treasury, foundation];
        for (uint256 i; i < accounts.length; ++i) {
            uint256 balance = escrow.balanceOf(accounts[i], USD);
            vm.prank(accounts[i]);
            escrow.withdraw(USD, balance);
        }
        assertEq(escrow.liabilities(USD), 0);
        assertEq(usd.balanceOf(address(escrow)), 0);
    }
}
