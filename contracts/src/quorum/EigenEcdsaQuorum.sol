// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CurveType, ECDSACertificate, OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { IECDSACertificateVerifier } from "../eigenlayer/IECDSACertificateVerifier.sol";
import { EcdsaTable } from "./EcdsaTable.sol";
import { IQuorumVerifier } from "./IQuorumVerifier.sol";

/// @title Has EigenLayer's verifier weigh ECDSA certificates against the tables that it holds.
/// @dev A certificate is the signatures as that verifier takes them: r, s, v of 65 bytes, strictly ascending by signing key. Keeps nothing
/// itself: a stored table of the verifier never changes, and a table counts as long as the verifier lets it. Bad certificates revert with
/// the verifier's own errors.
contract EigenEcdsaQuorum is IQuorumVerifier {
    /// @dev As many as a canonical certificate could name.
    uint256 private constant MAX_OPERATORS = 256;

    IECDSACertificateVerifier public immutable verifier;
    address public immutable avs;
    uint32 public immutable operatorSetId;

    constructor(IECDSACertificateVerifier verifier_, OperatorSet memory operatorSet) {
        verifier = verifier_;
        avs = operatorSet.avs;
        operatorSetId = operatorSet.id;
    }

    /// @inheritdoc IQuorumVerifier
    function takeTable(bytes calldata entries) external view returns (uint32 tableTimestamp, bytes32 tableHash, uint96 totalWeight) {
        OperatorSet memory set = _operatorSet();
        tableTimestamp = verifier.latestReferenceTimestamp(set);
        if (tableTimestamp == 0) revert NoTable();
        if (verifier.maxOperatorTableStaleness(set) == 0) revert StalenessUnlimited();
        if (entries.length != 0) revert EntriesMismatch(tableTimestamp);
        bytes memory packed = tableEntries(tableTimestamp);
        (tableHash, totalWeight) = EcdsaTable.summary(packed);
        // The verifier refuses to total a table without entries; such a table is taken so that nothing settles under the one before.
        if (packed.length != 0 && verifier.getTotalStakeWeights(set, tableTimestamp)[0] != totalWeight) {
            revert EntriesMismatch(tableTimestamp);
        }
    }

    /// @inheritdoc IQuorumVerifier
    function signedWeight(uint32 tableTimestamp, bytes32 messageHash, bytes calldata certificate) external view returns (uint256) {
        OperatorSet memory set = _operatorSet();
        if (verifier.maxOperatorTableStaleness(set) == 0) revert StalenessUnlimited();
        (uint256[] memory weights,) = verifier.verifyCertificate(
            set, ECDSACertificate({ referenceTimestamp: tableTimestamp, messageHash: messageHash, sig: certificate })
        );
        return weights[0];
    }

    /// @inheritdoc IQuorumVerifier
    function tableEntries(uint32 tableTimestamp) public view returns (bytes memory) {
        return EcdsaTable.pack(tableTimestamp, verifier.getOperatorInfos(_operatorSet(), tableTimestamp), MAX_OPERATORS);
    }

    /// @inheritdoc IQuorumVerifier
    function curve() external pure returns (CurveType) {
        return CurveType.ECDSA;
    }

    /// @inheritdoc IQuorumVerifier
    function certificateDigest(uint32 tableTimestamp, bytes32 messageHash) external view returns (bytes32) {
        return verifier.calculateCertificateDigest(tableTimestamp, messageHash);
    }

    function _operatorSet() private view returns (OperatorSet memory) {
        return OperatorSet({ avs: avs, id: operatorSetId });
    }
}
