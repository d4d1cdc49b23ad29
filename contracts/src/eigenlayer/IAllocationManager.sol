// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IStrategy } from "./IStrategy.sol";
import { IAVSRegistrar } from "./IAVSRegistrar.sol";
import {
    OperatorSet,
    CreateSetParamsV2,
    RegisterParams,
    DeregisterParams,
    AllocateParams,
    Allocation,
    SlashingParams
} from "./EigenTypes.sol";

/// @title EigenLayer's allocation manager: operator sets, membership and the stake that each set can slash.
/// @dev Delays are counted in blocks, magnitudes out of 1e18.
interface IAllocationManager {
    event AVSMetadataURIUpdated(address indexed avs, string metadataURI);
    event AVSRegistrarSet(address avs, IAVSRegistrar registrar);
    event OperatorSetCreated(OperatorSet operatorSet);
    event RedistributionAddressSet(OperatorSet operatorSet, address redistributionRecipient);
    event StrategyAddedToOperatorSet(OperatorSet operatorSet, IStrategy strategy);
    event StrategyRemovedFromOperatorSet(OperatorSet operatorSet, IStrategy strategy);
    /// @param effectBlock First block in which the new slasher, and no longer the old one, may slash.
    event SlasherUpdated(OperatorSet operatorSet, address slasher, uint32 effectBlock);
    event OperatorAddedToOperatorSet(address indexed operator, OperatorSet operatorSet);
    event OperatorRemovedFromOperatorSet(address indexed operator, OperatorSet operatorSet);
    event AllocationUpdated(address operator, OperatorSet operatorSet, IStrategy strategy, uint64 magnitude, uint32 effectBlock);
    event AllocationDelaySet(address operator, uint32 delay, uint32 effectBlock);
    event MaxMagnitudeUpdated(address operator, IStrategy strategy, uint64 maxMagnitude);
    event EncumberedMagnitudeUpdated(address operator, IStrategy strategy, uint64 encumberedMagnitude);
    /// @param wadSlashed By strategy, what was slashed out of the operator's maximum magnitude before, of 1e18, rounded down.
    event OperatorSlashed(address operator, OperatorSet operatorSet, IStrategy[] strategies, uint256[] wadSlashed, string description);

    error InvalidPermissions();
    error InputAddressZero();
    error InputArrayLengthMismatch();
    error NonexistentAVSMetadata();
    error InvalidOperatorSet();
    error InvalidAVSRegistrar();
    error InvalidStrategy();
    error InvalidRedistributionRecipient();
    error StrategyAlreadyInOperatorSet();
    error StrategyNotInOperatorSet();
    error SlasherNotSet();
    error OperatorNotSlashable();
    error StrategiesMustBeInAscendingOrder();
    error InvalidWadToSlash();
    error UninitializedAllocationDelay();
    error ModificationAlreadyPending();
    error SameMagnitude();
    error InsufficientMagnitude();
    error AlreadyMemberOfSet();
    error NotMemberOfSet();
    error InvalidOperator();
    error InvalidCaller();

    function updateAVSMetadataURI(address avs, string calldata metadataURI) external;
    function setAVSRegistrar(address avs, IAVSRegistrar registrar) external;
    function createOperatorSets(address avs, CreateSetParamsV2[] calldata params) external;
    function createRedistributingOperatorSets(address avs, CreateSetParamsV2[] calldata params, address[] calldata redistributionRecipients)
        external;
    function addStrategiesToOperatorSet(address avs, uint32 operatorSetId, IStrategy[] calldata strategies) external;
    function removeStrategiesFromOperatorSet(address avs, uint32 operatorSetId, IStrategy[] calldata strategies) external;
    /// @notice Names another slasher, which counts `SLASHER_CONFIGURATION_DELAY + 1` blocks from now; the old one slashes until then.
    function updateSlasher(OperatorSet memory operatorSet, address slasher) external;
    /// @notice Takes stake of an operator; only the set's slasher itself may, no admin and no appointee.
    /// @dev A strategy to which the operator allocates nothing is passed over without a word; look at `shares`. Nothing prevents a second
    /// slashing for the same offence.
    /// @return slashId From 1 on, per set.
    /// @return shares What the operator's stakers lost, by strategy, queued withdrawals included.
    function slashOperator(address avs, SlashingParams calldata params) external returns (uint256 slashId, uint256[] memory shares);
    function registerForOperatorSets(address operator, RegisterParams calldata params) external;
    function deregisterFromOperatorSets(DeregisterParams calldata params) external;
    function modifyAllocations(address operator, AllocateParams[] calldata params) external;
    function setAllocationDelay(address operator, uint32 delay) external;
    function clearDeallocationQueue(address operator, IStrategy[] calldata strategies, uint16[] calldata numToClear) external;

