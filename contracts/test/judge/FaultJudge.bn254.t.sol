// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CurveType, G1Point, G2Point } from "../../src/eigenlayer/EigenTypes.sol";
import { IKeyRegistrar } from "../../src/eigenlayer/IKeyRegistrar.sol";
import { EquivocationEvidence, Fault, SignedBatch, WrongRecordEvidence } from "../../src/judge/Evidence.sol";
import { JudgeTerms } from "../../src/judge/FaultJudge.sol";
import { IFaultJudge, Verdict } from "../../src/judge/IFaultJudge.sol";
import { MatchBatch } from "../../src/market/MarketTypes.sol";
import { Bn254 } from "../../src/quorum/Bn254.sol";
import { RecordWord } from "../../src/words/RecordWord.sol";
import { Bn254TestKeys } from "../eigenlayer/Bn254TestKeys.sol";
import { JudgeFixture } from "./JudgeFixture.sol";

/// @notice Which keys the registrar has seen a signature of.
contract KeyBook {
    mapping(bytes32 keyHash => bool) public isKeyGloballyRegistered;

    function register(bytes32 keyHash, bool registered) external {
        isKeyGloballyRegistered[keyHash] = registered;
    }
}

/// @notice A BN254 operator set with secrets 1, 2, 3, ... and a last one that makes the sum of all 5, where more sign than have known G2 keys.
abstract contract Bn254JudgeFixture is JudgeFixture {
    uint256 private constant SUM = 5;

    KeyBook internal keyBook;

    function setUp() public virtual override {
        keyBook = new KeyBook();
        keyRegistrar = IKeyRegistrar(address(keyBook));
        super.setUp();
        _register();
        _addMachine(_addProvider(50_000), 4);
        _addOffer(1, 0, 1_000_000, 100_000, USD);
        _addOrder(_spec(2000));
        _seal();
    }

    function _terms() internal view virtual override returns (JudgeTerms memory terms) {
        terms = super._terms();
        terms.curve = CurveType.BN254;
    }

    function _register() internal {
        for (uint256 i = 0; i < operatorKeys.length; i++) {
            G1Point memory key = _key(_secret(i));
            keyBook.register(keccak256(abi.encode(key.X, key.Y)), true);
        }
    }

    function _secret(uint256 i) internal view returns (uint256) {
        uint256 count = operatorKeys.length;
        if (count <= 4 || i + 1 < count) return i + 1;
        return Bn254.GROUP_ORDER + SUM - count * (count - 1) / 2;
    }

    function _key(uint256 secret) internal view returns (G1Point memory key) {
        (, key) = Bn254.mul(Bn254.generatorG1(), secret);
    }

    function _table() internal view virtual override returns (bytes memory table) {
        for (uint256 i = 0; i < operatorKeys.length; i++) {
            G1Point memory key = _key(_secret(i));
            table = abi.encodePacked(table, key.X, key.Y, operatorWeights[i]);
        }
    }

    function _sign(MatchBatch memory batch, uint256 who) internal view virtual override returns (SignedBatch memory signed) {
        signed.batch = batch;
        signed.table = _table();
        uint256 sum = 0;
        for (uint256 i = 0; i < operatorKeys.length; i++) {
            if ((who >> i) & 1 != 0) sum = addmod(sum, _secret(i), Bn254.GROUP_ORDER);
        }
        bytes32 digest = keccak256(
            abi.encode(
                keccak256("BN254Certificate(uint32 referenceTimestamp,bytes32 messageHash)"), batch.tableTimestamp, _messageHash(batch)
            )
        );
        (, G1Point memory signature) = Bn254.mul(Bn254.hashToG1(digest), sum);
        G2Point memory key;
        if (sum != 0) key = Bn254TestKeys.g2(sum);
        signed.certificate = abi.encodePacked(_everybody() & ~who, signature.X, signature.Y, key.X, key.Y);
    }

    /// A record at another price.
    function _wrong() internal view returns (WrongRecordEvidence memory) {
        bytes memory records = _match();
        return _wrongRecord(_with(records, 0, RecordWord.unwrap(_at(records, 0)) ^ (1 << 170)), 0);
    }
}

