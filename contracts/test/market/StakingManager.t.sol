// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { UUPSUpgradeable } from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { IStakingManager, StakeTerms } from "../../src/market/IStakingManager.sol";
import { ProviderStatus } from "../../src/market/MarketTypes.sol";
import { StakingManager } from "../../src/market/StakingManager.sol";
import { StakeFixture } from "./StakeFixture.sol";

/// @notice Own stake, delegation, unbonding, commission and terms. Slashing has a test of its own.
contract StakingManagerTest is StakeFixture {
    bytes32 private constant EVIDENCE = keccak256("evidence");

    // ---- own stake

    function test_AnyoneStakesForAProvider() public {
        _approve(stranger, address(staking), 2 ether);
        vm.expectEmit(address(staking));
        emit IStakingManager.Staked(providerId, stranger, 1.5 ether);
        vm.prank(stranger);
        staking.stake(providerId, 1.5 ether);
        vm.snapshotGasLastCall("StakingManager", "stake");
        _assertStake(1.5 ether, 0, 0);
        assertEq(_p0(providerId).stakeWhole(), 1, "rounded down to whole tokens");
        assertEq(staking.ownStakeWhole(providerId), 1);
        vm.prank(stranger);
        staking.stake(providerId, 0.5 ether);
        assertEq(_p0(providerId).stakeWhole(), 2, "parts add up");
        assertEq(staking.stakingToken(), address(stakeToken));
        _assertSolvent();
    }

    function test_WhatArrivesIsCreditedNotWhatWasSent() public {
        stakeToken.setFeeBps(1000);
        _stake(providerId, stranger, 100 ether);
        assertEq(_delegate(providerId, alice, 100 ether), 90 ether);
        _assertStake(90 ether, 90 ether, 0);
        _assertSolvent();
    }

    /// Each part is rounded down by itself: half a token and half a token score nothing.
    function test_TheScoreCountsOwnAndDelegatedTheRequirementOwnAlone() public {
        _stake(providerId, stranger, 99.5 ether);
        _delegate(providerId, alice, 500.5 ether);
        assertEq(_p0(providerId).stakeWhole(), 99 + 500);
        assertEq(staking.ownStakeWhole(providerId), 99);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.InsufficientStake.selector, 99, MINIMUM_WHOLE));
        registry.activateProvider(providerId);
    }

    function test_StakeBeyond32BitsScoresAsTheGreatest() public {
        _stake(providerId, stranger, 4_000_000_000 ether);
        _delegate(providerId, alice, 4_000_000_000 ether);
        assertEq(_p0(providerId).stakeWhole(), type(uint32).max);
        _unstake(providerId, 3_999_999_000 ether);
        assertEq(_p0(providerId).stakeWhole(), 4_000_001_000);
    }

    function test_UnstakeDownToWhatIsRequired() public {
        _activate(providerId, 1000);
        _machine(providerId);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.InsufficientStake.selector, MACHINE_WHOLE - 1, MACHINE_WHOLE));
        staking.requestUnstake(providerId, (1000 - MACHINE_WHOLE) * 1 ether + 1);
        uint256 amount = (1000 - MACHINE_WHOLE) * 1 ether;
        uint40 releaseAt = uint40(block.timestamp) + UNBONDING;
        vm.expectEmit(address(staking));
        emit IStakingManager.UnbondingStarted(providerId, owner, 1, amount, 0, releaseAt, true);
        assertEq(staking.requestUnstake(providerId, amount), 1);
        vm.snapshotGasLastCall("StakingManager", "requestUnstake");
        vm.stopPrank();
        _assertStake(MACHINE_WHOLE * 1 ether, 0, amount);
        _assertUnbonding(owner, 1, amount, releaseAt, true);
        assertEq(_p0(providerId).stakeWhole(), MACHINE_WHOLE, "what is unbonding does not score");
        assertEq(uint8(_status(providerId)), uint8(ProviderStatus.Active));
    }

    /// A delegation never stands in for own stake.
    function test_DelegationDoesNotFreeOwnStake() public {
        _activate(providerId, MACHINE_WHOLE);
        _machine(providerId);
        _delegate(providerId, owner, 5000 ether);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.InsufficientStake.selector, MACHINE_WHOLE - 1, MACHINE_WHOLE));
        staking.requestUnstake(providerId, 1);
    }

    function test_WithoutMachinesAllStakeLeavesAndTheProviderIsRegisteredAgain() public {
        _activate(providerId, 1000);
        uint32 machineId = _machine(providerId);
        vm.prank(owner);
        registry.retireMachine(machineId);
        uint32 unbondingId = _unstake(providerId, 1000 ether);
        assertEq(uint8(_status(providerId)), uint8(ProviderStatus.Registered));
        assertEq(_p0(providerId).stakeWhole(), 0);
        vm.warp(block.timestamp + UNBONDING);
        assertEq(_withdraw(providerId, owner, unbondingId), 1000 ether);
        assertEq(stakeToken.balanceOf(owner), 1000 ether);
    }

    function test_ADeactivatedProviderTakesItsMachinesAndItsStake() public {
        _activate(providerId, 1000);
        uint32 machineId = _machine(providerId);
        registry.setProviderStatus(providerId, ProviderStatus.Deactivated);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.InsufficientStake.selector, 0, MACHINE_WHOLE));
        staking.requestUnstake(providerId, 1000 ether);
        vm.prank(owner);
        registry.retireMachine(machineId);
        _unstake(providerId, 1000 ether);
        _assertStake(0, 0, 1000 ether);
    }

    function test_ASuspendedProvidersStakeDoesNotStartToLeaveButItsDelegatorsDo() public {
        _activate(providerId, 1000);
        uint32 begun = _unstake(providerId, 100 ether);
        uint256 shares = _delegate(providerId, alice, 50 ether);
        registry.setProviderStatus(providerId, ProviderStatus.Suspended);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StatusNotAllowed.selector, ProviderStatus.Suspended));
        staking.requestUnstake(providerId, 1 ether);
        uint32 left = _undelegate(providerId, alice, shares);
        vm.warp(block.timestamp + UNBONDING);
        assertEq(_withdraw(providerId, alice, left), 50 ether);
        assertEq(_withdraw(providerId, owner, begun), 100 ether, "what began before may end");
    }

    function test_RevertIf_UnstakeIsNotTheOwners() public {
        _stake(providerId, stranger, 1 ether);
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.NotProviderOwner.selector, providerId, stranger));
        staking.requestUnstake(providerId, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.ProviderNotFound.selector, 9));
        staking.requestUnstake(9, 1);
    }

    function test_RevertIf_AmountIsWrong() public {
        uint256 shares = _delegate(providerId, alice, 5);
        vm.startPrank(stranger);
        vm.expectRevert(IStakingManager.InvalidAmount.selector);
        staking.stake(providerId, 0);
        vm.expectRevert(IStakingManager.InvalidAmount.selector);
        staking.delegate(providerId, 0);
        vm.startPrank(owner);
        vm.expectRevert(IStakingManager.InvalidAmount.selector);
        staking.requestUnstake(providerId, 0);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.InsufficientBalance.selector, 0, 1));
        staking.requestUnstake(providerId, 1);
        vm.startPrank(alice);
        vm.expectRevert(IStakingManager.InvalidAmount.selector);
        staking.requestUndelegate(providerId, 0);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.InsufficientBalance.selector, shares, shares + 1));
        staking.requestUndelegate(providerId, shares + 1);
    }

    function test_RevertIf_ProviderIsUnknown() public {
        bytes memory unknown = abi.encodeWithSelector(IStakingManager.ProviderNotFound.selector, 9);
        vm.startPrank(stranger);
        vm.expectRevert(unknown);
        staking.stake(9, 1 ether);
        vm.expectRevert(unknown);
        staking.delegate(9, 1 ether);
        vm.expectRevert(unknown);
        staking.setCommission(9, 1);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.InsufficientBalance.selector, 0, 1));
        staking.requestUndelegate(9, 1);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.UnbondingNotFound.selector, 9, stranger, 1));
        staking.withdrawUnbonded(9, 1);
    }

    // ---- delegation

    function test_DelegateAndLeave() public {
        _approve(alice, address(staking), 100 ether);
        vm.expectEmit(address(staking));
        emit IStakingManager.Delegated(providerId, alice, 100 ether, 100 ether);
        vm.prank(alice);
        assertEq(staking.delegate(providerId, 100 ether), 100 ether);
        vm.snapshotGasLastCall("StakingManager", "delegate");
        _assertDelegation(alice, 100 ether, 100 ether);
        assertEq(_p0(providerId).stakeWhole(), 100);

        uint40 releaseAt = uint40(block.timestamp) + UNBONDING;
        vm.expectEmit(address(staking));
        emit IStakingManager.UnbondingStarted(providerId, alice, 1, 40 ether, 40 ether, releaseAt, false);
        vm.prank(alice);
        assertEq(staking.requestUndelegate(providerId, 40 ether), 1);
        vm.snapshotGasLastCall("StakingManager", "requestUndelegate");
        _assertDelegation(alice, 60 ether, 60 ether);
        _assertUnbonding(alice, 1, 40 ether, releaseAt, false);
        _assertStake(0, 60 ether, 40 ether);
        assertEq(_p0(providerId).stakeWhole(), 60);

        vm.warp(releaseAt);
        vm.expectEmit(address(staking));
        emit IStakingManager.Unbonded(providerId, alice, 1, 40 ether);
        vm.prank(alice);
        assertEq(staking.withdrawUnbonded(providerId, 1), 40 ether);
        vm.snapshotGasLastCall("StakingManager", "withdrawUnbonded");
        assertEq(stakeToken.balanceOf(alice), 40 ether);
        _assertUnbonding(alice, 1, 0, 0, false);
        _assertStake(0, 60 ether, 0);
        _assertSolvent();
    }

    /// Tokens sent without a call belong to nobody, so there is no price of a share to lift.
    function test_ADonationDoesNotDiluteWhoComesNext() public {
        _delegate(providerId, alice, 1);
        stakeToken.mint(address(staking), 1_000_000 ether);
        _delegate(providerId, bob, 100 ether);
        _assertDelegation(bob, 100 ether, 100 ether);
        _assertDelegation(alice, 1, 1);
        assertEq(staking.liabilities(), 100 ether + 1);
    }

    function test_ADelegationAfterASlashCostsNobody() public {
        _delegate(providerId, alice, 100 ether);
        _misconduct(providerId, 5000, EVIDENCE);
        _assertDelegation(alice, 100 ether, 50 ether);
        assertEq(_delegate(providerId, bob, 10 ether), 20 ether, "cheaper shares, and more of them");
        _assertDelegation(bob, 20 ether, 10 ether);
        _assertDelegation(alice, 100 ether, 50 ether);
    }

    function test_AWipedOutPoolNeitherRobsNorBlocksWhoComesLater() public {
        _delegate(providerId, alice, 100 ether);
        _misconduct(providerId, 10_000, EVIDENCE);
        _assertDelegation(alice, 0, 0);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.InsufficientBalance.selector, 0, 100 ether));
        staking.requestUndelegate(providerId, 100 ether);
        assertEq(_delegate(providerId, bob, 7 ether), 7 ether);
        _assertDelegation(bob, 7 ether, 7 ether);
        _delegate(providerId, alice, 1 ether);
        _assertDelegation(alice, 1 ether, 1 ether);
        _undelegate(providerId, bob, 7 ether);
        _assertSolvent();
    }

    // ---- unbonding

    function test_RevertIf_UnbondingIsNotOverOrNotTheirs() public {
        uint32 unbondingId = _undelegate(providerId, alice, _delegate(providerId, alice, 1 ether));
        uint40 releaseAt = uint40(block.timestamp) + UNBONDING;
        vm.warp(releaseAt - 1);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.UnbondingNotOver.selector, unbondingId, releaseAt));
        staking.withdrawUnbonded(providerId, unbondingId);
        vm.warp(releaseAt);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.UnbondingNotFound.selector, providerId, bob, unbondingId));
        staking.withdrawUnbonded(providerId, unbondingId);
        _withdraw(providerId, alice, unbondingId);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.UnbondingNotFound.selector, providerId, alice, unbondingId));
        staking.withdrawUnbonded(providerId, unbondingId);
    }

    function test_EightOpenUnbondingsAnAccountAndProvider() public {
        uint24 other = _register(makeAddr("other"));
        _delegate(providerId, alice, 9);
        _delegate(providerId, bob, 1);
        _delegate(other, alice, 1);
        for (uint32 i = 1; i <= 8; ++i) {
            assertEq(_undelegate(providerId, alice, 1), i);
        }
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.TooManyUnbondings.selector, providerId, alice));
        staking.requestUndelegate(providerId, 1);
        assertEq(_undelegate(providerId, bob, 1), 1, "others have their own eight");
        assertEq(_undelegate(other, alice, 1), 1, "and so has another provider");
        vm.warp(block.timestamp + UNBONDING);
        _withdraw(providerId, alice, 3);
        assertEq(_undelegate(providerId, alice, 1), 9, "a number is never used again");
    }

    function test_UnbondingIsSlashedUntilItIsWithdrawn() public {
        _stake(providerId, stranger, 100 ether);
        uint32 own = _unstake(providerId, 100 ether);
        uint32 delegated = _undelegate(providerId, alice, _delegate(providerId, alice, 300 ether));
        vm.warp(block.timestamp + UNBONDING);
        _misconduct(providerId, 2500, EVIDENCE);
        _assertStake(0, 0, 300 ether);
        assertEq(_withdraw(providerId, owner, own), 75 ether);
        assertEq(_withdraw(providerId, alice, delegated), 225 ether);
        _assertSolvent();
    }

    /// The slash was not theirs: who starts to leave after it leaves with all of what was left.
    function test_UnbondingThatStartsAfterASlashIsWhole() public {
        _undelegate(providerId, alice, _delegate(providerId, alice, 100 ether));
        _misconduct(providerId, 9000, EVIDENCE);
        uint32 unbondingId = _undelegate(providerId, bob, _delegate(providerId, bob, 33 ether));
        vm.warp(block.timestamp + UNBONDING);
        assertEq(_withdraw(providerId, alice, 1), 10 ether);
        assertEq(_withdraw(providerId, bob, unbondingId), 33 ether);
    }

    function test_AnUnbondingSlashedToNothingIsClearedAtOnce() public {
        for (uint256 i; i < 8; ++i) {
            _undelegate(providerId, alice, _delegate(providerId, alice, 1 ether));
        }
        _misconduct(providerId, 10_000, EVIDENCE);
        _assertUnbonding(alice, 8, 0, uint40(block.timestamp) + UNBONDING, false);
        _delegate(providerId, alice, 2 ether);
        vm.expectEmit(address(staking));
        emit IStakingManager.Unbonded(providerId, alice, 8, 0);
        assertEq(_withdraw(providerId, alice, 8), 0);
        uint32 unbondingId = _undelegate(providerId, alice, 2 ether);
        vm.warp(block.timestamp + UNBONDING);
        assertEq(_withdraw(providerId, alice, 1), 0, "the dead take nothing from the living");
        assertEq(_withdraw(providerId, alice, unbondingId), 2 ether);
        _assertSolvent();
    }

    /// What others' roundings left in the pool never pays more than was asked for; it is the treasury's.
    function test_NeverMoreThanWasAskedFor() public {
        _undelegate(providerId, bob, _delegate(providerId, bob, 200));
        _misconduct(providerId, 6550, EVIDENCE);
        // 69 for 200 shares: 99 more are 286 shares, and a single unit is 2 where 2.9 were exact.
        uint32 unbondingId = _undelegate(providerId, alice, _delegate(providerId, alice, 99));
        for (uint256 i; i < 20; ++i) {
            address one = makeAddr(vm.toString(i));
            _undelegate(providerId, one, _delegate(providerId, one, 1));
        }
        _assertUnbonding(alice, unbondingId, 99, uint40(block.timestamp) + UNBONDING, false);
        uint256 treasuryHas = staking.compensationOf(treasury);
        vm.warp(block.timestamp + UNBONDING);
        assertEq(_withdraw(providerId, alice, unbondingId), 99);
        assertGt(staking.compensationOf(treasury), treasuryHas, "the shares had come to be worth more");
        _assertSolvent();
    }

    function test_NewTermsDoNotMoveARunningUnbonding() public {
        uint32 unbondingId = _undelegate(providerId, alice, _delegate(providerId, alice, 1 ether));
        StakeTerms memory terms = _stakeTerms();
        terms.unbondingSeconds = 100 days;
        staking.setStakeTerms(terms);
        vm.warp(block.timestamp + UNBONDING);
        assertEq(_withdraw(providerId, alice, unbondingId), 1 ether);
    }

    // ---- pause

    function test_PauseStopsWhatComesInAndNothingThatLeaves() public {
        _activate(providerId, 1000);
        uint256 shares = _delegate(providerId, alice, 10 ether);
        uint32 delegated = _undelegate(providerId, alice, shares / 2);
        uint32 own = _unstake(providerId, 100 ether);
        _misconduct(providerId, 100, EVIDENCE);
        registry.setProviderStatus(providerId, ProviderStatus.Active);
        vm.warp(block.timestamp + UNBONDING);
        marketPause.pause(1 days);
        bytes memory paused = abi.encodeWithSelector(IMarketPause.MarketPaused.selector, block.timestamp + 1 days);

        vm.prank(alice);
        vm.expectRevert(paused);
        staking.stake(providerId, 1 ether);
        vm.prank(alice);
        vm.expectRevert(paused);
        staking.delegate(providerId, 1 ether);
        _undelegate(providerId, alice, shares / 2);
        _unstake(providerId, 1 ether);
        assertGt(_withdraw(providerId, alice, delegated), 0);
        assertGt(_withdraw(providerId, owner, own), 0);
        vm.prank(owner);
        staking.setCommission(providerId, 1);
        vm.prank(treasury);
        assertGt(staking.withdrawCompensation(), 0);
    }

    // ---- commission

    function test_ARaisedCommissionWaitsUntilDelegatorsCouldLeave() public {
        uint40 start = uint40(block.timestamp);
        vm.expectEmit(address(staking));
        emit IStakingManager.CommissionUpdated(providerId, 1000, start + UNBONDING);
        vm.prank(owner);
        staking.setCommission(providerId, 1000);
        vm.snapshotGasLastCall("StakingManager", "setCommission");
        assertEq(staking.commissionBps(providerId, start + UNBONDING - 1), 0);
        assertEq(staking.commissionBps(providerId, start + UNBONDING), 1000);

        vm.warp(start + UNBONDING + 5);
        vm.expectEmit(address(staking));
        emit IStakingManager.CommissionUpdated(providerId, 400, start + UNBONDING + 5);
        vm.prank(owner);
        staking.setCommission(providerId, 400);
        assertEq(staking.commissionBps(providerId, uint40(block.timestamp)), 400, "a lower one holds at once");
    }

    function test_ANewCommissionReplacesTheOneThatWaits() public {
        vm.startPrank(owner);
        staking.setCommission(providerId, 5000);
        vm.warp(block.timestamp + UNBONDING - 1);
        staking.setCommission(providerId, 300);
        uint40 now_ = uint40(block.timestamp);
        assertEq(staking.commissionBps(providerId, now_ + 1), 0, "what waited does not come");
        assertEq(staking.commissionBps(providerId, now_ + UNBONDING), 300, "and the new one waits its whole time");
        staking.setCommission(providerId, 0);
        assertEq(staking.commissionBps(providerId, type(uint40).max), 0);
    }

    /// No raise, however it is split, reaches a delegator earlier than one unbonding after it was announced.
    function testFuzz_NoCommissionWithoutNotice(uint16[6] memory values, uint32[6] memory waits) public {
        for (uint256 i; i < 6; ++i) {
            uint40 now_ = uint40(block.timestamp);
            uint16 present = staking.commissionBps(providerId, now_);
            uint16 value = uint16(bound(values[i], 0, 5000));
            vm.prank(owner);
            staking.setCommission(providerId, value);
            uint16 after_ = staking.commissionBps(providerId, now_ + UNBONDING - 1);
            assertLe(after_, present);
            assertEq(staking.commissionBps(providerId, now_ + UNBONDING), value);
            vm.warp(now_ + bound(waits[i], 0, 2 * UNBONDING));
        }
    }

    function test_RevertIf_CommissionIsTooHighOrNotTheOwners() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.CommissionTooHigh.selector, 5001, 5000));
        staking.setCommission(providerId, 5001);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.NotProviderOwner.selector, providerId, stranger));
        staking.setCommission(providerId, 1);
    }

    // ---- terms

    function test_RequirementRoundsUpAndHasAMinimum() public {
        assertEq(staking.requirementOf(0, 1), 10);
        assertEq(staking.requirementOf(0, 10_001), 11);
        assertEq(staking.requirementOf(2, 10_001), 211);
        StakeTerms memory terms = _stakeTerms();
        (terms.wholePerDevice, terms.wholePerCore, terms.wholeMinimumPerMachine) = (5, 7, 3);
        vm.expectEmit(address(staking));
        emit IStakingManager.StakeTermsUpdated(terms);
        staking.setStakeTerms(terms);
        vm.snapshotGasLastCall("StakingManager", "setStakeTerms");
        assertEq(staking.requirementOf(1, 1500), 5 + 11);
        assertEq(abi.encode(staking.stakeTerms()), abi.encode(terms));
    }

    function test_TheGreatestRequirementFits() public {
        StakeTerms memory terms = _stakeTerms();
        (terms.wholePerDevice, terms.wholePerCore) = ((1 << 29) - 1, (1 << 29) - 1);
        staking.setStakeTerms(terms);
        uint256 exact = 8 * ((1 << 29) - 1) + (uint256((1 << 20) - 1) * ((1 << 29) - 1) + 999) / 1000;
        assertEq(staking.requirementOf(8, (1 << 20) - 1), exact);
    }

    function test_RevertIf_TermsAreOutOfBounds() public {
        StakeTerms memory terms = _stakeTerms();
        terms.wholePerDevice = 1 << 29;
        _assertInvalid(terms, "wholePerDevice");
        terms = _stakeTerms();
        terms.wholePerCore = 1 << 29;
        _assertInvalid(terms, "wholePerCore");
        terms = _stakeTerms();
        terms.unbondingSeconds = 0;
        _assertInvalid(terms, "unbondingSeconds");
        terms.unbondingSeconds = 365 days + 1;
        _assertInvalid(terms, "unbondingSeconds");
        terms = _stakeTerms();
        terms.maxCommissionBps = 10_001;
        _assertInvalid(terms, "maxCommissionBps");
        terms = _stakeTerms();
        terms.maxMisconductBps = 0;
        _assertInvalid(terms, "maxMisconductBps");
        terms.maxMisconductBps = 10_001;
        _assertInvalid(terms, "maxMisconductBps");
        terms = _stakeTerms();
        terms.maxDowntimeBps = 10_001;
        _assertInvalid(terms, "maxDowntimeBps");
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.StakeTermsInvalid.selector, "treasury"));
        staking.setTreasury(address(0));
    }

    function test_ANewTreasuryGetsWhatIsSlashedFromThenOn() public {
        _stake(providerId, stranger, 10 ether);
        _misconduct(providerId, 5000, EVIDENCE);
        vm.expectEmit(address(staking));
        emit IStakingManager.TreasuryUpdated(bob);
        staking.setTreasury(bob);
        vm.snapshotGasLastCall("StakingManager", "setTreasury");
        _misconduct(providerId, 10_000, keccak256("more"));
        assertEq(staking.compensationOf(treasury), 5 ether);
        assertEq(staking.compensationOf(bob), 5 ether);
    }

    // ---- module

    function test_RevertIf_CallerHasNoRole() public {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        StakeTerms memory terms = _stakeTerms();
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        staking.setStakeTerms(terms);
        vm.expectRevert(unauthorized);
        staking.setTreasury(stranger);
        vm.expectRevert(unauthorized);
        _misconduct(providerId, 1, EVIDENCE);
        vm.expectRevert(unauthorized);
        staking.upgradeToAndCall(address(1), "");
    }

    function test_IsInitializedOnceAndTheImplementationNever() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        staking.initialize(address(authority), _stakeTerms(), treasury);
        StakingManager implementation = new StakingManager(market, address(stakeToken));
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(address(authority), _stakeTerms(), treasury);
    }

    function test_AnUpgradeKeepsEveryValue() public {
        _activate(providerId, 1000);
        _delegate(providerId, alice, 100 ether);
        uint32 unbondingId = _undelegate(providerId, alice, 40 ether);
        _misconduct(providerId, 5000, EVIDENCE);
        vm.prank(owner);
        staking.setCommission(providerId, 500);
        address implementation = address(new StakingManager(market, address(stakeToken)));
        staking.upgradeToAndCall(implementation, "");
        vm.snapshotGasLastCall("StakingManager", "upgradeToAndCall");
        _assertStake(500 ether, 30 ether, 20 ether);
        _assertDelegation(alice, 60 ether, 30 ether);
        _assertUnbonding(alice, unbondingId, 20 ether, uint40(block.timestamp) + UNBONDING, false);
        assertEq(staking.compensationOf(treasury), 550 ether);
        assertEq(staking.commissionBps(providerId, type(uint40).max), 500);
        assertEq(abi.encode(staking.stakeTerms()), abi.encode(_stakeTerms()));
        _assertSolvent();
    }

    /// The first member of the state is where the formula of ERC-7201 says.
    function test_StateIsInItsNamespace() public view {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.StakingManager");
        StakeTerms memory terms = _stakeTerms();
        uint256 word = uint256(vm.load(address(staking), slot));
        assertEq(uint32(word), terms.wholePerDevice);
        assertEq(uint32(word >> 96), terms.wholeMinimumPerProvider);
        assertEq(address(uint160(uint256(vm.load(address(staking), bytes32(uint256(slot) + 1))))), treasury);
    }

    // ---- inside

    function _assertInvalid(StakeTerms memory terms, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.StakeTermsInvalid.selector, field));
        staking.setStakeTerms(terms);
    }

    function _assertStake(uint256 own, uint256 delegated, uint256 unbonding) private view {
        (uint256 own_, uint256 delegated_, uint256 unbonding_) = staking.stakeOf(providerId);
        assertEq(own_, own, "own");
        assertEq(delegated_, delegated, "delegated");
        assertEq(unbonding_, unbonding, "unbonding");
    }

    function _assertDelegation(address account, uint256 shares, uint256 amount) private view {
        (uint256 shares_, uint256 amount_) = staking.delegationOf(providerId, account);
        assertEq(shares_, shares, "shares");
        assertEq(amount_, amount, "worth");
    }

    function _assertUnbonding(address account, uint32 unbondingId, uint256 amount, uint40 releaseAt, bool own) private view {
        (uint256 amount_, uint40 releaseAt_, bool own_) = staking.unbondingOf(providerId, account, unbondingId);
        assertEq(amount_, amount, "amount");
        assertEq(releaseAt_, releaseAt, "releaseAt");
        assertEq(own_, own, "own");
    }
}
