// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the packing component of version 2 of the rules takes free capacity to be worth, by preimage of
/// `packingHash = keccak256(abi.encode(terms))`. Empty, all zero, in version 1.
/// @dev How the numbers are used is written in PackingRules, their bounds in PackingBounds.
struct PackingTerms {
    /// V is a step function of a device's free milli-GPU: `value[i]` from `fromMilli[i]` on, 0 below the first.
    uint16[] fromMilli;
    uint16[] value;
    /// Weights of the value that lies in the devices, of that which the free cpu can still use, and of that which the free memory can.
    uint16 deviceWeight;
    uint16 cpuWeight;
    uint16 memoryWeight;
    /// 65536ths of value that a free cpu-milli, and a free MiB of memory, can serve.
    uint32 cpuRate;
    uint32 memoryRate;
    /// GPU models whose lost value counts by another factor than 1, and the factors in 1024ths.
    uint16[] models;
    uint16[] modelFactor;
}
