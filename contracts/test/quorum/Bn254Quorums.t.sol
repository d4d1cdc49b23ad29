// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BN254OperatorInfoWitness, G1Point, G2Point } from "../../src/eigenlayer/EigenTypes.sol";
import { Bn254 } from "../../src/quorum/Bn254.sol";
import { IQuorumVerifier } from "../../src/quorum/IQuorumVerifier.sol";
import { Bn254Keys } from "./Bn254Keys.sol";
import { QuorumFixture } from "./QuorumFixture.sol";

/// @notice Points and certificates that an attacker makes up for the two BN254 quorums.
contract Bn254QuorumsTest is QuorumFixture {
    uint256 private constant OPERATORS = 4;
    /// What a refused certificate may cost: far below a settlement's gas, which a verifier that burns would take whole.
    uint256 private constant REFUSAL_GAS = 2_600_000;

    uint256[] private weights;

    function setUp() public override {
        super.setUp();
        weights = _weightsOf(OPERATORS);
        _setBn254(_commitmentTo(weights), table, STALENESS);
        tableBn254.takeTable(_bn254Entries(weights));
        eigenBn254.takeTable(_bn254Entries(weights));
    }

    /// The certificate is made by the caller, whose precompile calls must not be taken for the one that reverts.
    function _malformed(IQuorumVerifier quorum, bytes memory certificate, string memory what) private {
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.CertificateMalformed.selector, what));
        quorum.signedWeight(table, MESSAGE, certificate);
    }

    function _signature(uint256 signers) private view returns (G1Point memory) {
        return Bn254Keys.sign(_sumOfSecrets(OPERATORS, signers), tableBn254.certificateDigest(table, MESSAGE));
    }

    function _apk(uint256 signers) private view returns (G2Point memory) {
        return Bn254Keys.g2(_sumOfSecrets(OPERATORS, signers));
    }

    /// The verifier itself takes this one; nobody must.
    function test_aCertificateOfNobodyIsRefused() public {
        G1Point memory zero;
        G2Point memory zeroKey;
        _malformed(tableBn254, abi.encode(_all(OPERATORS), zero, zeroKey), "signature");
        _malformed(tableBn254, abi.encode(_all(OPERATORS), _signature(1), _apk(1)), "signature");
        _malformed(eigenBn254, abi.encode(zero, zeroKey, _witnesses(weights, 0)), "signature");
        _malformed(eigenBn254, abi.encode(_signature(1), _apk(1), _witnesses(weights, 0)), "nonSigners");
    }

    /// Keys that cancel out sign anything with nothing.
    function test_keysThatCancelOutAreRefused() public {
        G1Point memory key = Bn254Keys.g1(_secret(0));
        G1Point memory opposite = Bn254.negate(key);
        (, G1Point memory sum) = Bn254.add(key, opposite);
        assertEq(sum.X | sum.Y, 0);
        G2Point memory zeroKey;
        assertFalse(Bn254.isSigned(MESSAGE, sum, zeroKey, sum));
    }

    function test_pointsThatAreNoneAreRefusedForLittleGas() public {
        G1Point memory good = _signature(15);
        G2Point memory apk = _apk(15);
        BN254OperatorInfoWitness[] memory none = new BN254OperatorInfoWitness[](0);
        for (uint256 kind; kind < 7; ++kind) {
            G1Point memory signature = G1Point(good.X, good.Y);
            G2Point memory key = G2Point([apk.X[0], apk.X[1]], [apk.Y[0], apk.Y[1]]);
            if (kind == 0) signature.Y = addmod(signature.Y, 1, Bn254.FIELD_MODULUS);
            else if (kind == 1) signature.X += Bn254.FIELD_MODULUS;
            else if (kind == 2) signature = G1Point(type(uint256).max, type(uint256).max);
            else if (kind == 3) key.X[0] = addmod(key.X[0], 1, Bn254.FIELD_MODULUS);
            else if (kind == 4) key.Y[1] += Bn254.FIELD_MODULUS;
            else if (kind == 5) (key.X, key.Y) = ([uint256(0), 0], [uint256(0), 0]);
            // On the twisted curve, but not in the group of prime order.
            else (key.X, key.Y) = _offGroup();
            _refusedCheaply(tableBn254, abi.encode(uint256(0), signature, key));
            _refusedCheaply(eigenBn254, abi.encode(signature, key, none));
        }
        assertEq(tableBn254.signedWeight(table, MESSAGE, abi.encode(uint256(0), good, apk)), _weightOf(weights, 15));
        assertEq(eigenBn254.signedWeight(table, MESSAGE, abi.encode(good, apk, none)), _weightOf(weights, 15));
    }

    function _refusedCheaply(IQuorumVerifier quorum, bytes memory certificate) private {
        (bool ok,) = address(quorum).call{ gas: 16_000_000 }(abi.encodeCall(IQuorumVerifier.signedWeight, (table, MESSAGE, certificate)));
        assertFalse(ok);
        assertLt(vm.lastCallGas().gasTotalUsed, REFUSAL_GAS);
    }

    /// A point of the twisted curve outside the group: the one with x = 1, by a library that says so of it.
    function _offGroup() private pure returns (uint256[2] memory x, uint256[2] memory y) {
        x = [uint256(0), 1];
        y = [
            15975588672102553735566230729081043132501226101599136527557730645158523614371,
            3610091866386166428467545612961983990332663701371483510632385378352395651980
        ];
    }

    /// Whoever says that another operator signed than did: the sum of the keys is not the one that signed.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_nobodyCountsWhoDidNotSign(uint256 signers, uint256 claimed) public {
        signers = bound(signers, 1, _all(OPERATORS));
        claimed = bound(claimed, 0, _all(OPERATORS));
        vm.assume(signers != claimed);
        _malformed(tableBn254, abi.encode(_all(OPERATORS) & ~claimed, _signature(signers), _apk(signers)), "signature");
        _malformed(tableBn254, abi.encode(_all(OPERATORS) & ~claimed, _signature(signers), _apk(claimed == 0 ? 1 : claimed)), "signature");
        (bool ok,) = address(eigenBn254)
            .call(
                abi.encodeCall(
                    IQuorumVerifier.signedWeight,
                    (table, MESSAGE, abi.encode(_signature(signers), _apk(signers), _witnesses(weights, claimed)))
                )
            );
        assertFalse(ok);
    }

    function test_witnessesAscendAndAreOfTheTable() public {
        BN254OperatorInfoWitness[] memory witnesses = _witnesses(weights, 1);
        (witnesses[0], witnesses[1]) = (witnesses[1], witnesses[0]);
        _malformed(eigenBn254, abi.encode(_signature(1), _apk(1), witnesses), "nonSigners");
        witnesses[0] = witnesses[1];
        _malformed(eigenBn254, abi.encode(_signature(1), _apk(1), witnesses), "nonSigners");
        witnesses = _witnesses(weights, 1);
        witnesses[2].operatorIndex = uint32(OPERATORS);
        _malformed(eigenBn254, abi.encode(_signature(1), _apk(1), witnesses), "nonSigners");
    }

    function testFuzz_bitsBeyondTheTable(uint256 bit) public {
        bit = bound(bit, OPERATORS, 255);
        _malformed(tableBn254, abi.encode(uint256(1) << bit, _signature(15), _apk(15)), "bitmap");
    }

    function test_aFullTableOf256() public {
        uint256[] memory full = _weightsOf(256);
        _setBn254(_commitmentTo(full), table + 1, STALENESS);
        tableBn254.takeTable(_bn254Entries(full));
        uint256 signers = type(uint256).max >> 1 & ~uint256(6);
        bytes memory certificate = _signBn254(256, table + 1, MESSAGE, signers);
        assertEq(tableBn254.signedWeight(table + 1, MESSAGE, certificate), _weightOf(full, signers));
    }

    /// The library's own answers about points.
    function testFuzz_pointsOfTheCurve(uint256 secret, uint256 x, uint256 y) public view {
        secret = bound(secret, 1, Bn254.GROUP_ORDER - 1);
        G1Point memory point = Bn254Keys.g1(secret);
        assertTrue(Bn254.isOnCurve(point));
        G1Point memory any = G1Point(x, y);
        (bool ok,) = address(6).staticcall{ gas: 10_000 }(abi.encode(any, G1Point(0, 0)));
        assertEq(Bn254.isOnCurve(any), ok && (x | y) != 0);
        (, G1Point memory sum) = Bn254.add(point, Bn254.negate(point));
        assertEq(sum.X | sum.Y, 0);
        assertFalse(Bn254.isOnCurve(sum), "infinity");
    }
}
