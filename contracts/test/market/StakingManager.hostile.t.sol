// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { stdError } from "forge-std/Test.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IComplianceRegistry } from "../../src/market/IComplianceRegistry.sol";
import { IStakingManager, SlashCause, SlashOrder } from "../../src/market/IStakingManager.sol";
import { BlocklistToken, CallbackToken, FalseToken, LyingToken, SilentToken } from "./HostileTokens.sol";
import { StakeFixture } from "./StakeFixture.sol";

/// @notice The token that is staked and bonded calls back while it moves, as an owner, delegator, auditor and administrator at once.
contract StakingManagerCallbackTest is StakeFixture {
    CallbackToken private token;

    function _stakingToken() internal override returns (address) {
        token = new CallbackToken();
        return address(token);
    }

    function setUp() public override {
        super.setUp();
        _stake(providerId, owner, 1000e6);
        _delegate(providerId, alice, 100e6);
        _undelegate(providerId, alice, 50e6);
        // The token has something of everything.
        token.mint(address(token), 1000e6);
        token.approveFor(address(staking), type(uint256).max);
        token.approveFor(address(compliance), type(uint256).max);
        authority.grantRole(0, address(token), 0);
        vm.startPrank(address(token));
        staking.delegate(providerId, 100e6);
        staking.requestUndelegate(providerId, 50e6);
        compliance.accredit(address(token), 1000);
        compliance.postBond(100e6);
        vm.stopPrank();
        staking.setTreasury(address(token));
        compliance.setTreasury(address(token));
        compliance.slashAuditor(address(token), 1e6, "evidence");
        _misconduct(providerId, 1000, "evidence");
        vm.warp(block.timestamp + UNBONDING);
    }

    function test_SixDecimalsCountWholeTokens() public view {
        assertEq(staking.ownStakeWhole(providerId), 900);
        assertEq(_p0(providerId).stakeWhole(), 900 + 90);
    }

    function test_NoCallGetsInWhileStakeArrives() public {
        bytes[] memory calls = _stakingCalls();
        _approve(bob, address(staking), 1000);
        vm.startPrank(bob);
        for (uint256 i; i < calls.length; ++i) {
            token.callBackWith(address(staking), calls[i]);
            staking.delegate(providerId, 10);
            _assertRefused();
            token.callBackWith(address(staking), calls[i]);
            staking.stake(providerId, 10);
            _assertRefused();
        }
    }

    function test_NoCallGetsInWhileStakeLeaves() public {
        bytes[] memory calls = _stakingCalls();
        for (uint256 i; i < calls.length; ++i) {
            uint256 state = vm.snapshotState();
            token.callBackWith(address(staking), calls[i]);
            assertEq(_withdraw(providerId, alice, 1), 45e6);
            _assertRefused();
            vm.revertToState(state);
            token.callBackWith(address(staking), calls[i]);
            vm.prank(address(token));
            staking.withdrawCompensation();
            _assertRefused();
            vm.revertToState(state);
        }
    }

    function test_NoCallGetsInWhileABondMoves() public {
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(compliance.postBond, (1));
        calls[1] = abi.encodeCall(compliance.withdrawBond, ());
        calls[2] = abi.encodeCall(compliance.withdrawTreasury, ());
        compliance.accredit(alice, 1);
        for (uint256 i; i < calls.length; ++i) {
            uint256 state = vm.snapshotState();
            _approve(alice, address(compliance), 10);
            token.callBackWith(address(compliance), calls[i]);
            vm.prank(alice);
            compliance.postBond(10);
            _assertRefused();
            vm.prank(alice);
            compliance.requestBondRelease();
            vm.warp(block.timestamp + BOND_SECONDS);
            token.callBackWith(address(compliance), calls[i]);
            vm.prank(alice);
            assertEq(compliance.withdrawBond(), 10);
            _assertRefused();
            token.callBackWith(address(compliance), calls[i]);
            assertEq(compliance.withdrawTreasury(), 1e6);
            _assertRefused();
            vm.revertToState(state);
        }
    }

    /// What is not guarded holds nothing that a payment in flight relies on.
    function test_AnAuditorMayAskForItsBondWhileItArrives() public {
        token.callBackWith(address(compliance), abi.encodeCall(compliance.requestBondRelease, ()));
        vm.prank(address(token));
        compliance.postBond(10e6);
        assertTrue(token.hasSucceeded());
        (, uint256 bond, uint40 releaseAt) = compliance.auditorOf(address(token));
        assertEq(bond, 109e6);
        assertEq(releaseAt, block.timestamp + BOND_SECONDS);
        assertEq(token.balanceOf(address(compliance)), compliance.liabilities());
    }

    function _stakingCalls() private view returns (bytes[] memory calls) {
        SlashOrder memory order =
            SlashOrder({ providerId: providerId, cause: SlashCause.Misconduct, amountBps: 1, orderId: 0, harm: 0, evidenceHash: "more" });
        calls = new bytes[](7);
        calls[0] = abi.encodeCall(staking.stake, (providerId, 1));
        calls[1] = abi.encodeCall(staking.delegate, (providerId, 1));
        calls[2] = abi.encodeCall(staking.requestUndelegate, (providerId, 1));
        calls[3] = abi.encodeCall(staking.withdrawUnbonded, (providerId, 1));
        calls[4] = abi.encodeCall(staking.withdrawCompensation, ());
        calls[5] = abi.encodeCall(staking.slash, (order));
        calls[6] = abi.encodeCall(staking.requestUnstake, (providerId, 1));
    }

    function _assertRefused() private view {
        assertFalse(token.hasSucceeded());
        assertEq(token.answer(), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        _assertSolvent();
    }
}

contract StakingManagerSilentTokenTest is StakeFixture {
    function _stakingToken() internal override returns (address) {
        return address(new SilentToken());
    }

    function test_ATokenWithoutReturnValueWorks() public {
        stakeToken.mint(alice, 10);
        vm.startPrank(alice);
        uint256 shares = staking.delegate(providerId, 10);
        uint32 unbondingId = staking.requestUndelegate(providerId, shares);
        vm.warp(block.timestamp + UNBONDING);
        staking.withdrawUnbonded(providerId, unbondingId);
        assertEq(stakeToken.balanceOf(alice), 10);
    }
}

contract StakingManagerFalseTokenTest is StakeFixture {
    FalseToken private token;

    function _stakingToken() internal override returns (address) {
        token = new FalseToken();
        return address(token);
    }

    function test_RevertIf_TheTokenSaysNo() public {
        bytes memory refused = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token));
        vm.startPrank(alice);
        vm.expectRevert(refused);
        staking.delegate(providerId, 10);
        token.mint(alice, 10);
        uint32 unbondingId = staking.requestUndelegate(providerId, staking.delegate(providerId, 10));
        vm.warp(block.timestamp + UNBONDING);
        token.setBroken(true);
        vm.expectRevert(refused);
        staking.withdrawUnbonded(providerId, unbondingId);
        token.setBroken(false);
        assertEq(staking.withdrawUnbonded(providerId, unbondingId), 10, "nothing was lost");
        assertEq(token.balanceOf(alice), 10);
    }
}

