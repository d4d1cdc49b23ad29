// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DEVICE_ONES, DEVICE_SPREAD } from "../words/MachineWord.sol";
import { SkipReason } from "./MarketTypes.sol";

/// @title Whether a machine holds what a record says in a round, and the taking of what it needs.
/// @dev Works on the machine's words where `Slots` puts them; every offer's newest terms stand 2 and the previous ones 6 above the machine.
library MachineReservation {
    uint256 private constant OFFERS_PER_MACHINE = 4;
    uint256 private constant WHOLE_DEVICE = 1000;
    /// The devices at even places, each in 20 bits.
    uint256 private constant EVEN_DEVICES = 0x3ff003ff003ff003ff;
    /// The bit above each device at an even place.
    uint256 private constant GUARDS = 0x400004000040000400;

    /// @notice Takes what the record needs of the machine at `slot` if it holds in `round`; says why not otherwise, and writes nothing.
    /// @dev Settlement pays for this once a match, hence assembly: each `break` leaves with a reason, in the order of `SkipReason`.
    function take(uint256 record, uint256 slot, uint256 round) internal returns (SkipReason reason) {
        assembly ("memory-safe") {
            for { } 1 { } {
                let machine := sload(slot)
                if iszero(machine) {
                    reason := 1 // MachineUnknown
                    break
                }
                // Active when from <= round < until.
                if or(gt(shr(224, machine), round), iszero(gt(and(shr(192, machine), 0xffffffff), round))) {
                    reason := 2 // MachineInactive
                    break
                }
                if and(xor(shr(168, machine), shr(8, record)), 0xffffff) {
                    reason := 3 // ProviderMismatch
                    break
                }

                let need := 0
                let milliGpu := and(shr(128, record), 0xffff)
                if and(record, 0xffffff00000000000000000000000000000000) {
                    // Copies of the mask 9 bits apart bring its bit i to bit 10 * i, the foot of device i.
                    need := and(mul(and(shr(144, record), 0xff), DEVICE_SPREAD), DEVICE_ONES)
                    // Without milli-GPU one unit a device makes any device too many.
                    let units := add(milliGpu, iszero(milliGpu))
                    if gt(units, WHOLE_DEVICE) { units := WHOLE_DEVICE }
                    // The product gathers the number of devices in the highest of the eight.
                    if xor(mul(and(shr(70, mul(need, DEVICE_ONES)), 0x3ff), units), milliGpu) {
                        reason := 4 // DeviceMask
                        break
                    }
                    need := mul(need, units)
                    // A guard bit above each device survives the subtraction where enough is free; even and odd devices apart.
                    if xor(
                        and(
                            and(
                                sub(or(and(machine, EVEN_DEVICES), GUARDS), and(need, EVEN_DEVICES)),
                                sub(or(and(shr(10, machine), EVEN_DEVICES), GUARDS), and(shr(10, need), EVEN_DEVICES))
                            ),
                            GUARDS
                        ),
                        GUARDS
                    ) {
                        reason := 5 // MachineCapacity
                        break
                    }
                }

                let cpuMilli := and(shr(104, record), 0xffffff)
                let memoryMib := and(shr(80, record), 0xffffff)
                let storageGib := and(shr(56, record), 0xffffff)
                if or(
                    or(gt(cpuMilli, and(shr(100, machine), 0xfffff)), gt(memoryMib, and(shr(120, machine), 0xffffff))),
                    gt(storageGib, and(shr(80, machine), 0xfffff))
                ) {
                    reason := 5 // MachineCapacity
                    break
                }

                // The price of a bid is the order contract's to check.
                if iszero(and(record, 0x4000000000000)) {
                    let offerSlot := add(slot, add(2, and(shr(48, record), 3)))
                    let offer := sload(offerSlot)
                    // The terms of `round` are the newest unless those came later; then the previous ones held.
                    if gt(shr(224, offer), round) { offer := sload(add(offerSlot, OFFERS_PER_MACHINE)) }
                    if or(iszero(and(offer, 0xffff00000000)), and(xor(offer, record), 0xffff00000000)) {
                        reason := 6 // OfferMissing
                        break
                    }
                    // Each of the four terms rounds down.
                    let price := div(mul(milliGpu, and(shr(134, offer), 0xfffffffff)), 1000)
                    price := add(price, div(mul(cpuMilli, and(shr(104, offer), 0x3fffffff)), 1000))
                    price := add(price, shr(10, mul(memoryMib, and(shr(78, offer), 0x3ffffff))))
                    price := add(price, shr(10, mul(storageGib, and(shr(48, offer), 0x3fffffff))))
                    if xor(price, and(shr(152, record), 0xffffffffff)) {
                        reason := 7 // OfferPrice
                        break
                    }
                }

                need := or(or(need, shl(120, memoryMib)), or(shl(100, cpuMilli), shl(80, storageGib)))
                sstore(slot, sub(machine, need))
                break
            }
        }
    }

    /// @notice Whether what the word `to` needs is part of what the lease word `from` holds on the same machine; false for a zero `from`.
    function within(uint256 to, uint256 from) internal pure returns (bool) {
        return from != 0 && (to >> 144) & 0xff & ~(from >> 144) == 0 && (to >> 128) & 0xffff <= (from >> 128) & 0xffff
            && (to >> 104) & 0xffffff <= (from >> 104) & 0xffffff && (to >> 80) & 0xffffff <= (from >> 80) & 0xffffff
            && (to >> 56) & 0xffffff <= (from >> 56) & 0xffffff;
    }
}
