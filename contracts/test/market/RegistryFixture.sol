// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { ComplianceRegistry } from "../../src/market/ComplianceRegistry.sol";
import { MachineSpec, OfferTerms, Policy } from "../../src/market/MarketTypes.sol";
import { MatchPolicy } from "../../src/market/MatchPolicy.sol";
import { ProviderRegistry } from "../../src/market/ProviderRegistry.sol";
import { StakingManager } from "../../src/market/StakingManager.sol";
import { TokenRegistry } from "../../src/market/TokenRegistry.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { TestToken } from "./TestToken.sol";

/// @notice The registries wired to each other; settlement and leases are plain addresses, since they only call.
abstract contract RegistryFixture is Test {
    uint32 internal constant WHOLE_PER_DEVICE = 100;
    uint32 internal constant WHOLE_PER_CORE = 1;
    uint32 internal constant WHOLE_MINIMUM = 10;
    uint16 internal constant ROUND_BLOCKS = 8;

    AccessManager internal authority;
    TestToken internal token;
    TestToken internal stakeToken;
    TokenRegistry internal tokenRegistry;
    MatchPolicy internal matchPolicy;
    StakingManager internal stakingManager;
    ComplianceRegistry internal complianceRegistry;
    ProviderRegistry internal registry;
    address internal settlement = makeAddr("settlement");
    address internal computeLease = makeAddr("computeLease");
    address internal owner = makeAddr("owner");
    address internal stranger = makeAddr("stranger");
    uint16 internal tokenId;

    function setUp() public virtual {
        vm.roll(1000);
        vm.warp(1_800_000_000);
        _deploy(true, ROUND_BLOCKS);
        // Round 1 opens after its snapshot block; tests that need no special block run in it.
        vm.roll(block.number + ROUND_BLOCKS + 1);
    }

    function _deploy(bool autoApprove, uint16 roundBlocks) internal {
        authority = new AccessManager(address(this));
        token = new TestToken("USDX", 6);
        stakeToken = new TestToken("STK", 18);
        tokenRegistry = new TokenRegistry(address(authority));
        tokenId = tokenRegistry.approveToken(address(token), 0);
        matchPolicy = new MatchPolicy(address(authority), false, roundBlocks, _policy());
        address registryAddress = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        stakingManager =
            new StakingManager(address(authority), address(stakeToken), registryAddress, WHOLE_PER_DEVICE, WHOLE_PER_CORE, WHOLE_MINIMUM);
        complianceRegistry = new ComplianceRegistry(address(authority), registryAddress);
        registry = new ProviderRegistry(
            address(authority),
            address(matchPolicy),
            address(tokenRegistry),
            address(stakingManager),
            address(complianceRegistry),
            settlement,
            computeLease,
            autoApprove
        );
        assertEq(address(registry), registryAddress);
    }

    function _policy() internal pure returns (Policy memory) {
        return Policy({
            rulesVersion: 1,
            weightPriceBps: 4500,
            weightStakeBps: 1500,
            weightFitBps: 1500,
            weightRegionBps: 1000,
            weightUptimeBps: 1000,
            weightReputationBps: 500,
            saturationWhole: 100_000,
            complianceCapBps: 12_000,
            jitterRange: 6_000_000_000,
            defaultUptimeBps: 9500,
            defaultReputationBps: 5000,
            maxMatches: 512,
            quorumBps: 6667,
            minTotalStake: 1 ether,
            maxTableAgeSeconds: 1 days,
            coolRounds: 10,
            selfMatchRounds: 30
        });
    }

    function _spec(uint8 deviceCount) internal pure returns (MachineSpec memory) {
        return MachineSpec({
            model: deviceCount == 0 ? 0 : 7, region: 33, cpuMilli: 64_000, memoryMib: 262_144, storageGib: 4096, deviceCount: deviceCount
        });
    }

    function _terms() internal view returns (OfferTerms memory) {
        return OfferTerms({
            tokenId: tokenId,
            gpuMicroPerHour: 2_000_000,
            coreMicroPerHour: 30_000,
            memoryGibMicroPerHour: 4000,
            storageTibMicroPerHour: 50_000
        });
    }

    /// What the record's resources cost an hour under `_terms`.
    function _price(RecordFields memory record) internal view returns (uint40) {
        OfferTerms memory terms = _terms();
        return uint40(
            uint256(record.milliGpu) * terms.gpuMicroPerHour / 1000 + uint256(record.cpuMilli) * terms.coreMicroPerHour / 1000
                + uint256(record.memoryMib) * terms.memoryGibMicroPerHour / 1024 + uint256(record.storageGib) * terms.storageTibMicroPerHour
                / 1024
        );
    }

    function _stake(uint24 providerId, uint256 wholeTokens) internal {
        stakeToken.mint(address(this), wholeTokens * 1 ether);
        stakeToken.approve(address(stakingManager), type(uint256).max);
        stakingManager.stake(providerId, wholeTokens * 1 ether);
    }

    function _provider(address account, uint256 wholeTokens) internal returns (uint24 providerId) {
        vm.prank(account);
        providerId = registry.registerProvider("provider", "https://provider.example");
        if (wholeTokens != 0) _stake(providerId, wholeTokens);
    }

    /// A machine of `owner` that is active from the next round on, with one offer.
    function _machine(uint24 providerId, uint8 deviceCount) internal returns (uint32 machineId) {
        vm.startPrank(owner);
        machineId = registry.registerMachine(providerId, _spec(deviceCount));
        registry.setOffer(machineId, 0, _terms());
        registry.activateMachine(machineId);
        vm.stopPrank();
    }

    function _m0(uint32 machineId) internal view returns (MachineWord) {
        (bytes32 m0,) = registry.machineWords(machineId);
        return MachineWord.wrap(uint256(m0));
    }

    function _p0(uint24 providerId) internal view returns (ProviderWord) {
        return ProviderWord.wrap(uint256(registry.providerWord(providerId)));
    }

    /// Rolls to the first block in which `round` is open.
    function _openRound(uint32 round) internal {
        vm.roll(matchPolicy.snapshotBlock(round) + 1);
    }
}
