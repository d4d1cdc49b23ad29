// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBN254CertificateVerifier } from "../IBN254CertificateVerifier.sol";
import { IOperatorTableUpdater } from "../IOperatorTableUpdater.sol";
import { OperatorSets } from "../OperatorSets.sol";
import { OperatorSet, OperatorSetConfig, BN254Certificate, BN254OperatorSetInfo, G1Point, G2Point } from "../EigenTypes.sol";
import { Bn254 } from "./Bn254.sol";

/// @title Checks BN254 certificates of the table generator, for a chain that has no EigenLayer.
/// @dev Certificates must be signed by the whole set: witnesses of operators that did not sign are refused, which is all a generator of
/// one key needs. A point off the curve fails the certificate and does not burn the caller's gas.
contract DevnetBN254CertificateVerifier is IBN254CertificateVerifier {
    using OperatorSets for OperatorSet;

    struct Table {
        uint32 latestReferenceTimestamp;
        OperatorSetConfig config;
        mapping(uint32 referenceTimestamp => bool) isSet;
        mapping(uint32 referenceTimestamp => BN254OperatorSetInfo) infos;
    }

    /// @dev keccak256("BN254Certificate(uint32 referenceTimestamp,bytes32 messageHash)").
    bytes32 private constant CERTIFICATE_TYPEHASH = 0xd9f77a423768f4b0526fa60a7c732334516a93f1d228dce50ad804ea74ced36e;
    uint256 private constant BPS_DENOMINATOR = 10_000;
    uint256 private constant PAIRING_GAS = 400_000;

    IOperatorTableUpdater public immutable operatorTableUpdater;

    mapping(bytes32 setKey => Table) private _tables;

    constructor(IOperatorTableUpdater operatorTableUpdater_) {
        operatorTableUpdater = operatorTableUpdater_;
    }

    function updateOperatorTable(
        OperatorSet calldata operatorSet,
        uint32 referenceTimestamp,
        BN254OperatorSetInfo calldata operatorSetInfo,
        OperatorSetConfig calldata operatorSetConfig
    ) external {
        require(msg.sender == address(operatorTableUpdater), OnlyTableUpdater());
        Table storage table = _tables[operatorSet.key()];
        require(referenceTimestamp > table.latestReferenceTimestamp, TableUpdateStale());
        table.latestReferenceTimestamp = referenceTimestamp;
        table.config = operatorSetConfig;
        table.isSet[referenceTimestamp] = true;
        table.infos[referenceTimestamp] = operatorSetInfo;
        emit TableUpdated(operatorSet, referenceTimestamp, operatorSetInfo);
    }

    function verifyCertificate(OperatorSet memory operatorSet, BN254Certificate memory cert) external view returns (uint256[] memory) {
        return _verify(operatorSet, cert);
    }

    function verifyCertificateProportion(
        OperatorSet memory operatorSet,
        BN254Certificate memory cert,
        uint16[] memory totalStakeProportionThresholds
    ) external view returns (bool) {
        uint256[] memory signed = _verify(operatorSet, cert);
        uint256[] memory total = getTotalStakeWeights(operatorSet, cert.referenceTimestamp);
        require(signed.length == totalStakeProportionThresholds.length, ArrayLengthMismatch());
        for (uint256 i; i < signed.length; ++i) {
            // Rounded down, so a threshold is never stricter than its basis points.
            if (signed[i] < (total[i] * totalStakeProportionThresholds[i]) / BPS_DENOMINATOR) return false;
        }
        return true;
    }

    function verifyCertificateNominal(
        OperatorSet memory operatorSet,
        BN254Certificate memory cert,
        uint256[] memory totalStakeNominalThresholds
    ) external view returns (bool) {
        uint256[] memory signed = _verify(operatorSet, cert);
        require(signed.length == totalStakeNominalThresholds.length, ArrayLengthMismatch());
        for (uint256 i; i < signed.length; ++i) {
            if (signed[i] < totalStakeNominalThresholds[i]) return false;
        }
        return true;
    }

    /// @notice Checks signature and both forms of the public key in one pairing, weighted by a challenge over all inputs.
    function trySignatureVerification(bytes32 msgHash, G1Point memory aggPubkey, G2Point memory apkG2, G1Point memory signature)
        public
        view
        returns (bool pairingSuccessful, bool signatureValid)
    {
        uint256 challenge = uint256(keccak256(abi.encode(msgHash, aggPubkey, apkG2, signature))) % Bn254.GROUP_ORDER;
        (bool okKey, G1Point memory weightedKey) = Bn254.mul(aggPubkey, challenge);
        (bool okLeft, G1Point memory left) = Bn254.add(signature, weightedKey);
        (, G1Point memory weightedGenerator) = Bn254.mul(Bn254.generatorG1(), challenge);
        (, G1Point memory right) = Bn254.add(Bn254.hashToG1(msgHash), weightedGenerator);
        if (!okKey || !okLeft) return (false, false);
        return Bn254.pairing(left, Bn254.negatedGeneratorG2(), right, apkG2, PAIRING_GAS);
    }

    function latestReferenceTimestamp(OperatorSet memory operatorSet) external view returns (uint32) {
        return _tables[operatorSet.key()].latestReferenceTimestamp;
    }

    function isReferenceTimestampSet(OperatorSet memory operatorSet, uint32 referenceTimestamp) external view returns (bool) {
        return _tables[operatorSet.key()].isSet[referenceTimestamp];
    }

    function maxOperatorTableStaleness(OperatorSet memory operatorSet) external view returns (uint32) {
        return _tables[operatorSet.key()].config.maxStalenessPeriod;
    }

    function getOperatorSetOwner(OperatorSet memory operatorSet) external view returns (address) {
        return _tables[operatorSet.key()].config.owner;
    }

    function getTotalStakeWeights(OperatorSet memory operatorSet, uint32 referenceTimestamp) public view returns (uint256[] memory) {
        return _tables[operatorSet.key()].infos[referenceTimestamp].totalWeights;
    }

    function getOperatorCount(OperatorSet memory operatorSet, uint32 referenceTimestamp) external view returns (uint256) {
        return _tables[operatorSet.key()].infos[referenceTimestamp].numOperators;
    }

    function getOperatorSetInfo(OperatorSet memory operatorSet, uint32 referenceTimestamp)
        external
        view
        returns (BN254OperatorSetInfo memory)
    {
        return _tables[operatorSet.key()].infos[referenceTimestamp];
    }

    function calculateCertificateDigest(uint32 referenceTimestamp, bytes32 messageHash) public pure returns (bytes32) {
        return keccak256(abi.encode(CERTIFICATE_TYPEHASH, referenceTimestamp, messageHash));
    }

    function _verify(OperatorSet memory operatorSet, BN254Certificate memory cert) private view returns (uint256[] memory) {
        Table storage table = _tables[operatorSet.key()];
        uint32 staleness = table.config.maxStalenessPeriod;
        require(staleness == 0 || block.timestamp <= cert.referenceTimestamp + staleness, CertificateStale());
        require(table.isSet[cert.referenceTimestamp], ReferenceTimestampDoesNotExist());
        require(operatorTableUpdater.isRootValidByTimestamp(cert.referenceTimestamp), RootDisabled());
        require(cert.nonSignerWitnesses.length == 0, VerificationFailed());

        BN254OperatorSetInfo storage info = table.infos[cert.referenceTimestamp];
        bytes32 digest = calculateCertificateDigest(cert.referenceTimestamp, cert.messageHash);
        (bool pairingSuccessful, bool signatureValid) = trySignatureVerification(digest, info.aggregatePubkey, cert.apk, cert.signature);
        require(pairingSuccessful && signatureValid, VerificationFailed());
        return info.totalWeights;
    }
}
