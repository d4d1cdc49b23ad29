// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

enum ResourceCategory {
    Cpu,
    Gpu
}

/// @title What providers say they have, and what a verifier has confirmed: hardware counted for rewards, capability bits counted in matching.
/// @dev Upgradeable. `constructor(MarketContracts)`, `initialize(address authority)`.
interface IProviderAttributes {
    event ResourceAdded(uint16 indexed resourceId, ResourceCategory category, string name, uint32 multiplierBps);
    event ResourceMultiplierUpdated(uint16 indexed resourceId, uint32 multiplierBps);
    event AttributesSubmitted(uint24 indexed providerId, ResourceCategory indexed category, uint16[] resourceIds, uint32[] units);
    event AttributesApproved(uint24 indexed providerId, ResourceCategory indexed category, uint16[] resourceIds, uint32[] units);
    event AttributesRemoved(uint24 indexed providerId, ResourceCategory indexed category);
    event CapabilitiesSubmitted(uint24 indexed providerId, uint64 capabilities);
    event CapabilitiesApproved(uint24 indexed providerId, uint64 capabilities);
    event CapabilitiesRemoved(uint24 indexed providerId);

    error ResourceNotFound(uint16 resourceId);
    error ResourceCategoryMismatch(uint16 resourceId, ResourceCategory category);
    error DuplicateId(uint16 resourceId);
    error InvalidUnit(uint16 resourceId);
    error ArrayMismatch();
    error TooManyAttributes(uint256 count, uint256 maximum);
    error NoPendingAttributes(uint24 providerId);
    /// @notice What is pending is not what the verifier saw.
    error PendingAttributesChanged(uint24 providerId, bytes32 pendingHash);
    error NoPendingCapabilities(uint24 providerId);
    error PendingCapabilitiesChanged(uint24 providerId, uint64 capabilities);
    error FieldOutOfBounds(string field);
    error NotProviderOwner(uint24 providerId, address caller);

    /// @notice A row of the resource table. `multiplierBps` weighs a unit in rewards, 10000 = 1. Only the parameters' role.
    function addResource(ResourceCategory category, string calldata name, uint32 multiplierBps) external returns (uint16 resourceId);
    /// @notice Only the parameters' role.
    function setResourceMultiplier(uint16 resourceId, uint32 multiplierBps) external;
    /// @notice Replaces what is pending for the category; at most 16 rows, ids strictly ascending, units 1..2^20. Only the provider's owner.
    function submitAttributes(uint24 providerId, ResourceCategory category, uint16[] calldata resourceIds, uint32[] calldata units) external;
    /// @notice What is pending becomes active, if it still is what the verifier saw. Only the verifier's role.
    function approveAttributes(uint24 providerId, ResourceCategory category, bytes32 pendingHash) external;
    /// @notice Takes active and pending rows away. The provider's owner, or the verifier through `removeAttributesOf`.
    function removeAttributes(uint24 providerId, ResourceCategory category) external;
    /// @notice Only the verifier's role.
    function removeAttributesOf(uint24 providerId, ResourceCategory category) external;
    /// @notice 54 bits that orders can require. Only the provider's owner.
    function submitCapabilities(uint24 providerId, uint64 capabilities) external;
    /// @notice Writes the pending bits into the provider's word, if they still are `capabilities`. Only the verifier's role.
    function approveCapabilities(uint24 providerId, uint64 capabilities) external;
    /// @notice Clears the pending bits and those in the provider's word. Only the verifier's role.
    function removeCapabilitiesOf(uint24 providerId) external;

    function resourceOf(uint16 resourceId) external view returns (ResourceCategory category, uint32 multiplierBps, string memory name);
    function resourceCount() external view returns (uint16);
    function activeAttributes(uint24 providerId, ResourceCategory category)
        external
        view
        returns (uint16[] memory resourceIds, uint32[] memory units);
    function pendingAttributes(uint24 providerId, ResourceCategory category)
        external
        view
        returns (uint16[] memory resourceIds, uint32[] memory units);
    /// @notice keccak256(abi.encode(resourceIds, units)) of what is pending, 0 for nothing.
    function pendingHash(uint24 providerId, ResourceCategory category) external view returns (bytes32);
    function pendingCapabilities(uint24 providerId) external view returns (bool pending, uint64 capabilities);
}
