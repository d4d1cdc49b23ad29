// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title EigenLayer's user access management: who may act for an account.
/// @dev An account without admins is its own admin; once an admin accepts, the account is one only if it is listed.
interface IPermissionController {
    event AppointeeSet(address indexed account, address indexed appointee, address target, bytes4 selector);
    event AppointeeRemoved(address indexed account, address indexed appointee, address target, bytes4 selector);
    event PendingAdminAdded(address indexed account, address admin);
    event PendingAdminRemoved(address indexed account, address admin);
    event AdminSet(address indexed account, address admin);
    event AdminRemoved(address indexed account, address admin);

    error NotAdmin();
    error AdminNotSet();
    error AppointeeAlreadySet();
    error AppointeeNotSet();
    error CannotHaveZeroAdmins();
    error AdminAlreadySet();
    error AdminNotPending();
    error AdminAlreadyPending();

    function addPendingAdmin(address account, address admin) external;
    function removePendingAdmin(address account, address admin) external;
    function acceptAdmin(address account) external;
    function removeAdmin(address account, address admin) external;
    function setAppointee(address account, address appointee, address target, bytes4 selector) external;
    function removeAppointee(address account, address appointee, address target, bytes4 selector) external;
    function isAdmin(address account, address caller) external view returns (bool);
    function isPendingAdmin(address account, address pendingAdmin) external view returns (bool);
    function getAdmins(address account) external view returns (address[] memory);
    function getPendingAdmins(address account) external view returns (address[] memory);
    function canCall(address account, address caller, address target, bytes4 selector) external view returns (bool);
    /// @return targets By permission, of the functions that the appointee may call for the account.
    /// @return selectors Each of the target at the same place.
    function getAppointeePermissions(address account, address appointee)
        external
        view
        returns (address[] memory targets, bytes4[] memory selectors);
    function getAppointees(address account, address target, bytes4 selector) external view returns (address[] memory);
}
