// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OperatorSet } from "./EigenTypes.sol";

/// @title EigenLayer's list of an operator set's software releases.
interface IReleaseManager {
    event MetadataURIPublished(OperatorSet indexed operatorSet, string metadataURI);

    error InvalidPermissions();

    /// @dev Comes before the first release of the set. Only for the AVS, its admins and appointees.
    function publishMetadataURI(OperatorSet calldata operatorSet, string calldata metadataURI) external;
    /// @return Empty when none was published.
    function getMetadataURI(OperatorSet memory operatorSet) external view returns (string memory);
}
