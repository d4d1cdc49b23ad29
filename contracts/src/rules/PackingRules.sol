// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OrderSpec, Policy } from "../market/MarketTypes.sol";
import { MachineWord } from "../words/MachineWord.sol";
import { MatchRules } from "./MatchRules.sol";
import { PackingTerms } from "./PackingTerms.sol";

/// @title What version 2 of the rules of matching adds to version 1: where a share of a device goes, and a component of the score for
/// capacity that stays useful.
/// @dev A machine's free capacity is worth `deviceWeight * S + cpuWeight * min(S, cpu that S can use) + memoryWeight * min(S, memory that S
/// can use)`, S being the sum of V over its devices. An order's loss is what it takes of that, by the model's factor, and what a share leaves
/// over on its device. Assumes what MatchRules assumes, and terms within PackingBounds. All divisions round down.
library PackingRules {
    /// @notice The version of the rules of which this is the code.
    uint256 internal constant RULES_VERSION = 2;

    uint256 private constant DEVICE_COUNT = 8;
    uint256 private constant WHOLE_DEVICE = 1000;
    uint256 private constant RATE_BITS = 16;
    uint256 private constant FACTOR_BITS = 10;
    uint256 private constant FACTOR_ONE = 1 << FACTOR_BITS;

    /// @notice Where `milliGpu` goes: a share to the fitting device that loses the least value by it, of those with the least free, then the
    /// lowest index; whole GPUs as in version 1. `mask` is 0 when it is 0 or does not fit.
    function chooseDevices(PackingTerms memory terms, MachineWord machine, uint256 milliGpu)
        internal
        pure
        returns (bool fits, uint256 mask)
    {
        if (milliGpu == 0 || milliGpu >= WHOLE_DEVICE) return MatchRules.chooseDevices(machine, milliGpu);
        (mask,,) = _placeShare(terms, machine, milliGpu);
        fits = mask != 0;
    }

    /// @notice The weighted component: the whole weight for an order that loses nothing, none of it at the greatest loss. The machine has
    /// room for the order.
    function weightedComponentOf(Policy memory policy, PackingTerms memory terms, OrderSpec memory spec, MachineWord machine)
        internal
        pure
        returns (uint256)
    {
        uint256 most = greatestLossOf(terms, spec);
        return uint256(policy.weightPackingBps) * MatchRules.SCALE * (most - lossOf(terms, spec, machine)) / most;
    }

    /// @notice What the machine's free capacity is worth less once it has taken the order, for which it has room.
    function lossOf(PackingTerms memory terms, OrderSpec memory spec, MachineWord machine) internal pure returns (uint256) {
        uint256 value = 0;
        for (uint256 device = 0; device < DEVICE_COUNT; device++) {
            value += valueOf(terms, machine.freeMilliGpu(device));
        }
        (uint256 taken, uint256 rest) = _takenValue(terms, spec.milliGpu, machine);
        uint256 cpuMilli = machine.freeCpuMilli();
        uint256 memoryMib = machine.freeMemoryMib();
        uint256 loss =
            _worth(terms, value, cpuMilli, memoryMib) - _worth(terms, value - taken, cpuMilli - spec.cpuMilli, memoryMib - spec.memoryMib);
        return ((loss * factorOf(terms, machine.model())) >> FACTOR_BITS) + rest;
    }

    /// @notice A bound on the order's loss on any machine; never 0.
    /// @dev Value falls by at most the highest V on each device touched; a minimum falls by at most the sum of what its two sides fall by, and
    /// a rounded product by at most the rounded product of the difference and 1; a share leaves less than a device.
    function greatestLossOf(PackingTerms memory terms, OrderSpec memory spec) internal pure returns (uint256) {
        uint256 steps = terms.value.length;
        uint256 highest = steps == 0 ? 0 : terms.value[steps - 1];
        uint256 devices = (uint256(spec.milliGpu) + WHOLE_DEVICE - 1) / WHOLE_DEVICE;
        return (uint256(terms.deviceWeight) + terms.cpuWeight + terms.memoryWeight) * highest * devices + uint256(terms.cpuWeight)
            * (((uint256(spec.cpuMilli) * terms.cpuRate) >> RATE_BITS) + 1) + uint256(terms.memoryWeight)
            * (((uint256(spec.memoryMib) * terms.memoryRate) >> RATE_BITS) + 1) + WHOLE_DEVICE;
    }

    /// @notice V: the value of a device with so much free.
    function valueOf(PackingTerms memory terms, uint256 freeMilliGpu) internal pure returns (uint256) {
        uint256 begun = 0;
        uint256 end = terms.fromMilli.length;
        // The steps before `begun` begin at or below what is free, those from `end` on above it.
        while (begun < end) {
            uint256 middle = (begun + end) / 2;
            if (terms.fromMilli[middle] <= freeMilliGpu) begun = middle + 1;
            else end = middle;
        }
        return begun == 0 ? 0 : terms.value[begun - 1];
    }

    /// @notice By how many 1024ths a loss on a machine of the model counts.
    function factorOf(PackingTerms memory terms, uint256 model) internal pure returns (uint256) {
        for (uint256 i = 0; i < terms.models.length; i++) {
            if (terms.models[i] == model) return terms.modelFactor[i];
        }
        return FACTOR_ONE;
    }

    /// The value that the devices lose, and what a share leaves over on the device it goes to.
    function _takenValue(PackingTerms memory terms, uint256 milliGpu, MachineWord machine)
        private
        pure
        returns (uint256 taken, uint256 rest)
    {
        if (milliGpu >= WHOLE_DEVICE) return (milliGpu / WHOLE_DEVICE * valueOf(terms, WHOLE_DEVICE), 0);
        if (milliGpu != 0) (, taken, rest) = _placeShare(terms, machine, milliGpu);
    }

    function _placeShare(PackingTerms memory terms, MachineWord machine, uint256 milliGpu)
        private
        pure
        returns (uint256 mask, uint256 taken, uint256 rest)
    {
        uint256 least = type(uint256).max;
        for (uint256 device = 0; device < DEVICE_COUNT; device++) {
            uint256 free = machine.freeMilliGpu(device);
            if (free < milliGpu) continue;
            // Compared as one number: the value lost above what is free. Of equal devices the first stays.
            uint256 rank = ((valueOf(terms, free) - valueOf(terms, free - milliGpu)) << 16) | free;
            if (rank < least) (least, mask) = (rank, 1 << device);
        }
        if (mask != 0) (taken, rest) = (least >> 16, (least & 0xffff) - milliGpu);
    }

    function _worth(PackingTerms memory terms, uint256 value, uint256 cpuMilli, uint256 memoryMib) private pure returns (uint256) {
        uint256 byCpu = (cpuMilli * terms.cpuRate) >> RATE_BITS;
        uint256 byMemory = (memoryMib * terms.memoryRate) >> RATE_BITS;
        return terms.deviceWeight * value + terms.cpuWeight * (value < byCpu ? value : byCpu) + terms.memoryWeight
            * (value < byMemory ? value : byMemory);
    }
}
