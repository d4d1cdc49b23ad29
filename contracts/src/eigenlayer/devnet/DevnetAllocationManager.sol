// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Checkpoints } from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import { EnumerableSet } from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import { DoubleEndedQueue } from "@openzeppelin/contracts/utils/structs/DoubleEndedQueue.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IPermissionController } from "../IPermissionController.sol";
import { IStrategy } from "../IStrategy.sol";
import { OperatorSets } from "../OperatorSets.sol";
import { OperatorSet, AllocateParams, Allocation, SlashingParams } from "../EigenTypes.sol";
import { DevnetDelegationManager } from "./DevnetDelegationManager.sol";
import { DevnetOperatorSets } from "./DevnetOperatorSets.sol";
import { DevnetPermissioned } from "./DevnetPermissioned.sol";

/// @title Allocations of operators' stake to operator sets, and slashing, for a chain that has no EigenLayer.
/// @dev An operator starts with a magnitude of 1e18 in each strategy, distributes it over sets, and loses what is slashed for good.
contract DevnetAllocationManager is DevnetOperatorSets {
    using Checkpoints for Checkpoints.Trace224;
    using EnumerableSet for EnumerableSet.AddressSet;
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using DoubleEndedQueue for DoubleEndedQueue.Bytes32Deque;
    using OperatorSets for OperatorSet;
    using SafeCast for uint256;
    using SafeCast for int256;

    struct AllocationDelay {
        uint32 delay;
        bool isSet;
        uint32 pendingDelay;
        uint32 effectBlock;
    }

    uint64 private constant WAD = 1e18;

    uint32 public immutable ALLOCATION_CONFIGURATION_DELAY;

    mapping(address operator => AllocationDelay) private _allocationDelays;
    mapping(address operator => EnumerableSet.Bytes32Set) private _allocatedSets;
    mapping(address operator => mapping(bytes32 setKey => EnumerableSet.AddressSet)) private _allocatedStrategies;
    mapping(address operator => mapping(bytes32 setKey => mapping(IStrategy strategy => Allocation))) private _allocations;
    mapping(address operator => mapping(IStrategy strategy => uint64)) private _encumbered;
    /// @dev By block. Empty for an operator that was never slashed; otherwise it begins with 1e18 at block 0.
    mapping(address operator => mapping(IStrategy strategy => Checkpoints.Trace224)) private _maxMagnitudes;
    /// @dev Sets with a deallocation under way; all wait equally long, so the queue is in order of completion.
    mapping(address operator => mapping(IStrategy strategy => DoubleEndedQueue.Bytes32Deque)) private _deallocationQueues;
    mapping(bytes32 setKey => uint256) private _slashCounts;

    /// @param deallocationDelay Blocks for which stake stays slashable after a deallocation or a deregistration.
    /// @param configurationDelay Blocks before a changed allocation delay or slasher counts.
    constructor(
        DevnetDelegationManager delegation_,
        IPermissionController permissionController_,
        uint32 deallocationDelay,
        uint32 configurationDelay
    ) DevnetPermissioned(permissionController_) DevnetOperatorSets(delegation_, deallocationDelay, configurationDelay) {
        ALLOCATION_CONFIGURATION_DELAY = configurationDelay;
    }

    // ------------------------------------------------------------------ slashing

    function slashOperator(address avs, SlashingParams calldata params) external returns (uint256 slashId, uint256[] memory shares) {
        require(params.strategies.length == params.wadsToSlash.length, InputArrayLengthMismatch());
        OperatorSet memory operatorSet = OperatorSet(avs, params.operatorSetId);
        require(_exists(operatorSet.key()), InvalidOperatorSet());
        require(isOperatorSlashable(params.operator, operatorSet), OperatorNotSlashable());
        require(msg.sender == getSlasher(operatorSet), InvalidCaller());

        slashId = ++_slashCounts[operatorSet.key()];
        shares = new uint256[](params.strategies.length);
        uint256[] memory wadSlashed = new uint256[](params.strategies.length);
        for (uint256 i; i < params.strategies.length; ++i) {
            IStrategy strategy = params.strategies[i];
            require(i == 0 || address(strategy) > address(params.strategies[i - 1]), StrategiesMustBeInAscendingOrder());
            require(params.wadsToSlash[i] != 0 && params.wadsToSlash[i] <= WAD, InvalidWadToSlash());
            require(_hasStrategy(operatorSet.key(), strategy), StrategyNotInOperatorSet());
            uint64 maxBefore = getMaxMagnitude(params.operator, strategy);
            uint64 slashed = _slashMagnitude(params.operator, operatorSet, strategy, params.wadsToSlash[i], maxBefore);
            if (slashed == 0) continue;
            // Rounded down: it is only told.
            wadSlashed[i] = Math.mulDiv(slashed, WAD, maxBefore);
            shares[i] = delegation.slashOperatorShares(params.operator, operatorSet, slashId, strategy, maxBefore, maxBefore - slashed);
        }
        emit OperatorSlashed(params.operator, operatorSet, params.strategies, wadSlashed, params.description);
    }

    // ------------------------------------------------------------------ operators

    /// @dev From the delegation manager, at registration, the delay counts at once.
    function setAllocationDelay(address operator, uint32 delay) external {
        uint32 effectBlock = block.number.toUint32();
        if (msg.sender != address(delegation)) {
            require(_mayActFor(operator), InvalidCaller());
            require(delegation.isOperator(operator), InvalidOperator());
            effectBlock += ALLOCATION_CONFIGURATION_DELAY + 1;
        }
        (bool isSet, uint32 current) = getAllocationDelay(operator);
        _allocationDelays[operator] = AllocationDelay(current, isSet, delay, effectBlock);
        emit AllocationDelaySet(operator, delay, effectBlock);
    }

    function modifyAllocations(address operator, AllocateParams[] calldata params) external {
        require(_mayActFor(operator), InvalidPermissions());
        (bool isSet, uint32 delay) = getAllocationDelay(operator);
        require(isSet, UninitializedAllocationDelay());
        for (uint256 i; i < params.length; ++i) {
            AllocateParams calldata change = params[i];
            require(change.strategies.length == change.newMagnitudes.length, InputArrayLengthMismatch());
            require(_exists(change.operatorSet.key()), InvalidOperatorSet());
            for (uint256 j; j < change.strategies.length; ++j) {
                _clearDeallocationQueue(operator, change.strategies[j], type(uint16).max);
                _modifyAllocation(operator, change.operatorSet, change.strategies[j], change.newMagnitudes[j], delay);
            }
        }
    }

    function clearDeallocationQueue(address operator, IStrategy[] calldata strategies, uint16[] calldata numToClear) external {
        require(strategies.length == numToClear.length, InputArrayLengthMismatch());
        require(delegation.isOperator(operator), InvalidOperator());
        for (uint256 i; i < strategies.length; ++i) {
            _clearDeallocationQueue(operator, strategies[i], numToClear[i]);
        }
    }

    // ------------------------------------------------------------------ views

    function getAllocationDelay(address operator) public view returns (bool isSet, uint32 delay) {
        AllocationDelay memory stored = _allocationDelays[operator];
        if (stored.effectBlock != 0 && block.number >= stored.effectBlock) return (true, stored.pendingDelay);
        return (stored.isSet, stored.delay);
    }

    function getAllocation(address operator, OperatorSet memory operatorSet, IStrategy strategy) external view returns (Allocation memory) {
        return _currentAllocation(operator, operatorSet.key(), strategy);
    }

    function getAllocations(address[] memory operators, OperatorSet memory operatorSet, IStrategy strategy)
        external
        view
        returns (Allocation[] memory allocations)
    {
        allocations = new Allocation[](operators.length);
        for (uint256 i; i < operators.length; ++i) {
            allocations[i] = _currentAllocation(operators[i], operatorSet.key(), strategy);
        }
    }

    function getStrategyAllocations(address operator, IStrategy strategy)
        external
        view
        returns (OperatorSet[] memory operatorSets, Allocation[] memory allocations)
    {
        bytes32[] memory setKeys = _allocatedSets[operator].values();
        operatorSets = _asOperatorSets(setKeys);
        allocations = new Allocation[](setKeys.length);
        for (uint256 i; i < setKeys.length; ++i) {
            allocations[i] = _currentAllocation(operator, setKeys[i], strategy);
        }
    }

    function getAllocatedSets(address operator) external view returns (OperatorSet[] memory) {
        return _asOperatorSets(_allocatedSets[operator].values());
    }

    function getAllocatedStrategies(address operator, OperatorSet memory operatorSet) external view returns (IStrategy[] memory) {
        return _asStrategies(_allocatedStrategies[operator][operatorSet.key()].values());
    }

    function getAllocatableMagnitude(address operator, IStrategy strategy) external view returns (uint64) {
        return getMaxMagnitude(operator, strategy) - getEncumberedMagnitude(operator, strategy);
    }

    /// @dev Deallocations that are complete count as free even before the queue is cleared.
    function getEncumberedMagnitude(address operator, IStrategy strategy) public view returns (uint64 encumbered) {
        encumbered = _encumbered[operator][strategy];
        DoubleEndedQueue.Bytes32Deque storage queue = _deallocationQueues[operator][strategy];
        for (uint256 i; i < queue.length(); ++i) {
            Allocation storage stored = _allocations[operator][queue.at(i)][strategy];
            if (block.number < stored.effectBlock) break;
            encumbered = _apply(encumbered, stored.pendingDiff);
        }
    }

    function getMaxMagnitude(address operator, IStrategy strategy) public view returns (uint64) {
        Checkpoints.Trace224 storage history = _maxMagnitudes[operator][strategy];
        return history.length() == 0 ? WAD : uint64(history.latest());
    }

    function getMaxMagnitudes(address operator, IStrategy[] calldata strategies) external view returns (uint64[] memory magnitudes) {
        magnitudes = new uint64[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            magnitudes[i] = getMaxMagnitude(operator, strategies[i]);
        }
    }

    function getMaxMagnitudes(address[] calldata operators, IStrategy strategy) external view returns (uint64[] memory magnitudes) {
        magnitudes = new uint64[](operators.length);
        for (uint256 i; i < operators.length; ++i) {
            magnitudes[i] = getMaxMagnitude(operators[i], strategy);
        }
    }

    function getMaxMagnitudesAtBlock(address operator, IStrategy[] calldata strategies, uint32 blockNumber)
        external
        view
        returns (uint64[] memory magnitudes)
    {
        magnitudes = new uint64[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            Checkpoints.Trace224 storage history = _maxMagnitudes[operator][strategies[i]];
            magnitudes[i] = history.length() == 0 ? WAD : uint64(history.upperLookup(blockNumber));
        }
    }

    function getSlashCount(OperatorSet memory operatorSet) external view returns (uint256) {
        return _slashCounts[operatorSet.key()];
    }

    function getMinimumSlashableStake(
        OperatorSet memory operatorSet,
        address[] memory operators,
        IStrategy[] memory strategies,
        uint32 futureBlock
    ) external view returns (uint256[][] memory slashableStake) {
        slashableStake = _allocatedStake(operatorSet, operators, strategies, futureBlock);
        for (uint256 i; i < operators.length; ++i) {
            if (!isOperatorSlashable(operators[i], operatorSet)) slashableStake[i] = new uint256[](strategies.length);
        }
    }

    function getAllocatedStake(OperatorSet memory operatorSet, address[] memory operators, IStrategy[] memory strategies)
        external
        view
        returns (uint256[][] memory)
    {
        return _allocatedStake(operatorSet, operators, strategies, block.number.toUint32());
    }

    // ------------------------------------------------------------------ internals

    /// @dev Takes `wad` of what the operator allocates to the set now, and of what it is taking back; a pending increase stays.
    /// @return slashed Rounded up; 0 if nothing is allocated.
    function _slashMagnitude(address operator, OperatorSet memory operatorSet, IStrategy strategy, uint256 wad, uint64 maxMagnitude)
        private
        returns (uint64 slashed)
    {
        bytes32 setKey = operatorSet.key();
        Allocation memory stored = _allocations[operator][setKey][strategy];
        Allocation memory allocation = _settled(stored);
        if (allocation.currentMagnitude == 0) return 0;
        // A deallocation that is over frees its magnitude here, as if the queue had been cleared.
        uint64 encumbered = _encumbered[operator][strategy];
        if (stored.pendingDiff < 0 && allocation.pendingDiff == 0) encumbered = _apply(encumbered, stored.pendingDiff);

        // Both rounded up, at the operator's expense.
        slashed = uint64(Math.mulDiv(allocation.currentMagnitude, wad, WAD, Math.Rounding.Ceil));
        allocation.currentMagnitude -= slashed;
        if (allocation.pendingDiff < 0) {
            uint256 leaving = uint128(-allocation.pendingDiff);
            allocation.pendingDiff += int128(uint128(Math.mulDiv(leaving, wad, WAD, Math.Rounding.Ceil)));
            uint64 target = _apply(allocation.currentMagnitude, allocation.pendingDiff);
            emit AllocationUpdated(operator, operatorSet, strategy, target, allocation.effectBlock);
        }
        _storeAllocation(operator, setKey, strategy, allocation);
        emit AllocationUpdated(operator, operatorSet, strategy, allocation.currentMagnitude, block.number.toUint32());
        _setEncumbered(operator, strategy, encumbered - slashed);
        Checkpoints.Trace224 storage history = _maxMagnitudes[operator][strategy];
        if (history.length() == 0) history.push(0, WAD);
        history.push(block.number.toUint32(), maxMagnitude - slashed);
        emit MaxMagnitudeUpdated(operator, strategy, maxMagnitude - slashed);
    }

    /// @dev Allocating encumbers at once and is slashable after the operator's delay. Deallocating frees at once unless the stake is
    /// slashable: then it stays so, and encumbered, until the deallocation delay is over.
    function _modifyAllocation(address operator, OperatorSet calldata operatorSet, IStrategy strategy, uint64 newMagnitude, uint32 delay)
        private
    {
        bytes32 setKey = operatorSet.key();
        Allocation memory allocation = _currentAllocation(operator, setKey, strategy);
        require(allocation.effectBlock == 0, ModificationAlreadyPending());
        require(newMagnitude != allocation.currentMagnitude, SameMagnitude());

        uint32 effectBlock = block.number.toUint32();
        if (newMagnitude > allocation.currentMagnitude) {
            uint64 added = newMagnitude - allocation.currentMagnitude;
            require(added <= getMaxMagnitude(operator, strategy) - _encumbered[operator][strategy], InsufficientMagnitude());
            _setEncumbered(operator, strategy, _encumbered[operator][strategy] + added);
            effectBlock += delay;
            allocation.pendingDiff = int128(uint128(added));
        } else {
            uint64 removed = allocation.currentMagnitude - newMagnitude;
            bool slashable = isOperatorSlashable(operator, operatorSet) && _hasStrategy(setKey, strategy);
            allocation.pendingDiff = -int128(uint128(removed));
            if (slashable) {
                effectBlock += DEALLOCATION_DELAY + 1;
                _deallocationQueues[operator][strategy].pushBack(setKey);
            } else {
                _setEncumbered(operator, strategy, _encumbered[operator][strategy] - removed);
            }
        }
        allocation.effectBlock = effectBlock;
        _storeAllocation(operator, setKey, strategy, _settled(allocation));
        emit AllocationUpdated(operator, operatorSet, strategy, newMagnitude, effectBlock);
    }

    function _clearDeallocationQueue(address operator, IStrategy strategy, uint16 numToClear) private {
        DoubleEndedQueue.Bytes32Deque storage queue = _deallocationQueues[operator][strategy];
        for (uint256 cleared; cleared < numToClear && !queue.empty(); ++cleared) {
            bytes32 setKey = queue.front();
            Allocation memory stored = _allocations[operator][setKey][strategy];
            if (block.number < stored.effectBlock) return;
            queue.popFront();
            _setEncumbered(operator, strategy, _apply(_encumbered[operator][strategy], stored.pendingDiff));
            _storeAllocation(operator, setKey, strategy, _settled(stored));
        }
    }

    function _storeAllocation(address operator, bytes32 setKey, IStrategy strategy, Allocation memory allocation) private {
        _allocations[operator][setKey][strategy] = allocation;
        EnumerableSet.AddressSet storage strategies = _allocatedStrategies[operator][setKey];
        if (allocation.currentMagnitude != 0 || allocation.pendingDiff != 0) {
            strategies.add(address(strategy));
            _allocatedSets[operator].add(setKey);
        } else {
            strategies.remove(address(strategy));
            if (strategies.length() == 0) _allocatedSets[operator].remove(setKey);
        }
    }

    function _setEncumbered(address operator, IStrategy strategy, uint64 encumbered) private {
        _encumbered[operator][strategy] = encumbered;
        emit EncumberedMagnitudeUpdated(operator, strategy, encumbered);
    }

    function _allocatedStake(OperatorSet memory operatorSet, address[] memory operators, IStrategy[] memory strategies, uint32 atBlock)
        private
        view
        returns (uint256[][] memory stake)
    {
        bytes32 setKey = operatorSet.key();
        stake = delegation.getOperatorsShares(operators, strategies);
        for (uint256 i; i < operators.length; ++i) {
            for (uint256 j; j < strategies.length; ++j) {
                Allocation memory allocation = _currentAllocation(operators[i], setKey, strategies[j]);
                uint64 magnitude = allocation.currentMagnitude;
                if (allocation.pendingDiff < 0 && atBlock >= allocation.effectBlock) magnitude = _apply(magnitude, allocation.pendingDiff);
                // Rounded down twice: the proportion to 18 digits, then the shares.
                uint64 maxMagnitude = getMaxMagnitude(operators[i], strategies[j]);
                uint256 proportion = maxMagnitude == 0 ? 0 : Math.mulDiv(magnitude, WAD, maxMagnitude);
                stake[i][j] = Math.mulDiv(stake[i][j], proportion, WAD);
            }
        }
    }

    function _currentAllocation(address operator, bytes32 setKey, IStrategy strategy) private view returns (Allocation memory) {
        return _settled(_allocations[operator][setKey][strategy]);
    }

    /// @dev The same allocation with a change that is due in this block applied.
    function _settled(Allocation memory allocation) private view returns (Allocation memory) {
        if (allocation.effectBlock > block.number) return allocation;
        return Allocation(_apply(allocation.currentMagnitude, allocation.pendingDiff), 0, 0);
    }

    function _apply(uint64 magnitude, int128 diff) private pure returns (uint64) {
        return int256(int128(uint128(magnitude)) + diff).toUint256().toUint64();
    }
}
