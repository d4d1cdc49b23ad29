// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { OrderLock } from "../../src/market/IEscrow.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice The market's escrow, called as the market's contracts would call it, for one order of one tenant.
abstract contract EscrowFixture is MarketBase {
    uint32 internal constant ORDER = 77;
    address internal sponsor = makeAddr("sponsor");

    function _lock(uint16 tokenId, uint96 cost) internal {
        vm.prank(address(orderRequest));
        escrow.lock(ORDER, tenant, tokenId, cost);
    }

    function _fit(uint96 cost) internal returns (uint256 added, uint256 returned) {
        vm.prank(address(computeLease));
        return escrow.fitLock(ORDER, cost);
    }

    function _pay(uint96 accrued) internal returns (uint256 toProvider) {
        vm.prank(address(computeLease));
        return escrow.pay(ORDER, providerOwner, accrued);
    }

    function _release() internal returns (uint256 amount) {
        vm.prank(address(computeLease));
        return escrow.release(ORDER);
    }

    function _entry() internal view returns (OrderLock memory) {
        return escrow.lockOf(ORDER);
    }

    function _one(address account) internal pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = account;
    }

    /// The sponsor gives the tenant `amount`, which the tenant means to use.
    function _sponsor(uint256 amount) internal {
        usd.mint(sponsor, amount);
        vm.startPrank(sponsor);
        usd.approve(address(escrow), amount);
        escrow.depositFor(USD, amount, _one(tenant));
        vm.stopPrank();
        vm.prank(tenant);
        escrow.chooseSponsor(sponsor);
    }

    /// Everything the escrow owes in a token whose only accounts are those of the fixture.
    function _owed(uint16 tokenId) internal view returns (uint256 owed) {
        address[6] memory accounts = [tenant, providerOwner, treasury, foundation, sponsor, address(this)];
        for (uint256 i; i < accounts.length; ++i) {
            owed += escrow.balanceOf(accounts[i], tokenId) + escrow.bondsOf(accounts[i], tokenId);
        }
        owed += escrow.sponsoredBalanceOf(tenant, sponsor, tokenId);
        OrderLock memory entry = _entry();
        if (!entry.released && entry.tokenId == tokenId) owed += entry.locked - entry.spent;
    }

    /// S13: what is owed is what is held, and what the escrow says it owes.
    function _assertSolvent(uint16 tokenId) internal view {
        (address token,,,) = tokenRegistry.tokenOf(tokenId);
        uint256 held = IERC20(token).balanceOf(address(escrow));
        assertEq(escrow.liabilities(tokenId), held, "S13: liabilities are what is held");
        assertEq(_owed(tokenId), held, "S13: the parts of what is owed add up");
    }
}
