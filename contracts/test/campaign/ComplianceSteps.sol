// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ComplianceReport, IComplianceRegistry } from "../../src/market/IComplianceRegistry.sol";
import { StakeSteps } from "./StakeSteps.sol";

/// @notice Auditors: accredited, bonded, attesting, revoked, slashed.
abstract contract ComplianceSteps is StakeSteps {
    struct AuditorBook {
        uint16 maxBps;
        uint16 lastExpiryDay;
        uint40 releaseAt;
        uint256 bond;
    }

    struct ReportBook {
        address auditor;
        uint16 expiryDay;
        uint16 bps;
    }

    mapping(address auditor => AuditorBook) private _auditors;
    mapping(uint24 providerId => ReportBook[4]) private _reports;
    uint256 private _owedToTreasury;
    uint256 private _bonds;
    uint256 private _auditEvidence;

    function _complianceStep() internal {
        address auditor = auditors[_draw(auditors.length)];
        uint256 kind = _draw(16);
        if (kind < 2) _accredit(auditor);
        else if (kind < 5) _postBond(auditor);
        else if (kind == 5) _requestBondRelease(auditor);
        else if (kind == 6) _withdrawBond(auditor);
        else if (kind == 7) _slashAuditor(auditor);
        else if (kind < 13) _attest(auditor);
        else if (kind < 15) _revokeReport(auditor);
        else _withdrawBondTreasury();
    }

    function _accredit(address auditor) private {
        AuditorBook storage book = _auditors[auditor];
        uint16 maxBps = _one(8) ? 0 : uint16(1 + _draw(1010));
        _refuse(maxBps > 1000, IComplianceRegistry.ReportFieldInvalid.selector);
        _refuse(maxBps == 0 && book.maxBps == 0, IComplianceRegistry.NotAuditor.selector);
        bytes memory data = abi.encodeCall(IComplianceRegistry.accredit, (auditor, maxBps));
        (bool done,) = _call(address(this), address(complianceRegistry), data);
        if (done) book.maxBps = maxBps;
    }

    function _postBond(address auditor) private {
        AuditorBook storage book = _auditors[auditor];
        uint256 amount = _draw(3000) * 1 ether;
        stakeToken.mint(auditor, amount);
        _refuse(book.maxBps == 0, IComplianceRegistry.NotAuditor.selector);
        _refuse(book.releaseAt != 0 || amount == 0, IComplianceRegistry.BondInvalid.selector);
        (bool done,) = _call(auditor, address(complianceRegistry), abi.encodeCall(IComplianceRegistry.postBond, (amount)));
        if (!done) return;
        book.bond += amount;
        _bonds += amount;
    }

    function _requestBondRelease(address auditor) private {
        AuditorBook storage book = _auditors[auditor];
        _refuse(book.bond == 0 || book.releaseAt != 0, IComplianceRegistry.BondInvalid.selector);
        (bool done,) = _call(auditor, address(complianceRegistry), abi.encodeCall(IComplianceRegistry.requestBondRelease, ()));
        if (!done) return;
        uint256 reportsOver = (uint256(book.lastExpiryDay) + 1) * 1 days;
        uint256 releaseAt = block.timestamp + 14 days;
        book.releaseAt = uint40(releaseAt > reportsOver ? releaseAt : reportsOver);
    }

    function _withdrawBond(address auditor) private {
        AuditorBook storage book = _auditors[auditor];
        _refuse(book.releaseAt == 0, IComplianceRegistry.BondInvalid.selector);
        _refuse(book.releaseAt != 0 && block.timestamp < book.releaseAt, IComplianceRegistry.BondLocked.selector);
        uint256 before = stakeToken.balanceOf(auditor);
        (bool done,) = _call(auditor, address(complianceRegistry), abi.encodeCall(IComplianceRegistry.withdrawBond, ()));
        if (!done) return;
        _require(stakeToken.balanceOf(auditor) - before == book.bond, "S22 a bond is paid whole", uint160(auditor), book.bond);
        _bonds -= book.bond;
        (book.bond, book.releaseAt) = (0, 0);
    }

    function _slashAuditor(address auditor) private {
        AuditorBook storage book = _auditors[auditor];
        uint256 amount = _draw(800) * 1 ether;
        bytes32 evidence = bytes32(_one(8) ? 0 : ++_auditEvidence);
        _refuse(amount == 0 || evidence == 0 || book.bond == 0, IComplianceRegistry.BondInvalid.selector);
        bytes memory data = abi.encodeCall(IComplianceRegistry.slashAuditor, (auditor, amount, evidence));
        (bool done,) = _call(address(this), address(complianceRegistry), data);
        if (!done) return;
        uint256 taken = amount < book.bond ? amount : book.bond;
        book.bond -= taken;
        _owedToTreasury += taken;
    }

    function _attest(address auditor) private {
        AuditorBook storage book = _auditors[auditor];
        uint24 providerId = _anyProvider();
        uint16 today = uint16(block.timestamp / 1 days);
        ComplianceReport memory report = ComplianceReport({
            standard: uint8(_draw(65)),
            scopeHash: keccak256("scope"),
            reportHash: keccak256("report"),
            uri: "https://auditor.example/report",
            issueDay: today - uint16(_draw(100)) + (_one(32) ? 200 : 0),
            expiryDay: today + uint16(_draw(30)) - (_one(16) ? 1 : 0),
            bps: uint16(_draw(1005))
        });
        uint256 place = _placeOf(providerId, auditor, today);
        _refuse(book.maxBps == 0, IComplianceRegistry.NotAuditor.selector);
        _refuse(book.releaseAt != 0, IComplianceRegistry.BondInvalid.selector);
        _refuse(book.bond < 1000 ether, IComplianceRegistry.BondTooLow.selector);
        bool dated = report.issueDay <= today && report.expiryDay >= today;
        bool valid = dated && report.standard != 0 && report.standard <= 63 && report.bps != 0 && report.bps <= book.maxBps;
        _refuse(!valid, IComplianceRegistry.ReportFieldInvalid.selector);
        _refuse(providerBooks[providerId].owner == address(0), IComplianceRegistry.ProviderNotFound.selector);
        _refuse(place == 4, IComplianceRegistry.NoReportPlace.selector);
        (bool done,) = _call(auditor, address(complianceRegistry), abi.encodeCall(IComplianceRegistry.attest, (providerId, report)));
        if (!done) return;
        if (report.expiryDay > book.lastExpiryDay) book.lastExpiryDay = report.expiryDay;
        _reports[providerId][place] = ReportBook(auditor, report.expiryDay, report.bps);
        _checkCompliance(providerId);
    }

    function _placeOf(uint24 providerId, address auditor, uint16 today) private view returns (uint256 place) {
        place = 4;
        for (uint256 i; i < 4; ++i) {
            ReportBook storage report = _reports[providerId][i];
            if (report.auditor == auditor) return i;
            if (place == 4 && (report.auditor == address(0) || report.expiryDay < today)) place = i;
        }
    }

    function _revokeReport(address auditor) private {
        uint24 providerId = _anyProvider();
        uint256 place = 4;
        for (uint256 i; i < 4; ++i) {
            if (_reports[providerId][i].auditor == auditor) place = i;
        }
        _refuse(place == 4, IComplianceRegistry.ReportNotFound.selector);
        bool done;
        if (_one(2)) {
            (done,) = _call(auditor, address(complianceRegistry), abi.encodeCall(IComplianceRegistry.revoke, (providerId)));
        } else {
            bytes memory data = abi.encodeCall(IComplianceRegistry.revokeReport, (providerId, auditor));
            (done,) = _call(address(this), address(complianceRegistry), data);
        }
        if (!done) return;
        delete _reports[providerId][place];
        _checkCompliance(providerId);
    }

    function _withdrawBondTreasury() private {
        _refuse(_owedToTreasury == 0, IComplianceRegistry.BondInvalid.selector);
        (bool done,) = _call(_anyone(), address(complianceRegistry), abi.encodeCall(IComplianceRegistry.withdrawTreasury, ()));
        if (!done) return;
        _bonds -= _owedToTreasury;
        _owedToTreasury = 0;
    }

    /// The bonus counts each running report once, at most 1000 bps an auditor and four of them, and nothing after the last day.
    function _checkCompliance(uint24 providerId) internal {
        if (providerBooks[providerId].owner == address(0)) return;
        uint256 expected = 10_000;
        uint256 last;
        for (uint256 i; i < 4; ++i) {
            ReportBook storage report = _reports[providerId][i];
            if (report.auditor != address(0) && block.timestamp / 1 days <= report.expiryDay) expected += report.bps;
            if (report.expiryDay > last) last = report.expiryDay;
        }
        uint256 bps = complianceRegistry.complianceBps(providerId, block.timestamp);
        _require(bps == expected && bps <= 14_000, "S20 compliance counts running reports alone", providerId, bps);
        uint256 later = complianceRegistry.complianceBps(providerId, (last + 1) * 1 days);
        _require(later == 10_000, "S20 an expired report counts for nothing", providerId, later);
    }

    function _checkBonds() internal {
        _require(complianceRegistry.liabilities() == _bonds, "S13 bonds are owed whole", 0, _bonds);
        _require(stakeToken.balanceOf(address(complianceRegistry)) == _bonds, "S13 bonds are held whole", 0, _bonds);
    }
}
