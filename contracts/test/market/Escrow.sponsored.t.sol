// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEscrow } from "../../src/market/IEscrow.sol";
import { EscrowFixture } from "./EscrowFixture.sol";

/// @notice Sponsored funds: spent first, back to the sponsor first, never the account's own, and only by the account's choice.
contract EscrowSponsoredTest is EscrowFixture {
    function _sponsored() private view returns (uint256) {
        return escrow.sponsoredBalanceOf(tenant, sponsor, USD);
    }

    function test_aSponsorDepositsForSeveralAccounts() public {
        address[] memory accounts = new address[](16);
        for (uint256 i; i < 16; ++i) {
            accounts[i] = address(uint160(0x1000 + i));
        }
        usd.mint(sponsor, 1600);
        vm.startPrank(sponsor);
        usd.approve(address(escrow), 1600);
        vm.expectEmit(address(escrow));
        emit IEscrow.Sponsored(sponsor, accounts[0], USD, 100);
        vm.expectEmit(address(escrow));
        emit IEscrow.Sponsored(sponsor, accounts[15], USD, 100);
        escrow.depositFor(USD, 100, accounts);
        for (uint256 i; i < 16; ++i) {
            assertEq(escrow.sponsoredBalanceOf(accounts[i], sponsor, USD), 100);
            assertEq(escrow.balanceOf(accounts[i], USD), 0);
        }
        assertEq(escrow.liabilities(USD), 1600);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TooManyAccounts.selector, 17, 16));
        escrow.depositFor(USD, 1, new address[](17));
        vm.expectRevert(IEscrow.InvalidAmount.selector);
        escrow.depositFor(USD, 1, new address[](0));
        vm.expectRevert(IEscrow.InvalidAmount.selector);
        escrow.depositFor(USD, 0, accounts);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TokenNotAccepted.selector, 9));
        escrow.depositFor(9, 1, accounts);
    }

    /// Rounding: of 3 x 333 less a fee of 1 % (9), each account gets 330 and nothing is left; of 3 x 334 less 10, 330 each and 2 for the sponsor.
    function test_whatAFeeLeavesIsSharedAndTheRestIsTheSponsors() public {
        usd.setFeeBps(100);
        address[] memory accounts = new address[](3);
        (accounts[0], accounts[1], accounts[2]) = (tenant, providerOwner, treasury);
        usd.mint(sponsor, 10_000);
        vm.startPrank(sponsor);
        usd.approve(address(escrow), 10_000);
        escrow.depositFor(USD, 333, accounts);
        assertEq(_sponsored(), 330);
        assertEq(escrow.balanceOf(sponsor, USD), 0);
        vm.expectEmit(address(escrow));
        emit IEscrow.Deposited(sponsor, USD, 2);
        escrow.depositFor(USD, 334, accounts);
        assertEq(_sponsored(), 660);
        assertEq(escrow.balanceOf(sponsor, USD), 2);
        assertEq(escrow.liabilities(USD), usd.balanceOf(address(escrow)));
        usd.setFeeBps(9990);
        vm.expectRevert(IEscrow.InvalidAmount.selector);
        escrow.depositFor(USD, 1, accounts);
    }

    function test_onlyTheSponsorTakesItsFundsBackAndAlwaysWhatIsNotLocked() public {
        _sponsor(100);
        _fund(tenant, 2);
        vm.startPrank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, 2, 3));
        escrow.withdraw(USD, 3);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, 0, 1));
        escrow.withdrawSponsored(USD, tenant, 1);
        vm.stopPrank();
        _lock(USD, 50);
        marketPause.pause(3600);
        vm.startPrank(sponsor);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, 49, 50));
        escrow.withdrawSponsored(USD, tenant, 50);
        vm.expectRevert(IEscrow.InvalidAmount.selector);
        escrow.withdrawSponsored(USD, tenant, 0);
        vm.expectEmit(address(escrow));
        emit IEscrow.SponsorshipWithdrawn(sponsor, tenant, USD, 49);
        escrow.withdrawSponsored(USD, tenant, 49);
        vm.stopPrank();
        assertEq(usd.balanceOf(sponsor), 49);
        _assertSolvent(USD);
    }

    function test_nobodyIsSponsoredIntoAnything() public {
        _fund(tenant, 102);
        usd.mint(sponsor, 500);
        vm.startPrank(sponsor);
        usd.approve(address(escrow), 500);
        escrow.depositFor(USD, 500, _one(tenant));
        vm.stopPrank();
        assertEq(escrow.sponsorOf(tenant), address(0));
        _lock(USD, 100);
        assertEq(_entry().sponsor, address(0), "not chosen, not used");
        assertEq(_sponsored(), 500);
        assertEq(escrow.balanceOf(tenant, USD), 0);
        _assertSolvent(USD);
    }

    function test_theAccountChoosesItsSponsor() public {
        vm.expectEmit(address(escrow));
        emit IEscrow.SponsorChosen(tenant, sponsor);
        vm.prank(tenant);
        escrow.chooseSponsor(sponsor);
        assertEq(escrow.sponsorOf(tenant), sponsor);
        vm.prank(tenant);
        escrow.chooseSponsor(address(0));
        assertEq(escrow.sponsorOf(tenant), address(0));
    }

    function test_sponsoredFundsAreLockedFirstSpentFirstAndReturnedFirst() public {
        _fund(tenant, 600);
        _sponsor(500);
        vm.expectEmit(address(escrow));
        emit IEscrow.Locked(ORDER, tenant, USD, 1020, sponsor, 500);
        _lock(USD, 1000);
        assertEq(escrow.balanceOf(tenant, USD), 80);
        assertEq(_sponsored(), 0);
        _pay(300);
        assertEq(_entry().sponsored, 500 - 306, "spent first");
        _assertSolvent(USD);
        vm.expectEmit(address(escrow));
        emit IEscrow.Released(ORDER, tenant, USD, 0, 102, false);
        _fit(900);
        assertEq(_sponsored(), 102);
        vm.expectEmit(address(escrow));
        emit IEscrow.Released(ORDER, tenant, USD, 520, 92, true);
        _release();
        assertEq(_sponsored(), 194, "its unspent part");
        assertEq(escrow.balanceOf(tenant, USD), 600, "the tenant paid nothing");
        _assertSolvent(USD);
    }

    function test_whenTheSponsorsPartIsSpentTheRestIsTheTenants() public {
        _fund(tenant, 600);
        _sponsor(500);
        _lock(USD, 1000);
        _pay(600);
        assertEq(_entry().sponsored, 0);
        _release();
        assertEq(_sponsored(), 0);
        assertEq(escrow.balanceOf(tenant, USD), 600 - 112);
        _assertSolvent(USD);
    }

    /// What a sponsor adds after the tenant's own funds were spent is the sponsor's still.
    function test_laterSponsoredFundsDoNotBecomeTheTenants() public {
        _fund(tenant, 102);
        _lock(USD, 100);
        _pay(50);
        _sponsor(102);
        _fit(200);
        assertEq(_entry().sponsor, sponsor);
        assertEq(_entry().sponsored, 102);
        _release();
        assertEq(_sponsored(), 102);
        assertEq(escrow.balanceOf(tenant, USD), 51);
        _assertSolvent(USD);
    }

    /// A lock that holds funds of one sponsor takes none of another, whatever its account chooses later.
    function test_aLockHasOneSponsor() public {
        _fund(tenant, 1000);
        _sponsor(50);
        _lock(USD, 100);
        address other = makeAddr("other sponsor");
        usd.mint(other, 1000);
        vm.startPrank(other);
        usd.approve(address(escrow), 1000);
        escrow.depositFor(USD, 1000, _one(tenant));
        vm.stopPrank();
        vm.prank(tenant);
        escrow.chooseSponsor(other);
        _fit(200);
        assertEq(_entry().sponsor, sponsor);
        assertEq(escrow.sponsoredBalanceOf(tenant, other, USD), 1000);
        _release();
        assertEq(_sponsored(), 50);
        assertEq(escrow.balanceOf(tenant, USD), 1000);
    }

    function test_sponsoredAndOwnFundsTogetherMustSuffice() public {
        _fund(tenant, 50);
        _sponsor(51);
        vm.prank(address(orderRequest));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, 101, 102));
        escrow.lock(ORDER, tenant, USD, 100);
    }
}
