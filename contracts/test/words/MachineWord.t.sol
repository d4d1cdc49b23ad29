// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { MachineTotalsWord, MachineTotalsWordLib } from "../../src/words/MachineTotalsWord.sol";
import { MachineWord, MachineWordLib } from "../../src/words/MachineWord.sol";
import { OfferWord, OfferWordLib } from "../../src/words/OfferWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";

contract MachineWordTest is Test {
    function testFuzz_FieldsAreAtTheirBits(uint256 word) public pure {
        MachineWord machine = MachineWord.wrap(word);
        assertEq(machine.activeFromRound(), word >> 224);
        assertEq(machine.activeUntilRound(), uint32(word >> 192));
        assertEq(machine.providerId(), uint24(word >> 168));
        assertEq(machine.model(), uint16(word >> 158) % 1024);
        assertEq(machine.region(), uint16(word >> 148) % 1024);
        assertEq(machine.offersWritten(), uint8(word >> 144) % 16);
        assertEq(machine.freeMemoryMib(), uint24(word >> 120));
        assertEq(machine.freeCpuMilli(), uint24(word >> 100) % (1 << 20));
        assertEq(machine.freeStorageGib(), uint24(word >> 80) % (1 << 20));
        for (uint256 device; device < 8; ++device) {
            assertEq(machine.freeMilliGpu(device), uint16(word >> (10 * device)) % 1024);
        }
    }

    function testFuzz_EncodeAndFree(
        uint32 round,
        uint24 providerId,
        uint16 model,
        uint16 region,
        uint24 memoryMib,
        uint24 cpuMilli,
        uint24 storageGib,
        uint80 devices
    ) public pure {
        (model, region, cpuMilli, storageGib) = (model % 1024, region % 1024, cpuMilli % (1 << 20), storageGib % (1 << 20));
        MachineWord machine = MachineWordLib.encode(round, providerId, model, region).withFree(memoryMib, cpuMilli, storageGib, devices);
        assertEq(machine.activeFromRound(), round);
        assertEq(machine.activeUntilRound(), round);
        assertFalse(machine.isActiveIn(round));
        assertEq(machine.providerId(), providerId);
        assertEq(machine.model(), model);
        assertEq(machine.region(), region);
        assertEq(machine.offersWritten(), 0);
        assertEq(machine.freeMemoryMib(), memoryMib);
        assertEq(machine.freeCpuMilli(), cpuMilli);
        assertEq(machine.freeStorageGib(), storageGib);
        assertEq(MachineWord.unwrap(machine) & type(uint80).max, devices);
    }

    /// Each change touches its own bits: applied to two words that differ everywhere, the rest keeps differing everywhere.
    function testFuzz_ChangesTouchTheirOwnBitsOnly(uint256 word, uint32 round, uint16 model, uint16 region, uint8 offerIndex) public pure {
        MachineWord machine = MachineWord.wrap(word);
        (model, region, offerIndex) = (model % 1024, region % 1024, offerIndex % 4);
        assertEq(MachineWord.unwrap(machine.withActiveFromRound(round)), (word & type(uint224).max) | (uint256(round) << 224));
        uint256 kept = word & ~(uint256(type(uint32).max) << 192);
        assertEq(MachineWord.unwrap(machine.withActiveUntilRound(round)), kept | (uint256(round) << 192));
        kept = word & ~(uint256((1 << 20) - 1) << 148);
        assertEq(MachineWord.unwrap(machine.withModelAndRegion(model, region)), kept | (uint256(model) << 158) | (uint256(region) << 148));
        assertEq(MachineWord.unwrap(machine.withOfferWritten(offerIndex)), word | (uint256(1) << (144 + offerIndex)));
        assertEq(MachineWord.unwrap(machine.withFree(0, 0, 0, 0)), (word >> 144) << 144);
    }

    function testFuzz_BenchedUntilOnlyRaises(uint256 word, uint32 round) public pure {
        MachineWord machine = MachineWord.wrap(word).benchedUntil(round);
        uint256 before = word >> 224;
        assertEq(machine.activeFromRound(), before > round ? before : round);
        assertEq(MachineWord.unwrap(machine) & type(uint224).max, word & type(uint224).max);
    }

    function testFuzz_SpreadPutsEachMaskBitAtItsDevice(uint8 mask, uint16 units) public pure {
        units %= 1001;
        uint256 devices = MachineWordLib.spread(mask, units);
        for (uint256 device; device < 8; ++device) {
            assertEq((devices >> (10 * device)) & 0x3ff, (mask >> device) & 1 == 1 ? units : 0);
        }
        assertEq(devices >> 80, 0);
    }

    function testFuzz_ReleasedUndoesWhatTheRecordTook(RecordFields memory record, uint256 word) public pure {
        record.cpuMilli %= 1 << 20;
        record.storageGib %= 1 << 20;
        if (record.milliGpu >= 1000) record.milliGpu = 2000;
        uint256 taken = RecordWord.unwrap(RecordWordLib.encode(record));
        uint256 units = record.milliGpu < 1000 ? record.milliGpu : 1000;
        uint256 need = (uint256(record.memoryMib) << 120) | (uint256(record.cpuMilli) << 100) | (uint256(record.storageGib) << 80);
        for (uint256 device; device < 8; ++device) {
            if ((record.deviceMask >> device) & 1 == 1) need |= units << (10 * device);
        }
        unchecked {
            assertEq(MachineWord.unwrap(MachineWord.wrap(word).released(taken)), word + need);
        }
    }

    function testFuzz_TotalsRoundTrip(
        uint24 memoryMib,
        uint24 cpuMilli,
        uint24 storageGib,
        uint8 devices,
        uint40 requiredStakeWhole,
        uint40 registeredAt
    ) public pure {
        (cpuMilli, storageGib, devices) = (cpuMilli % (1 << 20), storageGib % (1 << 20), devices % 9);
        MachineTotalsWord totals = MachineTotalsWordLib.encode(memoryMib, cpuMilli, storageGib, devices, requiredStakeWhole, registeredAt);
        assertEq(totals.memoryMib(), memoryMib);
        assertEq(totals.cpuMilli(), cpuMilli);
        assertEq(totals.storageGib(), storageGib);
        assertEq(totals.deviceCount(), devices);
        assertEq(totals.requiredStakeWhole(), requiredStakeWhole);
        assertEq(totals.registeredAt(), registeredAt);
    }

    function testFuzz_OfferRoundTrip(uint32 fromRound, uint40 pGpu, uint32 pCpu, uint32 pMem, uint32 pStor, uint16 tokenId) public pure {
        (pGpu, pCpu, pMem, pStor) = (pGpu % (1 << 36), pCpu % (1 << 30), pMem % (1 << 26), pStor % (1 << 30));
        OfferWord offer = OfferWordLib.encode(fromRound, pGpu, pCpu, pMem, pStor, tokenId);
        assertEq(offer.fromRound(), fromRound);
        assertEq(offer.gpuMicroPerHour(), pGpu);
        assertEq(offer.coreMicroPerHour(), pCpu);
        assertEq(offer.memoryGibMicroPerHour(), pMem);
        assertEq(offer.storageTibMicroPerHour(), pStor);
        assertEq(offer.tokenId(), tokenId);
        assertEq((OfferWord.unwrap(offer) << 32) >> 202, 0, "bits 170..223");
        assertEq(uint32(OfferWord.unwrap(offer)), 0, "bits 0..31");
    }

    /// One subtraction finds a field that has too little, wherever it stands; needs nearly as large as what is free are the hard ones.
    function testFuzz_HasFreeIsEveryFieldByItself(uint256 word, uint256 record, uint256 nearly) public pure {
        MachineWord machine = MachineWord.wrap(word);
        // Resources as they are free, off by one in some fields.
        RecordFields memory fields;
        fields.deviceMask = uint8(record);
        fields.milliGpu = uint16(machine.freeMilliGpu((record >> 8) % 8) + (nearly % 3));
        fields.cpuMilli = uint24((machine.freeCpuMilli() + (nearly >> 8) % 2) % (1 << 20));
        fields.memoryMib = uint24(machine.freeMemoryMib() - (machine.freeMemoryMib() == 0 ? 0 : (nearly >> 16) % 2));
        fields.storageGib = uint24((machine.freeStorageGib() + (nearly >> 24) % 2) % (1 << 20));
        if (nearly >> 255 == 1) fields.milliGpu = uint16(record >> 16);
        bool all = fields.cpuMilli <= machine.freeCpuMilli() && fields.memoryMib <= machine.freeMemoryMib()
            && fields.storageGib <= machine.freeStorageGib();
        for (uint256 device; device < 8; ++device) {
            uint256 need = fields.milliGpu < 1000 ? fields.milliGpu : 1000;
            if ((fields.deviceMask >> device) & 1 != 0) all = all && need <= machine.freeMilliGpu(device);
        }
        assertEq(machine.hasFree(MachineWordLib.needOf(RecordWord.unwrap(RecordWordLib.encode(fields)))), all);
    }
}
