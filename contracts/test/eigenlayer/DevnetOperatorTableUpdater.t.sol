// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBN254CertificateVerifier } from "../../src/eigenlayer/IBN254CertificateVerifier.sol";
import { IOperatorTableUpdater } from "../../src/eigenlayer/IOperatorTableUpdater.sol";
import { OperatorSet, OperatorSetConfig, CurveType, ECDSAOperatorInfo, BN254Certificate } from "../../src/eigenlayer/EigenTypes.sol";
import { DevnetOperatorTableUpdater } from "../../src/eigenlayer/devnet/DevnetOperatorTableUpdater.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

contract DevnetOperatorTableUpdaterTest is EigenDevnetFixture {
    bytes32 private constant ROOT = keccak256("a root");

    // ------------------------------------------------------------------ confirmGlobalTableRoot

    function testFuzz_certificateCertifiesItsOwnRootAlone(bytes32 root) public {
        // The generator's own root is valid from the deployment on.
        vm.assume(root != ROOT && !updater.isRootValid(root));
        uint32 timestamp = nextTimestamp();
        BN254Certificate memory cert = rootCertificate(ROOT, timestamp);
        vm.expectRevert(IOperatorTableUpdater.InvalidMessageHash.selector);
        updater.confirmGlobalTableRoot(cert, root, timestamp, uint32(block.number));
        updater.confirmGlobalTableRoot(cert, ROOT, timestamp, uint32(block.number));
        assertEq(updater.getCurrentGlobalTableRoot(), ROOT);
        assertFalse(updater.isRootValid(root));
    }

    function test_confirmedRootIsStoredByTimestampAndBlock() public {
        uint32 timestamp = nextTimestamp();
        BN254Certificate memory cert = rootCertificate(ROOT, timestamp);
        vm.expectEmit(address(updater));
        emit IOperatorTableUpdater.NewGlobalTableRoot(timestamp, ROOT);
        updater.confirmGlobalTableRoot(cert, ROOT, timestamp, uint32(block.number));
        assertEq(updater.getCurrentGlobalTableRoot(), ROOT);
        assertEq(updater.getGlobalTableRootByTimestamp(timestamp), ROOT);
        assertEq(updater.getLatestReferenceTimestamp(), timestamp);
        assertEq(updater.getLatestReferenceBlockNumber(), block.number);
        assertEq(updater.getReferenceBlockNumberByTimestamp(timestamp), block.number);
        assertEq(updater.getReferenceTimestampByBlockNumber(uint32(block.number)), timestamp);
        assertTrue(updater.isRootValid(ROOT));
        assertTrue(updater.isRootValidByTimestamp(timestamp));
    }

    function test_messageHashAndDigestHaveNoDomain() public view {
        bytes32 messageHash = keccak256(
            abi.encode(bytes32(0x4491f5ee91595f938885ef73c9a1fa8a6d14ff9b9dab4aa24b8802bbb9bfc1cc), ROOT, uint256(12), uint256(34))
        );
        assertEq(
            keccak256("GlobalTableRootCert(bytes32 globalTableRoot,uint32 referenceTimestamp,uint32 referenceBlockNumber)"),
            0x4491f5ee91595f938885ef73c9a1fa8a6d14ff9b9dab4aa24b8802bbb9bfc1cc
        );
        assertEq(updater.getGlobalTableUpdateMessageHash(ROOT, 12, 34), messageHash);
        assertEq(
            updater.getGlobalTableUpdateSignableDigest(ROOT, 12, 34),
            keccak256(abi.encode(bytes32(0xd9f77a423768f4b0526fa60a7c732334516a93f1d228dce50ad804ea74ced36e), uint256(1), messageHash))
        );
    }

    function test_rootFromTheFutureReverts() public {
        uint32 timestamp = uint32(block.timestamp) + 1;
        BN254Certificate memory cert = rootCertificate(ROOT, timestamp);
        vm.expectRevert(IOperatorTableUpdater.GlobalTableRootInFuture.selector);
        updater.confirmGlobalTableRoot(cert, ROOT, timestamp, uint32(block.number));
    }

    function test_timestampsStrictlyIncreaseFromDeployment() public {
        uint32 deployedAt = updater.getLatestReferenceTimestamp();
        assertEq(deployedAt, block.timestamp);
        BN254Certificate memory cert = rootCertificate(ROOT, deployedAt);
        vm.expectRevert(IOperatorTableUpdater.GlobalTableRootStale.selector);
        updater.confirmGlobalTableRoot(cert, ROOT, deployedAt, uint32(block.number));
    }

    function test_certificateMustSayThisRoot() public {
        uint32 timestamp = nextTimestamp();
        BN254Certificate memory cert = rootCertificate(ROOT, timestamp);
        vm.expectRevert(IOperatorTableUpdater.InvalidMessageHash.selector);
        updater.confirmGlobalTableRoot(cert, keccak256("another root"), timestamp, uint32(block.number));
    }

    function test_anotherKeyIsRefusedByTheVerifier() public {
        uint32 timestamp = nextTimestamp();
        BN254Certificate memory cert = rootCertificate(ROOT, timestamp);
        cert.signature = signBn254(updater.getGlobalTableUpdateSignableDigest(ROOT, timestamp, uint32(block.number)), 5);
        vm.expectRevert(IBN254CertificateVerifier.VerificationFailed.selector);
        updater.confirmGlobalTableRoot(cert, ROOT, timestamp, uint32(block.number));
    }

    function test_generatorStandsAtTimestampOneForEver() public {
        assertEq(updater.getGeneratorReferenceTimestamp(), 1);
        assertTrue(updater.isRootValidByTimestamp(1));
        assertEq(updater.getGlobalTableRootByTimestamp(1), keccak256("GENERATOR_GLOBAL_TABLE_ROOT"));
        assertEq(updater.getGeneratorConfig().maxStalenessPeriod, 0);
        assertEq(updater.getGenerator().avs, generatorSet.avs);
        vm.prank(pauser);
        vm.expectRevert(DevnetOperatorTableUpdater.CannotDisableGeneratorRoot.selector);
        updater.disableRoot(keccak256("GENERATOR_GLOBAL_TABLE_ROOT"));
    }

    // ------------------------------------------------------------------ updateOperatorTable: checks in order

    function test_unknownRootIsRefusedFirst() public {
        vm.expectRevert(IOperatorTableUpdater.InvalidRoot.selector);
        updater.updateOperatorTable(1, ROOT, 0, "", tableOf(generatorSet, 1));
    }

    function test_disabledRootIsRefused() public {
        uint32 timestamp = nextTimestamp();
        bytes memory table = tableOf(operatorSet, 1);
        confirmRoot(leafOf(table), timestamp);
        vm.prank(pauser);
        updater.disableRoot(leafOf(table));
        vm.expectRevert(IOperatorTableUpdater.InvalidRoot.selector);
        updater.updateOperatorTable(timestamp, leafOf(table), 0, "", table);
    }

    function test_generatorsOwnSetIsRefused() public {
        uint32 timestamp = nextTimestamp();
        bytes memory table = tableOf(generatorSet, 1);
        confirmRoot(leafOf(table), timestamp);
        vm.expectRevert(IOperatorTableUpdater.InvalidOperatorSet.selector);
        updater.updateOperatorTable(timestamp, leafOf(table), 0, "", table);
    }

    function test_secondUpdateOfOneTimestampReturnsSilentlyWhateverItsProof() public {
        uint32 timestamp = nextTimestamp();
        bytes memory table = tableOf(operatorSet, 1);
        confirmRoot(leafOf(table), timestamp);
        updater.updateOperatorTable(timestamp, leafOf(table), 0, "", table);
        updater.updateOperatorTable(timestamp, leafOf(table), 3, hex"01", tableOf(operatorSet, 2));
        assertEq(ecdsaVerifier.getTotalStakeWeights(operatorSet, timestamp)[0], 1);
    }

    function test_tableOlderThanTheSetsLatestReverts() public {
        bytes memory older = tableOf(operatorSet, 1);
        bytes memory newer = tableOf(operatorSet, 2);
        uint32 olderTimestamp = nextTimestamp();
        confirmRoot(leafOf(older), olderTimestamp);
        uint32 newerTimestamp = nextTimestamp();
        confirmRoot(leafOf(newer), newerTimestamp);
        updater.updateOperatorTable(newerTimestamp, leafOf(newer), 0, "", newer);
        vm.expectRevert(IOperatorTableUpdater.TableUpdateForPastTimestamp.selector);
        updater.updateOperatorTable(olderTimestamp, leafOf(older), 0, "", older);
    }

    function test_aSetLeftOutMayTakeAnOlderConfirmedRoot() public {
        bytes memory older = tableOf(operatorSet, 1);
        uint32 olderTimestamp = nextTimestamp();
        confirmRoot(leafOf(older), olderTimestamp);
        confirmRoot(ROOT, nextTimestamp());
        updater.updateOperatorTable(olderTimestamp, leafOf(older), 0, "", older);
        assertEq(ecdsaVerifier.latestReferenceTimestamp(operatorSet), olderTimestamp);
    }

    function test_rootMustBeTheOneOfTheTimestamp() public {
        bytes memory table = tableOf(operatorSet, 1);
        uint32 timestamp = nextTimestamp();
        confirmRoot(leafOf(table), timestamp);
        confirmRoot(ROOT, nextTimestamp());
        vm.expectRevert(IOperatorTableUpdater.InvalidGlobalTableRoot.selector);
        updater.updateOperatorTable(timestamp, ROOT, 0, "", table);
    }

    function test_tableMustBeInTheRoot() public {
        uint32 timestamp = nextTimestamp();
        bytes memory table = tableOf(operatorSet, 1);
        confirmRoot(leafOf(table), timestamp);
        vm.expectRevert(IOperatorTableUpdater.InvalidOperatorSetProof.selector);
        updater.updateOperatorTable(timestamp, leafOf(table), 0, "", tableOf(operatorSet, 2));
    }

    /// @dev Three leaves are padded to four with a zero word; pairs are hashed in their order.
    function test_tableIsProvenByIndexAndSiblings() public {
        OperatorSet[3] memory sets = [OperatorSet(avs, 1), operatorSet, OperatorSet(avs, 9)];
        bytes[3] memory tables = [tableOf(sets[0], 1), tableOf(sets[1], 2), tableOf(sets[2], 3)];
        bytes32 left = keccak256(abi.encode(leafOf(tables[0]), leafOf(tables[1])));
        bytes32 right = keccak256(abi.encode(leafOf(tables[2]), bytes32(0)));
        bytes32 root = keccak256(abi.encode(left, right));
        uint32 timestamp = nextTimestamp();
        confirmRoot(root, timestamp);

        bytes memory proof = abi.encode(leafOf(tables[0]), right);
        vm.expectRevert(IOperatorTableUpdater.InvalidOperatorSetProof.selector);
        updater.updateOperatorTable(timestamp, root, 0, proof, tables[1]);
        vm.expectRevert(IOperatorTableUpdater.InvalidIndex.selector);
        updater.updateOperatorTable(timestamp, root, 5, proof, tables[1]);
        vm.expectRevert(IOperatorTableUpdater.InvalidProofLength.selector);
        updater.updateOperatorTable(timestamp, root, 1, abi.encodePacked(proof, hex"00"), tables[1]);

        updater.updateOperatorTable(timestamp, root, 1, proof, tables[1]);
        updater.updateOperatorTable(timestamp, root, 2, abi.encode(bytes32(0), left), tables[2]);
        assertEq(ecdsaVerifier.getTotalStakeWeights(sets[1], timestamp)[0], 2);
        assertEq(ecdsaVerifier.getTotalStakeWeights(sets[2], timestamp)[0], 3);
    }

    function test_curveWithoutVerifierIsRefused() public {
        uint32 timestamp = nextTimestamp();
        bytes memory table = abi.encode(operatorSet, CurveType.NONE, OperatorSetConfig(tableOwner, 0), bytes(""));
        confirmRoot(leafOf(table), timestamp);
        vm.expectRevert(IOperatorTableUpdater.InvalidCurveType.selector);
        updater.updateOperatorTable(timestamp, leafOf(table), 0, "", table);
    }

    function test_verifiersAreNamedByCurve() public {
        assertEq(updater.getCertificateVerifier(CurveType.ECDSA), address(ecdsaVerifier));
        assertEq(updater.getCertificateVerifier(CurveType.BN254), address(bn254Verifier));
        vm.expectRevert(IOperatorTableUpdater.InvalidCurveType.selector);
        updater.getCertificateVerifier(CurveType.NONE);
    }

    // ------------------------------------------------------------------ disableRoot

    function test_disablingARootHitsEveryTimestampWithItUntilItIsConfirmedAgain() public {
        uint32 first = nextTimestamp();
        confirmRoot(ROOT, first);
        uint32 second = nextTimestamp();
        confirmRoot(ROOT, second);
        vm.prank(pauser);
        updater.disableRoot(ROOT);
        assertFalse(updater.isRootValidByTimestamp(first));
        assertFalse(updater.isRootValidByTimestamp(second));
        confirmRoot(ROOT, nextTimestamp());
        assertTrue(updater.isRootValidByTimestamp(first));
        assertTrue(updater.isRootValidByTimestamp(second));
    }

    function test_onlyThePauserDisablesAndOnlyValidRoots() public {
        vm.expectRevert(DevnetOperatorTableUpdater.OnlyPauser.selector);
        updater.disableRoot(ROOT);
        vm.prank(pauser);
        vm.expectRevert(IOperatorTableUpdater.InvalidRoot.selector);
        updater.disableRoot(ROOT);
    }

    function tableOf(OperatorSet memory set, uint256 weight) private view returns (bytes memory) {
        ECDSAOperatorInfo[] memory infos = new ECDSAOperatorInfo[](1);
        infos[0] = ECDSAOperatorInfo(address(0xabc), new uint256[](1));
        infos[0].weights[0] = weight;
        return abi.encode(set, CurveType.ECDSA, OperatorSetConfig(tableOwner, MAX_STALENESS), abi.encode(infos));
    }
}
