// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MatchBatch, OrderSpec, Policy } from "./MarketTypes.sol";

/// @title Turns one round's signed batch into leases, in one transaction, by anyone.
interface IMatchSettlement {
    /// @notice The one log of a batch. Everything it wrote follows from the records and the two bitmaps (bit i is record i).
    event BatchSettled(uint64 indexed round, bytes32 indexed messageHash, bytes records, uint256[] skipped, uint256[] benched);
    event TableRecorded(uint32 indexed tableTimestamp, uint32 fromRound, bytes32 tableHash, uint96 totalWeight);

    /// @notice A self-match or the growth of a lease stood in for the batch of a round that nobody settled; nothing else can settle it.
    /// The settlement word folds it as a batch with messageHash and recordsHash zero and no bitmaps.
    event RoundTaken(uint64 indexed round, address indexed caller);
    event OrderSelfMatched(uint64 indexed round, uint32 indexed orderId, address indexed tenant, bytes32 record);

    /// @notice Neither is the open round settled, nor have `selfMatchRounds` gone by without any.
    error GateClosed(uint32 openRound, uint32 lastSettledRound, uint32 selfMatchRounds);
    /// @notice The order has not been eligible for `selfMatchRounds` rounds.
    error SelfMatchTooEarly(uint32 orderId, uint32 earliestRound);
    /// @notice The machine may not take the order: `reason` is the matching rules' reason code.
    error SelfMatchIneligible(uint32 orderId, uint32 machineId, uint256 reason);
    error NotTenant(uint32 orderId, address caller);
    error SpecMismatch(uint32 orderId);
    error NotAuthorized(address caller);

    error RecordsMalformed(string what);
    error RecordsHashMismatch();
    error RoundAlreadySettled(uint64 round, uint32 lastSettledRound);
    error RoundNotOpen(uint64 round, uint256 blockNumber);
    error SnapshotBlockMismatch(uint64 named, uint256 expected);
    error SnapshotHashMismatch(bytes32 named, bytes32 canonical);
    error PolicyMismatch(bytes32 named, bytes32 expected);
    error OperatorSetMismatch();
    error TableMismatch(uint32 tableTimestamp, bytes32 tableHash);
    error TableTooOld(uint32 tableTimestamp);
    error TotalStakeTooLow(uint256 total, uint256 minimum);
    error QuorumNotReached(uint256 signed, uint256 total);
    error TableNotNewer(uint32 tableTimestamp);

    /// @param records 32 bytes each, order ids strictly ascending.
    /// @param certificate Who signed the batch, as the market's quorum verifier takes it; its errors come through.
    /// @return matched How many records became leases.
    function settle(MatchBatch calldata batch, Policy calldata policy, bytes calldata records, bytes calldata certificate)
        external
        returns (uint256 matched);

    /// @notice Settles the caller's own order, unmatched for `selfMatchRounds`, at an eligible machine's offer price, when the gate is open:
    /// the open round is settled, or none has settled for `selfMatchRounds`, and then this takes its place. Same filters, price and devices
    /// as the engine, on the words of now.
    function selfMatch(uint32 orderId, uint32 machineId, uint8 offerIndex, OrderSpec calldata spec, Policy calldata policy) external;
    /// @notice Only compute lease, before a lease grows: passes the gate of the open round as a self-match does. Returns the round.
    function passGate(Policy calldata policy) external returns (uint32 round);

    /// @notice Takes over the newest operator table; it counts from the next round on. Anyone.
    /// @param entries The packed entries where the quorum verifier's source has only a commitment to them (BN254); empty otherwise.
    function recordTable(bytes calldata entries) external;
    /// @notice Does nothing but make the chain produce a block, so that the round of a lone order closes. Anyone.
    function tick() external;

    function messageHash(MatchBatch calldata batch) external view returns (bytes32);
    /// @notice The table that certificates of `round` must name.
    function tableOf(uint32 round) external view returns (uint32 tableTimestamp, bytes32 tableHash, uint96 totalWeight);
    function lastSettledRound() external view returns (uint32);
    function settlementWord() external view returns (bytes32);
    function operatorSetKey() external view returns (bytes32);
}
