// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAllocationManager } from "../../src/eigenlayer/IAllocationManager.sol";
import { IStrategy } from "../../src/eigenlayer/IStrategy.sol";
import { OperatorSet, Allocation, AllocateParams, CreateSetParamsV2, DeregisterParams } from "../../src/eigenlayer/EigenTypes.sol";
import { MatchmakerRegistrar } from "../../src/stake/MatchmakerRegistrar.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

contract DevnetAllocationManagerTest is EigenDevnetFixture {
    uint64 private constant HALF = WAD / 2;

    // ------------------------------------------------------------------ operator sets

    function test_metadataComesBeforeOperatorSets() public {
        address newcomer = makeAddr("newcomer");
        CreateSetParamsV2[] memory params = setParams(0, strategy);
        vm.startPrank(newcomer);
        vm.expectRevert(IAllocationManager.NonexistentAVSMetadata.selector);
        allocationManager.createOperatorSets(newcomer, params);
        allocationManager.updateAVSMetadataURI(newcomer, "uri");
        allocationManager.createOperatorSets(newcomer, params);
        assertTrue(allocationManager.isOperatorSet(OperatorSet(newcomer, 0)));
    }

    function test_onlyTheAvsActsForItself() public {
        CreateSetParamsV2[] memory params = setParams(8, strategy);
        vm.expectRevert(IAllocationManager.InvalidPermissions.selector);
        allocationManager.createOperatorSets(avs, params);
        vm.expectRevert(IAllocationManager.InvalidPermissions.selector);
        allocationManager.createRedistributingOperatorSets(avs, params, addresses(address(this)));
        vm.expectRevert(IAllocationManager.InvalidPermissions.selector);
        allocationManager.updateAVSMetadataURI(avs, "uri");
        vm.expectRevert(IAllocationManager.InvalidPermissions.selector);
        allocationManager.setAVSRegistrar(avs, registrar);
    }

    function test_appointeeActsForTheAvsInExactlyOneFunction() public {
        address appointee = makeAddr("appointee");
        vm.prank(avs);
        permissionController.setAppointee(avs, appointee, address(allocationManager), IAllocationManager.updateAVSMetadataURI.selector);
        vm.startPrank(appointee);
        allocationManager.updateAVSMetadataURI(avs, "uri");
        vm.expectRevert(IAllocationManager.InvalidPermissions.selector);
        allocationManager.setAVSRegistrar(avs, registrar);
    }

    function test_setIdIsUsedOnce() public {
        CreateSetParamsV2[] memory params = setParams(operatorSet.id, strategy);
        vm.prank(avs);
        vm.expectRevert(IAllocationManager.InvalidOperatorSet.selector);
        allocationManager.createOperatorSets(avs, params);
        assertEq(allocationManager.getOperatorSetCount(avs), 1);
    }

    function test_slasherMustBeNamed() public {
        CreateSetParamsV2[] memory params = setParams(8, strategy);
        params[0].slasher = address(0);
        vm.prank(avs);
        vm.expectRevert(IAllocationManager.InputAddressZero.selector);
        allocationManager.createOperatorSets(avs, params);
        assertEq(allocationManager.getSlasher(operatorSet), slasher);
    }

    function test_strategyStandsOnceInASet() public {
        CreateSetParamsV2[] memory params = setParams(8, strategy);
        params[0].strategies = new IStrategy[](2);
        params[0].strategies[0] = params[0].strategies[1] = strategy;
        vm.prank(avs);
        vm.expectRevert(IAllocationManager.StrategyAlreadyInOperatorSet.selector);
        allocationManager.createOperatorSets(avs, params);
    }

    function test_redistributingSetKeepsItsRecipient() public {
        address recipient = makeAddr("vault");
        CreateSetParamsV2[] memory params = setParams(8, strategy);
        vm.prank(avs);
        vm.expectEmit(address(allocationManager));
        emit IAllocationManager.RedistributionAddressSet(OperatorSet(avs, 8), recipient);
        allocationManager.createRedistributingOperatorSets(avs, params, addresses(recipient));
        assertTrue(allocationManager.isRedistributingOperatorSet(OperatorSet(avs, 8)));
        assertEq(allocationManager.getRedistributionRecipient(OperatorSet(avs, 8)), recipient);
        assertFalse(allocationManager.isRedistributingOperatorSet(operatorSet));
        assertEq(allocationManager.getRedistributionRecipient(operatorSet), 0x00000000000000000000000000000000000E16E4);
    }

    function test_redistributionRecipientMustBeReal() public {
        CreateSetParamsV2[] memory params = setParams(8, strategy);
        vm.startPrank(avs);
        vm.expectRevert(IAllocationManager.InputAddressZero.selector);
        allocationManager.createRedistributingOperatorSets(avs, params, addresses(address(0)));
        vm.expectRevert(IAllocationManager.InvalidRedistributionRecipient.selector);
        allocationManager.createRedistributingOperatorSets(avs, params, addresses(0x00000000000000000000000000000000000E16E4));
        vm.expectRevert(IAllocationManager.InputArrayLengthMismatch.selector);
        allocationManager.createRedistributingOperatorSets(avs, params, new address[](0));
        params = setParams(8, IStrategy(0xbeaC0eeEeeeeEEeEeEEEEeeEEeEeeeEeeEEBEaC0));
        vm.expectRevert(IAllocationManager.InvalidStrategy.selector);
        allocationManager.createRedistributingOperatorSets(avs, params, addresses(makeAddr("vault")));
    }

    function test_registrarMustSupportTheAvs() public {
        address newcomer = makeAddr("newcomer");
        assertEq(address(allocationManager.getAVSRegistrar(newcomer)), newcomer);
        vm.prank(newcomer);
        vm.expectRevert(IAllocationManager.InvalidAVSRegistrar.selector);
        allocationManager.setAVSRegistrar(newcomer, registrar);
        assertEq(address(allocationManager.getAVSRegistrar(avs)), address(registrar));
    }

    // ------------------------------------------------------------------ membership

    function test_registrationMakesAMemberAndTellsTheRegistrar() public {
        Operator memory operator = joinSet("operator", 5e18);
        assertTrue(allocationManager.isMemberOfOperatorSet(operator.account, operatorSet));
        assertEq(allocationManager.getMemberCount(operatorSet), 1);
        assertEq(allocationManager.getMembers(operatorSet)[0], operator.account);
        assertEq(allocationManager.getRegisteredSets(operator.account)[0].id, operatorSet.id);
        assertEq(registrar.getOperatorSocket(operator.account), "http://operator.example:9001");
    }

    function test_registrationNeedsAnOperatorThatIsTheCallerAndASet() public {
        Operator memory operator = makeOperator("operator");
        vm.expectRevert(IAllocationManager.InvalidPermissions.selector);
        allocationManager.registerForOperatorSets(operator.account, registerParams(""));
        vm.startPrank(operator.account);
        vm.expectRevert(IAllocationManager.InvalidOperator.selector);
        allocationManager.registerForOperatorSets(operator.account, registerParams(""));
        delegationManager.registerAsOperator(address(0), 0, "");
        operatorSet.id = 99;
        vm.expectRevert(IAllocationManager.InvalidOperatorSet.selector);
        allocationManager.registerForOperatorSets(operator.account, registerParams(""));
    }

    function test_registrarsRefusalUndoesTheRegistration() public {
        address account = makeAddr("keyless");
        registerAsOperator(account, 0);
        vm.prank(account);
        vm.expectRevert(MatchmakerRegistrar.KeyNotRegistered.selector);
        allocationManager.registerForOperatorSets(account, registerParams("http://x"));
        assertFalse(allocationManager.isMemberOfOperatorSet(account, operatorSet));
    }

    function test_memberCannotRegisterAgain() public {
        Operator memory operator = joinSet("operator", 5e18);
        vm.prank(operator.account);
        vm.expectRevert(IAllocationManager.AlreadyMemberOfSet.selector);
        allocationManager.registerForOperatorSets(operator.account, registerParams(""));
    }

    function test_leavingOperatorIsSlashableToTheLastBlockOfTheDelay() public {
        Operator memory operator = joinSet("operator", 5e18);
        depart(operator.account, operator.account);
        assertEq(allocationManager.getMemberCount(operatorSet), 0);
        vm.roll(block.number + DEALLOCATION_DELAY);
        assertTrue(allocationManager.isOperatorSlashable(operator.account, operatorSet));
        assertEq(minimumStake(operator.account, uint32(block.number)), 5e18);
        vm.prank(operator.account);
        vm.expectRevert(IAllocationManager.AlreadyMemberOfSet.selector);
        allocationManager.registerForOperatorSets(operator.account, registerParams(""));

        vm.roll(block.number + 1);
        assertFalse(allocationManager.isOperatorSlashable(operator.account, operatorSet));
        assertEq(minimumStake(operator.account, uint32(block.number)), 0);
        assertEq(allocatedStake(operator.account), 5e18);
        registerForSet(operator.account);
        assertTrue(allocationManager.isMemberOfOperatorSet(operator.account, operatorSet));
    }

    function test_avsMayEjectAndStrangersMayNot() public {
        Operator memory operator = joinSet("operator", 5e18);
        vm.expectRevert(IAllocationManager.InvalidCaller.selector);
        allocationManager.deregisterFromOperatorSets(DeregisterParams(operator.account, avs, ids(operatorSet.id)));
        depart(avs, operator.account);
        assertFalse(allocationManager.isMemberOfOperatorSet(operator.account, operatorSet));
        vm.prank(avs);
        vm.expectRevert(IAllocationManager.NotMemberOfSet.selector);
        allocationManager.deregisterFromOperatorSets(DeregisterParams(operator.account, avs, ids(operatorSet.id)));
    }

    // ------------------------------------------------------------------ allocations

    function test_allocationDelayGivenAtRegistrationCountsAtOnce() public {
        address account = makeAddr("operator");
        (bool isSet,) = allocationManager.getAllocationDelay(account);
        assertFalse(isSet);
        registerAsOperator(account, 4);
        uint32 delay;
        (isSet, delay) = allocationManager.getAllocationDelay(account);
        assertTrue(isSet);
        assertEq(delay, 4);
    }

    function test_changedAllocationDelayCountsAfterTheConfigurationDelay() public {
        address account = makeAddr("operator");
        registerAsOperator(account, 4);
        vm.expectRevert(IAllocationManager.InvalidCaller.selector);
        allocationManager.setAllocationDelay(account, 2);
        vm.prank(account);
        allocationManager.setAllocationDelay(account, 2);
        vm.roll(block.number + CONFIGURATION_DELAY);
        (, uint32 delay) = allocationManager.getAllocationDelay(account);
        assertEq(delay, 4);
        vm.roll(block.number + 1);
        (, delay) = allocationManager.getAllocationDelay(account);
        assertEq(delay, 2);
    }

    function test_operatorWithoutDelayCannotAllocate() public {
        AllocateParams[] memory params = allocateParams(operatorSet, strategy, HALF);
        vm.expectRevert(IAllocationManager.UninitializedAllocationDelay.selector);
        allocationManager.modifyAllocations(address(this), params);
        vm.expectRevert(IAllocationManager.InvalidPermissions.selector);
        allocationManager.modifyAllocations(avs, params);
    }

    function test_allocationEncumbersAtOnceAndCountsAfterTheDelay() public {
        address account = makeAddr("operator");
        registerAsOperator(account, 4);
        deposit(account, 8e18);
        allocate(account, HALF);
        assertEq(allocationManager.getEncumberedMagnitude(account, strategy), HALF);
        assertEq(allocationManager.getAllocatableMagnitude(account, strategy), HALF);
        assertAllocation(account, 0, int128(uint128(HALF)), uint32(block.number) + 4);
        vm.roll(block.number + 3);
        assertEq(allocatedStake(account), 0);
        vm.roll(block.number + 1);
        assertAllocation(account, HALF, 0, 0);
        assertEq(allocatedStake(account), 4e18);
    }

    function test_magnitudesAreTargetsNotDifferences() public {
        address account = makeAddr("operator");
        registerAsOperator(account, 0);
        allocate(account, HALF);
        allocate(account, HALF + 1);
        assertAllocation(account, HALF + 1, 0, 0);
        assertEq(allocationManager.getEncumberedMagnitude(account, strategy), HALF + 1);
        vm.prank(account);
        vm.expectRevert(IAllocationManager.SameMagnitude.selector);
        allocationManager.modifyAllocations(account, allocateParams(operatorSet, strategy, HALF + 1));
    }

    function test_allSetsTogetherStayWithinTheMaximum() public {
        OperatorSet memory second = secondSet();
        address account = makeAddr("operator");
        registerAsOperator(account, 0);
        allocate(account, HALF);
        vm.startPrank(account);
        vm.expectRevert(IAllocationManager.InsufficientMagnitude.selector);
        allocationManager.modifyAllocations(account, allocateParams(second, strategy, HALF + 1));
        allocationManager.modifyAllocations(account, allocateParams(second, strategy, HALF));
        assertEq(allocationManager.getAllocatableMagnitude(account, strategy), 0);
        assertEq(allocationManager.getAllocatedSets(account).length, 2);
    }

    function test_oneChangeAtATime() public {
        address account = makeAddr("operator");
        registerAsOperator(account, 4);
        allocate(account, HALF);
        vm.prank(account);
        vm.expectRevert(IAllocationManager.ModificationAlreadyPending.selector);
        allocationManager.modifyAllocations(account, allocateParams(operatorSet, strategy, WAD));
    }

    function test_deallocationWithoutMembershipIsInstant() public {
        address account = makeAddr("operator");
        registerAsOperator(account, 0);
        allocate(account, WAD);
        allocate(account, 0);
        assertAllocation(account, 0, 0, 0);
        assertEq(allocationManager.getAllocatableMagnitude(account, strategy), WAD);
        assertEq(allocationManager.getAllocatedSets(account).length, 0);
        assertEq(allocationManager.getAllocatedStrategies(account, operatorSet).length, 0);
    }

    function test_deallocationOfSlashableStakeWaits() public {
        Operator memory operator = joinSet("operator", 8e18);
        uint32 effectBlock = uint32(block.number) + DEALLOCATION_DELAY + 1;
        allocate(operator.account, HALF);
        assertAllocation(operator.account, WAD, -int128(uint128(HALF)), effectBlock);
        assertEq(minimumStake(operator.account, effectBlock - 1), 8e18);
        assertEq(minimumStake(operator.account, effectBlock), 4e18);

        vm.roll(effectBlock - 1);
        assertEq(allocationManager.getAllocatableMagnitude(operator.account, strategy), 0);
        vm.roll(effectBlock);
        assertAllocation(operator.account, HALF, 0, 0);
        assertEq(allocationManager.getAllocatableMagnitude(operator.account, strategy), HALF);
        assertEq(allocatedStake(operator.account), 4e18);
    }

    function test_completedDeallocationCanBeAllocatedElsewhere() public {
        OperatorSet memory second = secondSet();
        Operator memory operator = joinSet("operator", 8e18);
        allocate(operator.account, 0);
        vm.prank(operator.account);
        vm.expectRevert(IAllocationManager.InsufficientMagnitude.selector);
        allocationManager.modifyAllocations(operator.account, allocateParams(second, strategy, 1));

        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        vm.prank(operator.account);
        allocationManager.modifyAllocations(operator.account, allocateParams(second, strategy, WAD));
        assertEq(allocationManager.getEncumberedMagnitude(operator.account, strategy), WAD);
        assertEq(allocationManager.getAllocatedSets(operator.account)[0].id, second.id);
        assertEq(allocationManager.getAllocatedSets(operator.account).length, 1);
    }

    function test_anyoneClearsTheDeallocationQueue() public {
        Operator memory operator = joinSet("operator", 8e18);
        allocate(operator.account, HALF);
        uint16[] memory numToClear = new uint16[](1);
        numToClear[0] = 5;
        allocationManager.clearDeallocationQueue(operator.account, strategies(strategy), numToClear);
        assertEq(allocationManager.getEncumberedMagnitude(operator.account, strategy), WAD);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        vm.expectEmit(address(allocationManager));
        emit IAllocationManager.EncumberedMagnitudeUpdated(operator.account, strategy, HALF);
        allocationManager.clearDeallocationQueue(operator.account, strategies(strategy), numToClear);
        assertEq(allocationManager.getEncumberedMagnitude(operator.account, strategy), HALF);
        assertAllocation(operator.account, HALF, 0, 0);
    }

    function test_allocationToAnUnknownSetReverts() public {
        address account = makeAddr("operator");
        registerAsOperator(account, 0);
        vm.startPrank(account);
        vm.expectRevert(IAllocationManager.InvalidOperatorSet.selector);
        allocationManager.modifyAllocations(account, allocateParams(OperatorSet(avs, 99), strategy, HALF));
        AllocateParams[] memory params = allocateParams(operatorSet, strategy, HALF);
        params[0].newMagnitudes = new uint64[](2);
        vm.expectRevert(IAllocationManager.InputArrayLengthMismatch.selector);
        allocationManager.modifyAllocations(account, params);
    }

    function test_pendingAllocationsAreNoMinimumStake() public {
        Operator memory operator = makeOperator("operator");
        registerAsOperator(operator.account, 4);
        deposit(operator.account, 8e18);
        allocate(operator.account, WAD);
        registerKey(operator);
        registerForSet(operator.account);
        assertEq(minimumStake(operator.account, uint32(block.number) + 100), 0);
        vm.roll(block.number + 4);
        assertEq(minimumStake(operator.account, uint32(block.number) + 100), 8e18);
    }

    /// @dev Shares times magnitude, rounded down.
    function testFuzz_minimumStakeIsTheAllocatedShare(uint256 stake, uint64 magnitude) public {
        stake = bound(stake, 1, 1e30);
        magnitude = uint64(bound(magnitude, 1, WAD));
        Operator memory operator = joinSet("operator", stake);
        allocate(operator.account, magnitude == WAD ? WAD - 1 : magnitude);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        uint256 expected = (stake * (magnitude == WAD ? WAD - 1 : magnitude)) / WAD;
        assertEq(minimumStake(operator.account, uint32(block.number)), expected);
    }

    /// @dev Whatever an operator does, its encumbered magnitude is the sum over its sets of the larger of current and target.
    function testFuzz_encumberedIsTheSumOverSets(uint256 seed) public {
        OperatorSet memory second = secondSet();
        Operator memory operator = joinSet("operator", 8e18);
        for (uint256 step; step < 12; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            OperatorSet memory target = seed % 2 == 0 ? operatorSet : second;
            vm.prank(operator.account);
            try allocationManager.modifyAllocations(
                operator.account, allocateParams(target, strategy, uint64((seed >> 8) % (uint256(WAD) + 1)))
            ) { }
                catch { }
            vm.roll(block.number + ((seed >> 128) % (DEALLOCATION_DELAY + 2)));
            uint256 sum = held(operator.account, operatorSet) + held(operator.account, second);
            assertEq(allocationManager.getEncumberedMagnitude(operator.account, strategy), sum);
            assertLe(sum, WAD);
        }
    }

    // ------------------------------------------------------------------ building blocks

    function held(address account, OperatorSet memory set) private view returns (uint256) {
        Allocation memory allocation = allocationManager.getAllocation(account, set, strategy);
        return allocation.pendingDiff > 0 ? allocation.currentMagnitude + uint128(allocation.pendingDiff) : allocation.currentMagnitude;
    }

    function secondSet() private returns (OperatorSet memory) {
        CreateSetParamsV2[] memory params = setParams(8, strategy);
        vm.prank(avs);
        allocationManager.createOperatorSets(avs, params);
        return OperatorSet(avs, 8);
    }

    function depart(address caller, address account) private {
        vm.prank(caller);
        allocationManager.deregisterFromOperatorSets(DeregisterParams(account, avs, ids(operatorSet.id)));
    }

    function minimumStake(address account, uint32 futureBlock) private view returns (uint256) {
        return allocationManager.getMinimumSlashableStake(operatorSet, addresses(account), strategies(strategy), futureBlock)[0][0];
    }

    function allocatedStake(address account) private view returns (uint256) {
        return allocationManager.getAllocatedStake(operatorSet, addresses(account), strategies(strategy))[0][0];
    }

    function assertAllocation(address account, uint64 current, int128 pending, uint32 effectBlock) private view {
        Allocation memory allocation = allocationManager.getAllocation(account, operatorSet, strategy);
        assertEq(allocation.currentMagnitude, current);
        assertEq(allocation.pendingDiff, pending);
        assertEq(allocation.effectBlock, effectBlock);
    }
}
