// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

/// @title The address of an upgradeable contract of the market: everybody calls it, its state is here, its code elsewhere.
/// @dev Initialised in its creation, or not created at all.
contract MarketProxy is ERC1967Proxy {
    constructor(address implementation, bytes memory initialization) payable ERC1967Proxy(implementation, initialization) { }
}
