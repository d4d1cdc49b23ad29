// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMatchPolicy } from "../market/IMatchPolicy.sol";
import { PackingTerms } from "./PackingTerms.sol";

/// @title What packing terms may be, so that no number of PackingRules leaves its range.
/// @dev With these bounds the greatest loss of an order is below 144 x 1000 x 8 + 64 x (2^18 + 1) + 16 x (2^20 + 1) + 1000 < 2^26, and
/// 10^8 times it below 2^53, where the engine's numbers end.
library PackingBounds {
    uint256 private constant MAX_STEPS = 16;
    uint256 private constant WHOLE_DEVICE = 1000;
    uint256 private constant MAX_VALUE = 1000;
    uint256 private constant MAX_DEVICE_WEIGHT = 64;
    uint256 private constant MAX_CPU_WEIGHT = 64;
    uint256 private constant MAX_MEMORY_WEIGHT = 16;
    uint256 private constant MAX_CPU_RATE = 1 << 14;
    uint256 private constant MAX_MEMORY_RATE = 1 << 12;
    uint256 private constant MAX_MODELS = 32;
    uint256 private constant MAX_MODEL = 1023;
    uint256 private constant MAX_FACTOR = 1024;

    /// @notice Reverts `PolicyFieldInvalid` with the first field of the terms that is outside its bounds.
    function check(PackingTerms memory terms) internal pure {
        _require(_ascends(terms.fromMilli, MAX_STEPS, WHOLE_DEVICE), "packing.fromMilli");
        _require(terms.value.length == terms.fromMilli.length && _neverFalls(terms.value), "packing.value");
        _require(terms.deviceWeight <= MAX_DEVICE_WEIGHT, "packing.deviceWeight");
        _require(terms.cpuWeight <= MAX_CPU_WEIGHT, "packing.cpuWeight");
        _require(terms.memoryWeight <= MAX_MEMORY_WEIGHT, "packing.memoryWeight");
        _require(terms.cpuRate <= MAX_CPU_RATE, "packing.cpuRate");
        _require(terms.memoryRate <= MAX_MEMORY_RATE, "packing.memoryRate");
        _require(_ascends(terms.models, MAX_MODELS, MAX_MODEL), "packing.models");
        _require(terms.modelFactor.length == terms.models.length && _areFactors(terms.modelFactor), "packing.modelFactor");
    }

    /// @notice Reverts `PolicyFieldInvalid` unless all fields of the terms are empty.
    function checkEmpty(PackingTerms memory terms) internal pure {
        uint256 entries = terms.fromMilli.length + terms.value.length + terms.models.length + terms.modelFactor.length;
        uint256 numbers = uint256(terms.deviceWeight) | terms.cpuWeight | terms.memoryWeight | terms.cpuRate | terms.memoryRate;
        _require(entries == 0 && numbers == 0, "packing");
    }

    function _require(bool holds, string memory field) private pure {
        if (!holds) revert IMatchPolicy.PolicyFieldInvalid(field);
    }

    /// Whether at most `maxLength` entries rise strictly from 1 to at most `highest`.
    function _ascends(uint16[] memory list, uint256 maxLength, uint256 highest) private pure returns (bool) {
        if (list.length > maxLength) return false;
        uint256 previous = 0;
        for (uint256 i = 0; i < list.length; i++) {
            if (list[i] <= previous) return false;
            previous = list[i];
        }
        return previous <= highest;
    }

    function _neverFalls(uint16[] memory list) private pure returns (bool) {
        uint256 previous = 1;
        for (uint256 i = 0; i < list.length; i++) {
            if (list[i] < previous) return false;
            previous = list[i];
        }
        return previous <= MAX_VALUE;
    }

    function _areFactors(uint16[] memory list) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; i++) {
            if (list[i] == 0 || list[i] > MAX_FACTOR) return false;
        }
        return true;
    }
}
