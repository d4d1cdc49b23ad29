// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { OrderSpec, Policy } from "../../src/market/MarketTypes.sol";
import { MatchRules } from "../../src/rules/MatchRules.sol";
import { PackingBounds } from "../../src/rules/PackingBounds.sol";
import { PackingRules } from "../../src/rules/PackingRules.sol";
import { PackingTerms } from "../../src/rules/PackingTerms.sol";
import { MachineWord, MachineWordLib } from "../../src/words/MachineWord.sol";
import { PlainPacking } from "./PlainPacking.sol";
import { RandomPacking } from "./RandomPacking.sol";

contract PackingRulesTest is Test {
    using RandomPacking for uint256;

    uint256 private constant MODEL = 7;

    function testFuzz_DevicesAreThoseOfThePlainRule(uint256 seed) public pure {
        PackingTerms memory terms = seed.terms();
        MachineWord machine = _machine(seed);
        uint256 milliGpu = _spec(seed).milliGpu;
        (bool fits, uint256 mask) = PackingRules.chooseDevices(terms, machine, milliGpu);
        assertEq(mask, PlainPacking.maskOf(terms, PlainPacking.capacityOf(machine), milliGpu));
        (bool fitsFirst,) = MatchRules.chooseDevices(machine, milliGpu);
        assertEq(fits, fitsFirst, "what fits is the same in both versions");
    }

    function testFuzz_LossIsThatOfThePlainRuleAndBounded(uint256 seed) public pure {
        PackingTerms memory terms = seed.terms();
        OrderSpec memory spec = _spec(seed);
        MachineWord machine = _roomyMachine(seed, spec);
        uint256 loss = PackingRules.lossOf(terms, spec, machine);
        assertEq(loss, PlainPacking.lossOf(terms, spec, machine), "loss");
        uint256 greatest = PackingRules.greatestLossOf(terms, spec);
        assertEq(greatest, PlainPacking.greatestLossOf(terms, spec), "greatest");
        assertLt(loss, greatest, "bound");
        assertLt(greatest * 1e8, 1 << 53, "range of the engine's numbers");
    }

    function testFuzz_TheComponentIsTheWeightsShareOfWhatIsNotLost(uint256 seed, uint16 weightBps) public pure {
        Policy memory policy;
        policy.weightPackingBps = weightBps % 10_001;
        PackingTerms memory terms = seed.terms();
        OrderSpec memory spec = _spec(seed);
        MachineWord machine = _roomyMachine(seed, spec);
        uint256 greatest = PlainPacking.greatestLossOf(terms, spec);
        uint256 kept = greatest - PlainPacking.lossOf(terms, spec, machine);
        uint256 component = PackingRules.weightedComponentOf(policy, terms, spec, machine);
        // Rounds down.
        assertEq(component, uint256(policy.weightPackingBps) * 10_000 * kept / greatest);
        assertLe(component, 1e8);
    }

    /// Terms without steps value nothing: a share goes where version 1 puts it, and only what it leaves over counts.
    function testFuzz_WithoutStepsTheDevicesAreThoseOfVersionOne(uint256 seed) public pure {
        PackingTerms memory terms;
        OrderSpec memory spec = _spec(seed);
        MachineWord machine = _roomyMachine(seed, spec);
        (, uint256 mask) = PackingRules.chooseDevices(terms, machine, spec.milliGpu);
        (, uint256 first) = MatchRules.chooseDevices(machine, spec.milliGpu);
        assertEq(mask, first);
        assertLt(PackingRules.lossOf(terms, spec, machine), 1000);
        assertEq(PackingRules.greatestLossOf(terms, spec), 1000);
    }

    /// Factor 1 of 1024 rounds down, a model without a factor counts whole.
    function test_TheModelsFactorScalesTheLossAndRoundsDown() public pure {
        PackingTerms memory terms = _terms();
        OrderSpec memory spec;
        (spec.milliGpu, spec.cpuMilli) = (2000, 1000);
        MachineWord machine = _withModel(MODEL);
        // S falls from 8000 to 6000, and what the cpu can use of it from 4096 to 4033.
        uint256 whole = 3 * 2000 + 5 * (4096 - 4033);
        assertEq(PackingRules.lossOf(terms, spec, machine), whole);
        (terms.models, terms.modelFactor) = (new uint16[](2), new uint16[](2));
        (terms.models[0], terms.models[1]) = (uint16(MODEL - 1), uint16(MODEL));
        (terms.modelFactor[0], terms.modelFactor[1]) = (512, 1);
        assertEq(PackingRules.lossOf(terms, spec, machine), 6);
        assertEq(PackingRules.lossOf(terms, spec, _withModel(MODEL - 1)), whole / 2);
        assertEq(PackingRules.lossOf(terms, spec, _withModel(MODEL + 1)), whole);
    }

    /// Rates round down: a cpu-milli less than a whole unit of value is worth nothing, with every other term at 0.
    function test_RatesRoundDown() public pure {
        PackingTerms memory terms = _terms();
        (terms.deviceWeight, terms.cpuRate) = (0, 1);
        OrderSpec memory spec;
        spec.cpuMilli = 1;
        MachineWord machine = MachineWordLib.encode(1, 1, MODEL, 0).withFree(0, 65_536, 0, MachineWordLib.spread(0xff, 1000));
        assertEq(PackingRules.lossOf(terms, spec, machine), 5);
        machine = machine.withFree(0, 65_535, 0, MachineWordLib.spread(0xff, 1000));
        assertEq(PackingRules.lossOf(terms, spec, machine), 0);
    }

    /// A share avoids the device whose value it would break, though another has less free.
    function test_AShareGoesWhereItBreaksLeastValue() public pure {
        PackingTerms memory terms;
        (terms.fromMilli, terms.value) = (new uint16[](2), new uint16[](2));
        (terms.fromMilli[0], terms.fromMilli[1]) = (500, 1000);
        (terms.value[0], terms.value[1]) = (10, 11);
        uint256 devices = 1000 | (500 << 10) | (1000 << 20) | (499 << 30);
        MachineWord machine = MachineWordLib.encode(1, 1, MODEL, 0).withFree(0, 0, 0, devices);
        (, uint256 mask) = PackingRules.chooseDevices(terms, machine, 500);
        assertEq(mask, 1, "a whole device loses 1, the half 10; of equal ones the first");
        (, mask) = PackingRules.chooseDevices(terms, machine, 400);
        assertEq(mask, 8, "below the first step nothing is lost");
        (, mask) = PackingRules.chooseDevices(terms, machine, 501);
        assertEq(mask, 1, "both whole devices lose all");
        (, mask) = MatchRules.chooseDevices(machine, 500);
        assertEq(mask, 2, "version 1");
    }

    /// At the upper end of every bound, on the largest machine there can be.
    function test_NothingOverflowsAtTheBounds() public view {
        PackingTerms memory terms = RandomPacking.largest();
        this.check(terms);
        OrderSpec memory spec;
        (spec.milliGpu, spec.cpuMilli, spec.memoryMib) = (8000, (1 << 20) - 1, (1 << 24) - 1);
        MachineWord machine =
            MachineWordLib.encode(1, 1, MODEL, 0).withFree((1 << 24) - 1, (1 << 20) - 1, 0, MachineWordLib.spread(0xff, 1000));
        uint256 loss = PackingRules.lossOf(terms, spec, machine);
        assertEq(loss, PlainPacking.lossOf(terms, spec, machine));
        assertEq(loss, 144 * 8000);
        assertLt(PackingRules.greatestLossOf(terms, spec) * 1e8, 1 << 53);
        assertGt(PackingRules.greatestLossOf(terms, spec), 1 << 25);
    }

    function check(PackingTerms memory terms) external pure {
        PackingBounds.check(terms);
    }

    function _terms() private pure returns (PackingTerms memory terms) {
        (terms.fromMilli, terms.value) = (new uint16[](1), new uint16[](1));
        (terms.fromMilli[0], terms.value[0]) = (1000, 1000);
        (terms.deviceWeight, terms.cpuWeight, terms.cpuRate) = (3, 5, 4096);
    }

    function _withModel(uint256 model) private pure returns (MachineWord) {
        return MachineWordLib.encode(1, 1, model, 0).withFree(0, 65_536, 0, MachineWordLib.spread(0xff, 1000));
    }

    function _spec(uint256 seed) private pure returns (OrderSpec memory spec) {
        uint256 random = uint256(keccak256(abi.encode(seed, "spec")));
        uint256 kind = random % 4;
        spec.milliGpu = uint16(kind == 0 ? 0 : kind == 1 ? 1000 * (1 + (random >> 8) % 8) : 1 + (random >> 8) % 999);
        bool small = (random >> 24) % 2 == 0;
        spec.cpuMilli = uint24(1 + (random >> 32) % (small ? 16_000 : (1 << 20) - 1));
        spec.memoryMib = uint24((random >> 64) % (small ? 65_536 : 1 << 24));
    }

    function _machine(uint256 seed) private pure returns (MachineWord) {
        uint256 random = uint256(keccak256(abi.encode(seed, "machine")));
        uint256 devices = 0;
        for (uint256 i = 0; i < 8; i++) {
            uint256 r = uint256(keccak256(abi.encode(random, i)));
            devices |= (r % 4 == 0 ? 0 : r % 4 == 1 ? 1000 : r % 4 == 2 ? 500 : (r >> 8) % 1001) << (10 * i);
        }
        uint256 model = 1 + random % 40;
        return MachineWordLib.encode(1, 1, model, 0).withFree((random >> 16) % (1 << 24), (random >> 48) % (1 << 20), 0, devices);
    }

    /// A machine with room for the order, often with little more.
    function _roomyMachine(uint256 seed, OrderSpec memory spec) private pure returns (MachineWord machine) {
        machine = _machine(seed);
        uint256 random = uint256(keccak256(abi.encode(seed, "room")));
        uint256 cpuMilli = machine.freeCpuMilli();
        uint256 memoryMib = machine.freeMemoryMib();
        if (cpuMilli < spec.cpuMilli || random % 2 == 0) cpuMilli = spec.cpuMilli + (random >> 8) % ((1 << 20) - spec.cpuMilli);
        if (memoryMib < spec.memoryMib || random % 4 < 2) memoryMib = spec.memoryMib + (random >> 40) % ((1 << 24) - spec.memoryMib);
        uint256 devices = MachineWord.unwrap(machine) & ((1 << 80) - 1);
        uint256 wanted = (uint256(spec.milliGpu) + 999) / 1000;
        for (uint256 i = 0; i < 8; i++) {
            uint256 device = (i + random) % 8;
            if (i < wanted) devices = (devices & ~(uint256(0x3ff) << (10 * device))) | (1000 << (10 * device));
        }
        machine = machine.withFree(memoryMib, cpuMilli, 0, devices);
    }
}
