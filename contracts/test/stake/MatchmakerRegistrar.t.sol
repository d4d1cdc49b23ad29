// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DeregisterParams, RegisterParams, SignatureWithExpiry } from "../../src/eigenlayer/EigenTypes.sol";
import { MatchmakerRegistrar } from "../../src/stake/MatchmakerRegistrar.sol";
import { EigenDevnetFixture } from "../eigenlayer/EigenDevnetFixture.sol";

contract MatchmakerRegistrarTest is EigenDevnetFixture {
    function test_onlyTheAllocationManagerCalls() public {
        vm.expectRevert(MatchmakerRegistrar.NotAllocationManager.selector);
        registrar.registerOperator(address(this), avs, ids(operatorSet.id), abi.encode("socket"));
        vm.expectRevert(MatchmakerRegistrar.NotAllocationManager.selector);
        registrar.deregisterOperator(address(this), avs, ids(operatorSet.id));
    }

    function test_onlyOurAvsIsServed() public {
        address foreign = makeAddr("foreign avs");
        assertTrue(registrar.supportsAVS(avs));
        assertFalse(registrar.supportsAVS(foreign));
        vm.prank(address(allocationManager));
        vm.expectRevert(abi.encodeWithSelector(MatchmakerRegistrar.UnsupportedAVS.selector, foreign));
        registrar.registerOperator(address(this), foreign, ids(operatorSet.id), abi.encode("socket"));
    }

    function test_everySetNeedsAKey() public {
        Operator memory operator = makeOperator("operator");
        registerKey(operator);
        uint32[] memory both = new uint32[](2);
        both[0] = operatorSet.id;
        both[1] = operatorSet.id + 1;
        vm.startPrank(address(allocationManager));
        vm.expectRevert(MatchmakerRegistrar.KeyNotRegistered.selector);
        registrar.registerOperator(operator.account, avs, both, abi.encode("socket"));
        registrar.registerOperator(operator.account, avs, ids(operatorSet.id), abi.encode("socket"));
        assertEq(registrar.getOperatorSocket(operator.account), "socket");
    }

    function test_dataThatIsNoSocketRefusesTheRegistration() public {
        Operator memory operator = makeOperator("operator");
        registerAsOperator(operator.account, 0);
        registerKey(operator);
        vm.prank(operator.account);
        vm.expectRevert();
        allocationManager.registerForOperatorSets(operator.account, RegisterParams(avs, ids(operatorSet.id), hex"1234"));
        assertFalse(allocationManager.isMemberOfOperatorSet(operator.account, operatorSet));
    }

    function test_operatorChangesItsSocket() public {
        Operator memory operator = joinSet("operator", 5e18);
        vm.expectRevert(MatchmakerRegistrar.CallerNotOperator.selector);
        registrar.updateSocket(operator.account, "http://thief");
        vm.prank(operator.account);
        vm.expectEmit(address(registrar));
        emit MatchmakerRegistrar.OperatorSocketSet(operator.account, "http://moved");
        registrar.updateSocket(operator.account, "http://moved");
        assertEq(registrar.getOperatorSocket(operator.account), "http://moved");
    }

    function test_anAppointeeForThisFunctionChangesTheSocketAndNobodyElse() public {
        Operator memory operator = joinSet("operator", 5e18);
        address node = makeAddr("node");
        vm.prank(operator.account);
        permissionController.setAppointee(operator.account, node, address(registrar), registrar.updateSocket.selector);
        vm.prank(node);
        registrar.updateSocket(operator.account, "http://by-node");
        assertEq(registrar.getOperatorSocket(operator.account), "http://by-node");

        Operator memory other = joinSet("other", 5e18);
        vm.prank(node);
        vm.expectRevert(MatchmakerRegistrar.CallerNotOperator.selector);
        registrar.updateSocket(other.account, "http://thief");

        address elsewhere = makeAddr("appointee for another contract");
        vm.prank(operator.account);
        permissionController.setAppointee(operator.account, elsewhere, address(keyRegistrar), registrar.updateSocket.selector);
        vm.prank(elsewhere);
        vm.expectRevert(MatchmakerRegistrar.CallerNotOperator.selector);
        registrar.updateSocket(operator.account, "http://thief");

        vm.prank(operator.account);
        permissionController.removeAppointee(operator.account, node, address(registrar), registrar.updateSocket.selector);
        vm.prank(node);
        vm.expectRevert(MatchmakerRegistrar.CallerNotOperator.selector);
        registrar.updateSocket(operator.account, "http://late");
    }

    /// @dev As everywhere in EigenLayer: once another admin has accepted, the account itself has no rights left.
    function test_anAdminActsForTheOperatorAndTheOperatorNoLonger() public {
        Operator memory operator = joinSet("operator", 5e18);
        address admin = makeAddr("admin");
        vm.prank(operator.account);
        permissionController.addPendingAdmin(operator.account, admin);
        vm.startPrank(admin);
        permissionController.acceptAdmin(operator.account);
        registrar.updateSocket(operator.account, "http://by-admin");
        vm.stopPrank();
        assertEq(registrar.getOperatorSocket(operator.account), "http://by-admin");
        vm.prank(operator.account);
        vm.expectRevert(MatchmakerRegistrar.CallerNotOperator.selector);
        registrar.updateSocket(operator.account, "http://by-operator");
    }

    function test_whoJoinsNeedsTheLeastStake_itsOwnOrDelegated() public {
        vm.expectEmit(address(registrar));
        emit MatchmakerRegistrar.MinimumSharesSet(5e18);
        vm.prank(avs);
        registrar.setMinimumShares(5e18);
        joinSet("enough", 5e18);

        Operator memory poor = makeOperator("poor");
        registerAsOperator(poor.account, 0);
        deposit(poor.account, 5e18 - 1);
        registerKey(poor);
        vm.expectRevert(abi.encodeWithSelector(MatchmakerRegistrar.StakeBelowMinimum.selector, 5e18 - 1, 5e18));
        registerForSet(poor.account);
        address restaker = makeAddr("restaker");
        deposit(restaker, 1);
        SignatureWithExpiry memory none;
        vm.prank(restaker);
        delegationManager.delegateTo(poor.account, none, 0);
        registerForSet(poor.account);
        assertTrue(allocationManager.isMemberOfOperatorSet(poor.account, operatorSet));

        // Who is in stays in, and leaves without being asked.
        vm.prank(avs);
        registrar.setMinimumShares(type(uint256).max);
        vm.prank(poor.account);
        allocationManager.deregisterFromOperatorSets(DeregisterParams(poor.account, avs, ids(operatorSet.id)));
        assertFalse(allocationManager.isMemberOfOperatorSet(poor.account, operatorSet));
    }

    function test_onlyTheAvsSetsTheLeastStake() public {
        vm.expectRevert(MatchmakerRegistrar.CallerNotAvs.selector);
        registrar.setMinimumShares(0);
        address appointee = makeAddr("appointee");
        vm.prank(avs);
        permissionController.setAppointee(avs, appointee, address(registrar), registrar.setMinimumShares.selector);
        vm.prank(appointee);
        registrar.setMinimumShares(3);
        assertEq(registrar.minimumShares(), 3);
    }

    function test_socketIsBounded() public {
        string memory longest = string(new bytes(256));
        registrar.updateSocket(address(this), longest);
        vm.expectRevert(abi.encodeWithSelector(MatchmakerRegistrar.SocketTooLong.selector, 257));
        registrar.updateSocket(address(this), string(new bytes(257)));
    }

    /// @dev Whatever the allocation manager names, leaving goes through.
    function testFuzz_deregistrationNeverReverts(address operator, address anyAvs, uint32[] calldata anyIds) public {
        vm.prank(address(allocationManager));
        vm.expectEmit(address(registrar));
        emit MatchmakerRegistrar.OperatorDeregistered(operator, anyIds);
        registrar.deregisterOperator(operator, anyAvs, anyIds);
    }

    function test_operatorLeaves() public {
        Operator memory operator = joinSet("operator", 5e18);
        vm.prank(operator.account);
        vm.expectEmit(address(registrar));
        emit MatchmakerRegistrar.OperatorDeregistered(operator.account, ids(operatorSet.id));
        allocationManager.deregisterFromOperatorSets(DeregisterParams(operator.account, avs, ids(operatorSet.id)));
    }
}
