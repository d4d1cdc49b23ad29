// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { UUPSUpgradeable } from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { IBid } from "../../src/market/IBid.sol";
import { ICertificateRegistry } from "../../src/market/ICertificateRegistry.sol";
import { IComplianceRegistry } from "../../src/market/IComplianceRegistry.sol";
import { IComputeLease } from "../../src/market/IComputeLease.sol";
import { IEscrow } from "../../src/market/IEscrow.sol";
import { IMatchPolicy } from "../../src/market/IMatchPolicy.sol";
import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { IProviderAdmission } from "../../src/market/IProviderAdmission.sol";
import { IProviderAttributes } from "../../src/market/IProviderAttributes.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { ISignedCalls } from "../../src/market/ISignedCalls.sol";
import { IStakingManager } from "../../src/market/IStakingManager.sol";
import { ITokenRegistry } from "../../src/market/ITokenRegistry.sol";
import { IRewardOracle } from "../../src/rewards/IRewardOracle.sol";
import { IRewarder } from "../../src/rewards/IRewarder.sol";

/// @notice The calls that a campaign must have seen succeed; without them its invariants could hold for an idle market.
library Reach {
    /// @notice Every call that the campaign makes on purpose.
    function selectors() internal pure returns (bytes4[] memory list) {
        bytes memory packed = bytes.concat(_money(), _leases(), _providers(), _enforcement(), _rewards(), _signed());
        list = new bytes4[](packed.length / 4);
        for (uint256 i; i < list.length; ++i) {
            bytes4 selector;
            assembly ("memory-safe") {
                selector := mload(add(add(packed, 32), mul(i, 4)))
            }
            list[i] = selector;
        }
    }

    function _money() private pure returns (bytes memory list) {
        list = bytes.concat(
            IEscrow.deposit.selector,
            IEscrow.withdraw.selector,
            IEscrow.depositFor.selector,
            IEscrow.withdrawSponsored.selector,
            IEscrow.chooseSponsor.selector,
            IEscrow.setFeeTerms.selector
        );
        list = bytes.concat(
            list,
            IOrderRequest.createOrder.selector,
            IOrderRequest.replaceOrder.selector,
            IOrderRequest.cancel.selector,
            IOrderRequest.expire.selector,
            IOrderRequest.refund.selector,
            IOrderRequest.setBidWindowBlocks.selector
        );
        list = bytes.concat(
            list, IMatchSettlement.settle.selector, IMatchSettlement.selfMatch.selector, IMatchSettlement.recordTable.selector
        );
    }

    function _leases() private pure returns (bytes memory list) {
        list = bytes.concat(
            IComputeLease.markReady.selector,
            IComputeLease.announceManifest.selector,
            IComputeLease.confirmDeployment.selector,
            IComputeLease.requestUpdate.selector,
            IComputeLease.cancelUpdate.selector,
            IComputeLease.acceptUpdate.selector
        );
        list = bytes.concat(
            list,
            IComputeLease.renewLease.selector,
            IComputeLease.topUp.selector,
            IComputeLease.closeLease.selector,
            IComputeLease.endLease.selector,
            IComputeLease.releaseExcess.selector,
            IComputeLease.claim.selector
        );
        list = bytes.concat(
            list,
            IComputeLease.setLeaseTerms.selector,
            IBid.placeBid.selector,
            IBid.withdrawBid.selector,
            IBid.releaseBond.selector,
            IBid.setBidTerms.selector
        );
    }

    function _providers() private pure returns (bytes memory list) {
        list = bytes.concat(
            IProviderAdmission.propose.selector,
            IProviderAdmission.approve.selector,
            IProviderAdmission.reject.selector,
            IProviderAdmission.vote.selector,
            IProviderAdmission.register.selector,
            IProviderAdmission.withdrawProposal.selector
        );
        list = bytes.concat(
            list,
            IProviderRegistry.activateProvider.selector,
            IProviderRegistry.setMaintenance.selector,
            IProviderRegistry.setProviderStatus.selector,
            IProviderRegistry.setProviderTier.selector,
            IProviderAttributes.submitAttributes.selector,
            IProviderAttributes.approveAttributes.selector
        );
        list = bytes.concat(
            list,
            IProviderAttributes.submitCapabilities.selector,
            IProviderAttributes.approveCapabilities.selector,
            IProviderRegistry.registerMachine.selector,
            IProviderRegistry.activateMachine.selector,
            IProviderRegistry.deactivateMachine.selector,
            IProviderRegistry.growMachine.selector
        );
        list = bytes.concat(
            list,
            IProviderRegistry.reconfigureMachine.selector,
            IProviderRegistry.retireMachine.selector,
            IProviderRegistry.setOffer.selector,
            IProviderRegistry.withdrawOffer.selector,
            ICertificateRegistry.publish.selector,
            ICertificateRegistry.revoke.selector
        );
    }

    function _enforcement() private pure returns (bytes memory list) {
        list = bytes.concat(
            IStakingManager.stake.selector,
            IStakingManager.requestUnstake.selector,
            IStakingManager.delegate.selector,
            IStakingManager.requestUndelegate.selector,
            IStakingManager.withdrawUnbonded.selector,
            IStakingManager.setCommission.selector
        );
        list = bytes.concat(
            list,
            IStakingManager.slash.selector,
            IStakingManager.withdrawCompensation.selector,
            IStakingManager.setStakeTerms.selector,
            IComplianceRegistry.accredit.selector,
            IComplianceRegistry.postBond.selector,
            IComplianceRegistry.requestBondRelease.selector
        );
        list = bytes.concat(
            list,
            IComplianceRegistry.withdrawBond.selector,
            IComplianceRegistry.slashAuditor.selector,
            IComplianceRegistry.attest.selector,
            IComplianceRegistry.revoke.selector,
            IComplianceRegistry.revokeReport.selector,
            IComplianceRegistry.withdrawTreasury.selector
        );
    }

    function _rewards() private pure returns (bytes memory list) {
        list = bytes.concat(
            IRewarder.fund.selector,
            IRewarder.closeEra.selector,
            IRewardOracle.postResults.selector,
            IRewarder.proposeRoot.selector,
            IRewarder.contest.selector,
            IRewarder.resolve.selector
        );
        list = bytes.concat(
            list,
            IRewarder.disableRoot.selector,
            IRewarder.claim.selector,
            IRewarder.withdrawCredit.selector,
            IRewarder.setRewardWallet.selector,
            IMarketPause.pause.selector,
            IMarketPause.unpause.selector
        );
        list = bytes.concat(
            list,
            ITokenRegistry.revokeToken.selector,
            ITokenRegistry.reinstateToken.selector,
            UUPSUpgradeable.upgradeToAndCall.selector,
            IMatchPolicy.schedule.selector
        );
    }

    function _signed() private pure returns (bytes memory list) {
        list = bytes.concat(
            ISignedCalls.createOrder.selector,
            ISignedCalls.cancelOrder.selector,
            ISignedCalls.announceManifest.selector,
            ISignedCalls.cancelUpdate.selector,
            ISignedCalls.renewLease.selector,
            ISignedCalls.topUp.selector
        );
        list = bytes.concat(
            list,
            ISignedCalls.closeLease.selector,
            ISignedCalls.deposit.selector,
            ISignedCalls.withdraw.selector,
            ISignedCalls.chooseSponsor.selector
        );
    }
}
