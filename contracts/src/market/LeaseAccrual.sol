// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a lease earns over time at one price, and what must be locked for it.
library LeaseAccrual {
    uint256 private constant SECONDS_PER_HOUR = 3600;
    uint256 private constant PRICE_DECIMALS = 6;

    /// @notice Token units earned at `priceMicroPerHour` in `elapsedSeconds`: floor(price x 10^(decimals-6) x seconds / 3600).
    /// @dev Price below 2^40, decimals 6..18 and seconds below 2^32 stay below 2^112.
    function earned(uint256 priceMicroPerHour, uint256 decimals, uint256 elapsedSeconds) internal pure returns (uint256) {
        // Rounded down, in favour of the tenant.
        return priceMicroPerHour * 10 ** (decimals - PRICE_DECIMALS) * elapsedSeconds / SECONDS_PER_HOUR;
    }

    /// @notice Token units to be locked so that `elapsedSeconds` at this price can be paid.
    function cost(uint256 priceMicroPerHour, uint256 decimals, uint256 elapsedSeconds) internal pure returns (uint256) {
        // Rounded up, so that the accrual, rounded down, never exceeds it.
        return (priceMicroPerHour * 10 ** (decimals - PRICE_DECIMALS) * elapsedSeconds + SECONDS_PER_HOUR - 1) / SECONDS_PER_HOUR;
    }
}