contract StakingManagerLyingTokenTest is StakeFixture {
    LyingToken private token;

    function _stakingToken() internal override returns (address) {
        token = new LyingToken();
        return address(token);
    }

    function test_RevertIf_NothingArrives() public {
        vm.expectRevert(IStakingManager.InvalidAmount.selector);
        staking.delegate(providerId, 10);
        vm.expectRevert(IStakingManager.InvalidAmount.selector);
        staking.stake(providerId, 10);
        compliance.accredit(address(this), 1);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.BondInvalid.selector, "amount"));
        compliance.postBond(10);
        // Less than before is no deposit either.
        token.mint(address(staking), 5);
        token.setTaken(1);
        vm.expectRevert(stdError.arithmeticError);
        staking.stake(providerId, 10);
    }
}

contract StakingManagerBlocklistTest is StakeFixture {
    BlocklistToken private token;

    function _stakingToken() internal override returns (address) {
        token = new BlocklistToken();
        return address(token);
    }

    /// S21: a harmed tenant or a treasury that can receive nothing holds up nobody else.
    function test_WhoIsBlockedHoldsUpNobody() public {
        _stake(providerId, owner, 100e6);
        _undelegate(providerId, alice, _delegate(providerId, alice, 10e6));
        _undelegate(providerId, bob, _delegate(providerId, bob, 10e6));
        token.setBlocked(alice, true);
        token.setBlocked(treasury, true);
        assertEq(_misconduct(providerId, 1000, "evidence"), 12e6);
        vm.warp(block.timestamp + UNBONDING);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(BlocklistToken.Blocked.selector, alice));
        staking.withdrawUnbonded(providerId, 1);
        vm.prank(treasury);
        vm.expectRevert(abi.encodeWithSelector(BlocklistToken.Blocked.selector, treasury));
        staking.withdrawCompensation();
        assertEq(_withdraw(providerId, bob, 1), 9e6);
        token.setBlocked(alice, false);
        assertEq(_withdraw(providerId, alice, 1), 9e6, "and it waits for who was blocked");
        _assertSolvent();
    }
}
