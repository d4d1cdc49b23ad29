// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OperatorSet, OperatorSetConfig, CurveType, BN254Certificate } from "./EigenTypes.sol";

/// @title EigenLayer's table updater on a destination chain: roots signed by the generator, tables proven against them.
interface IOperatorTableUpdater {
    event NewGlobalTableRoot(uint32 indexed referenceTimestamp, bytes32 indexed globalTableRoot);
    event GlobalRootDisabled(bytes32 indexed globalTableRoot);
    event GeneratorUpdated(OperatorSet operatorSet);

    error GlobalTableRootInFuture();
    error GlobalTableRootStale();
    error InvalidMessageHash();
    error CertificateInvalid();
    error TableUpdateForPastTimestamp();
    error InvalidGlobalTableRoot();
    error InvalidOperatorSetProof();
    error InvalidRoot();
    error InvalidOperatorSet();
    error InvalidCurveType();
    error InvalidIndex();
    error InvalidProofLength();
    error EmptyRoot();

    /// @param globalTableRootCert The generator's certificate over `getGlobalTableUpdateMessageHash`.
    function confirmGlobalTableRoot(
        BN254Certificate calldata globalTableRootCert,
        bytes32 globalTableRoot,
        uint32 referenceTimestamp,
        uint32 referenceBlockNumber
    ) external;
    /// @param proof Siblings of the table's leaf, bottom up, 32 bytes each.
    function updateOperatorTable(
        uint32 referenceTimestamp,
        bytes32 globalTableRoot,
        uint32 operatorSetIndex,
        bytes calldata proof,
        bytes calldata operatorTableBytes
    ) external;
    function disableRoot(bytes32 globalTableRoot) external;

    function getCurrentGlobalTableRoot() external view returns (bytes32);
    function getGlobalTableRootByTimestamp(uint32 referenceTimestamp) external view returns (bytes32);
    function getLatestReferenceTimestamp() external view returns (uint32);
    function getLatestReferenceBlockNumber() external view returns (uint32);
    function getReferenceBlockNumberByTimestamp(uint32 referenceTimestamp) external view returns (uint32);
    function getReferenceTimestampByBlockNumber(uint32 referenceBlockNumber) external view returns (uint32);
    function getGlobalTableUpdateMessageHash(bytes32 globalTableRoot, uint32 referenceTimestamp, uint32 referenceBlockNumber)
        external
        view
        returns (bytes32);
    function getGlobalTableUpdateSignableDigest(bytes32 globalTableRoot, uint32 referenceTimestamp, uint32 referenceBlockNumber)
        external
        view
        returns (bytes32);
    function getGenerator() external view returns (OperatorSet memory);
    function getGeneratorReferenceTimestamp() external view returns (uint32);
    function getGeneratorConfig() external view returns (OperatorSetConfig memory);
    function getCertificateVerifier(CurveType curveType) external view returns (address);
    function isRootValid(bytes32 globalTableRoot) external view returns (bool);
    function isRootValidByTimestamp(uint32 referenceTimestamp) external view returns (bool);
}
