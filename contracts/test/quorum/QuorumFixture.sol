// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";

import { DevnetBN254CertificateVerifier } from "../../src/eigenlayer/devnet/DevnetBN254CertificateVerifier.sol";
import { DevnetECDSACertificateVerifier } from "../../src/eigenlayer/devnet/DevnetECDSACertificateVerifier.sol";
import {
    BN254OperatorInfo,
    BN254OperatorInfoWitness,
    BN254OperatorSetInfo,
    ECDSAOperatorInfo,
    G1Point,
    OperatorSet,
    OperatorSetConfig
} from "../../src/eigenlayer/EigenTypes.sol";
import { IOperatorTableUpdater } from "../../src/eigenlayer/IOperatorTableUpdater.sol";
import { Bn254 } from "../../src/quorum/Bn254.sol";
import { EigenBn254Quorum } from "../../src/quorum/EigenBn254Quorum.sol";
import { EigenEcdsaQuorum } from "../../src/quorum/EigenEcdsaQuorum.sol";
import { IBn254TableSource, IEcdsaTableSource, ITableRoots } from "../../src/quorum/ITableSource.sol";
import { TableBn254Quorum } from "../../src/quorum/TableBn254Quorum.sol";
import { TableEcdsaQuorum } from "../../src/quorum/TableEcdsaQuorum.sol";
import { Bn254Keys } from "./Bn254Keys.sol";

