// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { IComplianceRegistry } from "../../src/market/IComplianceRegistry.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { RegistryFixture } from "./RegistryFixture.sol";

contract ComplianceRegistryTest is RegistryFixture {
    bytes32 private constant REPORT = keccak256("report");

    uint24 private providerId;
    uint16 private today;
    address[6] private auditors;

    function setUp() public override {
        super.setUp();
        providerId = _provider(owner, 0);
        today = uint16(block.timestamp / 1 days);
        for (uint256 i; i < auditors.length; ++i) {
            auditors[i] = makeAddr(string.concat("auditor", vm.toString(i)));
            complianceRegistry.accredit(auditors[i], 1000);
        }
    }

    function test_ReportIsWrittenIntoTheProvidersWord() public {
        vm.expectEmit(address(complianceRegistry));
        emit IComplianceRegistry.ReportAttested(providerId, auditors[0], 0, 63, REPORT, today + 30, 700);
        _attest(0, 63, today + 30, 700);
        assertEq(_p0(providerId).report(0), (uint256(63) << 26) | (uint256(today + 30) << 10) | 700);
        assertEq(complianceRegistry.complianceBps(providerId, block.timestamp), 10_700);
        assertEq(complianceRegistry.complianceBps(providerId, (uint256(today) + 31) * 1 days - 1), 10_700, "the last day counts");
        assertEq(complianceRegistry.complianceBps(providerId, (uint256(today) + 31) * 1 days), 10_000);
    }

    function test_AnAuditorsNewReportReplacesItsOld() public {
        _attest(0, 1, today + 30, 700);
        _attest(1, 1, today + 30, 100);
        _attest(0, 2, today + 60, 300);
        assertEq(_p0(providerId).report(0) & 0x3ff, 300);
        assertEq(_p0(providerId).report(1) & 0x3ff, 100);
        assertEq(_p0(providerId).report(2), 0);
        assertEq(complianceRegistry.complianceBps(providerId, block.timestamp), 10_400);
    }

    function test_FourAuditorsAtMostAndAnExpiredPlaceIsFree() public {
        _attest(0, 1, today + 30, 1000);
        _attest(1, 1, today, 1000);
        _attest(2, 1, today + 30, 1000);
        _attest(3, 1, today + 30, 1000);
        assertEq(complianceRegistry.complianceBps(providerId, block.timestamp), 14_000);
        vm.prank(auditors[4]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.NoReportPlace.selector, providerId));
        complianceRegistry.attest(providerId, 1, REPORT, today + 30, 10);
        vm.warp(block.timestamp + 1 days);
        _attest(4, 1, today + 30, 10);
        assertEq(_p0(providerId).report(1) & 0x3ff, 10);
        // The auditor whose place was taken has no report any more.
        vm.prank(auditors[1]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportNotFound.selector, providerId, auditors[1]));
        complianceRegistry.revoke(providerId);
    }

    function test_OwnPlaceComesBeforeAnEarlierEmptyOne() public {
        _attest(0, 1, today + 30, 10);
        _attest(1, 1, today + 30, 20);
        vm.prank(auditors[0]);
        complianceRegistry.revoke(providerId);
        _attest(1, 1, today + 30, 30);
        assertEq(_p0(providerId).report(0), 0);
        assertEq(_p0(providerId).report(1) & 0x3ff, 30);
    }

    function test_RevokeByTheAuditorAndByGovernance() public {
        _attest(0, 1, today + 30, 10);
        _attest(1, 1, today + 30, 20);
        vm.expectEmit(address(complianceRegistry));
        emit IComplianceRegistry.ReportRevoked(providerId, auditors[0], 0);
        vm.prank(auditors[0]);
        complianceRegistry.revoke(providerId);
        assertEq(_p0(providerId).report(0), 0);
        vm.expectEmit(address(complianceRegistry));
        emit IComplianceRegistry.ReportRevoked(providerId, auditors[1], 1);
        complianceRegistry.revokeReport(providerId, auditors[1]);
        assertEq(complianceRegistry.complianceBps(providerId, block.timestamp), 10_000);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportNotFound.selector, providerId, auditors[1]));
        complianceRegistry.revokeReport(providerId, auditors[1]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportNotFound.selector, providerId, address(0)));
        complianceRegistry.revokeReport(providerId, address(0));
    }

    function test_RemovedAuditorsReportStaysAndCanBeRevoked() public {
        _attest(0, 1, today + 30, 10);
        vm.expectEmit(address(complianceRegistry));
        emit IComplianceRegistry.AuditorRemoved(auditors[0]);
        complianceRegistry.accredit(auditors[0], 0);
        assertEq(complianceRegistry.complianceBps(providerId, block.timestamp), 10_010);
        vm.startPrank(auditors[0]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.NotAuditor.selector, auditors[0]));
        complianceRegistry.attest(providerId, 1, REPORT, today, 10);
        complianceRegistry.revoke(providerId);
        vm.stopPrank();
        assertEq(complianceRegistry.complianceBps(providerId, block.timestamp), 10_000);
    }

    function test_RevertIf_AFieldIsOutOfBounds() public {
        complianceRegistry.accredit(auditors[0], 500);
        _assertInvalid(0, REPORT, today, 1, "standard");
        _assertInvalid(64, REPORT, today, 1, "standard");
        _assertInvalid(1, 0, today, 1, "reportHash");
        _assertInvalid(1, REPORT, today - 1, 1, "expiryDay");
        _assertInvalid(1, REPORT, today, 0, "bps");
        _assertInvalid(1, REPORT, today, 501, "bps");
    }

    function test_RevertIf_AccreditationIsWrong() public {
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportFieldInvalid.selector, "maxBps"));
        complianceRegistry.accredit(stranger, 1001);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportFieldInvalid.selector, "auditor"));
        complianceRegistry.accredit(address(0), 10);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.NotAuditor.selector, stranger));
        complianceRegistry.accredit(stranger, 0);
        vm.expectEmit(address(complianceRegistry));
        emit IComplianceRegistry.AuditorAccredited(stranger, 1000);
        complianceRegistry.accredit(stranger, 1000);
    }

    function test_RevertIf_CallerMayNot() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.NotAuditor.selector, stranger));
        complianceRegistry.attest(providerId, 1, REPORT, today, 1);
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, auditors[0]);
        vm.startPrank(auditors[0]);
        vm.expectRevert(unauthorized);
        complianceRegistry.accredit(auditors[0], 1000);
        vm.expectRevert(unauthorized);
        complianceRegistry.revokeReport(providerId, auditors[1]);
    }

    function test_RevertIf_ProviderIsUnknown() public {
        vm.prank(auditors[0]);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.ProviderNotFound.selector, 9));
        complianceRegistry.attest(9, 1, REPORT, today, 1);
    }

    /// Against a model that knows reports by auditor: one each, four running ones, expired ones make room.
    function testFuzz_ReportsAgreeWithModelByAuditor(uint256 seed) public {
        uint256[6] memory bps;
        uint256[6] memory expiry;
        for (uint256 step; step < 24; ++step) {
            uint256 random = uint256(keccak256(abi.encode(seed, step)));
            uint256 auditor = random % 6;
            uint256 day = block.timestamp / 1 days;
            uint256 running;
            for (uint256 i; i < 6; ++i) {
                if (i != auditor && bps[i] != 0 && expiry[i] >= day) ++running;
            }
            uint16 lasts = uint16(day + (random >> 8) % 5);
            uint16 value = uint16(1 + (random >> 16) % 1000);
            if (running < 4) {
                vm.prank(auditors[auditor]);
                complianceRegistry.attest(providerId, 1, REPORT, lasts, value);
                (bps[auditor], expiry[auditor]) = (value, lasts);
            } else if (bps[auditor] == 0 || expiry[auditor] < day) {
                vm.prank(auditors[auditor]);
                vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.NoReportPlace.selector, providerId));
                complianceRegistry.attest(providerId, 1, REPORT, lasts, value);
            }
            uint256 expected = 10_000;
            for (uint256 i; i < 6; ++i) {
                if (expiry[i] >= day) expected += bps[i];
            }
            assertEq(complianceRegistry.complianceBps(providerId, block.timestamp), expected);
            if (random & (1 << 60) != 0) vm.warp(block.timestamp + 1 days);
        }
    }

    function _attest(uint256 auditor, uint8 standard, uint16 expiryDay, uint16 bps) private {
        vm.prank(auditors[auditor]);
        complianceRegistry.attest(providerId, standard, REPORT, expiryDay, bps);
    }

    function _assertInvalid(uint8 standard, bytes32 report, uint16 expiryDay, uint16 bps, string memory field) private {
        vm.prank(auditors[0]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportFieldInvalid.selector, field));
        complianceRegistry.attest(providerId, standard, report, expiryDay, bps);
    }
}
