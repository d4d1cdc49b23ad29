// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the allocation manager calls on an AVS when operators join and leave its sets.
interface IAVSRegistrar {
    /// @notice Reverts to refuse the operator.
    function registerOperator(address operator, address avs, uint32[] calldata operatorSetIds, bytes calldata data) external;
    /// @dev A revert here would block the operator's exit.
    function deregisterOperator(address operator, address avs, uint32[] calldata operatorSetIds) external;
    function supportsAVS(address avs) external view returns (bool);
}
