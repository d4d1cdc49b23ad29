// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Policy } from "./MarketTypes.sol";

/// @title The schedule of rounds and the policy each round is matched under.
interface IMatchPolicy {
    /// @notice A period begins at `fromRound`, whose snapshot block is `fromBlock`. Nodes take the policy's preimage from here.
    event PolicyScheduled(uint32 indexed fromRound, uint40 fromBlock, uint16 lengthBlocks, bytes32 policyHash, Policy policy);

    /// @notice A scheduled period has not begun yet; wait for round `pendingFromRound`.
    error ScheduleChangePending(uint32 pendingFromRound);
    /// @notice A change must name a round from `earliest` on.
    error FromRoundTooEarly(uint32 fromRound, uint32 earliest);
    /// @notice `field` of the policy or schedule is outside its bounds.
    error PolicyFieldInvalid(string field);

    /// @notice Starts a new period at `fromRound` with its own round length and policy.
    function schedule(uint32 fromRound, uint16 lengthBlocks, Policy calldata policy) external;

    /// @notice Smallest round whose snapshot block is at or after the current block: terms set now count from it.
    function fromRoundNow() external view returns (uint32);

    /// @notice The round that is open in the current block, 0 for none.
    function openRound() external view returns (uint32);

    /// @notice B(round). Reverts `RoundClosed` for rounds before the previous period.
    function snapshotBlock(uint32 round) external view returns (uint40);

    /// @notice B(round), B(round + 1) and the policy hash of `round`, in one call for settlement.
    function roundTerms(uint32 round) external view returns (uint40 snapshotBlock, uint40 nextSnapshotBlock, bytes32 policyHash);

    /// @notice The round belongs to no period that is still known.
    error RoundClosed(uint32 round);
}
