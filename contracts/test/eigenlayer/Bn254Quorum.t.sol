// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBN254CertificateVerifier } from "../../src/eigenlayer/IBN254CertificateVerifier.sol";
import { IOperatorTableUpdater } from "../../src/eigenlayer/IOperatorTableUpdater.sol";
import {
    BN254Certificate,
    BN254OperatorInfo,
    BN254OperatorInfoWitness,
    BN254OperatorSetInfo,
    CurveType,
    OperatorSetConfig,
    G1Point,
    G2Point
} from "../../src/eigenlayer/EigenTypes.sol";
import { EigenMerkle } from "../../src/eigenlayer/devnet/EigenMerkle.sol";
import { Bn254TestKeys } from "./Bn254TestKeys.sol";
import { Bn254SetFixture } from "./Bn254SetFixture.sol";

/// @notice Certificates of a BN254 operator set with operators that did not sign.
contract Bn254QuorumTest is Bn254SetFixture {
    bytes32 private constant MESSAGE = keccak256("a batch");
    uint32 private table;

    /// @dev Secrets 1, 2 and 3 weigh 10, 20 and 30.
    function setUp() public override {
        super.setUp();
        joinBn254Set("first", 10e18, 1);
        joinBn254Set("second", 20e18, 2);
        joinBn254Set("third", 30e18, 3);
        table = transportBn254Table();
    }

    function test_tableArrives() public {
        BN254OperatorSetInfo memory info = bn254Verifier.getOperatorSetInfo(bn254Set, table);
        assertEq(info.numOperators, 3);
        assertEq(info.totalWeights[0], 60e18);
        G1Point memory sum = Bn254TestKeys.g1(6);
        assertEq(info.aggregatePubkey.X, sum.X);
        assertEq(info.aggregatePubkey.Y, sum.Y);
        assertEq(bn254Verifier.getOperatorSetOwner(bn254Set), tableOwner);
        assertEq(bn254Verifier.maxOperatorTableStaleness(bn254Set), MAX_STALENESS);
        bytes memory bytesOfTable = crossChainRegistry.calculateOperatorTableBytes(bn254Set);
        // Again is nothing; an older root is refused.
        updater.updateOperatorTable(table, leafOf(bytesOfTable), 0, "", bytesOfTable);
        uint32 later = transportBn254Table();
        assertEq(bn254Verifier.latestReferenceTimestamp(bn254Set), later);
        vm.expectRevert(IOperatorTableUpdater.TableUpdateForPastTimestamp.selector);
        updater.updateOperatorTable(later - 1, leafOf(bytesOfTable), 0, "", bytesOfTable);
    }

    function test_allSigned() public {
        assertEq(bn254Verifier.verifyCertificate(bn254Set, bn254Certificate(table, MESSAGE, 6, noIndices()))[0], 60e18);
    }

    function test_absentOperatorIsProvenOnceAndRemembered() public {
        BN254Certificate memory cert = bn254Certificate(table, MESSAGE, 4, indices(1));
        assertFalse(bn254Verifier.isNonsignerCached(bn254Set, table, 1));
        assertEq(bn254Verifier.verifyCertificate(bn254Set, cert)[0], 40e18);
        assertTrue(bn254Verifier.isNonsignerCached(bn254Set, table, 1));
        assertFalse(bn254Verifier.isNonsignerCached(bn254Set, table, 0));
        assertEq(
            abi.encode(bn254Verifier.getNonsignerOperatorInfo(bn254Set, table, 1)), abi.encode(cert.nonSignerWitnesses[0].operatorInfo)
        );
        // Anything goes as info and proof now, for this table only.
        cert.nonSignerWitnesses[0] = BN254OperatorInfoWitness(1, hex"00", BN254OperatorInfo(G1Point(1, 1), new uint256[](0)));
        assertEq(bn254Verifier.verifyCertificate(bn254Set, cert)[0], 40e18);
        uint32 later = transportBn254Table();
        BN254Certificate memory forLater = bn254Certificate(later, MESSAGE, 4, indices(1));
        forLater.nonSignerWitnesses[0] = cert.nonSignerWitnesses[0];
        vm.expectRevert(EigenMerkle.InvalidProofLength.selector);
        bn254Verifier.verifyCertificate(bn254Set, forLater);
    }

    function test_thresholdsCountSignedWeight() public {
        uint16[] memory bps = new uint16[](1);
        bps[0] = 6_666;
        assertTrue(bn254Verifier.verifyCertificateProportion(bn254Set, bn254Certificate(table, MESSAGE, 4, indices(1)), bps));
        bps[0] = 6_667;
        assertFalse(bn254Verifier.verifyCertificateProportion(bn254Set, bn254Certificate(table, MESSAGE, 4, indices(1)), bps));
        uint256[] memory nominal = new uint256[](1);
        nominal[0] = 50e18;
        assertTrue(bn254Verifier.verifyCertificateNominal(bn254Set, bn254Certificate(table, MESSAGE, 5, indices(0)), nominal));
        nominal[0] = 50e18 + 1;
        assertFalse(bn254Verifier.verifyCertificateNominal(bn254Set, bn254Certificate(table, MESSAGE, 5, indices(0)), nominal));
    }

    /// @dev Nobody signed, and the empty sums fit: only a positive threshold refuses it.
    function test_nobodySignedWeighsNothing() public {
        uint32[] memory all = new uint32[](3);
        (all[1], all[2]) = (1, 2);
        BN254Certificate memory cert = bn254Certificate(table, MESSAGE, 1, all);
        cert.signature = G1Point(0, 0);
        cert.apk = G2Point([uint256(0), 0], [uint256(0), 0]);
        assertEq(bn254Verifier.verifyCertificate(bn254Set, cert)[0], 0);
    }

    function test_concealedAbsenceFails() public {
        BN254Certificate memory cert = bn254Certificate(table, MESSAGE, 4, noIndices());
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        bn254Verifier.verifyCertificate(bn254Set, cert);
        cert = bn254Certificate(table, MESSAGE, 4, indices(0));
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        bn254Verifier.verifyCertificate(bn254Set, cert);
    }

    function test_witnessesAscendWithinTheTable() public {
        uint32[] memory twice = new uint32[](2);
        (twice[0], twice[1]) = (1, 1);
        BN254Certificate memory cert = bn254Certificate(table, MESSAGE, 2, twice);
        vm.expectRevert(IBN254CertificateVerifier.NonSignerIndicesNotSorted.selector);
        bn254Verifier.verifyCertificate(bn254Set, cert);
        cert = bn254Certificate(table, MESSAGE, 4, indices(1));
        cert.nonSignerWitnesses[0].operatorIndex = 3;
        vm.expectRevert(IBN254CertificateVerifier.InvalidOperatorIndex.selector);
        bn254Verifier.verifyCertificate(bn254Set, cert);
    }

    function test_witnessMustBeProven() public {
        BN254Certificate memory cert = bn254Certificate(table, MESSAGE, 4, indices(1));
        cert.nonSignerWitnesses[0].operatorInfo.weights[0] = 0;
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        bn254Verifier.verifyCertificate(bn254Set, cert);
        cert = bn254Certificate(table, MESSAGE, 4, indices(1));
        cert.nonSignerWitnesses[0].operatorIndex = 2;
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        bn254Verifier.verifyCertificate(bn254Set, cert);
        cert = bn254Certificate(table, MESSAGE, 4, indices(1));
        cert.nonSignerWitnesses[0].operatorInfoProof = "";
        vm.expectRevert(EigenMerkle.InvalidIndex.selector);
        bn254Verifier.verifyCertificate(bn254Set, cert);
    }

    function test_rootIsNeededForAWitness() public {
        BN254Certificate memory cert = generatorCertificate(MESSAGE);
        cert.nonSignerWitnesses = new BN254OperatorInfoWitness[](1);
        vm.expectRevert(EigenMerkle.EmptyRoot.selector);
        bn254Verifier.verifyCertificate(generatorSet, cert);
    }

    function test_staleAndDisabledTablesAreRefused() public {
        BN254Certificate memory cert = bn254Certificate(table, MESSAGE, 6, noIndices());
        bytes32 root = updater.getGlobalTableRootByTimestamp(table);
        vm.warp(uint256(table) + MAX_STALENESS);
        bn254Verifier.verifyCertificate(bn254Set, cert);
        vm.prank(pauser);
        updater.disableRoot(root);
        vm.expectRevert(IBN254CertificateVerifier.RootDisabled.selector);
        bn254Verifier.verifyCertificate(bn254Set, cert);
        vm.warp(uint256(table) + MAX_STALENESS + 1);
        vm.expectRevert(IBN254CertificateVerifier.CertificateStale.selector);
        bn254Verifier.verifyCertificate(bn254Set, cert);
    }

    /// @dev Every subset of signers weighs what its members weigh.
    function testFuzz_anySubsetWeighsWhatItIs(uint8 signers) public {
        signers = uint8(bound(signers, 1, 7));
        uint256 secret;
        uint256 weight;
        uint256 count;
        for (uint256 i; i < 3; ++i) {
            if (signers >> i & 1 == 1) {
                secret += i + 1;
                weight += (i + 1) * 10e18;
            } else {
                ++count;
            }
        }
        uint32[] memory absent = new uint32[](count);
        for (uint32 i = 3; i > 0; --i) {
            if (signers >> (i - 1) & 1 == 0) absent[--count] = i - 1;
        }
        assertEq(bn254Verifier.verifyCertificate(bn254Set, bn254Certificate(table, MESSAGE, secret, absent))[0], weight);
    }

    function test_emptyTableHasNoWeights() public {
        BN254OperatorSetInfo memory empty;
        bytes memory bytesOfTable = abi.encode(bn254Set, CurveType.BN254, OperatorSetConfig(tableOwner, 0), abi.encode(empty));
        uint32 timestamp = nextTimestamp();
        confirmRoot(leafOf(bytesOfTable), timestamp);
        updater.updateOperatorTable(timestamp, leafOf(bytesOfTable), 0, "", bytesOfTable);
        assertEq(bn254Verifier.getTotalStakeWeights(bn254Set, timestamp).length, 0);
        assertEq(bn254Verifier.getOperatorCount(bn254Set, timestamp), 0);
    }
}
