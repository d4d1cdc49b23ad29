// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { MarketContracts } from "../../src/governance/MarketContracts.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { StakeTerms } from "../../src/market/IStakingManager.sol";
import { MachineSpec, OfferTerms, Policy } from "../../src/market/MarketTypes.sol";
import { MatchPolicy } from "../../src/market/MatchPolicy.sol";
import { ProviderRegistry } from "../../src/market/ProviderRegistry.sol";
import { TokenRegistry } from "../../src/market/TokenRegistry.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { TestToken } from "./TestToken.sol";
import { noPacking } from "../rules/NoPacking.sol";

/// @notice Stakes as a test says they are, in the place of the staking manager.
contract GivenStakes {
    IProviderRegistry private immutable _REGISTRY;

    StakeTerms private _terms;
    mapping(uint24 providerId => uint256) private _own;

    constructor(address registry, uint32 wholePerDevice, uint32 wholeMinimumPerProvider) {
        _REGISTRY = IProviderRegistry(registry);
        _terms.wholePerDevice = wholePerDevice;
        _terms.wholeMinimumPerProvider = wholeMinimumPerProvider;
    }

    function setMinimum(uint32 wholeMinimumPerProvider) external {
        _terms.wholeMinimumPerProvider = wholeMinimumPerProvider;
    }

    function setPerDevice(uint32 wholePerDevice) external {
        _terms.wholePerDevice = wholePerDevice;
    }

    /// The registry is told as the staking manager tells it: what scores, bounded to its 32 bits, and what is the owner's own.
    function set(uint24 providerId, uint256 ownWhole, uint256 delegatedWhole) external {
        _own[providerId] = ownWhole;
        uint256 both = ownWhole + delegatedWhole;
        _REGISTRY.setProviderStake(providerId, uint32(both < type(uint32).max ? both : type(uint32).max), ownWhole);
    }

    function slash(uint24 providerId, bool suspend) external {
        _REGISTRY.recordSlash(providerId, suspend);
    }

    function stakeTerms() external view returns (StakeTerms memory) {
        return _terms;
    }

    function ownStakeWhole(uint24 providerId) external view returns (uint256) {
        return _own[providerId];
    }

    /// One whole token a core, rounded up, and 10 at the least.
    function requirementOf(uint8 deviceCount, uint24 cpuMilli) external view returns (uint40) {
        uint256 whole = uint256(deviceCount) * _terms.wholePerDevice + (uint256(cpuMilli) + 999) / 1000;
        return uint40(whole < 10 ? 10 : whole);
    }
}

/// @notice The provider registry with the real schedule and token list; the contracts that only call it are plain addresses.
abstract contract RegistryFixture is Test {
    uint32 internal constant WHOLE_PER_DEVICE = 100;
    uint32 internal constant WHOLE_PER_PROVIDER = 20;
    uint16 internal constant ROUND_BLOCKS = 8;

    AccessManager internal authority;
    TestToken internal token;
    TokenRegistry internal tokenRegistry;
    MatchPolicy internal matchPolicy;
    GivenStakes internal stakes;
    ProviderRegistry internal registry;
    address internal complianceRegistry = makeAddr("complianceRegistry");
    address internal providerAdmission = makeAddr("providerAdmission");
    address internal providerAttributes = makeAddr("providerAttributes");
    address internal rewardOracle = makeAddr("rewardOracle");
    address internal settlement = makeAddr("settlement");
    address internal computeLease = makeAddr("computeLease");
    address internal owner = makeAddr("owner");
    address internal stranger = makeAddr("stranger");
    uint16 internal tokenId;

    function setUp() public virtual {
        vm.roll(1000);
        vm.warp(1_800_000_000);
        _deploy(ROUND_BLOCKS);
        // Round 1 opens after its snapshot block; tests that need no special block run in it.
        vm.roll(block.number + ROUND_BLOCKS + 1);
    }

    function _deploy(uint16 roundBlocks) internal {
        authority = new AccessManager(address(this));
        token = new TestToken("USDX", 6);
        tokenRegistry = TokenRegistry(
            address(new ERC1967Proxy(address(new TokenRegistry()), abi.encodeCall(TokenRegistry.initialize, (address(authority)))))
        );
        tokenId = tokenRegistry.approveToken(address(token), 0);
        matchPolicy = MatchPolicy(
            address(
                new ERC1967Proxy(
                    address(new MatchPolicy(false)),
                    abi.encodeCall(MatchPolicy.initialize, (address(authority), roundBlocks, _policy(), noPacking()))
                )
            )
        );
        address registryAddress = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        stakes = new GivenStakes(registryAddress, WHOLE_PER_DEVICE, WHOLE_PER_PROVIDER);
        MarketContracts memory market;
        market.authority = address(authority);
        market.tokenRegistry = address(tokenRegistry);
        market.matchPolicy = address(matchPolicy);
        market.stakingManager = address(stakes);
        market.complianceRegistry = complianceRegistry;
        market.providerAdmission = providerAdmission;
        market.providerAttributes = providerAttributes;
        market.rewardOracle = rewardOracle;
        market.matchSettlement = settlement;
        market.computeLease = computeLease;
        registry = new ProviderRegistry(market);
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
            selfMatchRounds: 30,
            weightPackingBps: 0,
            packingHash: 0
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

    function _register(address account) internal returns (uint24 providerId) {
        vm.prank(providerAdmission);
        return registry.registerProvider(account, "provider", "https://provider.example");
    }

    /// An Active provider with this much stake of its own.
    function _provider(address account, uint256 ownWhole) internal returns (uint24 providerId) {
        providerId = _register(account);
        stakes.set(providerId, ownWhole, 0);
        vm.prank(account);
        registry.activateProvider(providerId);
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
