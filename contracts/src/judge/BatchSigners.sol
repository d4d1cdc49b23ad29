// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "solady/utils/ECDSA.sol";
import { LibBit } from "solady/utils/LibBit.sol";

import { CurveType, G1Point, G2Point, OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { IKeyRegistrar } from "../eigenlayer/IKeyRegistrar.sol";
import { OperatorSets } from "../eigenlayer/OperatorSets.sol";
import { MatchBatch } from "../market/MarketTypes.sol";
import { Bn254 } from "../quorum/Bn254.sol";
import { SignedBatch } from "./Evidence.sol";
import { IFaultJudge } from "./IFaultJudge.sol";

/// @notice Who signed a batch.
/// @param positions Bit i: entry i of the batch's table signed.
/// @param keys Packed keys of those, in the table's order.
struct Signers {
    bytes32 messageHash;
    uint256 positions;
    uint256 weight;
    uint256 totalWeight;
    bytes keys;
}

/// @title Who signed a batch: every key is shown by a signature over this market's digest, none by a claim.
/// @dev The table is the one that the signers themselves named by hash; on this chain nobody can say whether it was the round's. That is
/// enough: whoever signs for a table that is not the round's has left the rules already, and only signers are ever named here.
contract BatchSigners {
    using OperatorSets for OperatorSet;

    bytes32 private constant MATCH_BATCH_TYPEHASH = keccak256(
        "MatchBatch(uint64 round,uint64 snapshotBlock,bytes32 snapshotHash,bytes32 policyHash,bytes32 operatorSetKey,uint32 tableTimestamp,bytes32 tableHash,bytes32 recordsHash,uint32 matchCount)"
    );
    bytes32 private constant ECDSA_CERTIFICATE_TYPEHASH = keccak256("ECDSACertificate(uint32 referenceTimestamp,bytes32 messageHash)");
    bytes32 private constant BN254_CERTIFICATE_TYPEHASH = keccak256("BN254Certificate(uint32 referenceTimestamp,bytes32 messageHash)");

    uint256 private constant MAX_OPERATORS = 256;
    uint256 private constant BITMAP_BYTES = 32;
    uint256 private constant WEIGHT_BYTES = 12;
    uint256 private constant ECDSA_KEY_BYTES = 20;
    uint256 private constant BN254_KEY_BYTES = 64;
    /// r and yParityAndS.
    uint256 private constant ECDSA_SIGNATURE_BYTES = 64;
    /// Half the order of secp256k1: a signature with a higher s has a twin with a lower one.
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    /// A G1 signature and a G2 key.
    uint256 private constant BN254_AGGREGATE_BYTES = 64 + 128;
    /// Two pairings cost 113,000; a point that is on no curve burns all of this.
    uint256 private constant PAIRING_GAS = 200_000;

    IKeyRegistrar public immutable keyRegistrar;
    CurveType public immutable curve;
    bytes32 public immutable operatorSetKey;
    /// @notice EIP-712 domain of MatchSettlement on its own chain.
    bytes32 public immutable batchDomain;
    /// @notice EIP-712 domain of the ECDSA certificate verifier that operators sign for.
    bytes32 public immutable certificateDomain;
    uint256 private immutable _KEY_BYTES;

    constructor(
        uint256 marketChainId,
        address settlement,
        address certificateVerifier,
        IKeyRegistrar keyRegistrar_,
        OperatorSet memory operatorSet,
        CurveType curve_
    ) {
        if (curve_ == CurveType.NONE) revert IFaultJudge.CurveUnknown();
        keyRegistrar = keyRegistrar_;
        curve = curve_;
        operatorSetKey = operatorSet.key();
        batchDomain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Matchmaker"),
                keccak256("1"),
                marketChainId,
                settlement
            )
        );
        certificateDomain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,address verifyingContract)"),
                keccak256("EigenLayer"),
                keccak256("1"),
                certificateVerifier
            )
        );
        _KEY_BYTES = curve_ == CurveType.ECDSA ? ECDSA_KEY_BYTES : BN254_KEY_BYTES;
    }

    /// @notice Everyone whose signature the certificate holds. Reverts for anything but a valid certificate of this market and set.
    function signersOf(SignedBatch memory signed) external view returns (Signers memory signers) {
        signers.messageHash = _messageHashOf(signed.batch);
        signers.positions = _signersOf(signed, signers.messageHash);
        (signers.weight, signers.totalWeight) = _weigh(signed.table, signers.positions);
        signers.keys = _keysAt(signed.table, signers.positions);
    }

    /// @notice Everyone who signed two batches of one round, by the table of the one with the lower digest, whichever is named first; nobody
    /// if they are the same or of two rounds. Weights are not counted.
    function signersOfBoth(SignedBatch memory first, SignedBatch memory second) external view returns (Signers memory signers) {
        bytes32 firstHash = _messageHashOf(first.batch);
        bytes32 secondHash = _messageHashOf(second.batch);
        if (first.batch.round != second.batch.round || firstHash == secondHash) return signers;
        if (secondHash < firstHash) (first, second, firstHash, secondHash) = (second, first, secondHash, firstHash);
        signers.messageHash = firstHash;
        signers.positions = _inBoth(first.table, _signersOf(first, firstHash), second.table, _signersOf(second, secondHash));
        signers.keys = _keysAt(first.table, signers.positions);
    }

    /// The batch's digest in this market's domain; a batch of another operator set is none of ours.
    function _messageHashOf(MatchBatch memory batch) private view returns (bytes32) {
        if (batch.operatorSetKey != operatorSetKey) revert IFaultJudge.OperatorSetMismatch();
        return keccak256(abi.encodePacked(hex"1901", batchDomain, keccak256(abi.encode(MATCH_BATCH_TYPEHASH, batch))));
    }

    /// Bit i: entry i of the batch's table signed it.
    function _signersOf(SignedBatch memory signed, bytes32 messageHash) private view returns (uint256 positions) {
        bytes memory table = signed.table;
        if (keccak256(table) != signed.batch.tableHash) revert IFaultJudge.TableMismatch();
        uint256 entryBytes = _KEY_BYTES + WEIGHT_BYTES;
        uint256 count = table.length / entryBytes;
        if (count == 0 || count > MAX_OPERATORS || table.length % entryBytes != 0) revert IFaultJudge.CertificateMalformed("table");
        if (signed.certificate.length < BITMAP_BYTES) revert IFaultJudge.CertificateMalformed("length");
        uint256 bitmap = _wordAt(signed.certificate, 0);
        uint256 everybody = type(uint256).max >> (MAX_OPERATORS - count);
        if (bitmap & ~everybody != 0) revert IFaultJudge.CertificateMalformed("bitmap");
        if (curve == CurveType.ECDSA) {
            _checkEcdsa(signed, bitmap, messageHash);
            return bitmap;
        }
        positions = everybody & ~bitmap;
        _checkBn254(signed, positions, messageHash);
    }

    /// The weight of these entries, and of all.
    function _weigh(bytes memory table, uint256 positions) private view returns (uint256 signed, uint256 total) {
        uint256 keyBytes = _KEY_BYTES;
        uint256 count = table.length / (keyBytes + WEIGHT_BYTES);
        for (uint256 i = 0; i < count; i++) {
            uint256 weight = _wordAt(table, i * (keyBytes + WEIGHT_BYTES) + keyBytes) >> 160;
            total += weight;
            if ((positions >> i) & 1 != 0) signed += weight;
        }
    }

    /// The packed keys of these entries.
    function _keysAt(bytes memory table, uint256 positions) private view returns (bytes memory keys) {
        uint256 keyBytes = _KEY_BYTES;
        keys = new bytes(LibBit.popCount(positions) * keyBytes);
        uint256 to;
        uint256 from;
        assembly ("memory-safe") {
            to := add(keys, 0x20)
            from := add(table, 0x20)
        }
        for (; positions != 0; positions >>= 1) {
            if (positions & 1 != 0) {
                assembly ("memory-safe") {
                    mcopy(to, from, keyBytes)
                    to := add(to, keyBytes)
                }
            }
            from += keyBytes + WEIGHT_BYTES;
        }
    }

    /// Those of `positions` in `table` whose key is also at one of `otherPositions` in `otherTable`.
    function _inBoth(bytes memory table, uint256 positions, bytes memory otherTable, uint256 otherPositions)
        private
        view
        returns (uint256 both)
    {
        // Tables of one round are the same but for an operator that signs two of them.
        if (keccak256(table) == keccak256(otherTable)) return positions & otherPositions;
        uint256 entryBytes = _KEY_BYTES + WEIGHT_BYTES;
        for (uint256 i = 0; positions >> i != 0; i++) {
            if ((positions >> i) & 1 != 0 && _holdsKey(otherTable, otherPositions, table, i * entryBytes)) both |= 1 << i;
        }
    }

    /// Whether the key at byte `offset` of `from` is at one of `positions` in `table`.
    function _holdsKey(bytes memory table, uint256 positions, bytes memory from, uint256 offset) private view returns (bool) {
        uint256 keyBytes = _KEY_BYTES;
        bytes32 keyHash = _hashOf(from, offset, keyBytes);
        for (uint256 i = 0; positions >> i != 0; i++) {
            if ((positions >> i) & 1 != 0 && _hashOf(table, i * (keyBytes + WEIGHT_BYTES), keyBytes) == keyHash) return true;
        }
        return false;
    }

    function _checkEcdsa(SignedBatch memory signed, uint256 positions, bytes32 messageHash) private view {
        bytes memory certificate = signed.certificate;
        if (certificate.length != BITMAP_BYTES + LibBit.popCount(positions) * ECDSA_SIGNATURE_BYTES) {
            revert IFaultJudge.CertificateMalformed("length");
        }
        bytes32 digest = keccak256(
            abi.encodePacked(
                hex"1901", certificateDomain, keccak256(abi.encode(ECDSA_CERTIFICATE_TYPEHASH, signed.batch.tableTimestamp, messageHash))
            )
        );
        uint256 offset = BITMAP_BYTES;
        for (uint256 i = 0; positions >> i != 0; i++) {
            if ((positions >> i) & 1 == 0) continue;
            address key = address(uint160(_wordAt(signed.table, i * (ECDSA_KEY_BYTES + WEIGHT_BYTES)) >> 96));
            bytes32 r = bytes32(_wordAt(certificate, offset));
            bytes32 vs = bytes32(_wordAt(certificate, offset + 32));
            // Zero for what recovers to nothing, so the zero address never signs.
            address recovered = ECDSA.tryRecover(digest, r, vs);
            if (recovered == address(0) || recovered != key || uint256(vs) & (type(uint256).max >> 1) > MAX_S) {
                revert IFaultJudge.SignatureInvalid(i);
            }
            offset += ECDSA_SIGNATURE_BYTES;
        }
    }

    /// One pairing: e(signature + gamma key1, -g2) e(hash + gamma g1, key2) is one only if key1 and key2 belong together and signed.
    function _checkBn254(SignedBatch memory signed, uint256 positions, bytes32 messageHash) private view {
        bytes memory certificate = signed.certificate;
        if (certificate.length != BITMAP_BYTES + BN254_AGGREGATE_BYTES) revert IFaultJudge.CertificateMalformed("length");
        G1Point memory key = _sumOfKeys(signed.table, positions);
        G1Point memory signature = G1Point(_wordAt(certificate, 32), _wordAt(certificate, 64));
        G2Point memory keyG2 =
            G2Point([_wordAt(certificate, 96), _wordAt(certificate, 128)], [_wordAt(certificate, 160), _wordAt(certificate, 192)]);
        bytes32 digest = keccak256(abi.encode(BN254_CERTIFICATE_TYPEHASH, signed.batch.tableTimestamp, messageHash));
        uint256 gamma = uint256(keccak256(abi.encode(digest, key, keyG2, signature))) % Bn254.GROUP_ORDER;

        (bool ok, G1Point memory left) = Bn254.mul(key, gamma);
        if (ok) (ok, left) = Bn254.add(signature, left);
        if (!ok) revert IFaultJudge.CertificateMalformed("point");
        (, G1Point memory right) = Bn254.mul(Bn254.generatorG1(), gamma);
        (, right) = Bn254.add(Bn254.hashToG1(digest), right);
        (, bool isOne) = Bn254.pairing(left, Bn254.negatedGeneratorG2(), right, keyG2, PAIRING_GAS);
        if (!isOne) revert IFaultJudge.CertificateMalformed("signature");
    }

    /// @dev A key that nobody proved to hold could be made from the others' keys so that one party signs for all; the registrar takes a key
    /// only with a signature by it, and keeps it for ever.
    function _sumOfKeys(bytes memory table, uint256 positions) private view returns (G1Point memory sum) {
        for (uint256 i = 0; positions >> i != 0; i++) {
            if ((positions >> i) & 1 == 0) continue;
            uint256 offset = i * (BN254_KEY_BYTES + WEIGHT_BYTES);
            if (!keyRegistrar.isKeyGloballyRegistered(_hashOf(table, offset, BN254_KEY_BYTES))) revert IFaultJudge.KeyUnregistered(i);
            bool ok;
            (ok, sum) = Bn254.add(sum, G1Point(_wordAt(table, offset), _wordAt(table, offset + 32)));
            if (!ok) revert IFaultJudge.KeyUnregistered(i);
        }
    }

    function _wordAt(bytes memory data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }

    function _hashOf(bytes memory data, uint256 offset, uint256 length) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(add(data, 0x20), offset), length)
        }
    }
}
