// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SnapshotProof } from "./Evidence.sol";

/// @title Where slashed stake goes: a share to the challenger, then to the tenant who was wronged, the rest to the treasury.
/// @dev Redistribution recipient of the operator set, for ever. Every payment is pulled by its receiver.
interface ISlashVault {
    /// @notice What was collected for an offence and where it went, in base units of the staked token.
    struct Pot {
        uint256 collected;
        uint256 challengerPaid;
        uint256 victimPaid;
        uint256 treasuryPaid;
    }

    /// @notice The proven tenant of a wrong batch's order. One for all offences of the batch that name the order.
    struct Claim {
        address tenant;
        uint256 loss;
        uint256 paid;
    }

    event SlashCollected(bytes32 indexed offenceId, uint256 indexed slashId, uint256 amount);
    event ChallengerPaid(bytes32 indexed offenceId, address indexed challenger, uint256 amount);
    event VictimProven(bytes32 indexed offenceId, address indexed tenant, uint256 loss);
    event VictimPaid(bytes32 indexed offenceId, address indexed tenant, uint256 amount);
    event TreasuryPaid(bytes32 indexed offenceId, uint256 amount);
    event CompensationRateSet(uint16 indexed tokenId, uint256 stakePerMillionMicro);
    event TreasurySet(address indexed treasury);

    error BpsOutOfRange(uint256 bps);
    error TreasuryZero();
    error OnlySlasher();
    error OffenceUnknown(bytes32 offenceId);
    error SlashUnknown(uint256 slashId);
    error NoVictim(bytes32 offenceId);
    error VictimKnown(bytes32 offenceId);
    error NothingToPay();
    error ClaimPeriodOpen(uint256 until);
    error ClaimPeriodOver(uint256 since);

    /// @notice Only the slasher: notes which offence a slash belongs to.
    function noteSlash(bytes32 offenceId, uint256 slashId, uint256 shares) external;
    /// @notice Takes the tokens of a noted slash out of EigenLayer and books them to its offence. Anyone.
    function collect(uint256 slashId) external returns (uint256 amount);
    /// @notice Pays the challenger its share of what was collected so far.
    function payChallenger(bytes32 offenceId) external returns (uint256 amount);
    /// @notice Shows who the offence's tenant is and what was at stake. Anyone, within the claim period.
    function proveVictim(bytes32 offenceId, SnapshotProof calldata snapshot, bytes[] calldata ownerWord) external;
    /// @notice Pays the proven tenant, up to its loss at the compensation rate, from what is collected.
    function payVictim(bytes32 offenceId) external returns (uint256 amount);
    /// @notice After the claim period: the rest goes to the treasury.
    function payTreasury(bytes32 offenceId) external returns (uint256 amount);

    /// @notice Only the owner: base units of the staked token that make good the loss of 1,000,000 micro-units of a market token; 0 for none.
    function setCompensationRate(uint16 tokenId, uint256 stakePerMillionMicro) external;
    /// @notice Only the owner.
    function setTreasury(address treasury_) external;

    function potOf(bytes32 offenceId) external view returns (Pot memory);
    /// @notice All zero until the victim is proven.
    function claimOf(bytes32 offenceId) external view returns (Claim memory);
    /// @return offenceId Zero for a slash that was never noted.
    /// @return shares What is still to be collected, 0 once it is.
    function slashOf(uint256 slashId) external view returns (bytes32 offenceId, uint256 shares);
    /// @notice Collected and not yet paid, over all offences; never more than the vault holds.
    function booked() external view returns (uint256);
    function compensationRate(uint16 tokenId) external view returns (uint256 stakePerMillionMicro);
    function treasury() external view returns (address);
    function challengerBps() external view returns (uint16);
    /// @notice The most that the wronged tenant gets of what came in for an offence, whatever its loss.
    function victimBps() external view returns (uint16);
    /// @notice Seconds from an offence's proof within which its victim can be proven.
    function claimPeriodSeconds() external view returns (uint32);
}
