// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { IECDSACertificateVerifier } from "../IECDSACertificateVerifier.sol";
import { IOperatorTableUpdater } from "../IOperatorTableUpdater.sol";
import { OperatorSets } from "../OperatorSets.sol";
import { OperatorSet, OperatorSetConfig, ECDSACertificate, ECDSAOperatorInfo } from "../EigenTypes.sol";

/// @title Checks ECDSA certificates against transported operator tables, for a chain that has no EigenLayer.
contract DevnetECDSACertificateVerifier is IECDSACertificateVerifier {
    using OperatorSets for OperatorSet;

    struct Table {
        uint32 latestReferenceTimestamp;
        OperatorSetConfig config;
        mapping(uint32 referenceTimestamp => bool) isSet;
        mapping(uint32 referenceTimestamp => ECDSAOperatorInfo[]) infos;
    }

    bytes32 private constant DOMAIN_TYPEHASH = keccak256("EIP712Domain(string name,string version,address verifyingContract)");
    bytes32 private constant CERTIFICATE_TYPEHASH = keccak256("ECDSACertificate(uint32 referenceTimestamp,bytes32 messageHash)");
    uint256 private constant BPS_DENOMINATOR = 10_000;
    uint256 private constant SIGNATURE_BYTES = 65;

    IOperatorTableUpdater public immutable operatorTableUpdater;

    mapping(bytes32 setKey => Table) private _tables;

    constructor(IOperatorTableUpdater operatorTableUpdater_) {
        operatorTableUpdater = operatorTableUpdater_;
    }

    function updateOperatorTable(
        OperatorSet calldata operatorSet,
        uint32 referenceTimestamp,
        ECDSAOperatorInfo[] calldata operatorInfos,
        OperatorSetConfig calldata operatorSetConfig
    ) external {
        require(msg.sender == address(operatorTableUpdater), OnlyTableUpdater());
        Table storage table = _tables[operatorSet.key()];
        require(referenceTimestamp > table.latestReferenceTimestamp, TableUpdateStale());
        table.latestReferenceTimestamp = referenceTimestamp;
        table.config = operatorSetConfig;
        table.isSet[referenceTimestamp] = true;
        for (uint256 i; i < operatorInfos.length; ++i) {
            table.infos[referenceTimestamp].push(operatorInfos[i]);
        }
        emit TableUpdated(operatorSet, referenceTimestamp, operatorInfos);
    }

    function verifyCertificate(OperatorSet calldata operatorSet, ECDSACertificate memory cert)
        external
        view
        returns (uint256[] memory totalSignedStakeWeights, address[] memory signers)
    {
        return _verify(operatorSet, cert);
    }

    function verifyCertificateProportion(
        OperatorSet calldata operatorSet,
        ECDSACertificate memory cert,
        uint16[] memory totalStakeProportionThresholds
    ) external view returns (bool, address[] memory) {
        (uint256[] memory signed, address[] memory signers) = _verify(operatorSet, cert);
        uint256[] memory total = getTotalStakeWeights(operatorSet, cert.referenceTimestamp);
        require(signed.length == totalStakeProportionThresholds.length, ArrayLengthMismatch());
        for (uint256 i; i < signed.length; ++i) {
            // Rounded down, so with few units of weight a threshold is coarser than its basis points.
            if (signed[i] < (total[i] * totalStakeProportionThresholds[i]) / BPS_DENOMINATOR) return (false, signers);
        }
        return (true, signers);
    }

    function verifyCertificateNominal(
        OperatorSet calldata operatorSet,
        ECDSACertificate memory cert,
        uint256[] memory totalStakeNominalThresholds
    ) external view returns (bool, address[] memory) {
        (uint256[] memory signed, address[] memory signers) = _verify(operatorSet, cert);
        require(signed.length == totalStakeNominalThresholds.length, ArrayLengthMismatch());
        for (uint256 i; i < signed.length; ++i) {
            if (signed[i] < totalStakeNominalThresholds[i]) return (false, signers);
        }
        return (true, signers);
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

    function getTotalStakeWeights(OperatorSet memory operatorSet, uint32 referenceTimestamp) public view returns (uint256[] memory total) {
        ECDSAOperatorInfo[] memory infos = _tables[operatorSet.key()].infos[referenceTimestamp];
        require(infos.length != 0, OperatorCountZero());
        total = new uint256[](infos[0].weights.length);
        for (uint256 i; i < infos.length; ++i) {
            _addWeights(total, infos[i].weights);
        }
    }

    function getOperatorCount(OperatorSet memory operatorSet, uint32 referenceTimestamp) external view returns (uint256) {
        return _tables[operatorSet.key()].infos[referenceTimestamp].length;
    }

    function getOperatorInfos(OperatorSet calldata operatorSet, uint32 referenceTimestamp)
        external
        view
        returns (ECDSAOperatorInfo[] memory)
    {
        return _tables[operatorSet.key()].infos[referenceTimestamp];
    }

    function getOperatorInfo(OperatorSet calldata operatorSet, uint32 referenceTimestamp, uint256 operatorIndex)
        external
        view
        returns (ECDSAOperatorInfo memory)
    {
        ECDSAOperatorInfo[] storage infos = _tables[operatorSet.key()].infos[referenceTimestamp];
        require(operatorIndex < infos.length, IndexOutOfBounds());
        return infos[operatorIndex];
    }

    /// @notice The EIP-712 domain separator, without a chain id: equal on every chain where this address is the verifier.
    function domainSeparator() public view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("EigenLayer"), keccak256("1"), address(this)));
    }

    function calculateCertificateDigestBytes(uint32 referenceTimestamp, bytes32 messageHash) public view returns (bytes memory) {
        bytes32 structHash = keccak256(abi.encode(CERTIFICATE_TYPEHASH, referenceTimestamp, messageHash));
        return abi.encodePacked(hex"1901", domainSeparator(), structHash);
    }

    function calculateCertificateDigest(uint32 referenceTimestamp, bytes32 messageHash) public view returns (bytes32) {
        return keccak256(calculateCertificateDigestBytes(referenceTimestamp, messageHash));
    }

    /// @dev Staleness, then the timestamp, then the root, then the signatures; the staleness setting in force applies to old tables too,
    /// and its sum is checked in 32 bits.
    function _verify(OperatorSet calldata operatorSet, ECDSACertificate memory cert)
        private
        view
        returns (uint256[] memory signed, address[] memory signers)
    {
        Table storage table = _tables[operatorSet.key()];
        uint32 staleness = table.config.maxStalenessPeriod;
        require(staleness == 0 || block.timestamp <= cert.referenceTimestamp + staleness, CertificateStale());
        require(table.isSet[cert.referenceTimestamp], ReferenceTimestampDoesNotExist());
        require(operatorTableUpdater.isRootValidByTimestamp(cert.referenceTimestamp), RootDisabled());

        signers = _recoverSigners(calculateCertificateDigest(cert.referenceTimestamp, cert.messageHash), cert.sig);
        ECDSAOperatorInfo[] memory infos = table.infos[cert.referenceTimestamp];
        require(infos.length != 0, OperatorCountZero());
        signed = new uint256[](infos[0].weights.length);
        for (uint256 i; i < signers.length; ++i) {
            _addWeights(signed, _weightsOf(infos, signers[i]));
        }
    }

    /// @dev Accepts only v of 27 or 28 and low s, strictly ascending by recovered address, so that no key counts twice.
    function _recoverSigners(bytes32 digest, bytes memory signatures) private pure returns (address[] memory signers) {
        require(signatures.length != 0 && signatures.length % SIGNATURE_BYTES == 0, InvalidSignatureLength());
        signers = new address[](signatures.length / SIGNATURE_BYTES);
        address last;
        for (uint256 i; i < signers.length; ++i) {
            bytes32 r;
            bytes32 s;
            uint8 v;
            assembly ("memory-safe") {
                let signature := add(add(signatures, 0x20), mul(i, SIGNATURE_BYTES))
                r := mload(signature)
                s := mload(add(signature, 0x20))
                v := byte(0, mload(add(signature, 0x40)))
            }
            (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecover(digest, v, r, s);
            require(problem == ECDSA.RecoverError.NoError, InvalidSignature());
            require(signer > last, SignersNotOrdered());
            signers[i] = last = signer;
        }
    }

    /// @dev One key that is not in the table fails the whole certificate.
    function _weightsOf(ECDSAOperatorInfo[] memory infos, address signer) private pure returns (uint256[] memory) {
        for (uint256 i; i < infos.length; ++i) {
            if (infos[i].pubkey == signer) return infos[i].weights;
        }
        revert VerificationFailed();
    }

    /// @dev The first operator's number of weights holds for all; surplus weights of others do not count.
    function _addWeights(uint256[] memory sum, uint256[] memory weights) private pure {
        for (uint256 i; i < sum.length && i < weights.length; ++i) {
            sum[i] += weights[i];
        }
    }
}
