// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Multicall } from "@openzeppelin/contracts/utils/Multicall.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { Facts } from "../words/Facts.sol";
import { MachineTotalsWord, MachineTotalsWordLib } from "../words/MachineTotalsWord.sol";
import { MachineWord, MachineWordLib } from "../words/MachineWord.sol";
import { OfferWord, OfferWordLib } from "../words/OfferWord.sol";
import { ProviderOwnerWord, ProviderOwnerWordLib } from "../words/ProviderOwnerWord.sol";
import { ProviderWord, ProviderWordLib } from "../words/ProviderWord.sol";
import { RecordWord, RecordWordLib } from "../words/RecordWord.sol";
import { Slots } from "../words/Slots.sol";
import { IMatchPolicy } from "./IMatchPolicy.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";
import { IStakingManager } from "./IStakingManager.sol";
import { ITokenRegistry } from "./ITokenRegistry.sol";
import { MachineReservation } from "./MachineReservation.sol";
import { MachineSpec, OfferTerms, ProviderStatus, SkipReason } from "./MarketTypes.sol";

/// @title Providers, machines and offers: every word about them that the engine, settlement or a dispute reads.
/// @dev What keeps an honest record from ever being skipped: a machine's interval and an offer's terms change only for rounds after the
/// open one, free capacity falls outside settlement only on a machine that is inactive in the open round, and settlement reads nothing
/// else. Trusts the settlement contract to pass records whose certificate it has checked, and the lease contract to release a lease once.
/// Words of a machine or provider never go back to zero, so that a proof of inclusion can always be made.
contract ProviderRegistry is IProviderRegistry, AccessManaged, Multicall {
    uint256 private constant OFFERS_PER_MACHINE = 4;
    uint256 private constant DEVICES_PER_MACHINE = 8;
    uint256 private constant WHOLE_DEVICE = 1000;
    uint256 private constant BPS = 10_000;
    /// Where a provider begins whom nobody has verified.
    uint256 private constant LEAST_TRUSTED_TIER = 7;
    uint256 private constant MAX_SLASHES = 255;
    uint256 private constant MAX_NAME_BYTES = 64;
    uint256 private constant MAX_HOST_URI_BYTES = 256;

    IMatchPolicy private immutable _MATCH_POLICY;
    ITokenRegistry private immutable _TOKEN_REGISTRY;
    IStakingManager private immutable _STAKING_MANAGER;
    address private immutable _COMPLIANCE_REGISTRY;
    address private immutable _PROVIDER_ADMISSION;
    address private immutable _PROVIDER_ATTRIBUTES;
    address private immutable _REWARD_ORACLE;
    address private immutable _MATCH_SETTLEMENT;
    address private immutable _COMPUTE_LEASE;

    mapping(address owner => uint24) private _providerOf;

    constructor(MarketContracts memory market) AccessManaged(market.authority) {
        _MATCH_POLICY = IMatchPolicy(market.matchPolicy);
        _TOKEN_REGISTRY = ITokenRegistry(market.tokenRegistry);
        _STAKING_MANAGER = IStakingManager(market.stakingManager);
        _COMPLIANCE_REGISTRY = market.complianceRegistry;
        _PROVIDER_ADMISSION = market.providerAdmission;
        _PROVIDER_ATTRIBUTES = market.providerAttributes;
        _REWARD_ORACLE = market.rewardOracle;
        _MATCH_SETTLEMENT = market.matchSettlement;
        _COMPUTE_LEASE = market.computeLease;
        // The next machine and the next provider are number 1.
        Slots.store(Slots.REGISTRY_COUNTERS, (1 << 32) | 1);
    }

    modifier onlyCaller(address allowed) {
        if (msg.sender != allowed) revert NotAuthorized(msg.sender);
        _;
    }

    // ---- providers

    /// @inheritdoc IProviderRegistry
    /// @dev Trusts the admission contract to name an owner that asked for it.
    function registerProvider(address owner, string calldata name, string calldata hostUri)
        external
        onlyCaller(_PROVIDER_ADMISSION)
        returns (uint24 providerId)
    {
        if (_providerOf[owner] != 0) revert ProviderAlreadyRegistered(owner, _providerOf[owner]);
        if (bytes(name).length == 0 || bytes(name).length > MAX_NAME_BYTES) revert FieldOutOfBounds("name");
        _requireHostUri(hostUri);

        uint256 counters = Slots.load(Slots.REGISTRY_COUNTERS);
        providerId = uint24(counters >> 32);
        if (providerId == type(uint24).max) revert FieldOutOfBounds("providerId");
        Slots.store(Slots.REGISTRY_COUNTERS, counters + (1 << 32));

        _providerOf[owner] = providerId;
        Slots.store(Slots.providerOwner(providerId), ProviderOwnerWord.unwrap(ProviderOwnerWordLib.encode(owner, 0, 0)));
        emit ProviderAdded(providerId, owner, name, hostUri);
        _storeStatus(providerId, ProviderWordLib.encode(0, LEAST_TRUSTED_TIER), ProviderStatus.Registered);
    }

    /// @inheritdoc IProviderRegistry
    function setHostUri(uint24 providerId, string calldata hostUri) external {
        _requireOwnerInGoodStanding(providerId);
        _requireHostUri(hostUri);
        emit ProviderHostUriUpdated(providerId, hostUri);
    }

    /// @inheritdoc IProviderRegistry
    function activateProvider(uint24 providerId) external {
        _requireOwner(providerId);
        ProviderWord provider = _provider(providerId);
        ProviderStatus status = ProviderStatus(provider.status());
        if (status == ProviderStatus.Active) revert StatusUnchanged(status);
        if (status != ProviderStatus.Registered) revert StatusNotAllowed(status);
        _requireOwnStake(providerId);
        _storeStatus(providerId, provider, ProviderStatus.Active);
    }

    /// @inheritdoc IProviderRegistry
    /// @dev Going back asks for the stake again: governance may have raised the minimum meanwhile.
    function setMaintenance(uint24 providerId, bool maintenance) external {
        _requireOwner(providerId);
        ProviderWord provider = _provider(providerId);
        ProviderStatus status = ProviderStatus(provider.status());
        ProviderStatus wanted = maintenance ? ProviderStatus.Maintenance : ProviderStatus.Active;
        if (status == wanted) revert StatusUnchanged(status);
        if (status != ProviderStatus.Active && status != ProviderStatus.Maintenance) revert StatusNotAllowed(status);
        if (!maintenance) _requireOwnStake(providerId);
        _storeStatus(providerId, provider, wanted);
    }

    /// @inheritdoc IProviderRegistry
    /// @dev Maintenance needs the stake too, since its owner may leave it for Active.
    function setProviderStatus(uint24 providerId, ProviderStatus status) external restricted {
        ProviderWord provider = _provider(providerId);
        if (status == ProviderStatus.Unregistered) revert StatusNotAllowed(status);
        if (uint256(status) == provider.status()) revert StatusUnchanged(status);
        if (status == ProviderStatus.Active || status == ProviderStatus.Maintenance) _requireOwnStake(providerId);
        _storeStatus(providerId, provider, status);
    }

    /// @inheritdoc IProviderRegistry
    function setProviderTier(uint24 providerId, uint8 tier) external restricted {
        ProviderWord provider = _provider(providerId);
        if (tier == 0 || tier > LEAST_TRUSTED_TIER) revert FieldOutOfBounds("tier");
        _storeProvider(providerId, provider.withTier(tier));
        emit ProviderTierUpdated(providerId, tier);
    }

    /// @inheritdoc IProviderRegistry
    function setProviderAttributes(uint24 providerId, uint64 attributes) external onlyCaller(_PROVIDER_ATTRIBUTES) {
        ProviderWord provider = _provider(providerId);
        if (attributes >= 1 << 54) revert FieldOutOfBounds("attributes");
        _storeProvider(providerId, provider.withAttributes(attributes));
        emit ProviderAttributesUpdated(providerId, attributes);
    }

    /// @inheritdoc IProviderRegistry
    function setProviderScores(uint24 providerId, uint16 uptimeBps, uint16 reputationBps) external onlyCaller(_REWARD_ORACLE) {
        ProviderWord provider = _provider(providerId);
        if (uptimeBps > BPS && uptimeBps != ProviderWordLib.UNMEASURED) revert FieldOutOfBounds("uptimeBps");
        if (reputationBps > BPS && reputationBps != ProviderWordLib.UNMEASURED) revert FieldOutOfBounds("reputationBps");
        _storeProvider(providerId, provider.withScores(uptimeBps, reputationBps));
        emit ProviderScoresUpdated(providerId, uptimeBps, reputationBps);
    }

    /// @inheritdoc IProviderRegistry
    /// @dev A minimum that governance raises binds at the provider's next change of stake or status, not at once.
    function setProviderStake(uint24 providerId, uint32 stakeWhole, uint256 ownStakeWhole) external onlyCaller(address(_STAKING_MANAGER)) {
        ProviderWord provider = _provider(providerId);
        ProviderStatus status = ProviderStatus(provider.status());
        bool fallsBack =
            (status == ProviderStatus.Active || status == ProviderStatus.Maintenance) && ownStakeWhole < _requiredStakeWhole(providerId);
        if (fallsBack) _storeStatus(providerId, provider.withStakeWhole(stakeWhole), ProviderStatus.Registered);
        else if (provider.stakeWhole() != stakeWhole) _storeProvider(providerId, provider.withStakeWhole(stakeWhole));
    }

    /// @inheritdoc IProviderRegistry
    function recordSlash(uint24 providerId, bool suspend) external onlyCaller(address(_STAKING_MANAGER)) {
        ProviderWord provider = _provider(providerId);
        uint256 slashes = provider.slashes();
        if (slashes < MAX_SLASHES) ++slashes;
        provider = provider.withSlashes(slashes);
        if (suspend && provider.status() != uint256(ProviderStatus.Suspended)) {
            _storeStatus(providerId, provider, ProviderStatus.Suspended);
        } else {
            _storeProvider(providerId, provider);
        }
        emit ProviderSlashesUpdated(providerId, uint8(slashes));
    }

    /// @inheritdoc IProviderRegistry
    function setComplianceReport(uint24 providerId, uint8 index, uint32 report) external onlyCaller(_COMPLIANCE_REGISTRY) {
        if (index > 3) revert FieldOutOfBounds("index");
        _storeProvider(providerId, _provider(providerId).withReport(index, report));
    }

    // ---- machines

    /// @inheritdoc IProviderRegistry
    function registerMachine(uint24 providerId, MachineSpec calldata spec) external returns (uint32 machineId) {
        _requireOwnerInGoodStanding(providerId);
        _requireBounds(spec);

        uint256 counters = Slots.load(Slots.REGISTRY_COUNTERS);
        machineId = uint32(counters);
        if (machineId == type(uint32).max) revert FieldOutOfBounds("machineId");
        Slots.store(Slots.REGISTRY_COUNTERS, counters + 1);

        uint256 required = _moveRequiredStake(providerId, 0, spec, 1);
        _storeTotals(machineId, spec, required, block.timestamp);
        MachineWord machine = MachineWordLib.encode(_MATCH_POLICY.fromRoundNow(), providerId, spec.model, spec.region)
            .withFree(spec.memoryMib, spec.cpuMilli, spec.storageGib, _wholeDevices(0, spec.deviceCount));
        _storeMachine(machineId, machine);
        emit MachineRegistered(machineId, providerId, spec);
    }

    /// @inheritdoc IProviderRegistry
    function activateMachine(uint32 machineId) external {
        MachineWord machine = _ownMachine(machineId);
        uint256 until = machine.activeUntilRound();
        if (until == MachineWordLib.NO_ROUND) revert MachineAlreadyActive(machineId);
        uint256 next = _MATCH_POLICY.fromRoundNow();
        // Until the next round means that the deactivation was in this very span: taking it back leaves the machine as it was.
        // Otherwise it begins anew, but never before a running cool-down is over.
        if (until < next) machine = machine.benchedUntil(next);
        _storeMachine(machineId, machine.withActiveUntilRound(MachineWordLib.NO_ROUND));
        emit MachineActivated(machineId, uint32(machine.activeFromRound()));
    }

    /// @inheritdoc IProviderRegistry
    /// @dev Any standing will do: leaving is never blocked.
    function deactivateMachine(uint32 machineId) external {
        MachineWord machine = _machine(machineId);
        _requireOwner(uint24(machine.providerId()));
        if (machine.activeUntilRound() != MachineWordLib.NO_ROUND) revert MachineAlreadyInactive(machineId);
        _deactivate(machineId, machine);
    }

    /// @inheritdoc IProviderRegistry
    function growMachine(uint32 machineId, MachineSpec calldata spec) external {
        MachineWord machine = _ownMachine(machineId);
        MachineTotalsWord totals = _totals(machineId);
        _requireBounds(spec);
        if (spec.model != machine.model()) revert FieldOutOfBounds("model");
        if (spec.region != machine.region()) revert FieldOutOfBounds("region");
        if (spec.cpuMilli < totals.cpuMilli()) revert CapacityLowered(machineId, "cpuMilli");
        if (spec.memoryMib < totals.memoryMib()) revert CapacityLowered(machineId, "memoryMib");
        if (spec.storageGib < totals.storageGib()) revert CapacityLowered(machineId, "storageGib");
        if (spec.deviceCount < totals.deviceCount()) revert CapacityLowered(machineId, "deviceCount");
        _resize(machineId, machine, totals, spec);
        emit MachineReconfigured(machineId, spec);
    }

    /// @inheritdoc IProviderRegistry
    function reconfigureMachine(uint32 machineId, MachineSpec calldata spec) external {
        MachineWord machine = _ownMachine(machineId);
        MachineTotalsWord totals = _totals(machineId);
        _requireBounds(spec);
        _requireInactive(machineId, machine);
        // Every lease holds some cpu. What a tenant leased does not turn into another model, nor move to another region.
        bool inUse = machine.freeCpuMilli() != totals.cpuMilli();
        if (inUse && spec.model != machine.model()) revert CapacityInUse(machineId, "model");
        if (inUse && spec.region != machine.region()) revert CapacityInUse(machineId, "region");
        _resize(machineId, machine.withModelAndRegion(spec.model, spec.region), totals, spec);
        emit MachineReconfigured(machineId, spec);
    }

    /// @inheritdoc IProviderRegistry
    /// @dev Only a suspension holds the stake back; a deactivated provider may take its machines off.
    function retireMachine(uint32 machineId) external {
        MachineWord machine = _machine(machineId);
        uint24 providerId = uint24(machine.providerId());
        _requireOwner(providerId);
        ProviderStatus status = ProviderStatus(_provider(providerId).status());
        if (status == ProviderStatus.Suspended) revert StatusNotAllowed(status);
        _requireInactive(machineId, machine);
        MachineTotalsWord totals = _totals(machineId);
        if (machine.freeCpuMilli() != totals.cpuMilli()) revert CapacityInUse(machineId, "cpuMilli");

        ProviderOwnerWord owner = _owner(providerId);
        uint256 required = owner.requiredStakeWhole() - totals.requiredStakeWhole();
        Slots.store(
            Slots.providerOwner(providerId),
            ProviderOwnerWord.unwrap(ProviderOwnerWordLib.encode(owner.owner(), required, owner.machineCount()))
        );
        Slots.store(
            Slots.machineTotals(machineId), MachineTotalsWord.unwrap(MachineTotalsWordLib.encode(0, 0, 0, 0, 0, totals.registeredAt()))
        );
        _storeMachine(machineId, machine.withModelAndRegion(0, machine.region()).withFree(0, 0, 0, 0));
        emit MachineRetired(machineId);
    }

    // ---- offers

    /// @inheritdoc IProviderRegistry
    function setOffer(uint32 machineId, uint8 offerIndex, OfferTerms calldata terms) external {
        MachineWord machine = _ownMachine(machineId);
        if (offerIndex >= OFFERS_PER_MACHINE) revert OfferIndexInvalid(offerIndex);
        if (terms.gpuMicroPerHour >= 1 << 36) revert FieldOutOfBounds("gpuMicroPerHour");
        if (terms.coreMicroPerHour >= 1 << 30) revert FieldOutOfBounds("coreMicroPerHour");
        if (terms.memoryGibMicroPerHour >= 1 << 26) revert FieldOutOfBounds("memoryGibMicroPerHour");
        if (terms.storageTibMicroPerHour >= 1 << 30) revert FieldOutOfBounds("storageTibMicroPerHour");
        if (!_TOKEN_REGISTRY.isApproved(terms.tokenId)) revert TokenNotAccepted(terms.tokenId);
        for (uint8 other; other < OFFERS_PER_MACHINE; ++other) {
            if (other != offerIndex && _offer(machineId, other).tokenId() == terms.tokenId) {
                revert TokenAlreadyOffered(machineId, terms.tokenId, other);
            }
        }

        uint32 next = _MATCH_POLICY.fromRoundNow();
        _storeOffer(
            machineId,
            offerIndex,
            OfferWordLib.encode(
                next,
                terms.gpuMicroPerHour,
                terms.coreMicroPerHour,
                terms.memoryGibMicroPerHour,
                terms.storageTibMicroPerHour,
                terms.tokenId
            )
        );
        if ((machine.offersWritten() >> offerIndex) & 1 == 0) _storeMachine(machineId, machine.withOfferWritten(offerIndex));
        emit OfferUpdated(machineId, offerIndex, next, terms);
    }

    /// @inheritdoc IProviderRegistry
    function withdrawOffer(uint32 machineId, uint8 offerIndex) external {
        _ownMachine(machineId);
        if (offerIndex >= OFFERS_PER_MACHINE) revert OfferIndexInvalid(offerIndex);
        if (_offer(machineId, offerIndex).tokenId() == 0) revert OfferNotFound(machineId, offerIndex);
        uint32 next = _MATCH_POLICY.fromRoundNow();
        _storeOffer(machineId, offerIndex, OfferWordLib.encode(next, 0, 0, 0, 0, 0));
        emit OfferWithdrawn(machineId, offerIndex, next);
    }

    // ---- settlement and leases

    /// @inheritdoc IProviderRegistry
    function reserve(bytes calldata records, uint32 round, uint32 benchFromRound)
        external
        onlyCaller(_MATCH_SETTLEMENT)
        returns (uint256[] memory skipped, uint256[] memory benched)
    {
        unchecked {
            uint256 count = records.length / 32;
            skipped = new uint256[]((count + 255) / 256);
            benched = new uint256[]((count + 255) / 256);
            uint256 from;
            assembly ("memory-safe") {
                from := records.offset
            }
            uint256 end = from + count * 32;
            uint256 position = MachineReservation.takeWhileHeld(from, end, round, Slots.MACHINE);
            while (position != end) {
                uint256 i = (position - from) / 32;
                RecordWord record = RecordWordLib.recordAt(records, i);
                uint256 slot = Slots.machine(record.machineId());
                SkipReason reason = MachineReservation.take(record, slot, round);
                if (reason != SkipReason.None) {
                    skipped[i >> 8] |= 1 << (i & 255);
                    emit RecordSkipped(uint32(record.orderId()), uint32(record.machineId()), reason);
                }
                if (reason == SkipReason.MachineInactive || reason == SkipReason.MachineCapacity || reason == SkipReason.OfferMissing) {
                    benched[i >> 8] |= 1 << (i & 255);
                    MachineWord machine = MachineWord.wrap(Slots.load(slot));
                    Slots.store(slot, MachineWord.unwrap(machine.benchedUntil(benchFromRound)));
                }
                position = MachineReservation.takeWhileHeld(position + 32, end, round, Slots.MACHINE);
            }
        }
    }

    /// @inheritdoc IProviderRegistry
    function giveBack(bytes calldata records, uint256[] calldata which) external onlyCaller(_MATCH_SETTLEMENT) {
        unchecked {
            uint256 count = records.length / 32;
            for (uint256 i; i < count; ++i) {
                if ((which[i >> 8] >> (i & 255)) & 1 == 0) continue;
                RecordWord record = RecordWordLib.recordAt(records, i);
                uint256 slot = Slots.machine(record.machineId());
                MachineWord machine = MachineWord.wrap(Slots.load(slot));
                Slots.store(slot, MachineWord.unwrap(machine.released(RecordWord.unwrap(record))));
            }
        }
    }

    /// @inheritdoc IProviderRegistry
    function release(bytes32 lease) external onlyCaller(_COMPUTE_LEASE) {
        uint32 machineId = uint32(uint256(lease) >> 192);
        _storeMachine(machineId, _machine(machineId).released(uint256(lease)));
    }

    /// @inheritdoc IProviderRegistry
    /// @dev Otherwise a machine that nobody serves any more would win every order again by the same price.
    function standDown(uint32 machineId) external onlyCaller(_COMPUTE_LEASE) {
        MachineWord machine = _machine(machineId);
        if (machine.activeUntilRound() == MachineWordLib.NO_ROUND) _deactivate(machineId, machine);
    }

    /// @inheritdoc IProviderRegistry
    /// @dev Trusts the callers to have passed the gate of `round` before anything is taken that was free, and to have set the flag of a bid
    /// in `to` where its price is not an offer's. What stays within `from` was the lease's already, so the machine need not be active for it.
    function moveCapacity(bytes32 from, bytes32 to, uint32 round) external {
        if (msg.sender != _COMPUTE_LEASE && msg.sender != _MATCH_SETTLEMENT) revert NotAuthorized(msg.sender);
        uint32 machineId = uint32(uint256(to) >> 192);
        if (from != 0 && uint32(uint256(from) >> 192) != machineId) revert FieldOutOfBounds("machineId");
        MachineWord machine = _machine(machineId);
        uint256 slot = Slots.machine(machineId);
        MachineWord whole = from == 0 ? machine : machine.released(uint256(from));
        bool within = MachineReservation.within(uint256(to), uint256(from));
        Slots.store(slot, MachineWord.unwrap(within ? whole.withInterval(0, MachineWordLib.NO_ROUND) : whole));
        SkipReason reason = MachineReservation.take(RecordWord.wrap(uint256(to)), slot, round);
        if (reason != SkipReason.None) revert CapacityRefused(machineId, reason);
        MachineWord taken = MachineWord.wrap(Slots.load(slot));
        _storeMachine(machineId, taken.withInterval(machine.activeFromRound(), machine.activeUntilRound()));
    }

    // ---- views

    /// @inheritdoc IProviderRegistry
    function providerWord(uint24 providerId) external view returns (bytes32) {
        return bytes32(Slots.load(Slots.provider(providerId)));
    }

    /// @inheritdoc IProviderRegistry
    function providerOwner(uint24 providerId) external view returns (address) {
        return _owner(providerId).owner();
    }

    /// @inheritdoc IProviderRegistry
    function providerOf(address owner) external view returns (uint24) {
        return _providerOf[owner];
    }

    /// @inheritdoc IProviderRegistry
    function requiredStakeWhole(uint24 providerId) external view returns (uint256) {
        return _requiredStakeWhole(providerId);
    }

    /// @inheritdoc IProviderRegistry
    function machinesStakeWhole(uint24 providerId) external view returns (uint256) {
        return _owner(providerId).requiredStakeWhole();
    }

    /// @inheritdoc IProviderRegistry
    function machineWords(uint32 machineId) external view returns (bytes32 m0, bytes32 m1) {
        return (bytes32(Slots.load(Slots.machine(machineId))), bytes32(Slots.load(Slots.machineTotals(machineId))));
    }

    /// @inheritdoc IProviderRegistry
    function offerWords(uint32 machineId, uint8 offerIndex) external view returns (bytes32 newest, bytes32 previous) {
        if (offerIndex >= OFFERS_PER_MACHINE) revert OfferIndexInvalid(offerIndex);
        return (bytes32(Slots.load(Slots.offer(machineId, offerIndex))), bytes32(Slots.load(Slots.offerPrevious(machineId, offerIndex))));
    }

    /// @inheritdoc IProviderRegistry
    function counts() external view returns (uint32 machineCount, uint24 providerCount) {
        uint256 counters = Slots.load(Slots.REGISTRY_COUNTERS);
        return (uint32(counters) - 1, uint24(counters >> 32) - 1);
    }

    /// @inheritdoc IProviderRegistry
    function factsWord() external view returns (bytes32) {
        return bytes32(Slots.load(Slots.REGISTRY_FACTS));
    }

    // ---- rules

    function _requireOwner(uint24 providerId) private view {
        address owner = _owner(providerId).owner();
        if (owner == address(0)) revert ProviderNotFound(providerId);
        if (owner != msg.sender) revert NotProviderOwner(providerId, msg.sender);
    }

    function _requireOwnerInGoodStanding(uint24 providerId) private view {
        _requireOwner(providerId);
        ProviderStatus status = ProviderStatus(_provider(providerId).status());
        if (status == ProviderStatus.Suspended || status == ProviderStatus.Deactivated) revert StatusNotAllowed(status);
    }

    function _ownMachine(uint32 machineId) private view returns (MachineWord machine) {
        machine = _machine(machineId);
        _requireOwnerInGoodStanding(uint24(machine.providerId()));
    }

    function _deactivate(uint32 machineId, MachineWord machine) private {
        uint32 next = _MATCH_POLICY.fromRoundNow();
        _storeMachine(machineId, machine.withActiveUntilRound(next));
        emit MachineDeactivated(machineId, next);
    }

    /// A batch of the open round may still reserve on a machine that is active in it.
    function _requireInactive(uint32 machineId, MachineWord machine) private view {
        uint256 open = uint256(_MATCH_POLICY.fromRoundNow()) - 1;
        if (machine.isActiveIn(open)) revert MachineStillActive(machineId, uint32(machine.activeUntilRound()));
    }

    /// Own stake covers the provider's minimum and its machines.
    function _requireOwnStake(uint24 providerId) private view {
        uint256 requiredWhole = _requiredStakeWhole(providerId);
        uint256 ownStakeWhole = _STAKING_MANAGER.ownStakeWhole(providerId);
        if (ownStakeWhole < requiredWhole) revert InsufficientStake(ownStakeWhole, requiredWhole);
    }

    function _requiredStakeWhole(uint24 providerId) private view returns (uint256) {
        uint256 machinesWhole = _owner(providerId).requiredStakeWhole();
        uint256 minimumWhole = _STAKING_MANAGER.stakeTerms().wholeMinimumPerProvider;
        return machinesWhole > minimumWhole ? machinesWhole : minimumWhole;
    }

    function _requireHostUri(string calldata hostUri) private pure {
        if (bytes(hostUri).length == 0 || bytes(hostUri).length > MAX_HOST_URI_BYTES) revert FieldOutOfBounds("hostUri");
    }

    /// Memory is bounded by its type.
    function _requireBounds(MachineSpec calldata spec) private pure {
        if (spec.model >= 1 << 10) revert FieldOutOfBounds("model");
        if (spec.region >= 1 << 10) revert FieldOutOfBounds("region");
        if (spec.cpuMilli == 0 || spec.cpuMilli >= 1 << 20) revert FieldOutOfBounds("cpuMilli");
        if (spec.storageGib >= 1 << 20) revert FieldOutOfBounds("storageGib");
        if (spec.deviceCount > DEVICES_PER_MACHINE) revert FieldOutOfBounds("deviceCount");
        if ((spec.model == 0) != (spec.deviceCount == 0)) revert FieldOutOfBounds("model");
    }

    /// Gives the machine its new totals; what is in use stays in use.
    function _resize(uint32 machineId, MachineWord machine, MachineTotalsWord totals, MachineSpec calldata spec) private {
        uint256 required = _moveRequiredStake(uint24(machine.providerId()), totals.requiredStakeWhole(), spec, 0);
        uint256 devices = _resizedDevices(machineId, machine, totals.deviceCount(), spec.deviceCount);
        machine = machine.withFree(
            _stillFree(machineId, "memoryMib", spec.memoryMib, totals.memoryMib() - machine.freeMemoryMib()),
            _stillFree(machineId, "cpuMilli", spec.cpuMilli, totals.cpuMilli() - machine.freeCpuMilli()),
            _stillFree(machineId, "storageGib", spec.storageGib, totals.storageGib() - machine.freeStorageGib()),
            devices
        );
        _storeTotals(machineId, spec, required, totals.registeredAt());
        _storeMachine(machineId, machine);
    }

    function _stillFree(uint32 machineId, string memory field, uint256 total, uint256 used) private pure returns (uint256) {
        if (total < used) revert CapacityInUse(machineId, field);
        return total - used;
    }

    /// The 80 bits of the devices: new ones wholly free, a removed one only if it was.
    function _resizedDevices(uint32 machineId, MachineWord machine, uint256 oldCount, uint256 newCount) private pure returns (uint256) {
        for (uint256 device = newCount; device < oldCount; ++device) {
            if (machine.freeMilliGpu(device) != WHOLE_DEVICE) revert CapacityInUse(machineId, "deviceCount");
        }
        uint256 kept = MachineWord.unwrap(machine) & ((1 << (10 * (newCount < oldCount ? newCount : oldCount))) - 1);
        return newCount > oldCount ? kept | _wholeDevices(oldCount, newCount) : kept;
    }

    /// Devices `from` to `to - 1`, wholly free.
    function _wholeDevices(uint256 from, uint256 to) private pure returns (uint256) {
        return MachineWordLib.spread((1 << to) - (1 << from), WHOLE_DEVICE);
    }

    /// Puts what a machine of `spec` needs in the place of `oldRequired`; own stake must cover a total that rises.
    function _moveRequiredStake(uint24 providerId, uint256 oldRequired, MachineSpec calldata spec, uint256 addedMachines)
        private
        returns (uint256 required)
    {
        required = _STAKING_MANAGER.requirementOf(spec.deviceCount, spec.cpuMilli);
        ProviderOwnerWord owner = _owner(providerId);
        uint256 total = owner.requiredStakeWhole() - oldRequired + required;
        if (total > type(uint40).max) revert FieldOutOfBounds("requiredStakeWhole");
        Slots.store(
            Slots.providerOwner(providerId),
            ProviderOwnerWord.unwrap(ProviderOwnerWordLib.encode(owner.owner(), total, owner.machineCount() + addedMachines))
        );
        if (required > oldRequired) _requireOwnStake(providerId);
    }

    // ---- words

    function _provider(uint24 providerId) private view returns (ProviderWord provider) {
        provider = ProviderWord.wrap(Slots.load(Slots.provider(providerId)));
        if (ProviderWord.unwrap(provider) == 0) revert ProviderNotFound(providerId);
    }

    function _owner(uint24 providerId) private view returns (ProviderOwnerWord) {
        return ProviderOwnerWord.wrap(Slots.load(Slots.providerOwner(providerId)));
    }

    function _machine(uint32 machineId) private view returns (MachineWord machine) {
        machine = MachineWord.wrap(Slots.load(Slots.machine(machineId)));
        if (MachineWord.unwrap(machine) == 0) revert MachineNotFound(machineId);
    }

    function _totals(uint32 machineId) private view returns (MachineTotalsWord) {
        return MachineTotalsWord.wrap(Slots.load(Slots.machineTotals(machineId)));
    }

    function _offer(uint32 machineId, uint8 offerIndex) private view returns (OfferWord) {
        return OfferWord.wrap(Slots.load(Slots.offer(machineId, offerIndex)));
    }

    function _storeProvider(uint24 providerId, ProviderWord provider) private {
        _storeFact(Slots.provider(providerId), ProviderWord.unwrap(provider));
    }

    function _storeStatus(uint24 providerId, ProviderWord provider, ProviderStatus status) private {
        _storeProvider(providerId, provider.withStatus(uint256(status)));
        emit ProviderStatusUpdated(providerId, status);
    }

    function _storeMachine(uint32 machineId, MachineWord machine) private {
        _storeFact(Slots.machine(machineId), MachineWord.unwrap(machine));
    }

    function _storeTotals(uint32 machineId, MachineSpec calldata spec, uint256 required, uint256 registeredAt) private {
        MachineTotalsWord totals =
            MachineTotalsWordLib.encode(spec.memoryMib, spec.cpuMilli, spec.storageGib, spec.deviceCount, required, registeredAt);
        Slots.store(Slots.machineTotals(machineId), MachineTotalsWord.unwrap(totals));
    }

    /// The terms of the open round stay readable: they move to the previous slot unless it holds them already.
    function _storeOffer(uint32 machineId, uint8 offerIndex, OfferWord offer) private {
        uint256 slot = Slots.offer(machineId, offerIndex);
        OfferWord newest = OfferWord.wrap(Slots.load(slot));
        if (OfferWord.unwrap(newest) != 0 && newest.fromRound() < offer.fromRound()) {
            Slots.store(Slots.offerPrevious(machineId, offerIndex), OfferWord.unwrap(newest));
        }
        _storeFact(slot, OfferWord.unwrap(offer));
    }

    function _storeFact(uint256 slot, uint256 value) private {
        Slots.store(slot, value);
        Slots.store(Slots.REGISTRY_FACTS, Facts.fold(Slots.load(Slots.REGISTRY_FACTS), slot, value));
        emit Fact(slot, bytes32(value));
    }
}
