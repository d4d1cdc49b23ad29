// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { UUPSUpgradeable } from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import { IMarketPause } from "../governance/IMarketPause.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketRoles } from "../governance/MarketRoles.sol";
import { IBid } from "../market/IBid.sol";
import { IComplianceRegistry } from "../market/IComplianceRegistry.sol";
import { IComputeLease } from "../market/IComputeLease.sol";
import { IEscrow } from "../market/IEscrow.sol";
import { IMatchPolicy } from "../market/IMatchPolicy.sol";
import { IOrderRequest } from "../market/IOrderRequest.sol";
import { IProviderAdmission } from "../market/IProviderAdmission.sol";
import { IProviderAttributes } from "../market/IProviderAttributes.sol";
import { IProviderRegistry } from "../market/IProviderRegistry.sol";
import { IStakingManager } from "../market/IStakingManager.sol";
import { ITokenRegistry } from "../market/ITokenRegistry.sol";
import { IRewardOracle } from "../rewards/IRewardOracle.sol";
import { IRewarder } from "../rewards/IRewarder.sol";

/// @notice A member of a role from the first block on.
struct RoleHolder {
    uint64 role;
    address account;
    /// Seconds between scheduling and executing a call.
    uint32 executionDelay;
}

/// @title The authority that every restricted function of the market asks; born with the whole table of roles.
/// @dev One instance per market. Nobody holds a right that is not in `holders`, but `deployer`, who has the parameters' role without delay
/// until it renounces it: it must, as the last call of a deployment. An upgrade can be had by whoever holds the upgrader's role, and by
/// the governor, who grants it: the real delay of upgrades is the shorter of the two.
contract MarketAuthority is AccessManager {
    constructor(MarketContracts memory market, RoleHolder[] memory holders, address deployer) AccessManager(address(this)) {
        _labelRoles();
        _assignProviders(market);
        _assignEnforcement(market);
        _assignParameters(market);
        _assignUpgrades(market);
        for (uint256 i; i < holders.length; ++i) {
            _grantRole(holders[i].role, holders[i].account, 0, holders[i].executionDelay);
        }
        (bool isParametersHolder,) = hasRole(MarketRoles.PARAMETERS, deployer);
        if (!isParametersHolder) _grantRole(MarketRoles.PARAMETERS, deployer, 0, 0);
        _revokeRole(ADMIN_ROLE, address(this));
    }

    function _labelRoles() private {
        emit RoleLabel(MarketRoles.PROVIDER_VERIFIER, "PROVIDER_VERIFIER");
        emit RoleLabel(MarketRoles.SCORE_ORACLE, "SCORE_ORACLE");
        emit RoleLabel(MarketRoles.COMPLIANCE_OFFICER, "COMPLIANCE_OFFICER");
        emit RoleLabel(MarketRoles.PROVIDER_APPROVER, "PROVIDER_APPROVER");
        emit RoleLabel(MarketRoles.COUNCIL, "COUNCIL");
        emit RoleLabel(MarketRoles.SLASHER, "SLASHER");
        emit RoleLabel(MarketRoles.PARAMETERS, "PARAMETERS");
        emit RoleLabel(MarketRoles.UPGRADER, "UPGRADER");
        emit RoleLabel(MarketRoles.GUARDIAN, "GUARDIAN");
        emit RoleLabel(MarketRoles.REWARD_POSTER, "REWARD_POSTER");
        emit RoleLabel(MarketRoles.REWARD_GUARDIAN, "REWARD_GUARDIAN");
    }

    /// Who lets providers in and judges what they are.
    function _assignProviders(MarketContracts memory market) private {
        _setTargetFunctionRole(market.providerRegistry, IProviderRegistry.setProviderStatus.selector, MarketRoles.PROVIDER_VERIFIER);
        _setTargetFunctionRole(market.providerRegistry, IProviderRegistry.setProviderTier.selector, MarketRoles.PROVIDER_VERIFIER);
        _setTargetFunctionRole(market.providerAttributes, IProviderAttributes.approveAttributes.selector, MarketRoles.PROVIDER_VERIFIER);
        _setTargetFunctionRole(market.providerAttributes, IProviderAttributes.removeAttributesOf.selector, MarketRoles.PROVIDER_VERIFIER);
        _setTargetFunctionRole(market.providerAttributes, IProviderAttributes.approveCapabilities.selector, MarketRoles.PROVIDER_VERIFIER);
        _setTargetFunctionRole(market.providerAttributes, IProviderAttributes.removeCapabilitiesOf.selector, MarketRoles.PROVIDER_VERIFIER);
        _setTargetFunctionRole(market.rewardOracle, IRewardOracle.postResults.selector, MarketRoles.SCORE_ORACLE);
        _setTargetFunctionRole(market.complianceRegistry, IComplianceRegistry.accredit.selector, MarketRoles.COMPLIANCE_OFFICER);
        _setTargetFunctionRole(market.complianceRegistry, IComplianceRegistry.revokeReport.selector, MarketRoles.COMPLIANCE_OFFICER);
        _setTargetFunctionRole(market.providerAdmission, IProviderAdmission.approve.selector, MarketRoles.PROVIDER_APPROVER);
        _setTargetFunctionRole(market.providerAdmission, IProviderAdmission.reject.selector, MarketRoles.PROVIDER_APPROVER);
        _setTargetFunctionRole(market.providerAdmission, IProviderAdmission.vote.selector, MarketRoles.COUNCIL);
    }

    /// Who takes from those that break a rule, and who pulls a brake.
    function _assignEnforcement(MarketContracts memory market) private {
        _setTargetFunctionRole(market.stakingManager, IStakingManager.slash.selector, MarketRoles.SLASHER);
        _setTargetFunctionRole(market.complianceRegistry, IComplianceRegistry.slashAuditor.selector, MarketRoles.SLASHER);
        _setTargetFunctionRole(market.pause, IMarketPause.pause.selector, MarketRoles.GUARDIAN);
        _setTargetFunctionRole(market.pause, IMarketPause.unpause.selector, MarketRoles.GUARDIAN);
        _setTargetFunctionRole(market.rewarder, IRewarder.proposeRoot.selector, MarketRoles.REWARD_POSTER);
        _setTargetFunctionRole(market.rewarder, IRewarder.resolve.selector, MarketRoles.REWARD_GUARDIAN);
        _setTargetFunctionRole(market.rewarder, IRewarder.disableRoot.selector, MarketRoles.REWARD_GUARDIAN);
    }

    function _assignParameters(MarketContracts memory market) private {
        _setTargetFunctionRole(market.tokenRegistry, ITokenRegistry.approveToken.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.tokenRegistry, ITokenRegistry.revokeToken.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.tokenRegistry, ITokenRegistry.reinstateToken.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.matchPolicy, IMatchPolicy.schedule.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.stakingManager, IStakingManager.setStakeTerms.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.stakingManager, IStakingManager.setTreasury.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.complianceRegistry, IComplianceRegistry.setBondTerms.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.complianceRegistry, IComplianceRegistry.setTreasury.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.providerAdmission, IProviderAdmission.setAutoApproval.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.providerAdmission, IProviderAdmission.setCouncilQuorum.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.providerAttributes, IProviderAttributes.addResource.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.providerAttributes, IProviderAttributes.setResourceMultiplier.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.escrow, IEscrow.setFeeTerms.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.orderRequest, IOrderRequest.setBidWindowBlocks.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.bid, IBid.setBidTerms.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.computeLease, IComputeLease.setLeaseTerms.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.rewardOracle, IRewardOracle.setFeedTerms.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.rewarder, IRewarder.setRewardTerms.selector, MarketRoles.PARAMETERS);
        _setTargetFunctionRole(market.rewarder, IRewarder.setDistributionTerms.selector, MarketRoles.PARAMETERS);
    }

    function _assignUpgrades(MarketContracts memory market) private {
        address[14] memory proxies = [
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
        for (uint256 i; i < proxies.length; ++i) {
            _setTargetFunctionRole(proxies[i], UUPSUpgradeable.upgradeToAndCall.selector, MarketRoles.UPGRADER);
        }
    }
}
