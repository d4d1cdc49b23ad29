// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { LeaseEnd } from "../../src/market/IComputeLease.sol";
import { ProviderProposal } from "../../src/market/IProviderAdmission.sol";
import { OrderSpec, OrderState } from "../../src/market/MarketTypes.sol";
import { PopulatedMarket } from "./PopulatedMarket.sol";

/// @notice S22: a pause stops what brings new money or new duties in, and nothing that lets anybody out.
contract PauseExitsTest is PopulatedMarket {
    uint40 private until;

    function setUp() public override {
        super.setUp();
        _populate();
        vm.warp(vm.getBlockTimestamp() + 7 days);
        marketPause.pause(3 days);
        until = marketPause.pausedUntil();
    }

    function test_S22_whatBringsMoneyOrDutiesInWaits() public {
        bytes memory paused = abi.encodeWithSelector(IMarketPause.MarketPaused.selector, until);
        OrderSpec memory spec = _spec();
        ProviderProposal memory proposal;
        vm.expectRevert(paused);
        escrow.deposit(USD, 1);
        vm.expectRevert(paused);
        escrow.depositFor(USD, 1, new address[](1));
        vm.expectRevert(paused);
        orderRequest.createOrder(spec, uint32(block.timestamp + 1 days));
        vm.expectRevert(paused);
        vm.prank(tenant);
        orderRequest.replaceOrder(open, spec, uint32(block.timestamp + 1 days));
        vm.expectRevert(paused);
        bid.placeBid(open, machineId, 1);
        vm.expectRevert(paused);
        providerAdmission.propose(proposal);
        vm.expectRevert(paused);
        providerAdmission.register(1);
        vm.expectRevert(paused);
        stakingManager.stake(providerId, 1);
        vm.expectRevert(paused);
        stakingManager.delegate(providerId, 1);
        vm.expectRevert(paused);
        rewarder.proposeRoot(1, bytes32(uint256(1)), 1, 0, "");
    }

    function test_S22_theMarketRunsAgainByItself() public {
        vm.warp(until);
        _fund(tenant, 1);
    }

    function test_S22_balancesAndSponsoredFundsLeave() public {
        _takeOut(tenant);
        _takeOut(providerOwner);
        _takeOut(treasury);
        _takeOut(foundation);
        uint256 sponsored = escrow.sponsoredBalanceOf(tenant, sponsor, USD);
        assertGt(sponsored, 0);
        vm.prank(sponsor);
        escrow.withdrawSponsored(USD, tenant, sponsored);
        assertEq(usd.balanceOf(sponsor), sponsored);
    }

    function test_S22_ordersEndAndAreRefunded() public {
        orderRequest.refund(cancelled);
        assertEq(_state(cancelled), uint256(OrderState.Closed));
        vm.prank(tenant);
        orderRequest.cancel(open);
        _rollTo(vm.getBlockNumber() + 2 * ROUND_LENGTH);
        orderRequest.refund(open);
        assertEq(_state(open), uint256(OrderState.Closed));
        bid.releaseBond(open, providerId);
        assertEq(escrow.bondsOf(providerOwner, USD), 0);
    }

    function test_S22_expiredOrdersEndAndAreRefunded() public {
        orderRequest.expire(expired);
        _rollTo(vm.getBlockNumber() + 2 * ROUND_LENGTH);
        orderRequest.refund(expired);
        assertEq(_state(expired), uint256(OrderState.Closed));
    }

    function test_S22_bidsAreWithdrawn() public {
        vm.prank(providerOwner);
        bid.withdrawBid(open, providerId);
        _rollTo(vm.getBlockNumber() + 2 * ROUND_LENGTH);
        bid.releaseBond(open, providerId);
        assertEq(escrow.bondsOf(providerOwner, USD), 0);
    }

    function test_S22_leasesArePaidAndEnd() public {
        // The paid time ran out long ago: a claim pays the whole of it, and anyone ends the lease.
        assertGt(computeLease.claim(running), 0);
        computeLease.endLease(running);
        assertEq(uint256(computeLease.getLease(running).end), uint256(LeaseEnd.PaidThrough));
        vm.prank(tenant);
        computeLease.closeLease(matched);
        assertEq(uint256(computeLease.getLease(matched).end), uint256(LeaseEnd.ByTenant));
    }

    function test_S22_aLeaseWhoseProviderIsNotReadyGoesBack() public {
        computeLease.endLease(matched);
        assertEq(_state(matched), uint256(OrderState.Open));
    }

    function test_S22_roundsSettleAndTenantsMatchThemselves() public {
        uint32 second = open;
        uint32 round = _openNext();
        _setTable(_weights(), uint32(block.timestamp), MAX_TABLE_STALENESS);
        settlement.recordTable("");
        _enterRound(round + 1, 1);
        bytes memory records = _encode(_record(second, machineId, 4));
        assertEq(_settle(round + 1, records), 1);

        computeLease.endLease(matched);
        vm.prank(providerOwner);
        providerRegistry.activateMachine(machineId);
        _enterRound(matchPolicy.fromRoundNow() + _defaultPolicy().selfMatchRounds + 2, 1);
        vm.prank(tenant);
        settlement.selfMatch(matched, machineId, 0, _spec(), _defaultPolicy());
        assertEq(_state(matched), uint256(OrderState.Matched));
    }

    function test_S22_stakeUnbondsAndLeaves() public {
        uint256 before = stakeToken.balanceOf(delegator);
        (uint256 shares,) = stakingManager.delegationOf(providerId, delegator);
        vm.prank(delegator);
        stakingManager.requestUndelegate(providerId, shares);
        vm.prank(providerOwner);
        stakingManager.requestUnstake(providerId, 1 ether);
        vm.prank(delegator);
        stakingManager.withdrawUnbonded(providerId, delegatedUnbonding);
        assertGt(stakeToken.balanceOf(delegator), before);
        vm.prank(providerOwner);
        stakingManager.withdrawUnbonded(providerId, ownUnbonding);
        assertEq(stakeToken.balanceOf(providerOwner), 10 ether);
        vm.prank(treasury);
        assertGt(stakingManager.withdrawCompensation(), 0);
    }

    function test_S22_auditorsAndEarnersAreServed() public {
        vm.prank(auditor);
        assertEq(complianceRegistry.withdrawBond(), 1000 ether);
        assertEq(rewarder.claim(providerOwner, REWARD, new bytes32[](0)), REWARD);
        assertEq(rewardToken.balanceOf(makeAddr("wallet")), REWARD);
        vm.prank(treasury);
        assertEq(rewarder.withdrawCredit(), 1000 ether);
    }

    function _takeOut(address account) private {
        uint256 balance = escrow.balanceOf(account, USD);
        assertGt(balance, 0);
        uint256 before = usd.balanceOf(account);
        vm.prank(account);
        escrow.withdraw(USD, balance);
        assertEq(usd.balanceOf(account), before + balance);
    }
}
