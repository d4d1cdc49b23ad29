// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SSTORE2 } from "solady/utils/SSTORE2.sol";

import { OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { IQuorumVerifier } from "./IQuorumVerifier.sol";
import { ITableRoots, ITableSource } from "./ITableSource.sol";

/// @title Operator tables kept in contract code, one for each timestamp that the source had, for good.
/// @dev Nothing here can be changed or removed, and no role exists. A table counts until its age limit, as the source had it when the table
/// was taken, and no longer once the source's root of it is withdrawn. The source is trusted: it says which operators there are.
abstract contract KeptTables is IQuorumVerifier {
    /// @dev What a bitmap of one word can name.
    uint256 internal constant MAX_OPERATORS = 256;
    /// Word of a kept table: address of the code, the last second of its use (uint40), number of operators.
    uint256 private constant USABLE_UNTIL_SHIFT = 160;
    uint256 private constant COUNT_SHIFT = 200;

    address public immutable avs;
    uint32 public immutable operatorSetId;
    ITableRoots public immutable roots;

    mapping(uint32 tableTimestamp => uint256 word) private _tables;

    constructor(ITableRoots roots_, OperatorSet memory operatorSet) {
        roots = roots_;
        avs = operatorSet.avs;
        operatorSetId = operatorSet.id;
    }

    /// @inheritdoc IQuorumVerifier
    function takeTable(bytes calldata entries) external returns (uint32 tableTimestamp, bytes32 tableHash, uint96 totalWeight) {
        OperatorSet memory set = _operatorSet();
        tableTimestamp = _source().latestReferenceTimestamp(set);
        if (tableTimestamp == 0) revert NoTable();
        uint256 word = _tables[tableTimestamp];
        if (word != 0) {
            (tableHash, totalWeight) = _summary(SSTORE2.read(address(uint160(word))));
            return (tableTimestamp, tableHash, totalWeight);
        }
        uint256 staleness = _source().maxOperatorTableStaleness(set);
        if (staleness == 0) revert StalenessUnlimited();
        (bytes memory code, uint256 count) = _take(set, tableTimestamp, entries);
        (tableHash, totalWeight) = _summary(code);
        _tables[tableTimestamp] =
            uint256(uint160(SSTORE2.write(code))) | ((tableTimestamp + staleness) << USABLE_UNTIL_SHIFT) | (count << COUNT_SHIFT);
        emit TableTaken(tableTimestamp, tableHash, totalWeight);
    }

    /// @inheritdoc IQuorumVerifier
    function tableEntries(uint32 tableTimestamp) external view returns (bytes memory) {
        address pointer = address(uint160(_tables[tableTimestamp]));
        return pointer == address(0) ? new bytes(0) : SSTORE2.read(pointer, _headerBytes());
    }

    /// @return pointer Where the code of a table lies that certificates may name now.
    /// @return count Its operators.
    function _usableTable(uint32 tableTimestamp) internal view returns (address pointer, uint256 count) {
        uint256 word = _tables[tableTimestamp];
        if (word == 0) revert TableUnknown(tableTimestamp);
        if (block.timestamp > uint40(word >> USABLE_UNTIL_SHIFT)) revert TableExpired(tableTimestamp);
        if (!roots.isRootValidByTimestamp(tableTimestamp)) revert TableWithdrawn(tableTimestamp);
        pointer = address(uint160(word));
        count = word >> COUNT_SHIFT;
    }

    function _operatorSet() internal view returns (OperatorSet memory) {
        return OperatorSet({ avs: avs, id: operatorSetId });
    }

    /// The bitmap that a certificate begins with; it names no operator beyond the table.
    function _bitmapOf(bytes calldata certificate, uint256 count) internal pure returns (uint256 bitmap) {
        if (certificate.length < 32) revert CertificateMalformed("length");
        bitmap = uint256(bytes32(certificate[:32]));
        if (bitmap >> count != 0) revert CertificateMalformed("bitmap");
    }

    /// Where tables come from.
    function _source() internal view virtual returns (ITableSource);
    /// What is written as code for the source's table: a header, then the packed entries.
    function _take(OperatorSet memory set, uint32 tableTimestamp, bytes calldata entries)
        internal
        view
        virtual
        returns (bytes memory code, uint256 count);
    /// Hash of the packed entries in a table's code, and the sum of their weights.
    function _summary(bytes memory code) internal pure virtual returns (bytes32 tableHash, uint96 totalWeight);
    function _headerBytes() internal pure virtual returns (uint256);
}
