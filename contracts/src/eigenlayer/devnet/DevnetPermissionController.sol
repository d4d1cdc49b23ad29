// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EnumerableSet } from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import { IPermissionController } from "../IPermissionController.sol";

/// @title Admins and appointees of accounts, for a chain that has no EigenLayer.
contract DevnetPermissionController is IPermissionController {
    using EnumerableSet for EnumerableSet.AddressSet;
    using EnumerableSet for EnumerableSet.Bytes32Set;

    mapping(address account => EnumerableSet.AddressSet) private _admins;
    mapping(address account => EnumerableSet.AddressSet) private _pendingAdmins;
    mapping(address account => mapping(address appointee => EnumerableSet.Bytes32Set)) private _permissions;
    mapping(address account => mapping(bytes32 permission => EnumerableSet.AddressSet)) private _appointees;

    modifier onlyAdmin(address account) {
        require(isAdmin(account, msg.sender), NotAdmin());
        _;
    }

    function addPendingAdmin(address account, address admin) external onlyAdmin(account) {
        require(!_admins[account].contains(admin), AdminAlreadySet());
        require(_pendingAdmins[account].add(admin), AdminAlreadyPending());
        emit PendingAdminAdded(account, admin);
    }

    function removePendingAdmin(address account, address admin) external onlyAdmin(account) {
        require(_pendingAdmins[account].remove(admin), AdminNotPending());
        emit PendingAdminRemoved(account, admin);
    }

    function acceptAdmin(address account) external {
        require(_pendingAdmins[account].remove(msg.sender), AdminNotPending());
        require(_admins[account].add(msg.sender), AdminAlreadySet());
        emit AdminSet(account, msg.sender);
    }

    function removeAdmin(address account, address admin) external onlyAdmin(account) {
        require(_admins[account].length() > 1, CannotHaveZeroAdmins());
        require(_admins[account].remove(admin), AdminNotSet());
        emit AdminRemoved(account, admin);
    }

    function setAppointee(address account, address appointee, address target, bytes4 selector) external onlyAdmin(account) {
        bytes32 permission = _permission(target, selector);
        require(_permissions[account][appointee].add(permission), AppointeeAlreadySet());
        _appointees[account][permission].add(appointee);
        emit AppointeeSet(account, appointee, target, selector);
    }

    function removeAppointee(address account, address appointee, address target, bytes4 selector) external onlyAdmin(account) {
        bytes32 permission = _permission(target, selector);
        require(_permissions[account][appointee].remove(permission), AppointeeNotSet());
        _appointees[account][permission].remove(appointee);
        emit AppointeeRemoved(account, appointee, target, selector);
    }

    function isAdmin(address account, address caller) public view returns (bool) {
        return _admins[account].length() == 0 ? account == caller : _admins[account].contains(caller);
    }

    function isPendingAdmin(address account, address pendingAdmin) external view returns (bool) {
        return _pendingAdmins[account].contains(pendingAdmin);
    }

    function getAdmins(address account) external view returns (address[] memory admins) {
        if (_admins[account].length() != 0) return _admins[account].values();
        admins = new address[](1);
        admins[0] = account;
    }

    function getPendingAdmins(address account) external view returns (address[] memory) {
        return _pendingAdmins[account].values();
    }

    function canCall(address account, address caller, address target, bytes4 selector) external view returns (bool) {
        return isAdmin(account, caller) || _permissions[account][caller].contains(_permission(target, selector));
    }

    function getAppointeePermissions(address account, address appointee)
        external
        view
        returns (address[] memory targets, bytes4[] memory selectors)
    {
        bytes32[] memory permissions = _permissions[account][appointee].values();
        targets = new address[](permissions.length);
        selectors = new bytes4[](permissions.length);
        for (uint256 i; i < permissions.length; ++i) {
            // The target's 20 bytes, then the selector's 4.
            targets[i] = address(bytes20(permissions[i]));
            selectors[i] = bytes4(permissions[i] << 160);
        }
    }

    function getAppointees(address account, address target, bytes4 selector) external view returns (address[] memory) {
        return _appointees[account][_permission(target, selector)].values();
    }

    function _permission(address target, bytes4 selector) private pure returns (bytes32) {
        return bytes32(abi.encodePacked(target, selector));
    }
}
