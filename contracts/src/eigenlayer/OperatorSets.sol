// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OperatorSet } from "./EigenTypes.sol";

/// @title The 32-byte key of an operator set: avs in the upper 20 bytes, id in the lower 12.
library OperatorSets {
    function key(OperatorSet memory operatorSet) internal pure returns (bytes32) {
        return bytes32(abi.encodePacked(operatorSet.avs, uint96(operatorSet.id)));
    }

    function fromKey(bytes32 setKey) internal pure returns (OperatorSet memory) {
        // The upper 160 bits are the AVS, the lower 32 the id; nothing else is ever set.
        // forge-lint: disable-next-line(unsafe-typecast)
        return OperatorSet(address(uint160(uint256(setKey) >> 96)), uint32(uint256(setKey)));
    }
}
