// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import { LibString } from "solady/utils/LibString.sol";
import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { MarketContracts } from "../../src/governance/MarketContracts.sol";
import { MarketPause } from "../../src/governance/MarketPause.sol";
import { IProviderAdmission, ProposalState, ProviderProposal } from "../../src/market/IProviderAdmission.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { ProviderStatus } from "../../src/market/MarketTypes.sol";
import { ProviderAdmission } from "../../src/market/ProviderAdmission.sol";
import { ProviderRegistry } from "../../src/market/ProviderRegistry.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";

/// @notice Admission with the real registry and the real pause.
contract ProviderAdmissionTest is Test {
    uint64 private constant COUNCIL = 5;
    uint16 private constant QUORUM = 2;

    AccessManager private authority;
    MarketPause private marketPause;
    ProviderRegistry private registry;
    ProviderAdmission private admission;
    MarketContracts private market;
    address private owner = makeAddr("owner");
    address private stranger = makeAddr("stranger");
    address[4] private council = [makeAddr("member 1"), makeAddr("member 2"), makeAddr("member 3"), makeAddr("member 4")];

    function setUp() public {
        vm.warp(1_800_000_000);
        authority = new AccessManager(address(this));
        marketPause = MarketPause(
            address(new ERC1967Proxy(address(new MarketPause()), abi.encodeCall(MarketPause.initialize, (address(authority)))))
        );
        market.authority = address(authority);
        market.pause = address(marketPause);
        market.providerRegistry = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        admission = ProviderAdmission(
            address(
                new ERC1967Proxy(
                    address(new ProviderAdmission(market)),
                    abi.encodeCall(ProviderAdmission.initialize, (address(authority), false, QUORUM))
                )
            )
        );
        market.providerAdmission = address(admission);
        registry = new ProviderRegistry(market);
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = IProviderAdmission.vote.selector;
        authority.setTargetFunctionRole(address(admission), selectors, COUNCIL);
        for (uint256 i; i < council.length; ++i) {
            authority.grantRole(COUNCIL, council[i], 0);
        }
    }

    // ---- proposal, approval, registration

    function test_ProposalWaitsForApprovalAndThenJoins() public {
        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProviderProposed(1, owner, _proposal());
        vm.prank(owner);
        (uint32 proposalId, uint24 providerId) = admission.propose(_proposal());
        assertEq(proposalId, 1);
        assertEq(providerId, 0);
        _assertProposal(1, ProposalState.Pending, 0, 0);

        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderAdmission.ProposalStateInvalid.selector, 1, ProposalState.Pending));
        admission.register(1);

        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProposalDecided(1, ProposalState.Approved);
        admission.approve(1);
        _assertProposal(1, ProposalState.Approved, 0, 0);
        assertEq(registry.providerOf(owner), 0, "joining is the proposer's to do");

        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderAdded(1, owner, "provider", "https://provider.example");
        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProposalRegistered(1, 1);
        vm.prank(owner);
        assertEq(admission.register(1), 1);
        _assertProposal(1, ProposalState.Registered, 0, 0);
        assertEq(registry.providerOwner(1), owner);
        ProviderWord provider = ProviderWord.wrap(uint256(registry.providerWord(1)));
        assertEq(provider.status(), uint256(ProviderStatus.Registered));
        assertEq(provider.tier(), 7, "the tier asked for is the verifier's to give");

        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderAdmission.ProposalStateInvalid.selector, 1, ProposalState.Registered));
        admission.register(1);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.ProviderAlreadyRegistered.selector, owner, 1));
        admission.propose(_proposal());
    }

    function test_RejectedProposerMayProposeAgain() public {
        _propose();
        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProposalDecided(1, ProposalState.Rejected);
        admission.reject(1);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderAdmission.ProposalStateInvalid.selector, 1, ProposalState.Rejected));
        admission.register(1);
        assertEq(_propose(), 2);
    }

    function test_ProposerWithdrawsBeforeAndAfterApproval() public {
        _propose();
        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProposalDecided(1, ProposalState.Withdrawn);
        vm.prank(owner);
        admission.withdrawProposal(1);
        assertEq(_propose(), 2);
        admission.approve(2);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderAdmission.ProposalPending.selector, owner, 2));
        admission.propose(_proposal());
        admission.withdrawProposal(2);
        vm.expectRevert(abi.encodeWithSelector(IProviderAdmission.ProposalStateInvalid.selector, 2, ProposalState.Withdrawn));
        admission.withdrawProposal(2);
        vm.stopPrank();
        assertEq(_propose(), 3);
    }

    function test_AutoApprovalRegistersInTheSameCall() public {
        vm.expectEmit(address(admission));
        emit IProviderAdmission.AutoApprovalUpdated(true);
        admission.setAutoApproval(true);
        assertTrue(admission.autoApproval());
        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProposalDecided(1, ProposalState.Approved);
        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProposalRegistered(1, 1);
        vm.prank(owner);
        (uint32 proposalId, uint24 providerId) = admission.propose(_proposal());
        assertEq(proposalId, 1);
        assertEq(providerId, 1);
        assertEq(registry.providerOf(owner), 1);
        assertEq(ProviderWord.wrap(uint256(registry.providerWord(1))).status(), uint256(ProviderStatus.Registered));
    }

    /// What was proposed before the switch still needs its approval.
    function test_AutoApprovalDoesNotReachBack() public {
        _propose();
        admission.setAutoApproval(true);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderAdmission.ProposalStateInvalid.selector, 1, ProposalState.Pending));
        admission.register(1);
    }

    // ---- the council

    function test_CouncilApprovesWithItsQuorum() public {
        _propose();
        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProposalVoted(1, council[0], true, 1, 0);
        _vote(0, true);
        _vote(1, false);
        _assertProposal(1, ProposalState.Pending, 1, 1);
        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProposalVoted(1, council[2], true, 2, 1);
        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProposalDecided(1, ProposalState.Approved);
        _vote(2, true);
        _assertProposal(1, ProposalState.Approved, 2, 1);
        vm.prank(council[3]);
        vm.expectRevert(abi.encodeWithSelector(IProviderAdmission.ProposalStateInvalid.selector, 1, ProposalState.Approved));
        admission.vote(1, true);
    }

    function test_CouncilRejectsWithItsQuorum() public {
        _propose();
        _vote(0, false);
        vm.expectEmit(address(admission));
        emit IProviderAdmission.ProposalDecided(1, ProposalState.Rejected);
        _vote(1, false);
        _assertProposal(1, ProposalState.Rejected, 0, 2);
    }

    function test_ChangedQuorumCountsFromTheNextVote() public {
        _propose();
        _vote(0, true);
        vm.expectEmit(address(admission));
        emit IProviderAdmission.CouncilQuorumUpdated(1);
        admission.setCouncilQuorum(1);
        assertEq(admission.councilQuorum(), 1);
        _assertProposal(1, ProposalState.Pending, 1, 0);
        _vote(1, false);
        _assertProposal(1, ProposalState.Rejected, 1, 1);
    }

    function test_RevertIf_AMemberVotesTwiceOrVotingIsOff() public {
        _propose();
        _vote(0, true);
        vm.prank(council[0]);
        vm.expectRevert(abi.encodeWithSelector(IProviderAdmission.AlreadyVoted.selector, 1, council[0]));
        admission.vote(1, false);
        admission.setCouncilQuorum(0);
        vm.prank(council[1]);
        vm.expectRevert(IProviderAdmission.VotingIsOff.selector);
        admission.vote(1, true);
        admission.approve(1);
    }

    /// Votes are decided the moment one side reaches the quorum, and by nothing else.
    function testFuzz_TheFirstSideToReachTheQuorumDecides(uint256 votes, uint8 quorum) public {
        quorum = uint8(bound(quorum, 1, 12));
        admission.setCouncilQuorum(quorum);
        _propose();
        uint256 supporting;
        uint256 opposing;
        for (uint256 i; i < 24 && supporting < quorum && opposing < quorum; ++i) {
            bool support = (votes >> i) & 1 == 1;
            if (support) ++supporting;
            else ++opposing;
            address member = address(uint160(0x1000 + i));
            authority.grantRole(COUNCIL, member, 0);
            vm.prank(member);
            admission.vote(1, support);
            ProposalState expected =
                supporting == quorum ? ProposalState.Approved : opposing == quorum ? ProposalState.Rejected : ProposalState.Pending;
            _assertProposal(1, expected, uint16(supporting), uint16(opposing));
        }
    }

    // ---- refusals

    function test_RevertIf_AFieldIsOutOfBounds() public {
        ProviderProposal memory proposal = _proposal();
        proposal.name = "";
        _assertInvalid(proposal, "name");
        proposal.name = string(new bytes(65));
        _assertInvalid(proposal, "name");
        proposal = _proposal();
        proposal.hostUri = "";
        _assertInvalid(proposal, "hostUri");
        proposal.hostUri = string(new bytes(257));
        _assertInvalid(proposal, "hostUri");
        proposal = _proposal();
        proposal.region = 1024;
        _assertInvalid(proposal, "region");
        proposal = _proposal();
        proposal.tier = 0;
        _assertInvalid(proposal, "tier");
        proposal.tier = 8;
        _assertInvalid(proposal, "tier");
        proposal = _proposal();
        proposal.cores = 0;
        _assertInvalid(proposal, "cores");
    }

    /// What admission lets through the registry takes: the bounds of both are the same.
    function testFuzz_AnAcceptedProposalCanBeRegistered(uint256 nameBytes, uint256 hostUriBytes) public {
        ProviderProposal memory proposal = _proposal();
        proposal.name = string(new bytes(bound(nameBytes, 1, 64)));
        proposal.hostUri = string(new bytes(bound(hostUriBytes, 1, 256)));
        vm.prank(owner);
        admission.propose(proposal);
        admission.approve(1);
        vm.prank(owner);
        assertEq(admission.register(1), 1);
    }

    function test_RevertIf_TheProposalIsUnknown() public {
        bytes memory notFound = abi.encodeWithSelector(IProviderAdmission.ProposalNotFound.selector, 7);
        vm.expectRevert(notFound);
        admission.approve(7);
        vm.expectRevert(notFound);
        admission.reject(7);
        vm.expectRevert(notFound);
        admission.withdrawProposal(7);
        vm.expectRevert(notFound);
        admission.register(7);
        vm.prank(council[0]);
        vm.expectRevert(notFound);
        admission.vote(7, true);
        (address proposer, ProposalState state,,) = admission.proposalOf(7);
        assertEq(proposer, address(0));
        assertEq(uint256(state), uint256(ProposalState.None));
    }

    function test_RevertIf_ADecisionIsTakenTwice() public {
        _propose();
        admission.approve(1);
        bytes memory approved = abi.encodeWithSelector(IProviderAdmission.ProposalStateInvalid.selector, 1, ProposalState.Approved);
        vm.expectRevert(approved);
        admission.approve(1);
        vm.expectRevert(approved);
        admission.reject(1);
    }

    function test_RevertIf_CallerIsNotTheProposerOrTheRole() public {
        _propose();
        vm.startPrank(stranger);
        bytes memory notProposer = abi.encodeWithSelector(IProviderAdmission.NotProposer.selector, 1, stranger);
        vm.expectRevert(notProposer);
        admission.withdrawProposal(1);
        vm.expectRevert(notProposer);
        admission.register(1);
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        vm.expectRevert(unauthorized);
        admission.approve(1);
        vm.expectRevert(unauthorized);
        admission.reject(1);
        vm.expectRevert(unauthorized);
        admission.vote(1, true);
        vm.expectRevert(unauthorized);
        admission.setAutoApproval(true);
        vm.expectRevert(unauthorized);
        admission.setCouncilQuorum(1);
    }

    function test_PauseStopsJoiningAndNotWithdrawing() public {
        _propose();
        admission.approve(1);
        marketPause.pause(60);
        bytes memory paused = abi.encodeWithSelector(IMarketPause.MarketPaused.selector, block.timestamp + 60);
        vm.prank(stranger);
        vm.expectRevert(paused);
        admission.propose(_proposal());
        vm.startPrank(owner);
        vm.expectRevert(paused);
        admission.register(1);
        admission.withdrawProposal(1);
    }

    function test_RevertIf_IdsRunOut() public {
        vm.store(
            address(admission),
            SlotDerivation.erc7201Slot("matchmaker.storage.ProviderAdmission"),
            bytes32((uint256(QUORUM) << 40) | type(uint32).max)
        );
        assertEq(admission.councilQuorum(), QUORUM, "the words lie where the formula says");
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 32, uint256(1) << 32));
        admission.propose(_proposal());
    }

    // ---- the proxy

    function test_RevertIf_InitializedAgainOrUnproxied() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        admission.initialize(stranger, true, 1);
        ProviderAdmission implementation = new ProviderAdmission(market);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(stranger, true, 1);
    }

    function test_InitializationSaysItsTerms() public {
        address implementation = address(new ProviderAdmission(market));
        vm.expectEmit();
        emit IProviderAdmission.AutoApprovalUpdated(true);
        vm.expectEmit();
        emit IProviderAdmission.CouncilQuorumUpdated(9);
        new ERC1967Proxy(implementation, abi.encodeCall(ProviderAdmission.initialize, (address(authority), true, 9)));
    }

    function test_UpgradeKeepsProposalsAndIsARoles() public {
        _propose();
        _vote(0, true);
        address implementation = address(new ProviderAdmission(market));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        admission.upgradeToAndCall(implementation, "");
        admission.upgradeToAndCall(implementation, "");
        _assertProposal(1, ProposalState.Pending, 1, 0);
        _vote(1, true);
        vm.prank(owner);
        assertEq(admission.register(1), 1);
    }

    // ----

    function _proposal() private pure returns (ProviderProposal memory) {
        return ProviderProposal({ name: "provider", hostUri: "https://provider.example", region: 1023, tier: 1, devices: 0, cores: 64 });
    }

    function _propose() private returns (uint32 proposalId) {
        vm.prank(owner);
        (proposalId,) = admission.propose(_proposal());
    }

    function _vote(uint256 member, bool support) private {
        vm.prank(council[member]);
        admission.vote(1, support);
    }

    function _assertInvalid(ProviderProposal memory proposal, string memory field) private {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderAdmission.ProposalFieldInvalid.selector, field));
        admission.propose(proposal);
    }

    function _assertProposal(uint32 proposalId, ProposalState state, uint16 supporting, uint16 opposing) private view {
        (address proposer, ProposalState stateNow, uint16 supportingNow, uint16 opposingNow) = admission.proposalOf(proposalId);
        assertEq(proposer, owner);
        assertEq(uint256(stateNow), uint256(state), "state");
        assertEq(supportingNow, supporting, "supporting");
        assertEq(opposingNow, opposing, "opposing");
    }
}

