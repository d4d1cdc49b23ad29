// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { Multicall } from "@openzeppelin/contracts/utils/Multicall.sol";
import { Facts } from "../words/Facts.sol";
import { MachineTotalsWord, MachineTotalsWordLib } from "../words/MachineTotalsWord.sol";
import { DEVICE_ONES, DEVICE_SPREAD, MachineWord, MachineWordLib } from "../words/MachineWord.sol";
import { OfferWord, OfferWordLib } from "../words/OfferWord.sol";
import { ProviderOwnerWord, ProviderOwnerWordLib } from "../words/ProviderOwnerWord.sol";
import { ProviderWord, ProviderWordLib } from "../words/ProviderWord.sol";
import { RecordWord, RecordWordLib } from "../words/RecordWord.sol";
import { Slots } from "../words/Slots.sol";
import { IMatchPolicy } from "./IMatchPolicy.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";
import { IStakingManager } from "./IStakingManager.sol";
import { ITokenRegistry } from "./ITokenRegistry.sol";
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
    uint256 private constant MAX_NAME_BYTES = 64;
    uint256 private constant MAX_HOST_URI_BYTES = 256;
    /// The devices at even places, each in 20 bits.
    uint256 private constant EVEN_DEVICES = 0x3ff003ff003ff003ff;
    /// The bit above each device at an even place.
    uint256 private constant GUARDS = 0x400004000040000400;

    IMatchPolicy private immutable _MATCH_POLICY;
    ITokenRegistry private immutable _TOKEN_REGISTRY;
    IStakingManager private immutable _STAKING_MANAGER;
    address private immutable _COMPLIANCE_REGISTRY;
    address private immutable _MATCH_SETTLEMENT;
    address private immutable _COMPUTE_LEASE;
    bool private immutable _AUTO_APPROVE;

    mapping(address owner => uint24) private _providerOf;

    /// @param autoApprove New providers are Active at once; otherwise they wait for `setProviderStatus`.
    constructor(
        address authority,
        address matchPolicy,
        address tokenRegistry,
        address stakingManager,
        address complianceRegistry,
        address matchSettlement,
        address computeLease,
        bool autoApprove
    ) AccessManaged(authority) {
        _MATCH_POLICY = IMatchPolicy(matchPolicy);
        _TOKEN_REGISTRY = ITokenRegistry(tokenRegistry);
        _STAKING_MANAGER = IStakingManager(stakingManager);
        _COMPLIANCE_REGISTRY = complianceRegistry;
        _MATCH_SETTLEMENT = matchSettlement;
        _COMPUTE_LEASE = computeLease;
        _AUTO_APPROVE = autoApprove;
        // The next machine and the next provider are number 1.
        Slots.store(Slots.REGISTRY_COUNTERS, (1 << 32) | 1);
    }

    modifier onlyCaller(address allowed) {
        if (msg.sender != allowed) revert NotAuthorized(msg.sender);
        _;
    }

    // ---- providers

    /// @inheritdoc IProviderRegistry
    function registerProvider(string calldata name, string calldata hostUri) external returns (uint24 providerId) {
        if (_providerOf[msg.sender] != 0) revert ProviderAlreadyRegistered(msg.sender, _providerOf[msg.sender]);
        if (bytes(name).length == 0 || bytes(name).length > MAX_NAME_BYTES) revert FieldOutOfBounds("name");
        _requireHostUri(hostUri);

        uint256 counters = Slots.load(Slots.REGISTRY_COUNTERS);
        providerId = uint24(counters >> 32);
        if (providerId == type(uint24).max) revert FieldOutOfBounds("providerId");
        Slots.store(Slots.REGISTRY_COUNTERS, counters + (1 << 32));

        _providerOf[msg.sender] = providerId;
        Slots.store(Slots.providerOwner(providerId), ProviderOwnerWord.unwrap(ProviderOwnerWordLib.encode(msg.sender, 0, 0)));
        ProviderStatus status = _AUTO_APPROVE ? ProviderStatus.Active : ProviderStatus.Registered;
        _storeProvider(providerId, ProviderWordLib.encode(uint256(status), LEAST_TRUSTED_TIER));
        emit ProviderAdded(providerId, msg.sender, name, hostUri);
        emit ProviderStatusUpdated(providerId, status);
    }

    /// @inheritdoc IProviderRegistry
    function setHostUri(uint24 providerId, string calldata hostUri) external {
        _requireOwnerInGoodStanding(providerId);
        _requireHostUri(hostUri);
        emit ProviderHostUriUpdated(providerId, hostUri);
    }

    /// @inheritdoc IProviderRegistry
    function setMaintenance(uint24 providerId, bool maintenance) external {
        _requireOwner(providerId);
        ProviderWord provider = _provider(providerId);
        ProviderStatus status = ProviderStatus(provider.status());
        ProviderStatus wanted = maintenance ? ProviderStatus.Maintenance : ProviderStatus.Active;
        if (status == wanted) revert StatusUnchanged(status);
        if (status != ProviderStatus.Active && status != ProviderStatus.Maintenance) revert StatusNotAllowed(status);
        _storeProvider(providerId, provider.withStatus(uint256(wanted)));
        emit ProviderStatusUpdated(providerId, wanted);
    }

    /// @inheritdoc IProviderRegistry
    function setProviderStatus(uint24 providerId, ProviderStatus status) external restricted {
        ProviderWord provider = _provider(providerId);
        if (status == ProviderStatus.Unregistered) revert StatusNotAllowed(status);
        if (uint256(status) == provider.status()) revert StatusUnchanged(status);
        _storeProvider(providerId, provider.withStatus(uint256(status)));
        emit ProviderStatusUpdated(providerId, status);
    }

    /// @inheritdoc IProviderRegistry
    function verifyProvider(uint24 providerId, uint8 tier, uint64 attributes) external restricted {
        ProviderWord provider = _provider(providerId);
        if (tier == 0 || tier > LEAST_TRUSTED_TIER) revert FieldOutOfBounds("tier");
        if (attributes >= 1 << 54) revert FieldOutOfBounds("attributes");
        _storeProvider(providerId, provider.withVerification(tier, attributes));
        emit ProviderVerified(providerId, tier, attributes);
    }

    /// @inheritdoc IProviderRegistry
    function setProviderScores(uint24 providerId, uint16 uptimeBps, uint16 reputationBps, uint8 slashes) external restricted {
        ProviderWord provider = _provider(providerId);
        if (uptimeBps > BPS && uptimeBps != ProviderWordLib.UNMEASURED) revert FieldOutOfBounds("uptimeBps");
        if (reputationBps > BPS && reputationBps != ProviderWordLib.UNMEASURED) revert FieldOutOfBounds("reputationBps");
        _storeProvider(providerId, provider.withScores(uptimeBps, reputationBps, slashes));
        emit ProviderScoresUpdated(providerId, uptimeBps, reputationBps, slashes);
    }

    /// @inheritdoc IProviderRegistry
    function setProviderStake(uint24 providerId, uint32 stakeWhole) external onlyCaller(address(_STAKING_MANAGER)) {
        ProviderWord provider = _provider(providerId);
        if (provider.stakeWhole() == stakeWhole) return;
        _storeProvider(providerId, provider.withStakeWhole(stakeWhole));
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
        uint32 next = _MATCH_POLICY.fromRoundNow();
        _storeMachine(machineId, machine.withActiveUntilRound(next));
        emit MachineDeactivated(machineId, next);
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
            for (uint256 i; i < count; ++i) {
                RecordWord record = RecordWordLib.recordAt(records, i);
                uint256 slot = Slots.machine(record.machineId());
                SkipReason reason = _take(RecordWord.unwrap(record), slot, round);
                if (reason == SkipReason.None) continue;
                skipped[i >> 8] |= 1 << (i & 255);
                emit RecordSkipped(uint32(record.orderId()), uint32(record.machineId()), reason);
                if (reason == SkipReason.MachineInactive || reason == SkipReason.MachineCapacity || reason == SkipReason.OfferMissing) {
                    benched[i >> 8] |= 1 << (i & 255);
                    MachineWord machine = MachineWord.wrap(Slots.load(slot));
                    Slots.store(slot, MachineWord.unwrap(machine.benchedUntil(benchFromRound)));
                }
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

    // ---- reservation

    /// Takes what the record needs of the machine at `slot` if it holds in `round`; says why not otherwise, and writes nothing.
    /// Settlement pays for this once a match, hence assembly: each `break` leaves with a reason, in the order of `SkipReason`.
    function _take(uint256 record, uint256 slot, uint256 round) private returns (SkipReason reason) {
        assembly ("memory-safe") {
            for { } 1 { } {
                let machine := sload(slot)
                if iszero(machine) {
                    reason := 1 // MachineUnknown
                    break
                }
                // Active when from <= round < until.
                if or(gt(shr(224, machine), round), iszero(gt(and(shr(192, machine), 0xffffffff), round))) {
                    reason := 2 // MachineInactive
                    break
                }
                if and(xor(shr(168, machine), shr(8, record)), 0xffffff) {
                    reason := 3 // ProviderMismatch
                    break
                }

                let need := 0
                let milliGpu := and(shr(128, record), 0xffff)
                if and(record, 0xffffff00000000000000000000000000000000) {
                    // Copies of the mask 9 bits apart bring its bit i to bit 10 * i, the foot of device i.
                    need := and(mul(and(shr(144, record), 0xff), DEVICE_SPREAD), DEVICE_ONES)
                    // Without milli-GPU one unit a device makes any device too many.
                    let units := add(milliGpu, iszero(milliGpu))
                    if gt(units, WHOLE_DEVICE) { units := WHOLE_DEVICE }
                    // The product gathers the number of devices in the highest of the eight.
                    if xor(mul(and(shr(70, mul(need, DEVICE_ONES)), 0x3ff), units), milliGpu) {
                        reason := 4 // DeviceMask
                        break
                    }
                    need := mul(need, units)
                    // A guard bit above each device survives the subtraction where enough is free; even and odd devices apart.
                    if xor(
                        and(
                            and(
                                sub(or(and(machine, EVEN_DEVICES), GUARDS), and(need, EVEN_DEVICES)),
                                sub(or(and(shr(10, machine), EVEN_DEVICES), GUARDS), and(shr(10, need), EVEN_DEVICES))
                            ),
                            GUARDS
                        ),
                        GUARDS
                    ) {
                        reason := 5 // MachineCapacity
                        break
                    }
                }

                let cpuMilli := and(shr(104, record), 0xffffff)
                let memoryMib := and(shr(80, record), 0xffffff)
                let storageGib := and(shr(56, record), 0xffffff)
                if or(
                    or(gt(cpuMilli, and(shr(100, machine), 0xfffff)), gt(memoryMib, and(shr(120, machine), 0xffffff))),
                    gt(storageGib, and(shr(80, machine), 0xfffff))
                ) {
                    reason := 5 // MachineCapacity
                    break
                }

                // The price of a bid is the order contract's to check.
                if iszero(and(record, 0x4000000000000)) {
                    let offerSlot := add(slot, add(2, and(shr(48, record), 3)))
                    let offer := sload(offerSlot)
                    // The terms of `round` are the newest unless those came later; then the previous ones held.
                    if gt(shr(224, offer), round) { offer := sload(add(offerSlot, OFFERS_PER_MACHINE)) }
                    if or(iszero(and(offer, 0xffff00000000)), and(xor(offer, record), 0xffff00000000)) {
                        reason := 6 // OfferMissing
                        break
                    }
                    // Each of the four terms rounds down.
                    let price := div(mul(milliGpu, and(shr(134, offer), 0xfffffffff)), 1000)
                    price := add(price, div(mul(cpuMilli, and(shr(104, offer), 0x3fffffff)), 1000))
                    price := add(price, shr(10, mul(memoryMib, and(shr(78, offer), 0x3ffffff))))
                    price := add(price, shr(10, mul(storageGib, and(shr(48, offer), 0x3fffffff))))
                    if xor(price, and(shr(152, record), 0xffffffffff)) {
                        reason := 7 // OfferPrice
                        break
                    }
                }

                need := or(or(need, shl(120, memoryMib)), or(shl(100, cpuMilli), shl(80, storageGib)))
                sstore(slot, sub(machine, need))
                break
            }
        }
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

    /// A batch of the open round may still reserve on a machine that is active in it.
    function _requireInactive(uint32 machineId, MachineWord machine) private view {
        uint256 open = uint256(_MATCH_POLICY.fromRoundNow()) - 1;
        if (machine.isActiveIn(open)) revert MachineStillActive(machineId, uint32(machine.activeUntilRound()));
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

    /// Puts what a machine of `spec` needs in the place of `oldRequired`; the stake must cover a total that rises.
    function _moveRequiredStake(uint24 providerId, uint256 oldRequired, MachineSpec calldata spec, uint256 addedMachines)
        private
        returns (uint256 required)
    {
        required = _STAKING_MANAGER.requirementOf(spec.deviceCount, spec.cpuMilli);
        ProviderOwnerWord owner = _owner(providerId);
        uint256 total = owner.requiredStakeWhole() - oldRequired + required;
        uint256 stakeWhole = _provider(providerId).stakeWhole();
        if (required > oldRequired && stakeWhole < total) revert InsufficientStake(stakeWhole, total);
        Slots.store(
            Slots.providerOwner(providerId),
            ProviderOwnerWord.unwrap(ProviderOwnerWordLib.encode(owner.owner(), total, owner.machineCount() + addedMachines))
        );
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
