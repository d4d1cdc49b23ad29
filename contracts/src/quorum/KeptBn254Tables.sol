// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CurveType, OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { Bn254Table } from "./Bn254Table.sol";
import { IQuorumVerifier } from "./IQuorumVerifier.sol";
import { IBn254TableSource, ITableRoots, ITableSource } from "./ITableSource.sol";
import { KeptTables } from "./KeptTables.sol";

/// @title BN254 tables in contract code, taken from a source that has only a commitment to them.
/// @dev The code begins with one more entry: the sum of all keys and the total weight.
abstract contract KeptBn254Tables is KeptTables {
    /// @dev keccak256("BN254Certificate(uint32 referenceTimestamp,bytes32 messageHash)").
    bytes32 private constant CERTIFICATE_TYPEHASH = 0xd9f77a423768f4b0526fa60a7c732334516a93f1d228dce50ad804ea74ced36e;

    IBn254TableSource public immutable source;

    constructor(IBn254TableSource source_, ITableRoots roots_, OperatorSet memory operatorSet) KeptTables(roots_, operatorSet) {
        source = source_;
    }

    /// @inheritdoc IQuorumVerifier
    function curve() external pure returns (CurveType) {
        return CurveType.BN254;
    }

    /// @inheritdoc IQuorumVerifier
    /// @dev Without any domain: what must not be valid elsewhere belongs into the message.
    function certificateDigest(uint32 tableTimestamp, bytes32 messageHash) public pure returns (bytes32) {
        return keccak256(abi.encode(CERTIFICATE_TYPEHASH, tableTimestamp, messageHash));
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
        return Bn254Table.prove(tableTimestamp, entries, source.getOperatorSetInfo(set, tableTimestamp), MAX_OPERATORS);
    }

    function _summary(bytes memory code) internal pure override returns (bytes32, uint96) {
        return Bn254Table.summary(code);
    }

    function _headerBytes() internal pure override returns (uint256) {
        return Bn254Table.ENTRY_BYTES;
    }
}
