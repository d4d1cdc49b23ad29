// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBN254CertificateVerifier } from "../../src/eigenlayer/IBN254CertificateVerifier.sol";
import { OperatorSetConfig, BN254Certificate, BN254OperatorInfoWitness, G1Point, G2Point } from "../../src/eigenlayer/EigenTypes.sol";
import { Bn254 } from "../../src/quorum/Bn254.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

contract DevnetBN254CertificateVerifierTest is EigenDevnetFixture {
    bytes32 private constant MESSAGE = keccak256("a root message");

    function test_generatorSignaturePasses() public {
        uint256[] memory signed = bn254Verifier.verifyCertificate(generatorSet, generatorCertificate(MESSAGE));
        assertEq(signed.length, 1);
        assertEq(signed[0], 1);
        assertTrue(bn254Verifier.verifyCertificateProportion(generatorSet, generatorCertificate(MESSAGE), bps(10_000)));
    }

    function testFuzz_signatureOfAnyOtherKeyFails(uint256 key, bytes32 message) public {
        key = bound(key, 0, Bn254.GROUP_ORDER - 1);
        vm.assume(key != GENERATOR_KEY);
        BN254Certificate memory cert = generatorCertificate(message);
        cert.signature = signBn254(bn254Verifier.calculateCertificateDigest(1, message), key);
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        bn254Verifier.verifyCertificate(generatorSet, cert);
    }

    /// @dev A signature that fits its apk is worth nothing if the apk is not the G2 form of the stored key.
    function test_keyOfAnotherSignerFails() public {
        BN254Certificate memory cert = generatorCertificate(MESSAGE);
        cert.apk = Bn254.generatorG2();
        cert.signature = signBn254(bn254Verifier.calculateCertificateDigest(1, MESSAGE), 1);
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        bn254Verifier.verifyCertificate(generatorSet, cert);
    }

    function test_zeroSignatureWithZeroKeyFails() public {
        BN254Certificate memory cert = generatorCertificate(MESSAGE);
        cert.signature = G1Point(0, 0);
        cert.apk = G2Point([uint256(0), 0], [uint256(0), 0]);
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        bn254Verifier.verifyCertificate(generatorSet, cert);
    }

    function test_pointsOffTheCurveFailWithoutBurningGas() public {
        BN254Certificate memory cert = generatorCertificate(MESSAGE);
        cert.signature = G1Point(1, 1);
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        bn254Verifier.verifyCertificate{ gas: 1_000_000 }(generatorSet, cert);
        cert = generatorCertificate(MESSAGE);
        cert.apk.X[0] += 1;
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        bn254Verifier.verifyCertificate{ gas: 1_000_000 }(generatorSet, cert);
    }

    function test_otherMessageFails() public {
        BN254Certificate memory cert = generatorCertificate(MESSAGE);
        cert.messageHash = keccak256("another message");
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        bn254Verifier.verifyCertificate(generatorSet, cert);
    }

    function test_generatorHasNoTableButTheFirst() public {
        BN254Certificate memory cert = generatorCertificate(MESSAGE);
        cert.referenceTimestamp = 2;
        vm.expectRevert(IBN254CertificateVerifier.ReferenceTimestampDoesNotExist.selector);
        bn254Verifier.verifyCertificate(generatorSet, cert);
        assertTrue(bn254Verifier.isReferenceTimestampSet(generatorSet, 1));
        assertEq(bn254Verifier.latestReferenceTimestamp(generatorSet), 1);
        assertEq(bn254Verifier.maxOperatorTableStaleness(generatorSet), 0);
        assertEq(bn254Verifier.getOperatorSetOwner(generatorSet), address(0));
        assertEq(bn254Verifier.getOperatorCount(generatorSet, 1), 1);
        assertEq(abi.encode(bn254Verifier.getOperatorSetInfo(generatorSet, 1)), abi.encode(generatorInfo()));
    }

    function test_nominalThresholdIsInclusive() public {
        uint256[] memory threshold = new uint256[](1);
        threshold[0] = 1;
        assertTrue(bn254Verifier.verifyCertificateNominal(generatorSet, generatorCertificate(MESSAGE), threshold));
        threshold[0] = 2;
        assertFalse(bn254Verifier.verifyCertificateNominal(generatorSet, generatorCertificate(MESSAGE), threshold));
    }

    function test_wrongNumberOfThresholdsReverts() public {
        BN254Certificate memory cert = generatorCertificate(MESSAGE);
        vm.expectRevert(IBN254CertificateVerifier.ArrayLengthMismatch.selector);
        bn254Verifier.verifyCertificateProportion(generatorSet, cert, new uint16[](0));
        vm.expectRevert(IBN254CertificateVerifier.ArrayLengthMismatch.selector);
        bn254Verifier.verifyCertificateNominal(generatorSet, cert, new uint256[](2));
    }

    function test_onlyTheUpdaterStoresTables() public {
        vm.expectRevert(IBN254CertificateVerifier.OnlyTableUpdater.selector);
        bn254Verifier.updateOperatorTable(generatorSet, 2, generatorInfo(), OperatorSetConfig(address(0), 0));
        vm.prank(address(updater));
        vm.expectRevert(IBN254CertificateVerifier.TableUpdateStale.selector);
        bn254Verifier.updateOperatorTable(generatorSet, 1, generatorInfo(), OperatorSetConfig(address(0), 0));
    }

    /// @dev The first x from the digest on whose x^3 + 3 has a root, computed with @noble/curves; six x are skipped for the first digest.
    function test_hashToG1EqualsIndependentVectors() public view {
        G1Point memory point = Bn254.hashToG1(keccak256("vector 1"));
        assertEq(point.X, 10784125993868102147484783054767832135079676704652766797751398872607729635349);
        assertEq(point.Y, 7726953634420265741441675104044872169621305291976060009725449344728144006280);
        point = Bn254.hashToG1(bytes32(type(uint256).max));
        assertEq(point.X, 6350874878119819312338956282401532409788428879151445726012394534686998597020);
        assertEq(point.Y, 9382425333525343773979589293970912874995880615911074345993039062358358671562);
    }

    function testFuzz_hashToG1LiesOnTheCurve(bytes32 digest) public view {
        G1Point memory point = Bn254.hashToG1(digest);
        (bool onCurve, G1Point memory same) = Bn254.mul(point, 1);
        assertTrue(onCurve);
        assertEq(same.X, point.X);
        assertEq(same.Y, point.Y);
    }

    function bps(uint16 only) private pure returns (uint16[] memory thresholds) {
        thresholds = new uint16[](1);
        thresholds[0] = only;
    }
}
