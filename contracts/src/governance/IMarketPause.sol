// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The market's emergency brake: it stops what brings new money or new duties in, never what lets anyone out, and lets go by itself.
interface IMarketPause {
    event Paused(uint40 until, address indexed guardian);
    event Unpaused(address indexed caller);

    error MarketPaused(uint40 until);
    /// @notice A pause lasts 1 second to `MAX_PAUSE_SECONDS`.
    error PauseTooLong(uint32 durationSeconds, uint32 maximumSeconds);
    /// @notice After a pause the guardian waits, so that pauses cannot be chained.
    error PauseCoolingDown(uint40 earliest);
    error NotPaused();

    /// @notice Only the guardian's role.
    function pause(uint32 durationSeconds) external;
    /// @notice Ends a running pause early. Only the guardian's role.
    function unpause() external;
    /// @notice Reverts `MarketPaused` while a pause runs. Called first by: Escrow.deposit*, OrderRequest.createOrder, Bid.placeBid,
    /// ProviderAdmission.propose and register, StakingManager.stake and delegate, Rewarder.proposeRoot.
    function requireRunning() external view;
    function pausedUntil() external view returns (uint40);
}
