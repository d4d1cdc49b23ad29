// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SlashCause, SlashOrder } from "../../src/market/IStakingManager.sol";
import { EraResult } from "../../src/rewards/IRewardOracle.sol";
import { IRewarder } from "../../src/rewards/IRewarder.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice Oracle and rewarder among the contracts that they really call and are called by.
contract RewardsMarketTest is MarketBase {
    uint256 private constant PROVIDERS = 64;

    uint24[] private _ids;

    /// The providers are made in another transaction than the results, so that their words are cold.
    function setUp() public override {
        super.setUp();
        for (uint256 i; i < PROVIDERS; ++i) {
            _ids.push(_provider(makeAddr(string(abi.encodePacked("owner", i)))));
        }
        vm.warp(vm.getBlockTimestamp() + ERA_SECONDS);
    }

    function test_Gas_PostResults64() public {
        EraResult[] memory results = new EraResult[](PROVIDERS);
        for (uint256 i; i < PROVIDERS; ++i) {
            results[i] = _result(_ids[i], 9000);
        }
        rewardOracle.postResults(0, results);
        uint256 gas = vm.snapshotGasLastCall("RewardOracle", "postResults, 64 results");
        assertLt(gas, 16_000_000, "half of a block of 32 M");
    }

    function test_Results_AreWrittenToTheProvidersWord() public {
        EraResult[] memory results = new EraResult[](1);
        results[0] = _result(_ids[0], 8000);
        rewardOracle.postResults(0, results);
        ProviderWord word = ProviderWord.wrap(uint256(providerRegistry.providerWord(_ids[0])));
        assertEq(word.uptimeBps(), 8400, "0.8 x 80 % + 0.2 x 100 %");
        assertEq(word.reputationBps(), 5500);
    }

    function test_S18_MisconductForfeitsTheOwnersRewards() public {
        address owner = providerRegistry.providerOwner(_ids[0]);
        vm.expectEmit(address(rewarder));
        emit IRewarder.RewardsForfeited(owner, 0, 1);
        stakingManager.slash(
            SlashOrder({
                providerId: _ids[0], cause: SlashCause.Misconduct, amountBps: 1000, orderId: 0, harm: 0, evidenceHash: keccak256("evidence")
            })
        );
        (bool forfeited, uint32 untilEra) = rewarder.forfeitOf(owner);
        assertTrue(forfeited);
        assertEq(untilEra, 1);
    }

    function _result(uint24 providerId, uint16 gpuPassedBps) private pure returns (EraResult memory) {
        return EraResult({
            providerId: providerId, gpuPassedBps: gpuPassedBps, cpuPassedBps: 10_000, reputationBps: 5500, idleSeconds: 60, voided: false
        });
    }
}
