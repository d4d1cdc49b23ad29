// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OperatorSet, OperatorSetConfig } from "./EigenTypes.sol";
import { IOperatorTableCalculator } from "./IOperatorTableCalculator.sol";

/// @title EigenLayer's registry of the operator sets whose tables are carried to other chains.
interface ICrossChainRegistry {
    event GenerationReservationCreated(OperatorSet operatorSet);
    event GenerationReservationRemoved(OperatorSet operatorSet);
    event OperatorTableCalculatorSet(OperatorSet operatorSet, IOperatorTableCalculator operatorTableCalculator);
    event OperatorSetConfigSet(OperatorSet operatorSet, OperatorSetConfig config);

    error InvalidPermissions();
    error InvalidStalenessPeriod();
    error KeyTypeNotSet();
    error GenerationReservationAlreadyExists();
    error GenerationReservationDoesNotExist();
    error InvalidOperatorSet();

    /// @param config The staleness period is 0 or at least the update cadence, in seconds.
    function createGenerationReservation(
        OperatorSet calldata operatorSet,
        IOperatorTableCalculator operatorTableCalculator,
        OperatorSetConfig calldata config
    ) external;
    function removeGenerationReservation(OperatorSet calldata operatorSet) external;
    function setOperatorTableCalculator(OperatorSet calldata operatorSet, IOperatorTableCalculator operatorTableCalculator) external;
    function setOperatorSetConfig(OperatorSet calldata operatorSet, OperatorSetConfig calldata config) external;
    /// @return `abi.encode(OperatorSet, CurveType, OperatorSetConfig, bytes)`, the last being the calculator's bytes.
    function calculateOperatorTableBytes(OperatorSet calldata operatorSet) external view returns (bytes memory);
    function getActiveGenerationReservations() external view returns (OperatorSet[] memory);
    function getActiveGenerationReservationCount() external view returns (uint256);
    function hasActiveGenerationReservation(OperatorSet memory operatorSet) external view returns (bool);
    function getOperatorTableCalculator(OperatorSet memory operatorSet) external view returns (IOperatorTableCalculator);
    function getOperatorSetConfig(OperatorSet memory operatorSet) external view returns (OperatorSetConfig memory);
    function getTableUpdateCadence() external view returns (uint32);
}
