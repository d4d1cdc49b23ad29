// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { IPermissionController } from "../../src/eigenlayer/IPermissionController.sol";
import { DevnetPermissionController } from "../../src/eigenlayer/devnet/DevnetPermissionController.sol";

contract DevnetPermissionControllerTest is Test {
    DevnetPermissionController private controller = new DevnetPermissionController();
    address private account = makeAddr("account");
    address private admin = makeAddr("admin");
    address private target = makeAddr("target");
    bytes4 private constant SELECTOR = 0x12345678;

    function testFuzz_strangersMayDoNothing(address stranger, address anyTarget, bytes4 anySelector) public view {
        vm.assume(stranger != account);
        assertFalse(controller.isAdmin(account, stranger));
        assertFalse(controller.canCall(account, stranger, anyTarget, anySelector));
    }

    function test_accountIsItsOwnAdminUntilAnotherAccepts() public {
        assertTrue(controller.isAdmin(account, account));
        assertEq(controller.getAdmins(account)[0], account);
        vm.prank(account);
        controller.addPendingAdmin(account, admin);
        assertTrue(controller.isAdmin(account, account));
        assertFalse(controller.isAdmin(account, admin));
        assertTrue(controller.isPendingAdmin(account, admin));
        assertEq(controller.getPendingAdmins(account)[0], admin);

        vm.prank(admin);
        controller.acceptAdmin(account);
        assertFalse(controller.isAdmin(account, account));
        assertTrue(controller.isAdmin(account, admin));
        assertTrue(controller.canCall(account, admin, target, SELECTOR));
        assertEq(controller.getAdmins(account)[0], admin);
        vm.prank(account);
        vm.expectRevert(IPermissionController.NotAdmin.selector);
        controller.addPendingAdmin(account, account);
    }

    function test_pendingAdminCanBeWithdrawn() public {
        vm.startPrank(account);
        controller.addPendingAdmin(account, admin);
        vm.expectRevert(IPermissionController.AdminAlreadyPending.selector);
        controller.addPendingAdmin(account, admin);
        controller.removePendingAdmin(account, admin);
        vm.expectRevert(IPermissionController.AdminNotPending.selector);
        controller.removePendingAdmin(account, admin);
        vm.stopPrank();
        vm.prank(admin);
        vm.expectRevert(IPermissionController.AdminNotPending.selector);
        controller.acceptAdmin(account);
    }

    function test_lastAdminStays() public {
        vm.prank(account);
        controller.addPendingAdmin(account, admin);
        vm.startPrank(admin);
        controller.acceptAdmin(account);
        vm.expectRevert(IPermissionController.AdminAlreadySet.selector);
        controller.addPendingAdmin(account, admin);
        vm.expectRevert(IPermissionController.CannotHaveZeroAdmins.selector);
        controller.removeAdmin(account, admin);
        controller.addPendingAdmin(account, account);
        vm.stopPrank();
        vm.startPrank(account);
        controller.acceptAdmin(account);
        vm.expectRevert(IPermissionController.AdminNotSet.selector);
        controller.removeAdmin(account, target);
        controller.removeAdmin(account, admin);
        assertFalse(controller.isAdmin(account, admin));
    }

    function test_appointeeMayCallOneFunctionOfOneContract() public {
        vm.startPrank(account);
        controller.setAppointee(account, admin, target, SELECTOR);
        vm.expectRevert(IPermissionController.AppointeeAlreadySet.selector);
        controller.setAppointee(account, admin, target, SELECTOR);
        assertTrue(controller.canCall(account, admin, target, SELECTOR));
        assertFalse(controller.canCall(account, admin, target, 0x12345679));
        assertFalse(controller.canCall(account, admin, account, SELECTOR));
        assertFalse(controller.canCall(target, admin, target, SELECTOR));
        assertFalse(controller.isAdmin(account, admin));
        controller.removeAppointee(account, admin, target, SELECTOR);
        assertFalse(controller.canCall(account, admin, target, SELECTOR));
        vm.expectRevert(IPermissionController.AppointeeNotSet.selector);
        controller.removeAppointee(account, admin, target, SELECTOR);
    }

    function test_permissionsAreListedBothWays() public {
        vm.startPrank(account);
        controller.setAppointee(account, admin, target, SELECTOR);
        controller.setAppointee(account, admin, account, 0xdeadbeef);
        controller.setAppointee(account, target, target, SELECTOR);
        (address[] memory targets, bytes4[] memory selectors) = controller.getAppointeePermissions(account, admin);
        assertEq(targets.length, 2);
        assertEq(targets[0], target);
        assertEq(selectors[0], SELECTOR);
        assertEq(targets[1], account);
        assertEq(selectors[1], bytes4(0xdeadbeef));
        address[] memory appointees = controller.getAppointees(account, target, SELECTOR);
        assertEq(appointees.length, 2);
        assertEq(appointees[0], admin);
        assertEq(appointees[1], target);
        controller.removeAppointee(account, admin, target, SELECTOR);
        (targets, selectors) = controller.getAppointeePermissions(account, admin);
        assertEq(targets.length, 1);
        assertEq(selectors[0], bytes4(0xdeadbeef));
        assertEq(controller.getAppointees(account, target, SELECTOR).length, 1);
    }
}
