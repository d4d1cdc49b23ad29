// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibBit } from "solady/utils/LibBit.sol";

import { CurveType, OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { EcdsaDigest } from "./EcdsaDigest.sol";
import { EcdsaTable } from "./EcdsaTable.sol";
import { IQuorumVerifier } from "./IQuorumVerifier.sol";
import { IEcdsaTableSource, ITableRoots, ITableSource } from "./ITableSource.sol";
import { KeptTables } from "./KeptTables.sol";

/// @title Weighs ECDSA certificates against a table in contract code.
/// @dev A certificate is a bitmap of 32 bytes, bit i for entry i of the table, then r and yParityAndS (EIP-2098) of every signer in the
/// table's order: 64 bytes and one ecrecover a signer. Bit and key belong together, so nobody counts twice; high s is refused.
contract TableEcdsaQuorum is KeptTables {
    uint256 private constant SIGNATURE_BYTES = 64;
    uint256 private constant LOW_S_MASK = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;
    /// Half of secp256k1's order: the largest s of two that sign alike.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    IEcdsaTableSource public immutable source;
    bytes32 private immutable _domainSeparator;

    constructor(IEcdsaTableSource source_, ITableRoots roots_, OperatorSet memory operatorSet) KeptTables(roots_, operatorSet) {
        source = source_;
        _domainSeparator = EcdsaDigest.domainSeparator(address(source_));
    }

    /// @inheritdoc IQuorumVerifier
    function signedWeight(uint32 tableTimestamp, bytes32 messageHash, bytes calldata certificate) external view returns (uint256 weight) {
        (address pointer, uint256 count) = _usableTable(tableTimestamp);
        uint256 bitmap = _bitmapOf(certificate, count);
        if (bitmap == 0) revert CertificateMalformed("bitmap");
        if (certificate.length != 32 + LibBit.popCount(bitmap) * SIGNATURE_BYTES) revert CertificateMalformed("length");
        bytes32 digest = certificateDigest(tableTimestamp, messageHash);
        uint256 bad;
        // Written by hand because this loop is most of what a settlement costs besides its matches. Memory from the free pointer on, which
        // is not moved: 0x80 bytes of ecrecover's input (digest, v, r, s), then the table. The recovered key goes to scratch space.
        assembly ("memory-safe") {
            let input := mload(0x40)
            let entry := add(input, 0x80)
            extcodecopy(pointer, entry, 1, shl(5, count))
            mstore(input, digest)
            let signature := add(certificate.offset, 0x20)
            for { } bitmap { bitmap := shr(1, bitmap) } {
                if and(bitmap, 1) {
                    let operator := mload(entry)
                    let s := calldataload(add(signature, 0x20))
                    mstore(add(input, 0x20), add(shr(255, s), 27))
                    s := and(s, LOW_S_MASK)
                    calldatacopy(add(input, 0x40), signature, 0x20)
                    mstore(add(input, 0x60), s)
                    // The call succeeds for any input; for what is no signature it returns nothing and leaves the key before in place.
                    pop(staticcall(gas(), 0x01, input, 0x80, 0x00, 0x20))
                    bad := or(bad, or(xor(returndatasize(), 0x20), or(xor(mload(0x00), shr(96, operator)), gt(s, HALF_ORDER))))
                    weight := add(weight, and(operator, 0xffffffffffffffffffffffff))
                    signature := add(signature, 0x40)
                }
                entry := add(entry, 0x20)
            }
        }
        if (bad != 0) revert CertificateMalformed("signature");
    }

    /// @inheritdoc IQuorumVerifier
    function curve() external pure returns (CurveType) {
        return CurveType.ECDSA;
    }

    /// @inheritdoc IQuorumVerifier
    function certificateDigest(uint32 tableTimestamp, bytes32 messageHash) public view returns (bytes32) {
        return EcdsaDigest.digest(_domainSeparator, tableTimestamp, messageHash);
    }

    function _source() internal view override returns (ITableSource) {
        return source;
    }

    function _take(OperatorSet memory set, uint32 tableTimestamp, bytes calldata entries)
        internal
        view
        override
        returns (bytes memory code, uint256 count)
    {
        if (entries.length != 0) revert EntriesMismatch(tableTimestamp);
        code = EcdsaTable.pack(tableTimestamp, source.getOperatorInfos(set, tableTimestamp), MAX_OPERATORS);
        count = code.length / EcdsaTable.ENTRY_BYTES;
    }

    function _summary(bytes memory code) internal pure override returns (bytes32, uint96) {
        return EcdsaTable.summary(code);
    }

    function _headerBytes() internal pure override returns (uint256) {
        return 0;
    }
}
