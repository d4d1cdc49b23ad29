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
}
