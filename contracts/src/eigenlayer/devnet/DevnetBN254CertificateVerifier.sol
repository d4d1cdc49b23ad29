// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBN254CertificateVerifier } from "../IBN254CertificateVerifier.sol";
import { IOperatorTableUpdater } from "../IOperatorTableUpdater.sol";
import { OperatorSets } from "../OperatorSets.sol";
import {
    OperatorSet,
    OperatorSetConfig,
    BN254Certificate,
    BN254OperatorInfo,
    BN254OperatorInfoWitness,
    BN254OperatorSetInfo,
    G1Point,
    G2Point
} from "../EigenTypes.sol";
import { Bn254 } from "../../quorum/Bn254.sol";
import { Bn254Signature } from "./Bn254Signature.sol";
import { EigenMerkle } from "./EigenMerkle.sol";

/// @title Checks certificates with aggregated BN254 signatures, for a chain that has no EigenLayer.
/// @dev Operators that did not sign are proven against the table's root the first time and remembered by table and index. A point off the
/// curve fails the certificate and does not burn the caller's gas.
contract DevnetBN254CertificateVerifier is IBN254CertificateVerifier {
    using OperatorSets for OperatorSet;

    struct Table {
        uint32 latestReferenceTimestamp;
        OperatorSetConfig config;
        mapping(uint32 referenceTimestamp => bool) isSet;
        mapping(uint32 referenceTimestamp => BN254OperatorSetInfo) infos;
        mapping(uint32 referenceTimestamp => mapping(uint256 operatorIndex => BN254OperatorInfo)) nonsigners;
    }

    /// @dev keccak256("BN254Certificate(uint32 referenceTimestamp,bytes32 messageHash)").
    bytes32 private constant CERTIFICATE_TYPEHASH = 0xd9f77a423768f4b0526fa60a7c732334516a93f1d228dce50ad804ea74ced36e;
    uint256 private constant BPS_DENOMINATOR = 10_000;
    /// @dev Keeps leaves of operators apart from inner nodes and other leaves.
    bytes1 private constant OPERATOR_INFO_LEAF_SALT = 0x75;

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

    function verifyCertificate(OperatorSet memory operatorSet, BN254Certificate memory cert) external returns (uint256[] memory) {
        return _verify(operatorSet, cert);
    }

    function verifyCertificateProportion(
        OperatorSet memory operatorSet,
        BN254Certificate memory cert,
        uint16[] memory totalStakeProportionThresholds
    ) external returns (bool) {
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
    ) external returns (bool) {
        uint256[] memory signed = _verify(operatorSet, cert);
        require(signed.length == totalStakeNominalThresholds.length, ArrayLengthMismatch());
        for (uint256 i; i < signed.length; ++i) {
            if (signed[i] < totalStakeNominalThresholds[i]) return false;
        }
        return true;
    }

    function trySignatureVerification(bytes32 msgHash, G1Point memory aggPubkey, G2Point memory apkG2, G1Point memory signature)
        public
        view
        returns (bool pairingSuccessful, bool signatureValid)
    {
        return Bn254Signature.check(msgHash, aggPubkey, apkG2, signature);
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

    function getNonsignerOperatorInfo(OperatorSet memory operatorSet, uint32 referenceTimestamp, uint256 operatorIndex)
        external
        view
        returns (BN254OperatorInfo memory)
    {
        return _tables[operatorSet.key()].nonsigners[referenceTimestamp][operatorIndex];
    }

    function isNonsignerCached(OperatorSet memory operatorSet, uint32 referenceTimestamp, uint256 operatorIndex)
        external
        view
        returns (bool)
    {
        return _isKey(_tables[operatorSet.key()].nonsigners[referenceTimestamp][operatorIndex].pubkey);
    }

    function calculateCertificateDigest(uint32 referenceTimestamp, bytes32 messageHash) public pure returns (bytes32) {
        return keccak256(abi.encode(CERTIFICATE_TYPEHASH, referenceTimestamp, messageHash));
    }

    function _verify(OperatorSet memory operatorSet, BN254Certificate memory cert) private returns (uint256[] memory signedWeights) {
        Table storage table = _tables[operatorSet.key()];
        uint32 staleness = table.config.maxStalenessPeriod;
        require(staleness == 0 || block.timestamp <= cert.referenceTimestamp + staleness, CertificateStale());
        require(table.isSet[cert.referenceTimestamp], ReferenceTimestampDoesNotExist());
        require(operatorTableUpdater.isRootValidByTimestamp(cert.referenceTimestamp), RootDisabled());

        BN254OperatorSetInfo memory info = table.infos[cert.referenceTimestamp];
        signedWeights = info.totalWeights;
        G1Point memory absent = _takeNonSigners(table, info, cert, signedWeights);
        if (absent.Y != 0) absent.Y = Bn254.FIELD_MODULUS - absent.Y;
        (bool ok, G1Point memory signers) = Bn254.add(info.aggregatePubkey, absent);
        bytes32 digest = calculateCertificateDigest(cert.referenceTimestamp, cert.messageHash);
        (bool pairingSuccessful, bool signatureValid) = trySignatureVerification(digest, signers, cert.apk, cert.signature);
        require(ok && pairingSuccessful && signatureValid, VerificationFailed());
    }

    /// @dev Subtracts the weights of those who did not sign.
    /// @return absent The sum of their keys.
    function _takeNonSigners(
        Table storage table,
        BN254OperatorSetInfo memory info,
        BN254Certificate memory cert,
        uint256[] memory signedWeights
    ) private returns (G1Point memory absent) {
        for (uint256 i; i < cert.nonSignerWitnesses.length; ++i) {
            BN254OperatorInfoWitness memory witness = cert.nonSignerWitnesses[i];
            uint32 index = witness.operatorIndex;
            require(i == 0 || index > cert.nonSignerWitnesses[i - 1].operatorIndex, NonSignerIndicesNotSorted());
            require(index < info.numOperators, InvalidOperatorIndex());
            BN254OperatorInfo memory operator = table.nonsigners[cert.referenceTimestamp][index];
            if (!_isKey(operator.pubkey)) {
                operator = witness.operatorInfo;
                bytes32 leaf = keccak256(abi.encodePacked(OPERATOR_INFO_LEAF_SALT, abi.encode(operator)));
                bool proven = EigenMerkle.isIncluded(witness.operatorInfoProof, info.operatorInfoTreeRoot, leaf, index);
                require(proven, VerificationFailed());
                table.nonsigners[cert.referenceTimestamp][index] = operator;
            }
            bool ok;
            (ok, absent) = Bn254.add(absent, operator.pubkey);
            require(ok, VerificationFailed());
            for (uint256 j; j < signedWeights.length; ++j) {
                signedWeights[j] -= operator.weights[j];
            }
        }
    }

    function _isKey(G1Point memory point) private pure returns (bool) {
        return point.X != 0 || point.Y != 0;
    }
}
