// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManagedUpgradeable } from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import { ERC1967Utils } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { UUPSUpgradeable } from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import { Bid } from "../../src/market/Bid.sol";
import { CertificateRegistry } from "../../src/market/CertificateRegistry.sol";
import { ComplianceRegistry } from "../../src/market/ComplianceRegistry.sol";
import { ComputeLease } from "../../src/market/ComputeLease.sol";
import { Escrow } from "../../src/market/Escrow.sol";
import { LeaseEnd } from "../../src/market/IComputeLease.sol";
import { ResourceCategory } from "../../src/market/IProviderAttributes.sol";
import { ISignedCalls } from "../../src/market/ISignedCalls.sol";
import { MatchPolicy } from "../../src/market/MatchPolicy.sol";
import { ProviderAdmission } from "../../src/market/ProviderAdmission.sol";
import { ProviderAttributes } from "../../src/market/ProviderAttributes.sol";
import { SignedCalls } from "../../src/market/SignedCalls.sol";
import { StakingManager } from "../../src/market/StakingManager.sol";
import { TokenRegistry } from "../../src/market/TokenRegistry.sol";
import { RewardOracle } from "../../src/rewards/RewardOracle.sol";
import { Rewarder } from "../../src/rewards/Rewarder.sol";
import { MarketPause } from "../../src/governance/MarketPause.sol";
import {
    BidV2,
    CertificateRegistryV2,
    ComplianceRegistryV2,
    ComputeLeaseV2,
    EscrowV2,
    INextVersion,
    MarketPauseV2,
    MatchPolicyV2,
    ProviderAdmissionV2,
    ProviderAttributesV2,
    RewardOracleV2,
    RewarderV2,
    SignedCallsV2,
    StakingManagerV2,
    TokenRegistryV2
} from "./NextVersions.sol";
import { PopulatedMarket } from "./PopulatedMarket.sol";
import { noPacking } from "../rules/NoPacking.sol";

