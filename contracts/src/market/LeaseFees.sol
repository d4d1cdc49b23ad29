// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title How what a lease accrued (G) is shared out, and what its tenant pays on top.
/// @dev Everything is a function of the cumulative G, so that no payment in between adds a rounding of its own. Each fee rounds down.
library LeaseFees {
    uint256 internal constant BPS = 10_000;

    /// @notice Token units that a lock needs so that `cost` (G) and its user fee can be paid.
    function lockOf(uint256 cost, uint256 userFeeBps) internal pure returns (uint256) {
        // Rounded up: the fee that is paid rounds down, so it never exceeds this. Written without a sum that could overflow: cost < 2^96.
        return cost + (cost * userFeeBps + BPS - 1) / BPS;
    }

    /// @notice The user fee on `accrued` (G), paid by the tenant on top.
    function userFeeOf(uint256 accrued, uint256 userFeeBps) internal pure returns (uint256) {
        // Rounded down, in favour of the tenant.
        return accrued * userFeeBps / BPS;
    }

    /// @notice Shares of `accrued` (G): `toProvider + providerFee + foundationFee == accrued`.
    /// @dev Where both fees step at the same unit of G, the provider's share falls by that unit; from any G to one two or more above it never
    /// falls. Assumes providerFeeBps <= 1000 and foundationFeeBps <= 5000.
    function split(uint256 accrued, uint256 providerFeeBps, uint256 foundationFeeBps)
        internal
        pure
        returns (uint256 toProvider, uint256 providerFee, uint256 foundationFee)
    {
        // Both rounded down, in favour of the provider.
        providerFee = accrued * providerFeeBps / BPS;
        foundationFee = accrued * foundationFeeBps / BPS;
        toProvider = accrued - providerFee - foundationFee;
    }
}
