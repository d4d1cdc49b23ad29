// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ComplianceReport } from "../../src/market/IComplianceRegistry.sol";
import { LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { ResourceCategory } from "../../src/market/IProviderAttributes.sol";
import { SlashCause, SlashOrder } from "../../src/market/IStakingManager.sol";
import { ProviderStatus } from "../../src/market/MarketTypes.sol";
import { EraResult } from "../../src/rewards/IRewardOracle.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice A market in full swing: every module holds state of every kind it has, and everybody in it has a way out to take.
abstract contract PopulatedMarket is MarketBase {
    address internal sponsor = makeAddr("sponsor");
    address internal delegator = makeAddr("delegator");
    address internal auditor = makeAddr("auditor");
    address internal challenger = makeAddr("challenger");
    uint24 internal providerId;
    uint24 internal fallenId;
    uint32 internal machineId;
    /// Confirmed, partly paid, with an update asked for.
    uint32 internal running;
    /// Matched, its provider not ready.
    uint32 internal matched;
    /// Open, with a bid.
    uint32 internal open;
    /// Cancelled, its refund due.
    uint32 internal cancelled;
    /// Open, past its time and not yet ended.
    uint32 internal expired;
    uint32 internal ownUnbonding;
    uint32 internal delegatedUnbonding;
    /// What the newest active root gives the provider.
    uint256 internal constant REWARD = 500 ether;

    function _populate() internal {
        _providers();
        _orders();
        _rewards();
    }

    function _providers() private {
        providerId = _provider(providerOwner);
        machineId = _machine(providerId);
        fallenId = _provider(makeAddr("fallen"));
        _declare();
        _delegation();
        _audit();
        stakingManager.slash(
            SlashOrder({
                providerId: fallenId, cause: SlashCause.Misconduct, amountBps: 100, orderId: 0, harm: 0, evidenceHash: keccak256("evidence")
            })
        );
        providerRegistry.setProviderStatus(fallenId, ProviderStatus.Active);
        marketPause.pause(60);
        marketPause.unpause();
    }

    function _declare() private {
        providerAttributes.addResource(ResourceCategory.Gpu, "h100", 80_000);
        uint16[] memory ids = new uint16[](1);
        uint32[] memory units = new uint32[](1);
        (ids[0], units[0]) = (1, 8);
        vm.startPrank(providerOwner);
        providerAttributes.submitAttributes(providerId, ResourceCategory.Gpu, ids, units);
        providerAttributes.submitCapabilities(providerId, 5);
        certificateRegistry.publish(keccak256("key"), uint40(block.timestamp + 365 days));
        vm.stopPrank();
        providerAttributes.approveAttributes(
            providerId, ResourceCategory.Gpu, providerAttributes.pendingHash(providerId, ResourceCategory.Gpu)
        );
        providerAttributes.approveCapabilities(providerId, 5);
        vm.prank(providerOwner);
        providerAttributes.submitCapabilities(providerId, 7);
    }

    function _delegation() private {
        stakeToken.mint(delegator, 300 ether);
        vm.startPrank(delegator);
        stakeToken.approve(address(stakingManager), 300 ether);
        uint256 shares = stakingManager.delegate(providerId, 300 ether);
        delegatedUnbonding = stakingManager.requestUndelegate(providerId, shares / 3);
        vm.stopPrank();
        vm.startPrank(providerOwner);
        ownUnbonding = stakingManager.requestUnstake(providerId, 10 ether);
        stakingManager.setCommission(providerId, 1500);
        vm.stopPrank();
    }

    function _audit() private {
        complianceRegistry.accredit(auditor, 1000);
        stakeToken.mint(auditor, 1000 ether);
        uint16 today = uint16(block.timestamp / 1 days);
        vm.startPrank(auditor);
        stakeToken.approve(address(complianceRegistry), 1000 ether);
        complianceRegistry.postBond(1000 ether);
        complianceRegistry.attest(
            providerId,
            ComplianceReport({
                standard: 1,
                scopeHash: keccak256("scope"),
                reportHash: keccak256("report"),
                uri: "https://auditor.example",
                issueDay: today,
                expiryDay: today + 2,
                bps: 700
            })
        );
        complianceRegistry.requestBondRelease();
        vm.stopPrank();
    }

    function _orders() private {
        usd.mint(sponsor, 1_000_000_000);
        address[] memory sponsored = new address[](1);
        sponsored[0] = tenant;
        vm.startPrank(sponsor);
        usd.approve(address(escrow), 1_000_000_000);
        escrow.depositFor(USD, 1_000_000_000, sponsored);
        vm.stopPrank();
        vm.prank(tenant);
        escrow.chooseSponsor(sponsor);
        running = _order(_spec());
        matched = _order(_spec());
        uint32 round = _openNext();
        bytes memory records = abi.encodePacked(_encode(_record(running, machineId, 1)), _encode(_record(matched, machineId, 2)));
        assertEq(_settle(round, records), 2);
        _confirm(running);
        _rollTo(vm.getBlockNumber() + 100);
        computeLease.claim(running);
        vm.prank(tenant);
        computeLease.requestUpdate(
            running,
            LeaseUpdate({
                milliGpu: 1000,
                cpuMilli: 4000,
                memoryMib: 16_384,
                storageGib: 50,
                maxPriceMicroPerHour: 5_000_000,
                manifestHash: keccak256("newer")
            })
        );
        cancelled = _order(_spec());
        vm.prank(tenant);
        orderRequest.cancel(cancelled);
        vm.prank(tenant);
        expired = orderRequest.createOrder(_spec(), uint32(block.timestamp + 1 hours));
        _rollTo(vm.getBlockNumber() + 2 * ROUND_LENGTH);
        _fund(providerOwner, 5_000_000);
        open = _order(_spec());
        vm.prank(providerOwner);
        bid.placeBid(open, machineId, 1_000_000);
    }

    function _rewards() private {
        rewardToken.mint(address(this), 10_000 ether);
        rewardToken.approve(address(rewarder), 10_000 ether);
        rewarder.fund(10_000 ether);
        vm.warp(vm.getBlockTimestamp() + ERA_SECONDS);
        EraResult[] memory results = new EraResult[](1);
        results[0] = EraResult({
            providerId: providerId, gpuPassedBps: 9900, cpuPassedBps: 9800, reputationBps: 5500, idleSeconds: 60, voided: false
        });
        rewardOracle.postResults(0, results);
        rewarder.closeEra(0);
        rewarder.proposeRoot(0, _rewardRoot(), REWARD, keccak256("list"), "https://rewards.example/0");
        _contested();
        vm.warp(vm.getBlockTimestamp() + 7 days);
        vm.prank(providerOwner);
        rewarder.setRewardWallet(makeAddr("wallet"));
    }

    /// A contest that failed leaves its bond as the treasury's credit.
    function _contested() private {
        rewardToken.mint(challenger, 1000 ether);
        vm.startPrank(challenger);
        rewardToken.approve(address(rewarder), 1000 ether);
        rewarder.contest(0, "https://challenger.example");
        vm.stopPrank();
        rewarder.resolve(0, false);
    }

    /// One leaf is its own root.
    function _rewardRoot() internal view returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(block.chainid, address(rewarder), providerOwner, REWARD))));
    }
}
