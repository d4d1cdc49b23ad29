// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { OrderLock } from "../../src/market/IEscrow.sol";
import { ComputeLeaseHandler } from "./ComputeLeaseHandler.sol";

/// @notice Escrow and leases under any sequence of calls. That nobody else's funds ever fall (S21) is checked by the handler in each call.
contract ComputeLeaseInvariants is Test {
    ComputeLeaseHandler private handler;

    function setUp() public {
        handler = new ComputeLeaseHandler();
        handler.setUp();
        bytes4[] memory steps = new bytes4[](22);
        steps[0] = ComputeLeaseHandler.deposit.selector;
        steps[1] = ComputeLeaseHandler.withdraw.selector;
        steps[2] = ComputeLeaseHandler.sponsor.selector;
        steps[3] = ComputeLeaseHandler.withdrawSponsored.selector;
        steps[4] = ComputeLeaseHandler.chooseSponsor.selector;
        steps[5] = ComputeLeaseHandler.setFees.selector;
        steps[6] = ComputeLeaseHandler.setTerms.selector;
        steps[7] = ComputeLeaseHandler.extend.selector;
        steps[8] = ComputeLeaseHandler.update.selector;
        steps[9] = ComputeLeaseHandler.update.selector;
        steps[10] = ComputeLeaseHandler.claim.selector;
        steps[11] = ComputeLeaseHandler.releaseExcess.selector;
        steps[12] = ComputeLeaseHandler.close.selector;
        steps[13] = ComputeLeaseHandler.end.selector;
        steps[14] = ComputeLeaseHandler.pass.selector;
        steps[15] = ComputeLeaseHandler.createOrder.selector;
        steps[16] = ComputeLeaseHandler.createOrder.selector;
        steps[17] = ComputeLeaseHandler.settle.selector;
        // Most leases reach their confirmation only if this comes often.
        for (uint256 i = 18; i < 22; ++i) {
            steps[i] = ComputeLeaseHandler.advance.selector;
        }
        targetSelector(FuzzSelector({ addr: address(handler), selectors: steps }));
        targetContract(address(handler));
    }

    /// forge-config: default.invariant.runs = 24
    function invariant_S13_theEscrowHoldsWhatItOwes() public view {
        (uint256 held, uint256 liabilities, uint256 owed) = handler.totals();
        assertEq(liabilities, held);
        assertEq(owed, held);
    }

    /// forge-config: default.invariant.runs = 24
    function invariant_S14_everyLockIsWhatWasPaidAndReturnedAndIsLeft() public view {
        for (uint256 i; i < handler.orderCount(); ++i) {
            uint32 orderId = handler.orders(i);
            OrderLock memory entry = handler.lockOf(orderId);
            ComputeLeaseHandler.Flow memory flow = handler.flowOf(orderId);
            uint256 left = entry.released ? 0 : entry.locked - entry.spent;
            assertEq(flow.locked, flow.toProvider + flow.toTreasury + flow.toFoundation + flow.returned + left);
            uint256 paid = entry.accruedPaid;
            assertEq(entry.spent, paid + paid * entry.userFeeBps / 10_000, "the tenant pays the accrual and its fee");
            assertEq(flow.toFoundation, paid * entry.foundationFeeBps / 10_000);
            assertEq(flow.toTreasury, paid * entry.providerFeeBps / 10_000 + paid * entry.userFeeBps / 10_000);
            assertLe(entry.spent, entry.locked);
            assertLe(entry.sponsored, left, "the sponsor's part is part of what is left");
        }
    }

    /// forge-config: default.invariant.runs = 24
    function invariant_S14_leasesAccrueAsTheModelSays() public view {
        for (uint256 i; i < handler.orderCount(); ++i) {
            uint32 orderId = handler.orders(i);
            if (!handler.isMatched(orderId) && !handler.isEnded(orderId)) continue;
            uint256 expected = handler.expectedAccrual(orderId);
            assertEq(handler.accrued(orderId), expected);
            OrderLock memory entry = handler.lockOf(orderId);
            assertLe(entry.accruedPaid, expected);
            assertLe(expected + expected * entry.userFeeBps / 10_000, entry.locked, "the lock covers what has accrued");
            if (entry.released) assertLe(expected - entry.accruedPaid, 1, "all but a unit that the provider would have to give back");
        }
    }

    /// That the books above are not kept of nothing: one fixed sequence of the same calls updates, pays, ends and reopens leases.
    function test_theHandlerReachesEveryState() public {
        uint256 seed = uint256(keccak256("escrow and leases"));
        emit log_named_uint("seed", seed);
        for (uint256 i; i < 40; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            handler.sponsor(random, random >> 8);
            handler.chooseSponsor(random, random >> 16);
            handler.createOrder(random, random >> 24, random >> 64);
            handler.settle();
            for (uint256 k; k < 3 + i % 2; ++k) {
                handler.advance(random >> (32 + k));
            }
            handler.update(random, random >> 32, random >> 72, random >> 112, random >> 136);
            handler.pass(random);
            handler.claim(random);
            handler.extend(random, random >> 40, i % 2 == 0);
            handler.releaseExcess(random >> 3);
            handler.end(random);
            if (i % 4 == 0) handler.close(random, i % 8 == 0);
        }
        (uint256 updated, uint256 paid, uint256 returned, uint256 ended) = (0, 0, 0, 0);
        for (uint256 i; i < handler.orderCount(); ++i) {
            uint32 orderId = handler.orders(i);
            (,,,, uint256 earnedBefore,,,,) = handler.models(orderId);
            if (earnedBefore != 0) ++updated;
            if (handler.flowOf(orderId).toProvider != 0) ++paid;
            if (handler.flowOf(orderId).returned != 0) ++returned;
            if (handler.isEnded(orderId)) ++ended;
        }
        assertGt(updated, 2, "updates");
        assertGt(paid, 5, "payments");
        assertGt(returned, 5, "returns");
        assertGt(ended, 5, "ends");
        invariant_S13_theEscrowHoldsWhatItOwes();
        invariant_S14_everyLockIsWhatWasPaidAndReturnedAndIsLeft();
        invariant_S14_leasesAccrueAsTheModelSays();
    }

    /// S22: whatever happened, everybody can leave with all that is theirs, and what stays is the running locks.
    function afterInvariant() public {
        handler.withdrawAll();
        (uint256 held,, uint256 owed) = handler.totals();
        assertEq(held, owed);
        uint256 locked;
        for (uint256 i; i < handler.orderCount(); ++i) {
            OrderLock memory entry = handler.lockOf(handler.orders(i));
            if (!entry.released) locked += entry.locked - entry.spent;
        }
        assertEq(held, locked);
    }
}
