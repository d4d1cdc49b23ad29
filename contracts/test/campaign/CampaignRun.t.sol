// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { console2 } from "forge-std/console2.sol";
import { EconomyCampaign } from "./EconomyCampaign.sol";
import { Reach } from "./Reach.sol";

/// @notice What `npm run campaign:economy` runs: episodes one after the other, each on a market of its own.
contract CampaignRun is Test {
    EconomyCampaign private campaign;

    function setUp() public {
        campaign = new EconomyCampaign();
        campaign.setUp();
        campaign.letRulesChange();
    }

    /// Environment: CAMPAIGN_SEED, and from which to which episode, each of CAMPAIGN_EPISODE_CALLS calls.
    function test_campaign() public {
        uint256 seed = vm.envOr("CAMPAIGN_SEED", uint256(1));
        uint256 from = vm.envOr("CAMPAIGN_FROM", uint256(0));
        uint256 to = vm.envOr("CAMPAIGN_TO", uint256(1));
        uint256 count = vm.envOr("CAMPAIGN_EPISODE_CALLS", uint256(2000));
        uint256 clean = vm.snapshotState();
        uint256 found;
        for (uint256 episode = from; episode < to; ++episode) {
            (uint256 violated, uint256 surprised) = campaign.play(uint256(keccak256(abi.encode(seed, episode))), count);
            console2.log(string.concat("EPISODE ", vm.toString(episode)), campaign.calls(), violated, surprised);
            _logReach();
            found += violated + surprised;
            vm.revertToState(clean);
        }
        assertEq(found, 0, "found");
    }

    /// How often each call succeeded in the episode, and what was settled by either version of the rules.
    function _logReach() private view {
        bytes4[] memory selectors = Reach.selectors();
        for (uint256 i; i < selectors.length; ++i) {
            console2.log(string.concat("REACHED ", vm.toString(bytes32(selectors[i]))), campaign.succeeded(selectors[i]));
        }
        for (uint32 version = 1; version <= 2; ++version) {
            console2.log(string.concat("RULES ", vm.toString(version)), campaign.rounds(version), campaign.matches(version));
        }
    }
}
