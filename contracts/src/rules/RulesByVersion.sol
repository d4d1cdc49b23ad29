// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OrderSpec, Policy } from "../market/MarketTypes.sol";
import { MachineWord } from "../words/MachineWord.sol";
import { Candidate, MatchRules, RoundFacts } from "./MatchRules.sol";
import { PackingRules } from "./PackingRules.sol";
import { PackingTerms } from "./PackingTerms.sol";

/// @notice Under which rules, and on which snapshot, a round is matched.
struct RoundRules {
    RoundFacts facts;
    Policy policy;
    /// Empty in version 1.
    PackingTerms packing;
    bytes32 seed;
}

/// @title The rules in the version that the policy names, where versions differ: devices and totals. Filters and prices are MatchRules alone.
/// @dev Assumes that `isKnown` holds for the policy.
library RulesByVersion {
    /// @notice Whether there is code here for this version of the rules.
    function isKnown(uint256 rulesVersion) internal pure returns (bool) {
        return rulesVersion == MatchRules.RULES_VERSION || rulesVersion == PackingRules.RULES_VERSION;
    }

    /// @notice Where `milliGpu` goes on the machine; `mask` is 0 when it is 0 or does not fit. Whether it fits is the same in all versions.
    function chooseDevices(RoundRules memory rules, MachineWord machine, uint256 milliGpu) internal pure returns (bool fits, uint256 mask) {
        if (_hasPacking(rules)) return PackingRules.chooseDevices(rules.packing, machine, milliGpu);
        return MatchRules.chooseDevices(machine, milliGpu);
    }

    /// @notice Whether the machine has a total for the order at all: what the score divides by or subtracts from is there.
    function hasTotal(RoundRules memory rules, OrderSpec memory spec, Candidate memory candidate, uint256 priceMicroPerHour)
        internal
        pure
        returns (bool)
    {
        (bool fits,) = MatchRules.chooseDevices(candidate.machine, spec.milliGpu);
        if (!fits || spec.cpuMilli > candidate.machine.freeCpuMilli() || priceMicroPerHour > spec.maxPriceMicroPerHour) return false;
        return !_hasPacking(rules) || spec.memoryMib <= candidate.machine.freeMemoryMib();
    }

    /// @notice The total of a candidate for which `hasTotal` holds, at `priceMicroPerHour`.
    function totalOf(RoundRules memory rules, uint256 orderId, OrderSpec memory spec, Candidate memory candidate, uint256 priceMicroPerHour)
        internal
        pure
        returns (uint256)
    {
        uint256 sum = MatchRules.weightedSumOf(rules.policy, MatchRules.componentsOf(rules.policy, spec, candidate, priceMicroPerHour));
        if (_hasPacking(rules)) sum += PackingRules.weightedComponentOf(rules.policy, rules.packing, spec, candidate.machine);
        return MatchRules.complianceOf(rules.facts, rules.policy, candidate.provider) * sum
            + MatchRules.jitterOf(rules.policy, rules.seed, uint32(orderId), uint24(candidate.machine.providerId()));
    }

    function _hasPacking(RoundRules memory rules) private pure returns (bool) {
        return rules.policy.rulesVersion == PackingRules.RULES_VERSION;
    }
}
