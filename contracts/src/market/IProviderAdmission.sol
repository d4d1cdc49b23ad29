// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a would-be provider says about itself.
struct ProviderProposal {
    string name;
    string hostUri;
    /// 0..1023.
    uint16 region;
    /// Trust tier asked for, 1..7; the verifier decides.
    uint8 tier;
    /// Planned devices and cores, for the voters.
    uint32 devices;
    uint32 cores;
}

enum ProposalState {
    None,
    Pending,
    Approved,
    Rejected,
    Withdrawn,
    Registered
}

/// @title How a provider gets in: proposal, approval by role or by council vote, registration.
/// @dev Upgradeable. `constructor(MarketContracts)`, `initialize(address authority, bool autoApproval, uint16 councilQuorum)`.
interface IProviderAdmission {
    event ProviderProposed(uint32 indexed proposalId, address indexed owner, ProviderProposal proposal);
    event ProposalVoted(uint32 indexed proposalId, address indexed member, bool support, uint16 supporting, uint16 opposing);
    event ProposalDecided(uint32 indexed proposalId, ProposalState state);
    event ProposalRegistered(uint32 indexed proposalId, uint24 indexed providerId);
    event AutoApprovalUpdated(bool autoApproval);
    event CouncilQuorumUpdated(uint16 councilQuorum);

    error ProposalNotFound(uint32 proposalId);
    error ProposalStateInvalid(uint32 proposalId, ProposalState state);
    error ProposalFieldInvalid(string field);
    /// @notice An owner has one proposal at a time.
    error ProposalPending(address owner, uint32 proposalId);
    error NotProposer(uint32 proposalId, address caller);
    error AlreadyVoted(uint32 proposalId, address member);
    /// @notice The council's quorum is 0.
    error VotingIsOff();

    /// @notice Posts the caller's proposal. Under auto-approval it is approved and registered in the same call (providerId > 0).
    function propose(ProviderProposal calldata proposal) external returns (uint32 proposalId, uint24 providerId);
    /// @notice Only the proposer, until it has registered.
    function withdrawProposal(uint32 proposalId) external;
    /// @notice Only the approver's role.
    function approve(uint32 proposalId) external;
    /// @notice Only the approver's role.
    function reject(uint32 proposalId) external;
    /// @notice Only council members, once each; `councilQuorum` equal votes decide. Quorum 0 switches voting off.
    function vote(uint32 proposalId, bool support) external;
    /// @notice The proposer joins: the provider exists from here on, with status Registered.
    function register(uint32 proposalId) external returns (uint24 providerId);
    function setAutoApproval(bool autoApproval) external;
    function setCouncilQuorum(uint16 councilQuorum) external;

    function proposalOf(uint32 proposalId) external view returns (address owner, ProposalState state, uint16 supporting, uint16 opposing);
    function autoApproval() external view returns (bool);
    function councilQuorum() external view returns (uint16);
}
