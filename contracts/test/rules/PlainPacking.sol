// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OrderSpec } from "../../src/market/MarketTypes.sol";
import { PackingTerms } from "../../src/rules/PackingTerms.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";

/// @notice The packing rule written down a second time, with nothing left out and nothing shared: a machine is unpacked, the order is taken
/// out of it, and what the machine was and is worth is counted from the start.
library PlainPacking {
    struct Capacity {
        uint256[8] devices;
        uint256 cpuMilli;
        uint256 memoryMib;
    }

    function capacityOf(MachineWord machine) internal pure returns (Capacity memory free) {
        for (uint256 i = 0; i < 8; i++) {
            free.devices[i] = machine.freeMilliGpu(i);
        }
        free.cpuMilli = machine.freeCpuMilli();
        free.memoryMib = machine.freeMemoryMib();
    }

    function valueOf(PackingTerms memory terms, uint256 milli) internal pure returns (uint256 value) {
        for (uint256 i = 0; i < terms.fromMilli.length; i++) {
            if (milli >= terms.fromMilli[i]) value = terms.value[i];
        }
    }

    function worthOf(PackingTerms memory terms, Capacity memory free) internal pure returns (uint256) {
        uint256 sum = 0;
        for (uint256 i = 0; i < 8; i++) {
            sum += valueOf(terms, free.devices[i]);
        }
        uint256 byCpu = free.cpuMilli * terms.cpuRate / 65_536;
        uint256 byMemory = free.memoryMib * terms.memoryRate / 65_536;
        if (byCpu > sum) byCpu = sum;
        if (byMemory > sum) byMemory = sum;
        return terms.deviceWeight * sum + terms.cpuWeight * byCpu + terms.memoryWeight * byMemory;
    }

    /// Bit i: device i takes of it; 0 when it does not fit or needs none.
    function maskOf(PackingTerms memory terms, Capacity memory free, uint256 milliGpu) internal pure returns (uint256 mask) {
        if (milliGpu >= 1000) {
            uint256 wanted = milliGpu / 1000;
            for (uint256 i = 0; i < 8 && wanted > 0; i++) {
                if (free.devices[i] != 1000) continue;
                mask += 2 ** i;
                wanted--;
            }
            return wanted == 0 ? mask : 0;
        }
        if (milliGpu == 0) return 0;
        uint256 best = 8;
        for (uint256 i = 0; i < 8; i++) {
            if (free.devices[i] < milliGpu) continue;
            if (best == 8 || _before(terms, free.devices[i], free.devices[best], milliGpu)) best = i;
        }
        return best == 8 ? 0 : 2 ** best;
    }

    /// The machine has room.
    function lossOf(PackingTerms memory terms, OrderSpec memory spec, MachineWord machine) internal pure returns (uint256) {
        Capacity memory free = capacityOf(machine);
        Capacity memory left = capacityOf(machine);
        uint256 mask = maskOf(terms, free, spec.milliGpu);
        uint256 rest = 0;
        for (uint256 i = 0; i < 8; i++) {
            if ((mask / 2 ** i) % 2 == 0) continue;
            left.devices[i] -= spec.milliGpu < 1000 ? spec.milliGpu : 1000;
            if (spec.milliGpu < 1000) rest = left.devices[i];
        }
        left.cpuMilli -= spec.cpuMilli;
        left.memoryMib -= spec.memoryMib;
        uint256 factor = 1024;
        for (uint256 i = 0; i < terms.models.length; i++) {
            if (terms.models[i] == machine.model()) factor = terms.modelFactor[i];
        }
        return (worthOf(terms, free) - worthOf(terms, left)) * factor / 1024 + rest;
    }

    function greatestLossOf(PackingTerms memory terms, OrderSpec memory spec) internal pure returns (uint256) {
        uint256 devices = spec.milliGpu / 1000 + (spec.milliGpu % 1000 == 0 ? 0 : 1);
        uint256 weights = uint256(terms.deviceWeight) + uint256(terms.cpuWeight) + uint256(terms.memoryWeight);
        uint256 byCpu = uint256(spec.cpuMilli) * uint256(terms.cpuRate) / 65_536 + 1;
        uint256 byMemory = uint256(spec.memoryMib) * uint256(terms.memoryRate) / 65_536 + 1;
        return weights * valueOf(terms, 1000) * devices + terms.cpuWeight * byCpu + terms.memoryWeight * byMemory + 1000;
    }

    function _before(PackingTerms memory terms, uint256 one, uint256 other, uint256 milliGpu) private pure returns (bool) {
        uint256 lost = valueOf(terms, one) - valueOf(terms, one - milliGpu);
        uint256 otherLost = valueOf(terms, other) - valueOf(terms, other - milliGpu);
        return lost < otherLost || (lost == otherLost && one < other);
    }
}
