// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { OrderState } from "../../src/market/MarketTypes.sol";
import { MachineTotalsWord } from "../../src/words/MachineTotalsWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { MarketHandler } from "./MarketHandler.sol";

contract MarketInvariants is Test {
    MarketHandler private market;

    function setUp() public {
        market = new MarketHandler();
        market.setUp();
        bytes4[] memory steps = new bytes4[](18);
        steps[0] = MarketHandler.deposit.selector;
        steps[1] = MarketHandler.withdraw.selector;
        steps[2] = MarketHandler.cancel.selector;
        steps[3] = MarketHandler.expire.selector;
        steps[4] = MarketHandler.refund.selector;
        steps[5] = MarketHandler.claim.selector;
        steps[6] = MarketHandler.closeLease.selector;
        steps[7] = MarketHandler.addMachine.selector;
        steps[8] = MarketHandler.changeOffer.selector;
        steps[9] = MarketHandler.switchMachine.selector;
        steps[10] = MarketHandler.growMachine.selector;
        steps[11] = MarketHandler.renewTable.selector;
        // Orders, rounds and time more often, so that a run gets somewhere.
        for (uint256 i = 12; i < 18; i += 3) {
            steps[i] = MarketHandler.createOrder.selector;
            steps[i + 1] = MarketHandler.settle.selector;
            steps[i + 2] = MarketHandler.pass.selector;
        }
        targetSelector(FuzzSelector({ addr: address(market), selectors: steps }));
        targetContract(address(market));
    }

    function invariant_escrowBalanceEqualsLiabilities() public view {
        (uint256 held, uint256 owed) = market.escrowTotals();
        assertEq(held, owed, "held is what is owed");
        uint256 sum;
        for (uint256 i; i < market.actorCount(); ++i) {
            sum += market.balanceOf(market.actors(i));
        }
        for (uint32 id = 1; id <= market.orderCount(); ++id) {
            sum += market.unspentLock(id);
        }
        assertEq(owed, sum, "what is owed is balances and unspent locks");
    }

    function invariant_anOrderIsLeasedAtMostOnce() public view {
        for (uint32 id = 1; id <= market.orderCount(); ++id) {
            uint256 times = market.timesLeased(id);
            assertLe(times, 1);
            if (market.orderWord(id).state() == uint256(OrderState.Matched)) assertEq(times, 1, "a lease comes from settlement alone");
            if (market.orderWord(id).isOpen()) assertEq(times, 0, "a lease never opens again");
        }
    }

    function invariant_leasedCapacityNeverExceedsRegisteredCapacity() public view {
        for (uint256 m; m < market.machineCount(); ++m) {
            _checkMachine(market.machines(m));
        }
    }

    function invariant_nobodysBalanceFallsButByRule() public view {
        for (uint256 i; i < market.actorCount(); ++i) {
            address account = market.actors(i);
            assertEq(market.balanceOf(account), market.owned(account));
        }
    }

    /// The steps reach leases, skips, closures and refunds; without this the invariants could hold for an idle market.
    function test_theStepsReachEveryState() public {
        uint256 seed = uint256(keccak256("market"));
        for (uint256 i; i < 300; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 step = seed % 8;
            if (step < 2) market.createOrder(seed >> 8, uint256(keccak256(abi.encode(seed, 1))));
            else if (step == 2) market.settle(seed >> 8);
            else if (step == 3) market.closeLease(seed >> 8, seed >> 16);
            else if (step == 4) market.cancel(seed >> 8);
            else if (step == 5) market.refund(seed >> 8);
            else market.pass(seed >> 8, 60);
        }
        assertGt(market.leased(), 0, "leased");
        assertGt(market.left(), 0, "left out");
        assertGt(market.closed(), 0, "closed");
        assertGt(market.refunded(), 0, "refunded");
        invariant_escrowBalanceEqualsLiabilities();
        invariant_anOrderIsLeasedAtMostOnce();
        invariant_leasedCapacityNeverExceedsRegisteredCapacity();
        invariant_nobodysBalanceFallsButByRule();
    }

    /// Sums the running leases of a machine and compares used plus free with what was registered.
    function _checkMachine(uint32 machineId) private view {
        (MachineWord machine, MachineTotalsWord totals) = market.machineWords(machineId);
        uint256[3] memory used;
        uint256[8] memory devices;
        for (uint32 id = 1; id <= market.orderCount(); ++id) {
            OrderWord lease = market.orderWord(id);
            if (lease.state() != uint256(OrderState.Matched) || lease.machineId() != machineId) continue;
            used[0] += lease.cpuMilli();
            used[1] += lease.memoryMib();
            used[2] += lease.storageGib();
            for (uint256 i; i < 8; ++i) {
                if ((lease.deviceMask() >> i) & 1 != 0) devices[i] += lease.milliGpu() < 1000 ? lease.milliGpu() : 1000;
            }
        }
        assertEq(used[0] + machine.freeCpuMilli(), totals.cpuMilli(), "cpu");
        assertEq(used[1] + machine.freeMemoryMib(), totals.memoryMib(), "memory");
        assertEq(used[2] + machine.freeStorageGib(), totals.storageGib(), "storage");
        for (uint256 i; i < 8; ++i) {
            assertEq(devices[i] + machine.freeMilliGpu(i), i < totals.deviceCount() ? 1000 : 0, "device");
        }
    }
}
