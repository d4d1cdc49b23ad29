// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title How deposit shares become withdrawable ones.
/// @notice A staker's deposit shares times its scaling factor are scaled shares; those times the operator's maximum magnitude are what it
/// can withdraw. A slashing so changes one number for all stakers, and the scaling factor makes a deposit after a slashing count in full.
/// @dev Both factors out of 1e18; every division rounds down, so that stakers never together own more than the operator's shares.
library ScaledShares {
    uint256 private constant WAD = 1e18;

    function scale(uint256 depositShares, uint256 scalingFactor) internal pure returns (uint256) {
        return Math.mulDiv(depositShares, scalingFactor, WAD);
    }

    function withdrawable(uint256 scaledShares, uint256 maxMagnitude) internal pure returns (uint256) {
        return Math.mulDiv(scaledShares, maxMagnitude, WAD);
    }

    /// @notice The scaling factor with which a staker can withdraw what it could before, and `addedShares` more.
    function afterDeposit(uint256 scalingFactor, uint256 depositSharesBefore, uint256 addedShares, uint256 maxMagnitude)
        internal
        pure
        returns (uint256)
    {
        if (depositSharesBefore == 0) return Math.mulDiv(scalingFactor, WAD, maxMagnitude);
        uint256 shares = withdrawable(scale(depositSharesBefore, scalingFactor), maxMagnitude) + addedShares;
        return Math.mulDiv(Math.mulDiv(shares, WAD, depositSharesBefore + addedShares), WAD, maxMagnitude);
    }
}
