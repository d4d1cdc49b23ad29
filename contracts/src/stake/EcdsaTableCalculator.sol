// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAllocationManager } from "../eigenlayer/IAllocationManager.sol";
import { IKeyRegistrar } from "../eigenlayer/IKeyRegistrar.sol";
import { OperatorSet, ECDSAOperatorInfo } from "../eigenlayer/EigenTypes.sol";
import { StakeWeights } from "./StakeWeights.sol";

/// @title Turns slashable stake into the weights of an ECDSA operator table.
contract EcdsaTableCalculator is StakeWeights {
    constructor(IKeyRegistrar keyRegistrar_, IAllocationManager allocationManager_, uint32 lookaheadBlocks)
        StakeWeights(keyRegistrar_, allocationManager_, lookaheadBlocks)
    { }

    /// @return `abi.encode(ECDSAOperatorInfo[])`.
    function calculateOperatorTableBytes(OperatorSet calldata operatorSet) external view returns (bytes memory) {
        (address[] memory operators, uint256[][] memory weights) = getOperatorSetWeights(operatorSet);
        ECDSAOperatorInfo[] memory infos = new ECDSAOperatorInfo[](operators.length);
        for (uint256 i; i < operators.length; ++i) {
            infos[i] = ECDSAOperatorInfo(keyRegistrar.getECDSAAddress(operatorSet, operators[i]), weights[i]);
        }
        return abi.encode(infos);
    }
}
