// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";
import { IAccessManager } from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import { UUPSUpgradeable } from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import { MarketAuthority, RoleHolder } from "../../src/deploy/MarketAuthority.sol";
import { MarketRoles } from "../../src/governance/MarketRoles.sol";
import { ResourceCategory } from "../../src/market/IProviderAttributes.sol";
import { SlashCause, SlashOrder } from "../../src/market/IStakingManager.sol";
import { ProviderStatus } from "../../src/market/MarketTypes.sol";
import { EraResult } from "../../src/rewards/IRewardOracle.sol";
import { MarketBase } from "../MarketBase.t.sol";
import { noPacking } from "../rules/NoPacking.sol";

/// @notice Each restricted function of each contract, tried by every role: exactly the one that is meant gets past the authority.
contract RoleMatrixTest is MarketBase {
    struct Restricted {
        address target;
        bytes call;
        uint64 role;
    }

    uint64 private constant ROLES = MarketRoles.REWARD_GUARDIAN + 1;
    address[14] private proxies;
    Restricted[] private functions;

    function setUp() public override {
        super.setUp();
        manager.renounceRole(MarketRoles.PARAMETERS, address(this));
        proxies = [
            market.pause,
            market.tokenRegistry,
            market.matchPolicy,
            market.stakingManager,
            market.complianceRegistry,
            market.providerAdmission,
            market.providerAttributes,
            market.certificateRegistry,
            market.escrow,
            market.bid,
            market.computeLease,
            market.signedCalls,
            market.rewardOracle,
            market.rewarder
        ];
        _listProviders();
        _listEnforcement();
        _listParameters();
        for (uint256 i; i < proxies.length; ++i) {
            _list(proxies[i], abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (address(this), "")), MarketRoles.UPGRADER);
        }
    }

    /// Every role with an account of its own, without delays.
    function _roleHolders() internal pure override returns (RoleHolder[] memory holders) {
        holders = new RoleHolder[](ROLES);
        for (uint64 role; role < ROLES; ++role) {
            holders[role] = RoleHolder({ role: role, account: _holder(role), executionDelay: 0 });
        }
    }

    function _holder(uint64 role) private pure returns (address) {
        return address(uint160(0xa0000 + role));
    }

    function test_exactlyTheMeantRolePasses() public {
        for (uint256 i; i < functions.length; ++i) {
            Restricted memory tried = functions[i];
            for (uint64 role; role < ROLES; ++role) {
                address caller = _holder(role);
                vm.prank(caller);
                (bool done, bytes memory answer) = tried.target.call(tried.call);
                bool refused =
                    !done && keccak256(answer) == keccak256(abi.encodeCall(IAccessManagedErrors.AccessManagedUnauthorized, (caller)));
                assertEq(refused, role != tried.role, string.concat("function ", vm.toString(i), " by role ", vm.toString(role)));
            }
            (bool byDeployer, bytes memory reason) = tried.target.call(tried.call);
            assertFalse(byDeployer);
            assertEq(reason, abi.encodeCall(IAccessManagedErrors.AccessManagedUnauthorized, (address(this))));
        }
    }

    /// The list above is whole: the authority was told of as many functions, each of them once.
    function test_theMatrixNamesEveryAssignedFunction() public {
        vm.recordLogs();
        new MarketAuthority(market, _roleHolders(), address(this));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 assigned;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] == IAccessManager.TargetFunctionRoleUpdated.selector) ++assigned;
        }
        assertEq(functions.length, assigned);
        for (uint256 i; i < functions.length; ++i) {
            for (uint256 k; k < i; ++k) {
                bool same = functions[i].target == functions[k].target && bytes4(functions[i].call) == bytes4(functions[k].call);
                assertFalse(same, "listed twice");
            }
        }
    }

    function test_theDeployerKeepsNothing() public view {
        for (uint64 role; role < ROLES; ++role) {
            (bool held,) = manager.hasRole(role, address(this));
            assertFalse(held);
            (held,) = manager.hasRole(role, address(manager));
            assertFalse(held);
        }
    }

    /// No role reaches the authority's own functions but the governor.
    function test_onlyTheGovernorGrants() public {
        for (uint64 role = 1; role < ROLES; ++role) {
            address caller = _holder(role);
            vm.prank(caller);
            vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedAccount.selector, caller, uint64(0)));
            manager.grantRole(MarketRoles.UPGRADER, caller, 0);
        }
        vm.prank(_holder(0));
        manager.grantRole(MarketRoles.UPGRADER, address(7), 0);
        (bool held,) = manager.hasRole(MarketRoles.UPGRADER, address(7));
        assertTrue(held);
    }

    // ---- the table of DESIGN: who may call what

    function _list(address target, bytes memory call, uint64 role) private {
        functions.push(Restricted({ target: target, call: call, role: role }));
    }

    function _listProviders() private {
        uint64 role = MarketRoles.PROVIDER_VERIFIER;
        _list(market.providerRegistry, abi.encodeCall(providerRegistry.setProviderStatus, (1, ProviderStatus.Active)), role);
        _list(market.providerRegistry, abi.encodeCall(providerRegistry.setProviderTier, (1, 1)), role);
        _list(market.providerAttributes, abi.encodeCall(providerAttributes.approveAttributes, (1, ResourceCategory.Gpu, 0)), role);
        _list(market.providerAttributes, abi.encodeCall(providerAttributes.removeAttributesOf, (1, ResourceCategory.Gpu)), role);
        _list(market.providerAttributes, abi.encodeCall(providerAttributes.approveCapabilities, (1, 1)), role);
        _list(market.providerAttributes, abi.encodeCall(providerAttributes.removeCapabilitiesOf, (1)), role);
        _list(market.providerAdmission, abi.encodeCall(providerAdmission.approve, (1)), MarketRoles.PROVIDER_APPROVER);
        _list(market.providerAdmission, abi.encodeCall(providerAdmission.reject, (1)), MarketRoles.PROVIDER_APPROVER);
        _list(market.providerAdmission, abi.encodeCall(providerAdmission.vote, (1, true)), MarketRoles.COUNCIL);
        role = MarketRoles.COMPLIANCE_OFFICER;
        _list(market.complianceRegistry, abi.encodeCall(complianceRegistry.accredit, (address(9), 500)), role);
        _list(market.complianceRegistry, abi.encodeCall(complianceRegistry.revokeReport, (1, address(9))), role);
        _list(market.rewardOracle, abi.encodeCall(rewardOracle.postResults, (0, new EraResult[](0))), MarketRoles.SCORE_ORACLE);
    }

    function _listEnforcement() private {
        SlashOrder memory order = SlashOrder({
            providerId: 1, cause: SlashCause.Misconduct, amountBps: 1, orderId: 0, harm: 0, evidenceHash: bytes32(uint256(1))
        });
        _list(market.stakingManager, abi.encodeCall(stakingManager.slash, (order)), MarketRoles.SLASHER);
        _list(market.complianceRegistry, abi.encodeCall(complianceRegistry.slashAuditor, (address(9), 1, 0)), MarketRoles.SLASHER);
        _list(market.pause, abi.encodeCall(marketPause.pause, (0)), MarketRoles.GUARDIAN);
        _list(market.pause, abi.encodeCall(marketPause.unpause, ()), MarketRoles.GUARDIAN);
        _list(market.rewarder, abi.encodeCall(rewarder.proposeRoot, (0, 0, 0, 0, "")), MarketRoles.REWARD_POSTER);
        _list(market.rewarder, abi.encodeCall(rewarder.resolve, (0, true)), MarketRoles.REWARD_GUARDIAN);
        _list(market.rewarder, abi.encodeCall(rewarder.disableRoot, (0)), MarketRoles.REWARD_GUARDIAN);
    }

    function _listParameters() private {
        uint64 role = MarketRoles.PARAMETERS;
        _list(market.tokenRegistry, abi.encodeCall(tokenRegistry.approveToken, (address(stakeToken), 0)), role);
        _list(market.tokenRegistry, abi.encodeCall(tokenRegistry.revokeToken, (USD)), role);
        _list(market.tokenRegistry, abi.encodeCall(tokenRegistry.reinstateToken, (USD)), role);
        _list(market.matchPolicy, abi.encodeCall(matchPolicy.schedule, (9, 8, _defaultPolicy(), noPacking())), role);
        _list(market.stakingManager, abi.encodeCall(stakingManager.setStakeTerms, (_stakeTerms())), role);
        _list(market.stakingManager, abi.encodeCall(stakingManager.setTreasury, (treasury)), role);
        _list(market.complianceRegistry, abi.encodeCall(complianceRegistry.setBondTerms, (1, 1)), role);
        _list(market.complianceRegistry, abi.encodeCall(complianceRegistry.setTreasury, (treasury)), role);
        _list(market.providerAdmission, abi.encodeCall(providerAdmission.setAutoApproval, (false)), role);
        _list(market.providerAdmission, abi.encodeCall(providerAdmission.setCouncilQuorum, (3)), role);
        _list(market.providerAttributes, abi.encodeCall(providerAttributes.addResource, (ResourceCategory.Gpu, "h100", 10_000)), role);
        _list(market.providerAttributes, abi.encodeCall(providerAttributes.setResourceMultiplier, (1, 10_000)), role);
        _list(market.escrow, abi.encodeCall(escrow.setFeeTerms, (_feeTerms())), role);
        _list(market.orderRequest, abi.encodeCall(orderRequest.setBidWindowBlocks, (BID_WINDOW)), role);
        _list(market.bid, abi.encodeCall(bid.setBidTerms, (_bidTerms())), role);
        _list(market.computeLease, abi.encodeCall(computeLease.setLeaseTerms, (_leaseTerms())), role);
        _list(market.rewardOracle, abi.encodeCall(rewardOracle.setFeedTerms, (_feedTerms())), role);
        _list(market.rewarder, abi.encodeCall(rewarder.setRewardTerms, (_rewardTerms())), role);
        _list(market.rewarder, abi.encodeCall(rewarder.setDistributionTerms, (1 days, 1, treasury)), role);
    }
}

/// @notice Errors as calls, for comparing what came back byte by byte.
interface IAccessManagedErrors {
    function AccessManagedUnauthorized(address caller) external;
}
