// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { ProviderWord } from "../words/ProviderWord.sol";
import { IComplianceRegistry } from "./IComplianceRegistry.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";

/// @title Auditors' reports about providers and the score bonus they carry.
/// @dev The reports themselves live in the provider's word; here is only whose each place is. One place an auditor and at most 1000 bps
/// a report, so a bonus above 1000 bps always has two auditors behind it. Trusts accredited auditors to speak the truth within that cap.
contract ComplianceRegistry is IComplianceRegistry, AccessManaged {
    uint256 private constant PLACES = 4;
    uint16 private constant MAX_BPS_PER_AUDITOR = 1000;
    uint8 private constant MAX_STANDARD = 63;
    uint256 private constant BASE_BPS = 10_000;

    IProviderRegistry private immutable _PROVIDER_REGISTRY;

    mapping(address auditor => uint16) private _maxBps;
    mapping(uint24 providerId => address[PLACES]) private _auditors;

    constructor(address authority, address providerRegistry) AccessManaged(authority) {
        _PROVIDER_REGISTRY = IProviderRegistry(providerRegistry);
    }

    /// @inheritdoc IComplianceRegistry
    function accredit(address auditor, uint16 maxBps) external restricted {
        if (auditor == address(0)) revert ReportFieldInvalid("auditor");
        if (maxBps > MAX_BPS_PER_AUDITOR) revert ReportFieldInvalid("maxBps");
        if (maxBps == 0 && _maxBps[auditor] == 0) revert NotAuditor(auditor);
        _maxBps[auditor] = maxBps;
        if (maxBps == 0) emit AuditorRemoved(auditor);
        else emit AuditorAccredited(auditor, maxBps);
    }

    /// @inheritdoc IComplianceRegistry
    function attest(uint24 providerId, uint8 standard, bytes32 reportHash, uint16 expiryDay, uint16 bps) external {
        uint256 maxBps = _maxBps[msg.sender];
        if (maxBps == 0) revert NotAuditor(msg.sender);
        if (standard == 0 || standard > MAX_STANDARD) revert ReportFieldInvalid("standard");
        if (reportHash == 0) revert ReportFieldInvalid("reportHash");
        // A day is rounded down, here and below: it counts to its end.
        if (expiryDay < block.timestamp / 1 days) revert ReportFieldInvalid("expiryDay");
        if (bps == 0 || bps > maxBps) revert ReportFieldInvalid("bps");

        uint256 index = _placeFor(providerId, msg.sender);
        _auditors[providerId][index] = msg.sender;
        _PROVIDER_REGISTRY.setComplianceReport(providerId, uint8(index), (uint32(standard) << 26) | (uint32(expiryDay) << 10) | uint32(bps));
        emit ReportAttested(providerId, msg.sender, uint8(index), standard, reportHash, expiryDay, bps);
    }

    /// @inheritdoc IComplianceRegistry
    function revoke(uint24 providerId) external {
        _remove(providerId, msg.sender);
    }

    /// @inheritdoc IComplianceRegistry
    function revokeReport(uint24 providerId, address auditor) external restricted {
        _remove(providerId, auditor);
    }

    /// @inheritdoc IComplianceRegistry
    function complianceBps(uint24 providerId, uint256 timestamp) external view returns (uint256 bps) {
        ProviderWord provider = ProviderWord.wrap(uint256(_PROVIDER_REGISTRY.providerWord(providerId)));
        bps = BASE_BPS;
        for (uint256 index; index < PLACES; ++index) {
            uint256 report = provider.report(index);
            if (timestamp / 1 days <= _expiryDay(report)) bps += report & 0x3ff;
        }
    }

    /// The auditor's own place, else the first that is empty or whose report has run out.
    function _placeFor(uint24 providerId, address auditor) private view returns (uint256) {
        ProviderWord provider = ProviderWord.wrap(uint256(_PROVIDER_REGISTRY.providerWord(providerId)));
        address[PLACES] storage auditors = _auditors[providerId];
        uint256 place = PLACES;
        for (uint256 index; index < PLACES; ++index) {
            if (auditors[index] == auditor) return index;
            bool vacant = auditors[index] == address(0) || block.timestamp / 1 days > _expiryDay(provider.report(index));
            if (place == PLACES && vacant) place = index;
        }
        if (place == PLACES) revert NoReportPlace(providerId);
        return place;
    }

    function _remove(uint24 providerId, address auditor) private {
        address[PLACES] storage auditors = _auditors[providerId];
        for (uint256 index; index < PLACES; ++index) {
            if (auditor == address(0) || auditors[index] != auditor) continue;
            delete auditors[index];
            _PROVIDER_REGISTRY.setComplianceReport(providerId, uint8(index), 0);
            emit ReportRevoked(providerId, auditor, uint8(index));
            return;
        }
        revert ReportNotFound(providerId, auditor);
    }

    /// Last day that counts, in days since 1970.
    function _expiryDay(uint256 report) private pure returns (uint256) {
        return (report >> 10) & 0xffff;
    }
}
