// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAllocationManager } from "../eigenlayer/IAllocationManager.sol";
import { IKeyRegistrar } from "../eigenlayer/IKeyRegistrar.sol";
import { IOperatorTableCalculator } from "../eigenlayer/IOperatorTableCalculator.sol";
import { IStrategy } from "../eigenlayer/IStrategy.sol";
import { OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { LibSort } from "solady/utils/LibSort.sol";

/// @title The weights of operator tables: slashable stake.
/// @notice An operator's one weight is the stake, in shares of the set's only strategy, that stays slashable for `LOOKAHEAD_BLOCKS`.
/// @dev Shares of different tokens cannot be added, so a set with more than one strategy gets no table at all. Operators without weight
/// or without a signing key are left out. The order is the allocation manager's. Of more operators than a certificate can name the heaviest
/// are in the table, so that nobody keeps a table from being taken by joining with dust. Members are unbounded: a set too large for one
/// call gets no table.
abstract contract StakeWeights is IOperatorTableCalculator {
    error MoreThanOneStrategy(uint256 count);

    /// @notice Operators in a table at most: what a certificate's bitmap of one word can name.
    uint256 public constant MAX_OPERATORS = 256;

    IKeyRegistrar public immutable keyRegistrar;
    IAllocationManager public immutable allocationManager;
    uint32 public immutable LOOKAHEAD_BLOCKS;

    constructor(IKeyRegistrar keyRegistrar_, IAllocationManager allocationManager_, uint32 lookaheadBlocks) {
        keyRegistrar = keyRegistrar_;
        allocationManager = allocationManager_;
        LOOKAHEAD_BLOCKS = lookaheadBlocks;
    }

    function getOperatorSetWeights(OperatorSet calldata operatorSet)
        public
        view
        returns (address[] memory operators, uint256[][] memory weights)
    {
        address[] memory members = allocationManager.getMembers(operatorSet);
        uint256[] memory stake = _slashableStake(operatorSet, members);
        for (uint256 i; i < members.length; ++i) {
            if (stake[i] != 0 && !keyRegistrar.isRegistered(operatorSet, members[i])) stake[i] = 0;
        }
        (uint256 least, uint256 placesAtLeast) = _entryOf(stake);
        operators = new address[](members.length);
        weights = new uint256[][](members.length);
        uint256 count;
        for (uint256 i; i < members.length; ++i) {
            if (stake[i] < least) continue;
            if (stake[i] == least) {
                if (placesAtLeast == 0) continue;
                --placesAtLeast;
            }
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
        if (allocationManager.getMemberCount(operatorSet) > MAX_OPERATORS) return _weightsInTable(operatorSet, operator);
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

    /// @return least Stake from which an operator is in the table.
    /// @return placesAtLeast How many with just that stake are, in the order of members.
    function _entryOf(uint256[] memory stake) private pure returns (uint256 least, uint256 placesAtLeast) {
        if (stake.length <= MAX_OPERATORS) return (1, MAX_OPERATORS);
        uint256[] memory ascending = LibSort.copy(stake);
        LibSort.sort(ascending);
        uint256 first = ascending.length - MAX_OPERATORS;
        least = ascending[first];
        if (least == 0) return (1, MAX_OPERATORS);
        for (uint256 i = first; i < ascending.length && ascending[i] == least; ++i) {
            ++placesAtLeast;
        }
    }

    function _weightsInTable(OperatorSet calldata operatorSet, address operator) private view returns (uint256[] memory) {
        (address[] memory operators, uint256[][] memory weights) = getOperatorSetWeights(operatorSet);
        for (uint256 i; i < operators.length; ++i) {
            if (operators[i] == operator) return weights[i];
        }
        return new uint256[](0);
    }
}
