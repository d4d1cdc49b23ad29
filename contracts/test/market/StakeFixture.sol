// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { MarketContracts } from "../../src/governance/MarketContracts.sol";
import { MarketPause } from "../../src/governance/MarketPause.sol";
import { ComplianceRegistry } from "../../src/market/ComplianceRegistry.sol";
import { ProviderProposal } from "../../src/market/IProviderAdmission.sol";
import { SlashCause, SlashOrder, StakeTerms } from "../../src/market/IStakingManager.sol";
import { MachineSpec, OrderState, Policy, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { MatchPolicy } from "../../src/market/MatchPolicy.sol";
import { OrderRequest } from "../../src/market/OrderRequest.sol";
import { ProviderAdmission } from "../../src/market/ProviderAdmission.sol";
import { ProviderRegistry } from "../../src/market/ProviderRegistry.sol";
import { StakingManager } from "../../src/market/StakingManager.sol";
import { TokenRegistry } from "../../src/market/TokenRegistry.sol";
import { FeedTerms } from "../../src/rewards/IRewardOracle.sol";
import { RewardTerms } from "../../src/rewards/IRewarder.sol";
import { RewardOracle } from "../../src/rewards/RewardOracle.sol";
import { Rewarder } from "../../src/rewards/Rewarder.sol";
import { OrderOwnerWord, OrderOwnerWordLib } from "../../src/words/OrderOwnerWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { TestToken } from "./TestToken.sol";
import { noPacking } from "../rules/NoPacking.sol";

/// @notice Staking, compliance and all they call, as a genesis deploys them; orders and leases are words written into their slots. The test
/// itself is the administrator.
abstract contract StakeFixture is Test {
    uint16 internal constant ROUND_BLOCKS = 8;
    uint32 internal constant UNBONDING = 14 days;
    uint32 internal constant COOLDOWN = 1 days;
    uint32 internal constant BOND_SECONDS = 14 days;
    uint256 internal constant MINIMUM_BOND = 1000 ether;
    uint256 internal constant MINIMUM_WHOLE = 100;
    uint256 internal constant MACHINE_WHOLE = 8 * 100 + 64;

    MarketContracts internal market;
    AccessManager internal authority;
    MarketPause internal marketPause;
    MatchPolicy internal matchPolicy;
    ProviderRegistry internal registry;
    ProviderAdmission internal admission;
    StakingManager internal staking;
    ComplianceRegistry internal compliance;
    OrderRequest internal orders;
    Rewarder internal rewarder;
    TestToken internal stakeToken;

    address internal treasury = makeAddr("treasury");
    address internal owner = makeAddr("owner");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");
    address internal tenant = makeAddr("tenant");
    address internal stranger = makeAddr("stranger");
    uint24 internal providerId;

    function setUp() public virtual {
        vm.roll(1000);
        vm.warp(1_800_000_000);
        stakeToken = TestToken(_stakingToken());
        _predict();
        _deploy();
        // Round 1 opens after its snapshot block; tests that need no special block run in it.
        vm.roll(vm.getBlockNumber() + ROUND_BLOCKS + 1);
        providerId = _register(owner);
    }

    /// Another token where a test needs one; it has `mint` like the plain one.
    function _stakingToken() internal virtual returns (address) {
        return address(new TestToken("STK", 18));
    }

    /// Each upgradeable contract is an implementation and then its proxy.
    function _predict() private {
        uint256 next = vm.getNonce(address(this));
        market.authority = vm.computeCreateAddress(address(this), next);
        market.pause = vm.computeCreateAddress(address(this), next += 2);
        market.tokenRegistry = vm.computeCreateAddress(address(this), next += 2);
        market.matchPolicy = vm.computeCreateAddress(address(this), next += 2);
        market.stakingManager = vm.computeCreateAddress(address(this), next += 2);
        market.complianceRegistry = vm.computeCreateAddress(address(this), next += 2);
        market.providerRegistry = vm.computeCreateAddress(address(this), next += 1);
        market.providerAdmission = vm.computeCreateAddress(address(this), next += 2);
        market.orderRequest = vm.computeCreateAddress(address(this), next += 1);
        market.rewardOracle = vm.computeCreateAddress(address(this), next += 2);
        market.rewarder = vm.computeCreateAddress(address(this), next += 2);
    }

    function _deploy() private {
        address admin = market.authority;
        authority = new AccessManager(address(this));
        marketPause = MarketPause(_proxy(address(new MarketPause()), abi.encodeCall(MarketPause.initialize, (admin))));
        _proxy(address(new TokenRegistry()), abi.encodeCall(TokenRegistry.initialize, (admin)));
        matchPolicy = MatchPolicy(
            _proxy(address(new MatchPolicy(false)), abi.encodeCall(MatchPolicy.initialize, (admin, ROUND_BLOCKS, _policy(), noPacking())))
        );
        staking = StakingManager(
            _proxy(
                address(new StakingManager(market, address(stakeToken))),
                abi.encodeCall(StakingManager.initialize, (admin, _stakeTerms(), treasury))
            )
        );
        compliance = ComplianceRegistry(
            _proxy(
                address(new ComplianceRegistry(market, address(stakeToken))),
                abi.encodeCall(ComplianceRegistry.initialize, (admin, MINIMUM_BOND, BOND_SECONDS, treasury))
            )
        );
        registry = new ProviderRegistry(market);
        admission = ProviderAdmission(
            _proxy(address(new ProviderAdmission(market)), abi.encodeCall(ProviderAdmission.initialize, (admin, true, 0)))
        );
        orders = new OrderRequest(market, false, 4);
        _proxy(
            address(new RewardOracle(market)),
            abi.encodeCall(RewardOracle.initialize, (admin, uint40(block.timestamp), 1 days, _feedTerms()))
        );
        rewarder = Rewarder(
            _proxy(
                address(new Rewarder(market, address(stakeToken))),
                abi.encodeCall(Rewarder.initialize, (admin, _rewardTerms(), 7 days, 1000 ether, treasury))
            )
        );
        assertEq(address(rewarder), market.rewarder, "the last contract is where the others expect it");
    }

    function _proxy(address implementation, bytes memory initialization) internal returns (address) {
        return address(new ERC1967Proxy(implementation, initialization));
    }

    function _stakeTerms() internal pure returns (StakeTerms memory) {
        return StakeTerms({
            wholePerDevice: 100,
            wholePerCore: 1,
            wholeMinimumPerMachine: 10,
            wholeMinimumPerProvider: uint32(MINIMUM_WHOLE),
            unbondingSeconds: UNBONDING,
            maxCommissionBps: 5000,
            maxMisconductBps: 10_000,
            maxDowntimeBps: 1000,
            downtimeCooldownSeconds: COOLDOWN
        });
    }

    function _policy() private pure returns (Policy memory policy) {
        policy.rulesVersion = 1;
        policy.weightPriceBps = 10_000;
        policy.saturationWhole = 100_000;
        policy.complianceCapBps = 12_000;
        policy.defaultUptimeBps = 9500;
        policy.defaultReputationBps = 5000;
        policy.maxMatches = 512;
        policy.quorumBps = 6667;
        policy.minTotalStake = 1;
        policy.maxTableAgeSeconds = 1 days;
        policy.coolRounds = 10;
        policy.selfMatchRounds = 30;
    }

    /// Nobody reads a price here.
    function _feedTerms() private pure returns (FeedTerms memory terms) {
        (terms.rewardTokenFeed, terms.nativeFeed) = (address(1), address(2));
        (terms.rewardHeartbeatSeconds, terms.nativeHeartbeatSeconds) = (1 days, 1 days);
        (terms.rewardMinMicroUsd, terms.rewardMaxMicroUsd) = (1, 2);
        (terms.nativeMinMicroUsd, terms.nativeMaxMicroUsd) = (1, 2);
    }

    function _rewardTerms() private pure returns (RewardTerms memory) {
        return RewardTerms({
            gpuPointsMilli: 20_000,
            cpuPointsMilli: 100,
            tierMultiplierBps: [uint16(20_000), 17_000, 15_000, 12_000, 11_000, 10_000, 0],
            slashLineBps: [uint16(8500), 8000, 7500, 7000, 6500, 6000, 0],
            complianceCapBps: 12_000,
            cooldownSeconds: 3600,
            pointMicroUsd: 10_000,
            operatorPoolMicroUsd: 100_000_000,
            maxRefundGasPriceWei: 100 gwei,
            maxRefundGas: 16_000_000,
            maxPerEra: 1_000_000 ether
        });
    }

    // ---- providers

    function _register(address account) internal returns (uint24 id) {
        vm.prank(account);
        (, id) = admission.propose(
            ProviderProposal({ name: "provider", hostUri: "https://provider.example", region: 33, tier: 7, devices: 8, cores: 64 })
        );
    }

    /// Own stake and status Active.
    function _activate(uint24 id, uint256 ownWhole) internal {
        _stake(id, stranger, ownWhole * 1 ether);
        vm.prank(registry.providerOwner(id));
        registry.activateProvider(id);
    }

    /// A machine of `MACHINE_WHOLE` that has never been active.
    function _machine(uint24 id) internal returns (uint32 machineId) {
        vm.prank(registry.providerOwner(id));
        return registry.registerMachine(
            id, MachineSpec({ model: 7, region: 33, cpuMilli: 64_000, memoryMib: 262_144, storageGib: 4096, deviceCount: 8 })
        );
    }

    function _p0(uint24 id) internal view returns (ProviderWord) {
        return ProviderWord.wrap(uint256(registry.providerWord(id)));
    }

    function _status(uint24 id) internal view returns (ProviderStatus) {
        return ProviderStatus(_p0(id).status());
    }

    // ---- orders

    /// Writes the order's words as OrderRequest would: whose it is, its state, and of a lease the provider.
    function _writeOrder(uint32 orderId, address account, OrderState state, uint24 leasedFrom) internal {
        OrderOwnerWord ownerWord = OrderOwnerWordLib.encode(account, 5_000_000, 600, uint32(block.timestamp + 30 days));
        vm.store(address(orders), bytes32(Slots.orderOwner(orderId)), bytes32(OrderOwnerWord.unwrap(ownerWord)));
        vm.store(address(orders), bytes32(Slots.order(orderId)), bytes32((uint256(state) << 53) | (uint256(leasedFrom) << 8)));
        assertEq(orders.ownerWord(orderId), bytes32(OrderOwnerWord.unwrap(ownerWord)));
    }

    // ---- stake

    function _approve(address account, address spender, uint256 amount) internal {
        stakeToken.mint(account, amount);
        vm.prank(account);
        stakeToken.approve(spender, amount);
    }

    function _stake(uint24 id, address account, uint256 amount) internal {
        _approve(account, address(staking), amount);
        vm.prank(account);
        staking.stake(id, amount);
    }

    function _delegate(uint24 id, address account, uint256 amount) internal returns (uint256 shares) {
        _approve(account, address(staking), amount);
        vm.prank(account);
        return staking.delegate(id, amount);
    }

    function _undelegate(uint24 id, address account, uint256 shares) internal returns (uint32 unbondingId) {
        vm.prank(account);
        return staking.requestUndelegate(id, shares);
    }

    function _unstake(uint24 id, uint256 amount) internal returns (uint32 unbondingId) {
        vm.prank(registry.providerOwner(id));
        return staking.requestUnstake(id, amount);
    }

    function _withdraw(uint24 id, address account, uint32 unbondingId) internal returns (uint256) {
        vm.prank(account);
        return staking.withdrawUnbonded(id, unbondingId);
    }

    function _misconduct(uint24 id, uint16 amountBps, bytes32 evidenceHash) internal returns (uint256) {
        return staking.slash(
            SlashOrder({
                providerId: id, cause: SlashCause.Misconduct, amountBps: amountBps, orderId: 0, harm: 0, evidenceHash: evidenceHash
            })
        );
    }

    /// What the account could ever take out of this provider, in token units.
    function _redeemable(uint24 id, address account, uint32 unbondings) internal view returns (uint256 amount) {
        (, amount) = staking.delegationOf(id, account);
        for (uint32 unbondingId = 1; unbondingId <= unbondings; ++unbondingId) {
            (uint256 part,,) = staking.unbondingOf(id, account, unbondingId);
            amount += part;
        }
    }

    function _assertSolvent() internal view {
        assertEq(stakeToken.balanceOf(address(staking)), staking.liabilities(), "balance is what is owed");
    }
}
