// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { IProviderAttributes, ResourceCategory } from "./IProviderAttributes.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";

/// @title What providers say they have, and what a verifier has confirmed: hardware counted for rewards, capability bits counted in matching.
/// @dev Believes the verifier: nothing on the chain can see hardware. A verifier approves the very rows it saw, by their hash, so a provider
/// cannot slip others in between. A changed multiplier weighs rows that are approved already.
contract ProviderAttributes is IProviderAttributes, MarketModule {
    uint256 private constant MAX_ROWS = 16;
    uint256 private constant MAX_UNITS = 1 << 20;
    uint256 private constant MAX_NAME_BYTES = 64;
    /// A hundredfold: above any tier, below what a slip of two digits makes of the highest.
    uint256 private constant MAX_MULTIPLIER_BPS = 1_000_000;
    uint256 private constant CAPABILITY_BITS = 54;

    struct Resource {
        ResourceCategory category;
        uint32 multiplierBps;
        string name;
    }

    struct Capabilities {
        bool pending;
        uint64 bits;
    }

    /// @custom:storage-location erc7201:matchmaker.storage.ProviderAttributes
    struct Layout {
        uint16 resourceCount;
        mapping(uint16 resourceId => Resource) resources;
        mapping(ResourceCategory category => mapping(string name => uint16)) resourceIds;
        /// A row is 32 resource id16 | 0 units32.
        mapping(uint24 providerId => mapping(ResourceCategory category => uint48[])) pending;
        mapping(uint24 providerId => mapping(ResourceCategory category => uint48[])) active;
        mapping(uint24 providerId => Capabilities) capabilities;
    }

    bytes32 private constant LAYOUT_SLOT = 0x8fc49055f664f5f868b69a6de5f666c281ae7ada63a8364d9eaddfb4d3833100;

    IProviderRegistry private immutable _PROVIDER_REGISTRY;

    constructor(MarketContracts memory market) {
        _PROVIDER_REGISTRY = IProviderRegistry(market.providerRegistry);
    }

    /// @notice Called once, in the proxy's creation.
    function initialize(address authority) external initializer {
        __AccessManaged_init(authority);
    }

    modifier onlyProviderOwner(uint24 providerId) {
        // A provider that does not exist has owner zero, who calls nothing.
        if (_PROVIDER_REGISTRY.providerOwner(providerId) != msg.sender) revert NotProviderOwner(providerId, msg.sender);
        _;
    }

    // ---- the resource table

    /// @inheritdoc IProviderAttributes
    function addResource(ResourceCategory category, string calldata name, uint32 multiplierBps)
        external
        restricted
        returns (uint16 resourceId)
    {
        if (bytes(name).length == 0 || bytes(name).length > MAX_NAME_BYTES) revert FieldOutOfBounds("name");
        _requireMultiplier(multiplierBps);
        Layout storage state = _layout();
        // Two rows of one name would let the same hardware count twice.
        uint16 known = state.resourceIds[category][name];
        if (known != 0) revert DuplicateId(known);
        resourceId = SafeCast.toUint16(uint256(state.resourceCount) + 1);
        state.resourceCount = resourceId;
        state.resourceIds[category][name] = resourceId;
        state.resources[resourceId] = Resource({ category: category, multiplierBps: multiplierBps, name: name });
        emit ResourceAdded(resourceId, category, name, multiplierBps);
    }

    /// @inheritdoc IProviderAttributes
    function setResourceMultiplier(uint16 resourceId, uint32 multiplierBps) external restricted {
        Layout storage state = _layout();
        if (resourceId == 0 || resourceId > state.resourceCount) revert ResourceNotFound(resourceId);
        _requireMultiplier(multiplierBps);
        state.resources[resourceId].multiplierBps = multiplierBps;
        emit ResourceMultiplierUpdated(resourceId, multiplierBps);
    }

    // ---- hardware

    /// @inheritdoc IProviderAttributes
    function submitAttributes(uint24 providerId, ResourceCategory category, uint16[] calldata resourceIds, uint32[] calldata units)
        external
        onlyProviderOwner(providerId)
    {
        uint256 count = resourceIds.length;
        if (count != units.length) revert ArrayMismatch();
        if (count > MAX_ROWS) revert TooManyAttributes(count, MAX_ROWS);
        if (count == 0) revert FieldOutOfBounds("resourceIds");
        Layout storage state = _layout();
        uint48[] storage rows = state.pending[providerId][category];
        delete state.pending[providerId][category];
        uint16 previous;
        for (uint256 i; i < count; ++i) {
            uint16 resourceId = resourceIds[i];
            if (resourceId == 0 || resourceId > state.resourceCount) revert ResourceNotFound(resourceId);
            if (resourceId <= previous) revert DuplicateId(resourceId);
            if (state.resources[resourceId].category != category) revert ResourceCategoryMismatch(resourceId, category);
            if (units[i] == 0 || units[i] > MAX_UNITS) revert InvalidUnit(resourceId);
            rows.push((uint48(resourceId) << 32) | units[i]);
            previous = resourceId;
        }
        emit AttributesSubmitted(providerId, category, resourceIds, units);
    }

    /// @inheritdoc IProviderAttributes
    function approveAttributes(uint24 providerId, ResourceCategory category, bytes32 pendingHash_) external restricted {
        Layout storage state = _layout();
        uint48[] storage rows = state.pending[providerId][category];
        if (rows.length == 0) revert NoPendingAttributes(providerId);
        (uint16[] memory resourceIds, uint32[] memory units) = _split(rows);
        bytes32 pendingNow = keccak256(abi.encode(resourceIds, units));
        if (pendingHash_ != pendingNow) revert PendingAttributesChanged(providerId, pendingNow);
        state.active[providerId][category] = rows;
        delete state.pending[providerId][category];
        emit AttributesApproved(providerId, category, resourceIds, units);
    }

    /// @inheritdoc IProviderAttributes
    function removeAttributes(uint24 providerId, ResourceCategory category) external onlyProviderOwner(providerId) {
        _removeAttributes(providerId, category);
    }

    /// @inheritdoc IProviderAttributes
    function removeAttributesOf(uint24 providerId, ResourceCategory category) external restricted {
        _removeAttributes(providerId, category);
    }

    // ---- capabilities

    /// @inheritdoc IProviderAttributes
    function submitCapabilities(uint24 providerId, uint64 capabilities) external onlyProviderOwner(providerId) {
        if (capabilities >> CAPABILITY_BITS != 0) revert FieldOutOfBounds("capabilities");
        _layout().capabilities[providerId] = Capabilities({ pending: true, bits: capabilities });
        emit CapabilitiesSubmitted(providerId, capabilities);
    }

    /// @inheritdoc IProviderAttributes
    function approveCapabilities(uint24 providerId, uint64 capabilities) external restricted {
        Capabilities memory entry = _layout().capabilities[providerId];
        if (!entry.pending) revert NoPendingCapabilities(providerId);
        if (entry.bits != capabilities) revert PendingCapabilitiesChanged(providerId, entry.bits);
        delete _layout().capabilities[providerId];
        emit CapabilitiesApproved(providerId, capabilities);
        _PROVIDER_REGISTRY.setProviderAttributes(providerId, capabilities);
    }

    /// @inheritdoc IProviderAttributes
    function removeCapabilitiesOf(uint24 providerId) external restricted {
        delete _layout().capabilities[providerId];
        emit CapabilitiesRemoved(providerId);
        _PROVIDER_REGISTRY.setProviderAttributes(providerId, 0);
    }

    // ---- views

    /// @inheritdoc IProviderAttributes
    function resourceOf(uint16 resourceId) external view returns (ResourceCategory category, uint32 multiplierBps, string memory name) {
        Layout storage state = _layout();
        if (resourceId == 0 || resourceId > state.resourceCount) revert ResourceNotFound(resourceId);
        Resource storage resource = state.resources[resourceId];
        return (resource.category, resource.multiplierBps, resource.name);
    }

    /// @inheritdoc IProviderAttributes
    function resourceCount() external view returns (uint16) {
        return _layout().resourceCount;
    }

    /// @inheritdoc IProviderAttributes
    function activeAttributes(uint24 providerId, ResourceCategory category)
        external
        view
        returns (uint16[] memory resourceIds, uint32[] memory units)
    {
        return _split(_layout().active[providerId][category]);
    }

    /// @inheritdoc IProviderAttributes
    function pendingAttributes(uint24 providerId, ResourceCategory category)
        external
        view
        returns (uint16[] memory resourceIds, uint32[] memory units)
    {
        return _split(_layout().pending[providerId][category]);
    }

    /// @inheritdoc IProviderAttributes
    function pendingHash(uint24 providerId, ResourceCategory category) external view returns (bytes32) {
        uint48[] storage rows = _layout().pending[providerId][category];
        if (rows.length == 0) return 0;
        (uint16[] memory resourceIds, uint32[] memory units) = _split(rows);
        return keccak256(abi.encode(resourceIds, units));
    }

    /// @inheritdoc IProviderAttributes
    function pendingCapabilities(uint24 providerId) external view returns (bool pending, uint64 capabilities) {
        Capabilities memory entry = _layout().capabilities[providerId];
        return (entry.pending, entry.bits);
    }

    // ----

    function _removeAttributes(uint24 providerId, ResourceCategory category) private {
        Layout storage state = _layout();
        delete state.pending[providerId][category];
        delete state.active[providerId][category];
        emit AttributesRemoved(providerId, category);
    }

    function _split(uint48[] storage rows) private view returns (uint16[] memory resourceIds, uint32[] memory units) {
        uint256 count = rows.length;
        resourceIds = new uint16[](count);
        units = new uint32[](count);
        for (uint256 i; i < count; ++i) {
            uint48 row = rows[i];
            (resourceIds[i], units[i]) = (uint16(row >> 32), uint32(row));
        }
    }

    function _requireMultiplier(uint32 multiplierBps) private pure {
        if (multiplierBps > MAX_MULTIPLIER_BPS) revert FieldOutOfBounds("multiplierBps");
    }

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }
}
