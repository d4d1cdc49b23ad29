// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import { IEscrow } from "../../src/market/IEscrow.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { OrderSpec } from "../../src/market/MarketTypes.sol";
import { EscrowFixture } from "./EscrowFixture.sol";
import { BlocklistToken, CallbackToken, FalseToken, LyingToken, SilentToken } from "./HostileTokens.sol";

/// @notice Tokens that misbehave harm nobody outside themselves: a bystander's plain token is whole after everything.
contract EscrowHostileTest is EscrowFixture {
    address private bystander = makeAddr("bystander");

    function setUp() public override {
        super.setUp();
        _fund(bystander, 5000);
    }

    /// The bystander can take all of its funds, and what is left of the plain token is owed to others.
    modifier harmless() {
        _;
        vm.stopPrank();
        vm.prank(bystander);
        escrow.withdraw(USD, 5000);
        assertEq(usd.balanceOf(bystander), 5000, "S21: the bystander's funds are untouched");
        assertEq(escrow.liabilities(USD), usd.balanceOf(address(escrow)));
    }

    function test_aTokenWithoutReturnValueWorks() public harmless {
        SilentToken token = new SilentToken();
        uint16 id = tokenRegistry.approveToken(address(token), 0);
        token.mint(tenant, 50);
        vm.startPrank(tenant);
        escrow.deposit(id, 50);
        escrow.withdraw(id, 20);
        assertEq(token.balanceOf(tenant), 20);
        assertEq(token.balanceOf(address(escrow)), escrow.liabilities(id));
    }

    function test_aFalseAnswerIsAFailure() public harmless {
        FalseToken token = new FalseToken();
        uint16 id = tokenRegistry.approveToken(address(token), 0);
        token.mint(tenant, 100);
        vm.startPrank(tenant);
        escrow.deposit(id, 60);
        token.setBroken(true);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        escrow.deposit(id, 10);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        escrow.withdraw(id, 10);
        assertEq(escrow.balanceOf(tenant, id), 60, "nothing is lost by a withdrawal that failed");
        token.setBroken(false);
        escrow.withdraw(id, 60);
        assertEq(token.balanceOf(tenant), 100);
    }

    function test_aTokenThatLiesCreditsNothing() public harmless {
        LyingToken token = new LyingToken();
        uint16 id = tokenRegistry.approveToken(address(token), 0);
        token.mint(address(escrow), 100);
        vm.startPrank(tenant);
        vm.expectRevert(IEscrow.InvalidAmount.selector);
        escrow.deposit(id, 50);
        token.setTaken(10);
        vm.expectRevert(IEscrow.InvalidAmount.selector);
        escrow.deposit(id, 50);
        assertEq(escrow.liabilities(id), 0);
    }

    function test_aTokenCannotReenterWhatMovesTokens() public harmless {
        CallbackToken token = new CallbackToken();
        uint16 id = tokenRegistry.approveToken(address(token), 0);
        token.mint(tenant, 1000);
        bytes[4] memory inner = [
            abi.encodeCall(IEscrow.deposit, (id, 1)),
            abi.encodeCall(IEscrow.withdraw, (id, 1)),
            abi.encodeCall(IEscrow.depositFor, (id, 1, _one(tenant))),
            abi.encodeCall(IEscrow.withdrawSponsored, (id, tenant, 1))
        ];
        vm.startPrank(tenant);
        token.approve(address(escrow), 1000);
        escrow.deposit(id, 100);
        escrow.depositFor(id, 100, _one(tenant));
        for (uint256 i; i < inner.length; ++i) {
            token.callBackWith(address(escrow), inner[i]);
            escrow.deposit(id, 10);
            _assertRefused(token);
            token.callBackWith(address(escrow), inner[i]);
            escrow.depositFor(id, 10, _one(tenant));
            _assertRefused(token);
            token.callBackWith(address(escrow), inner[i]);
            escrow.withdraw(id, 5);
            _assertRefused(token);
            token.callBackWith(address(escrow), inner[i]);
            escrow.withdrawSponsored(id, tenant, 5);
            _assertRefused(token);
        }
        assertEq(token.balanceOf(address(escrow)), 200 + 4 * 10);
        assertEq(token.balanceOf(address(escrow)), escrow.liabilities(id));
        assertEq(escrow.balanceOf(tenant, id) + escrow.sponsoredBalanceOf(tenant, tenant, id), 240);
    }

    function _assertRefused(CallbackToken token) private view {
        assertFalse(token.hasSucceeded());
        assertEq(bytes4(token.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }

    /// What only moves credit may be called back into; the token, as an account of its own, then orders with what it has and no more.
    function test_aTokenThatOrdersWhileItMovesGetsNoMoreThanItHas() public harmless {
        CallbackToken token = new CallbackToken();
        uint16 id = tokenRegistry.approveToken(address(token), 0);
        token.mint(tenant, 10_000);
        OrderSpec memory spec = _spec();
        (spec.tokenId, spec.maxPriceMicroPerHour, spec.durationMinutes) = (id, 6000, 10);
        bytes memory order = abi.encodeCall(IOrderRequest.createOrder, (spec, uint32(block.timestamp + 1 days)));
        vm.startPrank(tenant);
        token.approve(address(escrow), 10_000);
        token.callBackWith(address(orderRequest), order);
        escrow.deposit(id, 5000);
        assertFalse(token.hasSucceeded(), "the token has no balance");
        assertEq(bytes4(token.answer()), IEscrow.InsufficientBalance.selector);
        escrow.depositFor(id, 1100, _one(address(token)));
        vm.stopPrank();
        vm.prank(address(token));
        escrow.chooseSponsor(tenant);
        token.callBackWith(address(orderRequest), order);
        // The order takes what the withdrawal has already been granted from: the withdrawal's debit came first.
        vm.prank(tenant);
        escrow.withdrawSponsored(id, address(token), 100);
        assertFalse(token.hasSucceeded(), "1000 is left, 1020 is needed");
        token.callBackWith(address(orderRequest), order);
        vm.prank(tenant);
        escrow.withdraw(id, 100);
        assertFalse(token.hasSucceeded());
        vm.startPrank(tenant);
        escrow.depositFor(id, 20, _one(address(token)));
        token.callBackWith(address(orderRequest), order);
        escrow.withdraw(id, 100);
        assertTrue(token.hasSucceeded(), "an order of its own funds");
        assertEq(escrow.sponsoredBalanceOf(address(token), tenant, id), 0);
        assertEq(escrow.balanceOf(tenant, id), 4800);
        assertEq(token.balanceOf(address(escrow)), escrow.liabilities(id));
    }

    function test_aBlockedAccountBlocksNobodyElse() public harmless {
        BlocklistToken token = new BlocklistToken();
        uint16 id = tokenRegistry.approveToken(address(token), 0);
        token.mint(tenant, 2000);
        vm.startPrank(tenant);
        token.approve(address(escrow), 2000);
        escrow.deposit(id, 2000);
        vm.stopPrank();
        _lock(id, 1000);
        token.setBlocked(providerOwner, true);
        token.setBlocked(treasury, true);
        // Neither payment nor the end of the lock touches the token.
        assertEq(_pay(500), 395);
        assertEq(_release(), 510);
        vm.prank(providerOwner);
        vm.expectRevert(abi.encodeWithSelector(BlocklistToken.Blocked.selector, providerOwner));
        escrow.withdraw(id, 395);
        vm.prank(tenant);
        escrow.withdraw(id, 1490);
        vm.prank(foundation);
        escrow.withdraw(id, 100);
        assertEq(escrow.balanceOf(providerOwner, id), 395, "still its own when the block ends");
        token.setBlocked(providerOwner, false);
        vm.prank(providerOwner);
        escrow.withdraw(id, 395);
        assertEq(IERC20(address(token)).balanceOf(address(escrow)), escrow.liabilities(id));
    }
}