    function getAVSRegistrar(address avs) external view returns (IAVSRegistrar);
    function isOperatorSet(OperatorSet memory operatorSet) external view returns (bool);
    function getOperatorSetCount(address avs) external view returns (uint256);
    function getMembers(OperatorSet memory operatorSet) external view returns (address[] memory);
    function getMemberCount(OperatorSet memory operatorSet) external view returns (uint256);
    function isMemberOfOperatorSet(address operator, OperatorSet memory operatorSet) external view returns (bool);
    function getStrategiesInOperatorSet(OperatorSet memory operatorSet) external view returns (IStrategy[] memory);
    function getSlasher(OperatorSet memory operatorSet) external view returns (address);
    /// @return pendingSlasher Zero if no change is under way.
    function getPendingSlasher(OperatorSet memory operatorSet) external view returns (address pendingSlasher, uint32 effectBlock);
    /// @return The burn address for a set that does not redistribute.
    function getRedistributionRecipient(OperatorSet memory operatorSet) external view returns (address);
    function isRedistributingOperatorSet(OperatorSet memory operatorSet) external view returns (bool);
    function isOperatorRedistributable(address operator) external view returns (bool);
    /// @return The last slash id.
    function getSlashCount(OperatorSet memory operatorSet) external view returns (uint256);
    function getAllocationDelay(address operator) external view returns (bool isSet, uint32 delay);
    function getAllocation(address operator, OperatorSet memory operatorSet, IStrategy strategy) external view returns (Allocation memory);
    function getAllocations(address[] memory operators, OperatorSet memory operatorSet, IStrategy strategy)
        external
        view
        returns (Allocation[] memory);
    /// @return operatorSets Every set to which the operator allocates anything.
    /// @return allocations What it allocates to them in this strategy, also if that is nothing.
    function getStrategyAllocations(address operator, IStrategy strategy)
        external
        view
        returns (OperatorSet[] memory operatorSets, Allocation[] memory allocations);
    function getAllocatedSets(address operator) external view returns (OperatorSet[] memory);
    function getAllocatedStrategies(address operator, OperatorSet memory operatorSet) external view returns (IStrategy[] memory);
    function getRegisteredSets(address operator) external view returns (OperatorSet[] memory);
    function getAllocatableMagnitude(address operator, IStrategy strategy) external view returns (uint64);
    function getEncumberedMagnitude(address operator, IStrategy strategy) external view returns (uint64);
    function getMaxMagnitude(address operator, IStrategy strategy) external view returns (uint64);
    function getMaxMagnitudes(address operator, IStrategy[] calldata strategies) external view returns (uint64[] memory);
    function getMaxMagnitudes(address[] calldata operators, IStrategy strategy) external view returns (uint64[] memory);
    /// @return At the end of that block, by strategy.
    function getMaxMagnitudesAtBlock(address operator, IStrategy[] calldata strategies, uint32 blockNumber)
        external
        view
        returns (uint64[] memory);
    function isOperatorSlashable(address operator, OperatorSet memory operatorSet) external view returns (bool);
    /// @return slashableStake By operator and strategy, in shares.
    function getMinimumSlashableStake(
        OperatorSet memory operatorSet,
        address[] memory operators,
        IStrategy[] memory strategies,
        uint32 futureBlock
    ) external view returns (uint256[][] memory slashableStake);
    function getAllocatedStake(OperatorSet memory operatorSet, address[] memory operators, IStrategy[] memory strategies)
        external
        view
        returns (uint256[][] memory slashableStake);
    function DEALLOCATION_DELAY() external view returns (uint32);
    function ALLOCATION_CONFIGURATION_DELAY() external view returns (uint32);
    function SLASHER_CONFIGURATION_DELAY() external view returns (uint32);
}
