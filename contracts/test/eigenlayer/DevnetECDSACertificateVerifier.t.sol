// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { stdError } from "forge-std/StdError.sol";
import { IECDSACertificateVerifier } from "../../src/eigenlayer/IECDSACertificateVerifier.sol";
import { OperatorSet, OperatorSetConfig, ECDSACertificate, ECDSAOperatorInfo } from "../../src/eigenlayer/EigenTypes.sol";
import { DevnetECDSACertificateVerifier } from "../../src/eigenlayer/devnet/DevnetECDSACertificateVerifier.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

/// @notice One test per rule of ECDSA certificates. Signers stand in ascending order of their addresses, with weights 10, 20 and 30.
contract DevnetECDSACertificateVerifierTest is EigenDevnetFixture {
    bytes32 private constant MESSAGE = keccak256("a batch");

    uint256[] private keys;
    uint32 private timestamp;

    function setUp() public override {
        super.setUp();
        keys = [uint256(0xa11ce), 0xb0b, 0xca401];
        for (uint256 i; i < keys.length; ++i) {
            for (uint256 j = i + 1; j < keys.length; ++j) {
                if (vm.addr(keys[j]) < vm.addr(keys[i])) (keys[i], keys[j]) = (keys[j], keys[i]);
            }
        }
        timestamp = transportInfos(tableOf(10, 20, 30));
    }

    // ------------------------------------------------------------------ digest

    function testFuzz_signedWeightIsTheSumOfTheSignersAndTheThresholdIsFloored(uint96[3] memory weight, uint8 who, uint16 thresholdBps)
        public
    {
        for (uint256 i; i < 3; ++i) {
            weight[i] = uint96(bound(weight[i], 1, type(uint96).max));
        }
        timestamp = transportInfos(tableOf(weight[0], weight[1], weight[2]));
        uint256 mask = bound(who, 1, 7);
        bytes memory signers;
        uint256 sum;
        for (uint256 i; i < 3; ++i) {
            if (mask & (1 << i) == 0) continue;
            signers = abi.encodePacked(signers, uint8(i));
            sum += weight[i];
        }
        (uint256[] memory signed,) = ecdsaVerifier.verifyCertificate(operatorSet, certificate(signers));
        assertEq(signed[0], sum);
        uint16[] memory thresholds = new uint16[](1);
        thresholds[0] = uint16(bound(thresholdBps, 0, 10_000));
        (bool reached,) = ecdsaVerifier.verifyCertificateProportion(operatorSet, certificate(signers), thresholds);
        assertEq(reached, sum >= (uint256(weight[0]) + weight[1] + weight[2]) * thresholds[0] / 10_000);
    }

    function test_digestIsEip712WithoutChainId() public {
        bytes32 domain = keccak256(
            abi.encode(
                0x91ab3d17e3a50a9d89e63fd30b92be7f5336b03b287bb946787a83a9d62a2766,
                keccak256("EigenLayer"),
                keccak256("1"),
                address(ecdsaVerifier)
            )
        );
        bytes32 structHash = keccak256(abi.encode(0xda346acb3ce99e7c5132bf8cafb159ad8085970ebfdba78007ef0fe163063d14, timestamp, MESSAGE));
        assertEq(ecdsaVerifier.domainSeparator(), domain);
        assertEq(ecdsaVerifier.calculateCertificateDigestBytes(timestamp, MESSAGE), abi.encodePacked(hex"1901", domain, structHash));
        bytes32 digest = ecdsaVerifier.calculateCertificateDigest(timestamp, MESSAGE);
        assertEq(digest, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        vm.chainId(block.chainid + 1);
        assertEq(ecdsaVerifier.calculateCertificateDigest(timestamp, MESSAGE), digest);
    }

    /// @dev The separators of the contracts that EigenLayer runs, at their addresses.
    function test_domainSeparatorEqualsEigenLayers() public {
        address sepolia = 0xb3Cd1A457dEa9A9A6F6406c6419B1c326670A96F;
        address mainnet = 0xd0930ee96D07de4F9d493c259232222e46B6EC25;
        for (uint256 i; i < 2; ++i) {
            address place = i == 0 ? mainnet : sepolia;
            deployCodeTo("DevnetECDSACertificateVerifier.sol", abi.encode(updater), place);
            assertEq(
                DevnetECDSACertificateVerifier(place).domainSeparator(),
                i == 0
                    ? bytes32(0x02e79e7e054746eb3d81d24dfbcecc909bd1cfd372f29c285d593d50951d483c)
                    : bytes32(0x2b45ce0a7a0081c4e8788bd3171105dcb618008462eb6973af8fdd37a49f0994)
            );
        }
    }

    // ------------------------------------------------------------------ what passes

    function test_verifyCertificateReturnsSignedWeightAndSigningKeysInCertificateOrder() public view {
        (uint256[] memory signed, address[] memory signers) = ecdsaVerifier.verifyCertificate(operatorSet, certificate(hex"0002"));
        assertEq(signed.length, 1);
        assertEq(signed[0], 40);
        assertEq(signers.length, 2);
        assertEq(signers[0], vm.addr(keys[0]));
        assertEq(signers[1], vm.addr(keys[2]));
    }

    function test_everyWeightOfAnOperatorIsSummedApart() public {
        ECDSAOperatorInfo[] memory infos = tableOf(10, 20, 30);
        for (uint256 i; i < 3; ++i) {
            uint256[] memory weights = new uint256[](2);
            weights[0] = infos[i].weights[0];
            weights[1] = i + 1;
            infos[i].weights = weights;
        }
        timestamp = transportInfos(infos);
        (uint256[] memory signed,) = ecdsaVerifier.verifyCertificate(operatorSet, certificate(hex"0102"));
        assertEq(signed[0], 50);
        assertEq(signed[1], 5);
    }

    // ------------------------------------------------------------------ order of checks

    function test_staleCertificateRevertsFirst() public {
        vm.warp(timestamp + MAX_STALENESS);
        ecdsaVerifier.verifyCertificate(operatorSet, certificate(hex"00"));
        vm.warp(timestamp + MAX_STALENESS + 1);
        disableRootOf(timestamp);
        ECDSACertificate memory cert = certificate(hex"00");
        vm.expectRevert(IECDSACertificateVerifier.CertificateStale.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_staleBeatsUnknownTimestamp() public {
        ECDSACertificate memory cert = certificate(hex"00");
        cert.referenceTimestamp = uint32(block.timestamp - MAX_STALENESS - 1);
        vm.expectRevert(IECDSACertificateVerifier.CertificateStale.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_unknownTimestampReverts() public {
        ECDSACertificate memory cert = certificate(hex"00");
        cert.referenceTimestamp = timestamp - 1;
        vm.expectRevert(IECDSACertificateVerifier.ReferenceTimestampDoesNotExist.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_setWithoutTableReverts() public {
        ECDSACertificate memory cert = certificate(hex"00");
        vm.expectRevert(IECDSACertificateVerifier.ReferenceTimestampDoesNotExist.selector);
        ecdsaVerifier.verifyCertificate(OperatorSet(avs, 8), cert);
    }

    function test_disabledRootRevertsBeforeSignaturesAreRead() public {
        disableRootOf(timestamp);
        ECDSACertificate memory cert = certificate(hex"00");
        cert.sig = "";
        vm.expectRevert(IECDSACertificateVerifier.RootDisabled.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_confirmingEqualContentAgainRevivesTheDisabledRoot() public {
        ECDSACertificate memory cert = certificate(hex"00");
        disableRootOf(timestamp);
        transportInfos(tableOf(10, 20, 30));
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_absurdTimestampOverflowsTheStalenessSum() public {
        ECDSACertificate memory cert = certificate(hex"00");
        cert.referenceTimestamp = type(uint32).max;
        vm.expectRevert(stdError.arithmeticError);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_zeroStalenessMeansForEver() public {
        vm.prank(avs);
        crossChainRegistry.setOperatorSetConfig(operatorSet, OperatorSetConfig(tableOwner, 0));
        Operator memory operator = joinSet("solo", 5e18);
        timestamp = transportTable();
        vm.warp(timestamp + 3650 days);
        ECDSACertificate memory cert = ECDSACertificate(timestamp, MESSAGE, sign(operator.signingKey, digestOf(timestamp)));
        (uint256[] memory signed,) = ecdsaVerifier.verifyCertificate(operatorSet, cert);
        assertEq(signed[0], 5e18);
    }

    function test_currentStalenessAppliesToOldTables() public {
        ECDSACertificate memory cert = certificate(hex"00");
        vm.prank(avs);
        crossChainRegistry.setOperatorSetConfig(operatorSet, OperatorSetConfig(tableOwner, CADENCE));
        joinSet("solo", 5e18);
        vm.warp(timestamp + CADENCE + 1 - 12);
        transportTable();
        vm.expectRevert(IECDSACertificateVerifier.CertificateStale.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_olderStoredTableStaysUsable() public {
        ECDSACertificate memory cert = certificate(hex"0102");
        transportInfos(tableOf(1, 2, 3));
        (uint256[] memory signed,) = ecdsaVerifier.verifyCertificate(operatorSet, cert);
        assertEq(signed[0], 50);
    }

    // ------------------------------------------------------------------ signatures

    function test_emptySignatureReverts() public {
        ECDSACertificate memory cert = certificate("");
        vm.expectRevert(IECDSACertificateVerifier.InvalidSignatureLength.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_oddLengthReverts() public {
        ECDSACertificate memory cert = certificate(hex"0001");
        cert.sig = abi.encodePacked(cert.sig, hex"00");
        vm.expectRevert(IECDSACertificateVerifier.InvalidSignatureLength.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_descendingSignersRevert() public {
        ECDSACertificate memory cert = certificate(hex"0100");
        vm.expectRevert(IECDSACertificateVerifier.SignersNotOrdered.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_duplicateSignerReverts() public {
        ECDSACertificate memory cert = certificate(hex"0101");
        vm.expectRevert(IECDSACertificateVerifier.SignersNotOrdered.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_highSReverts() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[0], digestOf(timestamp));
        bytes memory malleated = abi.encodePacked(r, bytes32(SECP256K1_ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        expectInvalidSignature(malleated);
    }

    function test_recoveryIdOfZeroOrOneReverts() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[0], digestOf(timestamp));
        expectInvalidSignature(abi.encodePacked(r, s, v - 27));
    }

    function test_zeroSignatureReverts() public {
        expectInvalidSignature(new bytes(65));
    }

    function test_oneStrangerRevertsTheWholeCertificate() public {
        uint256 stranger = 0x57a4;
        bytes memory strangers = sign(stranger, digestOf(timestamp));
        bytes memory insiders = sign(keys[0], digestOf(timestamp));
        bool strangerFirst = vm.addr(stranger) < vm.addr(keys[0]);
        ECDSACertificate memory cert = certificate("");
        cert.sig = strangerFirst ? abi.encodePacked(strangers, insiders) : abi.encodePacked(insiders, strangers);
        vm.expectRevert(IECDSACertificateVerifier.VerificationFailed.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_personalSignReverts() public {
        bytes32 prefixed = keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", digestOf(timestamp)));
        ECDSACertificate memory cert = certificate("");
        cert.sig = sign(keys[0], prefixed);
        vm.expectRevert(IECDSACertificateVerifier.VerificationFailed.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_signatureForAnotherTableReverts() public {
        ECDSACertificate memory cert = certificate(hex"00");
        cert.referenceTimestamp = transportInfos(tableOf(10, 20, 30));
        vm.expectRevert(IECDSACertificateVerifier.VerificationFailed.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_operatorsOwnKeyIsNotASigningKey() public {
        (address account, uint256 accountKey) = makeAddrAndKey("solo");
        Operator memory operator = joinSet("solo", 5e18);
        assertEq(operator.account, account);
        timestamp = transportTable();
        ECDSACertificate memory cert = ECDSACertificate(timestamp, MESSAGE, sign(accountKey, digestOf(timestamp)));
        vm.expectRevert(IECDSACertificateVerifier.VerificationFailed.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function test_contractSignaturesAreNotAccepted() public {
        AcceptsEverySignature wallet = new AcceptsEverySignature();
        ECDSAOperatorInfo[] memory infos = tableOf(10, 20, 30);
        infos[0].pubkey = address(wallet);
        timestamp = transportInfos(infos);
        expectInvalidSignature(new bytes(65));
    }

    // ------------------------------------------------------------------ thresholds

    function test_tooLittleWeightReturnsFalse() public view {
        (bool reached, address[] memory signers) = ecdsaVerifier.verifyCertificateProportion(operatorSet, certificate(hex"01"), bps(6667));
        assertFalse(reached);
        assertEq(signers.length, 1);
    }

    /// @dev 50 of 60 is 83.33 %; 60 * 8499 / 10000 floors to 50, 60 * 8500 / 10000 is 51.
    function test_proportionThresholdIsFloored() public view {
        ECDSACertificate memory cert = certificate(hex"0102");
        (bool atFloor,) = ecdsaVerifier.verifyCertificateProportion(operatorSet, cert, bps(8499));
        (bool above,) = ecdsaVerifier.verifyCertificateProportion(operatorSet, cert, bps(8500));
        assertTrue(atFloor);
        assertFalse(above);
    }

    function test_nominalThresholdIsInclusive() public view {
        ECDSACertificate memory cert = certificate(hex"0102");
        uint256[] memory threshold = new uint256[](1);
        threshold[0] = 50;
        (bool equal,) = ecdsaVerifier.verifyCertificateNominal(operatorSet, cert, threshold);
        threshold[0] = 51;
        (bool above,) = ecdsaVerifier.verifyCertificateNominal(operatorSet, cert, threshold);
        assertTrue(equal);
        assertFalse(above);
    }

    function test_wrongNumberOfThresholdsReverts() public {
        ECDSACertificate memory cert = certificate(hex"0102");
        vm.expectRevert(IECDSACertificateVerifier.ArrayLengthMismatch.selector);
        ecdsaVerifier.verifyCertificateProportion(operatorSet, cert, new uint16[](2));
        vm.expectRevert(IECDSACertificateVerifier.ArrayLengthMismatch.selector);
        ecdsaVerifier.verifyCertificateNominal(operatorSet, cert, new uint256[](0));
    }

    // ------------------------------------------------------------------ tables

    function test_onlyTheUpdaterStoresTables() public {
        vm.expectRevert(IECDSACertificateVerifier.OnlyTableUpdater.selector);
        ecdsaVerifier.updateOperatorTable(operatorSet, timestamp + 1, tableOf(1, 2, 3), OperatorSetConfig(tableOwner, 0));
    }

    function test_tableMustBeNewerThanTheLatest() public {
        vm.prank(address(updater));
        vm.expectRevert(IECDSACertificateVerifier.TableUpdateStale.selector);
        ecdsaVerifier.updateOperatorTable(operatorSet, timestamp, tableOf(1, 2, 3), OperatorSetConfig(tableOwner, 0));
    }

    function test_storedTableIsReadBack() public {
        ECDSAOperatorInfo[] memory infos = tableOf(10, 20, 30);
        assertEq(abi.encode(ecdsaVerifier.getOperatorInfos(operatorSet, timestamp)), abi.encode(infos));
        assertEq(abi.encode(ecdsaVerifier.getOperatorInfo(operatorSet, timestamp, 2)), abi.encode(infos[2]));
        assertEq(ecdsaVerifier.getOperatorCount(operatorSet, timestamp), 3);
        assertEq(ecdsaVerifier.getTotalStakeWeights(operatorSet, timestamp)[0], 60);
        assertEq(ecdsaVerifier.latestReferenceTimestamp(operatorSet), timestamp);
        assertTrue(ecdsaVerifier.isReferenceTimestampSet(operatorSet, timestamp));
        assertEq(ecdsaVerifier.maxOperatorTableStaleness(operatorSet), MAX_STALENESS);
        assertEq(ecdsaVerifier.getOperatorSetOwner(operatorSet), tableOwner);
        vm.expectRevert(IECDSACertificateVerifier.IndexOutOfBounds.selector);
        ecdsaVerifier.getOperatorInfo(operatorSet, timestamp, 3);
    }

    function test_tableUpdatedNamesTheWholeTable() public {
        ECDSAOperatorInfo[] memory infos = tableOf(1, 2, 3);
        vm.prank(address(updater));
        vm.expectEmit(address(ecdsaVerifier));
        emit IECDSACertificateVerifier.TableUpdated(operatorSet, timestamp + 1, infos);
        ecdsaVerifier.updateOperatorTable(operatorSet, timestamp + 1, infos, OperatorSetConfig(tableOwner, 0));
    }

    function test_emptyTableRevertsEveryCertificate() public {
        timestamp = transportInfos(new ECDSAOperatorInfo[](0));
        ECDSACertificate memory cert = certificate(hex"00");
        vm.expectRevert(IECDSACertificateVerifier.OperatorCountZero.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
        vm.expectRevert(IECDSACertificateVerifier.OperatorCountZero.selector);
        ecdsaVerifier.getTotalStakeWeights(operatorSet, timestamp);
    }

    // ------------------------------------------------------------------ building blocks

    function tableOf(uint256 a, uint256 b, uint256 c) private view returns (ECDSAOperatorInfo[] memory infos) {
        uint256[3] memory weight = [a, b, c];
        infos = new ECDSAOperatorInfo[](3);
        for (uint256 i; i < 3; ++i) {
            infos[i] = ECDSAOperatorInfo(vm.addr(keys[i]), new uint256[](1));
            infos[i].weights[0] = weight[i];
        }
    }

    /// @param signers Indexes into `keys`, one byte each, in the order of the signatures.
    function certificate(bytes memory signers) private view returns (ECDSACertificate memory cert) {
        cert.referenceTimestamp = timestamp;
        cert.messageHash = MESSAGE;
        for (uint256 i; i < signers.length; ++i) {
            cert.sig = abi.encodePacked(cert.sig, sign(keys[uint8(signers[i])], digestOf(timestamp)));
        }
    }

    function digestOf(uint32 referenceTimestamp) private view returns (bytes32) {
        return ecdsaVerifier.calculateCertificateDigest(referenceTimestamp, MESSAGE);
    }

    function expectInvalidSignature(bytes memory signature) private {
        ECDSACertificate memory cert = certificate("");
        cert.sig = signature;
        vm.expectRevert(IECDSACertificateVerifier.InvalidSignature.selector);
        ecdsaVerifier.verifyCertificate(operatorSet, cert);
    }

    function disableRootOf(uint32 referenceTimestamp) private {
        bytes32 root = updater.getGlobalTableRootByTimestamp(referenceTimestamp);
        vm.prank(pauser);
        updater.disableRoot(root);
    }

    function bps(uint16 only) private pure returns (uint16[] memory thresholds) {
        thresholds = new uint16[](1);
        thresholds[0] = only;
    }
}

contract AcceptsEverySignature {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return this.isValidSignature.selector;
    }
}
