// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OperatorSet } from "./EigenTypes.sol";

/// @title Turns an operator set's stake into the table that other chains check certificates with.
interface IOperatorTableCalculator {
    /// @return operatorTableBytes For an ECDSA set `abi.encode(ECDSAOperatorInfo[])`, for BN254 `abi.encode(BN254OperatorSetInfo)`.
    function calculateOperatorTableBytes(OperatorSet calldata operatorSet) external view returns (bytes memory operatorTableBytes);
    function getOperatorSetWeights(OperatorSet calldata operatorSet)
        external
        view
        returns (address[] memory operators, uint256[][] memory weights);
    function getOperatorWeights(OperatorSet calldata operatorSet, address operator) external view returns (uint256[] memory weights);
}
