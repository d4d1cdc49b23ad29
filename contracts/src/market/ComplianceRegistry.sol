// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { ProviderWord } from "../words/ProviderWord.sol";
import { ComplianceReport, IComplianceRegistry } from "./IComplianceRegistry.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";

/// @title Auditors' reports about providers and the bonus they carry in score and rewards.
/// @dev What counts of a report lives in the provider's word, the rest in its event; here is whose each place is, and the auditors' bonds.
/// One place an auditor and at most 1000 bps a report, so a bonus above 1000 bps always has two auditors behind it. Trusts accredited
/// auditors to speak the truth within that cap and for that bond. An auditor whom a slash left with less than the minimum keeps its reports
/// until they run out or the compliance role revokes them. Assumes a bond token that never takes balances away.
contract ComplianceRegistry is IComplianceRegistry, MarketModule, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice No terms hold a bond longer after its last report.
    uint32 public constant MAX_BOND_SECONDS = 365 days;

    uint256 private constant PLACES = 4;
    uint16 private constant MAX_BPS_PER_AUDITOR = 1000;
    uint8 private constant MAX_STANDARD = 63;
    uint256 private constant MAX_URI_BYTES = 256;
    /// Three years with a leap day.
    uint256 private constant MAX_REPORT_DAYS = 1096;
    uint256 private constant BASE_BPS = 10_000;

    struct Auditor {
        uint128 bond;
        /// When the bond may leave; 0 while it stands.
        uint40 releaseAt;
        /// The latest of all reports ever attested.
        uint16 lastExpiryDay;
        /// 0 for one who is not accredited.
        uint16 maxBps;
    }

    /// @custom:storage-location erc7201:matchmaker.storage.ComplianceRegistry
    struct Layout {
        uint128 minimumBond;
        uint32 bondSeconds;
        address treasury;
        /// Slashed and not yet paid out.
        uint256 owedToTreasury;
        uint256 liabilities;
        mapping(address auditor => Auditor) auditors;
        mapping(address auditor => mapping(bytes32 evidenceHash => bool)) slashed;
        mapping(uint24 providerId => address[PLACES]) places;
    }

    bytes32 private constant LAYOUT_SLOT = 0xef014f200ee880a2688cc7906feda8592fa9eb45358fab9d94cab0f976029800;

    IERC20 private immutable _TOKEN;
    IProviderRegistry private immutable _PROVIDER_REGISTRY;

    constructor(MarketContracts memory market, address bondToken_) {
        _TOKEN = IERC20(bondToken_);
        _PROVIDER_REGISTRY = IProviderRegistry(market.providerRegistry);
    }

    /// @notice Called once, in the proxy's creation.
    function initialize(address authority, uint256 minimumBond, uint32 bondSeconds, address treasury) external initializer {
        __AccessManaged_init(authority);
        _setBondTerms(minimumBond, bondSeconds);
        _setTreasury(treasury);
    }

    // ---- accreditation and bonds

    /// @inheritdoc IComplianceRegistry
    function accredit(address auditor, uint16 maxBps) external restricted {
        if (auditor == address(0)) revert ReportFieldInvalid("auditor");
        if (maxBps > MAX_BPS_PER_AUDITOR) revert ReportFieldInvalid("maxBps");
        Auditor storage account = _layout().auditors[auditor];
        if (maxBps == 0 && account.maxBps == 0) revert NotAuditor(auditor);
        account.maxBps = maxBps;
        if (maxBps == 0) emit AuditorRemoved(auditor);
        else emit AuditorAccredited(auditor, maxBps);
    }

    /// @inheritdoc IComplianceRegistry
    /// @dev Credits what arrives. Only accredited auditors, and not while a release runs.
    function postBond(uint256 amount) external nonReentrant {
        Layout storage state = _layout();
        Auditor storage account = state.auditors[msg.sender];
        if (account.maxBps == 0) revert NotAuditor(msg.sender);
        if (account.releaseAt != 0) revert BondInvalid("releaseAt");
        uint256 before = _TOKEN.balanceOf(address(this));
        _TOKEN.safeTransferFrom(msg.sender, address(this), amount);
        uint128 received = SafeCast.toUint128(_TOKEN.balanceOf(address(this)) - before);
        if (received == 0) revert BondInvalid("amount");
        account.bond += received;
        state.liabilities += received;
        emit BondPosted(msg.sender, received);
    }

    /// @inheritdoc IComplianceRegistry
    function requestBondRelease() external {
        Layout storage state = _layout();
        Auditor storage account = state.auditors[msg.sender];
        if (account.bond == 0) revert BondInvalid("bond");
        if (account.releaseAt != 0) revert BondInvalid("releaseAt");
        // A report's last day counts to its end.
        uint256 lastReportOver = (uint256(account.lastExpiryDay) + 1) * 1 days;
        uint40 releaseAt = uint40(Math.max(block.timestamp + state.bondSeconds, lastReportOver));
        account.releaseAt = releaseAt;
        emit BondReleaseRequested(msg.sender, releaseAt);
    }

    /// @inheritdoc IComplianceRegistry
    /// @dev One that was slashed to nothing is withdrawn as well: it ends the release, so that the auditor may post anew.
    function withdrawBond() external nonReentrant returns (uint256 amount) {
        Auditor storage account = _layout().auditors[msg.sender];
        uint40 releaseAt = account.releaseAt;
        if (releaseAt == 0) revert BondInvalid("releaseAt");
        if (block.timestamp < releaseAt) revert BondLocked(releaseAt);
        amount = account.bond;
        account.bond = 0;
        account.releaseAt = 0;
        emit BondReleased(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    /// @inheritdoc IComplianceRegistry
    /// @dev An evidence is good for one slash of an auditor.
    function slashAuditor(address auditor, uint256 amount, bytes32 evidenceHash) external restricted {
        Layout storage state = _layout();
        Auditor storage account = state.auditors[auditor];
        if (amount == 0) revert BondInvalid("amount");
        if (evidenceHash == 0 || state.slashed[auditor][evidenceHash]) revert BondInvalid("evidenceHash");
        if (account.bond == 0) revert BondInvalid("bond");
        state.slashed[auditor][evidenceHash] = true;
        uint256 taken = Math.min(amount, account.bond);
        account.bond -= uint128(taken);
        state.owedToTreasury += taken;
        emit AuditorSlashed(auditor, taken, evidenceHash);
    }

    /// @inheritdoc IComplianceRegistry
    function withdrawTreasury() external nonReentrant returns (uint256 amount) {
        Layout storage state = _layout();
        amount = state.owedToTreasury;
        if (amount == 0) revert BondInvalid("amount");
        state.owedToTreasury = 0;
        emit TreasuryWithdrawn(state.treasury, amount);
        _pay(state.treasury, amount);
    }

    // ---- reports

    /// @inheritdoc IComplianceRegistry
    function attest(uint24 providerId, ComplianceReport calldata report) external {
        Layout storage state = _layout();
        Auditor storage account = state.auditors[msg.sender];
        if (account.maxBps == 0) revert NotAuditor(msg.sender);
        if (account.releaseAt != 0) revert BondInvalid("releaseAt");
        if (account.bond < state.minimumBond) revert BondTooLow(account.bond, state.minimumBond);
        _requireFields(report, account.maxBps);

        if (report.expiryDay > account.lastExpiryDay) account.lastExpiryDay = report.expiryDay;
        address[PLACES] storage places = state.places[providerId];
        uint8 index = _placeFor(providerId, places, msg.sender);
        places[index] = msg.sender;
        uint32 packed = (uint32(report.standard) << 26) | (uint32(report.expiryDay) << 10) | uint32(report.bps);
        emit ReportAttested(providerId, msg.sender, index, report);
        _PROVIDER_REGISTRY.setComplianceReport(providerId, index, packed);
    }

    /// @inheritdoc IComplianceRegistry
    function revoke(uint24 providerId) external {
        _revoke(providerId, msg.sender);
    }

    /// @inheritdoc IComplianceRegistry
    function revokeReport(uint24 providerId, address auditor) external restricted {
        _revoke(providerId, auditor);
    }

    // ---- terms

    /// @inheritdoc IComplianceRegistry
    /// @dev A higher minimum holds for reports from now on, other seconds for releases requested from now on.
    function setBondTerms(uint256 minimumBond, uint32 bondSeconds) external restricted {
        _setBondTerms(minimumBond, bondSeconds);
    }

    /// @inheritdoc IComplianceRegistry
    function setTreasury(address treasury) external restricted {
        _setTreasury(treasury);
    }

    // ---- views

    /// @inheritdoc IComplianceRegistry
    function complianceBps(uint24 providerId, uint256 timestamp) external view returns (uint256 bps) {
        ProviderWord provider = _provider(providerId);
        bps = BASE_BPS;
        for (uint256 index; index < PLACES; ++index) {
            uint256 report = provider.report(index);
            if (_day(timestamp) <= _expiryDay(report)) bps += report & 0x3ff;
        }
    }

    /// @inheritdoc IComplianceRegistry
    function auditorOf(address auditor) external view returns (uint16 maxBps, uint256 bond, uint40 releaseAt) {
        Auditor storage account = _layout().auditors[auditor];
        return (account.maxBps, account.bond, account.releaseAt);
    }

    /// @inheritdoc IComplianceRegistry
    function reportAuditor(uint24 providerId, uint8 index) external view returns (address auditor) {
        if (index >= PLACES) revert ReportFieldInvalid("index");
        return _layout().places[providerId][index];
    }

    /// @inheritdoc IComplianceRegistry
    function bondTerms() external view returns (uint256 minimumBond, uint32 bondSeconds) {
        Layout storage state = _layout();
        return (state.minimumBond, state.bondSeconds);
    }

    /// @inheritdoc IComplianceRegistry
    function bondToken() external view returns (address) {
        return address(_TOKEN);
    }

    /// @inheritdoc IComplianceRegistry
    function liabilities() external view returns (uint256) {
        return _layout().liabilities;
    }

    // ---- inside

    function _requireFields(ComplianceReport calldata report, uint16 maxBps) private view {
        uint256 today = _day(block.timestamp);
        if (report.standard == 0 || report.standard > MAX_STANDARD) revert ReportFieldInvalid("standard");
        if (report.scopeHash == 0) revert ReportFieldInvalid("scopeHash");
        if (report.reportHash == 0) revert ReportFieldInvalid("reportHash");
        uint256 uriBytes = bytes(report.uri).length;
        if (uriBytes == 0 || uriBytes > MAX_URI_BYTES) revert ReportFieldInvalid("uri");
        if (report.issueDay > today) revert ReportFieldInvalid("issueDay");
        if (report.expiryDay < today || report.expiryDay > report.issueDay + MAX_REPORT_DAYS) revert ReportFieldInvalid("expiryDay");
        if (report.bps == 0 || report.bps > maxBps) revert ReportFieldInvalid("bps");
    }

    /// The auditor's own place, else the first that is empty or whose report has run out.
    function _placeFor(uint24 providerId, address[PLACES] storage places, address auditor) private view returns (uint8) {
        ProviderWord provider = _provider(providerId);
        uint256 place = PLACES;
        for (uint256 index; index < PLACES; ++index) {
            if (places[index] == auditor) return uint8(index);
            bool vacant = places[index] == address(0) || _day(block.timestamp) > _expiryDay(provider.report(index));
            if (place == PLACES && vacant) place = index;
        }
        if (place == PLACES) revert NoReportPlace(providerId);
        return uint8(place);
    }

    function _revoke(uint24 providerId, address auditor) private {
        address[PLACES] storage places = _layout().places[providerId];
        for (uint8 index; index < PLACES; ++index) {
            if (auditor == address(0) || places[index] != auditor) continue;
            delete places[index];
            emit ReportRevoked(providerId, auditor, index);
            _PROVIDER_REGISTRY.setComplianceReport(providerId, index, 0);
            return;
        }
        revert ReportNotFound(providerId, auditor);
    }

    /// A provider's word is never zero once it exists.
    function _provider(uint24 providerId) private view returns (ProviderWord word) {
        word = ProviderWord.wrap(uint256(_PROVIDER_REGISTRY.providerWord(providerId)));
        if (ProviderWord.unwrap(word) == 0) revert ProviderNotFound(providerId);
    }

    /// Last day that counts, in days since 1970.
    function _expiryDay(uint256 report) private pure returns (uint256) {
        return (report >> 10) & 0xffff;
    }

    /// Days since 1970; rounded down, in favour of the report: a day counts to its end.
    function _day(uint256 timestamp) private pure returns (uint256) {
        return timestamp / 1 days;
    }

    function _pay(address account, uint256 amount) private {
        if (amount == 0) return;
        _layout().liabilities -= amount;
        _TOKEN.safeTransfer(account, amount);
    }

    function _setBondTerms(uint256 minimumBond, uint32 bondSeconds) private {
        if (minimumBond == 0 || minimumBond > type(uint128).max) revert BondInvalid("minimumBond");
        if (bondSeconds == 0 || bondSeconds > MAX_BOND_SECONDS) revert BondInvalid("bondSeconds");
        Layout storage state = _layout();
        state.minimumBond = uint128(minimumBond);
        state.bondSeconds = bondSeconds;
        emit BondTermsUpdated(minimumBond, bondSeconds);
    }

    function _setTreasury(address treasury) private {
        if (treasury == address(0)) revert BondInvalid("treasury");
        _layout().treasury = treasury;
        emit TreasuryUpdated(treasury);
    }

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }
}
