// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { LibBit } from "solady/utils/LibBit.sol";

import { DEVICE_ONES, DEVICE_SPREAD, FREE_BORROWS, MachineWord } from "../words/MachineWord.sol";
import { MachineWordLib } from "../words/MachineWord.sol";
import { OfferWord } from "../words/OfferWord.sol";
import { RecordWord } from "../words/RecordWord.sol";
import { Slots } from "../words/Slots.sol";
import { SkipReason } from "./MarketTypes.sol";

/// @title Whether a machine holds what a record says in a round, and the taking of what it needs.
/// @dev Works on the machine's words where `Slots` puts them; every offer's newest terms stand 2 and the previous ones 6 above the machine.
library MachineReservation {
    uint256 private constant OFFERS_PER_MACHINE = 4;
    uint256 private constant OFFERS_FROM_SLOT = 2;
    uint256 private constant WHOLE_DEVICE = 1000;
    /// The bits of a record's cpu-milli and storage that no machine has.
    uint256 private constant TOO_WIDE = 0xf00000000000f0000000000000000000;

    /// @notice Takes what the record needs of the machine at `slot` if it holds in `round`; says why not otherwise, and writes nothing.
    function take(RecordWord record, uint256 slot, uint256 round) internal returns (SkipReason) {
        MachineWord machine = MachineWord.wrap(Slots.load(slot));
        if (MachineWord.unwrap(machine) == 0) return SkipReason.MachineUnknown;
        if (!machine.isActiveIn(round)) return SkipReason.MachineInactive;
        if (machine.providerId() != record.providerId()) return SkipReason.ProviderMismatch;
        // A mask without milli-GPU has devices too many, whatever a device would give.
        uint256 perDevice = Math.max(1, Math.min(record.milliGpu(), WHOLE_DEVICE));
        if (LibBit.popCount(record.deviceMask()) * perDevice != record.milliGpu()) return SkipReason.DeviceMask;
        uint256 need = MachineWordLib.needOf(RecordWord.unwrap(record));
        if (RecordWord.unwrap(record) & TOO_WIDE != 0 || !machine.hasFree(need)) return SkipReason.MachineCapacity;
        // The price of a bid is the order contract's to check.
        if (!record.fromBid()) {
            OfferWord offer = _offerIn(slot + OFFERS_FROM_SLOT + record.offerIndex(), round);
            if (offer.tokenId() == 0 || offer.tokenId() != record.tokenId()) return SkipReason.OfferMissing;
            if (_price(record, offer) != record.priceMicroPerHour()) return SkipReason.OfferPrice;
        }
        Slots.store(slot, MachineWord.unwrap(machine) - need);
        return SkipReason.None;
    }

    /// @notice Takes what each record from `position` in calldata on needs of its machine, up to the first that `take` would refuse.
    /// @param machines Slot of machine 0.
    /// @return stopped Where that one stands, or `end`.
    /// @dev Settlement pays for this once a match, hence assembly: `take` without the reasons, and without a branch but for a bid and for an
    /// offer that changed since. Whatever is wrong with a record adds up in `bad`.
    function takeWhileHeld(uint256 position, uint256 end, uint256 round, uint256 machines) internal returns (uint256 stopped) {
        assembly ("memory-safe") {
            // A word is above this if its highest 32 bits are above the round.
            round := or(shl(224, round), 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffff)
            for { } lt(position, end) { position := add(position, 0x20) } {
                let record := calldataload(position)
                // 16 slots a machine.
                let slot := add(machines, and(shr(188, record), 0xffffffff0))
                let milliGpu := and(shr(128, record), 0xffff)
                let cpu := shr(4, and(record, 0xfffff00000000000000000000000000))
                let memoryMib := and(record, 0xffffff00000000000000000000)
                let storageGib := and(record, 0xfffff00000000000000)
                let bad := and(record, TOO_WIDE)
                let rest
                {
                    // Copies of the mask 9 bits apart bring its bit i to bit 10 * i, the foot of device i.
                    let need := and(mul(and(shr(144, record), 0xff), DEVICE_SPREAD), DEVICE_ONES)
                    // 2^10 is 1 modulo 1023, so that the devices' bits add up.
                    let devices := mod(need, 1023)
                    let perDevice := xor(milliGpu, mul(gt(milliGpu, WHOLE_DEVICE), xor(milliGpu, WHOLE_DEVICE)))
                    // More devices than milli-GPU are there only without any milli-GPU.
                    bad := or(bad, or(gt(devices, milliGpu), xor(mul(devices, perDevice), milliGpu)))
                    need := or(or(mul(need, perDevice), cpu), or(shl(40, memoryMib), shl(24, storageGib)))

                    let machine := sload(slot)
                    rest := sub(machine, need)
                    bad := or(
                        bad,
                        or(
                            // Where a field had too little, the one above it was borrowed from.
                            and(xor(xor(machine, need), rest), FREE_BORROWS),
                            and(xor(shr(160, machine), record), 0xffffff00)
                        )
                    )
                    // Active when from <= round < until; a machine that does not exist is not.
                    bad := or(bad, or(gt(machine, round), iszero(gt(shl(32, machine), round))))
                }
                // The price of a bid is the order contract's to check.
                if iszero(and(record, 0x4000000000000)) {
                    let offerSlot := add(slot, add(OFFERS_FROM_SLOT, and(shr(48, record), 3)))
                    let offer := sload(offerSlot)
                    // The terms of the round are the newest unless those came later; then the previous ones held.
                    if gt(offer, round) { offer := sload(add(offerSlot, OFFERS_PER_MACHINE)) }
                    bad := or(bad, or(iszero(and(offer, 0xffff00000000)), and(xor(offer, record), 0xffff00000000)))
                    // Each of the four terms rounds down. Factors stay where their words have them: milli-GPU 0 and 134, cpu-milli 100 and
                    // 104, memory 80 and 78, storage 56 and 48 bits up; the divisors are 1000 and 1024 times both.
                    let price := div(mul(milliGpu, and(offer, 0x3ffffffffc000000000000000000000000000000000)), shl(134, 1000))
                    price := add(price, div(mul(cpu, and(offer, 0x3fffffff00000000000000000000000000)), shl(204, 1000)))
                    price := add(price, shr(168, mul(memoryMib, and(offer, 0xffffffc0000000000000000000))))
                    price := add(price, shr(114, mul(storageGib, and(offer, 0x3fffffff000000000000))))
                    bad := or(bad, xor(price, and(shr(152, record), 0xffffffffff)))
                }
                if bad { break }
                sstore(slot, rest)
            }
            stopped := position
        }
    }

    /// @notice Whether what the word `to` needs is part of what the lease word `from` holds on the same machine; false for a zero `from`.
    function within(uint256 to, uint256 from) internal pure returns (bool) {
        return from != 0 && (to >> 144) & 0xff & ~(from >> 144) == 0 && (to >> 128) & 0xffff <= (from >> 128) & 0xffff
            && (to >> 104) & 0xffffff <= (from >> 104) & 0xffffff && (to >> 80) & 0xffffff <= (from >> 80) & 0xffffff
            && (to >> 56) & 0xffffff <= (from >> 56) & 0xffffff;
    }

    /// The offer's terms of `round`: the newest unless those came later; then the previous ones held.
    function _offerIn(uint256 slot, uint256 round) private view returns (OfferWord offer) {
        offer = OfferWord.wrap(Slots.load(slot));
        if (offer.fromRound() > round) offer = OfferWord.wrap(Slots.load(slot + OFFERS_PER_MACHINE));
    }

    /// What the record's resources cost by the offer; each of the four terms rounds down.
    function _price(RecordWord record, OfferWord offer) private pure returns (uint256) {
        return record.milliGpu() * offer.gpuMicroPerHour() / 1000 + record.cpuMilli() * offer.coreMicroPerHour() / 1000 + record.memoryMib()
            * offer.memoryGibMicroPerHour() / 1024 + record.storageGib() * offer.storageTibMicroPerHour() / 1024;
    }
}
