// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Fault, SnapshotProof } from "./Evidence.sol";

/// @notice What evidence shows.
/// @param messageHash The batch, or of two the lower one.
/// @param snapshotHash Zero for an equivocation.
/// @param orderId The order that was treated wrongly; 0 for an equivocation, or when the order never existed, was not open or is not shown.
/// @param tokenId In which that order pays; 0 with `orderId` 0.
/// @param signers Keys of the guilty in table order, 20 bytes (ECDSA) or 64 bytes (BN254) each.
/// @param positions Bit i: entry i of the table of `messageHash` is guilty.
struct Verdict {
    Fault fault;
    uint64 round;
    bytes32 messageHash;
    bytes32 snapshotHash;
    uint32 orderId;
    uint16 tokenId;
    bytes signers;
    uint256 positions;
}

/// @notice An order's tenant and what it had at stake.
struct Victim {
    address tenant;
    uint40 maxPriceMicroPerHour;
    uint24 durationMinutes;
}

/// @title Decides from evidence alone whether a batch that operators signed was wrong.
/// @dev Holds no state and trusts nobody: signers by signature, policy and table by preimage, market words by proof against the block that
/// the signers named, and the rules by executing them. Reverts when the evidence shows nothing, with the reason.
interface IFaultJudge {
    error CurveUnknown();
    error SnapshotHeaderMismatch();
    error AccountProofInvalid();
    error WordProofInvalid(bytes32 slot);
    error PolicyMismatch();
    /// @notice The packing terms are not those of the policy.
    error PackingMismatch();
    error RulesVersionUnknown(uint32 rulesVersion);
    error TableMismatch();
    error RecordsMismatch();
    error OperatorSetMismatch();
    error CertificateMalformed(string what);
    error SignatureInvalid(uint256 position);
    /// @notice A key of the table that nobody registered for signing could be made from other keys.
    error KeyUnregistered(uint256 position);
    error QuorumNotReached(uint256 signed, uint256 total);
    error IndexOutOfRange(uint256 index);
    error SpecMismatch();
    error WordMissing(string what);
    /// @notice The challenge window of the batch is over.
    error TooOld(uint256 snapshotTimestamp);
    /// @notice The evidence is sound but shows no fault.
    error NoFault();

    /// @param evidence `abi.encode` of the fault's evidence struct.
    function judge(Fault fault, bytes calldata evidence) external view returns (Verdict memory verdict);
    /// @notice Proves an order's owner word at a snapshot.
    function victimOf(bytes32 snapshotHash, uint32 orderId, SnapshotProof calldata snapshot, bytes[] calldata ownerWord)
        external
        view
        returns (Victim memory victim);
    /// @notice Seconds after a snapshot's timestamp within which its batch can be judged. Equivocation has no window.
    function challengeWindowSeconds() external view returns (uint32);
}
