// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OperatorSet, OperatorSetConfig, ECDSACertificate, ECDSAOperatorInfo } from "./EigenTypes.sol";

/// @title EigenLayer's verifier of certificates signed with ECDSA keys of an operator set's table.
/// @dev The EIP-712 domain has no chain id: what must not be valid elsewhere belongs into `messageHash`.
interface IECDSACertificateVerifier {
    event TableUpdated(OperatorSet operatorSet, uint32 referenceTimestamp, ECDSAOperatorInfo[] operatorInfos);

    error OnlyTableUpdater();
    error TableUpdateStale();
    error ArrayLengthMismatch();
    error CertificateStale();
    error ReferenceTimestampDoesNotExist();
    error VerificationFailed();
    error RootDisabled();
    error InvalidSignatureLength();
    error SignersNotOrdered();
    error OperatorCountZero();
    error IndexOutOfBounds();
    error InvalidSignature();

    /// @return totalSignedStakeWeights Signed weight by stake type.
    /// @return signers The signing keys in certificate order.
    function verifyCertificate(OperatorSet calldata operatorSet, ECDSACertificate memory cert)
        external
        view
        returns (uint256[] memory totalSignedStakeWeights, address[] memory signers);
    /// @param totalStakeProportionThresholds Basis points of the total weight, floored, by stake type.
    /// @return reached False, without a revert, if too little weight signed.
    function verifyCertificateProportion(
        OperatorSet calldata operatorSet,
        ECDSACertificate memory cert,
        uint16[] memory totalStakeProportionThresholds
    ) external view returns (bool reached, address[] memory signers);
    function verifyCertificateNominal(
        OperatorSet calldata operatorSet,
        ECDSACertificate memory cert,
        uint256[] memory totalStakeNominalThresholds
    ) external view returns (bool reached, address[] memory signers);
    function updateOperatorTable(
        OperatorSet calldata operatorSet,
        uint32 referenceTimestamp,
        ECDSAOperatorInfo[] calldata operatorInfos,
        OperatorSetConfig calldata operatorSetConfig
    ) external;

    function latestReferenceTimestamp(OperatorSet memory operatorSet) external view returns (uint32);
    function isReferenceTimestampSet(OperatorSet memory operatorSet, uint32 referenceTimestamp) external view returns (bool);
    /// @return Seconds a table stays usable after its reference timestamp; 0 = for ever.
    function maxOperatorTableStaleness(OperatorSet memory operatorSet) external view returns (uint32);
    function getOperatorSetOwner(OperatorSet memory operatorSet) external view returns (address);
    function getTotalStakeWeights(OperatorSet memory operatorSet, uint32 referenceTimestamp) external view returns (uint256[] memory);
    function getOperatorCount(OperatorSet memory operatorSet, uint32 referenceTimestamp) external view returns (uint256);
    function getOperatorInfos(OperatorSet calldata operatorSet, uint32 referenceTimestamp)
        external
        view
        returns (ECDSAOperatorInfo[] memory);
    function getOperatorInfo(OperatorSet calldata operatorSet, uint32 referenceTimestamp, uint256 operatorIndex)
        external
        view
        returns (ECDSAOperatorInfo memory);
    function domainSeparator() external view returns (bytes32);
    /// @return The 66 bytes whose keccak256 is the digest.
    function calculateCertificateDigestBytes(uint32 referenceTimestamp, bytes32 messageHash) external view returns (bytes memory);
    function calculateCertificateDigest(uint32 referenceTimestamp, bytes32 messageHash) external view returns (bytes32);
}
