// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EnumerableSet } from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IAllocationManager } from "../IAllocationManager.sol";
import { IAVSRegistrar } from "../IAVSRegistrar.sol";
import { IStrategy } from "../IStrategy.sol";
import { OperatorSets } from "../OperatorSets.sol";
import { OperatorSet, CreateSetParamsV2, RegisterParams, DeregisterParams } from "../EigenTypes.sol";
import { DevnetDelegationManager } from "./DevnetDelegationManager.sol";
import { DevnetPermissioned } from "./DevnetPermissioned.sol";

/// @title Operator sets of AVSs, their strategies, slashers and members, for a chain that has no EigenLayer.
abstract contract DevnetOperatorSets is IAllocationManager, DevnetPermissioned {
    using EnumerableSet for EnumerableSet.AddressSet;
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using OperatorSets for OperatorSet;
    using OperatorSets for bytes32;
    using SafeCast for uint256;

    /// @dev A deregistered operator can still be slashed up to and including block `slashableUntil`.
    struct Membership {
        bool registered;
        uint32 slashableUntil;
    }

    /// @dev `pending` slashes from block `effectBlock` on; zero if no change is under way.
    struct Slasher {
        address current;
        address pending;
        uint32 effectBlock;
    }

    address private constant BURN_ADDRESS = 0x00000000000000000000000000000000000E16E4;
    address private constant BEACON_CHAIN_ETH = 0xbeaC0eeEeeeeEEeEeEEEEeeEEeEeeeEeeEEBEaC0;

    DevnetDelegationManager public immutable delegation;
    uint32 public immutable DEALLOCATION_DELAY;
    uint32 public immutable SLASHER_CONFIGURATION_DELAY;

    mapping(address avs => bool) private _hasMetadata;
    mapping(address avs => IAVSRegistrar) private _registrars;
    mapping(address avs => uint256) public getOperatorSetCount;
    mapping(bytes32 setKey => Slasher) private _slashers;
    mapping(bytes32 setKey => address) private _redistributionRecipients;
    mapping(bytes32 setKey => EnumerableSet.AddressSet) private _members;
    mapping(bytes32 setKey => EnumerableSet.AddressSet) private _strategies;
    mapping(address operator => EnumerableSet.Bytes32Set) private _registeredSets;
    mapping(address operator => mapping(bytes32 setKey => Membership)) private _memberships;

    /// @param deallocationDelay Blocks for which an operator that left can still be slashed.
    /// @param slasherConfigurationDelay Blocks before a changed slasher may slash.
    constructor(DevnetDelegationManager delegation_, uint32 deallocationDelay, uint32 slasherConfigurationDelay) {
        delegation = delegation_;
        DEALLOCATION_DELAY = deallocationDelay;
        SLASHER_CONFIGURATION_DELAY = slasherConfigurationDelay;
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

    function addStrategiesToOperatorSet(address avs, uint32 operatorSetId, IStrategy[] calldata strategies) external {
        require(_mayActFor(avs), InvalidPermissions());
        OperatorSet memory operatorSet = OperatorSet(avs, operatorSetId);
        require(_exists(operatorSet.key()), InvalidOperatorSet());
        _addStrategies(operatorSet, strategies);
    }

    function removeStrategiesFromOperatorSet(address avs, uint32 operatorSetId, IStrategy[] calldata strategies) external {
        require(_mayActFor(avs), InvalidPermissions());
        OperatorSet memory operatorSet = OperatorSet(avs, operatorSetId);
        bytes32 setKey = operatorSet.key();
        require(_exists(setKey), InvalidOperatorSet());
        for (uint256 i; i < strategies.length; ++i) {
            require(_strategies[setKey].remove(address(strategies[i])), StrategyNotInOperatorSet());
            emit StrategyRemovedFromOperatorSet(operatorSet, strategies[i]);
        }
    }

    function updateSlasher(OperatorSet memory operatorSet, address slasher) external {
        require(_mayActFor(operatorSet.avs), InvalidPermissions());
        bytes32 setKey = operatorSet.key();
        require(_exists(setKey), InvalidOperatorSet());
        require(slasher != address(0), InputAddressZero());
        uint32 effectBlock = block.number.toUint32() + SLASHER_CONFIGURATION_DELAY + 1;
        _slashers[setKey] = Slasher(getSlasher(operatorSet), slasher, effectBlock);
        emit SlasherUpdated(operatorSet, slasher, effectBlock);
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

    function getSlasher(OperatorSet memory operatorSet) public view returns (address) {
        Slasher memory slasher = _slashers[operatorSet.key()];
        return slasher.effectBlock != 0 && block.number >= slasher.effectBlock ? slasher.pending : slasher.current;
    }

    function getPendingSlasher(OperatorSet memory operatorSet) external view returns (address pendingSlasher, uint32 effectBlock) {
        Slasher memory slasher = _slashers[operatorSet.key()];
        return block.number < slasher.effectBlock ? (slasher.pending, slasher.effectBlock) : (address(0), 0);
    }

    function getRedistributionRecipient(OperatorSet memory operatorSet) external view returns (address) {
        address recipient = _redistributionRecipients[operatorSet.key()];
        return recipient == address(0) ? BURN_ADDRESS : recipient;
    }

    function isRedistributingOperatorSet(OperatorSet memory operatorSet) public view returns (bool) {
        return _redistributionRecipients[operatorSet.key()] != address(0);
    }

    /// @dev By the sets it is a member of; one that it has left does not count, though it can be slashed by it for some time.
    function isOperatorRedistributable(address operator) external view returns (bool) {
        EnumerableSet.Bytes32Set storage setKeys = _registeredSets[operator];
        for (uint256 i; i < setKeys.length(); ++i) {
            if (_redistributionRecipients[setKeys.at(i)] != address(0)) return true;
        }
        return false;
    }

    function getRegisteredSets(address operator) external view returns (OperatorSet[] memory) {
        return _asOperatorSets(_registeredSets[operator].values());
    }

    function isOperatorSlashable(address operator, OperatorSet memory operatorSet) public view returns (bool) {
        Membership memory membership = _memberships[operator][operatorSet.key()];
        return membership.registered || block.number <= membership.slashableUntil;
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
        _slashers[setKey].current = params.slasher;
        emit OperatorSetCreated(operatorSet);
        if (recipient != address(0)) {
            _redistributionRecipients[setKey] = recipient;
            emit RedistributionAddressSet(operatorSet, recipient);
        }
        _addStrategies(operatorSet, params.strategies);
        emit SlasherUpdated(operatorSet, params.slasher, block.number.toUint32());
    }

    function _addStrategies(OperatorSet memory operatorSet, IStrategy[] calldata strategies) private {
        bytes32 setKey = operatorSet.key();
        bool redistributing = _redistributionRecipients[setKey] != address(0);
        for (uint256 i; i < strategies.length; ++i) {
            require(!redistributing || address(strategies[i]) != BEACON_CHAIN_ETH, InvalidStrategy());
            require(_strategies[setKey].add(address(strategies[i])), StrategyAlreadyInOperatorSet());
            emit StrategyAddedToOperatorSet(operatorSet, strategies[i]);
        }
    }

    function _hasStrategy(bytes32 setKey, IStrategy strategy) internal view returns (bool) {
        return _strategies[setKey].contains(address(strategy));
    }

    function _exists(bytes32 setKey) internal view returns (bool) {
        return _slashers[setKey].current != address(0);
    }

    function _asOperatorSets(bytes32[] memory setKeys) internal pure returns (OperatorSet[] memory operatorSets) {
        operatorSets = new OperatorSet[](setKeys.length);
        for (uint256 i; i < setKeys.length; ++i) {
            operatorSets[i] = setKeys[i].fromKey();
        }
    }

    function _asStrategies(address[] memory addresses) internal pure returns (IStrategy[] memory strategies) {
        strategies = new IStrategy[](addresses.length);
        for (uint256 i; i < addresses.length; ++i) {
            strategies[i] = IStrategy(addresses[i]);
        }
    }
}
