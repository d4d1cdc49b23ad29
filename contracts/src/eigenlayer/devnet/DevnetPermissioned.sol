// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IPermissionController } from "../IPermissionController.sol";

/// @title What every devnet contract with accounts shares: may the caller act for this account?
abstract contract DevnetPermissioned {
    IPermissionController public immutable permissionController;

    constructor(IPermissionController permissionController_) {
        permissionController = permissionController_;
    }

    /// @dev True for the account itself, its admins, and appointees for exactly this function of this contract.
    function _mayActFor(address account) internal view returns (bool) {
        return permissionController.canCall(account, msg.sender, address(this), msg.sig);
    }
}
