// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { Escrow } from "../../src/market/Escrow.sol";
import { FeeTerms, IEscrow, OrderLock } from "../../src/market/IEscrow.sol";
import { EscrowFixture } from "./EscrowFixture.sol";
import { TestToken } from "./TestToken.sol";

/// @notice Accounts, locks, pay, bonds and fees with a plain token. User fee 2 %, provider fee 1 %, foundation 20 %.
contract EscrowTest is EscrowFixture {
    // ---- accounts

    function test_depositCreditsTheCaller() public {
        usd.mint(tenant, 100);
        vm.startPrank(tenant);
        usd.approve(address(escrow), 100);
        vm.expectEmit(address(escrow));
        emit IEscrow.Deposited(tenant, USD, 100);
        escrow.deposit(USD, 100);
        vm.stopPrank();
        assertEq(escrow.balanceOf(tenant, USD), 100);
        _assertSolvent(USD);
    }

    function test_depositCreditsWhatArrivesOfATokenWithAFee() public {
        usd.setFeeBps(100);
        _fund(tenant, 10_000);
        assertEq(escrow.balanceOf(tenant, USD), 9900);
        _assertSolvent(USD);
    }

    function test_depositRefusesWhatArrivesBelowTheMinimum() public {
        TestToken token = new TestToken("MIN", 6);
        uint16 id = tokenRegistry.approveToken(address(token), 1000);
        token.mint(tenant, 3000);
        vm.startPrank(tenant);
        token.approve(address(escrow), 3000);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.MinimumDepositNotMet.selector, 999, 1000));
        escrow.deposit(id, 999);
        escrow.deposit(id, 1000);
        token.setFeeBps(100);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.MinimumDepositNotMet.selector, 990, 1000));
        escrow.deposit(id, 1000);
    }

    function test_depositOfNothingReverts() public {
        vm.prank(tenant);
        vm.expectRevert(IEscrow.InvalidAmount.selector);
        escrow.deposit(USD, 0);
    }

    function test_depositRefusesUnknownAndRevokedTokens() public {
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TokenNotAccepted.selector, 9));
        escrow.deposit(9, 1);
        tokenRegistry.revokeToken(USD);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TokenNotAccepted.selector, USD));
        escrow.deposit(USD, 1);
    }

    function test_withdrawPaysTheCallerAlsoInARevokedToken() public {
        _fund(tenant, 100);
        tokenRegistry.revokeToken(USD);
        vm.expectEmit(address(escrow));
        emit IEscrow.Withdrawn(tenant, USD, 60);
        vm.prank(tenant);
        escrow.withdraw(USD, 60);
        assertEq(usd.balanceOf(tenant), 60);
        assertEq(escrow.balanceOf(tenant, USD), 40);
        _assertSolvent(USD);
    }

    function test_withdrawBeyondTheBalanceReverts() public {
        _fund(tenant, 100);
        _fund(providerOwner, 100);
        vm.startPrank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, 100, 101));
        escrow.withdraw(USD, 101);
        vm.expectRevert(IEscrow.InvalidAmount.selector);
        escrow.withdraw(USD, 0);
    }

    function test_S22_aPauseStopsDepositsAndNothingElse() public {
        _fund(tenant, 200);
        _sponsor(50);
        _lock(USD, 100);
        marketPause.pause(3600);
        uint40 until = uint40(block.timestamp + 3600);
        vm.expectRevert(abi.encodeWithSelector(IMarketPause.MarketPaused.selector, until));
        escrow.deposit(USD, 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketPause.MarketPaused.selector, until));
        escrow.depositFor(USD, 1, _one(tenant));

        assertEq(_pay(100), 79);
        _release();
        vm.prank(tenant);
        escrow.withdraw(USD, 10);
        vm.prank(providerOwner);
        escrow.withdraw(USD, 79);
        _assertSolvent(USD);
    }

    function test_theForwarderSpeaksForAnAccountAndNobodyElseDoes() public {
        _fund(tenant, 100);
        bytes memory call = abi.encodePacked(abi.encodeCall(IEscrow.withdraw, (USD, 60)), tenant);
        (bool ok,) = address(escrow).call(call);
        assertFalse(ok, "a stranger's suffix is no sender");
        vm.prank(address(signedCalls));
        (ok,) = address(escrow).call(call);
        assertTrue(ok);
        assertEq(usd.balanceOf(tenant), 60, "to the account, not to the forwarder");
    }

    // ---- locks

    function test_onlyOrdersLock() public {
        _fund(tenant, 200);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotAuthorized.selector, address(this)));
        escrow.lock(ORDER, tenant, USD, 1);
        vm.prank(address(computeLease));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotAuthorized.selector, address(computeLease)));
        escrow.lock(ORDER, tenant, USD, 1);
    }

    function test_lockTakesTheCostAndTheUserFeeRoundedUp() public {
        _fund(tenant, 200);
        vm.expectEmit(address(escrow));
        emit IEscrow.Locked(ORDER, tenant, USD, 104, address(0), 0);
        _lock(USD, 101);
        assertEq(escrow.lockAmount(USD, 101), 104, "101 + ceil(2.02)");
        assertEq(escrow.balanceOf(tenant, USD), 96);
        OrderLock memory entry = _entry();
        assertEq(entry.tenant, tenant);
        assertEq(entry.locked, 104);
        assertEq(entry.tokenId, USD);
        assertEq(entry.userFeeBps, 200);
        assertEq(entry.providerFeeBps, 100);
        assertEq(entry.foundationFeeBps, 2000);
        assertFalse(entry.released);
        _assertSolvent(USD);
    }

    function test_lockBeyondTheBalanceReverts() public {
        _fund(tenant, 101);
        vm.startPrank(address(orderRequest));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, 101, 102));
        escrow.lock(ORDER, tenant, USD, 100);
        vm.expectRevert(IEscrow.InvalidAmount.selector);
        escrow.lock(ORDER, tenant, USD, 0);
    }

    function test_anOrderLocksOnce() public {
        _fund(tenant, 100);
        _lock(USD, 10);
        vm.prank(address(orderRequest));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.LockAlreadyReleased.selector, ORDER));
        escrow.lock(ORDER, tenant, USD, 10);
        _release();
        vm.prank(address(orderRequest));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.LockAlreadyReleased.selector, ORDER));
        escrow.lock(ORDER, tenant, USD, 10);
    }

    function test_aLockNeverReaches96Bits() public {
        uint96 most = type(uint96).max;
        uint256 amount = uint256(most) + (uint256(most) * 200 + 9999) / 10_000;
        _fund(tenant, amount);
        vm.prank(address(orderRequest));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.LockTooLarge.selector, amount));
        escrow.lock(ORDER, tenant, USD, most);
        // The largest cost whose fee still fits.
        uint96 cost = uint96(uint256(most) * 10_000 / 10_200);
        _lock(USD, cost);
        assertLe(most - _entry().locked, 2);
        assertEq(_pay(cost), cost - cost / 100 - cost / 5);
        _release();
        _assertSolvent(USD);
    }

    function test_fitLockAddsWhatIsMissing() public {
        _fund(tenant, 300);
        _lock(USD, 100);
        vm.expectEmit(address(escrow));
        emit IEscrow.LockAdded(ORDER, 102);
        (uint256 added, uint256 returned) = _fit(200);
        assertEq(added, 102);
        assertEq(returned, 0);
        assertEq(_entry().locked, 204);
        assertEq(escrow.balanceOf(tenant, USD), 96);
        vm.prank(address(computeLease));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, 96, 102));
        escrow.fitLock(ORDER, 300);
        _assertSolvent(USD);
    }

    function test_fitLockReturnsWhatIsOverButNeverWhatIsPaid() public {
        _fund(tenant, 300);
        _lock(USD, 200);
        _pay(50);
        vm.expectEmit(address(escrow));
        emit IEscrow.Released(ORDER, tenant, USD, 102, 0, false);
        (uint256 added, uint256 returned) = _fit(100);
        assertEq(added, 0);
        assertEq(returned, 102);
        assertFalse(_entry().released);
        vm.prank(address(computeLease));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.LockExceeded.selector, ORDER, 49, 50));
        escrow.fitLock(ORDER, 49);
        (added, returned) = _fit(50);
        assertEq(returned, 51);
        assertEq(_entry().locked, _entry().spent, "nothing is left to pay with");
        (added, returned) = _fit(50);
        assertEq(added + returned, 0);
        _assertSolvent(USD);
    }

    function test_onlyLeasesFitAndPay() public {
        _fund(tenant, 100);
        _lock(USD, 10);
        vm.startPrank(address(orderRequest));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotAuthorized.selector, address(orderRequest)));
        escrow.fitLock(ORDER, 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotAuthorized.selector, address(orderRequest)));
        escrow.pay(ORDER, providerOwner, 1);
    }

    function test_paySharesTheAccrualAndTakesTheUserFeeOnTop() public {
        _fund(tenant, 2000);
        _lock(USD, 1000);
        vm.expectEmit(address(escrow));
        emit IEscrow.LeasePaid(ORDER, providerOwner, USD, 790, 30, 200);
        assertEq(_pay(1000), 790);
        assertEq(escrow.balanceOf(providerOwner, USD), 790);
        assertEq(escrow.balanceOf(treasury, USD), 30, "1 % of the accrual and 2 % on top");
        assertEq(escrow.balanceOf(foundation, USD), 200);
        assertEq(_entry().spent, 1020);
        assertEq(_entry().accruedPaid, 1000);
        _assertSolvent(USD);
    }

    function test_payIsCumulative() public {
        _fund(tenant, 2000);
        _lock(USD, 1000);
        assertEq(_pay(400), 316);
        assertEq(_pay(400), 0, "nothing new accrued");
        assertEq(_pay(300), 0, "an older figure takes nothing back");
        assertEq(_pay(1000), 474);
        _assertSolvent(USD);
    }

    /// From 99 to 100 both fees step: the provider would have to give a unit back.
    function test_aUnitThatWouldBeTakenFromTheProviderWaits() public {
        _fund(tenant, 2000);
        _lock(USD, 1000);
        assertEq(_pay(99), 80);
        assertEq(_pay(100), 0);
        assertEq(_entry().accruedPaid, 99);
        assertEq(_pay(101), 0, "with the next unit its share is the same");
        assertEq(_entry().accruedPaid, 101);
        assertEq(escrow.balanceOf(foundation, USD), 20);
        assertEq(escrow.balanceOf(treasury, USD), 3, "1 % and 2 %, each of 101 and rounded down");
        _assertSolvent(USD);
    }

    function test_payBeyondTheLockReverts() public {
        _fund(tenant, 2000);
        _lock(USD, 1000);
        vm.prank(address(computeLease));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.LockExceeded.selector, ORDER, 1020, 1021));
        escrow.pay(ORDER, providerOwner, 1001);
    }

    function test_thereAreNoUserAndProviderFeesInTheNativeToken() public {
        FeeTerms memory terms = _feeTerms();
        terms.nativeTokenId = USD;
        escrow.setFeeTerms(terms);
        _fund(tenant, 1000);
        assertEq(escrow.lockAmount(USD, 1000), 1000);
        _lock(USD, 1000);
        assertEq(_pay(1000), 800);
        assertEq(escrow.balanceOf(treasury, USD), 0);
        assertEq(escrow.balanceOf(foundation, USD), 200);
        assertEq(_release(), 0);
        _assertSolvent(USD);
    }

    function test_anOrderKeepsTheFeesItLockedUnder() public {
        _fund(tenant, 2000);
        _lock(USD, 1000);
        FeeTerms memory terms = _feeTerms();
        (terms.userFeeBps, terms.providerFeeBps, terms.foundationFeeBps) = (1000, 1000, 5000);
        escrow.setFeeTerms(terms);
        assertEq(_pay(500), 395);
        (uint256 added,) = _fit(1100);
        assertEq(added, 102);
        assertEq(escrow.lockAmount(USD, 1000), 1100, "a new one pays the new");
    }

    function test_releaseReturnsTheRestOnce() public {
        _fund(tenant, 102);
        _lock(USD, 100);
        _pay(20);
        vm.expectEmit(address(escrow));
        emit IEscrow.Released(ORDER, tenant, USD, 82, 0, true);
        assertEq(_release(), 82, "102 less 20 and no fee, as 0.4 rounds down");
        assertEq(escrow.balanceOf(tenant, USD), 82);
        assertTrue(_entry().released);
        vm.prank(address(orderRequest));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.LockAlreadyReleased.selector, ORDER));
        escrow.release(ORDER);
        vm.startPrank(address(computeLease));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.LockAlreadyReleased.selector, ORDER));
        escrow.pay(ORDER, providerOwner, 70);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.LockAlreadyReleased.selector, ORDER));
        escrow.fitLock(ORDER, 70);
        vm.stopPrank();
        _assertSolvent(USD);
    }

    function test_ordersReleaseToo() public {
        _fund(tenant, 102);
        _lock(USD, 100);
        vm.prank(address(orderRequest));
        assertEq(escrow.release(ORDER), 102);
        assertEq(escrow.balanceOf(tenant, USD), 102);
    }

    function test_strangersCannotReleaseNorOrdersWithoutLock() public {
        _fund(tenant, 102);
        vm.prank(address(orderRequest));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.LockAlreadyReleased.selector, ORDER));
        escrow.release(ORDER);
        _lock(USD, 100);
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotAuthorized.selector, tenant));
        escrow.release(ORDER);
    }

    // ---- bonds

    function test_bondsAreHeldAndMoved() public {
        _fund(providerOwner, 100);
        vm.startPrank(address(bid));
        vm.expectEmit(address(escrow));
        emit IEscrow.BondHeld(providerOwner, USD, 60);
        escrow.holdBond(providerOwner, USD, 60);
        assertEq(escrow.bondsOf(providerOwner, USD), 60);
        assertEq(escrow.balanceOf(providerOwner, USD), 40);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, 40, 41));
        escrow.holdBond(providerOwner, USD, 41);
        vm.expectEmit(address(escrow));
        emit IEscrow.BondMoved(providerOwner, tenant, USD, 20);
        escrow.moveBond(providerOwner, tenant, USD, 20);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientBalance.selector, 40, 41));
        escrow.moveBond(providerOwner, providerOwner, USD, 41);
        escrow.moveBond(providerOwner, providerOwner, USD, 40);
        vm.stopPrank();
        assertEq(escrow.balanceOf(tenant, USD), 20);
        assertEq(escrow.balanceOf(providerOwner, USD), 80);
        _assertSolvent(USD);
    }

    function test_onlyBidsMoveBonds() public {
        _fund(providerOwner, 100);
        vm.startPrank(address(computeLease));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotAuthorized.selector, address(computeLease)));
        escrow.holdBond(providerOwner, USD, 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotAuthorized.selector, address(computeLease)));
        escrow.moveBond(providerOwner, tenant, USD, 0);
    }

    // ---- governance and proxy

    function test_feeTermsAreSetByTheirRoleWithinBounds() public {
        FeeTerms memory terms = _feeTerms();
        (terms.userFeeBps, terms.providerFeeBps, terms.foundationFeeBps) = (1000, 1000, 5000);
        vm.expectEmit(address(escrow));
        emit IEscrow.FeeTermsUpdated(terms);
        escrow.setFeeTerms(terms);
        assertEq(abi.encode(escrow.feeTerms()), abi.encode(terms));

        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, tenant));
        escrow.setFeeTerms(terms);

        terms.userFeeBps = 1001;
        _expectInvalid(terms, "userFeeBps");
        (terms.userFeeBps, terms.providerFeeBps) = (0, 1001);
        _expectInvalid(terms, "providerFeeBps");
        (terms.providerFeeBps, terms.foundationFeeBps) = (0, 5001);
        _expectInvalid(terms, "foundationFeeBps");
        (terms.foundationFeeBps, terms.treasury) = (0, address(0));
        _expectInvalid(terms, "treasury");
        (terms.treasury, terms.foundation) = (treasury, address(0));
        _expectInvalid(terms, "foundation");
    }

    function _expectInvalid(FeeTerms memory terms, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IEscrow.FeeTermsInvalid.selector, field));
        escrow.setFeeTerms(terms);
    }

    function test_itIsInitializedOnceAndItsImplementationNever() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        escrow.initialize(address(manager), _feeTerms());
        Escrow implementation = new Escrow(market);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(address(manager), _feeTerms());
    }

    /// The first member of the layout is the balances by token and account.
    function test_theLayoutLiesAtItsErc7201Slot() public {
        _fund(tenant, 123);
        bytes32 base = keccak256(abi.encode(uint256(keccak256("matchmaker.storage.Escrow")) - 1)) & ~bytes32(uint256(0xff));
        bytes32 ofToken = keccak256(abi.encode(USD, base));
        assertEq(uint256(vm.load(address(escrow), keccak256(abi.encode(tenant, ofToken)))), 123);
    }

    // ---- all together

    /// S14: whatever is paid, fitted and released, the lock is what was paid and what came back, and the contract owes what it holds.
    function testFuzz_S14_aLockIsConserved(uint96 cost, uint96 first, uint96 fitted, uint96 second, uint96 sponsored) public {
        cost = uint96(bound(cost, 1, type(uint96).max / 2));
        first = uint96(bound(first, 0, cost));
        fitted = uint96(bound(fitted, first, type(uint96).max / 2));
        second = uint96(bound(second, 0, fitted));
        uint256 most = escrow.lockAmount(USD, cost > fitted ? cost : fitted);
        _fund(tenant, most);
        if (sponsored != 0) _sponsor(sponsored);
        uint256 total = most + sponsored;

        _lock(USD, cost);
        _assertSolvent(USD);
        _pay(first);
        _assertSolvent(USD);
        _fit(fitted);
        _assertSolvent(USD);
        _pay(second);
        _assertSolvent(USD);
        _release();
        _assertSolvent(USD);

        uint256 accrued = _entry().accruedPaid;
        assertLe(
            (first > second ? first : second) - accrued, 1, "all that accrued is paid but a unit that would be taken from the provider"
        );
        uint256 spent = accrued + accrued * 200 / 10_000;
        assertEq(_entry().spent, spent, "the tenant pays the accrual and its fee");
        uint256 shares = escrow.balanceOf(providerOwner, USD) + escrow.balanceOf(treasury, USD) + escrow.balanceOf(foundation, USD);
        assertEq(shares, spent, "and that is what the others got");
        uint256 left = escrow.balanceOf(tenant, USD) + escrow.sponsoredBalanceOf(tenant, sponsor, USD);
        assertEq(left, total - spent, "the rest is back");
        assertLe(escrow.balanceOf(tenant, USD), most, "no sponsored unit became the tenant's own");
    }
}
