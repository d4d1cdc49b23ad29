// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { IStrategy } from "../eigenlayer/IStrategy.sol";
import { Fault } from "./Evidence.sol";
import { IFaultJudge } from "./IFaultJudge.sol";
import { ISlashVault } from "./ISlashVault.sol";

/// @title The operator set's slasher: records proven offences and slashes each of their signers once. Nobody else can slash the set.
/// @notice `commit`, then in a later block `prove`, then `slash` in as many calls as the signers need. No owner, no pause, no veto.
interface IMatchmakerSlasher {
    /// @param signersHash keccak256 of the packed keys of the accused.
    /// @param slashed Bit i: signer i was slashed for it.
    struct Offence {
        Fault fault;
        uint64 round;
        uint32 orderId;
        uint16 tokenId;
        uint32 provenAt;
        address challenger;
        bytes32 messageHash;
        bytes32 snapshotHash;
        bytes32 signersHash;
        uint256 slashed;
    }

    event Committed(bytes32 indexed commitment, address indexed challenger);
    /// @param signers Packed keys of the accused, in table order.
    event OffenceProven(
        bytes32 indexed offenceId,
        Fault indexed fault,
        address indexed challenger,
        uint64 round,
        bytes32 messageHash,
        uint32 orderId,
        bytes signers
    );
    event SignerSlashed(bytes32 indexed offenceId, address indexed operator, uint256 signerIndex, uint256 slashId, uint256 shares);
    /// @notice The operator left long ago, or has nothing allocated now; it can be tried again.
    event SignerNotSlashable(bytes32 indexed offenceId, address indexed operator, uint256 signerIndex);

    error WadOutOfRange(uint64 wad);
    error CommitmentUnknown(bytes32 commitment);
    error CommitmentTooYoung(uint256 earliestBlock);
    error CommitmentExists(bytes32 commitment);
    /// @notice Everyone whom this evidence shows to be guilty was accused of it before.
    error OffenceKnown(bytes32 messageHash);
    error OffenceUnknown(bytes32 offenceId);
    error SignersMismatch();
    error TooManySigners(uint256 count);
    error SignerIndexOutOfRange(uint256 index);
    error AlreadySlashed(address operator);

    /// @notice Announces evidence without showing it, so that nobody can copy it first.
    /// @param commitment keccak256(abi.encode(challenger, fault, keccak256(evidence), salt)).
    function commit(bytes32 commitment) external;
    /// @notice Records the offence that evidence shows; the caller is its challenger. A signer is accused once for a batch, and once for two
    /// batches of a round: a later proof accuses only those that an earlier one left out.
    function prove(Fault fault, bytes calldata evidence, bytes32 salt) external returns (bytes32 offenceId);
    /// @notice Slashes those of an offence's signers whose bit is set in `which`, at most 32. Whoever was slashed for that kind of offence
    /// in that round before is passed over, and the call reverts when that is all of them. So is, for two batches of a round, whoever was
    /// slashed for those of another round less than a challenge window before the offence was proven, or since.
    /// @param signers The packed keys as OffenceProven shows them.
    function slash(bytes32 offenceId, bytes calldata signers, uint256 which) external returns (uint256 slashedCount);

    function offenceOf(bytes32 offenceId) external view returns (Offence memory);
    function commitmentBlock(bytes32 commitment) external view returns (uint256);
    /// @notice Whether the operator was slashed for a batch, or with `equivocation` for two batches, of the round.
    function isSlashed(address operator, uint64 round, bool equivocation) external view returns (bool);
    /// @notice What an offence costs each of its signers, of 1e18: a part of what the operator has allocated to the set at that time.
    function wadOf(Fault fault) external view returns (uint64);
    function challengeWindowSeconds() external view returns (uint32);
    function operatorSet() external view returns (OperatorSet memory);
    /// @notice The strategy that is slashed.
    function strategy() external view returns (IStrategy);
    function judge() external view returns (IFaultJudge);
    function vault() external view returns (ISlashVault);
}
