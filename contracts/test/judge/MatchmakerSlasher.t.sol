// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DeregisterParams } from "../../src/eigenlayer/EigenTypes.sol";
import { IAllocationManager } from "../../src/eigenlayer/IAllocationManager.sol";
import { IStrategyManager } from "../../src/eigenlayer/IStrategyManager.sol";
import { EquivocationEvidence, Fault } from "../../src/judge/Evidence.sol";
import { IFaultJudge } from "../../src/judge/IFaultJudge.sol";
import { IMatchmakerSlasher } from "../../src/judge/IMatchmakerSlasher.sol";
import { MatchmakerSlasher } from "../../src/judge/MatchmakerSlasher.sol";
import { SlashingFixture } from "./SlashingFixture.sol";

contract MatchmakerSlasherTest is SlashingFixture {
    // ---- commit and prove

    function test_prove_takesItsOwnCommitmentOfAnEarlierBlock_once() public {
        bytes memory evidence = _equivocation(5, 0xf);
        bytes32 commitment = keccak256(abi.encode(challenger, Fault.Equivocation, keccak256(evidence), bytes32("salt")));
        vm.prank(challenger);
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.CommitmentUnknown.selector, commitment));
        matchmakerSlasher.prove(Fault.Equivocation, evidence, "salt");

        vm.expectEmit();
        emit IMatchmakerSlasher.Committed(commitment, challenger);
        _commit(challenger, Fault.Equivocation, evidence);
        assertEq(matchmakerSlasher.commitmentBlock(commitment), vm.getBlockNumber());
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.CommitmentExists.selector, commitment));
        matchmakerSlasher.commit(commitment);

        vm.prank(challenger);
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.CommitmentTooYoung.selector, vm.getBlockNumber() + 1));
        matchmakerSlasher.prove(Fault.Equivocation, evidence, "salt");
        vm.roll(vm.getBlockNumber() + 1);

        // Whoever copies the evidence has committed to nothing.
        address thief = makeAddr("thief");
        bytes32 theirs = keccak256(abi.encode(thief, Fault.Equivocation, keccak256(evidence), bytes32("salt")));
        vm.prank(thief);
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.CommitmentUnknown.selector, theirs));
        matchmakerSlasher.prove(Fault.Equivocation, evidence, "salt");

        vm.prank(challenger);
        bytes32 offenceId = matchmakerSlasher.prove(Fault.Equivocation, evidence, "salt");
        assertEq(matchmakerSlasher.commitmentBlock(commitment), 0);
        IMatchmakerSlasher.Offence memory offence = matchmakerSlasher.offenceOf(offenceId);
        assertEq(offence.challenger, challenger);
        assertEq(offence.round, 5);
        assertEq(offence.provenAt, block.timestamp);
        assertEq(offence.signersHash, keccak256(_keys(0xf)));
        assertEq(offence.slashed, 0);
    }

    function test_prove_tellsTheOffence() public {
        bytes memory evidence = _wrongBatch(6, 1, 7);
        bytes32 messageHash = judge.judge(Fault.WrongRecord, evidence).messageHash;
        _commit(challenger, Fault.WrongRecord, evidence);
        vm.roll(vm.getBlockNumber() + 1);
        bytes32 offenceId = keccak256(abi.encode(keccak256(abi.encode(false, messageHash)), uint256(7)));
        vm.expectEmit();
        emit IMatchmakerSlasher.OffenceProven(offenceId, Fault.WrongRecord, challenger, 6, messageHash, ORDER, _keys(7));
        vm.prank(challenger);
        matchmakerSlasher.prove(Fault.WrongRecord, evidence, "salt");
        assertEq(matchmakerSlasher.offenceOf(offenceId).tokenId, USD);
        assertEq(matchmakerSlasher.offenceOf(offenceId).snapshotHash, keccak256(header));
    }

    function test_prove_ofNothing_reverts() public {
        bytes memory evidence = _equivocation(5, 1, 1, 0xf);
        _commit(challenger, Fault.Equivocation, evidence);
        vm.roll(vm.getBlockNumber() + 1);
        vm.prank(challenger);
        vm.expectRevert(IFaultJudge.NoFault.selector);
        matchmakerSlasher.prove(Fault.Equivocation, evidence, "salt");
    }

    /// A guilty operator who proves the batch itself, with the fewest signers, shields nobody.
    function test_S8_aLaterProof_accusesThoseWhomTheFirstLeftOut() public {
        _prove(Fault.WrongRecord, _wrongBatch(6, 1, 7));
        bytes memory evidence = _wrongBatch(6, 1, 0xf);
        bytes32 rest = _prove(Fault.WrongRecord, evidence);
        assertEq(matchmakerSlasher.offenceOf(rest).signersHash, keccak256(_keys(8)));
        assertEq(matchmakerSlasher.slash(rest, _keys(8), 1), 1);
        assertEq(_magnitude(3), WAD / 2);
        assertEq(_magnitude(0), WAD);
        // Signers in between, and nobody left.
        bytes32 messageHash = judge.judge(Fault.WrongRecord, evidence).messageHash;
        _commit(challenger, Fault.WrongRecord, evidence);
        vm.roll(vm.getBlockNumber() + 1);
        vm.prank(challenger);
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.OffenceKnown.selector, messageHash));
        matchmakerSlasher.prove(Fault.WrongRecord, evidence, "salt");
    }

    function test_S8_signersBetweenThoseAccused_areFoundByPosition() public {
        _prove(Fault.Equivocation, _equivocation(5, 5));
        bytes32 rest = _prove(Fault.Equivocation, _equivocation(5, 0xf));
        assertEq(matchmakerSlasher.offenceOf(rest).signersHash, keccak256(_keys(10)));
    }

    // ---- slash

    function test_S9_slash_takesTheFaultsFractionOfWhatIsAllocated_once() public {
        bytes32 offenceId = _prove(Fault.Equivocation, _equivocation(5, 0xf));
        vm.expectEmit();
        emit IMatchmakerSlasher.SignerSlashed(offenceId, operators[0].account, 0, 1, 5e18);
        assertEq(matchmakerSlasher.slash(offenceId, _keys(0xf), 5), 2);
        assertEq(matchmakerSlasher.offenceOf(offenceId).slashed, 5);
        assertEq(_magnitude(0), 0.95e18);
        assertEq(_magnitude(1), WAD);
        assertTrue(matchmakerSlasher.isSlashed(operators[0].account, 5, true));
        assertFalse(matchmakerSlasher.isSlashed(operators[1].account, 5, true));
        assertFalse(matchmakerSlasher.isSlashed(operators[0].account, 5, false));

        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.AlreadySlashed.selector, operators[2].account));
        matchmakerSlasher.slash(offenceId, _keys(0xf), 5);
        // With others who are not slashed yet it is passed over.
        assertEq(matchmakerSlasher.slash(offenceId, _keys(0xf), 0xf), 2);
        assertEq(matchmakerSlasher.offenceOf(offenceId).slashed, 0xf);
        for (uint256 i = 0; i < 4; i++) {
            assertEq(_magnitude(i), 0.95e18);
        }
        assertEq(allocationManager.getSlashCount(operatorSet), 4);
        assertEq(stakeToken.balanceOf(address(vault)), 20e18);
    }

    function test_S9_oneOperatorRoundAndKind_isSlashedOnce_whateverElseItSigned() public {
        bytes32 first = _prove(Fault.WrongRecord, _wrongBatch(6, 1, 0xf));
        bytes32 second = _prove(Fault.WrongRecord, _wrongBatch(6, 2, 0xf));
        bytes32 both = _prove(Fault.Equivocation, _equivocation(6, 1, 2, 0xf));
        bytes32 third = _prove(Fault.Equivocation, _equivocation(6, 3, 4, 0xf));
        bytes32 next = _prove(Fault.WrongRecord, _wrongBatch(7, 1, 0xf));
        assertEq(matchmakerSlasher.slash(first, _keys(0xf), 0xf), 4);
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.AlreadySlashed.selector, operators[3].account));
        matchmakerSlasher.slash(second, _keys(0xf), 0xf);
        assertEq(_magnitude(0), 0.5e18);
        assertEq(matchmakerSlasher.slash(both, _keys(0xf), 0xf), 4);
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.AlreadySlashed.selector, operators[3].account));
        matchmakerSlasher.slash(third, _keys(0xf), 0xf);
        assertEq(_magnitude(0), 0.475e18);
        assertEq(matchmakerSlasher.slash(next, _keys(0xf), 1), 1);
        assertEq(_magnitude(0), 0.2375e18);
    }

    /// Whoever has a stolen key makes as many pairs of batches as there are rounds.
    function test_S9_oneSlashForTwoBatchesOfARound_coversAllOthersOfAChallengeWindow() public {
        bytes32 first = _prove(Fault.Equivocation, _equivocation(5, 3));
        bytes32 early = _prove(Fault.Equivocation, _equivocation(6, 1));
        assertEq(matchmakerSlasher.slash(first, _keys(3), 1), 1);
        uint256 slashedAt = vm.getBlockTimestamp();
        bytes memory covered = abi.encodeWithSelector(IMatchmakerSlasher.AlreadySlashed.selector, operators[0].account);
        vm.expectRevert(covered);
        matchmakerSlasher.slash(early, _keys(1), 1);

        vm.warp(slashedAt + WINDOW);
        bytes32 last = _prove(Fault.Equivocation, _equivocation(7, 3));
        vm.warp(slashedAt + WINDOW + 1);
        // Neither ever becomes due, however long one waits, and nobody else is covered.
        vm.expectRevert(covered);
        matchmakerSlasher.slash(early, _keys(1), 1);
        assertEq(matchmakerSlasher.slash(last, _keys(3), 3), 1);
        assertEq(_magnitude(0), 0.95e18);
        assertEq(_magnitude(1), 0.95e18);

        bytes32 next = _prove(Fault.Equivocation, _equivocation(8, 1));
        assertEq(matchmakerSlasher.slash(next, _keys(1), 1), 1);
        assertEq(_magnitude(0), 0.9025e18);
        vm.expectRevert(covered);
        matchmakerSlasher.slash(early, _keys(1), 1);
    }

    function test_S9_theCover_isForTwoBatchesOfARoundAlone_andNotForWhoCouldNotBeSlashed() public {
        bytes32 both = _prove(Fault.Equivocation, _equivocation(6, 1, 2, 1));
        vm.mockCallRevert(address(allocationManager), abi.encodeWithSelector(IAllocationManager.slashOperator.selector), "paused");
        assertEq(matchmakerSlasher.slash(both, _keys(1), 1), 0);
        vm.clearMockedCalls();
        bytes32 another = _prove(Fault.Equivocation, _equivocation(5, 1));
        assertEq(matchmakerSlasher.slash(another, _keys(1), 1), 1);
        bytes32 wrong = _prove(Fault.WrongRecord, _wrongBatch(6, 1, 7));
        assertEq(matchmakerSlasher.slash(wrong, _keys(7), 1), 1);
        assertEq(_magnitude(0), 0.475e18);
    }

    /// Magnitude 1 of 1e18: a twentieth of it rounds up, so that an offender never loses nothing.
    function test_S9_theSmallestAllocation_losesSomething() public {
        vm.prank(operators[0].account);
        allocationManager.modifyAllocations(operators[0].account, allocateParams(operatorSet, strategy, 1));
        vm.roll(vm.getBlockNumber() + DEALLOCATION_DELAY + 1);
        bytes32 offenceId = _prove(Fault.Equivocation, _equivocation(5, 1));
        assertEq(matchmakerSlasher.slash(offenceId, _keys(1), 1), 1);
        assertEq(_magnitude(0), 0);
    }

    function test_S11_whoLeavesTheSet_isSlashedToTheLastBlockOfTheDelay() public {
        bytes32 offenceId = _prove(Fault.WrongRecord, _wrongBatch(6, 1, 0xf));
        _leave(0);
        _leave(1);
        vm.roll(vm.getBlockNumber() + DEALLOCATION_DELAY);
        assertEq(matchmakerSlasher.slash(offenceId, _keys(0xf), 1), 1);
        vm.roll(vm.getBlockNumber() + 1);
        uint256 slashCount = allocationManager.getSlashCount(operatorSet);
        vm.expectEmit();
        emit IMatchmakerSlasher.SignerNotSlashable(offenceId, operators[1].account, 1);
        assertEq(matchmakerSlasher.slash(offenceId, _keys(0xf), 0xe), 2);
        assertEq(allocationManager.getSlashCount(operatorSet), slashCount + 2);
        assertEq(matchmakerSlasher.offenceOf(offenceId).slashed, 0xd);
        assertEq(_magnitude(0), 0.5e18);
        assertEq(_magnitude(1), WAD);
    }

    function test_whoHasNothingAllocated_isPassedOver_andNoSlashIsUsedUp() public {
        vm.prank(operators[1].account);
        allocationManager.modifyAllocations(operators[1].account, allocateParams(operatorSet, strategy, 0));
        vm.roll(vm.getBlockNumber() + DEALLOCATION_DELAY + 1);
        bytes32 offenceId = _prove(Fault.Equivocation, _equivocation(5, 7));
        vm.expectEmit();
        emit IMatchmakerSlasher.SignerNotSlashable(offenceId, operators[1].account, 1);
        assertEq(matchmakerSlasher.slash(offenceId, _keys(7), 7), 2);
        assertEq(allocationManager.getSlashCount(operatorSet), 2);
        // What it allocates later can still be slashed for it.
        vm.prank(operators[1].account);
        allocationManager.modifyAllocations(operators[1].account, allocateParams(operatorSet, strategy, 0.5e18));
        assertEq(matchmakerSlasher.slash(offenceId, _keys(7), 2), 1);
        assertEq(_magnitude(1), 0.475e18);
    }

    /// The registrar finds the operator by any key it ever had, and says that it has a key in the set, though another one.
    function test_S11_aKeyThatWasGivenUp_isNoLongerTheOperators() public {
        bytes32 offenceId = _prove(Fault.Equivocation, _equivocation(5, 3));
        bytes memory keys = _keys(3);
        _leave(0);
        vm.roll(vm.getBlockNumber() + DEALLOCATION_DELAY + 1);
        vm.prank(operators[0].account);
        keyRegistrar.deregisterKey(operators[0].account, operatorSet);
        vm.expectEmit();
        emit IMatchmakerSlasher.SignerNotSlashable(offenceId, operators[0].account, 0);
        assertEq(matchmakerSlasher.slash(offenceId, keys, 1), 0);
        (operators[0].signer, operators[0].signingKey) = makeAddrAndKey("another key");
        registerKey(operators[0]);
        registerForSet(operators[0].account);
        assertEq(matchmakerSlasher.slash(offenceId, keys, 3), 1);
        assertEq(_magnitude(0), WAD);
    }

    function test_aKeyThatNobodyRegistered_blocksNobody() public {
        Operator memory stranger = makeOperator("stranger");
        operators.push(stranger);
        bytes32 offenceId = _prove(Fault.Equivocation, _equivocation(5, 0x11));
        vm.expectEmit();
        emit IMatchmakerSlasher.SignerNotSlashable(offenceId, address(0), 1);
        assertEq(matchmakerSlasher.slash(offenceId, _keys(0x11), 3), 1);
    }

    function test_whoCannotBeSlashedNow_blocksNobody_andCanBeLater() public {
        bytes32 offenceId = _prove(Fault.Equivocation, _equivocation(5, 3));
        bytes memory call = abi.encodeWithSelector(IAllocationManager.slashOperator.selector);
        vm.mockCallRevert(address(allocationManager), call, "paused");
        vm.expectEmit();
        emit IMatchmakerSlasher.SignerNotSlashable(offenceId, operators[0].account, 0);
        assertEq(matchmakerSlasher.slash(offenceId, _keys(3), 3), 0);
        assertFalse(matchmakerSlasher.isSlashed(operators[0].account, 5, true));
        vm.clearMockedCalls();
        assertEq(matchmakerSlasher.slash(offenceId, _keys(3), 3), 2);
    }

    function test_aStrategyThatPaysNothingOut_keepsNobodyFromBeingSlashed() public {
        bytes32 offenceId = _prove(Fault.Equivocation, _equivocation(5, 3));
        bytes memory call = abi.encodeWithSelector(IStrategyManager.clearBurnOrRedistributableSharesByStrategy.selector);
        vm.mockCallRevert(address(strategyManager), call, "paused");
        assertEq(matchmakerSlasher.slash(offenceId, _keys(3), 3), 2);
        assertEq(_magnitude(1), 0.95e18);
        assertEq(vault.booked(), 0);
        vm.clearMockedCalls();
        assertEq(vault.collect(1), 5e18);
        assertEq(vault.collect(2), 5e18);
    }

    function test_slash_refusesWhatIsNotTheOffences() public {
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.OffenceUnknown.selector, bytes32("none")));
        matchmakerSlasher.slash("none", "", 1);
        bytes32 offenceId = _prove(Fault.Equivocation, _equivocation(5, 3));
        bytes memory keys = _keys(3);
        bytes memory others = _keys(7);
        vm.expectRevert(IMatchmakerSlasher.SignersMismatch.selector);
        matchmakerSlasher.slash(offenceId, others, 1);
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.SignerIndexOutOfRange.selector, 2));
        matchmakerSlasher.slash(offenceId, keys, 4);
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.SignerIndexOutOfRange.selector, 255));
        matchmakerSlasher.slash(offenceId, keys, 1 << 255);
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.TooManySigners.selector, 33));
        matchmakerSlasher.slash(offenceId, keys, (1 << 33) - 1);
        assertEq(matchmakerSlasher.slash(offenceId, keys, 0), 0);
    }

    function test_aFractionOutOfRange_isRefused() public {
        new MatchmakerSlasher(_slasherTerms(address(vault), 1e14, 1e18));
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.WadOutOfRange.selector, 1e14 - 1));
        new MatchmakerSlasher(_slasherTerms(address(vault), 1e14 - 1, 1e18));
        vm.expectRevert(abi.encodeWithSelector(IMatchmakerSlasher.WadOutOfRange.selector, 1e18 + 1));
        new MatchmakerSlasher(_slasherTerms(address(vault), 1e14, 1e18 + 1));
    }

    function test_itsTerms_areTold() public view {
        assertEq(matchmakerSlasher.wadOf(Fault.Equivocation), EQUIVOCATION_WAD);
        for (uint8 fault = 1; fault < 5; fault++) {
            assertEq(matchmakerSlasher.wadOf(Fault(fault)), WRONG_BATCH_WAD);
        }
        assertEq(matchmakerSlasher.challengeWindowSeconds(), WINDOW);
        assertEq(matchmakerSlasher.operatorSet().id, 9);
        assertEq(matchmakerSlasher.operatorSet().avs, avs);
    }

    /// No call slashes anyone who signed one batch of a round: not twice the same, not of two rounds.
    function test_S7_whoSignedOneBatchOfARound_cannotBeProvenGuilty() public {
        bytes[2] memory attempts = [_equivocation(5, 1, 1, 0xf), _twoRounds()];
        for (uint256 i = 0; i < 2; i++) {
            _commit(challenger, Fault.Equivocation, attempts[i]);
            vm.roll(vm.getBlockNumber() + 1);
            vm.prank(challenger);
            (bool ok,) =
                address(matchmakerSlasher).call(abi.encodeCall(IMatchmakerSlasher.prove, (Fault.Equivocation, attempts[i], "salt")));
            assertFalse(ok);
        }
    }

    function _twoRounds() private view returns (bytes memory) {
        return abi.encode(EquivocationEvidence(_sign(_batch(5, 1), 0xf), _sign(_batch(6, 1), 0xf)));
    }

    function _leave(uint256 i) private {
        vm.prank(operators[i].account);
        allocationManager.deregisterFromOperatorSets(DeregisterParams(operators[i].account, avs, ids(operatorSet.id)));
    }
}
