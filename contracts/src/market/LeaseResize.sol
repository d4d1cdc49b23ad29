// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OrderWord } from "../words/OrderWord.sol";
import { RecordWord } from "../words/RecordWord.sol";
import { LeaseUpdate } from "./IComputeLease.sol";

/// @title The words of a lease that changes its size or price.
library LeaseResize {
    uint256 private constant WHOLE_DEVICE = 1000;
    uint256 private constant MAX_MILLI_GPU = 8000;
    /// Device mask, milli-GPU, cpu-milli, memory and storage: bits 56..151.
    uint256 private constant SIZE = uint256(type(uint96).max) << 56;
    uint256 private constant PRICE = uint256(type(uint40).max) << 152;
    uint256 private constant MACHINE = uint256(type(uint32).max) << 192;
    uint256 private constant TOKEN = uint256(type(uint16).max) << 32;
    uint256 private constant PROVIDER = uint256(type(uint24).max) << 8;
    uint256 private constant RECORD_FROM_BID = uint256(1) << 50;

    /// @notice The first field of an update that no order could have either; empty if there is none.
    function invalidField(LeaseUpdate memory update) internal pure returns (string memory field) {
        uint256 milliGpu = update.milliGpu;
        if (milliGpu > MAX_MILLI_GPU || (milliGpu > WHOLE_DEVICE && milliGpu % WHOLE_DEVICE != 0)) return "milliGpu";
        if (update.cpuMilli == 0 || update.cpuMilli >= 1 << 20) return "cpuMilli";
        if (update.storageGib >= 1 << 20) return "storageGib";
        if (update.maxPriceMicroPerHour == 0 || update.maxPriceMicroPerHour >= 1 << 39) return "maxPriceMicroPerHour";
        if (update.manifestHash == 0) return "manifestHash";
    }

    /// @notice `lease` with the resources of the update, at this price on these devices; time, machine, provider, token, flags and state stay.
    function resized(OrderWord lease, LeaseUpdate memory update, uint256 priceMicroPerHour, uint256 deviceMask)
        internal
        pure
        returns (OrderWord)
    {
        return OrderWord.wrap(
            (OrderWord.unwrap(lease) & ~(PRICE | SIZE)) | (priceMicroPerHour << 152) | (deviceMask << 144)
                | (uint256(update.milliGpu) << 128) | (uint256(update.cpuMilli) << 104) | (uint256(update.memoryMib) << 80)
                | (uint256(update.storageGib) << 56)
        );
    }

    /// @notice Whether two words of one lease hold the same of their machine, devices included.
    function isSameSize(OrderWord a, OrderWord b) internal pure returns (bool) {
        return (OrderWord.unwrap(a) ^ OrderWord.unwrap(b)) & SIZE == 0;
    }

    /// @notice `lease` in the shape of a record of `orderId` whose price is not the offer's, as `moveCapacity` takes it.
    function asRecord(OrderWord lease, uint256 orderId) internal pure returns (RecordWord) {
        uint256 kept = OrderWord.unwrap(lease) & (MACHINE | PRICE | SIZE | TOKEN | PROVIDER);
        return RecordWord.wrap(kept | (orderId << 224) | RECORD_FROM_BID);
    }
}
