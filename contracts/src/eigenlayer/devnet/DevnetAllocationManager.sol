// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EnumerableSet } from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import { DoubleEndedQueue } from "@openzeppelin/contracts/utils/structs/DoubleEndedQueue.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IAllocationManager } from "../IAllocationManager.sol";
import { IAVSRegistrar } from "../IAVSRegistrar.sol";
import { IDelegationManager } from "../IDelegationManager.sol";
import { IPermissionController } from "../IPermissionController.sol";
import { IStrategy } from "../IStrategy.sol";
import { OperatorSets } from "../OperatorSets.sol";
import { OperatorSet, CreateSetParamsV2, RegisterParams, DeregisterParams, AllocateParams, Allocation } from "../EigenTypes.sol";
import { DevnetPermissioned } from "./DevnetPermissioned.sol";

/// @title Operator sets, membership and slashable stake, for a chain that has no EigenLayer.
/// @dev Nothing is slashed here, so every operator's maximum magnitude stays 1e18. A set's strategies and slasher are those of its creation.
contract DevnetAllocationManager is IAllocationManager, DevnetPermissioned {
    using EnumerableSet for EnumerableSet.AddressSet;
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using DoubleEndedQueue for DoubleEndedQueue.Bytes32Deque;
    using OperatorSets for OperatorSet;
    using OperatorSets for bytes32;
    using SafeCast for uint256;
    using SafeCast for int256;

    /// @dev A deregistered operator can still be slashed up to and including block `slashableUntil`.
    struct Membership {
        bool registered;
        uint32 slashableUntil;
    }

    struct AllocationDelay {
        uint32 delay;
        bool isSet;
        uint32 pendingDelay;
        uint32 effectBlock;
    }

    uint64 private constant WAD = 1e18;
    address private constant BURN_ADDRESS = 0x00000000000000000000000000000000000E16E4;
    address private constant BEACON_CHAIN_ETH = 0xbeaC0eeEeeeeEEeEeEEEEeeEEeEeeeEeeEEBEaC0;

    IDelegationManager public immutable delegation;
    uint32 public immutable DEALLOCATION_DELAY;
    uint32 public immutable ALLOCATION_CONFIGURATION_DELAY;

    mapping(address avs => bool) private _hasMetadata;
    mapping(address avs => IAVSRegistrar) private _registrars;
    mapping(address avs => uint256) public getOperatorSetCount;
    mapping(bytes32 setKey => address) private _slashers;
    mapping(bytes32 setKey => address) private _redistributionRecipients;
    mapping(bytes32 setKey => EnumerableSet.AddressSet) private _members;
    mapping(bytes32 setKey => EnumerableSet.AddressSet) private _strategies;

    mapping(address operator => AllocationDelay) private _allocationDelays;
    mapping(address operator => EnumerableSet.Bytes32Set) private _registeredSets;
    mapping(address operator => EnumerableSet.Bytes32Set) private _allocatedSets;
    mapping(address operator => mapping(bytes32 setKey => Membership)) private _memberships;
    mapping(address operator => mapping(bytes32 setKey => EnumerableSet.AddressSet)) private _allocatedStrategies;
    mapping(address operator => mapping(bytes32 setKey => mapping(IStrategy strategy => Allocation))) private _allocations;
    mapping(address operator => mapping(IStrategy strategy => uint64)) private _encumbered;
    /// @dev Sets with a deallocation under way; all wait equally long, so the queue is in order of completion.
    mapping(address operator => mapping(IStrategy strategy => DoubleEndedQueue.Bytes32Deque)) private _deallocationQueues;

    /// @param deallocationDelay Blocks for which stake stays slashable after a deallocation or a deregistration.
    /// @param allocationConfigurationDelay Blocks before a changed allocation delay counts.
    constructor(
        IDelegationManager delegation_,
        IPermissionController permissionController_,
        uint32 deallocationDelay,
        uint32 allocationConfigurationDelay
    ) DevnetPermissioned(permissionController_) {
        delegation = delegation_;
        DEALLOCATION_DELAY = deallocationDelay;
        ALLOCATION_CONFIGURATION_DELAY = allocationConfigurationDelay;
    }

    // ------------------------------------------------------------------ AVS

    function updateAVSMetadataURI(address avs, string calldata metadataURI) external {
        require(_mayActFor(avs), InvalidPermissions());
        _hasMetadata[avs] = true;
        emit AVSMetadataURIUpdated(avs, metadataURI);
    }

    function setAVSRegistrar(address avs, IAVSRegistrar registrar) external {
        require(_mayActFor(avs), InvalidPermissions());
        require(registrar.supportsAVS(avs), InvalidAVSRegistrar());
        _registrars[avs] = registrar;
        emit AVSRegistrarSet(avs, registrar);
    }

    function createOperatorSets(address avs, CreateSetParamsV2[] calldata params) external {
        _checkMayCreate(avs);
        for (uint256 i; i < params.length; ++i) {
            _createOperatorSet(avs, params[i], address(0));
        }
    }

    function createRedistributingOperatorSets(address avs, CreateSetParamsV2[] calldata params, address[] calldata redistributionRecipients)
        external
    {
        _checkMayCreate(avs);
        require(params.length == redistributionRecipients.length, InputArrayLengthMismatch());
        for (uint256 i; i < params.length; ++i) {
            require(redistributionRecipients[i] != address(0), InputAddressZero());
            require(redistributionRecipients[i] != BURN_ADDRESS, InvalidRedistributionRecipient());
            _createOperatorSet(avs, params[i], redistributionRecipients[i]);
        }
    }

    // ------------------------------------------------------------------ operators

    function registerForOperatorSets(address operator, RegisterParams calldata params) external {
        require(_mayActFor(operator), InvalidPermissions());
        require(delegation.isOperator(operator), InvalidOperator());
        for (uint256 i; i < params.operatorSetIds.length; ++i) {
            OperatorSet memory operatorSet = OperatorSet(params.avs, params.operatorSetIds[i]);
            bytes32 setKey = operatorSet.key();
            require(_exists(setKey), InvalidOperatorSet());
            require(!isOperatorSlashable(operator, operatorSet), AlreadyMemberOfSet());
            _memberships[operator][setKey] = Membership(true, 0);
            _registeredSets[operator].add(setKey);
            _members[setKey].add(operator);
            emit OperatorAddedToOperatorSet(operator, operatorSet);
        }
        getAVSRegistrar(params.avs).registerOperator(operator, params.avs, params.operatorSetIds, params.data);
    }

    function deregisterFromOperatorSets(DeregisterParams calldata params) external {
        require(_mayActFor(params.operator) || _mayActFor(params.avs), InvalidCaller());
        for (uint256 i; i < params.operatorSetIds.length; ++i) {
            OperatorSet memory operatorSet = OperatorSet(params.avs, params.operatorSetIds[i]);
            bytes32 setKey = operatorSet.key();
            require(_exists(setKey), InvalidOperatorSet());
            require(_memberships[params.operator][setKey].registered, NotMemberOfSet());
            _memberships[params.operator][setKey] = Membership(false, block.number.toUint32() + DEALLOCATION_DELAY);
            _registeredSets[params.operator].remove(setKey);
            _members[setKey].remove(params.operator);
            emit OperatorRemovedFromOperatorSet(params.operator, operatorSet);
        }
        getAVSRegistrar(params.avs).deregisterOperator(params.operator, params.avs, params.operatorSetIds);
    }

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

    function getAVSRegistrar(address avs) public view returns (IAVSRegistrar) {
        IAVSRegistrar registrar = _registrars[avs];
        return address(registrar) == address(0) ? IAVSRegistrar(avs) : registrar;
    }

    function isOperatorSet(OperatorSet memory operatorSet) external view returns (bool) {
        return _exists(operatorSet.key());
    }

    function getMembers(OperatorSet memory operatorSet) external view returns (address[] memory) {
        return _members[operatorSet.key()].values();
    }

    function getMemberCount(OperatorSet memory operatorSet) external view returns (uint256) {
        return _members[operatorSet.key()].length();
    }

    function isMemberOfOperatorSet(address operator, OperatorSet memory operatorSet) external view returns (bool) {
        return _members[operatorSet.key()].contains(operator);
    }

    function getStrategiesInOperatorSet(OperatorSet memory operatorSet) external view returns (IStrategy[] memory) {
        return _asStrategies(_strategies[operatorSet.key()].values());
    }

    function getSlasher(OperatorSet memory operatorSet) external view returns (address) {
        return _slashers[operatorSet.key()];
    }

    function getRedistributionRecipient(OperatorSet memory operatorSet) external view returns (address) {
        address recipient = _redistributionRecipients[operatorSet.key()];
        return recipient == address(0) ? BURN_ADDRESS : recipient;
    }

    function isRedistributingOperatorSet(OperatorSet memory operatorSet) external view returns (bool) {
        return _redistributionRecipients[operatorSet.key()] != address(0);
    }

    function getAllocationDelay(address operator) public view returns (bool isSet, uint32 delay) {
        AllocationDelay memory stored = _allocationDelays[operator];
        if (stored.effectBlock != 0 && block.number >= stored.effectBlock) return (true, stored.pendingDelay);
        return (stored.isSet, stored.delay);
    }

    function getAllocation(address operator, OperatorSet memory operatorSet, IStrategy strategy) external view returns (Allocation memory) {
        return _currentAllocation(operator, operatorSet.key(), strategy);
    }

    function getAllocatedSets(address operator) external view returns (OperatorSet[] memory) {
        return _asOperatorSets(_allocatedSets[operator].values());
    }

    function getAllocatedStrategies(address operator, OperatorSet memory operatorSet) external view returns (IStrategy[] memory) {
        return _asStrategies(_allocatedStrategies[operator][operatorSet.key()].values());
    }

    function getRegisteredSets(address operator) external view returns (OperatorSet[] memory) {
        return _asOperatorSets(_registeredSets[operator].values());
    }

    function getAllocatableMagnitude(address operator, IStrategy strategy) external view returns (uint64) {
        return WAD - getEncumberedMagnitude(operator, strategy);
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

    function getMaxMagnitude(address, IStrategy) public pure returns (uint64) {
        return WAD;
    }

    function isOperatorSlashable(address operator, OperatorSet memory operatorSet) public view returns (bool) {
        Membership memory membership = _memberships[operator][operatorSet.key()];
        return membership.registered || block.number <= membership.slashableUntil;
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

    function _checkMayCreate(address avs) private view {
        require(_mayActFor(avs), InvalidPermissions());
        require(_hasMetadata[avs], NonexistentAVSMetadata());
    }

    function _createOperatorSet(address avs, CreateSetParamsV2 calldata params, address recipient) private {
        OperatorSet memory operatorSet = OperatorSet(avs, params.operatorSetId);
        bytes32 setKey = operatorSet.key();
        require(!_exists(setKey), InvalidOperatorSet());
        require(params.slasher != address(0), InputAddressZero());
        ++getOperatorSetCount[avs];
        _slashers[setKey] = params.slasher;
        emit OperatorSetCreated(operatorSet);
        if (recipient != address(0)) {
            _redistributionRecipients[setKey] = recipient;
            emit RedistributionAddressSet(operatorSet, recipient);
        }
        for (uint256 i; i < params.strategies.length; ++i) {
            IStrategy strategy = params.strategies[i];
            require(recipient == address(0) || address(strategy) != BEACON_CHAIN_ETH, InvalidStrategy());
            require(_strategies[setKey].add(address(strategy)), StrategyAlreadyInOperatorSet());
            emit StrategyAddedToOperatorSet(operatorSet, strategy);
        }
        emit SlasherUpdated(operatorSet, params.slasher, block.number.toUint32());
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
            require(added <= WAD - _encumbered[operator][strategy], InsufficientMagnitude());
            _setEncumbered(operator, strategy, _encumbered[operator][strategy] + added);
            effectBlock += delay;
            allocation.pendingDiff = int128(uint128(added));
        } else {
            uint64 removed = allocation.currentMagnitude - newMagnitude;
            bool slashable = isOperatorSlashable(operator, operatorSet) && _strategies[setKey].contains(address(strategy));
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
                uint256 proportion = Math.mulDiv(magnitude, WAD, getMaxMagnitude(operators[i], strategies[j]));
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

    function _exists(bytes32 setKey) private view returns (bool) {
        return _slashers[setKey] != address(0);
    }

    function _apply(uint64 magnitude, int128 diff) private pure returns (uint64) {
        return int256(int128(uint128(magnitude)) + diff).toUint256().toUint64();
    }

    function _asOperatorSets(bytes32[] memory setKeys) private pure returns (OperatorSet[] memory operatorSets) {
        operatorSets = new OperatorSet[](setKeys.length);
        for (uint256 i; i < setKeys.length; ++i) {
            operatorSets[i] = setKeys[i].fromKey();
        }
    }

    function _asStrategies(address[] memory addresses) private pure returns (IStrategy[] memory strategies) {
        strategies = new IStrategy[](addresses.length);
        for (uint256 i; i < addresses.length; ++i) {
            strategies[i] = IStrategy(addresses[i]);
        }
    }
}
