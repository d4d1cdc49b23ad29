// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PackingTerms } from "../../src/rules/PackingTerms.sol";

/// The packing terms of a policy of version 1.
function noPacking() pure returns (PackingTerms memory terms) { }
