// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice Stake that many own by shares.
struct Pool {
    uint128 amount;
    /// Counts wipe-outs: shares of an earlier epoch are worth nothing.
    uint32 epoch;
    /// Counts how often shares were divided by `StakePool.SCALE`.
    uint32 scale;
    uint192 shares;
}

/// @notice Shares as they were in a pool's `epoch` and `scale`.
struct Holding {
    uint192 shares;
    uint32 epoch;
    uint32 scale;
}

using StakePool for Pool global;

/// @title Shares in stake that can be slashed.
/// @dev Nothing but `enter` adds to a pool, so a share is never worth more than a unit: there is no price to inflate, by a donation or as the
/// first to enter. What roundings leave behind belongs to the shares that stay. A pool that is wiped out begins anew in the next epoch, and
/// one with more than 10^18 shares a unit divides them all, so that no slash ever makes the shares of who comes later too many, or too few.
library StakePool {
    /// Keeps shares below 2^128 units x 10^18, and every product here below 2^512.
    uint256 internal constant SCALE = 1e18;

    uint256 private constant BPS = 10_000;
    /// Divided by `SCALE` more often, nothing is left of 192 bits.
    uint256 private constant MAX_DIVISIONS = 3;

    /// @notice Adds `amount` to the pool, and the shares it returns, at least as many as units, to the holding.
    function enter(Pool storage pool, Holding storage holding, uint128 amount) internal returns (uint256 shares) {
        uint256 issued = pool.shares;
        // Rounded down, against who enters.
        shares = issued == 0 ? amount : Math.mulDiv(amount, issued, pool.amount);
        _write(pool, holding, pool.held(holding) + shares);
        pool.shares = SafeCast.toUint192(issued + shares);
        pool.amount += amount;
    }

    /// @notice Takes `shares` out of the holding, at most what it holds, and what they are worth out of the pool.
    function exit(Pool storage pool, Holding storage holding, uint256 shares) internal returns (uint128 amount) {
        amount = pool.worth(shares);
        _write(pool, holding, pool.held(holding) - shares);
        pool.shares -= uint192(shares);
        pool.amount -= amount;
    }

    /// @notice Takes `bps` of the amount.
    function slash(Pool storage pool, uint256 bps) internal returns (uint128 taken) {
        uint256 amount = pool.amount;
        // Rounded up, against the slashed; never above the amount, since bps is at most 10000.
        taken = uint128(Math.ceilDiv(amount * bps, BPS));
        uint256 left = amount - taken;
        pool.amount = uint128(left);
        uint256 issued = pool.shares;
        if (left == 0 && issued != 0) {
            pool.shares = 0;
            ++pool.epoch;
        } else if (issued > left * SCALE) {
            // Rounded down, and yet no fewer than units or than all holdings, which are rounded down too.
            pool.shares = uint192(issued / SCALE);
            ++pool.scale;
        }
    }

    /// @notice The holding's shares as of now.
    function held(Pool storage pool, Holding storage holding) internal view returns (uint256 shares) {
        if (holding.epoch != pool.epoch) return 0;
        uint256 divisions = pool.scale - holding.scale;
        // Rounded down, against the holder: by less than a unit's worth.
        return divisions > MAX_DIVISIONS ? 0 : holding.shares / SCALE ** divisions;
    }

    /// @notice What so many shares would bring now.
    function worth(Pool storage pool, uint256 shares) internal view returns (uint128) {
        // Rounded down, against who leaves.
        return shares == 0 ? 0 : uint128(Math.mulDiv(shares, pool.amount, pool.shares));
    }

    function _write(Pool storage pool, Holding storage holding, uint256 shares) private {
        holding.shares = SafeCast.toUint192(shares);
        holding.epoch = pool.epoch;
        holding.scale = pool.scale;
    }
}