/// @notice What each call costs by itself, on the longest name and address; what it works on was made in `setUp`, another transaction.
contract ProviderAdmissionGasTest is Test {
    ProviderAdmission private admission;
    address private owner = makeAddr("owner");
    address private other = makeAddr("other");

    function setUp() public {
        vm.warp(1_800_000_000);
        AccessManager authority = new AccessManager(address(this));
        MarketContracts memory market;
        market.authority = address(authority);
        market.pause = address(new ERC1967Proxy(address(new MarketPause()), abi.encodeCall(MarketPause.initialize, (address(authority)))));
        market.providerRegistry = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        admission = ProviderAdmission(
            address(
                new ERC1967Proxy(
                    address(new ProviderAdmission(market)), abi.encodeCall(ProviderAdmission.initialize, (address(authority), false, 1))
                )
            )
        );
        market.providerAdmission = address(admission);
        new ProviderRegistry(market);
        vm.prank(owner);
        admission.propose(_longest());
        vm.prank(other);
        admission.propose(_longest());
        admission.approve(2);
    }

    function test_Gas_Propose() public {
        ProviderProposal memory proposal = _longest();
        vm.prank(makeAddr("third"));
        admission.propose(proposal);
        _snapshot("propose");
    }

    function test_Gas_WithdrawProposal() public {
        vm.prank(owner);
        admission.withdrawProposal(1);
        _snapshot("withdrawProposal");
    }

    function test_Gas_Approve() public {
        admission.approve(1);
        _snapshot("approve");
    }

    function test_Gas_Reject() public {
        admission.reject(1);
        _snapshot("reject");
    }

    function test_Gas_Vote() public {
        admission.vote(1, true);
        _snapshot("vote, the deciding one");
    }

    function test_Gas_Register() public {
        vm.prank(other);
        admission.register(2);
        _snapshot("register");
    }

    function test_Gas_SetAutoApproval() public {
        admission.setAutoApproval(true);
        _snapshot("setAutoApproval");
    }

    function test_Gas_SetCouncilQuorum() public {
        admission.setCouncilQuorum(3);
        _snapshot("setCouncilQuorum");
    }

    function test_Gas_ProposeUnderAutoApproval() public {
        admission.setAutoApproval(true);
        ProviderProposal memory proposal = _longest();
        vm.prank(makeAddr("third"));
        admission.propose(proposal);
        _snapshot("propose, registered at once");
    }

    function _longest() private pure returns (ProviderProposal memory) {
        return ProviderProposal({
            name: LibString.repeat("x", 64), hostUri: LibString.repeat("x", 256), region: 1023, tier: 1, devices: 64, cores: 64
        });
    }

    function _snapshot(string memory name) private {
        vm.snapshotGasLastCall("ProviderAdmission", name);
    }
}
