// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketPause } from "./IMarketPause.sol";
import { MarketModule } from "./MarketModule.sol";

/// @title The market's emergency brake: it stops what brings new money or new duties in, never what lets anyone out, and lets go by itself.
/// @dev A guardian who has gone bad can keep the market from taking new business for at most 3 of any 10 days, and nothing else. A pause
/// cannot be lengthened: whoever needs more time than was asked for needs an upgrade. Upgradeable.
contract MarketPause is IMarketPause, MarketModule {
    /// @notice Longest pause.
    uint32 public constant MAX_PAUSE_SECONDS = 3 days;
    /// @notice From the end of a pause, early or not, to the next one.
    uint32 public constant COOLDOWN_SECONDS = 7 days;

    /// @custom:storage-location erc7201:matchmaker.storage.MarketPause
    struct Layout {
        /// First second in which the market runs again; stays when the pause is over.
        uint40 until;
    }

    bytes32 private constant LAYOUT_SLOT = 0xe5e414c0335c1690920caf0202f9db4fa3e4fd74914a89d1d392aca1bc533000;

    /// @notice Called once, in the proxy's creation.
    function initialize(address authority) external initializer {
        __AccessManaged_init(authority);
    }

    /// @inheritdoc IMarketPause
    function pause(uint32 durationSeconds) external restricted {
        if (durationSeconds == 0 || durationSeconds > MAX_PAUSE_SECONDS) revert PauseTooLong(durationSeconds, MAX_PAUSE_SECONDS);
        Layout storage state = _layout();
        uint40 before = state.until;
        if (before != 0 && block.timestamp < before + COOLDOWN_SECONDS) revert PauseCoolingDown(before + COOLDOWN_SECONDS);
        uint40 until = uint40(block.timestamp) + durationSeconds;
        state.until = until;
        emit Paused(until, msg.sender);
    }

    /// @inheritdoc IMarketPause
    function unpause() external restricted {
        Layout storage state = _layout();
        if (block.timestamp >= state.until) revert NotPaused();
        state.until = uint40(block.timestamp);
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc IMarketPause
    function requireRunning() external view {
        uint40 until = _layout().until;
        if (block.timestamp < until) revert MarketPaused(until);
    }

    /// @inheritdoc IMarketPause
    function pausedUntil() external view returns (uint40) {
        return _layout().until;
    }

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }
}
