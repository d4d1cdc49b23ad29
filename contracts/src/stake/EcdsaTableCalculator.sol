// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAllocationManager } from "../eigenlayer/IAllocationManager.sol";
import { IKeyRegistrar } from "../eigenlayer/IKeyRegistrar.sol";
import { IOperatorTableCalculator } from "../eigenlayer/IOperatorTableCalculator.sol";
import { IStrategy } from "../eigenlayer/IStrategy.sol";
import { OperatorSet, ECDSAOperatorInfo } from "../eigenlayer/EigenTypes.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Turns slashable stake into the weights of an ECDSA operator table.
/// @notice An operator's one weight is the stake, in shares of the set's only strategy, that stays slashable for `LOOKAHEAD_BLOCKS`.
/// @dev Shares of different tokens cannot be added, so a set with more than one strategy gets no table at all. Operators without weight
/// or without a signing key are left out. The order is the allocation manager's. Members are unbounded: a set too large for one call
/// gets no table.
contract EcdsaTableCalculator is IOperatorTableCalculator {
    error MoreThanOneStrategy(uint256 count);

    IKeyRegistrar public immutable keyRegistrar;
    IAllocationManager public immutable allocationManager;
    uint32 public immutable LOOKAHEAD_BLOCKS;

    constructor(IKeyRegistrar keyRegistrar_, IAllocationManager allocationManager_, uint32 lookaheadBlocks) {
        keyRegistrar = keyRegistrar_;
        allocationManager = allocationManager_;
        LOOKAHEAD_BLOCKS = lookaheadBlocks;
    }

    function calculateOperatorTableBytes(OperatorSet calldata operatorSet) external view returns (bytes memory) {
        (address[] memory operators, uint256[][] memory weights) = getOperatorSetWeights(operatorSet);
        ECDSAOperatorInfo[] memory infos = new ECDSAOperatorInfo[](operators.length);
        for (uint256 i; i < operators.length; ++i) {
            infos[i] = ECDSAOperatorInfo(keyRegistrar.getECDSAAddress(operatorSet, operators[i]), weights[i]);
        }
        return abi.encode(infos);
    }

    function getOperatorSetWeights(OperatorSet calldata operatorSet)
        public
        view
        returns (address[] memory operators, uint256[][] memory weights)
    {
        address[] memory members = allocationManager.getMembers(operatorSet);
        uint256[] memory stake = _slashableStake(operatorSet, members);
        operators = new address[](members.length);
        weights = new uint256[][](members.length);
        uint256 count;
        for (uint256 i; i < members.length; ++i) {
            if (stake[i] == 0 || !keyRegistrar.isRegistered(operatorSet, members[i])) continue;
            operators[count] = members[i];
            weights[count] = new uint256[](1);
            weights[count][0] = stake[i];
            ++count;
        }
        // Both arrays were made for all members; only the first `count` entries are used.
        assembly ("memory-safe") {
            mstore(operators, count)
            mstore(weights, count)
        }
    }

    /// @return weights Empty if the operator is not in the table.
    function getOperatorWeights(OperatorSet calldata operatorSet, address operator) external view returns (uint256[] memory weights) {
        if (!allocationManager.isMemberOfOperatorSet(operator, operatorSet)) return weights;
        if (!keyRegistrar.isRegistered(operatorSet, operator)) return weights;
        address[] memory operators = new address[](1);
        operators[0] = operator;
        uint256[] memory stake = _slashableStake(operatorSet, operators);
        return stake[0] == 0 ? weights : stake;
    }

    /// @return stake In shares, by operator; zeros for a set without a strategy.
    function _slashableStake(OperatorSet calldata operatorSet, address[] memory operators) private view returns (uint256[] memory stake) {
        IStrategy[] memory strategies = allocationManager.getStrategiesInOperatorSet(operatorSet);
        require(strategies.length <= 1, MoreThanOneStrategy(strategies.length));
        stake = new uint256[](operators.length);
        if (strategies.length == 0) return stake;
        uint32 futureBlock = SafeCast.toUint32(block.number) + LOOKAHEAD_BLOCKS;
        uint256[][] memory byStrategy = allocationManager.getMinimumSlashableStake(operatorSet, operators, strategies, futureBlock);
        for (uint256 i; i < operators.length; ++i) {
            stake[i] = byStrategy[i][0];
        }
    }
}
