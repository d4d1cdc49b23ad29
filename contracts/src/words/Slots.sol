// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Where every word lives: a constant base plus an id times a power of two, so a proof names a slot without a hash.
/// @dev Bases end in 64 zero bits and every id-dependent part is below 2^64, so no two words share a slot, and none meets Solidity's own.
library Slots {
    uint256 private constant BASE_MASK = ~uint256(type(uint64).max);

    uint256 internal constant MACHINE = uint256(keccak256("matchmaker.words.machine")) & BASE_MASK;
    uint256 internal constant PROVIDER = uint256(keccak256("matchmaker.words.provider")) & BASE_MASK;
    uint256 internal constant REGISTRY_FACTS = uint256(keccak256("matchmaker.words.registry")) & BASE_MASK;
    uint256 internal constant REGISTRY_COUNTERS = REGISTRY_FACTS + 1;
    uint256 internal constant ORDER = uint256(keccak256("matchmaker.words.order")) & BASE_MASK;
    uint256 internal constant BID = uint256(keccak256("matchmaker.words.bid")) & BASE_MASK;
    uint256 internal constant ORDERS_FACTS = uint256(keccak256("matchmaker.words.orders")) & BASE_MASK;
    uint256 internal constant ORDERS_COUNTER = ORDERS_FACTS + 1;
    uint256 internal constant SETTLEMENT = uint256(keccak256("matchmaker.words.settlement")) & BASE_MASK;
    uint256 internal constant TABLE_NEWEST = SETTLEMENT + 1;
    uint256 internal constant TABLE_NEWEST_HASH = SETTLEMENT + 2;
    uint256 internal constant TABLE_PREVIOUS = SETTLEMENT + 3;
    uint256 internal constant TABLE_PREVIOUS_HASH = SETTLEMENT + 4;
    uint256 internal constant SCHEDULE = uint256(keccak256("matchmaker.words.schedule")) & BASE_MASK;
    uint256 internal constant POLICY_HASH_NEWEST = SCHEDULE + 1;
    uint256 internal constant POLICY_HASH_PREVIOUS = SCHEDULE + 2;

    /// @notice Slot of a machine's matching word, M0. `machineId` below 2^32.
    function machine(uint256 machineId) internal pure returns (uint256) {
        unchecked {
            return MACHINE + machineId * 16;
        }
    }

    /// @notice Slot of a machine's totals, M1.
    function machineTotals(uint256 machineId) internal pure returns (uint256) {
        unchecked {
            return MACHINE + machineId * 16 + 1;
        }
    }

    /// @notice Slot of an offer's newest terms, X. `offerIndex` below 4.
    function offer(uint256 machineId, uint256 offerIndex) internal pure returns (uint256) {
        unchecked {
            return MACHINE + machineId * 16 + 2 + offerIndex;
        }
    }

    /// @notice Slot of an offer's previous terms, Y. `offerIndex` below 4.
    function offerPrevious(uint256 machineId, uint256 offerIndex) internal pure returns (uint256) {
        unchecked {
            return MACHINE + machineId * 16 + 6 + offerIndex;
        }
    }

    /// @notice Slot of a provider's score word, P0. `providerId` below 2^24.
    function provider(uint256 providerId) internal pure returns (uint256) {
        unchecked {
            return PROVIDER + providerId * 4;
        }
    }

    /// @notice Slot of a provider's owner and required stake, P1.
    function providerOwner(uint256 providerId) internal pure returns (uint256) {
        unchecked {
            return PROVIDER + providerId * 4 + 1;
        }
    }

    /// @notice Slot of an order's word, the later lease. `orderId` below 2^32.
    function order(uint256 orderId) internal pure returns (uint256) {
        unchecked {
            return ORDER + orderId * 4;
        }
    }

    /// @notice Slot of an order's owner word.
    function orderOwner(uint256 orderId) internal pure returns (uint256) {
        unchecked {
            return ORDER + orderId * 4 + 1;
        }
    }

    /// @notice Slot of an order's spec hash.
    function orderSpec(uint256 orderId) internal pure returns (uint256) {
        unchecked {
            return ORDER + orderId * 4 + 2;
        }
    }

    /// @notice Slot of an order's bid. `bidIndex` below 255.
    function bid(uint256 orderId, uint256 bidIndex) internal pure returns (uint256) {
        unchecked {
            return BID + orderId * 256 + bidIndex;
        }
    }

    /// @notice Reads the word at `slot`.
    function load(uint256 slot) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(slot)
        }
    }

    /// @notice Writes the word at `slot`.
    function store(uint256 slot, uint256 word) internal {
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }
}
