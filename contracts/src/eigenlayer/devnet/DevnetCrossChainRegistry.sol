// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EnumerableSet } from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import { IAllocationManager } from "../IAllocationManager.sol";
import { ICrossChainRegistry } from "../ICrossChainRegistry.sol";
import { IKeyRegistrar } from "../IKeyRegistrar.sol";
import { IOperatorTableCalculator } from "../IOperatorTableCalculator.sol";
import { IPermissionController } from "../IPermissionController.sol";
import { OperatorSets } from "../OperatorSets.sol";
import { OperatorSet, OperatorSetConfig, CurveType } from "../EigenTypes.sol";
import { DevnetPermissioned } from "./DevnetPermissioned.sol";

/// @title Which operator sets get tables and how they are computed, for a chain that has no EigenLayer.
contract DevnetCrossChainRegistry is ICrossChainRegistry, DevnetPermissioned {
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using OperatorSets for OperatorSet;
    using OperatorSets for bytes32;

    IAllocationManager public immutable allocationManager;
    IKeyRegistrar public immutable keyRegistrar;
    uint32 private immutable _tableUpdateCadence;

    EnumerableSet.Bytes32Set private _reservations;
    mapping(bytes32 setKey => IOperatorTableCalculator) private _calculators;
    mapping(bytes32 setKey => OperatorSetConfig) private _configs;

    /// @param tableUpdateCadence Seconds between two tables.
    constructor(
        IAllocationManager allocationManager_,
        IKeyRegistrar keyRegistrar_,
        IPermissionController permissionController_,
        uint32 tableUpdateCadence
    ) DevnetPermissioned(permissionController_) {
        allocationManager = allocationManager_;
        keyRegistrar = keyRegistrar_;
        _tableUpdateCadence = tableUpdateCadence;
    }

    modifier onlyFor(OperatorSet calldata operatorSet) {
        require(_mayActFor(operatorSet.avs), InvalidPermissions());
        require(allocationManager.isOperatorSet(operatorSet), InvalidOperatorSet());
        _;
    }

    modifier reserved(OperatorSet calldata operatorSet) {
        require(_reservations.contains(operatorSet.key()), GenerationReservationDoesNotExist());
        _;
    }

    function createGenerationReservation(
        OperatorSet calldata operatorSet,
        IOperatorTableCalculator operatorTableCalculator,
        OperatorSetConfig calldata config
    ) external onlyFor(operatorSet) {
        require(keyRegistrar.getOperatorSetCurveType(operatorSet) != CurveType.NONE, KeyTypeNotSet());
        require(_reservations.add(operatorSet.key()), GenerationReservationAlreadyExists());
        emit GenerationReservationCreated(operatorSet);
        _setCalculator(operatorSet, operatorTableCalculator);
        _setConfig(operatorSet, config);
    }

    function removeGenerationReservation(OperatorSet calldata operatorSet) external onlyFor(operatorSet) reserved(operatorSet) {
        bytes32 setKey = operatorSet.key();
        _reservations.remove(setKey);
        delete _calculators[setKey];
        delete _configs[setKey];
        emit GenerationReservationRemoved(operatorSet);
    }

    function setOperatorTableCalculator(OperatorSet calldata operatorSet, IOperatorTableCalculator operatorTableCalculator)
        external
        onlyFor(operatorSet)
        reserved(operatorSet)
    {
        _setCalculator(operatorSet, operatorTableCalculator);
    }

    function setOperatorSetConfig(OperatorSet calldata operatorSet, OperatorSetConfig calldata config)
        external
        onlyFor(operatorSet)
        reserved(operatorSet)
    {
        _setConfig(operatorSet, config);
    }

    function calculateOperatorTableBytes(OperatorSet calldata operatorSet) external view reserved(operatorSet) returns (bytes memory) {
        bytes32 setKey = operatorSet.key();
        return abi.encode(
            operatorSet,
            keyRegistrar.getOperatorSetCurveType(operatorSet),
            _configs[setKey],
            _calculators[setKey].calculateOperatorTableBytes(operatorSet)
        );
    }

    function getActiveGenerationReservations() external view returns (OperatorSet[] memory operatorSets) {
        bytes32[] memory setKeys = _reservations.values();
        operatorSets = new OperatorSet[](setKeys.length);
        for (uint256 i; i < setKeys.length; ++i) {
            operatorSets[i] = setKeys[i].fromKey();
        }
    }

    function getActiveGenerationReservationCount() external view returns (uint256) {
        return _reservations.length();
    }

    function hasActiveGenerationReservation(OperatorSet memory operatorSet) external view returns (bool) {
        return _reservations.contains(operatorSet.key());
    }

    function getOperatorTableCalculator(OperatorSet memory operatorSet) external view returns (IOperatorTableCalculator) {
        return _calculators[operatorSet.key()];
    }

    function getOperatorSetConfig(OperatorSet memory operatorSet) external view returns (OperatorSetConfig memory) {
        return _configs[operatorSet.key()];
    }

    function getTableUpdateCadence() external view returns (uint32) {
        return _tableUpdateCadence;
    }

    function _setCalculator(OperatorSet calldata operatorSet, IOperatorTableCalculator operatorTableCalculator) private {
        _calculators[operatorSet.key()] = operatorTableCalculator;
        emit OperatorTableCalculatorSet(operatorSet, operatorTableCalculator);
    }

    function _setConfig(OperatorSet calldata operatorSet, OperatorSetConfig calldata config) private {
        require(config.maxStalenessPeriod == 0 || config.maxStalenessPeriod >= _tableUpdateCadence, InvalidStalenessPeriod());
        _configs[operatorSet.key()] = config;
        emit OperatorSetConfigSet(operatorSet, config);
    }
}
