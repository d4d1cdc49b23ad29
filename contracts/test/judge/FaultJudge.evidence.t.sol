// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CurveType } from "../../src/eigenlayer/EigenTypes.sol";
import { EquivocationEvidence, Fault, SignedBatch, WrongRecordEvidence } from "../../src/judge/Evidence.sol";
import { FaultJudge, JudgeTerms } from "../../src/judge/FaultJudge.sol";
import { IFaultJudge, Verdict, Victim } from "../../src/judge/IFaultJudge.sol";
import { MatchBatch } from "../../src/market/MarketTypes.sol";
import { RecordWord } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { JudgeFixture } from "./JudgeFixture.sol";

/// @notice What a batch commits to, who signed it, and equivocation.
contract FaultJudgeEvidenceTest is JudgeFixture {
    uint256 private constant N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function setUp() public override {
        super.setUp();
        _addMachine(_addProvider(50_000), 4);
        _addOffer(1, 0, 1_000_000, 100_000, USD);
        _addOrder(_spec(2000));
        _seal();
    }

    // ---- commitments

    function test_everythingABatchCommitsTo_isChecked() public {
        WrongRecordEvidence memory evidence = _wrong();
        evidence.batch.policy.coolRounds++;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.PolicyMismatch.selector));
        evidence = _wrong();
        evidence.batch.records[31] ^= 0x01;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.RecordsMismatch.selector));
        evidence = _wrong();
        evidence.batch.signed.batch.matchCount = 2;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.RecordsMismatch.selector));
        evidence = _wrong();
        evidence.batch.snapshot.header[40] ^= 0x01;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.SnapshotHeaderMismatch.selector));
        evidence = _wrong();
        evidence.batch.signed.batch.snapshotBlock++;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.SnapshotHeaderMismatch.selector));
        evidence = _wrong();
        evidence.batch.signed.batch.operatorSetKey = bytes32(uint256(evidence.batch.signed.batch.operatorSetKey) + 1);
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.OperatorSetMismatch.selector));
        evidence = _wrong();
        evidence.batch.signed.table[5] ^= 0x01;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.TableMismatch.selector));
        evidence = _wrong();
        evidence.index = 1;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.IndexOutOfRange.selector, 1));
        evidence = _wrong();
        evidence.order.spec.durationMinutes++;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.SpecMismatch.selector));
        evidence = _wrong();
        delete evidence.machine.providerWord;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.WordMissing.selector, "provider"));
        evidence = _wrong();
        delete evidence.batch.snapshot.registryAccount;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.AccountProofInvalid.selector));
        evidence = _wrong();
        evidence.machine.machineWord = evidence.machine.offerWord;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.WordProofInvalid.selector, bytes32(Slots.machine(1))));
        // Untouched it convicts.
        _verdict(Fault.WrongRecord, abi.encode(_wrong()));
    }

    function test_aPolicyOfOtherRules_isNotJudged() public {
        policy.rulesVersion = 3;
        _assertRefused(_wrong(), abi.encodeWithSelector(IFaultJudge.RulesVersionUnknown.selector, 3));
    }

    function test_aBatchIsJudgedWithinTheWindow() public {
        vm.warp(SNAPSHOT_TIME + WINDOW);
        _verdict(Fault.WrongRecord, abi.encode(_wrong()));
        vm.warp(SNAPSHOT_TIME + WINDOW + 1);
        _assertRefused(_wrong(), abi.encodeWithSelector(IFaultJudge.TooOld.selector, SNAPSHOT_TIME));
    }

    // ---- quorum and certificates

    /// Less than a quorum is no offence: a node that is wrong alone is safe.
    function test_S7_aBatchWithoutAQuorum_isNoOffence() public {
        policy.quorumBps = 5_000;
        WrongRecordEvidence memory evidence = _wrong();
        evidence.batch.signed = _sign(evidence.batch.signed.batch, 3);
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.QuorumNotReached.selector, 200, 400));
        operatorWeights[0] = 101;
        evidence = _wrong();
        evidence.batch.signed = _sign(evidence.batch.signed.batch, 3);
        Verdict memory verdict = _verdict(Fault.WrongRecord, abi.encode(evidence));
        assertEq(verdict.positions, 3);
        assertEq(verdict.signers, abi.encodePacked(vm.addr(operatorKeys[0]), vm.addr(operatorKeys[1])));
        policy.minTotalStake = 402;
        _assertRefused(_wrong(), abi.encodeWithSelector(IFaultJudge.QuorumNotReached.selector, 401, 401));
        policy.minTotalStake = 401;
        _verdict(Fault.WrongRecord, abi.encode(_wrong()));
    }

    function testFuzz_S10_quorum_isExact(uint96[4] memory weights, uint8 who, uint16 bps) public {
        policy.quorumBps = uint16(bound(bps, 0, 10_000));
        policy.minTotalStake = 0;
        (uint256 signed, uint256 total) = (0, 0);
        for (uint256 i = 0; i < 4; i++) {
            operatorWeights[i] = weights[i];
            total += weights[i];
            if ((who >> i) & 1 != 0) signed += weights[i];
        }
        WrongRecordEvidence memory evidence = _wrong();
        evidence.batch.signed = _sign(evidence.batch.signed.batch, who & 0xf);
        bool reached = signed * 10_000 > total * policy.quorumBps;
        if (!reached) vm.expectRevert(abi.encodeWithSelector(IFaultJudge.QuorumNotReached.selector, signed, total));
        judge.judge(Fault.WrongRecord, abi.encode(evidence));
    }

    function test_S10_malformedCertificates_areRefused() public {
        bytes memory good = _wrong().batch.signed.certificate;
        _assertCertificate(_resized(good, 31), abi.encodeWithSelector(IFaultJudge.CertificateMalformed.selector, "length"));
        _assertCertificate(_resized(good, good.length - 1), abi.encodeWithSelector(IFaultJudge.CertificateMalformed.selector, "length"));
        _assertCertificate(_resized(good, good.length + 64), abi.encodeWithSelector(IFaultJudge.CertificateMalformed.selector, "length"));
        bytes memory bad = bytes.concat(good);
        // The fifth of four entries.
        bad[31] = 0x1f;
        _assertCertificate(bad, abi.encodeWithSelector(IFaultJudge.CertificateMalformed.selector, "bitmap"));
        bad[31] = 0x0f;
        bad[0] = 0x80;
        _assertCertificate(bad, abi.encodeWithSelector(IFaultJudge.CertificateMalformed.selector, "bitmap"));
        bad = bytes.concat(good);
        bad[100] ^= 0x01;
        _assertCertificate(bad, abi.encodeWithSelector(IFaultJudge.SignatureInvalid.selector, 1));
        // The second signs where the first should.
        bad = bytes.concat(good);
        for (uint256 i = 0; i < 64; i++) {
            bad[32 + i] = good[96 + i];
        }
        _assertCertificate(bad, abi.encodeWithSelector(IFaultJudge.SignatureInvalid.selector, 0));
    }

    /// An invalid signature recovers to the zero address, which an entry of the table may name.
    function test_S10_theZeroAddress_neverSigns() public {
        bytes memory table = abi.encodePacked(address(0), uint96(1000));
        WrongRecordEvidence memory evidence = _wrong();
        evidence.batch.signed.table = table;
        evidence.batch.signed.batch.tableHash = keccak256(table);
        evidence.batch.signed.certificate = abi.encodePacked(uint256(1), bytes32(0), bytes32(0));
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.SignatureInvalid.selector, 0));
        evidence.batch.signed.certificate = abi.encodePacked(uint256(1), bytes32(uint256(1)), bytes32(N / 2 + 1));
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.SignatureInvalid.selector, 0));
    }

    function test_S24_tablesOfNobodyOrOfTooMany_areRefused() public {
        bytes[3] memory tables = [bytes(""), new bytes(33), new bytes(257 * 32)];
        for (uint256 i = 0; i < 3; i++) {
            WrongRecordEvidence memory evidence = _wrong();
            evidence.batch.signed.table = tables[i];
            evidence.batch.signed.batch.tableHash = keccak256(tables[i]);
            _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.CertificateMalformed.selector, "table"));
        }
    }

    // ---- equivocation

    function test_A2_twoBatchesOfARound_accuseWhoSignedBoth() public view {
        (MatchBatch memory first, MatchBatch memory second) = _two();
        Verdict memory verdict = _judged(_sign(first, 7), _sign(second, 14));
        bytes32 lower = _messageHash(first) < _messageHash(second) ? _messageHash(first) : _messageHash(second);
        assertEq(verdict.messageHash, lower);
        assertEq(verdict.positions, 6);
        assertEq(verdict.signers, abi.encodePacked(vm.addr(operatorKeys[1]), vm.addr(operatorKeys[2])));
        assertEq(verdict.orderId, 0);
        assertEq(verdict.snapshotHash, 0);
        assertEq(abi.encode(_judged(_sign(second, 14), _sign(first, 7))), abi.encode(verdict));
    }

    /// Two tables in another order: keys are compared, not places.
    function test_A2_twoTables_areComparedByKey() public {
        (MatchBatch memory first, MatchBatch memory second) = _two();
        SignedBatch memory signedFirst = _sign(first, 7);
        (operatorKeys[0], operatorKeys[3]) = (operatorKeys[3], operatorKeys[0]);
        second.tableHash = keccak256(_table());
        SignedBatch memory signedSecond = _sign(second, 14);
        Verdict memory verdict = _judged(signedFirst, signedSecond);
        (operatorKeys[0], operatorKeys[3]) = (operatorKeys[3], operatorKeys[0]);
        // Operator 0 stands at place 3 of the second table.
        assertEq(verdict.signers.length, 60);
        for (uint256 i = 0; i < 3; i++) {
            assertTrue(_holds(verdict.signers, vm.addr(operatorKeys[i])));
        }
    }

    function test_A2_S7_S12_whatIsNoEquivocation() public {
        (MatchBatch memory first, MatchBatch memory second) = _two();
        bytes memory noFault = abi.encodeWithSelector(IFaultJudge.NoFault.selector);
        // The same digest twice, nobody in both, two rounds.
        _assertNot(_sign(first, 15), _sign(first, 7), noFault);
        _assertNot(_sign(first, 3), _sign(second, 12), noFault);
        second.round++;
        _assertNot(_sign(first, 15), _sign(second, 15), noFault);
        second.round--;
        // The other signature of the same batch, with s mirrored and the parity with it.
        SignedBatch memory malleated = _sign(first, 1);
        malleated.certificate = _malleated(malleated.certificate);
        _assertNot(_sign(first, 1), malleated, noFault);
        // Of another operator set.
        second.operatorSetKey = bytes32(uint256(second.operatorSetKey) + 1);
        _assertNot(_sign(first, 15), _sign(second, 15), abi.encodeWithSelector(IFaultJudge.OperatorSetMismatch.selector));
        (, second) = _two();
        // Signed for another chain, for another settlement, and by the message alone.
        bytes memory invalid = abi.encodeWithSelector(IFaultJudge.SignatureInvalid.selector, 0);
        _assertNotBoth(first, second, _messageHashAt(second, MARKET_CHAIN_ID + 1, settlement), invalid);
        _assertNotBoth(first, second, _messageHashAt(second, MARKET_CHAIN_ID, address(this)), invalid);
        _assertNotBoth(first, second, keccak256(abi.encode(second)), invalid);
    }

    // ---- victims

    function test_victimOf_readsTheOwnerWord() public {
        WrongRecordEvidence memory evidence = _wrong();
        bytes[] memory proof = _proveOrders(Slots.orderOwner(1));
        Victim memory victim = judge.victimOf(snapshotHash, 1, evidence.batch.snapshot, proof);
        assertEq(victim.tenant, tenant);
        assertEq(victim.maxPriceMicroPerHour, 10_000_000);
        assertEq(victim.durationMinutes, 60);
        vm.expectRevert(IFaultJudge.SnapshotHeaderMismatch.selector);
        judge.victimOf(bytes32(0), 1, evidence.batch.snapshot, proof);
    }

    function test_aJudgeWithoutACurve_isRefused() public {
        JudgeTerms memory terms = _terms();
        terms.curve = CurveType.NONE;
        vm.expectRevert(IFaultJudge.CurveUnknown.selector);
        new FaultJudge(terms);
    }

    // ---- helpers

    /// A record at half the price.
    function _wrong() private view returns (WrongRecordEvidence memory) {
        bytes memory records = _match();
        return _wrongRecord(_with(records, 0, RecordWord.unwrap(_at(records, 0)) ^ (1 << 170)), 0);
    }

    function _two() private view returns (MatchBatch memory first, MatchBatch memory second) {
        bytes memory records = _match();
        first = _batchOf(records);
        second = _batchOf(_with(records, 0, 1));
    }

    function _judged(SignedBatch memory first, SignedBatch memory second) private view returns (Verdict memory) {
        return _verdict(Fault.Equivocation, abi.encode(EquivocationEvidence(first, second)));
    }

    function _assertNot(SignedBatch memory first, SignedBatch memory second, bytes memory reason) private {
        _assertReverts(Fault.Equivocation, abi.encode(EquivocationEvidence(first, second)), reason);
        _assertReverts(Fault.Equivocation, abi.encode(EquivocationEvidence(second, first)), reason);
    }

    function _assertNotBoth(MatchBatch memory first, MatchBatch memory second, bytes32 messageHash, bytes memory reason) private {
        SignedBatch memory signed = _sign(second, 0);
        signed.certificate = _certificate(second.tableTimestamp, messageHash, 15);
        _assertNot(_sign(first, 15), signed, reason);
    }

    function _assertCertificate(bytes memory certificate, bytes memory reason) private {
        WrongRecordEvidence memory evidence = _wrong();
        evidence.batch.signed.certificate = certificate;
        _assertRefused(evidence, reason);
    }

    function _assertRefused(WrongRecordEvidence memory evidence, bytes memory reason) private {
        _assertReverts(Fault.WrongRecord, abi.encode(evidence), reason);
    }

    function _malleated(bytes memory certificate) private pure returns (bytes memory) {
        (uint256 bitmap, bytes32 r, uint256 vs) = abi.decode(certificate, (uint256, bytes32, uint256));
        uint256 s = N - (vs & (type(uint256).max >> 1));
        return abi.encodePacked(bitmap, r, s ^ ((vs >> 255 ^ 1) << 255));
    }

    function _holds(bytes memory keys, address key) private pure returns (bool found) {
        for (uint256 i = 0; i < keys.length / 20; i++) {
            bytes memory one = new bytes(20);
            for (uint256 j = 0; j < 20; j++) {
                one[j] = keys[20 * i + j];
            }
            if (address(bytes20(one)) == key) found = true;
        }
    }

    function _resized(bytes memory data, uint256 length) private pure returns (bytes memory resized) {
        resized = new bytes(length);
        for (uint256 i = 0; i < length && i < data.length; i++) {
            resized[i] = data[i];
        }
    }
}
