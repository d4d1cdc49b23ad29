// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { MachineSpec, OfferTerms, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { MachineTotalsWord } from "../../src/words/MachineTotalsWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord } from "../../src/words/OfferWord.sol";
import { ProviderSteps } from "./ProviderSteps.sol";

/// @notice Providers' machines and offers.
abstract contract MachineSteps is ProviderSteps {
    uint32 internal constant MOST_MACHINES = 6;

    uint32 internal machines;
    mapping(uint32 machineId => uint24) internal machineProvider;
    mapping(uint32 machineId => uint256) internal machineWhole;
    /// Requirement of a device, a core and a machine, as governance set them.
    uint256 internal wholePerDevice = 100;
    uint256 internal wholePerCore = 1;
    uint256 internal wholePerMachine = 10;

    function _machineStep() internal {
        uint256 kind = _draw(16);
        if (kind < 3) _registerSomeMachine();
        else if (kind < 6) _activateSomeMachine();
        else if (kind == 6) _deactivateMachine();
        else if (kind < 12) _setSomeOffer();
        else if (kind == 12) _withdrawOffer();
        else if (kind == 13) _growMachine();
        else if (kind == 14) _reconfigureMachine();
        else _retireMachine();
    }

    function _anyMachine() internal returns (uint32) {
        return machines == 0 || _one(40) ? machines + 1 : uint32(1 + _draw(machines));
    }

    function _machineWords(uint32 machineId) internal view returns (MachineWord machine, MachineTotalsWord totals) {
        (bytes32 m0, bytes32 m1) = providerRegistry.machineWords(machineId);
        return (MachineWord.wrap(uint256(m0)), MachineTotalsWord.wrap(uint256(m1)));
    }

    function _needWhole(MachineSpec memory spec) private view returns (uint256 whole) {
        uint256 cores = uint256(spec.cpuMilli) * wholePerCore;
        whole = spec.deviceCount * wholePerDevice + cores / 1000 + (cores % 1000 == 0 ? 0 : 1);
        if (whole < wholePerMachine) whole = wholePerMachine;
    }

    function _registerSomeMachine() private {
        if (machines >= MOST_MACHINES) return;
        uint24 providerId = _anyProvider();
        _registerMachine(providerId, _callerFor(providerId), _one(16) ? 9 : _one(4) ? 0 : 1 + _draw(8));
    }

    function _registerMachine(uint24 providerId, address caller, uint256 devices) internal {
        MachineSpec memory spec = _machineSpec();
        (spec.model, spec.deviceCount) = (devices == 0 ? 0 : 7, uint8(devices));
        spec.region = uint16(3 + _draw(2));
        uint256 whole = _needWhole(spec);
        _expectGoodStanding(providerId, caller);
        _refuse(spec.deviceCount > 8, IProviderRegistry.FieldOutOfBounds.selector);
        _expectStakeFor(providerId, 0, whole);
        (bool done, bytes memory result) =
            _call(caller, address(providerRegistry), abi.encodeCall(IProviderRegistry.registerMachine, (providerId, spec)));
        if (!done) return;
        uint32 machineId = abi.decode(result, (uint32));
        _require(machineId == ++machines, "machine ids count up", machineId, machines);
        machineProvider[machineId] = providerId;
        _bookRequirement(machineId, whole);
    }

    /// Own stake covers the total with `whole` in the place of `before`; asked only when more is needed.
    function _expectStakeFor(uint24 providerId, uint256 before, uint256 whole) private {
        if (whole <= before) return;
        uint256 total = providerBooks[providerId].machinesWhole - before + whole;
        if (total < minimumWhole) total = minimumWhole;
        _refuse(providerBooks[providerId].own / 1 ether < total, IProviderRegistry.InsufficientStake.selector);
    }

    function _bookRequirement(uint32 machineId, uint256 whole) private {
        providerBooks[machineProvider[machineId]].machinesWhole += whole;
        providerBooks[machineProvider[machineId]].machinesWhole -= machineWhole[machineId];
        machineWhole[machineId] = whole;
    }

    /// The machine exists and is the caller's.
    function _expectMachineOwner(uint32 machineId, address caller) private {
        uint24 providerId = machineProvider[machineId];
        _refuse(providerId == 0, IProviderRegistry.MachineNotFound.selector);
        if (providerId != 0) _expectOwner(providerId, caller);
    }

    /// The same, and the provider is in good standing.
    function _expectOwnMachine(uint32 machineId, address caller) private {
        _expectMachineOwner(machineId, caller);
        bool out = providerBooks[machineProvider[machineId]].status >= ProviderStatus.Suspended;
        _refuse(out, IProviderRegistry.StatusNotAllowed.selector);
    }

    function _activateSomeMachine() private {
        uint32 machineId = _anyMachine();
        for (uint32 i = 1; i <= machines && !_one(8); ++i) {
            (MachineWord machine,) = _machineWords(i);
            if (machine.activeUntilRound() != NO_ROUND) machineId = i;
        }
        _activateMachine(machineId, _callerFor(machineProvider[machineId]));
    }

    function _activateMachine(uint32 machineId, address caller) internal {
        (MachineWord machine,) = _machineWords(machineId);
        _expectOwnMachine(machineId, caller);
        bool active = machineProvider[machineId] != 0 && machine.activeUntilRound() == NO_ROUND;
        _refuse(active, IProviderRegistry.MachineAlreadyActive.selector);
        _call(caller, address(providerRegistry), abi.encodeCall(IProviderRegistry.activateMachine, (machineId)));
    }

    function _deactivateMachine() private {
        uint32 machineId = _anyMachine();
        address caller = _callerFor(machineProvider[machineId]);
        (MachineWord machine,) = _machineWords(machineId);
        _expectMachineOwner(machineId, caller);
        bool active = machine.activeUntilRound() == NO_ROUND;
        _refuse(machineProvider[machineId] != 0 && !active, IProviderRegistry.MachineAlreadyInactive.selector);
        _call(caller, address(providerRegistry), abi.encodeCall(IProviderRegistry.deactivateMachine, (machineId)));
    }

    function _setSomeOffer() private {
        uint32 machineId = _anyMachine();
        uint16 tokenId = uint16(_draw(TOKENS + 2));
        // Mostly each token at its own place.
        uint8 offerIndex = uint8(_one(6) || tokenId == 0 ? _draw(5) : tokenId - 1);
        _setOffer(machineId, _callerFor(machineProvider[machineId]), offerIndex, tokenId);
    }

    function _setOffer(uint32 machineId, address caller, uint8 offerIndex, uint16 tokenId) internal {
        OfferTerms memory terms = _offer();
        terms.tokenId = tokenId;
        terms.gpuMicroPerHour = uint40(_draw(4_000_000));
        terms.coreMicroPerHour = uint32(_draw(80_000));
        if (_one(60)) terms.storageTibMicroPerHour = 1 << 30;
        _expectOwnMachine(machineId, caller);
        _refuse(offerIndex > 3, IProviderRegistry.OfferIndexInvalid.selector);
        _refuse(terms.storageTibMicroPerHour >= 1 << 30, IProviderRegistry.FieldOutOfBounds.selector);
        _refuse(!tokenRegistry.isApproved(terms.tokenId), IProviderRegistry.TokenNotAccepted.selector);
        for (uint8 i; i < 4; ++i) {
            (bytes32 other,) = providerRegistry.offerWords(machineId, i);
            bool taken = i != offerIndex && machineProvider[machineId] != 0 && OfferWord.wrap(uint256(other)).tokenId() == terms.tokenId;
            _refuse(taken, IProviderRegistry.TokenAlreadyOffered.selector);
        }
        _call(caller, address(providerRegistry), abi.encodeCall(IProviderRegistry.setOffer, (machineId, offerIndex, terms)));
    }

    function _withdrawOffer() private {
        uint32 machineId = _anyMachine();
        address caller = _callerFor(machineProvider[machineId]);
        uint8 offerIndex = uint8(_draw(4));
        (bytes32 newest,) = providerRegistry.offerWords(machineId, offerIndex);
        _expectOwnMachine(machineId, caller);
        bool none = OfferWord.wrap(uint256(newest)).tokenId() == 0;
        _refuse(machineProvider[machineId] != 0 && none, IProviderRegistry.OfferNotFound.selector);
        _call(caller, address(providerRegistry), abi.encodeCall(IProviderRegistry.withdrawOffer, (machineId, offerIndex)));
    }

    function _growMachine() private {
        uint32 machineId = _anyMachine();
        address caller = _callerFor(machineProvider[machineId]);
        MachineSpec memory spec = _specOf(machineId);
        bool lower = _one(8) && spec.cpuMilli > 1;
        spec.cpuMilli = lower ? spec.cpuMilli - 1 : spec.cpuMilli + uint24(_draw(2000));
        spec.memoryMib += uint24(_draw(2000));
        if (spec.cpuMilli == 0) spec.cpuMilli = 1;
        if (spec.deviceCount != 0 && spec.deviceCount < 8 && _one(2)) ++spec.deviceCount;
        uint256 whole = _needWhole(spec);
        _expectOwnMachine(machineId, caller);
        _refuse(lower, IProviderRegistry.CapacityLowered.selector);
        _expectStakeFor(machineProvider[machineId], machineWhole[machineId], whole);
        (bool done,) = _call(caller, address(providerRegistry), abi.encodeCall(IProviderRegistry.growMachine, (machineId, spec)));
        if (done) _bookRequirement(machineId, whole);
    }

    function _specOf(uint32 machineId) private view returns (MachineSpec memory spec) {
        (MachineWord machine, MachineTotalsWord totals) = _machineWords(machineId);
        return MachineSpec({
            model: uint16(machine.model()),
            region: uint16(machine.region()),
            cpuMilli: uint24(totals.cpuMilli()),
            memoryMib: uint24(totals.memoryMib()),
            storageGib: uint24(totals.storageGib()),
            deviceCount: uint8(totals.deviceCount())
        });
    }

    /// Any new size on a machine that is inactive in the open round, never below what leases hold.
    function _reconfigureMachine() private {
        uint32 machineId = _anyMachine();
        address caller = _callerFor(machineProvider[machineId]);
        MachineSpec memory spec = _machineSpec();
        (spec.cpuMilli, spec.memoryMib) = (uint24(1 + _draw(80_000)), uint24(_draw(300_000)));
        spec.deviceCount = uint8(_draw(9));
        spec.model = spec.deviceCount == 0 ? 0 : uint16(7 + _draw(2));
        uint256 whole = _needWhole(spec);
        _expectOwnMachine(machineId, caller);
        if (machineProvider[machineId] != 0) {
            _expectInactive(machineId);
            _refuse(_cuts(machineId, spec), IProviderRegistry.CapacityInUse.selector);
            _expectStakeFor(machineProvider[machineId], machineWhole[machineId], whole);
        }
        (bool done,) = _call(caller, address(providerRegistry), abi.encodeCall(IProviderRegistry.reconfigureMachine, (machineId, spec)));
        if (done) _bookRequirement(machineId, whole);
    }

    function _expectInactive(uint32 machineId) private {
        (MachineWord machine,) = _machineWords(machineId);
        _refuse(machine.isActiveIn(uint256(matchPolicy.fromRoundNow()) - 1), IProviderRegistry.MachineStillActive.selector);
    }

    /// Whether the new size would take from a lease, or turn what it has into something else.
    function _cuts(uint32 machineId, MachineSpec memory spec) private view returns (bool) {
        (MachineWord machine, MachineTotalsWord totals) = _machineWords(machineId);
        uint256 usedCpu = totals.cpuMilli() - machine.freeCpuMilli();
        if (usedCpu != 0 && (spec.model != machine.model() || spec.region != machine.region())) return true;
        if (spec.cpuMilli < usedCpu || spec.memoryMib < totals.memoryMib() - machine.freeMemoryMib()) return true;
        if (spec.storageGib < totals.storageGib() - machine.freeStorageGib()) return true;
        for (uint256 device = spec.deviceCount; device < totals.deviceCount(); ++device) {
            if (machine.freeMilliGpu(device) != 1000) return true;
        }
        return false;
    }

    function _retireMachine() private {
        uint32 machineId = _anyMachine();
        if (!_one(3)) return;
        uint24 providerId = machineProvider[machineId];
        address caller = _callerFor(providerId);
        _expectMachineOwner(machineId, caller);
        if (providerId != 0) {
            _refuse(providerBooks[providerId].status == ProviderStatus.Suspended, IProviderRegistry.StatusNotAllowed.selector);
            _expectInactive(machineId);
            (MachineWord machine, MachineTotalsWord totals) = _machineWords(machineId);
            _refuse(machine.freeCpuMilli() != totals.cpuMilli(), IProviderRegistry.CapacityInUse.selector);
        }
        (bool done,) = _call(caller, address(providerRegistry), abi.encodeCall(IProviderRegistry.retireMachine, (machineId)));
        if (done) _bookRequirement(machineId, 0);
    }
}
