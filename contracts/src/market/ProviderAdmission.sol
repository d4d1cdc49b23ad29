// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IMarketPause } from "../governance/IMarketPause.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { IProviderAdmission, ProposalState, ProviderProposal } from "./IProviderAdmission.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";

/// @title How a provider gets in: proposal, approval by role or by council vote, registration.
/// @dev Being let in gives a registration and nothing else: a provider is matched only once its own stake covers what it must, so
/// auto-approval admits nobody for free. A vote counts though its member left the council since; a changed quorum counts from the next vote.
contract ProviderAdmission is IProviderAdmission, MarketModule {
    uint256 private constant MAX_NAME_BYTES = 64;
    uint256 private constant MAX_HOST_URI_BYTES = 256;
    uint256 private constant REGIONS = 1024;
    uint256 private constant LEAST_TRUSTED_TIER = 7;

    struct Proposal {
        address owner;
        ProposalState state;
        uint16 supporting;
        uint16 opposing;
        string name;
        string hostUri;
    }

    /// @custom:storage-location erc7201:matchmaker.storage.ProviderAdmission
    struct Layout {
        uint32 proposalCount;
        bool autoApproval;
        uint16 councilQuorum;
        mapping(uint32 proposalId => Proposal) proposals;
        mapping(address owner => uint32) newestOf;
        mapping(uint32 proposalId => mapping(address member => bool)) voted;
    }

    bytes32 private constant LAYOUT_SLOT = 0x176d80b631c61684b267fc0ebb782ed77c2baea54531a6698f89cd271a61ea00;

    IProviderRegistry private immutable _PROVIDER_REGISTRY;
    IMarketPause private immutable _MARKET_PAUSE;

    constructor(MarketContracts memory market) {
        _PROVIDER_REGISTRY = IProviderRegistry(market.providerRegistry);
        _MARKET_PAUSE = IMarketPause(market.pause);
    }

    /// @notice Called once, in the proxy's creation.
    function initialize(address authority, bool autoApproval_, uint16 councilQuorum_) external initializer {
        __AccessManaged_init(authority);
        _setAutoApproval(autoApproval_);
        _setCouncilQuorum(councilQuorum_);
    }

    // ---- proposers

    /// @inheritdoc IProviderAdmission
    function propose(ProviderProposal calldata proposal) external returns (uint32 proposalId, uint24 providerId) {
        _MARKET_PAUSE.requireRunning();
        providerId = _PROVIDER_REGISTRY.providerOf(msg.sender);
        if (providerId != 0) revert IProviderRegistry.ProviderAlreadyRegistered(msg.sender, providerId);
        _requireBounds(proposal);
        Layout storage state = _layout();
        uint32 newest = state.newestOf[msg.sender];
        ProposalState newestState = state.proposals[newest].state;
        if (newestState == ProposalState.Pending || newestState == ProposalState.Approved) revert ProposalPending(msg.sender, newest);

        proposalId = SafeCast.toUint32(uint256(state.proposalCount) + 1);
        state.proposalCount = proposalId;
        state.newestOf[msg.sender] = proposalId;
        Proposal storage entry = state.proposals[proposalId];
        entry.owner = msg.sender;
        entry.state = ProposalState.Pending;
        entry.name = proposal.name;
        entry.hostUri = proposal.hostUri;
        emit ProviderProposed(proposalId, msg.sender, proposal);
        if (!state.autoApproval) return (proposalId, 0);
        _decide(proposalId, entry, ProposalState.Approved);
        providerId = _register(proposalId, entry);
    }

    /// @inheritdoc IProviderAdmission
    function withdrawProposal(uint32 proposalId) external {
        Proposal storage entry = _ownProposal(proposalId);
        if (entry.state != ProposalState.Pending && entry.state != ProposalState.Approved) {
            revert ProposalStateInvalid(proposalId, entry.state);
        }
        _decide(proposalId, entry, ProposalState.Withdrawn);
    }

    /// @inheritdoc IProviderAdmission
    function register(uint32 proposalId) external returns (uint24 providerId) {
        _MARKET_PAUSE.requireRunning();
        Proposal storage entry = _ownProposal(proposalId);
        if (entry.state != ProposalState.Approved) revert ProposalStateInvalid(proposalId, entry.state);
        return _register(proposalId, entry);
    }

    // ---- roles

    /// @inheritdoc IProviderAdmission
    function approve(uint32 proposalId) external restricted {
        _decide(proposalId, _pendingProposal(proposalId), ProposalState.Approved);
    }

    /// @inheritdoc IProviderAdmission
    function reject(uint32 proposalId) external restricted {
        _decide(proposalId, _pendingProposal(proposalId), ProposalState.Rejected);
    }

    /// @inheritdoc IProviderAdmission
    function vote(uint32 proposalId, bool support) external restricted {
        Proposal storage entry = _pendingProposal(proposalId);
        Layout storage state = _layout();
        uint16 quorum = state.councilQuorum;
        if (quorum == 0) revert VotingIsOff();
        if (state.voted[proposalId][msg.sender]) revert AlreadyVoted(proposalId, msg.sender);
        state.voted[proposalId][msg.sender] = true;
        uint16 votes = support ? ++entry.supporting : ++entry.opposing;
        emit ProposalVoted(proposalId, msg.sender, support, entry.supporting, entry.opposing);
        if (votes >= quorum) _decide(proposalId, entry, support ? ProposalState.Approved : ProposalState.Rejected);
    }

    /// @inheritdoc IProviderAdmission
    function setAutoApproval(bool autoApproval_) external restricted {
        _setAutoApproval(autoApproval_);
    }

    /// @inheritdoc IProviderAdmission
    function setCouncilQuorum(uint16 councilQuorum_) external restricted {
        _setCouncilQuorum(councilQuorum_);
    }

    // ---- views

    /// @inheritdoc IProviderAdmission
    function proposalOf(uint32 proposalId) external view returns (address owner, ProposalState state, uint16 supporting, uint16 opposing) {
        Proposal storage entry = _layout().proposals[proposalId];
        return (entry.owner, entry.state, entry.supporting, entry.opposing);
    }

    /// @inheritdoc IProviderAdmission
    function autoApproval() external view returns (bool) {
        return _layout().autoApproval;
    }

    /// @inheritdoc IProviderAdmission
    function councilQuorum() external view returns (uint16) {
        return _layout().councilQuorum;
    }

    // ---- rules

    function _register(uint32 proposalId, Proposal storage entry) private returns (uint24 providerId) {
        entry.state = ProposalState.Registered;
        providerId = _PROVIDER_REGISTRY.registerProvider(entry.owner, entry.name, entry.hostUri);
        emit ProposalRegistered(proposalId, providerId);
    }

    function _decide(uint32 proposalId, Proposal storage entry, ProposalState decision) private {
        entry.state = decision;
        emit ProposalDecided(proposalId, decision);
    }

    function _setAutoApproval(bool autoApproval_) private {
        _layout().autoApproval = autoApproval_;
        emit AutoApprovalUpdated(autoApproval_);
    }

    function _setCouncilQuorum(uint16 councilQuorum_) private {
        _layout().councilQuorum = councilQuorum_;
        emit CouncilQuorumUpdated(councilQuorum_);
    }

    function _requireBounds(ProviderProposal calldata proposal) private pure {
        if (bytes(proposal.name).length == 0 || bytes(proposal.name).length > MAX_NAME_BYTES) revert ProposalFieldInvalid("name");
        if (bytes(proposal.hostUri).length == 0 || bytes(proposal.hostUri).length > MAX_HOST_URI_BYTES) {
            revert ProposalFieldInvalid("hostUri");
        }
        if (proposal.region >= REGIONS) revert ProposalFieldInvalid("region");
        if (proposal.tier == 0 || proposal.tier > LEAST_TRUSTED_TIER) revert ProposalFieldInvalid("tier");
        // Every machine has cores; devices it may do without.
        if (proposal.cores == 0) revert ProposalFieldInvalid("cores");
    }

    function _proposal(uint32 proposalId) private view returns (Proposal storage entry) {
        entry = _layout().proposals[proposalId];
        if (entry.state == ProposalState.None) revert ProposalNotFound(proposalId);
    }

    function _pendingProposal(uint32 proposalId) private view returns (Proposal storage entry) {
        entry = _proposal(proposalId);
        if (entry.state != ProposalState.Pending) revert ProposalStateInvalid(proposalId, entry.state);
    }

    function _ownProposal(uint32 proposalId) private view returns (Proposal storage entry) {
        entry = _proposal(proposalId);
        if (entry.owner != msg.sender) revert NotProposer(proposalId, msg.sender);
    }

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }
}
