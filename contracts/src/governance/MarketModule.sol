// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { UUPSUpgradeable } from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import { AccessManagedUpgradeable } from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";

/// @title What every upgradeable contract of the market shares: its authority, and who may replace its code.
/// @dev State lives in ERC-7201 namespaces only. Other contracts' addresses are immutables of the implementation, so an upgrade must be
/// deployed with the same ones. Whoever holds the upgrade role behind the authority's delay can change everything but what already left.
abstract contract MarketModule is UUPSUpgradeable, AccessManagedUpgradeable {
    /// An implementation is never used by itself.
    constructor() {
        _disableInitializers();
    }

    function _authorizeUpgrade(address) internal override restricted { }
}
