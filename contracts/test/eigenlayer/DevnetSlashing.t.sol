// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { IAllocationManager } from "../../src/eigenlayer/IAllocationManager.sol";
import { IDelegationManager } from "../../src/eigenlayer/IDelegationManager.sol";
import { IStrategy } from "../../src/eigenlayer/IStrategy.sol";
import { IStrategyManager } from "../../src/eigenlayer/IStrategyManager.sol";
import {
    OperatorSet,
    Allocation,
    CreateSetParamsV2,
    DeregisterParams,
    QueuedWithdrawalParams,
    SignatureWithExpiry,
    SlashingParams,
    Withdrawal
} from "../../src/eigenlayer/EigenTypes.sol";
import { DevnetDelegationManager } from "../../src/eigenlayer/devnet/DevnetDelegationManager.sol";
import { DevnetStrategyManager } from "../../src/eigenlayer/devnet/DevnetStrategyManager.sol";
import { DevnetToken } from "../../src/devnet/DevnetToken.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

contract DevnetSlashingTest is EigenDevnetFixture {
    address private constant BURN_ADDRESS = 0x00000000000000000000000000000000000E16E4;
    uint64 private constant HALF = WAD / 2;

    Operator private operator;
    address private staker = makeAddr("staker");
    SignatureWithExpiry private noApproval;

    function setUp() public override {
        super.setUp();
        operator = joinSet("operator", 60e18);
        deposit(staker, 40e18);
        vm.prank(staker);
        delegationManager.delegateTo(operator.account, noApproval, 0);
    }

    // ------------------------------------------------------------------ who and what

    function test_checksComeInOrder() public {
        SlashingParams memory params = slashParams(strategy, HALF);
        params.wadsToSlash = new uint256[](2);
        params.operatorSetId = 99;
        vm.expectRevert(IAllocationManager.InputArrayLengthMismatch.selector);
        allocationManager.slashOperator(avs, params);
        params = slashParams(strategy, HALF);
        params.operatorSetId = 99;
        params.operator = staker;
        vm.expectRevert(IAllocationManager.InvalidOperatorSet.selector);
        allocationManager.slashOperator(avs, params);
        params.operatorSetId = operatorSet.id;
        vm.expectRevert(IAllocationManager.OperatorNotSlashable.selector);
        allocationManager.slashOperator(avs, params);
        params.operator = operator.account;
        params.wadsToSlash[0] = 0;
        vm.expectRevert(IAllocationManager.InvalidCaller.selector);
        allocationManager.slashOperator(avs, params);
        vm.prank(slasher);
        vm.expectRevert(IAllocationManager.InvalidWadToSlash.selector);
        allocationManager.slashOperator(avs, params);
        params.wadsToSlash[0] = uint256(WAD) + 1;
        vm.prank(slasher);
        vm.expectRevert(IAllocationManager.InvalidWadToSlash.selector);
        allocationManager.slashOperator(avs, params);
        assertEq(allocationManager.getSlashCount(operatorSet), 0);
    }

    /// @dev Neither the AVS nor an appointee for this very function.
    function test_onlyTheSlasherItselfSlashes() public {
        address appointee = makeAddr("appointee");
        vm.prank(avs);
        permissionController.setAppointee(avs, appointee, address(allocationManager), IAllocationManager.slashOperator.selector);
        vm.prank(slasher);
        permissionController.setAppointee(slasher, appointee, address(allocationManager), IAllocationManager.slashOperator.selector);
        address[2] memory callers = [avs, appointee];
        for (uint256 i; i < 2; ++i) {
            vm.prank(callers[i]);
            vm.expectRevert(IAllocationManager.InvalidCaller.selector);
            allocationManager.slashOperator(avs, slashParams(strategy, HALF));
        }
    }

    function test_strategiesAscendAndBelongToTheSet() public {
        IStrategy other = otherStrategy();
        SlashingParams memory params = slashParams(other, HALF);
        vm.prank(slasher);
        vm.expectRevert(IAllocationManager.StrategyNotInOperatorSet.selector);
        allocationManager.slashOperator(avs, params);
        vm.prank(avs);
        allocationManager.addStrategiesToOperatorSet(avs, operatorSet.id, strategies(other));
        params.strategies = new IStrategy[](2);
        params.wadsToSlash = new uint256[](2);
        (params.wadsToSlash[0], params.wadsToSlash[1]) = (HALF, HALF);
        (params.strategies[0], params.strategies[1]) = address(other) < address(strategy) ? (strategy, other) : (other, strategy);
        vm.prank(slasher);
        vm.expectRevert(IAllocationManager.StrategiesMustBeInAscendingOrder.selector);
        allocationManager.slashOperator(avs, params);
        (params.strategies[0], params.strategies[1]) = (strategy, strategy);
        vm.prank(slasher);
        vm.expectRevert(IAllocationManager.StrategiesMustBeInAscendingOrder.selector);
        allocationManager.slashOperator(avs, params);
        (params.strategies[0], params.strategies[1]) = address(other) < address(strategy) ? (other, strategy) : (strategy, other);
        vm.prank(slasher);
        (, uint256[] memory shares) = allocationManager.slashOperator(avs, params);
        assertEq(shares[params.strategies[0] == strategy ? 0 : 1], 50e18);
        assertEq(shares[params.strategies[0] == strategy ? 1 : 0], 0);
        // A strategy without allocation leaves no entry.
        assertEq(strategyManager.getBurnOrRedistributableCount(operatorSet, 1), 1);
    }

    function test_slashTakesTheFractionOfWhatIsAllocatedToTheSet() public {
        reallocate(HALF);
        vm.expectEmit(address(allocationManager));
        emit IAllocationManager.AllocationUpdated(operator.account, operatorSet, strategy, HALF / 2, uint32(block.number));
        vm.expectEmit(address(allocationManager));
        emit IAllocationManager.EncumberedMagnitudeUpdated(operator.account, strategy, HALF / 2);
        vm.expectEmit(address(allocationManager));
        emit IAllocationManager.MaxMagnitudeUpdated(operator.account, strategy, 0.75e18);
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.OperatorSharesDecreased(operator.account, address(0), strategy, 25e18);
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.OperatorSharesSlashed(operator.account, strategy, 25e18);
        vm.expectEmit(address(strategyManager));
        emit IStrategyManager.BurnOrRedistributableSharesIncreased(operatorSet, 1, strategy, 25e18);
        uint256[] memory wadSlashed = new uint256[](1);
        wadSlashed[0] = 0.25e18;
        vm.expectEmit(address(allocationManager));
        emit IAllocationManager.OperatorSlashed(operator.account, operatorSet, strategies(strategy), wadSlashed, "why");
        (uint256 slashId, uint256[] memory shares) = slash(HALF);
        assertEq(slashId, 1);
        assertEq(shares[0], 25e18);
        assertEq(allocationManager.getSlashCount(operatorSet), 1);
        assertEq(allocationManager.getMaxMagnitude(operator.account, strategy), 0.75e18);
        assertEq(allocationManager.getEncumberedMagnitude(operator.account, strategy), 0.25e18);
        assertEq(allocationManager.getAllocatableMagnitude(operator.account, strategy), 0.5e18);
        assertEq(operatorShares(), 75e18);
        // 0.25 of 0.75 is floored to 18 digits first.
        assertEq(minimumStake(), 75e18 * uint256(0.333333333333333333e18) / 1e18);
    }

    /// @dev Two times half of one offence leave a quarter.
    function test_slashingTwiceTakesTwice() public {
        slash(HALF);
        (uint256 slashId, uint256[] memory shares) = slash(HALF);
        assertEq(slashId, 2);
        assertEq(shares[0], 25e18);
        assertEq(operatorShares(), 25e18);
        assertEq(allocationManager.getMaxMagnitude(operator.account, strategy), 0.25e18);
    }

    function test_nothingAllocatedIsPassedOverButUsesAnId() public {
        reallocate(0);
        uint256[] memory wadSlashed = new uint256[](1);
        vm.expectEmit(address(allocationManager));
        emit IAllocationManager.OperatorSlashed(operator.account, operatorSet, strategies(strategy), wadSlashed, "why");
        (uint256 slashId, uint256[] memory shares) = slash(HALF);
        assertEq(slashId, 1);
        assertEq(shares[0], 0);
        assertEq(operatorShares(), 100e18);
        assertEq(strategyManager.getBurnOrRedistributableCount(operatorSet, 1), 0);
        assertEq(strategyManager.getPendingOperatorSets().length, 0);
    }

    function test_pendingDeallocationShrinksByTheSameWad() public {
        allocate(operator.account, 0.4e18);
        uint32 effectBlock = uint32(block.number) + DEALLOCATION_DELAY + 1;
        slash(HALF);
        Allocation memory allocation = allocationManager.getAllocation(operator.account, operatorSet, strategy);
        assertEq(allocation.currentMagnitude, 0.5e18);
        assertEq(allocation.pendingDiff, -0.3e18);
        assertEq(allocation.effectBlock, effectBlock);
        vm.roll(effectBlock);
        assertEq(allocationManager.getAllocation(operator.account, operatorSet, strategy).currentMagnitude, 0.2e18);
        assertEq(allocationManager.getAllocatableMagnitude(operator.account, strategy), 0.3e18);
        // Over, though nobody has cleared the queue: only what is left is slashed, and the rest becomes free.
        slash(HALF);
        assertEq(allocationManager.getMaxMagnitude(operator.account, strategy), 0.4e18);
        assertEq(allocationManager.getEncumberedMagnitude(operator.account, strategy), 0.1e18);
        allocate(operator.account, 0.4e18);
        assertEq(allocationManager.getEncumberedMagnitude(operator.account, strategy), 0.4e18);
    }

    function test_pendingIncreaseIsNotSlashed() public {
        reallocate(HALF);
        vm.prank(operator.account);
        allocationManager.setAllocationDelay(operator.account, 5);
        vm.roll(block.number + CONFIGURATION_DELAY + 1);
        allocate(operator.account, 0.8e18);
        slash(WAD);
        Allocation memory allocation = allocationManager.getAllocation(operator.account, operatorSet, strategy);
        assertEq(allocation.currentMagnitude, 0);
        assertEq(allocation.pendingDiff, 0.3e18);
        assertEq(allocationManager.getEncumberedMagnitude(operator.account, strategy), 0.3e18);
        vm.roll(block.number + 5);
        assertEq(allocationManager.getAllocation(operator.account, operatorSet, strategy).currentMagnitude, 0.3e18);
    }

    function test_anotherSetKeepsItsMagnitudeAndStake() public {
        reallocate(HALF);
        OperatorSet memory other = OperatorSet(avs, 8);
        vm.prank(avs);
        allocationManager.createOperatorSets(avs, setParams(8, strategy));
        vm.prank(operator.account);
        allocationManager.modifyAllocations(operator.account, allocateParams(other, strategy, HALF));
        uint256 before = allocatedStake(other);
        slash(HALF);
        assertEq(allocationManager.getAllocation(operator.account, other, strategy).currentMagnitude, HALF);
        // 0.5 of 0.75 of 75 shares, floored to 18 digits.
        assertApproxEqAbs(allocatedStake(other), before, 100);
        (OperatorSet[] memory sets, Allocation[] memory allocations) = allocationManager.getStrategyAllocations(operator.account, strategy);
        assertEq(sets.length, 2);
        assertEq(sets[0].id, operatorSet.id);
        assertEq(allocations[0].currentMagnitude, HALF / 2);
        assertEq(allocations[1].currentMagnitude, HALF);
        assertEq(allocationManager.getAllocations(addresses(operator.account), other, strategy)[0].currentMagnitude, HALF);
    }

    function test_leaverIsSlashableToTheLastBlockOfTheDelay() public {
        vm.prank(operator.account);
        allocationManager.deregisterFromOperatorSets(DeregisterParams(operator.account, avs, ids(operatorSet.id)));
        vm.roll(block.number + DEALLOCATION_DELAY);
        slash(HALF);
        vm.roll(block.number + 1);
        vm.prank(slasher);
        vm.expectRevert(IAllocationManager.OperatorNotSlashable.selector);
        allocationManager.slashOperator(avs, slashParams(strategy, HALF));
    }

    function test_fullySlashedOperatorIsSpent() public {
        slash(WAD);
        assertEq(operatorShares(), 0);
        assertEq(minimumStake(), 0);
        assertEq(allocationManager.getAllocatedSets(operator.account).length, 0);
        assertEq(withdrawable(staker), 0);
        assertEq(withdrawable(operator.account), 0);
        require(stakeToken.transfer(staker, 1e18));
        vm.startPrank(staker);
        stakeToken.approve(address(strategyManager), 1e18);
        vm.expectRevert(IDelegationManager.FullySlashed.selector);
        strategyManager.depositIntoStrategy(strategy, stakeToken, 1e18);
        vm.stopPrank();
        address late = makeAddr("late");
        deposit(late, 1e18);
        vm.prank(late);
        vm.expectRevert(IDelegationManager.FullySlashed.selector);
        delegationManager.delegateTo(operator.account, noApproval, 0);
        vm.prank(operator.account);
        vm.expectRevert(IAllocationManager.InsufficientMagnitude.selector);
        allocationManager.modifyAllocations(operator.account, allocateParams(operatorSet, strategy, 1));
    }

    function test_magnitudeIsKnownByBlock() public {
        uint32 start = uint32(block.number);
        vm.roll(start + 5);
        slash(HALF);
        vm.roll(start + 9);
        slash(HALF);
        assertEq(magnitudeAt(0), WAD);
        assertEq(magnitudeAt(start + 4), WAD);
        assertEq(magnitudeAt(start + 5), 0.5e18);
        assertEq(magnitudeAt(start + 8), 0.5e18);
        assertEq(magnitudeAt(start + 9), 0.25e18);
        assertEq(allocationManager.getMaxMagnitudes(operator.account, strategies(strategy))[0], 0.25e18);
        address[] memory both = new address[](2);
        (both[0], both[1]) = (staker, operator.account);
        uint64[] memory magnitudes = allocationManager.getMaxMagnitudes(both, strategy);
        assertEq(magnitudes[0], WAD);
        assertEq(magnitudes[1], 0.25e18);
    }

    /// @dev Slashed magnitude is rounded up, the told fraction down, what stays of the operator's shares up.
    function testFuzz_slashRoundsAsStated(uint64 magnitude, uint256 wad, uint64 again) public {
        magnitude = uint64(bound(magnitude, 1, WAD));
        wad = bound(wad, 1, WAD);
        if (magnitude != WAD) reallocate(magnitude);
        slash(wad);
        uint64 left = magnitude - uint64(Math.ceilDiv(uint256(magnitude) * wad, 1e18));
        uint64 max = WAD - (magnitude - left);
        assertEq(allocationManager.getMaxMagnitude(operator.account, strategy), max);
        assertEq(allocationManager.getAllocation(operator.account, operatorSet, strategy).currentMagnitude, left);
        assertEq(allocationManager.getEncumberedMagnitude(operator.account, strategy), left);
        uint256 shares = Math.ceilDiv(100e18 * uint256(max), 1e18);
        assertEq(operatorShares(), shares);
        assertEq(strategyManager.getBurnOrRedistributableShares(operatorSet, 1, strategy), 100e18 - shares);
        again = uint64(bound(again, 1, WAD));
        uint64 slashed = uint64(Math.ceilDiv(uint256(left) * again, 1e18));
        slash(again);
        assertEq(allocationManager.getMaxMagnitude(operator.account, strategy), max - slashed);
        if (slashed != 0) assertEq(operatorShares(), Math.mulDiv(shares, max - slashed, max, Math.Rounding.Ceil));
        assertLe(withdrawable(staker) + withdrawable(operator.account), operatorShares());
    }

    // ------------------------------------------------------------------ pay-out

    function test_anyonePaysOutToTheBurnAddress() public {
        slash(HALF);
        assertEq(strategyManager.getPendingOperatorSets().length, 1);
        assertEq(strategyManager.getPendingOperatorSets()[0].id, operatorSet.id);
        assertEq(strategyManager.getPendingSlashIds(operatorSet)[0], 1);
        (IStrategy[] memory list, uint256[] memory shares) = strategyManager.getBurnOrRedistributableShares(operatorSet, 1);
        assertEq(address(list[0]), address(strategy));
        assertEq(shares[0], 50e18);
        vm.expectEmit(address(strategyManager));
        emit IStrategyManager.BurnOrRedistributableSharesDecreased(operatorSet, 1, strategy, 50e18);
        uint256[] memory amounts = strategyManager.clearBurnOrRedistributableShares(operatorSet, 1);
        assertEq(amounts[0], 50e18);
        assertEq(stakeToken.balanceOf(BURN_ADDRESS), 50e18);
        assertEq(strategy.totalShares(), 50e18);
        assertEq(strategyManager.getPendingOperatorSets().length, 0);
        assertEq(strategyManager.getPendingSlashIds(operatorSet).length, 0);
        // Twice is nothing.
        assertEq(strategyManager.clearBurnOrRedistributableShares(operatorSet, 1).length, 0);
        assertEq(strategyManager.clearBurnOrRedistributableSharesByStrategy(operatorSet, 1, strategy), 0);
        assertEq(stakeToken.balanceOf(BURN_ADDRESS), 50e18);
    }

    function test_redistributingSetPaysItsRecipientByStrategy() public {
        address recipient = makeAddr("recipient");
        OperatorSet memory other = OperatorSet(avs, 8);
        vm.startPrank(avs);
        allocationManager.createRedistributingOperatorSets(avs, setParams(8, strategy), addresses(recipient));
        vm.stopPrank();
        assertFalse(allocationManager.isOperatorRedistributable(operator.account));
        reallocate(HALF);
        Operator memory key = Operator(operator.account, operator.signingKey, operator.signer);
        (key.signer, key.signingKey) = makeAddrAndKey("second key");
        bytes memory signature = sign(key.signingKey, keyRegistrar.getECDSAKeyRegistrationMessageHash(key.account, other, key.signer));
        vm.startPrank(avs);
        keyRegistrar.configureOperatorSet(other, keyRegistrar.getOperatorSetCurveType(operatorSet));
        vm.stopPrank();
        vm.startPrank(key.account);
        keyRegistrar.registerKey(key.account, other, abi.encodePacked(key.signer), signature);
        operatorSet = other;
        allocationManager.registerForOperatorSets(key.account, registerParams("http://operator.example:9001"));
        allocationManager.modifyAllocations(key.account, allocateParams(other, strategy, HALF));
        vm.stopPrank();
        assertTrue(allocationManager.isOperatorRedistributable(operator.account));
        slash(WAD);
        slash(WAD);
        assertEq(strategyManager.getPendingSlashIds(other).length, 1);
        assertEq(strategyManager.clearBurnOrRedistributableSharesByStrategy(other, 1, strategy), 50e18);
        assertEq(stakeToken.balanceOf(recipient), 50e18);
        assertEq(operatorShares(), 50e18);
    }

    function test_onlyTheCoreContractsMoveShares() public {
        vm.expectRevert(DevnetDelegationManager.OnlyAllocationManager.selector);
        delegationManager.slashOperatorShares(operator.account, operatorSet, 1, strategy, WAD, 0);
        vm.expectRevert(DevnetStrategyManager.OnlyDelegationManager.selector);
        strategyManager.addShares(staker, strategy, 1);
        vm.expectRevert(DevnetStrategyManager.OnlyDelegationManager.selector);
        strategyManager.removeDepositShares(staker, strategy, 1);
        vm.expectRevert(DevnetStrategyManager.OnlyDelegationManager.selector);
        strategyManager.withdrawSharesAsTokens(staker, strategy, stakeToken, 1);
        vm.expectRevert(DevnetStrategyManager.OnlyDelegationManager.selector);
        strategyManager.increaseBurnOrRedistributableShares(operatorSet, 1, strategy, 1);
    }

    // ------------------------------------------------------------------ slashed deposits and withdrawals

    function test_depositAfterASlashCountsInFull() public {
        slash(HALF);
        assertEq(withdrawable(staker), 20e18);
        require(stakeToken.transfer(staker, 10e18));
        vm.startPrank(staker);
        stakeToken.approve(address(strategyManager), 10e18);
        // 30 of 50 deposit shares at half.
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.DepositScalingFactorUpdated(staker, strategy, 1.2e18);
        strategyManager.depositIntoStrategy(strategy, stakeToken, 10e18);
        vm.stopPrank();
        assertEq(withdrawable(staker), 30e18);
        assertEq(operatorShares(), 60e18);
        address late = makeAddr("late");
        deposit(late, 7e18);
        vm.prank(late);
        delegationManager.delegateTo(operator.account, noApproval, 0);
        assertEq(withdrawable(late), 7e18);
        assertEq(operatorShares(), 67e18);
    }

    function test_queuedWithdrawalIsSlashedToTheLastBlockOfItsDelay() public {
        Withdrawal memory withdrawal = queue(staker, 40e18);
        assertEq(delegationManager.getSlashableSharesInQueue(operator.account, strategy), 40e18);
        vm.roll(withdrawal.startBlock + DEALLOCATION_DELAY);
        (, uint256[] memory shares) = slash(HALF);
        assertEq(shares[0], 50e18);
        assertEq(delegationManager.getSlashableSharesInQueue(operator.account, strategy), 20e18);
        vm.roll(block.number + 1);
        assertEq(delegationManager.getSlashableSharesInQueue(operator.account, strategy), 0);
        // Too late for this one.
        (, shares) = slash(HALF);
        assertEq(shares[0], 15e18);
        (, uint256[][] memory left) = delegationManager.getQueuedWithdrawals(staker);
        assertEq(left[0][0], 20e18);
        complete(withdrawal, true);
        assertEq(stakeToken.balanceOf(staker), 20e18);
        assertEq(strategyManager.clearBurnOrRedistributableShares(operatorSet, 1)[0], 50e18);
        assertEq(strategyManager.clearBurnOrRedistributableShares(operatorSet, 2)[0], 15e18);
    }

    function test_fullySlashedWithdrawalPaysNothing() public {
        Withdrawal memory withdrawal = queue(staker, 40e18);
        slash(WAD);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        complete(withdrawal, false);
        assertEq(strategyManager.stakerDepositShares(staker, strategy), 0);
        assertEq(delegationManager.getQueuedWithdrawalRoots(staker).length, 0);
    }

    /// @dev Of a withdrawal that was slashed in part before the operator was spent, the shares cannot come back to it.
    function test_sharesCannotComeBackToASpentOperator() public {
        Withdrawal memory withdrawal = queue(staker, 40e18);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        slash(WAD);
        vm.startPrank(staker);
        vm.expectRevert(IDelegationManager.FullySlashed.selector);
        delegationManager.completeQueuedWithdrawal(withdrawal, tokens(), false);
        vm.stopPrank();
        complete(withdrawal, true);
        assertEq(stakeToken.balanceOf(staker), 40e18);
    }

    /// @dev What slashing takes, and what stakers get, is all that was deposited, but for units lost to rounding.
    function testFuzz_slashedAndPaidIsWhatWasDeposited(uint256 wad, uint256 wadLater, uint256 queued, uint96 more) public {
        wad = bound(wad, 1, WAD - 1e6);
        wadLater = bound(wadLater, 1, WAD - 1e6);
        queued = bound(queued, 1, 40e18);
        uint256 added = bound(more, 1, 1e24);
        Withdrawal memory first = queue(staker, queued);
        slash(wad);
        deposit(staker, added);
        slash(wadLater);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        complete(first, true);
        uint256 deposited = strategyManager.stakerDepositShares(staker, strategy);
        Withdrawal memory second = queue(staker, deposited);
        Withdrawal memory third = queue(operator.account, 60e18);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        complete(second, true);
        complete(third, true);
        uint256 burnt = strategyManager.clearBurnOrRedistributableShares(operatorSet, 1)[0];
        burnt += strategyManager.clearBurnOrRedistributableShares(operatorSet, 2)[0];
        uint256 paid = stakeToken.balanceOf(staker) + stakeToken.balanceOf(operator.account);
        uint256 all = 100e18 + added;
        assertLe(burnt + paid, all);
        // Factors have 18 digits: what is lost is at most some units of the last digit of the largest amount.
        assertGe(burnt + paid + 1e7 + all / 1e10, all);
        assertEq(stakeToken.balanceOf(address(strategy)), all - burnt - paid);
    }

    // ------------------------------------------------------------------ the AVS

    function test_newSlasherCountsAfterTheDelay() public {
        address successor = makeAddr("successor");
        vm.expectRevert(IAllocationManager.InvalidPermissions.selector);
        allocationManager.updateSlasher(operatorSet, successor);
        uint32 effectBlock = uint32(block.number) + CONFIGURATION_DELAY + 1;
        vm.startPrank(avs);
        vm.expectRevert(IAllocationManager.InputAddressZero.selector);
        allocationManager.updateSlasher(operatorSet, address(0));
        vm.expectRevert(IAllocationManager.InvalidOperatorSet.selector);
        allocationManager.updateSlasher(OperatorSet(avs, 99), successor);
        vm.expectEmit(address(allocationManager));
        emit IAllocationManager.SlasherUpdated(operatorSet, successor, effectBlock);
        allocationManager.updateSlasher(operatorSet, successor);
        vm.stopPrank();
        assertEq(allocationManager.SLASHER_CONFIGURATION_DELAY(), CONFIGURATION_DELAY);
        vm.roll(effectBlock - 1);
        (address pending, uint32 from) = allocationManager.getPendingSlasher(operatorSet);
        assertEq(pending, successor);
        assertEq(from, effectBlock);
        slash(HALF);
        vm.roll(effectBlock);
        (pending, from) = allocationManager.getPendingSlasher(operatorSet);
        assertEq(pending, address(0));
        assertEq(from, 0);
        assertEq(allocationManager.getSlasher(operatorSet), successor);
        vm.prank(slasher);
        vm.expectRevert(IAllocationManager.InvalidCaller.selector);
        allocationManager.slashOperator(avs, slashParams(strategy, HALF));
        slasher = successor;
        slash(HALF);
    }

    function test_secondSlasherChangeReplacesAPendingOne() public {
        vm.startPrank(avs);
        allocationManager.updateSlasher(operatorSet, makeAddr("first"));
        allocationManager.updateSlasher(operatorSet, makeAddr("second"));
        vm.stopPrank();
        assertEq(allocationManager.getSlasher(operatorSet), slasher);
        vm.roll(block.number + CONFIGURATION_DELAY + 1);
        assertEq(allocationManager.getSlasher(operatorSet), makeAddr("second"));
    }

    function test_strategiesComeAndGo() public {
        IStrategy other = otherStrategy();
        vm.expectRevert(IAllocationManager.InvalidPermissions.selector);
        allocationManager.addStrategiesToOperatorSet(avs, operatorSet.id, strategies(other));
        vm.expectRevert(IAllocationManager.InvalidPermissions.selector);
        allocationManager.removeStrategiesFromOperatorSet(avs, operatorSet.id, strategies(strategy));
        vm.startPrank(avs);
        vm.expectRevert(IAllocationManager.InvalidOperatorSet.selector);
        allocationManager.addStrategiesToOperatorSet(avs, 99, strategies(other));
        vm.expectRevert(IAllocationManager.InvalidOperatorSet.selector);
        allocationManager.removeStrategiesFromOperatorSet(avs, 99, strategies(other));
        vm.expectRevert(IAllocationManager.StrategyNotInOperatorSet.selector);
        allocationManager.removeStrategiesFromOperatorSet(avs, operatorSet.id, strategies(other));
        vm.expectRevert(IAllocationManager.StrategyAlreadyInOperatorSet.selector);
        allocationManager.addStrategiesToOperatorSet(avs, operatorSet.id, strategies(strategy));
        vm.expectEmit(address(allocationManager));
        emit IAllocationManager.StrategyAddedToOperatorSet(operatorSet, other);
        allocationManager.addStrategiesToOperatorSet(avs, operatorSet.id, strategies(other));
        vm.expectEmit(address(allocationManager));
        emit IAllocationManager.StrategyRemovedFromOperatorSet(operatorSet, strategy);
        allocationManager.removeStrategiesFromOperatorSet(avs, operatorSet.id, strategies(strategy));
        vm.stopPrank();
        assertEq(address(allocationManager.getStrategiesInOperatorSet(operatorSet)[0]), address(other));
        // Taken back at once from a set that does not count this strategy.
        allocate(operator.account, 0);
        assertEq(allocationManager.getEncumberedMagnitude(operator.account, strategy), 0);
    }

    function test_redistributingSetTakesNoBeaconChainEther() public {
        IStrategy beacon = IStrategy(0xbeaC0eeEeeeeEEeEeEEEEeeEEeEeeeEeeEEBEaC0);
        vm.startPrank(avs);
        allocationManager.createRedistributingOperatorSets(avs, setParams(8, strategy), addresses(address(this)));
        vm.expectRevert(IAllocationManager.InvalidStrategy.selector);
        allocationManager.addStrategiesToOperatorSet(avs, 8, strategies(beacon));
        allocationManager.addStrategiesToOperatorSet(avs, operatorSet.id, strategies(beacon));
        vm.stopPrank();
    }

    // ------------------------------------------------------------------ steps

    function slash(uint256 wad) private returns (uint256 slashId, uint256[] memory shares) {
        SlashingParams memory params = slashParams(strategy, wad);
        vm.prank(slasher);
        return allocationManager.slashOperator(avs, params);
    }

    function slashParams(IStrategy slashed, uint256 wad) private view returns (SlashingParams memory) {
        uint256[] memory wads = new uint256[](1);
        wads[0] = wad;
        return SlashingParams(operator.account, operatorSet.id, strategies(slashed), wads, "why");
    }

    /// @notice Goes down to a magnitude and waits until it counts.
    function reallocate(uint64 magnitude) private {
        allocate(operator.account, magnitude);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
    }

    function queue(address account, uint256 depositShares) private returns (Withdrawal memory withdrawal) {
        QueuedWithdrawalParams[] memory params = new QueuedWithdrawalParams[](1);
        params[0] = QueuedWithdrawalParams(strategies(strategy), new uint256[](1), address(0));
        params[0].depositShares[0] = depositShares;
        vm.prank(account);
        delegationManager.queueWithdrawals(params);
        (Withdrawal[] memory queued,) = delegationManager.getQueuedWithdrawals(account);
        return queued[queued.length - 1];
    }

    function complete(Withdrawal memory withdrawal, bool receiveAsTokens) private {
        vm.prank(withdrawal.staker);
        delegationManager.completeQueuedWithdrawal(withdrawal, tokens(), receiveAsTokens);
    }

    function tokens() private view returns (IERC20[] memory list) {
        list = new IERC20[](1);
        list[0] = stakeToken;
    }

    function otherStrategy() private returns (IStrategy) {
        return strategyFactory.deployNewStrategy(new DevnetToken("Other", "OTH", 18));
    }

    function operatorShares() private view returns (uint256) {
        return delegationManager.getOperatorShares(operator.account, strategies(strategy))[0];
    }

    function withdrawable(address account) private view returns (uint256) {
        (uint256[] memory shares,) = delegationManager.getWithdrawableShares(account, strategies(strategy));
        return shares[0];
    }

    function minimumStake() private view returns (uint256) {
        return allocationManager.getMinimumSlashableStake(
            operatorSet, addresses(operator.account), strategies(strategy), uint32(block.number)
        )[0][0];
    }

    function allocatedStake(OperatorSet memory inSet) private view returns (uint256) {
        return allocationManager.getAllocatedStake(inSet, addresses(operator.account), strategies(strategy))[0][0];
    }

    function magnitudeAt(uint32 atBlock) private view returns (uint64) {
        return allocationManager.getMaxMagnitudesAtBlock(operator.account, strategies(strategy), atBlock)[0];
    }
}
