// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { EconomyCampaign } from "../campaign/EconomyCampaign.sol";
import { Reach } from "../campaign/Reach.sol";

/// @notice The economy campaign as far as the suite has time for it: an episode for each invariant of the market, every one of which is
/// checked in each, and the seeds that once found something.
/// @dev S8, and S9 and S11 for operators, are the judge's on the stake chain: what the market does about a wrong record is S15.
contract EconomyTest is Test {
    uint256 private constant CALLS = 2500;

    EconomyCampaign private campaign;

    function setUp() public {
        campaign = new EconomyCampaign();
        campaign.setUp();
    }

    function test_S1_atMostOneBatchARoundAndRoundsAscend() public {
        _holds("S1 ");
    }

    function test_S2_anOrderIsConsumedAtMostOnce() public {
        _holds("S2 ");
    }

    function test_S7_noHonestRecordIsSkipped() public {
        _holds("S7 ");
    }

    function test_S9_aSlashTakesItsShareRoundedUpOnce() public {
        _holds("S9 ");
    }

    function test_S10_onlyAQuorumSettles() public {
        _holds("S10");
    }

    function test_S12_aSignatureIsGoodForOneCallHere() public {
        _holds("S12");
    }

    function test_S13_whatIsHeldIsWhatIsOwed() public {
        _holds("S13");
    }

    function test_S14_depositedIsPaidAndClaimableAndRefundable() public {
        _holds("S14");
    }

    function test_S15_noPriceAboveConsent() public {
        _holds("S15");
    }

    function test_S16_leasedNeverExceedsRegisteredCapacity() public {
        _holds("S16");
    }

    function test_S17_stakeBacksWhoWorks() public {
        _holds("S17");
    }

    function test_S18_rewardsArePaidOnceAndNeverBeyondFunds() public {
        _holds("S18");
    }

    function test_S19_aWrongPriceOrResultChangesNothing() public {
        _holds("S19");
    }

    function test_S20_onlyRunningReportsCount() public {
        _holds("S20");
    }

    function test_S21_nobodysCallTakesFromAnother() public {
        _holds("S21");
    }

    function test_S22_exitWorksWhilePausedAndAcrossUpgrades() public {
        _holds("S22");
    }

    function test_S24_everyCallStaysBelowItsGasBound() public {
        _holds("S24");
    }

    /// Without this the invariants could hold for an idle market, or for rules that never change.
    function test_S1_aRoundIsMatchedByTheRulesScheduledForIt_andEveryKindOfCallIsReached() public {
        campaign.letRulesChange();
        campaign.play(uint256(keccak256("reach")), CALLS);
        assertEq(campaign.violations(), 0, "violations");
        assertEq(campaign.surprises(), 0, "unexpected reverts");
        for (uint32 version = 1; version <= 2; ++version) {
            assertGt(campaign.rounds(version), 3, "rounds");
            assertGt(campaign.matches(version), 5, "matches");
        }
        bytes4[] memory selectors = Reach.selectors();
        uint256 reached;
        for (uint256 i; i < selectors.length; ++i) {
            if (campaign.succeeded(selectors[i]) != 0) ++reached;
        }
        // A few need days of the chain's time; a longer campaign reaches them all.
        assertGt(reached, selectors.length * 3 / 4, "kinds of calls");
    }

    /// The same seed makes the same calls, so that a finding can be repeated.
    function test_theSameSeedMakesTheSameCalls() public {
        uint256 clean = vm.snapshotState();
        campaign.play(7, 300);
        (bytes32 orders_, bytes32 registry) = (campaign.ordersFacts(), campaign.registryFacts());
        vm.revertToState(clean);
        campaign.play(7, 300);
        assertEq(campaign.ordersFacts(), orders_);
        assertEq(campaign.registryFacts(), registry);
    }

    /// Seed 3, episode 341 of the campaign: a tenant that owns the provider of its lease closes it as one of the two.
    function test_seed3Episode341_aTenantMayOwnTheProviderOfItsLease() public {
        campaign.play(uint256(keccak256(abi.encode(uint256(3), uint256(341)))), 5000);
        assertEq(campaign.violations(), 0, "violations");
        assertEq(campaign.surprises(), 0, "unexpected reverts");
    }

    /// Seed 1, episodes 1497 and 1551: a bid on a reopened order, whose earlier bond was of other terms.
    function test_seed1Episode1497_aReopenedOrderTakesABondOfTodaysTerms() public {
        campaign.play(uint256(keccak256(abi.encode(uint256(1), uint256(1497)))), 5000);
        assertEq(campaign.violations(), 0, "violations");
        assertEq(campaign.surprises(), 0, "unexpected reverts");
    }

    function _holds(bytes3 invariant) private {
        campaign.play(uint256(keccak256(abi.encode(invariant))), CALLS);
        assertGt(campaign.checked(invariant), 0, "checked");
        assertEq(campaign.broken(invariant), 0, "broken");
        assertEq(campaign.violations(), 0, "violations");
        assertEq(campaign.surprises(), 0, "unexpected reverts");
    }
}
