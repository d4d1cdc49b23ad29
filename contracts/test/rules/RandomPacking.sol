// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PackingTerms } from "../../src/rules/PackingTerms.sol";

/// @notice Packing terms within their bounds, the ends of them often.
library RandomPacking {
    function terms(uint256 seed) internal pure returns (PackingTerms memory packing) {
        uint256 random = uint256(keccak256(abi.encode(seed, "terms")));
        if (random % 16 == 0) return packing;
        if (random % 16 == 1) return largest();
        packing.fromMilli = _ascending(random, (random >> 8) % 17, 1000);
        packing.value = new uint16[](packing.fromMilli.length);
        uint256 value = 1;
        for (uint256 i = 0; i < packing.value.length; i++) {
            value += uint256(keccak256(abi.encode(random, "value", i))) % 80;
            packing.value[i] = uint16(value < 1000 ? value : 1000);
        }
        packing.deviceWeight = uint16((random >> 32) % 65);
        packing.cpuWeight = uint16((random >> 48) % 65);
        packing.memoryWeight = uint16((random >> 64) % 17);
        packing.cpuRate = uint32((random >> 80) % ((1 << 14) + 1));
        packing.memoryRate = uint32((random >> 112) % ((1 << 12) + 1));
        packing.models = _ascending(random >> 1, (random >> 144) % 33, 64);
        packing.modelFactor = new uint16[](packing.models.length);
        for (uint256 i = 0; i < packing.modelFactor.length; i++) {
            packing.modelFactor[i] = uint16(1 + uint256(keccak256(abi.encode(random, "factor", i))) % 1024);
        }
    }

    /// Every number at its upper bound.
    function largest() internal pure returns (PackingTerms memory packing) {
        packing.fromMilli = new uint16[](16);
        packing.value = new uint16[](16);
        for (uint16 i = 0; i < 16; i++) {
            (packing.fromMilli[i], packing.value[i]) = (985 + i, 985 + i);
        }
        (packing.deviceWeight, packing.cpuWeight, packing.memoryWeight) = (64, 64, 16);
        (packing.cpuRate, packing.memoryRate) = (1 << 14, 1 << 12);
        packing.models = new uint16[](32);
        packing.modelFactor = new uint16[](32);
        for (uint16 i = 0; i < 32; i++) {
            (packing.models[i], packing.modelFactor[i]) = (992 + i, 1024);
        }
    }

    /// `count` numbers from 1 to `highest`, each with the same chance, in order.
    function _ascending(uint256 random, uint256 count, uint256 highest) private pure returns (uint16[] memory list) {
        list = new uint16[](count);
        uint256 taken = 0;
        for (uint256 number = 1; number <= highest && taken < count; number++) {
            uint256 left = highest - number + 1;
            if (uint256(keccak256(abi.encode(random, number))) % left < count - taken) list[taken++] = uint16(number);
        }
    }
}
