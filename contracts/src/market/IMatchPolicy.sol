// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PackingTerms } from "../rules/PackingTerms.sol";
import { Policy } from "./MarketTypes.sol";

/// @title The schedule of rounds and the policy each round is matched under.
interface IMatchPolicy {
    /// @notice A period begins at `fromRound`, whose snapshot block is `fromBlock`. Nodes take the preimages of policy and packing hash from
    /// here; `packing` is empty in version 1 of the rules.
    event PolicyScheduled(
        uint32 indexed fromRound, uint40 fromBlock, uint16 lengthBlocks, bytes32 policyHash, Policy policy, PackingTerms packing
    );

    /// @notice A scheduled period has not begun yet; wait for round `pendingFromRound`.
    error ScheduleChangePending(uint32 pendingFromRound);
    /// @notice A change must name a round from `earliest` on.
    error FromRoundTooEarly(uint32 fromRound, uint32 earliest);
    /// @notice `field` of the policy or schedule is outside its bounds.
    error PolicyFieldInvalid(string field);

    /// @notice Starts a new period at `fromRound` with its own round length and policy. `packing` is the preimage of the policy's
    /// `packingHash`, and empty in version 1 of the rules.
    function schedule(uint32 fromRound, uint16 lengthBlocks, Policy calldata policy, PackingTerms calldata packing) external;

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
