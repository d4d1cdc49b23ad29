// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MachineSpec, OfferTerms, ProviderStatus, SkipReason } from "./MarketTypes.sol";

/// @title Providers, machines and offers: every word about them that the engine, settlement or a dispute reads.
interface IProviderRegistry {
    /// @notice A word that nodes build their snapshot from, folded into the registry's facts word.
    event Fact(uint256 indexed slot, bytes32 value);

    event ProviderAdded(uint24 indexed providerId, address indexed owner, string name, string hostUri);
    event ProviderHostUriUpdated(uint24 indexed providerId, string hostUri);
    event ProviderStatusUpdated(uint24 indexed providerId, ProviderStatus status);
    event ProviderTierUpdated(uint24 indexed providerId, uint8 tier);
    event ProviderAttributesUpdated(uint24 indexed providerId, uint64 attributes);
    event ProviderScoresUpdated(uint24 indexed providerId, uint16 uptimeBps, uint16 reputationBps);
    event ProviderSlashesUpdated(uint24 indexed providerId, uint8 slashes);
    event MachineRegistered(uint32 indexed machineId, uint24 indexed providerId, MachineSpec spec);
    event MachineReconfigured(uint32 indexed machineId, MachineSpec spec);
    event MachineRetired(uint32 indexed machineId);
    event MachineActivated(uint32 indexed machineId, uint32 fromRound);
    event MachineDeactivated(uint32 indexed machineId, uint32 untilRound);
    event OfferUpdated(uint32 indexed machineId, uint8 indexed offerIndex, uint32 fromRound, OfferTerms terms);
    event OfferWithdrawn(uint32 indexed machineId, uint8 indexed offerIndex, uint32 fromRound);

    /// @notice Why settlement left a record out; for people, nodes derive nothing from it.
    event RecordSkipped(uint32 indexed orderId, uint32 indexed machineId, SkipReason reason);

    error ProviderNotFound(uint24 providerId);
    error ProviderAlreadyRegistered(address owner, uint24 providerId);
    error MachineNotFound(uint32 machineId);
    error NotProviderOwner(uint24 providerId, address caller);
    error NotAuthorized(address caller);
    error StatusUnchanged(ProviderStatus status);
    error StatusNotAllowed(ProviderStatus status);
    /// @notice `field` of a machine, offer or provider is outside its bounds.
    error FieldOutOfBounds(string field);
    /// @notice Own stake in whole tokens does not cover the provider's minimum and its machines.
    error InsufficientStake(uint256 stakeWhole, uint256 requiredWhole);
    error MachineAlreadyActive(uint32 machineId);
    error MachineAlreadyInactive(uint32 machineId);
    /// @notice Lowering capacity, or changing model or region, needs a machine that is inactive in the open round.
    error MachineStillActive(uint32 machineId, uint32 activeUntilRound);
    error CapacityInUse(uint32 machineId, string field);
    error CapacityLowered(uint32 machineId, string field);
    error OfferIndexInvalid(uint8 offerIndex);
    error TokenNotAccepted(uint16 tokenId);
    error TokenAlreadyOffered(uint32 machineId, uint16 tokenId, uint8 offerIndex);
    error CapacityRefused(uint32 machineId, SkipReason reason);
    error OfferNotFound(uint32 machineId, uint8 offerIndex);

