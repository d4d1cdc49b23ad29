// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title The authority that every restricted function of the market asks.
/// @dev One instance per market. `admin` may do everything at once until it hands roles and delays to others.
contract MarketAuthority is AccessManager {
    constructor(address admin) AccessManager(admin) { }
}
