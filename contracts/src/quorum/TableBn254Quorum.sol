// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { G1Point, G2Point, OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { Bn254 } from "./Bn254.sol";
import { IQuorumVerifier } from "./IQuorumVerifier.sol";
import { IBn254TableSource, ITableRoots } from "./ITableSource.sol";
import { KeptBn254Tables } from "./KeptBn254Tables.sol";

/// @title Weighs aggregated BN254 certificates against a table in contract code.
/// @dev A certificate is a bitmap of 32 bytes, bit i for entry i of the table if it did NOT sign, then the sum of the signatures (X, Y) and
/// the sum of the signers' G2 keys (X imaginary, X real, Y imaginary, Y real). Assumes that every key was registered with a proof of its
/// possession, as EigenLayer's KeyRegistrar demands; else a key could be chosen to cancel others out.
contract TableBn254Quorum is KeptBn254Tables {
    uint256 private constant CERTIFICATE_BYTES = 32 + 64 + 128;
    /// Bn254Table.ENTRY_BYTES, as the assembly wants it.
    uint256 private constant ENTRY_BYTES = 76;
    uint256 private constant WEIGHT_SHIFT = 160;

    constructor(IBn254TableSource source_, ITableRoots roots_, OperatorSet memory operatorSet)
        KeptBn254Tables(source_, roots_, operatorSet)
    { }

    /// @inheritdoc IQuorumVerifier
    function signedWeight(uint32 tableTimestamp, bytes32 messageHash, bytes calldata certificate) external view returns (uint256 weight) {
        (address pointer, uint256 count) = _usableTable(tableTimestamp);
        uint256 absent = _bitmapOf(certificate, count);
        if (certificate.length != CERTIFICATE_BYTES) revert CertificateMalformed("length");
        G1Point memory key;
        (key, weight) = _signers(pointer, count, absent);
        (G1Point memory signature, G2Point memory apk) = abi.decode(certificate[32:], (G1Point, G2Point));
        // Refuses the sum of nobody's keys too.
        if (!Bn254.isSigned(certificateDigest(tableTimestamp, messageHash), key, apk, signature)) revert CertificateMalformed("signature");
    }

    /// Sum of the keys, and weight, of all but those in `absent`.
    function _signers(address pointer, uint256 count, uint256 absent) private view returns (G1Point memory key, uint256 weight) {
        uint256 x;
        uint256 y;
        // Written by hand because a non-signer costs nothing but this loop. Memory from the free pointer on, which is not moved: the sum of
        // the absent keys and the key to add, 0x80 bytes as the precompile takes them, then the code without its first byte: the table's
        // summary and its entries. Keys were checked when the table was taken, so no addition fails.
        assembly ("memory-safe") {
            let input := mload(0x40)
            let added := add(input, 0x40)
            let summary := add(input, 0x80)
            let entries := add(summary, ENTRY_BYTES)
            switch absent
            case 0 { extcodecopy(pointer, summary, 1, ENTRY_BYTES) }
            default { extcodecopy(pointer, summary, 1, mul(ENTRY_BYTES, add(count, 1))) }
            mcopy(key, summary, 0x40)
            weight := shr(WEIGHT_SHIFT, mload(add(summary, 0x40)))
            mstore(input, 0)
            mstore(added, 0)
            mstore(add(input, 0x20), 0)
            for { } absent { } {
                let bit := and(absent, sub(0, absent))
                absent := xor(absent, bit)
                // The bit's position, as solady's LibBit.ffs finds it.
                let position :=
                    shl(
                        5,
                        shr(
                            252,
                            shl(
                                shl(2, shr(250, mul(bit, 0xb6db6db6ddddddddd34d34d349249249210842108c6318c639ce739cffffffff))),
                                0x8040405543005266443200005020610674053026020000107506200176117077
                            )
                        )
                    )
                position := or(
                    position,
                    byte(and(div(0xd76453e0, shr(position, bit)), 0x1f), 0x001f0d1e100c1d070f090b19131c1706010e11080a1a141802121b1503160405)
                )
                let entry := add(entries, mul(ENTRY_BYTES, position))
                mcopy(added, entry, 0x40)
                weight := sub(weight, shr(WEIGHT_SHIFT, mload(add(entry, 0x40))))
                pop(staticcall(gas(), 0x06, input, 0x80, input, 0x40))
            }
            x := mload(input)
            y := mload(add(input, 0x20))
        }
        // The sum of no key is infinity, as it should be.
        (, key) = Bn254.add(key, Bn254.negate(G1Point(x, y)));
    }
}
