// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { FeeTerms } from "../../src/market/IEscrow.sol";
import { EscrowFixture } from "./EscrowFixture.sol";

/// @notice What each call of the escrow costs at its worst, execution only: first credits, a lock with a sponsor's part, sixteen accounts.
/// The accounts and locks are made in `setUp`, so that every word is cold.
contract EscrowGasTest is EscrowFixture {
    address[] private accounts;

    function setUp() public override {
        super.setUp();
        _fund(tenant, 1000);
        _sponsor(560);
        _lock(USD, 1000);
        usd.mint(sponsor, 1 ether);
        vm.prank(sponsor);
        usd.approve(address(escrow), 1 ether);
        usd.mint(providerOwner, 1 ether);
        vm.prank(providerOwner);
        usd.approve(address(escrow), 1 ether);
        _fund(foundation, 100);
        vm.startPrank(address(bid));
        escrow.holdBond(foundation, USD, 50);
        vm.stopPrank();
        for (uint256 i; i < 16; ++i) {
            accounts.push(address(uint160(0x1000 + i)));
        }
    }

    function _measure(string memory name) private {
        vm.snapshotGasLastCall("Escrow", name);
    }

    function test_Gas_Deposit() public {
        vm.prank(providerOwner);
        escrow.deposit(USD, 1000);
        _measure("deposit, the first of an account");
    }

    function test_Gas_DepositFor() public {
        usd.setFeeBps(1);
        vm.prank(sponsor);
        escrow.depositFor(USD, 1001, accounts);
        _measure("depositFor 16 accounts, a remainder left by a fee");
    }

    function test_Gas_Withdraw() public {
        vm.prank(tenant);
        escrow.withdraw(USD, 100);
        _measure("withdraw");
    }

    function test_Gas_WithdrawSponsored() public {
        _release();
        vm.prank(sponsor);
        escrow.withdrawSponsored(USD, tenant, 100);
        _measure("withdrawSponsored");
    }

    function test_Gas_ChooseSponsor() public {
        vm.prank(providerOwner);
        escrow.chooseSponsor(sponsor);
        _measure("chooseSponsor");
    }

    function test_Gas_Lock() public {
        vm.prank(sponsor);
        escrow.depositFor(USD, 50, _one(tenant));
        vm.prank(address(orderRequest));
        escrow.lock(ORDER + 1, tenant, USD, 100);
        _measure("lock, sponsored in part");
    }

    function test_Gas_FitLock() public {
        _fit(1100);
        _measure("fitLock, lock raised");
    }

    function test_Gas_FitLockReturns() public {
        _fit(100);
        _measure("fitLock, to sponsor and tenant");
    }

    function test_Gas_Pay() public {
        _pay(300);
        _measure("pay, the first of everybody, from a sponsor's part");
    }

    function test_Gas_Release() public {
        _release();
        _measure("release, to sponsor and tenant");
    }

    function test_Gas_HoldBond() public {
        vm.prank(address(bid));
        escrow.holdBond(tenant, USD, 100);
        _measure("holdBond, the first of an account");
    }

    function test_Gas_MoveBond() public {
        vm.prank(address(bid));
        escrow.moveBond(foundation, providerOwner, USD, 50);
        _measure("moveBond to an account without balance");
    }

    function test_Gas_SetFeeTerms() public {
        FeeTerms memory terms = _feeTerms();
        (terms.userFeeBps, terms.treasury, terms.foundation) = (100, foundation, treasury);
        escrow.setFeeTerms(terms);
        _measure("setFeeTerms");
    }
}
