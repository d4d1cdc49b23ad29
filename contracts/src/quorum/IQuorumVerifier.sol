// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CurveType } from "../eigenlayer/EigenTypes.sol";

/// @title Whoever keeps the operator table for settlement and weighs a certificate against it.
/// @dev Four implementations, by curve and by who checks the signatures: EigenLayer's certificate verifier, or the table kept here in
/// contract code. Table entries are packed in the source's order: ECDSA key 20 bytes, BN254 key X 32 and Y 32 bytes, then the weight, 12.
interface IQuorumVerifier {
    /// @notice The source has no table yet.
    error NoTable();
    /// @notice The source puts no limit on a table's age; such a table could be used for ever.
    error StalenessUnlimited();
    /// @notice The entries handed in are not the source's table of that time.
    error EntriesMismatch(uint32 tableTimestamp);
    error WeightTooLarge(uint256 weight);
    error TooManyOperators(uint256 count);
    error TableUnknown(uint32 tableTimestamp);
    /// @notice The table is older than its source let it become.
    error TableExpired(uint32 tableTimestamp);
    /// @notice The source no longer vouches for the table.
    error TableWithdrawn(uint32 tableTimestamp);
    error CertificateMalformed(string what);

    /// @notice A table was written into contract code. Not where EigenLayer's verifier itself keeps the entries.
    event TableTaken(uint32 indexed tableTimestamp, bytes32 tableHash, uint96 totalWeight);

    /// @notice Takes over the source's newest table and keeps its entries. Anyone; a table that is kept already is returned as it is.
    /// @param entries The packed entries, where the source keeps only a commitment to them (BN254); empty otherwise.
    /// @return tableTimestamp Seconds.
    /// @return tableHash keccak256 of the packed entries.
    /// @return totalWeight Sum of all weights.
    function takeTable(bytes calldata entries) external returns (uint32 tableTimestamp, bytes32 tableHash, uint96 totalWeight);

    /// @notice Weight of the operators that signed `messageHash` under a kept table. Reverts for anything but a valid certificate.
    /// @param certificate In the form that this implementation documents.
    function signedWeight(uint32 tableTimestamp, bytes32 messageHash, bytes calldata certificate) external returns (uint256 weight);

    /// @notice The packed entries of a kept table; empty for one that is not kept.
    function tableEntries(uint32 tableTimestamp) external view returns (bytes memory entries);
    function curve() external view returns (CurveType);
    /// @notice What operators sign: the certificate digest over a table's time and a message.
    function certificateDigest(uint32 tableTimestamp, bytes32 messageHash) external view returns (bytes32);
}
