// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";

import { Fault, SnapshotProof } from "../../src/judge/Evidence.sol";
import { ISlashVault } from "../../src/judge/ISlashVault.sol";
import { SlashVault, VaultTerms } from "../../src/judge/SlashVault.sol";
import { SlashingFixture } from "./SlashingFixture.sol";

contract SlashVaultTest is SlashingFixture {
    /// 30 an hour for 90 minutes at 2 staked tokens each.
    uint256 private constant LOSS = 90e18;

    // ---- in

    function test_slash_isCollectedInTheSameCall_andBookedToItsOffence() public {
        bytes32 offenceId = _prove(Fault.WrongRecord, _wrongBatch(6, 1, 0xf));
        vm.expectEmit();
        emit ISlashVault.SlashCollected(offenceId, 1, 50e18);
        matchmakerSlasher.slash(offenceId, _keys(0xf), 1);
        assertEq(vault.potOf(offenceId).collected, 50e18);
        assertEq(vault.booked(), 50e18);
        (bytes32 noted, uint256 shares) = vault.slashOf(1);
        assertEq(noted, offenceId);
        assertEq(shares, 0);
        vm.expectRevert(ISlashVault.NothingToPay.selector);
        vault.collect(1);
        vm.expectRevert(abi.encodeWithSelector(ISlashVault.SlashUnknown.selector, 2));
        vault.collect(2);
    }

    /// Whoever has EigenLayer pay a slash out leaves the vault with money that no call of its own brought.
    function test_whatOthersHadPaidOut_isCreditedAtItsShares_andNoMoreThanIsThere() public {
        bytes32 first = _prove(Fault.WrongRecord, _wrongBatch(6, 1, 7));
        bytes32 second = _prove(Fault.Equivocation, _equivocation(6, 2));
        _withoutCollecting();
        matchmakerSlasher.slash(first, _keys(7), 1);
        matchmakerSlasher.slash(second, _keys(2), 1);
        vm.clearMockedCalls();
        strategyManager.clearBurnOrRedistributableShares(operatorSet, 1);
        strategyManager.clearBurnOrRedistributableShares(operatorSet, 2);
        assertEq(vault.booked(), 0);
        assertEq(stakeToken.balanceOf(address(vault)), 55e18);
        assertEq(vault.collect(2), 5e18);
        assertEq(vault.collect(1), 50e18);
        assertEq(vault.potOf(first).collected, 50e18);
        assertEq(vault.potOf(second).collected, 5e18);
        assertEq(vault.booked(), 55e18);
        vm.expectRevert(ISlashVault.NothingToPay.selector);
        vault.collect(1);
    }

    function test_aSlashIsCreditedNoMoreThanIsUnbooked() public {
        bytes32 offenceId = _prove(Fault.WrongRecord, _wrongBatch(6, 1, 7));
        _withoutCollecting();
        matchmakerSlasher.slash(offenceId, _keys(7), 1);
        vm.clearMockedCalls();
        strategyManager.clearBurnOrRedistributableShares(operatorSet, 1);
        // The strategy gained since: the shares are worth more than what came.
        require(stakeToken.transfer(address(strategy), 1_000e18));
        assertGt(strategy.sharesToUnderlyingView(50e18), 50e18);
        assertEq(vault.collect(1), 50e18);
    }

    function test_noteSlash_isTheSlashersAlone() public {
        vm.expectRevert(ISlashVault.OnlySlasher.selector);
        vault.noteSlash("offence", 1, 1);
    }

    // ---- out

    function test_theChallenger_getsATenthOfWhatCameInSoFar() public {
        bytes32 offenceId = _slashed(1);
        vm.expectEmit();
        emit ISlashVault.ChallengerPaid(offenceId, challenger, 5e18);
        vault.payChallenger(offenceId);
        assertEq(stakeToken.balanceOf(challenger), 5e18);
        vm.expectRevert(ISlashVault.NothingToPay.selector);
        vault.payChallenger(offenceId);
        matchmakerSlasher.slash(offenceId, _keys(0xf), 2);
        assertEq(vault.payChallenger(offenceId), 5e18);
        assertEq(vault.booked(), 90e18);
        vm.expectRevert(abi.encodeWithSelector(ISlashVault.OffenceUnknown.selector, bytes32("none")));
        vault.payChallenger("none");
    }

    /// 7 units: a tenth is 0.7, rounded down to nothing; the treasury gets all 7.
    function test_theChallengersShare_roundsDown() public {
        bytes32 offenceId = _prove(Fault.WrongRecord, _wrongBatch(6, 1, 7));
        vm.prank(address(matchmakerSlasher));
        vault.noteSlash(offenceId, 77, 7);
        require(stakeToken.transfer(address(vault), 7));
        assertEq(vault.collect(77), 7);
        vm.expectRevert(ISlashVault.NothingToPay.selector);
        vault.payChallenger(offenceId);
        vm.warp(block.timestamp + CLAIM_PERIOD + 1);
        assertEq(vault.payTreasury(offenceId), 7);
    }

    function test_theTenant_isMadeWhole_thenTheTreasuryGetsTheRest() public {
        bytes32 offenceId = _slashed(7);
        (SnapshotProof memory snapshot, bytes[] memory ownerWord) = (_snapshot(), _ownerWord());
        vm.expectEmit();
        emit ISlashVault.VictimProven(offenceId, tenant, LOSS);
        vault.proveVictim(offenceId, snapshot, ownerWord);
        vm.expectRevert(abi.encodeWithSelector(ISlashVault.VictimKnown.selector, offenceId));
        vault.proveVictim(offenceId, snapshot, ownerWord);
        uint256 until = block.timestamp + CLAIM_PERIOD;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(ISlashVault.ClaimPeriodOpen.selector, until));
        vault.payTreasury(offenceId);
        vm.warp(until + 1);
        // 150 came in: 15 for the challenger, 90 wait for the tenant.
        vm.expectEmit();
        emit ISlashVault.TreasuryPaid(offenceId, 45e18);
        vault.payTreasury(offenceId);
        vm.expectEmit();
        emit ISlashVault.VictimPaid(offenceId, tenant, LOSS);
        vault.payVictim(offenceId);
        assertEq(stakeToken.balanceOf(tenant), LOSS);
        assertEq(stakeToken.balanceOf(treasury), 45e18);
        assertEq(vault.payChallenger(offenceId), 15e18);
        assertEq(vault.booked(), 0);
        assertEq(stakeToken.balanceOf(address(vault)), 0);
        vm.expectRevert(ISlashVault.NothingToPay.selector);
        vault.payVictim(offenceId);
        vm.expectRevert(ISlashVault.NothingToPay.selector);
        vault.payTreasury(offenceId);
    }

    /// One loss, though two proofs of the same batch and order brought money for it.
    function test_theTenant_isMadeWholeOnce_fromAllOffencesOfTheBatch() public {
        bytes32 first = _slashed(7);
        bytes32 second = _prove(Fault.WrongRecord, _wrongBatch(6, 1, 0xf));
        matchmakerSlasher.slash(second, _keys(8), 1);
        vault.proveVictim(second, _snapshot(), _ownerWord());
        assertEq(vault.payVictim(second), 45e18);
        assertEq(vault.payVictim(first), 45e18);
        assertEq(vault.claimOf(first).paid, LOSS);
        vm.expectRevert(ISlashVault.NothingToPay.selector);
        vault.payVictim(first);
        assertEq(stakeToken.balanceOf(tenant), LOSS);
    }

    /// A tenant with a loss of 90 gets a quarter of the 20 that came in, and a quorum that is its own victim no more than that back.
    function test_theTenant_getsNoMoreThanItsPartOfWhatCameIn() public {
        bytes32 offenceId = _prove(Fault.WrongRecord, _wrongBatch(6, 1, 7));
        VaultTerms memory terms = _vaultTerms(CHALLENGER_BPS, treasury);
        terms.victimBps = 2500;
        SlashVault capped = new SlashVault(terms);
        uint256 rate = vault.compensationRate(USD);
        vm.prank(owner);
        capped.setCompensationRate(USD, rate);
        vm.prank(address(matchmakerSlasher));
        capped.noteSlash(offenceId, 77, 20e18);
        require(stakeToken.transfer(address(capped), 20e18));
        assertEq(capped.collect(77), 20e18);
        capped.proveVictim(offenceId, _snapshot(), _ownerWord());
        assertEq(capped.payVictim(offenceId), 5e18);
        vm.expectRevert(ISlashVault.NothingToPay.selector);
        capped.payVictim(offenceId);
        vm.warp(block.timestamp + CLAIM_PERIOD + 1);
        assertEq(capped.payTreasury(offenceId), 13e18);
        assertEq(capped.payChallenger(offenceId), 2e18);
    }

    /// 45,000,000 micro at stake and a rate of 1 for a million: 45 units exactly; at 1,000,000 and 89 minutes it rounds down.
    function test_theLoss_roundsDown() public {
        bytes32 offenceId = _slashed(1);
        vm.prank(owner);
        // 2,700,000,000 micro-minutes times 1 / 60,000,000.
        vault.setCompensationRate(USD, 1);
        vault.proveVictim(offenceId, _snapshot(), _ownerWord());
        assertEq(vault.claimOf(offenceId).loss, 45);
    }

    function test_aLossOfNothing_isNoClaim_andCanBeProvenOnceThereIsARate() public {
        bytes32 offenceId = _slashed(1);
        (SnapshotProof memory snapshot, bytes[] memory ownerWord) = (_snapshot(), _ownerWord());
        vm.prank(owner);
        vault.setCompensationRate(USD, 0);
        vm.expectRevert(abi.encodeWithSelector(ISlashVault.NoVictim.selector, offenceId));
        vault.proveVictim(offenceId, snapshot, ownerWord);
        vm.prank(owner);
        vault.setCompensationRate(USD, type(uint256).max);
        vault.proveVictim(offenceId, snapshot, ownerWord);
        assertEq(vault.payVictim(offenceId), 45e18);
    }

    function test_anEquivocation_hasNoVictim() public {
        bytes32 offenceId = _prove(Fault.Equivocation, _equivocation(6, 1));
        (SnapshotProof memory snapshot, bytes[] memory ownerWord) = (_snapshot(), _ownerWord());
        vm.expectRevert(abi.encodeWithSelector(ISlashVault.NoVictim.selector, offenceId));
        vault.proveVictim(offenceId, snapshot, ownerWord);
        vm.expectRevert(abi.encodeWithSelector(ISlashVault.NoVictim.selector, offenceId));
        vault.payVictim(offenceId);
    }

    function test_aVictim_isProvenWithinTheClaimPeriod() public {
        bytes32 offenceId = _slashed(1);
        (SnapshotProof memory snapshot, bytes[] memory ownerWord) = (_snapshot(), _ownerWord());
        uint256 until = block.timestamp + CLAIM_PERIOD;
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(ISlashVault.ClaimPeriodOver.selector, until));
        vault.proveVictim(offenceId, snapshot, ownerWord);
        vm.warp(until);
        vault.proveVictim(offenceId, snapshot, ownerWord);
    }

    // ---- the owner

    function test_theOwner_setsRatesAndTheTreasury_andNobodyElseDoes() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        vault.setCompensationRate(USD, 1);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        vault.setTreasury(address(this));
        vm.startPrank(owner);
        vm.expectEmit();
        emit ISlashVault.CompensationRateSet(2, 3);
        vault.setCompensationRate(2, 3);
        assertEq(vault.compensationRate(2), 3);
        vm.expectEmit();
        emit ISlashVault.TreasurySet(tenant);
        vault.setTreasury(tenant);
        assertEq(vault.treasury(), tenant);
        vm.expectRevert(ISlashVault.TreasuryZero.selector);
        vault.setTreasury(address(0));
        vault.transferOwnership(tenant);
        assertEq(vault.owner(), owner);
        vm.stopPrank();
        vm.prank(tenant);
        vault.acceptOwnership();
        assertEq(vault.owner(), tenant);
    }

    function test_termsOutOfRange_areRefused() public {
        new SlashVault(_vaultTerms(10_000, treasury));
        vm.expectRevert(abi.encodeWithSelector(ISlashVault.BpsOutOfRange.selector, 10_001));
        new SlashVault(_vaultTerms(10_001, treasury));
        vm.expectRevert(ISlashVault.TreasuryZero.selector);
        new SlashVault(_vaultTerms(10_000, address(0)));
    }

    function _slashed(uint256 who) private returns (bytes32 offenceId) {
        offenceId = _prove(Fault.WrongRecord, _wrongBatch(6, 1, who == 7 ? 7 : 0xf));
        matchmakerSlasher.slash(offenceId, _keys(who == 7 ? 7 : 0xf), who);
    }

    function _withoutCollecting() private {
        vm.mockCallRevert(address(vault), abi.encodeWithSelector(ISlashVault.collect.selector), "");
    }
}
