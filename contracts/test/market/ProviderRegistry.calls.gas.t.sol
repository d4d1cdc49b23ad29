// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibString } from "solady/utils/LibString.sol";
import { OfferTerms, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { RegistryFixture } from "./RegistryFixture.sol";

/// @notice What each call of the registry costs by itself, at its longest where its input has a bound. What it works on was made in `setUp`,
/// another transaction, so that every word is cold.
contract ProviderRegistryCallsGasTest is RegistryFixture {
    uint32 private constant ROUND = 6;

    uint24 private providerId;
    uint32 private active;
    uint32 private inactive;
    bytes32 private lease;
    bytes private leased;

    function setUp() public override {
        super.setUp();
        providerId = _provider(owner, 10_000);
        active = _machine(providerId, 8);
        inactive = _machine(providerId, 8);
        _openRound(ROUND - 2);
        vm.prank(owner);
        registry.deactivateMachine(inactive);
        _openRound(ROUND);
        RecordFields memory record = _record();
        leased = abi.encodePacked(RecordWord.unwrap(RecordWordLib.encode(record)));
        vm.prank(settlement);
        registry.reserve(leased, ROUND, ROUND + 10);
        lease = bytes32(OrderWord.unwrap(OrderWordLib.leaseOf(RecordWordLib.encode(record), block.timestamp)));
    }

    function test_Gas_RegisterProvider() public {
        string memory name = LibString.repeat("x", 64);
        string memory hostUri = LibString.repeat("x", 256);
        vm.prank(providerAdmission);
        registry.registerProvider(stranger, name, hostUri);
        _snapshot("registerProvider");
    }

    function test_Gas_SetHostUri() public {
        string memory hostUri = LibString.repeat("x", 256);
        vm.prank(owner);
        registry.setHostUri(providerId, hostUri);
        _snapshot("setHostUri");
    }

    function test_Gas_SetMaintenance() public {
        vm.prank(owner);
        registry.setMaintenance(providerId, true);
        _snapshot("setMaintenance");
    }

    function test_Gas_SetProviderStatus() public {
        registry.setProviderStatus(providerId, ProviderStatus.Maintenance);
        _snapshot("setProviderStatus");
    }

    function test_Gas_SetProviderTier() public {
        registry.setProviderTier(providerId, 1);
        _snapshot("setProviderTier");
    }

    function test_Gas_SetProviderAttributes() public {
        vm.prank(providerAttributes);
        registry.setProviderAttributes(providerId, 1);
        _snapshot("setProviderAttributes");
    }

    function test_Gas_SetProviderScores() public {
        vm.prank(rewardOracle);
        registry.setProviderScores(providerId, 9000, 9000);
        _snapshot("setProviderScores");
    }

    function test_Gas_SetProviderStakeThatFallsBack() public {
        vm.prank(address(stakes));
        registry.setProviderStake(providerId, 1, 1);
        _snapshot("setProviderStake, falling back to Registered");
    }

    function test_Gas_RecordSlash() public {
        vm.prank(address(stakes));
        registry.recordSlash(providerId, true);
        _snapshot("recordSlash, suspending");
    }

    function test_Gas_SetComplianceReport() public {
        vm.prank(complianceRegistry);
        registry.setComplianceReport(providerId, 3, type(uint32).max);
        _snapshot("setComplianceReport");
    }

    function test_Gas_RegisterMachine() public {
        vm.prank(owner);
        registry.registerMachine(providerId, _spec(8));
        _snapshot("registerMachine");
    }

    function test_Gas_ActivateMachine() public {
        vm.prank(owner);
        registry.activateMachine(inactive);
        _snapshot("activateMachine");
    }

    function test_Gas_DeactivateMachine() public {
        vm.prank(owner);
        registry.deactivateMachine(active);
        _snapshot("deactivateMachine");
    }

    function test_Gas_GrowMachine() public {
        vm.prank(owner);
        registry.growMachine(active, _spec(8));
        _snapshot("growMachine");
    }

    function test_Gas_ReconfigureMachine() public {
        vm.prank(owner);
        registry.reconfigureMachine(inactive, _spec(0));
        _snapshot("reconfigureMachine, eight devices fewer");
    }

    function test_Gas_RetireMachine() public {
        vm.prank(owner);
        registry.retireMachine(inactive);
        _snapshot("retireMachine");
    }

    function test_Gas_SetOfferThatKeepsThePreviousTerms() public {
        OfferTerms memory terms = _terms();
        vm.prank(owner);
        registry.setOffer(active, 0, terms);
        _snapshot("setOffer, over earlier terms");
    }

    function test_Gas_WithdrawOffer() public {
        vm.prank(owner);
        registry.withdrawOffer(active, 0);
        _snapshot("withdrawOffer");
    }

    function test_Gas_GiveBack() public {
        uint256[] memory which = new uint256[](1);
        which[0] = 1;
        vm.prank(settlement);
        registry.giveBack(leased, which);
        _snapshot("giveBack 1 record");
    }

    function test_Gas_Release() public {
        vm.prank(computeLease);
        registry.release(lease);
        _snapshot("release");
    }

    function test_Gas_StandDown() public {
        vm.prank(computeLease);
        registry.standDown(active);
        _snapshot("standDown");
    }

    function test_Gas_MoveCapacity() public {
        RecordFields memory record = _record();
        record.cpuMilli += 1;
        record.priceMicroPerHour = _price(record);
        bytes32 to = bytes32(RecordWord.unwrap(RecordWordLib.encode(record)));
        vm.prank(computeLease);
        registry.moveCapacity(lease, to, ROUND);
        _snapshot("moveCapacity, growing at the offer's price");
    }

    function test_Gas_Multicall() public {
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(registry.registerMachine, (providerId, _spec(8)));
        calls[1] = abi.encodeCall(registry.setOffer, (3, 0, _terms()));
        calls[2] = abi.encodeCall(registry.activateMachine, (3));
        vm.prank(owner);
        registry.multicall(calls);
        _snapshot("multicall: a new machine with an offer, active");
    }

    function _snapshot(string memory name) private {
        vm.snapshotGasLastCall("ProviderRegistry", name);
    }

    function _record() private view returns (RecordFields memory record) {
        (record.orderId, record.machineId) = (1, active);
        (record.tokenId, record.providerId) = (tokenId, providerId);
        (record.milliGpu, record.deviceMask, record.cpuMilli, record.memoryMib, record.storageGib) = (8000, 0xff, 8000, 32_768, 100);
        record.priceMicroPerHour = _price(record);
    }
}

/// @notice The one call that needs a provider which is not Active yet.
contract ProviderRegistryActivationGasTest is RegistryFixture {
    uint24 private providerId;

    function setUp() public override {
        super.setUp();
        providerId = _register(owner);
        stakes.set(providerId, 10_000, 0);
    }

    function test_Gas_ActivateProvider() public {
        vm.prank(owner);
        registry.activateProvider(providerId);
        vm.snapshotGasLastCall("ProviderRegistry", "activateProvider");
    }
}