/// @notice Operators with a secret each, their tables in EigenLayer's verifiers, and certificates of all four forms by any of them.
/// @dev The test itself is the tables' updater.
abstract contract QuorumFixture is Test {
    uint32 internal constant STALENESS = 1 days;
    bytes32 internal constant MESSAGE = keccak256("a batch");

    OperatorSet internal operatorSet = OperatorSet({ avs: makeAddr("avs"), id: 7 });
    DevnetECDSACertificateVerifier internal ecdsaVerifier;
    DevnetBN254CertificateVerifier internal bn254Verifier;
    EigenEcdsaQuorum internal eigenEcdsa;
    EigenBn254Quorum internal eigenBn254;
    TableEcdsaQuorum internal tableEcdsa;
    TableBn254Quorum internal tableBn254;
    uint32 internal table;
    bool private _withdrawn;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        table = uint32(block.timestamp);
        IOperatorTableUpdater updater = IOperatorTableUpdater(address(this));
        ITableRoots roots = ITableRoots(address(this));
        ecdsaVerifier = new DevnetECDSACertificateVerifier(updater);
        bn254Verifier = new DevnetBN254CertificateVerifier(updater);
        eigenEcdsa = new EigenEcdsaQuorum(ecdsaVerifier, operatorSet);
        eigenBn254 = new EigenBn254Quorum(bn254Verifier, roots, operatorSet);
        tableEcdsa = new TableEcdsaQuorum(IEcdsaTableSource(address(ecdsaVerifier)), roots, operatorSet);
        tableBn254 = new TableBn254Quorum(IBn254TableSource(address(bn254Verifier)), roots, operatorSet);
    }

    /// The updater's word on every table.
    function isRootValidByTimestamp(uint32) external view returns (bool) {
        return !_withdrawn;
    }

    function _withdraw() internal {
        _withdrawn = true;
    }

    // ---- operators

    function _secret(uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("operator", index))) % Bn254.GROUP_ORDER;
    }

    function _weightsOf(uint256 count) internal pure returns (uint256[] memory weights) {
        weights = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            weights[i] = 1000 + 7 * i;
        }
    }

    function _one(uint256 value) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = value;
    }

    /// Weight of the operators whose bit is set.
    function _weightOf(uint256[] memory weights, uint256 signers) internal pure returns (uint256 signed) {
        for (uint256 i; i < weights.length; ++i) {
            if ((signers >> i) & 1 != 0) signed += weights[i];
        }
    }

    function _all(uint256 count) internal pure returns (uint256) {
        return type(uint256).max >> (256 - count);
    }

    // ---- tables

    function _infosOf(uint256[] memory weights) internal pure returns (ECDSAOperatorInfo[] memory infos) {
        infos = new ECDSAOperatorInfo[](weights.length);
        for (uint256 i; i < weights.length; ++i) {
            infos[i] = ECDSAOperatorInfo({ pubkey: vm.addr(_secret(i)), weights: _one(weights[i]) });
        }
    }

    /// Puts a table into the ECDSA verifier, as its updater does.
    function _setEcdsa(ECDSAOperatorInfo[] memory infos, uint32 timestamp, uint32 staleness) internal {
        ecdsaVerifier.updateOperatorTable(operatorSet, timestamp, infos, _config(staleness));
    }

    /// Puts the commitment to a table into the BN254 verifier.
    function _setBn254(BN254OperatorSetInfo memory info, uint32 timestamp, uint32 staleness) internal {
        bn254Verifier.updateOperatorTable(operatorSet, timestamp, info, _config(staleness));
    }

    function _config(uint32 staleness) private view returns (OperatorSetConfig memory) {
        return OperatorSetConfig({ owner: operatorSet.avs, maxStalenessPeriod: staleness });
    }

    function _ecdsaEntries(uint256[] memory weights) internal pure returns (bytes memory entries) {
        for (uint256 i; i < weights.length; ++i) {
            entries = abi.encodePacked(entries, vm.addr(_secret(i)), uint96(weights[i]));
        }
    }

    function _bn254Entries(uint256[] memory weights) internal view returns (bytes memory entries) {
        for (uint256 i; i < weights.length; ++i) {
            G1Point memory key = Bn254Keys.g1(_secret(i));
            entries = abi.encodePacked(entries, key.X, key.Y, uint96(weights[i]));
        }
    }

    /// The commitment that EigenLayer's calculator makes.
    function _commitmentTo(uint256[] memory weights) internal view returns (BN254OperatorSetInfo memory info) {
        uint256 total;
        uint256 secrets;
        for (uint256 i; i < weights.length; ++i) {
            total += weights[i];
            secrets = addmod(secrets, _secret(i), Bn254.GROUP_ORDER);
        }
        info.numOperators = weights.length;
        info.totalWeights = _one(total);
        info.aggregatePubkey = Bn254Keys.g1(secrets);
        info.operatorInfoTreeRoot = _tree(weights)[1];
    }

    /// The tree by its definition: node k has the children 2k and 2k + 1, the root is node 1, the leaves are the last half.
    function _tree(uint256[] memory weights) internal view returns (bytes32[] memory nodes) {
        uint256 width = 1;
        while (width < weights.length) width *= 2;
        nodes = new bytes32[](2 * width);
        for (uint256 i; i < weights.length; ++i) {
            nodes[width + i] = keccak256(bytes.concat(hex"75", abi.encode(_operator(weights, i))));
        }
        for (uint256 k = width - 1; k != 0; --k) {
            nodes[k] = keccak256(bytes.concat(nodes[2 * k], nodes[2 * k + 1]));
        }
    }

    function _operator(uint256[] memory weights, uint256 index) private view returns (BN254OperatorInfo memory) {
        return BN254OperatorInfo({ pubkey: Bn254Keys.g1(_secret(index)), weights: _one(weights[index]) });
    }

    // ---- certificates

    /// Bitmap and compact signatures of the operators whose bit is set.
    function _signEcdsa(uint32 timestamp, bytes32 message, uint256 signers) internal view returns (bytes memory certificate) {
        bytes32 digest = tableEcdsa.certificateDigest(timestamp, message);
        certificate = abi.encodePacked(signers);
        for (uint256 i; signers >> i != 0 && i < 256; ++i) {
            if ((signers >> i) & 1 == 0) continue;
            (bytes32 r, bytes32 vs) = vm.signCompact(_secret(i), digest);
            certificate = abi.encodePacked(certificate, r, vs);
        }
    }

    /// Signatures as EigenLayer's verifier takes them, ascending by key.
    function _signEigenEcdsa(uint32 timestamp, bytes32 message, uint256 signers) internal view returns (bytes memory certificate) {
        bytes32 digest = ecdsaVerifier.calculateCertificateDigest(timestamp, message);
        uint160 last;
        while (true) {
            (uint160 next, uint256 secret) = (type(uint160).max, 0);
            for (uint256 i; i < 256 && signers >> i != 0; ++i) {
                if ((signers >> i) & 1 == 0) continue;
                uint160 key = uint160(vm.addr(_secret(i)));
                if (key > last && key < next) (next, secret) = (key, _secret(i));
            }
            if (secret == 0) return certificate;
            last = next;
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret, digest);
            certificate = abi.encodePacked(certificate, r, s, v);
        }
    }

    function _sumOfSecrets(uint256 count, uint256 signers) internal pure returns (uint256 sum) {
        for (uint256 i; i < count; ++i) {
            if ((signers >> i) & 1 != 0) sum = addmod(sum, _secret(i), Bn254.GROUP_ORDER);
        }
    }

    /// Bitmap of those who did not sign, aggregate signature and key.
    function _signBn254(uint256 count, uint32 timestamp, bytes32 message, uint256 signers) internal view returns (bytes memory) {
        uint256 sum = _sumOfSecrets(count, signers);
        G1Point memory signature = Bn254Keys.sign(sum, tableBn254.certificateDigest(timestamp, message));
        return abi.encode(_all(count) & ~signers, signature, Bn254Keys.g2(sum));
    }

    /// The same as EigenLayer's verifier takes it, each non-signer with its proof.
    function _signEigenBn254(uint256[] memory weights, uint32 timestamp, bytes32 message, uint256 signers)
        internal
        view
        returns (bytes memory)
    {
        uint256 sum = _sumOfSecrets(weights.length, signers);
        G1Point memory signature = Bn254Keys.sign(sum, bn254Verifier.calculateCertificateDigest(timestamp, message));
        return abi.encode(signature, Bn254Keys.g2(sum), _witnesses(weights, signers));
    }

    function _witnesses(uint256[] memory weights, uint256 signers) internal view returns (BN254OperatorInfoWitness[] memory witnesses) {
        uint256 absent;
        for (uint256 i; i < weights.length; ++i) {
            if ((signers >> i) & 1 == 0) ++absent;
        }
        witnesses = new BN254OperatorInfoWitness[](absent);
        bytes32[] memory nodes = _tree(weights);
        for (uint256 i = weights.length; i != 0;) {
            if ((signers >> --i) & 1 != 0) continue;
            witnesses[--absent] = BN254OperatorInfoWitness({
                operatorIndex: uint32(i), operatorInfoProof: _proofOf(nodes, i), operatorInfo: _operator(weights, i)
            });
        }
    }

    function _proofOf(bytes32[] memory nodes, uint256 index) private pure returns (bytes memory proof) {
        for (uint256 k = nodes.length / 2 + index; k > 1; k /= 2) {
            proof = abi.encodePacked(proof, nodes[k ^ 1]);
        }
    }

    /// The certificate with one bit of it turned over.
    function _flip(bytes memory certificate, uint256 bit) internal pure returns (bytes memory flipped) {
        flipped = bytes.concat(certificate);
        flipped[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
    }
}
