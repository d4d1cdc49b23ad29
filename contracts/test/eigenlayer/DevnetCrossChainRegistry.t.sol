// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ICrossChainRegistry } from "../../src/eigenlayer/ICrossChainRegistry.sol";
import { IOperatorTableCalculator } from "../../src/eigenlayer/IOperatorTableCalculator.sol";
import { OperatorSet, OperatorSetConfig, CurveType } from "../../src/eigenlayer/EigenTypes.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

contract DevnetCrossChainRegistryTest is EigenDevnetFixture {
    function testFuzz_stalenessIsZeroOrAtLeastTheCadence(uint32 staleness) public {
        if (staleness != 0 && staleness < CADENCE) vm.expectRevert(ICrossChainRegistry.InvalidStalenessPeriod.selector);
        vm.prank(avs);
        crossChainRegistry.setOperatorSetConfig(operatorSet, OperatorSetConfig(tableOwner, staleness));
    }

    function test_tableBytesCarrySetCurveConfigAndTable() public {
        joinSet("operator", 5e18);
        assertEq(
            tableBytes(),
            abi.encode(
                operatorSet,
                CurveType.ECDSA,
                OperatorSetConfig(tableOwner, MAX_STALENESS),
                calculator.calculateOperatorTableBytes(operatorSet)
            )
        );
    }

    function test_reservationIsRead() public view {
        assertEq(crossChainRegistry.getActiveGenerationReservationCount(), 1);
        assertEq(crossChainRegistry.getActiveGenerationReservations()[0].avs, avs);
        assertEq(crossChainRegistry.getActiveGenerationReservations()[0].id, operatorSet.id);
        assertTrue(crossChainRegistry.hasActiveGenerationReservation(operatorSet));
        assertEq(address(crossChainRegistry.getOperatorTableCalculator(operatorSet)), address(calculator));
        assertEq(crossChainRegistry.getOperatorSetConfig(operatorSet).maxStalenessPeriod, MAX_STALENESS);
        assertEq(crossChainRegistry.getTableUpdateCadence(), CADENCE);
    }

    function test_reservationIsMadeOnceByTheAvsOfAnExistingSetWithKeys() public {
        OperatorSetConfig memory config = OperatorSetConfig(tableOwner, MAX_STALENESS);
        vm.expectRevert(ICrossChainRegistry.InvalidPermissions.selector);
        crossChainRegistry.createGenerationReservation(operatorSet, calculator, config);
        vm.startPrank(avs);
        vm.expectRevert(ICrossChainRegistry.GenerationReservationAlreadyExists.selector);
        crossChainRegistry.createGenerationReservation(operatorSet, calculator, config);
        OperatorSet memory second = OperatorSet(avs, 8);
        vm.expectRevert(ICrossChainRegistry.InvalidOperatorSet.selector);
        crossChainRegistry.createGenerationReservation(second, calculator, config);
        allocationManager.createOperatorSets(avs, setParams(8, strategy));
        vm.expectRevert(ICrossChainRegistry.KeyTypeNotSet.selector);
        crossChainRegistry.createGenerationReservation(second, calculator, config);
        keyRegistrar.configureOperatorSet(second, CurveType.ECDSA);
        crossChainRegistry.createGenerationReservation(second, calculator, config);
        assertEq(crossChainRegistry.getActiveGenerationReservationCount(), 2);
    }

    function test_stalenessIsZeroOrAtLeastTheCadence() public {
        vm.startPrank(avs);
        vm.expectRevert(ICrossChainRegistry.InvalidStalenessPeriod.selector);
        crossChainRegistry.setOperatorSetConfig(operatorSet, OperatorSetConfig(tableOwner, CADENCE - 1));
        crossChainRegistry.setOperatorSetConfig(operatorSet, OperatorSetConfig(tableOwner, CADENCE));
        crossChainRegistry.setOperatorSetConfig(operatorSet, OperatorSetConfig(tableOwner, 0));
        assertEq(crossChainRegistry.getOperatorSetConfig(operatorSet).maxStalenessPeriod, 0);
    }

    function test_removedReservationIsGone() public {
        vm.startPrank(avs);
        crossChainRegistry.removeGenerationReservation(operatorSet);
        assertFalse(crossChainRegistry.hasActiveGenerationReservation(operatorSet));
        vm.expectRevert(ICrossChainRegistry.GenerationReservationDoesNotExist.selector);
        crossChainRegistry.removeGenerationReservation(operatorSet);
        vm.expectRevert(ICrossChainRegistry.GenerationReservationDoesNotExist.selector);
        crossChainRegistry.setOperatorSetConfig(operatorSet, OperatorSetConfig(tableOwner, 0));
        vm.expectRevert(ICrossChainRegistry.GenerationReservationDoesNotExist.selector);
        crossChainRegistry.setOperatorTableCalculator(operatorSet, calculator);
        vm.expectRevert(ICrossChainRegistry.GenerationReservationDoesNotExist.selector);
        crossChainRegistry.calculateOperatorTableBytes(operatorSet);
    }

    function test_calculatorCanBeReplaced() public {
        IOperatorTableCalculator replacement = IOperatorTableCalculator(makeAddr("calculator"));
        vm.prank(avs);
        vm.expectEmit(address(crossChainRegistry));
        emit ICrossChainRegistry.OperatorTableCalculatorSet(operatorSet, replacement);
        crossChainRegistry.setOperatorTableCalculator(operatorSet, replacement);
        assertEq(address(crossChainRegistry.getOperatorTableCalculator(operatorSet)), address(replacement));
    }
}
