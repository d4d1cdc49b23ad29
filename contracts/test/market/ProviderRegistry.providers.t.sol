// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { ProviderStatus } from "../../src/market/MarketTypes.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { RegistryFixture } from "./RegistryFixture.sol";

/// @notice A provider's standing: who may change which part of its word, and what own stake has to do with it.
contract ProviderRegistryProvidersTest is RegistryFixture {
    uint24 private providerId;

    function setUp() public override {
        super.setUp();
        providerId = _provider(owner, 10_000);
    }

    // ---- registration

    function test_NewProviderIsRegisteredLeastTrustedAndUnmeasured() public {
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderAdded(2, stranger, "provider", "https://provider.example");
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderStatusUpdated(2, ProviderStatus.Registered);
        uint24 id = _register(stranger);
        assertEq(id, 2);
        assertEq(_status(id), uint256(ProviderStatus.Registered));
        assertEq(_p0(id).tier(), 7);
        assertEq(_p0(id).uptimeBps(), 0x3fff);
        assertEq(_p0(id).reputationBps(), 0x3fff);
        assertEq(registry.providerOwner(id), stranger);
        assertEq(registry.providerOf(stranger), id);
        assertEq(registry.machinesStakeWhole(id), 0);
        assertEq(registry.requiredStakeWhole(id), WHOLE_PER_PROVIDER);
        (uint32 machines, uint24 providers) = registry.counts();
        assertEq(machines, 0);
        assertEq(providers, 2);
        assertEq(uint256(vm.load(address(registry), bytes32(Slots.REGISTRY_COUNTERS))), (uint256(3) << 32) | 1);
    }

    function test_RevertIf_RegistrationIsWrong() public {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotAuthorized.selector, address(this)));
        registry.registerProvider(stranger, "provider", "https://provider.example");
        vm.startPrank(providerAdmission);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.ProviderAlreadyRegistered.selector, owner, providerId));
        registry.registerProvider(owner, "again", "https://provider.example");
        _expectFieldOutOfBounds("name");
        registry.registerProvider(stranger, "", "https://provider.example");
        _expectFieldOutOfBounds("name");
        registry.registerProvider(stranger, string(new bytes(65)), "https://provider.example");
        _expectFieldOutOfBounds("hostUri");
        registry.registerProvider(stranger, "provider", "");
        _expectFieldOutOfBounds("hostUri");
        registry.registerProvider(stranger, "provider", string(new bytes(257)));
    }

    function test_RevertIf_IdsRunOut() public {
        vm.store(address(registry), bytes32(Slots.REGISTRY_COUNTERS), bytes32((uint256(type(uint24).max) << 32) | type(uint32).max));
        vm.prank(providerAdmission);
        _expectFieldOutOfBounds("providerId");
        registry.registerProvider(stranger, "provider", "https://provider.example");
        vm.prank(owner);
        _expectFieldOutOfBounds("machineId");
        registry.registerMachine(providerId, _spec(1));
    }

    function test_HostUri() public {
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderHostUriUpdated(providerId, "https://other.example");
        vm.prank(owner);
        registry.setHostUri(providerId, "https://other.example");
        vm.prank(owner);
        _expectFieldOutOfBounds("hostUri");
        registry.setHostUri(providerId, "");
    }

    // ---- the owner's part of the standing

    function test_OwnerActivatesOnceOwnStakeCoversTheMinimum() public {
        uint24 id = _register(stranger);
        // What others delegate scores, and covers nothing.
        stakes.set(id, WHOLE_PER_PROVIDER - 1, 1000);
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.InsufficientStake.selector, WHOLE_PER_PROVIDER - 1, WHOLE_PER_PROVIDER));
        registry.activateProvider(id);
        vm.stopPrank();
        assertEq(_p0(id).stakeWhole(), WHOLE_PER_PROVIDER + 999);
        stakes.set(id, WHOLE_PER_PROVIDER, 0);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderStatusUpdated(id, ProviderStatus.Active);
        vm.prank(stranger);
        registry.activateProvider(id);
        assertEq(_status(id), uint256(ProviderStatus.Active));
    }

    function test_OwnerActivatesOnceOwnStakeCoversTheMachines() public {
        uint24 id = _register(stranger);
        stakes.set(id, 164, 0);
        vm.prank(stranger);
        registry.registerMachine(id, _spec(1));
        stakes.set(id, 163, 0);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.InsufficientStake.selector, 163, 164));
        registry.activateProvider(id);
        stakes.set(id, 164, 0);
        vm.prank(stranger);
        registry.activateProvider(id);
        assertEq(_status(id), uint256(ProviderStatus.Active));
    }

    function test_RevertIf_ActivatedFromAnotherStatusThanRegistered() public {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StatusUnchanged.selector, ProviderStatus.Active));
        registry.activateProvider(providerId);
        vm.stopPrank();
        ProviderStatus[3] memory others = [ProviderStatus.Maintenance, ProviderStatus.Suspended, ProviderStatus.Deactivated];
        for (uint256 i; i < others.length; ++i) {
            registry.setProviderStatus(providerId, others[i]);
            vm.prank(owner);
            vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StatusNotAllowed.selector, others[i]));
            registry.activateProvider(providerId);
        }
    }

    function test_MaintenanceIsTheOwnersSwitch() public {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StatusUnchanged.selector, ProviderStatus.Active));
        registry.setMaintenance(providerId, false);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderStatusUpdated(providerId, ProviderStatus.Maintenance);
        registry.setMaintenance(providerId, true);
        assertEq(_status(providerId), uint256(ProviderStatus.Maintenance));
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StatusUnchanged.selector, ProviderStatus.Maintenance));
        registry.setMaintenance(providerId, true);
        registry.setMaintenance(providerId, false);
        assertEq(_status(providerId), uint256(ProviderStatus.Active));
        vm.stopPrank();
        registry.setProviderStatus(providerId, ProviderStatus.Suspended);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StatusNotAllowed.selector, ProviderStatus.Suspended));
        registry.setMaintenance(providerId, false);
        registry.setProviderStatus(providerId, ProviderStatus.Registered);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StatusNotAllowed.selector, ProviderStatus.Registered));
        registry.setMaintenance(providerId, true);
    }

    function test_RaisedMinimumBindsOnTheWayBackFromMaintenance() public {
        vm.prank(owner);
        registry.setMaintenance(providerId, true);
        stakes.setMinimum(10_001);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.InsufficientStake.selector, 10_000, 10_001));
        registry.setMaintenance(providerId, false);
    }

    function test_RevertIf_CallerIsNotTheOwner() public {
        bytes memory notOwner = abi.encodeWithSelector(IProviderRegistry.NotProviderOwner.selector, providerId, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(notOwner);
        registry.setHostUri(providerId, "https://other.example");
        vm.expectRevert(notOwner);
        registry.setMaintenance(providerId, true);
        vm.expectRevert(notOwner);
        registry.activateProvider(providerId);
    }

    // ---- stake and slashes

    function test_LosingOwnStakeFallsBackToRegistered() public {
        vm.prank(owner);
        registry.registerMachine(providerId, _spec(1));
        stakes.set(providerId, 164, 0);
        assertEq(_status(providerId), uint256(ProviderStatus.Active), "covered to the last token");
        uint256 folded = uint48(uint256(registry.factsWord()));
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderStatusUpdated(providerId, ProviderStatus.Registered);
        stakes.set(providerId, 163, 5000);
        assertEq(_status(providerId), uint256(ProviderStatus.Registered));
        assertEq(_p0(providerId).stakeWhole(), 5163);
        assertEq(uint48(uint256(registry.factsWord())), folded + 1, "one fact for both");
        // Coming back is the owner's to ask for.
        stakes.set(providerId, 164, 0);
        assertEq(_status(providerId), uint256(ProviderStatus.Registered));
        vm.prank(owner);
        registry.activateProvider(providerId);
    }

    function test_MaintenanceFallsBackTooAndNothingElseDoes() public {
        vm.prank(owner);
        registry.setMaintenance(providerId, true);
        stakes.set(providerId, 0, 0);
        assertEq(_status(providerId), uint256(ProviderStatus.Registered));
        ProviderStatus[2] memory others = [ProviderStatus.Suspended, ProviderStatus.Deactivated];
        for (uint256 i; i < others.length; ++i) {
            stakes.set(providerId, 1, 0);
            registry.setProviderStatus(providerId, others[i]);
            stakes.set(providerId, 0, 0);
            assertEq(_status(providerId), uint256(others[i]));
        }
    }

    function test_UnchangedStakeIsNoFact() public {
        bytes32 facts = registry.factsWord();
        stakes.set(providerId, 4000, 6000);
        assertEq(registry.factsWord(), facts);
    }

    function test_SlashesCountToTheirLastBitAndSuspendWhenAsked() public {
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderSlashesUpdated(providerId, 1);
        stakes.slash(providerId, false);
        assertEq(_p0(providerId).slashes(), 1);
        assertEq(_status(providerId), uint256(ProviderStatus.Active));
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderStatusUpdated(providerId, ProviderStatus.Suspended);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderSlashesUpdated(providerId, 2);
        stakes.slash(providerId, true);
        assertEq(_status(providerId), uint256(ProviderStatus.Suspended));
        for (uint256 i; i < 255; ++i) {
            stakes.slash(providerId, true);
        }
        assertEq(_p0(providerId).slashes(), 255);
        assertEq(_status(providerId), uint256(ProviderStatus.Suspended));
        assertEq(_p0(providerId).stakeWhole(), 10_000, "the rest of the word stays");
    }

    // ---- roles and neighbours

    function test_VerifierSetsAnyStatusThatTheStakeCovers() public {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StatusNotAllowed.selector, ProviderStatus.Unregistered));
        registry.setProviderStatus(providerId, ProviderStatus.Unregistered);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StatusUnchanged.selector, ProviderStatus.Active));
        registry.setProviderStatus(providerId, ProviderStatus.Active);
        ProviderStatus[5] memory all = [
            ProviderStatus.Registered,
            ProviderStatus.Maintenance,
            ProviderStatus.Suspended,
            ProviderStatus.Deactivated,
            ProviderStatus.Active
        ];
        for (uint256 i; i < all.length; ++i) {
            vm.expectEmit(address(registry));
            emit IProviderRegistry.ProviderStatusUpdated(providerId, all[i]);
            registry.setProviderStatus(providerId, all[i]);
            assertEq(_status(providerId), uint256(all[i]));
        }
    }

    function test_RevertIf_VerifierActivatesWithoutStake() public {
        uint24 id = _register(stranger);
        bytes memory short = abi.encodeWithSelector(IProviderRegistry.InsufficientStake.selector, 0, WHOLE_PER_PROVIDER);
        vm.expectRevert(short);
        registry.setProviderStatus(id, ProviderStatus.Active);
        // From Maintenance the owner could go Active.
        vm.expectRevert(short);
        registry.setProviderStatus(id, ProviderStatus.Maintenance);
        registry.setProviderStatus(id, ProviderStatus.Suspended);
    }

    function test_TierAttributesAndScoresTouchTheirOwnBits() public {
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderTierUpdated(providerId, 2);
        registry.setProviderTier(providerId, 2);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderAttributesUpdated(providerId, (1 << 54) - 1);
        vm.prank(providerAttributes);
        registry.setProviderAttributes(providerId, (1 << 54) - 1);
        stakes.slash(providerId, false);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderScoresUpdated(providerId, 10_000, 0x3fff);
        vm.prank(rewardOracle);
        registry.setProviderScores(providerId, 10_000, 0x3fff);
        vm.prank(complianceRegistry);
        registry.setComplianceReport(providerId, 3, 0xdeadbeef);
        ProviderWord provider = _p0(providerId);
        assertEq(provider.stakeWhole(), 10_000);
        assertEq(provider.status(), uint256(ProviderStatus.Active));
        assertEq(provider.tier(), 2);
        assertEq(provider.uptimeBps(), 10_000);
        assertEq(provider.reputationBps(), 0x3fff);
        assertEq(provider.slashes(), 1);
        assertEq(provider.attributes(), (1 << 54) - 1);
        assertEq(provider.report(3), 0xdeadbeef);
        assertEq(provider.report(2), 0);
    }

    function test_RevertIf_AFieldIsOutOfBounds() public {
        _expectFieldOutOfBounds("tier");
        registry.setProviderTier(providerId, 0);
        _expectFieldOutOfBounds("tier");
        registry.setProviderTier(providerId, 8);
        vm.prank(providerAttributes);
        _expectFieldOutOfBounds("attributes");
        registry.setProviderAttributes(providerId, 1 << 54);
        vm.startPrank(rewardOracle);
        _expectFieldOutOfBounds("uptimeBps");
        registry.setProviderScores(providerId, 10_001, 0);
        _expectFieldOutOfBounds("reputationBps");
        registry.setProviderScores(providerId, 0, 10_001);
        vm.stopPrank();
        vm.prank(complianceRegistry);
        _expectFieldOutOfBounds("index");
        registry.setComplianceReport(providerId, 4, 1);
    }

    function test_RevertIf_CallerIsNotTheRoleOrTheNeighbour() public {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, owner);
        bytes memory notAuthorized = abi.encodeWithSelector(IProviderRegistry.NotAuthorized.selector, owner);
        vm.startPrank(owner);
        vm.expectRevert(unauthorized);
        registry.setProviderStatus(providerId, ProviderStatus.Registered);
        vm.expectRevert(unauthorized);
        registry.setProviderTier(providerId, 1);
        vm.expectRevert(notAuthorized);
        registry.setProviderAttributes(providerId, 1);
        vm.expectRevert(notAuthorized);
        registry.setProviderScores(providerId, 10_000, 10_000);
        vm.expectRevert(notAuthorized);
        registry.setProviderStake(providerId, 1, 1);
        vm.expectRevert(notAuthorized);
        registry.recordSlash(providerId, false);
        vm.expectRevert(notAuthorized);
        registry.setComplianceReport(providerId, 0, 1);
    }

    function test_RevertIf_ProviderIsUnknown() public {
        bytes memory notFound = abi.encodeWithSelector(IProviderRegistry.ProviderNotFound.selector, 9);
        vm.expectRevert(notFound);
        registry.setProviderStatus(9, ProviderStatus.Active);
        vm.expectRevert(notFound);
        registry.setProviderTier(9, 1);
        vm.expectRevert(notFound);
        registry.setMaintenance(9, true);
        vm.expectRevert(notFound);
        registry.activateProvider(9);
        vm.expectRevert(notFound);
        registry.registerMachine(9, _spec(1));
        vm.expectRevert(notFound);
        stakes.set(9, 1, 0);
        vm.expectRevert(notFound);
        stakes.slash(9, true);
        vm.prank(providerAttributes);
        vm.expectRevert(notFound);
        registry.setProviderAttributes(9, 1);
        vm.prank(rewardOracle);
        vm.expectRevert(notFound);
        registry.setProviderScores(9, 0, 0);
        vm.prank(complianceRegistry);
        vm.expectRevert(notFound);
        registry.setComplianceReport(9, 0, 1);
    }

    function test_EachWordWrittenIsAFact() public {
        uint256 slot = Slots.provider(providerId);
        bytes32 expected = bytes32(uint256(registry.providerWord(providerId)) ^ (uint256(2 ^ 3) << 221));
        bytes32 before = registry.factsWord();
        vm.expectEmit(address(registry));
        emit IProviderRegistry.Fact(slot, expected);
        vm.prank(owner);
        registry.setMaintenance(providerId, true);
        uint256 accumulator = uint256(keccak256(abi.encodePacked(before, slot, expected))) >> 48;
        assertEq(uint256(registry.factsWord()), (accumulator << 48) | (uint48(uint256(before)) + 1));
    }

    // ---- whatever happens

    /// Active or Maintenance means that own stake covers what is required; only a raised minimum may run ahead of it, until the next change
    /// of stake.
    function testFuzz_StandingIsAlwaysCovered(uint256 seed) public {
        for (uint256 i; i < 40; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            uint256 kind = draw % 8;
            draw >>= 8;
            if (kind == 0) stakes.set(providerId, draw % 700, (draw >> 64) % 700);
            if (kind == 1) stakes.slash(providerId, draw % 4 == 0);
            if (kind == 2) {
                stakes.setMinimum(uint32(draw % 400));
                stakes.set(providerId, stakes.ownStakeWhole(providerId), draw % 3);
            }
            bytes memory call;
            if (kind == 3) call = abi.encodeCall(registry.activateProvider, (providerId));
            if (kind == 4) call = abi.encodeCall(registry.setMaintenance, (providerId, draw % 2 == 0));
            if (kind == 5) call = abi.encodeCall(registry.registerMachine, (providerId, _spec(uint8(draw % 4))));
            if (kind == 6) call = abi.encodeCall(registry.retireMachine, (uint32(1 + draw % 3)));
            if (kind == 7) call = abi.encodeCall(registry.setProviderStatus, (providerId, ProviderStatus(1 + draw % 5)));
            if (call.length != 0) {
                if (kind != 7) vm.prank(owner);
                (bool done,) = address(registry).call(call);
                // Which calls the rules refuse is the subject of other tests.
                done;
            }
            uint256 status = _status(providerId);
            if (status == uint256(ProviderStatus.Active) || status == uint256(ProviderStatus.Maintenance)) {
                assertGe(stakes.ownStakeWhole(providerId), registry.requiredStakeWhole(providerId));
            }
        }
    }

    // ----

    function _status(uint24 id) private view returns (uint256) {
        return _p0(id).status();
    }

    function _expectFieldOutOfBounds(string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.FieldOutOfBounds.selector, field));
    }
}
