// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { ICertificateRegistry } from "../../src/market/ICertificateRegistry.sol";
import { IProviderAdmission, ProposalState, ProviderProposal } from "../../src/market/IProviderAdmission.sol";
import { IProviderAttributes, ResourceCategory } from "../../src/market/IProviderAttributes.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { ProviderStatus } from "../../src/market/MarketTypes.sol";
import { OrderSteps } from "./OrderSteps.sol";

/// @notice What the model knows of a provider.
struct ProviderBook {
    address owner;
    ProviderStatus status;
    /// Own stake in token units, and what the machines need of it in whole tokens.
    uint256 own;
    uint256 machinesWhole;
}

/// @notice Providers' standing: let in, active, in maintenance, suspended, their hardware claims and certificates.
abstract contract ProviderSteps is OrderSteps {
    struct ProposalBook {
        address owner;
        ProposalState state;
        uint16 supporting;
        uint16 opposing;
    }

    uint24 internal providers;
    mapping(uint24 providerId => ProviderBook) internal providerBooks;
    mapping(address owner => uint24) internal providerOf;
    uint256 internal minimumWhole;

    uint32 private _proposals;
    mapping(uint32 proposalId => ProposalBook) private _proposalBooks;
    mapping(address owner => uint32) private _newestProposal;
    bool private _autoApproval = true;
    uint16 private _quorum;
    mapping(uint24 providerId => uint64) private _pendingCapabilities;
    mapping(uint24 providerId => bool) private _hasPendingCapabilities;
    mapping(uint24 providerId => bytes32) private _pendingAttributes;
    mapping(address account => mapping(bytes32 fingerprint => uint40)) private _certificates;
    mapping(address account => mapping(bytes32 fingerprint => bool)) private _revoked;

    function setUp() public virtual override {
        super.setUp();
        minimumWhole = 100;
        providerAttributes.addResource(ResourceCategory.Cpu, "core", 10_000);
        providerAttributes.addResource(ResourceCategory.Gpu, "RTX 4090", 20_000);
    }

    function _providerStep() internal {
        uint256 kind = _draw(16);
        if (kind < 3) _proposeSome();
        else if (kind < 5) _decideProposal();
        else if (kind == 5) _register();
        else if (kind < 9) _activateSome();
        else if (kind < 11) _maintain();
        else if (kind == 11) _setStatus();
        else if (kind < 14) _claimHardware();
        else if (kind == 14) _certify();
        else _setAdmission();
    }

    function _anyProvider() internal returns (uint24) {
        if (providers == 0 || _one(40)) return uint24(providers + 1);
        return uint24(1 + _draw(providers));
    }

    /// Mostly the provider's owner, sometimes anybody.
    function _callerFor(uint24 providerId) internal returns (address) {
        return providerId <= providers && providerId != 0 && !_one(12) ? providerBooks[providerId].owner : _anyone();
    }

    function _expectOwner(uint24 providerId, address caller) internal {
        _refuse(providerBooks[providerId].owner == address(0), IProviderRegistry.ProviderNotFound.selector);
        _refuse(
            providerBooks[providerId].owner != address(0) && providerBooks[providerId].owner != caller,
            IProviderRegistry.NotProviderOwner.selector
        );
    }

    function _expectGoodStanding(uint24 providerId, address caller) internal {
        _expectOwner(providerId, caller);
        _refuse(providerBooks[providerId].status >= ProviderStatus.Suspended, IProviderRegistry.StatusNotAllowed.selector);
    }

    function _requiredWhole(uint24 providerId) internal view returns (uint256) {
        uint256 machinesWhole = providerBooks[providerId].machinesWhole;
        return machinesWhole > minimumWhole ? machinesWhole : minimumWhole;
    }

    function _isCovered(uint24 providerId) internal view returns (bool) {
        return providerBooks[providerId].own / 1 ether >= _requiredWhole(providerId);
    }

    // ---- admission

    function _proposeSome() private {
        if (providers >= OWNERS + 2 && !_one(8)) return;
        _propose(_one(2) ? _anyone() : owners[_draw(OWNERS)], uint16(_draw(1100)), uint8(_draw(9)));
    }

    function _propose(address owner, uint16 region, uint8 tier) internal {
        ProviderProposal memory proposal =
            ProviderProposal({ name: "provider", hostUri: "https://provider.example", region: region, tier: tier, devices: 8, cores: 64 });
        ProposalState newest = _proposalBooks[_newestProposal[owner]].state;
        _refuse(_isPaused(), IMarketPause.MarketPaused.selector);
        _refuse(providerOf[owner] != 0, IProviderRegistry.ProviderAlreadyRegistered.selector);
        _refuse(proposal.region > 1023 || proposal.tier == 0 || proposal.tier > 7, IProviderAdmission.ProposalFieldInvalid.selector);
        _refuse(newest == ProposalState.Pending || newest == ProposalState.Approved, IProviderAdmission.ProposalPending.selector);
        (bool done, bytes memory result) = _call(owner, address(providerAdmission), abi.encodeCall(IProviderAdmission.propose, (proposal)));
        if (!done) return;
        (uint32 proposalId, uint24 providerId) = abi.decode(result, (uint32, uint24));
        _require(proposalId == ++_proposals, "proposal ids count up", proposalId, _proposals);
        _newestProposal[owner] = proposalId;
        _proposalBooks[proposalId] = ProposalBook(owner, ProposalState.Pending, 0, 0);
        if (_autoApproval) _bookProvider(proposalId, providerId);
        else _require(providerId == 0, "no provider before approval", proposalId, providerId);
    }

    function _bookProvider(uint32 proposalId, uint24 providerId) internal {
        _proposalBooks[proposalId].state = ProposalState.Registered;
        _require(providerId == ++providers, "provider ids count up", providerId, providers);
        address owner = _proposalBooks[proposalId].owner;
        providerBooks[providerId] = ProviderBook(owner, ProviderStatus.Registered, 0, 0);
        providerOf[owner] = providerId;
    }

    function _anyProposal() private returns (uint32) {
        for (uint32 i = _proposals; i > 0 && !_one(6); --i) {
            ProposalState state = _proposalBooks[i].state;
            if (state == ProposalState.Pending || state == ProposalState.Approved) return i;
        }
        return uint32(_draw(uint256(_proposals) + 2));
    }

    function _expectPending(uint32 proposalId) private returns (ProposalBook storage book) {
        book = _proposalBooks[proposalId];
        _refuse(book.state == ProposalState.None, IProviderAdmission.ProposalNotFound.selector);
        _refuse(book.state != ProposalState.None && book.state != ProposalState.Pending, IProviderAdmission.ProposalStateInvalid.selector);
    }

    function _decideProposal() private {
        uint32 proposalId = _anyProposal();
        uint256 kind = _draw(6);
        if (kind == 0) return _withdrawProposal(proposalId);
        ProposalBook storage book = _expectPending(proposalId);
        bool done;
        if (kind < 4) {
            bytes memory data = kind == 1
                ? abi.encodeCall(IProviderAdmission.reject, (proposalId))
                : abi.encodeCall(IProviderAdmission.approve, (proposalId));
            (done,) = _call(address(this), address(providerAdmission), data);
            if (done) book.state = kind == 1 ? ProposalState.Rejected : ProposalState.Approved;
            return;
        }
        // The campaign is the council's one member.
        bool support = kind == 4;
        _refuse(book.state == ProposalState.Pending && _quorum == 0, IProviderAdmission.VotingIsOff.selector);
        _refuse(book.supporting + book.opposing != 0, IProviderAdmission.AlreadyVoted.selector);
        (done,) = _call(address(this), address(providerAdmission), abi.encodeCall(IProviderAdmission.vote, (proposalId, support)));
        if (!done) return;
        if (support) ++book.supporting;
        else ++book.opposing;
        if (_quorum == 1) book.state = support ? ProposalState.Approved : ProposalState.Rejected;
    }

    function _expectProposer(uint32 proposalId, address caller) private returns (ProposalBook storage book) {
        book = _proposalBooks[proposalId];
        _refuse(book.state == ProposalState.None, IProviderAdmission.ProposalNotFound.selector);
        _refuse(book.state != ProposalState.None && book.owner != caller, IProviderAdmission.NotProposer.selector);
    }

    function _withdrawProposal(uint32 proposalId) private {
        address caller = _proposalBooks[proposalId].owner == address(0) || _one(8) ? _anyone() : _proposalBooks[proposalId].owner;
        ProposalBook storage book = _expectProposer(proposalId, caller);
        _refuse(
            book.state != ProposalState.Pending && book.state != ProposalState.Approved, IProviderAdmission.ProposalStateInvalid.selector
        );
        (bool done,) = _call(caller, address(providerAdmission), abi.encodeCall(IProviderAdmission.withdrawProposal, (proposalId)));
        if (done) book.state = ProposalState.Withdrawn;
    }

    function _register() private {
        uint32 proposalId = _anyProposal();
        address caller = _proposalBooks[proposalId].owner == address(0) || _one(8) ? _anyone() : _proposalBooks[proposalId].owner;
        ProposalBook storage book = _expectProposer(proposalId, caller);
        _refuse(_isPaused(), IMarketPause.MarketPaused.selector);
        _refuse(book.state != ProposalState.Approved, IProviderAdmission.ProposalStateInvalid.selector);
        (bool done, bytes memory result) =
            _call(caller, address(providerAdmission), abi.encodeCall(IProviderAdmission.register, (proposalId)));
        if (done) _bookProvider(proposalId, abi.decode(result, (uint24)));
    }

    function _setAdmission() private {
        bool done;
        if (_one(2)) {
            bool autoApproval = _one(3);
            (done,) = _call(address(this), address(providerAdmission), abi.encodeCall(IProviderAdmission.setAutoApproval, (autoApproval)));
            if (done) _autoApproval = autoApproval;
        } else {
            uint16 quorum = uint16(_draw(2) + _draw(2));
            (done,) = _call(address(this), address(providerAdmission), abi.encodeCall(IProviderAdmission.setCouncilQuorum, (quorum)));
            if (done) _quorum = quorum;
        }
    }

    // ---- status

    function _activateSome() private {
        uint24 providerId = _anyProvider();
        for (uint24 i = 1; i <= providers && !_one(8); ++i) {
            if (providerBooks[i].status == ProviderStatus.Registered) providerId = i;
        }
        _activate(providerId, _callerFor(providerId));
    }

    function _activate(uint24 providerId, address caller) internal {
        ProviderBook storage book = providerBooks[providerId];
        _expectOwner(providerId, caller);
        _refuse(book.status == ProviderStatus.Active, IProviderRegistry.StatusUnchanged.selector);
        _refuse(
            book.status != ProviderStatus.Active && book.status != ProviderStatus.Registered, IProviderRegistry.StatusNotAllowed.selector
        );
        _refuse(!_isCovered(providerId), IProviderRegistry.InsufficientStake.selector);
        (bool done,) = _call(caller, address(providerRegistry), abi.encodeCall(IProviderRegistry.activateProvider, (providerId)));
        if (done) book.status = ProviderStatus.Active;
    }

    function _maintain() private {
        uint24 providerId = _anyProvider();
        address caller = _callerFor(providerId);
        ProviderBook storage book = providerBooks[providerId];
        bool maintenance = book.status != ProviderStatus.Maintenance && _one(2);
        ProviderStatus wanted = maintenance ? ProviderStatus.Maintenance : ProviderStatus.Active;
        _expectOwner(providerId, caller);
        _refuse(book.status == wanted, IProviderRegistry.StatusUnchanged.selector);
        _refuse(
            book.status != ProviderStatus.Active && book.status != ProviderStatus.Maintenance, IProviderRegistry.StatusNotAllowed.selector
        );
        _refuse(!maintenance && !_isCovered(providerId), IProviderRegistry.InsufficientStake.selector);
        (bool done,) = _call(caller, address(providerRegistry), abi.encodeCall(IProviderRegistry.setMaintenance, (providerId, maintenance)));
        if (done) book.status = wanted;
    }

    /// The verifier; mostly lets the suspended back in, so that the market goes on.
    function _setStatus() private {
        uint24 providerId = _anyProvider();
        for (uint24 i = 1; i <= providers && !_one(4); ++i) {
            if (providerBooks[i].status >= ProviderStatus.Suspended) providerId = i;
        }
        ProviderBook storage book = providerBooks[providerId];
        ProviderStatus status = book.status >= ProviderStatus.Suspended && !_one(4) ? ProviderStatus.Registered : ProviderStatus(_draw(6));
        _refuse(book.owner == address(0), IProviderRegistry.ProviderNotFound.selector);
        _refuse(status == ProviderStatus.Unregistered, IProviderRegistry.StatusNotAllowed.selector);
        _refuse(book.status == status, IProviderRegistry.StatusUnchanged.selector);
        bool needsStake = status == ProviderStatus.Active || status == ProviderStatus.Maintenance;
        _refuse(needsStake && !_isCovered(providerId), IProviderRegistry.InsufficientStake.selector);
        (bool done,) =
            _call(address(this), address(providerRegistry), abi.encodeCall(IProviderRegistry.setProviderStatus, (providerId, status)));
        if (done) book.status = status;
    }

    // ---- claims about hardware

    function _claimHardware() private {
        uint24 providerId = _anyProvider();
        address caller = _callerFor(providerId);
        uint256 kind = _draw(8);
        ProviderBook storage book = providerBooks[providerId];
        if (kind < 4) return _claimCapabilities(providerId, caller, kind < 2);
        if (kind == 4) {
            uint8 tier = uint8(_draw(9));
            _refuse(book.owner == address(0), IProviderRegistry.ProviderNotFound.selector);
            _refuse(tier == 0 || tier > 7, IProviderRegistry.FieldOutOfBounds.selector);
            _call(address(this), address(providerRegistry), abi.encodeCall(IProviderRegistry.setProviderTier, (providerId, tier)));
        } else if (kind == 5) {
            _refuse(_pendingAttributes[providerId] == 0, IProviderAttributes.NoPendingAttributes.selector);
            bytes memory data =
                abi.encodeCall(IProviderAttributes.approveAttributes, (providerId, ResourceCategory.Gpu, _pendingAttributes[providerId]));
            (bool done,) = _call(address(this), address(providerAttributes), data);
            if (done) delete _pendingAttributes[providerId];
        } else {
            (uint16[] memory ids, uint32[] memory units) = (new uint16[](1), new uint32[](1));
            (ids[0], units[0]) = (uint16(1 + _draw(3)), uint32(_draw(20)));
            _refuse(book.owner != caller, IProviderAttributes.NotProviderOwner.selector);
            _refuse(ids[0] == 1, IProviderAttributes.ResourceCategoryMismatch.selector);
            _refuse(ids[0] == 3, IProviderAttributes.ResourceNotFound.selector);
            _refuse(units[0] == 0, IProviderAttributes.InvalidUnit.selector);
            bytes memory data = abi.encodeCall(IProviderAttributes.submitAttributes, (providerId, ResourceCategory.Gpu, ids, units));
            (bool done,) = _call(caller, address(providerAttributes), data);
            if (done) _pendingAttributes[providerId] = keccak256(abi.encode(ids, units));
        }
    }

    function _claimCapabilities(uint24 providerId, address caller, bool submits) private {
        bool done;
        if (submits) {
            uint64 bits = uint64(_one(8) ? 1 << 54 : _draw(1 << 10));
            _refuse(providerBooks[providerId].owner != caller, IProviderAttributes.NotProviderOwner.selector);
            _refuse(bits >= 1 << 54, IProviderAttributes.FieldOutOfBounds.selector);
            (done,) = _call(caller, address(providerAttributes), abi.encodeCall(IProviderAttributes.submitCapabilities, (providerId, bits)));
            if (done) (_pendingCapabilities[providerId], _hasPendingCapabilities[providerId]) = (bits, true);
            return;
        }
        uint64 seen = _pendingCapabilities[providerId] ^ uint64(_one(8) ? 1 : 0);
        _refuse(!_hasPendingCapabilities[providerId], IProviderAttributes.NoPendingCapabilities.selector);
        _refuse(
            _hasPendingCapabilities[providerId] && seen != _pendingCapabilities[providerId],
            IProviderAttributes.PendingCapabilitiesChanged.selector
        );
        (done,) =
            _call(address(this), address(providerAttributes), abi.encodeCall(IProviderAttributes.approveCapabilities, (providerId, seen)));
        if (done) _hasPendingCapabilities[providerId] = false;
    }

    function _certify() private {
        address account = _anyone();
        bytes32 fingerprint = bytes32(_draw(8));
        if (_one(3)) {
            bool known = _certificates[account][fingerprint] != 0 && !_revoked[account][fingerprint];
            _refuse(!known, ICertificateRegistry.CertificateNotFound.selector);
            (bool gone,) = _call(account, address(certificateRegistry), abi.encodeCall(ICertificateRegistry.revoke, (fingerprint)));
            if (gone) _revoked[account][fingerprint] = true;
            return;
        }
        uint40 notAfter = uint40(block.timestamp + _draw(30 days));
        bool isLive = _certificates[account][fingerprint] >= block.timestamp;
        _refuse(fingerprint == 0 || notAfter <= block.timestamp, ICertificateRegistry.CertificateFieldInvalid.selector);
        _refuse(_revoked[account][fingerprint] || isLive, ICertificateRegistry.CertificateAlreadyPublished.selector);
        (bool done,) = _call(account, address(certificateRegistry), abi.encodeCall(ICertificateRegistry.publish, (fingerprint, notAfter)));
        if (done) _certificates[account][fingerprint] = notAfter;
    }
}