contract FaultJudgeBn254Test is Bn254JudgeFixture {
    function test_S8_anAggregateOfAQuorum_convictsThoseInIt() public view {
        Verdict memory verdict = _verdict(Fault.WrongRecord, abi.encode(_wrong()));
        assertEq(verdict.positions, 15);
        assertEq(verdict.signers.length, 256);
        WrongRecordEvidence memory evidence = _wrong();
        evidence.batch.signed = _sign(evidence.batch.signed.batch, 13);
        verdict = _verdict(Fault.WrongRecord, abi.encode(evidence));
        assertEq(verdict.positions, 13);
        G1Point memory first = _key(1);
        G1Point memory third = _key(3);
        G1Point memory fourth = _key(4);
        assertEq(verdict.signers, abi.encodePacked(first.X, first.Y, third.X, third.Y, fourth.X, fourth.Y));
    }

    function test_S7_anHonestBatch_isNoFault() public {
        bytes memory evidence = abi.encode(_wrongRecord(_match(), 0));
        _assertReverts(Fault.WrongRecord, evidence, abi.encodeWithSelector(IFaultJudge.NoFault.selector));
    }

    /// Nobody's signature is zero and pairs; it carries no weight and accuses nobody.
    function test_S10_nobodysSignature_isNoQuorum() public {
        WrongRecordEvidence memory evidence = _wrong();
        evidence.batch.signed = _sign(evidence.batch.signed.batch, 0);
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.QuorumNotReached.selector, 0, 400));
        SignedBatch memory other = evidence.batch.signed;
        MatchBatch memory batch = abi.decode(abi.encode(other.batch), (MatchBatch));
        batch.recordsHash = 0;
        bytes memory both = abi.encode(EquivocationEvidence(other, _sign(batch, 0)));
        _assertReverts(Fault.Equivocation, both, abi.encodeWithSelector(IFaultJudge.NoFault.selector));
    }

    function test_S10_whoDidNotSign_cannotBeCountedIn() public {
        bytes memory unpaired = abi.encodeWithSelector(IFaultJudge.CertificateMalformed.selector, "signature");
        // The second did not sign, and the bitmap says that it did.
        WrongRecordEvidence memory evidence = _wrong();
        bytes memory certificate = _sign(evidence.batch.signed.batch, 13).certificate;
        certificate[31] = 0;
        evidence.batch.signed.certificate = certificate;
        _assertRefused(evidence, unpaired);
        // The aggregate of another batch.
        MatchBatch memory batch = abi.decode(abi.encode(evidence.batch.signed.batch), (MatchBatch));
        batch.round++;
        evidence.batch.signed.certificate = _sign(batch, 15).certificate;
        _assertRefused(evidence, unpaired);
        // Points on no curve: the signature, and the G2 key.
        certificate = _sign(evidence.batch.signed.batch, 15).certificate;
        certificate[63] ^= 0x01;
        evidence.batch.signed.certificate = certificate;
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.CertificateMalformed.selector, "point"));
        certificate[63] ^= 0x01;
        certificate[127] ^= 0x01;
        _assertRefused(evidence, unpaired);
        evidence.batch.signed.certificate = abi.encodePacked(certificate, uint8(0));
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.CertificateMalformed.selector, "length"));
    }

    /// A key made of the others' keys lets its maker sign for all of them; nobody can register it.
    function test_S7_aRogueKey_accusesNobody() public {
        G1Point memory victim = _key(3);
        // The attacker holds 10; its rogue key is 10 g1 - victim, so that both together are 10 g1.
        (, G1Point memory rogue) = Bn254.add(_key(10), G1Point(victim.X, Bn254.FIELD_MODULUS - victim.Y));
        WrongRecordEvidence memory evidence = _wrong();
        SignedBatch memory signed = evidence.batch.signed;
        signed.table = abi.encodePacked(victim.X, victim.Y, uint96(100), rogue.X, rogue.Y, uint96(100));
        signed.batch.tableHash = keccak256(signed.table);
        bytes32 digest = keccak256(
            abi.encode(
                keccak256("BN254Certificate(uint32 referenceTimestamp,bytes32 messageHash)"),
                signed.batch.tableTimestamp,
                _messageHash(signed.batch)
            )
        );
        (, G1Point memory signature) = Bn254.mul(Bn254.hashToG1(digest), 10);
        G2Point memory key = Bn254TestKeys.g2(10);
        signed.certificate = abi.encodePacked(uint256(0), signature.X, signature.Y, key.X, key.Y);
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.KeyUnregistered.selector, 1));
        // If it could be registered the pairing would hold: the registrar is what stands in between.
        keyBook.register(keccak256(abi.encode(rogue.X, rogue.Y)), true);
        _verdict(Fault.WrongRecord, abi.encode(evidence));
        // A point on no curve.
        keyBook.register(keccak256(abi.encode(uint256(1), uint256(1))), true);
        signed.table = abi.encodePacked(uint256(1), uint256(1), uint96(100));
        signed.batch.tableHash = keccak256(signed.table);
        _assertRefused(evidence, abi.encodeWithSelector(IFaultJudge.KeyUnregistered.selector, 0));
    }

    function test_A2_twoAggregates_accuseWhoIsInBoth() public view {
        MatchBatch memory first = _wrong().batch.signed.batch;
        MatchBatch memory second = abi.decode(abi.encode(first), (MatchBatch));
        second.recordsHash = 0;
        Verdict memory verdict = _verdict(Fault.Equivocation, abi.encode(EquivocationEvidence(_sign(first, 7), _sign(second, 14))));
        assertEq(verdict.positions, 6);
    }

    function _assertRefused(WrongRecordEvidence memory evidence, bytes memory reason) private {
        _assertReverts(Fault.WrongRecord, abi.encode(evidence), reason);
    }
}