    // ---- providers
    /// @notice Only the admission contract: a provider with status Registered and tier 7.
    function registerProvider(address owner, string calldata name, string calldata hostUri) external returns (uint24 providerId);
    function setHostUri(uint24 providerId, string calldata hostUri) external;
    /// @notice The owner of a Registered provider goes Active; its own stake must cover the provider's minimum and its machines.
    function activateProvider(uint24 providerId) external;
    /// @notice The owner's own switch between Active and Maintenance.
    function setMaintenance(uint24 providerId, bool maintenance) external;
    /// @notice Only the verifier's role. Active needs the stake, as `activateProvider` does.
    function setProviderStatus(uint24 providerId, ProviderStatus status) external;
    /// @notice Only the verifier's role.
    function setProviderTier(uint24 providerId, uint8 tier) external;
    /// @notice Only the attributes contract.
    function setProviderAttributes(uint24 providerId, uint64 attributes) external;
    /// @notice Only the reward oracle contract. 0x3fff = not measured.
    function setProviderScores(uint24 providerId, uint16 uptimeBps, uint16 reputationBps) external;
    /// @notice Only the staking manager: the stake that scores. When own stake no longer covers what is required, an Active or Maintenance
    /// provider falls back to Registered.
    function setProviderStake(uint24 providerId, uint32 stakeWhole, uint256 ownStakeWhole) external;
    /// @notice Only the staking manager: counts a slash (at most 255), and suspends the provider if asked.
    function recordSlash(uint24 providerId, bool suspend) external;
    /// @notice Only the compliance registry. `report` is the packed 32 bits: standard 6, expiry day 16, bps 10.
    function setComplianceReport(uint24 providerId, uint8 index, uint32 report) external;

    // ---- machines and offers
    function registerMachine(uint24 providerId, MachineSpec calldata spec) external returns (uint32 machineId);
    function activateMachine(uint32 machineId) external;
    function deactivateMachine(uint32 machineId) external;
    /// @notice Raises totals and free capacity at any time; every field is the new total.
    function growMachine(uint32 machineId, MachineSpec calldata spec) external;
    /// @notice Any change, on a machine that is inactive in the open round; never below what leases use.
    function reconfigureMachine(uint32 machineId, MachineSpec calldata spec) external;
    /// @notice Takes all capacity off a machine that is inactive in the open round and serves no lease, and frees its stake.
    function retireMachine(uint32 machineId) external;
    function setOffer(uint32 machineId, uint8 offerIndex, OfferTerms calldata terms) external;
    function withdrawOffer(uint32 machineId, uint8 offerIndex) external;

    // ---- settlement and leases
    /// @notice Only settlement: takes capacity for each record that holds in `round`. Bit i of `skipped` and `benched` is record i.
    /// @param benchFromRound What a benched machine's activeFromRound is raised to.
    function reserve(bytes calldata records, uint32 round, uint32 benchFromRound)
        external
        returns (uint256[] memory skipped, uint256[] memory benched);
    /// @notice Only settlement: returns the capacity of the records whose bit is set in `which`.
    function giveBack(bytes calldata records, uint256[] calldata which) external;
    /// @notice Only compute lease: capacity of a closed lease, at once. `lease` is the lease word.
    function release(bytes32 lease) external;
    /// @notice Only compute lease: a machine whose provider was not ready for a lease leaves the market from the next round on, until its owner
    /// activates it again.
    function standDown(uint32 machineId) external;
    /// @notice Only compute lease (an update) and settlement (a self-match): gives back what the lease word `from` holds (zero for nothing) and takes
    /// what the record-shaped word `to` needs on the same machine in `round`; facts are emitted. Reverts `CapacityRefused`.
    function moveCapacity(bytes32 from, bytes32 to, uint32 round) external;

    // ---- views
    function providerWord(uint24 providerId) external view returns (bytes32);
    function providerOwner(uint24 providerId) external view returns (address);
    function providerOf(address owner) external view returns (uint24);
    /// @notice What own stake must cover: the larger of the machines' sum and the provider's minimum.
    function requiredStakeWhole(uint24 providerId) external view returns (uint256);
    /// @notice The machines' sum alone. Where it is 0 the owner may take all its stake, the minimum included, and is Registered again.
    function machinesStakeWhole(uint24 providerId) external view returns (uint256);
    function machineWords(uint32 machineId) external view returns (bytes32 m0, bytes32 m1);
    function offerWords(uint32 machineId, uint8 offerIndex) external view returns (bytes32 newest, bytes32 previous);
    function counts() external view returns (uint32 machineCount, uint24 providerCount);
    function factsWord() external view returns (bytes32);
}
