// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BetterCandidateEvidence, Fault, WrongRecordEvidence } from "../../src/judge/Evidence.sol";
import { IFaultJudge } from "../../src/judge/IFaultJudge.sol";
import { OrderSpec } from "../../src/market/MarketTypes.sol";
import { MatchRules } from "../../src/rules/MatchRules.sol";
import { PackingTerms } from "../../src/rules/PackingTerms.sol";
import { MachineWord, MachineWordLib } from "../../src/words/MachineWord.sol";
import { RecordWord } from "../../src/words/RecordWord.sol";
import { JudgeFixture } from "./JudgeFixture.sol";

/// @notice What the judge makes of version 2 of the rules: devices, totals and terms.
contract FaultJudgePackingTest is JudgeFixture {
    uint256 private constant DEVICE_MASK_SHIFT = 144;

    function setUp() public override {
        super.setUp();
        policy.jitterRange = 0;
    }

    function test_theDeviceOfVersionTwoIsRight_andThatOfVersionOneWrong() public {
        _twoDevices();
        _pack(_stepsAt500And1000(), 1000);
        _seal();
        bytes memory records = _match();
        assertEq(_at(records, 0).deviceMask(), 1, "the whole device loses 1, the half 10");
        WrongRecordEvidence memory honest = _wrongRecord(records, 0);
        vm.expectRevert(IFaultJudge.NoFault.selector);
        judge.judge(Fault.WrongRecord, abi.encode(honest));

        (, uint256 mask) = MatchRules.chooseDevices(_machine(1), 500);
        assertEq(mask, 2, "version 1");
        uint256 wrong = (RecordWord.unwrap(_at(records, 0)) & ~(uint256(0xff) << DEVICE_MASK_SHIFT)) | (mask << DEVICE_MASK_SHIFT);
        judge.judge(Fault.WrongRecord, abi.encode(_wrongRecord(_with(records, 0, wrong), 0)));
    }

    function test_underVersionOne_theDeviceOfVersionTwoIsWrong() public {
        _twoDevices();
        _seal();
        bytes memory records = _match();
        assertEq(_at(records, 0).deviceMask(), 2);
        uint256 wrong = (RecordWord.unwrap(_at(records, 0)) & ~(uint256(0xff) << DEVICE_MASK_SHIFT)) | (1 << DEVICE_MASK_SHIFT);
        judge.judge(Fault.WrongRecord, abi.encode(_wrongRecord(_with(records, 0, wrong), 0)));
    }

    /// The cheaper machine wins by version 1, the one with a device that is already broken by version 2.
    function test_theMachineOfVersionOneIsNotTheBestOfVersionTwo() public {
        (bytes memory first, bytes memory second) = _twoMachines();
        assertEq(_at(first, 0).machineId(), 1);
        assertEq(_at(second, 0).machineId(), 2);
        BetterCandidateEvidence memory evidence = _betterCandidate(first, 0, 2, 0, NONE);
        judge.judge(Fault.BetterCandidate, abi.encode(evidence));
        evidence = _betterCandidate(second, 0, 1, 0, NONE);
        vm.expectRevert(IFaultJudge.NoFault.selector);
        judge.judge(Fault.BetterCandidate, abi.encode(evidence));
    }

    function test_theTermsMustBeThoseOfThePolicy() public {
        (bytes memory first,) = _twoMachines();
        BetterCandidateEvidence memory evidence = _betterCandidate(first, 0, 2, 0, NONE);
        evidence.batch.packing.deviceWeight -= 1;
        vm.expectRevert(IFaultJudge.PackingMismatch.selector);
        judge.judge(Fault.BetterCandidate, abi.encode(evidence));
        PackingTerms memory none;
        evidence.batch.packing = none;
        vm.expectRevert(IFaultJudge.PackingMismatch.selector);
        judge.judge(Fault.BetterCandidate, abi.encode(evidence));
    }

    /// Version 1 has no terms, whatever is handed in as such.
    function test_versionOneReadsNoTerms() public {
        _twoDevices();
        _seal();
        bytes memory records = _match();
        WrongRecordEvidence memory evidence = _wrongRecord(records, 0);
        evidence.batch.packing = _stepsAt500And1000();
        evidence.batch.policy.weightPackingBps = 10_000;
        evidence.batch.policy.packingHash = keccak256(abi.encode(evidence.batch.packing));
        vm.expectRevert(IFaultJudge.NoFault.selector);
        judge.judge(Fault.WrongRecord, abi.encode(evidence));
    }

    /// Its record is the fault, not the comparison: a machine without the memory has no total to compare.
    function test_aWinnerWithoutMemoryHasNoTotal() public {
        (bytes memory first,) = _twoMachines();
        MachineWord machine = _machine(1);
        _setMachine(1, machine.withFree(specs[1].memoryMib - 1, machine.freeCpuMilli(), machine.freeStorageGib(), _wholeDevices(8)));
        _seal();
        BetterCandidateEvidence memory evidence = _betterCandidate(first, 0, 2, 0, NONE);
        vm.expectRevert(IFaultJudge.NoFault.selector);
        judge.judge(Fault.BetterCandidate, abi.encode(evidence));
        judge.judge(Fault.WrongRecord, abi.encode(_wrongRecord(first, 0)));
    }

    /// One machine with a whole and a half device, and an order for half of one.
    function _twoDevices() private {
        _addProvider(40_000);
        _addMachine(1, 1);
        MachineWord machine = _machine(1);
        _setMachine(1, machine.withFree(65_536, 32_000, 1000, 1000 | (500 << 10)));
        _addOffer(1, 0, 1_000_000, 100_000, USD);
        _addOrder(_spec(500));
    }

    /// Two machines for an order of half a device, the first a little cheaper and all free, the second with just half a device left; and the
    /// records of both versions. The policy is of version 2.
    function _twoMachines() private returns (bytes memory first, bytes memory second) {
        _addProvider(40_000);
        _addMachine(1, 8);
        _addMachine(1, 8);
        _setMachine(1, _machine(1).withFree(65_536, 32_000, 1000, _wholeDevices(8)));
        _setMachine(2, _machine(2).withFree(65_536, 8_000, 1000, 500));
        _addOffer(1, 0, 1_000_000, 100_000, USD);
        _addOffer(2, 0, 1_010_000, 100_000, USD);
        _addOrder(_spec(500));
        policy.weightFitBps = 0;
        policy.weightPriceBps += 1500;
        _seal();
        first = _match();
        PackingTerms memory terms;
        (terms.fromMilli, terms.value) = (new uint16[](1), new uint16[](1));
        (terms.fromMilli[0], terms.value[0], terms.deviceWeight) = (1000, 1, 32);
        _pack(terms, 4000);
        second = _match();
    }

    function _stepsAt500And1000() private pure returns (PackingTerms memory terms) {
        (terms.fromMilli, terms.value) = (new uint16[](2), new uint16[](2));
        (terms.fromMilli[0], terms.fromMilli[1]) = (500, 1000);
        (terms.value[0], terms.value[1]) = (10, 11);
        terms.deviceWeight = 1;
    }

    function _wholeDevices(uint256 count) private pure returns (uint256) {
        return MachineWordLib.spread((1 << count) - 1, 1000);
    }
}
