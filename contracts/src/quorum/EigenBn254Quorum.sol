// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BN254Certificate, BN254OperatorInfoWitness, G1Point, G2Point, OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { IBN254CertificateVerifier } from "../eigenlayer/IBN254CertificateVerifier.sol";
import { Bn254 } from "./Bn254.sol";
import { IQuorumVerifier } from "./IQuorumVerifier.sol";
import { IBn254TableSource, ITableRoots } from "./ITableSource.sol";
import { KeptBn254Tables } from "./KeptBn254Tables.sol";

/// @title Has EigenLayer's verifier weigh aggregated BN254 certificates, and keeps the tables' entries for whoever must know them.
/// @dev A certificate is `abi.encode(G1Point signature, G2Point apk, BN254OperatorInfoWitness[] nonSigners)`, non-signers ascending by
/// index. The verifier ends in an invalid opcode, which burns all gas, for a signature off the curve, and takes a certificate of nobody
/// with zero points; neither gets that far. What else is wrong reverts with the verifier's own errors.
contract EigenBn254Quorum is KeptBn254Tables {
    /// @dev Several times what the verifier uses for a certificate, and for a non-signer that it has not cached.
    uint256 private constant VERIFY_GAS = 1_500_000;
    uint256 private constant NON_SIGNER_GAS = 300_000;

    constructor(IBN254CertificateVerifier verifier, ITableRoots roots_, OperatorSet memory operatorSet)
        KeptBn254Tables(IBn254TableSource(address(verifier)), roots_, operatorSet)
    { }

    /// @inheritdoc IQuorumVerifier
    /// @dev Not a view: the verifier caches non-signers.
    function signedWeight(uint32 tableTimestamp, bytes32 messageHash, bytes calldata certificate) external returns (uint256 weight) {
        (, uint256 count) = _usableTable(tableTimestamp);
        BN254Certificate memory decoded;
        (decoded.referenceTimestamp, decoded.messageHash) = (tableTimestamp, messageHash);
        (decoded.signature, decoded.apk, decoded.nonSignerWitnesses) =
            abi.decode(certificate, (G1Point, G2Point, BN254OperatorInfoWitness[]));
        _check(decoded, count);
        uint256 gasLimit = VERIFY_GAS + NON_SIGNER_GAS * decoded.nonSignerWitnesses.length;
        weight = IBN254CertificateVerifier(address(source)).verifyCertificate{ gas: gasLimit }(_operatorSet(), decoded)[0];
        if (weight == 0) revert CertificateMalformed("nonSigners");
    }

    /// What the verifier must not be given.
    function _check(BN254Certificate memory certificate, uint256 count) private pure {
        if (!Bn254.isOnCurve(certificate.signature)) revert CertificateMalformed("signature");
        if (Bn254.isZero(certificate.apk)) revert CertificateMalformed("apk");
        BN254OperatorInfoWitness[] memory absent = certificate.nonSignerWitnesses;
        if (absent.length >= count) revert CertificateMalformed("nonSigners");
        for (uint256 i; i < absent.length; ++i) {
            uint256 index = absent[i].operatorIndex;
            if (index >= count || (i != 0 && index <= absent[i - 1].operatorIndex)) revert CertificateMalformed("nonSigners");
        }
    }
}
