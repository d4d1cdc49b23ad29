// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IBN254CertificateVerifier } from "../IBN254CertificateVerifier.sol";
import { IECDSACertificateVerifier } from "../IECDSACertificateVerifier.sol";
import { IOperatorTableUpdater } from "../IOperatorTableUpdater.sol";
import { OperatorSets } from "../OperatorSets.sol";
import { OperatorSet, OperatorSetConfig, CurveType, ECDSAOperatorInfo, BN254Certificate, BN254OperatorSetInfo } from "../EigenTypes.sol";
import { EigenMerkle } from "./EigenMerkle.sol";

/// @title Takes table roots signed by the generator and tables proven against them, for a chain that has no EigenLayer.
/// @dev A root is judged by its value: equal tables give the same root at another timestamp, so disabling one
/// disables all and confirming it again enables all.
contract DevnetOperatorTableUpdater is IOperatorTableUpdater {
    using OperatorSets for OperatorSet;

    error OnlyPauser();
    error CannotDisableGeneratorRoot();

    /// @notice The generator's own table stands at this reference timestamp, for ever.
    uint32 public constant GENERATOR_REFERENCE_TIMESTAMP = 1;
    bytes32 public constant GENERATOR_GLOBAL_TABLE_ROOT = keccak256("GENERATOR_GLOBAL_TABLE_ROOT");
    /// @dev keccak256("GlobalTableRootCert(bytes32 globalTableRoot,uint32 referenceTimestamp,uint32 referenceBlockNumber)").
    bytes32 private constant ROOT_TYPEHASH = 0x4491f5ee91595f938885ef73c9a1fa8a6d14ff9b9dab4aa24b8802bbb9bfc1cc;
    /// @dev Keeps leaves apart from inner nodes.
    bytes1 private constant TABLE_LEAF_SALT = 0x8e;

    IBN254CertificateVerifier public immutable bn254CertificateVerifier;
    IECDSACertificateVerifier public immutable ecdsaCertificateVerifier;
    address public immutable pauser;
    uint16 public immutable globalRootConfirmationThreshold;

    OperatorSet private _generator;
    uint32 private _latestReferenceTimestamp;
    mapping(uint32 referenceTimestamp => bytes32) private _roots;
    mapping(uint32 referenceTimestamp => uint32) private _blockByTimestamp;
    mapping(uint32 referenceBlockNumber => uint32) private _timestampByBlock;
    mapping(bytes32 globalTableRoot => bool) public isRootValid;

    /// @param thresholdBps Share of the generator's weight that must sign a root.
    constructor(
        IBN254CertificateVerifier bn254CertificateVerifier_,
        IECDSACertificateVerifier ecdsaCertificateVerifier_,
        address pauser_,
        OperatorSet memory generator,
        uint16 thresholdBps,
        BN254OperatorSetInfo memory generatorInfo
    ) {
        bn254CertificateVerifier = bn254CertificateVerifier_;
        ecdsaCertificateVerifier = ecdsaCertificateVerifier_;
        pauser = pauser_;
        globalRootConfirmationThreshold = thresholdBps;
        _generator = generator;
        _latestReferenceTimestamp = SafeCast.toUint32(block.timestamp);
        _roots[GENERATOR_REFERENCE_TIMESTAMP] = GENERATOR_GLOBAL_TABLE_ROOT;
        isRootValid[GENERATOR_GLOBAL_TABLE_ROOT] = true;
        emit GeneratorUpdated(generator);
        bn254CertificateVerifier_.updateOperatorTable(generator, GENERATOR_REFERENCE_TIMESTAMP, generatorInfo, getGeneratorConfig());
    }

    function confirmGlobalTableRoot(
        BN254Certificate calldata globalTableRootCert,
        bytes32 globalTableRoot,
        uint32 referenceTimestamp,
        uint32 referenceBlockNumber
    ) external {
        require(referenceTimestamp <= block.timestamp, GlobalTableRootInFuture());
        require(referenceTimestamp > _latestReferenceTimestamp, GlobalTableRootStale());
        bytes32 messageHash = getGlobalTableUpdateMessageHash(globalTableRoot, referenceTimestamp, referenceBlockNumber);
        require(globalTableRootCert.messageHash == messageHash, InvalidMessageHash());
        uint16[] memory thresholds = new uint16[](1);
        thresholds[0] = globalRootConfirmationThreshold;
        require(bn254CertificateVerifier.verifyCertificateProportion(_generator, globalTableRootCert, thresholds), CertificateInvalid());

        _latestReferenceTimestamp = referenceTimestamp;
        _roots[referenceTimestamp] = globalTableRoot;
        _blockByTimestamp[referenceTimestamp] = referenceBlockNumber;
        _timestampByBlock[referenceBlockNumber] = referenceTimestamp;
        isRootValid[globalTableRoot] = true;
        emit NewGlobalTableRoot(referenceTimestamp, globalTableRoot);
    }

    function updateOperatorTable(
        uint32 referenceTimestamp,
        bytes32 globalTableRoot,
        uint32 operatorSetIndex,
        bytes calldata proof,
        bytes calldata operatorTableBytes
    ) external {
        require(isRootValid[globalTableRoot], InvalidRoot());
        (OperatorSet memory operatorSet, CurveType curveType, OperatorSetConfig memory config, bytes memory info) =
            abi.decode(operatorTableBytes, (OperatorSet, CurveType, OperatorSetConfig, bytes));
        require(operatorSet.key() != _generator.key(), InvalidOperatorSet());
        // Whoever comes second with the same table has nothing left to do.
        if (_isTimestampSet(curveType, operatorSet, referenceTimestamp)) return;
        require(referenceTimestamp > _latestOf(curveType, operatorSet), TableUpdateForPastTimestamp());
        require(_roots[referenceTimestamp] == globalTableRoot, InvalidGlobalTableRoot());
        bytes32 leaf = keccak256(abi.encodePacked(TABLE_LEAF_SALT, operatorTableBytes));
        require(EigenMerkle.isIncluded(proof, globalTableRoot, leaf, operatorSetIndex), InvalidOperatorSetProof());

        if (curveType == CurveType.ECDSA) {
            ecdsaCertificateVerifier.updateOperatorTable(operatorSet, referenceTimestamp, abi.decode(info, (ECDSAOperatorInfo[])), config);
        } else {
            bn254CertificateVerifier.updateOperatorTable(operatorSet, referenceTimestamp, abi.decode(info, (BN254OperatorSetInfo)), config);
        }
    }

    function disableRoot(bytes32 globalTableRoot) external {
        require(msg.sender == pauser, OnlyPauser());
        require(isRootValid[globalTableRoot], InvalidRoot());
        require(globalTableRoot != GENERATOR_GLOBAL_TABLE_ROOT, CannotDisableGeneratorRoot());
        isRootValid[globalTableRoot] = false;
        emit GlobalRootDisabled(globalTableRoot);
    }

    function getCurrentGlobalTableRoot() external view returns (bytes32) {
        return _roots[_latestReferenceTimestamp];
    }

    function getGlobalTableRootByTimestamp(uint32 referenceTimestamp) external view returns (bytes32) {
        return _roots[referenceTimestamp];
    }

    function getLatestReferenceTimestamp() external view returns (uint32) {
        return _latestReferenceTimestamp;
    }

    function getLatestReferenceBlockNumber() external view returns (uint32) {
        return _blockByTimestamp[_latestReferenceTimestamp];
    }

    function getReferenceBlockNumberByTimestamp(uint32 referenceTimestamp) external view returns (uint32) {
        return _blockByTimestamp[referenceTimestamp];
    }

    function getReferenceTimestampByBlockNumber(uint32 referenceBlockNumber) external view returns (uint32) {
        return _timestampByBlock[referenceBlockNumber];
    }

    function getGlobalTableUpdateMessageHash(bytes32 globalTableRoot, uint32 referenceTimestamp, uint32 referenceBlockNumber)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(ROOT_TYPEHASH, globalTableRoot, referenceTimestamp, referenceBlockNumber));
    }

    function getGlobalTableUpdateSignableDigest(bytes32 globalTableRoot, uint32 referenceTimestamp, uint32 referenceBlockNumber)
        external
        view
        returns (bytes32)
    {
        bytes32 messageHash = getGlobalTableUpdateMessageHash(globalTableRoot, referenceTimestamp, referenceBlockNumber);
        return bn254CertificateVerifier.calculateCertificateDigest(GENERATOR_REFERENCE_TIMESTAMP, messageHash);
    }

    function getGenerator() external view returns (OperatorSet memory) {
        return _generator;
    }

    function getGeneratorReferenceTimestamp() external pure returns (uint32) {
        return GENERATOR_REFERENCE_TIMESTAMP;
    }

    /// @notice The generator's table has no owner and never goes stale.
    function getGeneratorConfig() public pure returns (OperatorSetConfig memory) {
        return OperatorSetConfig(address(0), 0);
    }

    function getCertificateVerifier(CurveType curveType) external view returns (address) {
        if (curveType == CurveType.ECDSA) return address(ecdsaCertificateVerifier);
        if (curveType == CurveType.BN254) return address(bn254CertificateVerifier);
        revert InvalidCurveType();
    }

    function isRootValidByTimestamp(uint32 referenceTimestamp) external view returns (bool) {
        return isRootValid[_roots[referenceTimestamp]];
    }

    function _isTimestampSet(CurveType curveType, OperatorSet memory operatorSet, uint32 referenceTimestamp) private view returns (bool) {
        if (curveType == CurveType.ECDSA) return ecdsaCertificateVerifier.isReferenceTimestampSet(operatorSet, referenceTimestamp);
        require(curveType == CurveType.BN254, InvalidCurveType());
        return bn254CertificateVerifier.isReferenceTimestampSet(operatorSet, referenceTimestamp);
    }

    function _latestOf(CurveType curveType, OperatorSet memory operatorSet) private view returns (uint32) {
        return curveType == CurveType.ECDSA
            ? ecdsaCertificateVerifier.latestReferenceTimestamp(operatorSet)
            : bn254CertificateVerifier.latestReferenceTimestamp(operatorSet);
    }
}
