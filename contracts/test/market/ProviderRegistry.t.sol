// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { MachineSpec, OfferTerms, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { MachineTotalsWord } from "../../src/words/MachineTotalsWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord } from "../../src/words/OfferWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { RegistryFixture } from "./RegistryFixture.sol";

contract ProviderRegistryTest is RegistryFixture {
    uint32 private constant NONE = type(uint32).max;

    uint24 private providerId;

    function setUp() public override {
        super.setUp();
        providerId = _provider(owner, 10_000);
    }

    /// EIP-170. A chain refuses what is larger, a test's chain need not.
    function test_CodeFitsTheLimit() public view {
        assertLe(address(registry).code.length, 24_576);
    }

    // ---- machines

    function test_NewMachineIsFreeAndInactive() public {
        uint32 next = matchPolicy.fromRoundNow();
        vm.expectEmit(address(registry));
        emit IProviderRegistry.MachineRegistered(1, providerId, _spec(3));
        vm.prank(owner);
        uint32 machineId = registry.registerMachine(providerId, _spec(3));
        MachineWord machine = _m0(machineId);
        assertEq(machine.activeFromRound(), next);
        assertEq(machine.activeUntilRound(), next);
        assertEq(machine.providerId(), providerId);
        assertEq(machine.model(), 7);
        assertEq(machine.region(), 33);
        assertEq(machine.offersWritten(), 0);
        assertEq(machine.freeCpuMilli(), 64_000);
        assertEq(machine.freeMemoryMib(), 262_144);
        assertEq(machine.freeStorageGib(), 4096);
        for (uint256 device; device < 8; ++device) {
            assertEq(machine.freeMilliGpu(device), device < 3 ? 1000 : 0);
        }
        MachineTotalsWord totals = _m1(machineId);
        assertEq(totals.deviceCount(), 3);
        assertEq(totals.cpuMilli(), 64_000);
        assertEq(totals.requiredStakeWhole(), 364);
        assertEq(totals.registeredAt(), block.timestamp);
        assertEq(registry.requiredStakeWhole(providerId), 364);
        (uint32 machines,) = registry.counts();
        assertEq(machines, 1);
    }

    function test_RevertIf_MachineIsOutOfBounds() public {
        vm.startPrank(owner);
        MachineSpec memory spec = _spec(1);
        spec.model = 1024;
        _assertMachineInvalid(spec, "model");
        spec = _spec(1);
        spec.model = 0;
        _assertMachineInvalid(spec, "model");
        spec = _spec(0);
        spec.model = 1;
        _assertMachineInvalid(spec, "model");
        spec = _spec(1);
        spec.region = 1024;
        _assertMachineInvalid(spec, "region");
        spec = _spec(1);
        spec.cpuMilli = 0;
        _assertMachineInvalid(spec, "cpuMilli");
        spec.cpuMilli = 1 << 20;
        _assertMachineInvalid(spec, "cpuMilli");
        spec = _spec(1);
        spec.storageGib = 1 << 20;
        _assertMachineInvalid(spec, "storageGib");
        _assertMachineInvalid(_spec(9), "deviceCount");
    }

    function test_RevertIf_OwnStakeIsShort() public {
        uint24 poor = _register(stranger);
        // What others delegate covers nothing.
        stakes.set(poor, 163, 1000);
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.InsufficientStake.selector, 163, 164));
        registry.registerMachine(poor, _spec(1));
        vm.stopPrank();
        stakes.set(poor, 164, 0);
        vm.startPrank(stranger);
        registry.registerMachine(poor, _spec(1));
        // The second machine counts on top of the first.
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.InsufficientStake.selector, 164, 228));
        registry.registerMachine(poor, _spec(0));
        MachineSpec memory larger = _spec(1);
        larger.cpuMilli += 1;
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.InsufficientStake.selector, 164, 165));
        registry.growMachine(1, larger);
    }

    function test_RevertIf_OwnStakeCoversTheMachineButNotTheMinimum() public {
        uint24 poor = _register(stranger);
        stakes.setMinimum(500);
        stakes.set(poor, 499, 0);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.InsufficientStake.selector, 499, 500));
        registry.registerMachine(poor, _spec(1));
        stakes.set(poor, 500, 0);
        vm.prank(stranger);
        registry.registerMachine(poor, _spec(1));
        assertEq(registry.machinesStakeWhole(poor), 164);
        assertEq(registry.requiredStakeWhole(poor), 500);
    }

    function test_RevertIf_TheSumWouldLeaveItsBits() public {
        stakes.setPerDevice(type(uint32).max);
        // A machine of eight devices now needs a little more than 2^35, so 31 of them fit 40 bits.
        stakes.set(providerId, type(uint128).max, 0);
        vm.startPrank(owner);
        for (uint256 i; i < 31; ++i) {
            registry.registerMachine(providerId, _spec(8));
        }
        _expectFieldOutOfBounds("requiredStakeWhole");
        registry.registerMachine(providerId, _spec(8));
        assertEq(registry.providerOwner(providerId), owner);
    }

    function test_ActivationHoldsFromTheNextRound() public {
        uint32 machineId = _registered(1);
        uint32 open = matchPolicy.openRound();
        vm.startPrank(owner);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.MachineActivated(machineId, open + 1);
        registry.activateMachine(machineId);
        assertFalse(_m0(machineId).isActiveIn(open));
        assertTrue(_m0(machineId).isActiveIn(open + 1));
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.MachineAlreadyActive.selector, machineId));
        registry.activateMachine(machineId);
    }

    function test_DeactivationTakenBackInTheSameSpanRestoresTheInterval() public {
        uint32 machineId = _machine(providerId, 1);
        uint256 from = _m0(machineId).activeFromRound();
        _openRound(6);
        uint256 before = MachineWord.unwrap(_m0(machineId));
        vm.startPrank(owner);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.MachineDeactivated(machineId, 7);
        registry.deactivateMachine(machineId);
        assertTrue(_m0(machineId).isActiveIn(6));
        assertFalse(_m0(machineId).isActiveIn(7));
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.MachineAlreadyInactive.selector, machineId));
        registry.deactivateMachine(machineId);
        vm.roll(matchPolicy.snapshotBlock(7));
        vm.expectEmit(address(registry));
        emit IProviderRegistry.MachineActivated(machineId, uint32(from));
        registry.activateMachine(machineId);
        assertEq(MachineWord.unwrap(_m0(machineId)), before);
    }

    function test_ActivationIsNeverBeforeTheEndOfACoolDown() public {
        uint32 machineId = _machine(providerId, 1);
        _openRound(6);
        _bench(machineId, 6, 17);
        vm.startPrank(owner);
        registry.deactivateMachine(machineId);
        registry.activateMachine(machineId);
        assertEq(_m0(machineId).activeFromRound(), 17);
        registry.deactivateMachine(machineId);
        _openRound(9);
        registry.activateMachine(machineId);
        assertEq(_m0(machineId).activeFromRound(), 17);
        assertEq(_m0(machineId).activeUntilRound(), NONE);
        registry.deactivateMachine(machineId);
        _openRound(30);
        registry.activateMachine(machineId);
        assertEq(_m0(machineId).activeFromRound(), 31);
    }

    function test_GrowRaisesFreeCapacityOfAnActiveMachine() public {
        uint32 machineId = _machine(providerId, 2);
        _openRound(6);
        _take(machineId, 6, 8000, 400, 1);
        MachineSpec memory larger = _spec(3);
        larger.cpuMilli += 1000;
        larger.memoryMib += 10;
        larger.storageGib += 1;
        vm.expectEmit(address(registry));
        emit IProviderRegistry.MachineReconfigured(machineId, larger);
        vm.prank(owner);
        registry.growMachine(machineId, larger);
        MachineWord machine = _m0(machineId);
        assertTrue(machine.isActiveIn(6));
        assertEq(machine.freeCpuMilli(), 64_000 + 1000 - 8000);
        assertEq(machine.freeMemoryMib(), 262_144 + 10);
        assertEq(machine.freeStorageGib(), 4096 + 1);
        assertEq(machine.freeMilliGpu(0), 600);
        assertEq(machine.freeMilliGpu(1), 1000);
        assertEq(machine.freeMilliGpu(2), 1000);
        assertEq(machine.freeMilliGpu(3), 0);
        assertEq(registry.requiredStakeWhole(providerId), 365);
        assertEq(_m1(machineId).requiredStakeWhole(), 365);
    }

    function test_RevertIf_GrowLowersOrChanges() public {
        uint32 machineId = _registered(2);
        vm.startPrank(owner);
        MachineSpec memory spec = _spec(2);
        spec.cpuMilli -= 1;
        _expectCapacityLowered(machineId, "cpuMilli");
        registry.growMachine(machineId, spec);
        spec = _spec(2);
        spec.memoryMib -= 1;
        _expectCapacityLowered(machineId, "memoryMib");
        registry.growMachine(machineId, spec);
        spec = _spec(2);
        spec.storageGib -= 1;
        _expectCapacityLowered(machineId, "storageGib");
        registry.growMachine(machineId, spec);
        _expectCapacityLowered(machineId, "deviceCount");
        registry.growMachine(machineId, _spec(1));
        spec = _spec(2);
        spec.model = 8;
        _expectFieldOutOfBounds("model");
        registry.growMachine(machineId, spec);
        spec = _spec(2);
        spec.region = 34;
        _expectFieldOutOfBounds("region");
        registry.growMachine(machineId, spec);
        _expectFieldOutOfBounds("deviceCount");
        registry.growMachine(machineId, _spec(9));
    }

    function test_ReconfigureKeepsWhatIsLeased() public {
        uint32 machineId = _machine(providerId, 3);
        _openRound(6);
        _take(machineId, 6, 8000, 400, 2);
        _deactivateAndWait(machineId, 8);
        MachineSpec memory spec = _spec(2);
        (spec.cpuMilli, spec.memoryMib, spec.storageGib) = (8000, 100, 7);
        vm.prank(owner);
        registry.reconfigureMachine(machineId, spec);
        MachineWord machine = _m0(machineId);
        assertEq(machine.freeCpuMilli(), 0);
        assertEq(machine.freeMemoryMib(), 100);
        assertEq(machine.freeStorageGib(), 7);
        assertEq(machine.freeMilliGpu(0), 1000);
        assertEq(machine.freeMilliGpu(1), 600);
        assertEq(machine.freeMilliGpu(2), 0);
        assertEq(registry.requiredStakeWhole(providerId), 208);
        // Capacity that comes back fills the new totals, not the old ones.
        RecordFields memory record;
        (record.machineId, record.cpuMilli, record.milliGpu, record.deviceMask) = (machineId, 8000, 400, 2);
        vm.prank(computeLease);
        registry.release(bytes32(RecordWord.unwrap(RecordWordLib.encode(record))));
        assertEq(_m0(machineId).freeCpuMilli(), 8000);
        assertEq(_m0(machineId).freeMilliGpu(1), 1000);
    }

    function test_ReconfigureChangesModelAndRegionOfAnUnusedMachine() public {
        uint32 machineId = _registered(2);
        MachineSpec memory spec = _spec(0);
        spec.region = 900;
        vm.prank(owner);
        registry.reconfigureMachine(machineId, spec);
        assertEq(_m0(machineId).model(), 0);
        assertEq(_m0(machineId).region(), 900);
        assertEq(MachineWord.unwrap(_m0(machineId)) & type(uint80).max, 0);
        spec = _spec(8);
        spec.model = 1023;
        vm.prank(owner);
        registry.reconfigureMachine(machineId, spec);
        assertEq(_m0(machineId).model(), 1023);
        for (uint256 device; device < 8; ++device) {
            assertEq(_m0(machineId).freeMilliGpu(device), 1000);
        }
    }

    function test_ReconfigureDownNeedsNoMoreStakeThanThereIs() public {
        uint32 machineId = _registered(2);
        stakes.setPerDevice(WHOLE_PER_DEVICE * 100);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.InsufficientStake.selector, 10_000, 10_064));
        registry.reconfigureMachine(machineId, _spec(1));
        registry.reconfigureMachine(machineId, _spec(0));
        assertEq(registry.requiredStakeWhole(providerId), 64);
        vm.stopPrank();
        // Stake that fell below the requirement keeps nobody from needing less.
        stakes.set(providerId, 1, 0);
        MachineSpec memory smaller = _spec(0);
        smaller.cpuMilli = 30_000;
        vm.prank(owner);
        registry.reconfigureMachine(machineId, smaller);
        assertEq(registry.requiredStakeWhole(providerId), 30);
    }

    function test_RevertIf_ReconfigureTakesWhatIsLeased() public {
        uint32 machineId = _machine(providerId, 3);
        _openRound(6);
        _take(machineId, 6, 8000, 400, 4);
        _deactivateAndWait(machineId, 8);
        vm.startPrank(owner);
        MachineSpec memory spec = _spec(3);
        spec.cpuMilli = 7999;
        _expectCapacityInUse(machineId, "cpuMilli");
        registry.reconfigureMachine(machineId, spec);
        _expectCapacityInUse(machineId, "deviceCount");
        registry.reconfigureMachine(machineId, _spec(2));
        spec = _spec(3);
        spec.model = 8;
        _expectCapacityInUse(machineId, "model");
        registry.reconfigureMachine(machineId, spec);
        spec = _spec(3);
        spec.region = 34;
        _expectCapacityInUse(machineId, "region");
        registry.reconfigureMachine(machineId, spec);
        _expectCapacityInUse(machineId, "cpuMilli");
        registry.retireMachine(machineId);
    }

    function test_RevertIf_ReconfigureTakesLeasedMemoryOrStorage() public {
        uint32 machineId = _machine(providerId, 0);
        _openRound(6);
        RecordFields memory record;
        (record.machineId, record.providerId, record.fromBid) = (machineId, providerId, true);
        (record.cpuMilli, record.memoryMib, record.storageGib) = (1, 5000, 60);
        vm.prank(settlement);
        registry.reserve(abi.encodePacked(RecordWord.unwrap(RecordWordLib.encode(record))), 6, 17);
        _deactivateAndWait(machineId, 8);
        vm.startPrank(owner);
        MachineSpec memory spec = _spec(0);
        spec.memoryMib = 4999;
        _expectCapacityInUse(machineId, "memoryMib");
        registry.reconfigureMachine(machineId, spec);
        spec = _spec(0);
        spec.storageGib = 59;
        _expectCapacityInUse(machineId, "storageGib");
        registry.reconfigureMachine(machineId, spec);
    }

    function test_RevertIf_MachineIsActiveInTheOpenRound() public {
        uint32 machineId = _machine(providerId, 2);
        _openRound(6);
        vm.startPrank(owner);
        bytes memory stillActive = abi.encodeWithSelector(IProviderRegistry.MachineStillActive.selector, machineId, NONE);
        vm.expectRevert(stillActive);
        registry.reconfigureMachine(machineId, _spec(1));
        vm.expectRevert(stillActive);
        registry.retireMachine(machineId);
        registry.deactivateMachine(machineId);
        vm.roll(matchPolicy.snapshotBlock(7));
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.MachineStillActive.selector, machineId, 7));
        registry.reconfigureMachine(machineId, _spec(1));
        vm.roll(block.number + 1);
        registry.reconfigureMachine(machineId, _spec(1));
    }

    function test_RetireTakesAllCapacityAndFreesTheStake() public {
        uint32 machineId = _machine(providerId, 2);
        _registered(1);
        _openRound(6);
        _deactivateAndWait(machineId, 8);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.MachineRetired(machineId);
        vm.prank(owner);
        registry.retireMachine(machineId);
        assertEq(MachineWord.unwrap(_m0(machineId)) & type(uint144).max, 0);
        assertEq(_m0(machineId).model(), 0);
        assertEq(_m0(machineId).providerId(), providerId, "the word never goes back to zero");
        assertEq(_m0(machineId).offersWritten(), 1);
        assertEq(_m1(machineId).cpuMilli(), 0);
        assertEq(registry.requiredStakeWhole(providerId), 164, "the other machine's stays");
    }

    function test_StandingDecidesWhatAnOwnerMayDo() public {
        uint32 machineId = _machine(providerId, 2);
        _openRound(6);
        registry.setProviderStatus(providerId, ProviderStatus.Suspended);
        bytes memory suspended = abi.encodeWithSelector(IProviderRegistry.StatusNotAllowed.selector, ProviderStatus.Suspended);
        vm.startPrank(owner);
        vm.expectRevert(suspended);
        registry.registerMachine(providerId, _spec(1));
        vm.expectRevert(suspended);
        registry.growMachine(machineId, _spec(3));
        vm.expectRevert(suspended);
        registry.setOffer(machineId, 0, _terms());
        vm.expectRevert(suspended);
        registry.setHostUri(providerId, "https://other.example");
        registry.deactivateMachine(machineId);
        vm.expectRevert(suspended);
        registry.activateMachine(machineId);
        _openRound(8);
        vm.expectRevert(suspended);
        registry.retireMachine(machineId);
        vm.stopPrank();
        registry.setProviderStatus(providerId, ProviderStatus.Deactivated);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StatusNotAllowed.selector, ProviderStatus.Deactivated));
        registry.activateMachine(machineId);
        registry.retireMachine(machineId);
        assertEq(registry.machinesStakeWhole(providerId), 0);
        assertEq(registry.requiredStakeWhole(providerId), WHOLE_PER_PROVIDER);
    }

    function test_RevertIf_CallerIsNotTheOwner() public {
        uint32 machineId = _machine(providerId, 2);
        bytes memory notOwner = abi.encodeWithSelector(IProviderRegistry.NotProviderOwner.selector, providerId, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(notOwner);
        registry.registerMachine(providerId, _spec(1));
        vm.expectRevert(notOwner);
        registry.activateMachine(machineId);
        vm.expectRevert(notOwner);
        registry.deactivateMachine(machineId);
        vm.expectRevert(notOwner);
        registry.growMachine(machineId, _spec(3));
        vm.expectRevert(notOwner);
        registry.reconfigureMachine(machineId, _spec(3));
        vm.expectRevert(notOwner);
        registry.retireMachine(machineId);
        vm.expectRevert(notOwner);
        registry.setOffer(machineId, 0, _terms());
        vm.expectRevert(notOwner);
        registry.withdrawOffer(machineId, 0);
    }

    function test_RevertIf_MachineIsUnknown() public {
        bytes memory notFound = abi.encodeWithSelector(IProviderRegistry.MachineNotFound.selector, 9);
        vm.startPrank(owner);
        vm.expectRevert(notFound);
        registry.activateMachine(9);
        vm.expectRevert(notFound);
        registry.deactivateMachine(9);
        vm.expectRevert(notFound);
        registry.retireMachine(9);
        vm.expectRevert(notFound);
        registry.setOffer(9, 0, _terms());
        vm.stopPrank();
        vm.prank(computeLease);
        vm.expectRevert(notFound);
        registry.release(bytes32(uint256(9) << 192));
    }

    // ---- offers

    function test_OfferHoldsFromTheNextRoundAndIsMarkedAsWritten() public {
        uint32 machineId = _registered(1);
        uint32 next = matchPolicy.fromRoundNow();
        vm.expectEmit(address(registry));
        emit IProviderRegistry.OfferUpdated(machineId, 3, next, _terms());
        vm.prank(owner);
        registry.setOffer(machineId, 3, _terms());
        (bytes32 newest, bytes32 previous) = registry.offerWords(machineId, 3);
        OfferWord offer = OfferWord.wrap(uint256(newest));
        assertEq(offer.fromRound(), next);
        assertEq(offer.gpuMicroPerHour(), 2_000_000);
        assertEq(offer.coreMicroPerHour(), 30_000);
        assertEq(offer.memoryGibMicroPerHour(), 4000);
        assertEq(offer.storageTibMicroPerHour(), 50_000);
        assertEq(offer.tokenId(), tokenId);
        assertEq(previous, 0);
        assertEq(_m0(machineId).offersWritten(), 8);
    }

    function test_PreviousTermsMoveOncePerSpan() public {
        uint32 machineId = _registered(1);
        OfferTerms memory terms = _terms();
        vm.startPrank(owner);
        registry.setOffer(machineId, 0, terms);
        (bytes32 first,) = registry.offerWords(machineId, 0);
        _openRound(6);
        terms.coreMicroPerHour = 2;
        registry.setOffer(machineId, 0, terms);
        terms.coreMicroPerHour = 3;
        registry.setOffer(machineId, 0, terms);
        (bytes32 newest, bytes32 previous) = registry.offerWords(machineId, 0);
        assertEq(previous, first);
        assertEq(OfferWord.wrap(uint256(newest)).coreMicroPerHour(), 3);
        vm.roll(matchPolicy.snapshotBlock(7) + 1);
        registry.withdrawOffer(machineId, 0);
        (, previous) = registry.offerWords(machineId, 0);
        assertEq(previous, newest);
    }

    function test_WithdrawnOfferHasNoTokenAndFreesIt() public {
        uint32 machineId = _machine(providerId, 1);
        uint32 next = matchPolicy.fromRoundNow();
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.TokenAlreadyOffered.selector, machineId, tokenId, 0));
        registry.setOffer(machineId, 1, _terms());
        vm.expectEmit(address(registry));
        emit IProviderRegistry.OfferWithdrawn(machineId, 0, next);
        registry.withdrawOffer(machineId, 0);
        (bytes32 newest,) = registry.offerWords(machineId, 0);
        assertEq(uint256(newest), uint256(next) << 224);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.OfferNotFound.selector, machineId, 0));
        registry.withdrawOffer(machineId, 0);
        registry.setOffer(machineId, 1, _terms());
        assertEq(_m0(machineId).offersWritten(), 3);
    }

    function test_RevertIf_OfferIsWrong() public {
        uint32 machineId = _registered(1);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.OfferIndexInvalid.selector, 4));
        registry.setOffer(machineId, 4, _terms());
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.OfferIndexInvalid.selector, 4));
        registry.withdrawOffer(machineId, 4);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.OfferIndexInvalid.selector, 4));
        registry.offerWords(machineId, 4);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.OfferNotFound.selector, machineId, 0));
        registry.withdrawOffer(machineId, 0);
        OfferTerms memory terms = _terms();
        terms.gpuMicroPerHour = 1 << 36;
        _assertOfferInvalid(machineId, terms, "gpuMicroPerHour");
        terms = _terms();
        terms.coreMicroPerHour = 1 << 30;
        _assertOfferInvalid(machineId, terms, "coreMicroPerHour");
        terms = _terms();
        terms.memoryGibMicroPerHour = 1 << 26;
        _assertOfferInvalid(machineId, terms, "memoryGibMicroPerHour");
        terms = _terms();
        terms.storageTibMicroPerHour = 1 << 30;
        _assertOfferInvalid(machineId, terms, "storageTibMicroPerHour");
        terms = _terms();
        terms.tokenId = 0;
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.TokenNotAccepted.selector, 0));
        registry.setOffer(machineId, 0, terms);
        vm.stopPrank();
        tokenRegistry.revokeToken(tokenId);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.TokenNotAccepted.selector, tokenId));
        registry.setOffer(machineId, 0, _terms());
    }

    function test_SeveralCallsInOneTransaction() public {
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(registry.registerMachine, (providerId, _spec(1)));
        calls[1] = abi.encodeCall(registry.setOffer, (1, 0, _terms()));
        calls[2] = abi.encodeCall(registry.activateMachine, (1));
        uint256 folded = uint48(uint256(registry.factsWord()));
        vm.prank(owner);
        registry.multicall(calls);
        assertEq(_m0(1).activeUntilRound(), NONE);
        assertEq(uint48(uint256(registry.factsWord())), folded + 4, "machine, offer, its mark, activation");
    }

    // ----

    function _registered(uint8 deviceCount) private returns (uint32 machineId) {
        vm.prank(owner);
        return registry.registerMachine(providerId, _spec(deviceCount));
    }

    /// Capacity leased through settlement, its price taken from a bid.
    function _take(uint32 machineId, uint32 round, uint24 cpuMilli, uint16 milliGpu, uint8 mask) private {
        RecordFields memory record;
        (record.machineId, record.providerId, record.fromBid) = (machineId, providerId, true);
        (record.cpuMilli, record.milliGpu, record.deviceMask) = (cpuMilli, milliGpu, mask);
        vm.prank(settlement);
        (uint256[] memory skipped,) = registry.reserve(abi.encodePacked(RecordWord.unwrap(RecordWordLib.encode(record))), round, 17);
        assertEq(skipped[0], 0);
    }

    function _bench(uint32 machineId, uint32 round, uint32 benchFromRound) private {
        RecordFields memory record;
        (record.machineId, record.providerId, record.cpuMilli) = (machineId, providerId, type(uint24).max);
        vm.prank(settlement);
        registry.reserve(abi.encodePacked(RecordWord.unwrap(RecordWordLib.encode(record))), round, benchFromRound);
    }

    function _deactivateAndWait(uint32 machineId, uint32 round) private {
        vm.prank(owner);
        registry.deactivateMachine(machineId);
        _openRound(round);
    }

    function _m1(uint32 machineId) private view returns (MachineTotalsWord) {
        (, bytes32 m1) = registry.machineWords(machineId);
        return MachineTotalsWord.wrap(uint256(m1));
    }

    function _expectFieldOutOfBounds(string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.FieldOutOfBounds.selector, field));
    }

    function _expectCapacityLowered(uint32 machineId, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CapacityLowered.selector, machineId, field));
    }

    function _expectCapacityInUse(uint32 machineId, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.CapacityInUse.selector, machineId, field));
    }

    function _assertMachineInvalid(MachineSpec memory spec, string memory field) private {
        _expectFieldOutOfBounds(field);
        registry.registerMachine(providerId, spec);
    }

    function _assertOfferInvalid(uint32 machineId, OfferTerms memory terms, string memory field) private {
        _expectFieldOutOfBounds(field);
        registry.setOffer(machineId, 0, terms);
    }
}
