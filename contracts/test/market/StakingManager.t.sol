// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { IStakingManager } from "../../src/market/IStakingManager.sol";
import { StakingManager } from "../../src/market/StakingManager.sol";
import { RegistryFixture } from "./RegistryFixture.sol";
import { TestToken } from "./TestToken.sol";

/// @notice Calls back into whoever pays it out.
contract ReentrantToken is TestToken {
    address private _target;
    bytes private _call;

    constructor() TestToken("RE", 18) { }

    function onTransferFrom(address target, bytes calldata call) external {
        (_target, _call) = (target, call);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (_call.length != 0) {
            (bool ok, bytes memory data) = _target.call(_call);
            if (!ok) {
                assembly ("memory-safe") {
                    revert(add(data, 32), mload(data))
                }
            }
        }
        return super.transferFrom(from, to, amount);
    }
}

contract StakingManagerTest is RegistryFixture {
    uint24 private providerId;

    function setUp() public override {
        super.setUp();
        providerId = _provider(owner, 0);
        stakeToken.mint(stranger, 1e30);
        vm.prank(stranger);
        stakeToken.approve(address(stakingManager), type(uint256).max);
    }

    function test_AnyoneStakesForAProvider() public {
        vm.expectEmit(address(stakingManager));
        emit IStakingManager.Staked(providerId, stranger, 1.5 ether);
        vm.prank(stranger);
        stakingManager.stake(providerId, 1.5 ether);
        assertEq(stakingManager.stakeOf(providerId), 1.5 ether);
        assertEq(_p0(providerId).stakeWhole(), 1, "rounded down to whole tokens");
        vm.prank(stranger);
        stakingManager.stake(providerId, 0.5 ether);
        assertEq(_p0(providerId).stakeWhole(), 2, "parts add up");
        assertEq(stakingManager.stakingToken(), address(stakeToken));
    }

    function test_WhatArrivesIsCreditedNotWhatWasSent() public {
        stakeToken.setFeeBps(1000);
        vm.prank(stranger);
        stakingManager.stake(providerId, 100 ether);
        assertEq(stakingManager.stakeOf(providerId), 90 ether);
        assertEq(_p0(providerId).stakeWhole(), 90);
    }

    function test_StakeBeyond32BitsCountsAsTheGreatest() public {
        vm.prank(stranger);
        stakingManager.stake(providerId, 5_000_000_000 ether);
        assertEq(_p0(providerId).stakeWhole(), type(uint32).max);
        vm.prank(owner);
        stakingManager.unstake(providerId, 4_999_999_999 ether);
        assertEq(_p0(providerId).stakeWhole(), 1);
    }

    function test_UnstakeDownToWhatTheMachinesNeed() public {
        vm.prank(stranger);
        stakingManager.stake(providerId, 1000 ether);
        vm.startPrank(owner);
        registry.registerMachine(providerId, _spec(8));
        uint256 required = 8 * WHOLE_PER_DEVICE + 64;
        assertEq(registry.requiredStakeWhole(providerId), required);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.InsufficientStake.selector, required - 1, required));
        stakingManager.unstake(providerId, (1000 - required) * 1 ether + 1);
        vm.expectEmit(address(stakingManager));
        emit IStakingManager.Unstaked(providerId, owner, (1000 - required) * 1 ether);
        stakingManager.unstake(providerId, (1000 - required) * 1 ether);
        vm.stopPrank();
        assertEq(stakeToken.balanceOf(owner), (1000 - required) * 1 ether);
        assertEq(_p0(providerId).stakeWhole(), required);
    }

    function test_RetiredMachineFreesAllStake() public {
        vm.prank(stranger);
        stakingManager.stake(providerId, 1000 ether);
        vm.startPrank(owner);
        uint32 machineId = registry.registerMachine(providerId, _spec(8));
        registry.retireMachine(machineId);
        stakingManager.unstake(providerId, 1000 ether);
        assertEq(stakeToken.balanceOf(owner), 1000 ether);
    }

    function test_RevertIf_UnstakeIsNotTheOwners() public {
        vm.prank(stranger);
        stakingManager.stake(providerId, 1 ether);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.NotProviderOwner.selector, providerId, stranger));
        stakingManager.unstake(providerId, 1 ether);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.NotProviderOwner.selector, 9, stranger));
        stakingManager.unstake(9, 1);
    }

    function test_RevertIf_AmountIsWrong() public {
        vm.prank(stranger);
        vm.expectRevert(IStakingManager.InvalidAmount.selector);
        stakingManager.stake(providerId, 0);
        vm.startPrank(owner);
        vm.expectRevert(IStakingManager.InvalidAmount.selector);
        stakingManager.unstake(providerId, 0);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.InsufficientBalance.selector, 0, 1));
        stakingManager.unstake(providerId, 1);
    }

    function test_RevertIf_ProviderIsUnknown() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.ProviderNotFound.selector, 9));
        stakingManager.stake(9, 1 ether);
    }

    function test_RevertIf_TokenReenters() public {
        ReentrantToken reentrant = new ReentrantToken();
        StakingManager manager = new StakingManager(address(authority), address(reentrant), address(registry), 1, 1, 1);
        reentrant.onTransferFrom(address(manager), abi.encodeCall(manager.stake, (providerId, 1)));
        reentrant.mint(address(this), 1 ether);
        reentrant.approve(address(manager), 1 ether);
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        manager.stake(providerId, 1 ether);
    }

    function test_RequirementRoundsUpAndHasAMinimum() public {
        assertEq(stakingManager.requirementOf(0, 1), WHOLE_MINIMUM);
        assertEq(stakingManager.requirementOf(0, 10_001), 11);
        assertEq(stakingManager.requirementOf(2, 10_001), 2 * WHOLE_PER_DEVICE + 11);
        vm.expectEmit(address(stakingManager));
        emit IStakingManager.StakeRequirementUpdated(5, 7, 3);
        stakingManager.setStakeRequirement(5, 7, 3);
        assertEq(stakingManager.requirementOf(1, 1500), 5 + 11);
    }

    function test_TheGreatestRequirementFits() public {
        stakingManager.setStakeRequirement((1 << 29) - 1, (1 << 29) - 1, type(uint32).max);
        uint256 exact = 8 * ((1 << 29) - 1) + (uint256((1 << 20) - 1) * ((1 << 29) - 1) + 999) / 1000;
        assertEq(stakingManager.requirementOf(8, (1 << 20) - 1), exact);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.RequirementOutOfBounds.selector, "wholePerDevice"));
        stakingManager.setStakeRequirement(1 << 29, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.RequirementOutOfBounds.selector, "wholePerCore"));
        stakingManager.setStakeRequirement(0, 1 << 29, 0);
    }

    function test_RevertIf_RequirementIsNotGovernances() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        stakingManager.setStakeRequirement(1, 1, 1);
    }

    /// What the contract holds is what it owes, and the word says the whole tokens of it.
    function testFuzz_HoldsWhatItOwes(uint96[4] memory staked, uint96[4] memory unstaked) public {
        uint24 other = _provider(makeAddr("other"), 0);
        for (uint256 i; i < 4; ++i) {
            uint24 id = i % 2 == 0 ? providerId : other;
            if (staked[i] != 0) {
                vm.prank(stranger);
                stakingManager.stake(id, staked[i]);
            }
            uint256 amount = bound(unstaked[i], 0, stakingManager.stakeOf(providerId));
            if (amount != 0) {
                vm.prank(owner);
                stakingManager.unstake(providerId, amount);
            }
            assertEq(_p0(providerId).stakeWhole(), _min(stakingManager.stakeOf(providerId) / 1 ether, type(uint32).max));
        }
        assertEq(stakeToken.balanceOf(address(stakingManager)), stakingManager.stakeOf(providerId) + stakingManager.stakeOf(other));
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