/// @notice S23: an upgrade of any module, on a market in full swing, keeps every slot it wrote and every answer it gives.
contract UpgradeKeepsStateTest is PopulatedMarket {
    bytes[] private views;

    function setUp() public override {
        vm.record();
        super.setUp();
        _populate();
    }

    function test_S23_marketPause() public {
        _view(abi.encodeCall(marketPause.pausedUntil, ()));
        _upgrades(market.pause, address(new MarketPauseV2()), 1);
    }

    function test_S23_tokenRegistry() public {
        _view(abi.encodeCall(tokenRegistry.tokenOf, (USD)));
        _view(abi.encodeCall(tokenRegistry.idOf, (address(usd))));
        _view(abi.encodeCall(tokenRegistry.isApproved, (USD)));
        _view(abi.encodeCall(tokenRegistry.tokenCount, ()));
        _upgrades(market.tokenRegistry, address(new TokenRegistryV2()), 4);
    }

    function test_S23_matchPolicy() public {
        uint32 round = matchPolicy.openRound();
        _view(abi.encodeCall(matchPolicy.openRound, ()));
        _view(abi.encodeCall(matchPolicy.fromRoundNow, ()));
        _view(abi.encodeCall(matchPolicy.snapshotBlock, (round)));
        _view(abi.encodeCall(matchPolicy.roundTerms, (round)));
        _upgrades(market.matchPolicy, address(new MatchPolicyV2(false)), 2);
    }

    function test_S23_stakingManager() public {
        _view(abi.encodeCall(stakingManager.stakeTerms, ()));
        _view(abi.encodeCall(stakingManager.stakeOf, (providerId)));
        _view(abi.encodeCall(stakingManager.stakeOf, (fallenId)));
        _view(abi.encodeCall(stakingManager.ownStakeWhole, (providerId)));
        _view(abi.encodeCall(stakingManager.delegationOf, (providerId, delegator)));
        _view(abi.encodeCall(stakingManager.unbondingOf, (providerId, delegator, delegatedUnbonding)));
        _view(abi.encodeCall(stakingManager.unbondingOf, (providerId, providerOwner, ownUnbonding)));
        _view(abi.encodeCall(stakingManager.commissionBps, (providerId, uint40(block.timestamp + 365 days))));
        _view(abi.encodeCall(stakingManager.compensationOf, (treasury)));
        _view(abi.encodeCall(stakingManager.liabilities, ()));
        _view(abi.encodeCall(stakingManager.stakingToken, ()));
        _upgrades(market.stakingManager, address(new StakingManagerV2(market, address(stakeToken))), 12);
    }

    function test_S23_complianceRegistry() public {
        _view(abi.encodeCall(complianceRegistry.auditorOf, (auditor)));
        _view(abi.encodeCall(complianceRegistry.complianceBps, (providerId, block.timestamp)));
        _view(abi.encodeCall(complianceRegistry.reportAuditor, (providerId, 0)));
        _view(abi.encodeCall(complianceRegistry.liabilities, ()));
        _upgrades(market.complianceRegistry, address(new ComplianceRegistryV2(market, address(stakeToken))), 5);
    }

    function test_S23_providerAdmission() public {
        _view(abi.encodeCall(providerAdmission.proposalOf, (1)));
        _view(abi.encodeCall(providerAdmission.proposalOf, (2)));
        _view(abi.encodeCall(providerAdmission.autoApproval, ()));
        _view(abi.encodeCall(providerAdmission.councilQuorum, ()));
        _upgrades(market.providerAdmission, address(new ProviderAdmissionV2(market)), 4);
    }

    function test_S23_providerAttributes() public {
        _view(abi.encodeCall(providerAttributes.resourceOf, (1)));
        _view(abi.encodeCall(providerAttributes.resourceCount, ()));
        _view(abi.encodeCall(providerAttributes.activeAttributes, (providerId, ResourceCategory.Gpu)));
        _view(abi.encodeCall(providerAttributes.pendingHash, (providerId, ResourceCategory.Gpu)));
        _upgrades(market.providerAttributes, address(new ProviderAttributesV2(market)), 5);
    }

    function test_S23_certificateRegistry() public {
        _view(abi.encodeCall(certificateRegistry.isValid, (providerOwner, keccak256("key"))));
        _view(abi.encodeCall(certificateRegistry.certificatesOf, (providerOwner)));
        _upgrades(market.certificateRegistry, address(new CertificateRegistryV2()), 3);
    }

    function test_S23_escrow() public {
        address[4] memory accounts = [tenant, providerOwner, treasury, foundation];
        for (uint256 i; i < accounts.length; ++i) {
            _view(abi.encodeCall(escrow.balanceOf, (accounts[i], USD)));
        }
        uint32[4] memory orders = [running, matched, open, cancelled];
        for (uint256 i; i < orders.length; ++i) {
            _view(abi.encodeCall(escrow.lockOf, (orders[i])));
        }
        _view(abi.encodeCall(escrow.sponsoredBalanceOf, (tenant, sponsor, USD)));
        _view(abi.encodeCall(escrow.sponsorOf, (tenant)));
        _view(abi.encodeCall(escrow.bondsOf, (providerOwner, USD)));
        _view(abi.encodeCall(escrow.feeTerms, ()));
        _view(abi.encodeCall(escrow.lockAmount, (USD, 1_000_000)));
        _view(abi.encodeCall(escrow.liabilities, (USD)));
        _upgrades(market.escrow, address(new EscrowV2(market)), 20);
    }

    function test_S23_bid() public {
        _view(abi.encodeCall(bid.bidTerms, ()));
        _view(abi.encodeCall(bid.bidOf, (open, providerId)));
        _view(abi.encodeCall(bid.heldBids, (providerId)));
        _upgrades(market.bid, address(new BidV2(market, false)), 3);
    }

    function test_S23_computeLease() public {
        _view(abi.encodeCall(computeLease.getLease, (running)));
        _view(abi.encodeCall(computeLease.accrued, (running)));
        _view(abi.encodeCall(computeLease.nextDeadline, (running)));
        _view(abi.encodeCall(computeLease.pendingUpdate, (running)));
        _view(abi.encodeCall(computeLease.getLease, (matched)));
        _view(abi.encodeCall(computeLease.nextDeadline, (matched)));
        _view(abi.encodeCall(computeLease.leaseTerms, ()));
        _upgrades(market.computeLease, address(new ComputeLeaseV2(market)), 7);
    }

    function test_S23_signedCalls() public {
        _view(abi.encodeCall(ISignedCalls.nonces, (tenant, 0)));
        _view(abi.encodeCall(signedCalls.eip712Domain, ()));
        _upgrades(market.signedCalls, address(new SignedCallsV2(market)), 2);
    }

    function test_S23_rewardOracle() public {
        _view(abi.encodeCall(rewardOracle.eraTerms, ()));
        _view(abi.encodeCall(rewardOracle.feedTerms, ()));
        _view(abi.encodeCall(rewardOracle.currentEra, ()));
        _view(abi.encodeCall(rewardOracle.resultOf, (0, providerId)));
        _upgrades(market.rewardOracle, address(new RewardOracleV2(market)), 6);
    }

    function test_S23_rewarder() public {
        _view(abi.encodeCall(rewarder.totalFunded, ()));
        _view(abi.encodeCall(rewarder.totalClaimed, ()));
        _view(abi.encodeCall(rewarder.creditOf, (treasury)));
        _view(abi.encodeCall(rewarder.rewardWalletOf, (providerOwner)));
        _view(abi.encodeCall(rewarder.rootOf, (0)));
        _view(abi.encodeCall(rewarder.activeEra, ()));
        _view(abi.encodeCall(rewarder.closedEra, (0)));
        _view(abi.encodeCall(rewarder.rewardTerms, ()));
        _view(abi.encodeCall(rewarder.rewardToken, ()));
        _upgrades(market.rewarder, address(new RewarderV2(market, address(rewardToken))), 10);
    }

    /// After everything was replaced everybody still gets what they are owed.
    function test_S23_theMarketGoesOnWhenEverythingWasReplaced() public {
        _replaceAll();
        assertEq(rewarder.claim(providerOwner, REWARD, new bytes32[](0)), REWARD);
        assertGt(computeLease.claim(running), 0);
        computeLease.endLease(running);
        assertEq(uint256(computeLease.getLease(running).end), uint256(LeaseEnd.PaidThrough));
        orderRequest.refund(cancelled);
        address[4] memory accounts = [tenant, providerOwner, treasury, foundation];
        for (uint256 i; i < accounts.length; ++i) {
            uint256 balance = escrow.balanceOf(accounts[i], USD);
            vm.prank(accounts[i]);
            escrow.withdraw(USD, balance);
            assertEq(usd.balanceOf(accounts[i]), balance);
        }
        assertEq(usd.balanceOf(address(escrow)), escrow.liabilities(USD));
        assertEq(stakeToken.balanceOf(address(stakingManager)), stakingManager.liabilities());
        _order(_spec());
    }

    /// What a module keeps beside its mappings lies where ERC-7201's formula says, and nothing in the first slots.
    function test_S23_slotsEqualTheFormula() public {
        _inNamespace(market.pause, "matchmaker.storage.MarketPause");
        _inNamespace(market.tokenRegistry, "matchmaker.storage.TokenRegistry");
        _inNamespace(market.stakingManager, "matchmaker.storage.StakingManager");
        _inNamespace(market.complianceRegistry, "matchmaker.storage.ComplianceRegistry");
        _inNamespace(market.providerAdmission, "matchmaker.storage.ProviderAdmission");
        _inNamespace(market.providerAttributes, "matchmaker.storage.ProviderAttributes");
        _inNamespace(market.escrow, "matchmaker.storage.Escrow");
        _inNamespace(market.bid, "matchmaker.storage.Bid");
        _inNamespace(market.computeLease, "matchmaker.storage.ComputeLease");
        _inNamespace(market.rewardOracle, "matchmaker.storage.RewardOracle");
        _inNamespace(market.rewarder, "matchmaker.storage.Rewarder");
    }

    // ---- S23: implementations are nobody's

    function test_S23_noImplementationAndNoProxyCanBeInitialized() public {
        address a = market.authority;
        _closed(market.pause, abi.encodeCall(MarketPause.initialize, (a)));
        _closed(market.tokenRegistry, abi.encodeCall(TokenRegistry.initialize, (a)));
        _closed(market.matchPolicy, abi.encodeCall(MatchPolicy.initialize, (a, 8, _defaultPolicy(), noPacking())));
        _closed(market.stakingManager, abi.encodeCall(StakingManager.initialize, (a, _stakeTerms(), treasury)));
        _closed(market.complianceRegistry, abi.encodeCall(ComplianceRegistry.initialize, (a, 1, 1, treasury)));
        _closed(market.providerAdmission, abi.encodeCall(ProviderAdmission.initialize, (a, true, 0)));
        _closed(market.providerAttributes, abi.encodeCall(ProviderAttributes.initialize, (a)));
        _closed(market.certificateRegistry, abi.encodeCall(CertificateRegistry.initialize, (a)));
        _closed(market.escrow, abi.encodeCall(Escrow.initialize, (a, _feeTerms())));
        _closed(market.bid, abi.encodeCall(Bid.initialize, (a, _bidTerms())));
        _closed(market.computeLease, abi.encodeCall(ComputeLease.initialize, (a, _leaseTerms())));
        _closed(market.signedCalls, abi.encodeCall(SignedCalls.initialize, (a)));
        _closed(market.rewardOracle, abi.encodeCall(RewardOracle.initialize, (a, 1, 1, _feedTerms())));
        _closed(market.rewarder, abi.encodeCall(Rewarder.initialize, (a, _rewardTerms(), 1, 1, treasury)));
    }

    // ---- inner

    function _inNamespace(address proxy, string memory namespace) private {
        uint256 base = uint256(SlotDerivation.erc7201Slot(namespace));
        (, bytes32[] memory written) = vm.accesses(proxy);
        bool found;
        for (uint256 i; i < written.length; ++i) {
            uint256 slot = uint256(written[i]);
            assertGt(slot, type(uint128).max, "a state variable outside of every namespace");
            if (slot >= base && slot < base + 32) found = true;
        }
        assertTrue(found, namespace);
    }

    function _view(bytes memory call) private {
        views.push(call);
    }

    /// Upgrades and compares: all slots the module ever wrote (at least `leastSlots` of them are not zero), and all answers.
    function _upgrades(address proxy, address next, uint256 leastSlots) private {
        (, bytes32[] memory written) = vm.accesses(proxy);
        bytes32[] memory values = new bytes32[](written.length);
        uint256 filled;
        for (uint256 i; i < written.length; ++i) {
            values[i] = vm.load(proxy, written[i]);
            if (values[i] != 0) ++filled;
        }
        assertGe(filled, leastSlots, "the module has state to keep");
        bytes[] memory answers = _answers(proxy);

        UUPSUpgradeable(proxy).upgradeToAndCall(next, "");
        assertEq(_implementation(proxy), next);
        _same(proxy, written, values, answers);
        assertEq(INextVersion(proxy).added(), 0, "the appended field begins empty");
        INextVersion(proxy).setAdded(type(uint256).max);
        assertEq(INextVersion(proxy).added(), type(uint256).max);
        _same(proxy, written, values, answers);
        assertEq(AccessManagedUpgradeable(proxy).authority(), market.authority);
    }

    function _same(address proxy, bytes32[] memory written, bytes32[] memory values, bytes[] memory answers) private view {
        for (uint256 i; i < written.length; ++i) {
            if (written[i] != ERC1967Utils.IMPLEMENTATION_SLOT) assertEq(vm.load(proxy, written[i]), values[i], "slot");
        }
        bytes[] memory now_ = _answers(proxy);
        for (uint256 i; i < now_.length; ++i) {
            assertEq(now_[i], answers[i], string.concat("view ", vm.toString(i)));
        }
    }

    function _answers(address proxy) private view returns (bytes[] memory answers) {
        answers = new bytes[](views.length);
        for (uint256 i; i < views.length; ++i) {
            bool done;
            (done, answers[i]) = proxy.staticcall(views[i]);
            assertTrue(done, string.concat("view ", vm.toString(i)));
        }
    }

    function _replaceAll() private {
        UUPSUpgradeable(market.pause).upgradeToAndCall(address(new MarketPauseV2()), "");
        UUPSUpgradeable(market.tokenRegistry).upgradeToAndCall(address(new TokenRegistryV2()), "");
        UUPSUpgradeable(market.matchPolicy).upgradeToAndCall(address(new MatchPolicyV2(false)), "");
        UUPSUpgradeable(market.stakingManager).upgradeToAndCall(address(new StakingManagerV2(market, address(stakeToken))), "");
        UUPSUpgradeable(market.complianceRegistry).upgradeToAndCall(address(new ComplianceRegistryV2(market, address(stakeToken))), "");
        UUPSUpgradeable(market.providerAdmission).upgradeToAndCall(address(new ProviderAdmissionV2(market)), "");
        UUPSUpgradeable(market.providerAttributes).upgradeToAndCall(address(new ProviderAttributesV2(market)), "");
        UUPSUpgradeable(market.certificateRegistry).upgradeToAndCall(address(new CertificateRegistryV2()), "");
        UUPSUpgradeable(market.escrow).upgradeToAndCall(address(new EscrowV2(market)), "");
        UUPSUpgradeable(market.bid).upgradeToAndCall(address(new BidV2(market, false)), "");
        UUPSUpgradeable(market.computeLease).upgradeToAndCall(address(new ComputeLeaseV2(market)), "");
        UUPSUpgradeable(market.signedCalls).upgradeToAndCall(address(new SignedCallsV2(market)), "");
        UUPSUpgradeable(market.rewardOracle).upgradeToAndCall(address(new RewardOracleV2(market)), "");
        UUPSUpgradeable(market.rewarder).upgradeToAndCall(address(new RewarderV2(market, address(rewardToken))), "");
    }

    function _closed(address proxy, bytes memory initialization) private {
        address implementation = _implementation(proxy);
        address[2] memory targets = [proxy, implementation];
        for (uint256 i; i < targets.length; ++i) {
            (bool done, bytes memory reason) = targets[i].call(initialization);
            assertFalse(done);
            assertEq(bytes4(reason), Initializable.InvalidInitialization.selector);
        }
        vm.expectRevert(UUPSUpgradeable.UUPSUnauthorizedCallContext.selector);
        UUPSUpgradeable(implementation).upgradeToAndCall(implementation, "");
    }

    function _implementation(address proxy) private view returns (address) {
        return address(uint160(uint256(vm.load(proxy, ERC1967Utils.IMPLEMENTATION_SLOT))));
    }
}
