// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    OperatorSet,
    OperatorSetConfig,
    BN254Certificate,
    BN254OperatorInfo,
    BN254OperatorSetInfo,
    G1Point,
    G2Point
} from "./EigenTypes.sol";

/// @title EigenLayer's verifier of certificates with aggregated BN254 signatures.
/// @dev The digest has no domain at all; `verifyCertificate*` are not views because they keep the non-signers that they have seen proven.
interface IBN254CertificateVerifier {
    event TableUpdated(OperatorSet operatorSet, uint32 referenceTimestamp, BN254OperatorSetInfo operatorSetInfo);

    error OnlyTableUpdater();
    error TableUpdateStale();
    error ArrayLengthMismatch();
    error CertificateStale();
    error ReferenceTimestampDoesNotExist();
    error VerificationFailed();
    error RootDisabled();
    error InvalidOperatorIndex();
    error NonSignerIndicesNotSorted();
    error InvalidIndex();
    error InvalidProofLength();
    error EmptyRoot();

    function verifyCertificate(OperatorSet memory operatorSet, BN254Certificate memory cert)
        external
        returns (uint256[] memory totalSignedStakeWeights);
    function verifyCertificateProportion(
        OperatorSet memory operatorSet,
        BN254Certificate memory cert,
        uint16[] memory totalStakeProportionThresholds
    ) external returns (bool);
    function verifyCertificateNominal(
        OperatorSet memory operatorSet,
        BN254Certificate memory cert,
        uint256[] memory totalStakeNominalThresholds
    ) external returns (bool);
    function updateOperatorTable(
        OperatorSet calldata operatorSet,
        uint32 referenceTimestamp,
        BN254OperatorSetInfo calldata operatorSetInfo,
        OperatorSetConfig calldata operatorSetConfig
    ) external;

    function trySignatureVerification(bytes32 msgHash, G1Point memory aggPubkey, G2Point memory apkG2, G1Point memory signature)
        external
        view
        returns (bool pairingSuccessful, bool signatureValid);
    function latestReferenceTimestamp(OperatorSet memory operatorSet) external view returns (uint32);
    function isReferenceTimestampSet(OperatorSet memory operatorSet, uint32 referenceTimestamp) external view returns (bool);
    function maxOperatorTableStaleness(OperatorSet memory operatorSet) external view returns (uint32);
    function getOperatorSetOwner(OperatorSet memory operatorSet) external view returns (address);
    function getTotalStakeWeights(OperatorSet memory operatorSet, uint32 referenceTimestamp) external view returns (uint256[] memory);
    function getOperatorCount(OperatorSet memory operatorSet, uint32 referenceTimestamp) external view returns (uint256);
    function getOperatorSetInfo(OperatorSet memory operatorSet, uint32 referenceTimestamp)
        external
        view
        returns (BN254OperatorSetInfo memory);
    /// @return Empty for an operator that was never proven not to have signed.
    function getNonsignerOperatorInfo(OperatorSet memory operatorSet, uint32 referenceTimestamp, uint256 operatorIndex)
        external
        view
        returns (BN254OperatorInfo memory);
    function isNonsignerCached(OperatorSet memory operatorSet, uint32 referenceTimestamp, uint256 operatorIndex)
        external
        view
        returns (bool);
    function calculateCertificateDigest(uint32 referenceTimestamp, bytes32 messageHash) external pure returns (bytes32);
}
