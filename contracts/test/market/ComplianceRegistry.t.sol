// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import { ComplianceRegistry } from "../../src/market/ComplianceRegistry.sol";
import { ComplianceReport, IComplianceRegistry } from "../../src/market/IComplianceRegistry.sol";
import { StakeFixture } from "./StakeFixture.sol";

contract ComplianceRegistryTest is StakeFixture {
    bytes32 private constant EVIDENCE = keccak256("evidence");

    uint16 private today;
    address[6] private auditors;

    function setUp() public override {
        super.setUp();
        today = uint16(block.timestamp / 1 days);
        for (uint256 i; i < auditors.length; ++i) {
            auditors[i] = makeAddr(string.concat("auditor", vm.toString(i)));
            compliance.accredit(auditors[i], 1000);
            _post(auditors[i], MINIMUM_BOND);
        }
    }

    // ---- reports

    function test_ReportIsWrittenIntoTheProvidersWord() public {
        ComplianceReport memory report = _report(today + 30, 700);
        report.standard = 63;
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.ReportAttested(providerId, auditors[0], 0, report);
        vm.prank(auditors[0]);
        compliance.attest(providerId, report);
        vm.snapshotGasLastCall("ComplianceRegistry", "attest");
        assertEq(_p0(providerId).report(0), (uint256(63) << 26) | (uint256(today + 30) << 10) | 700);
        assertEq(compliance.reportAuditor(providerId, 0), auditors[0]);
        assertEq(compliance.complianceBps(providerId, block.timestamp), 10_700);
    }

    /// S20: a report counts to the end of its last day, and from then on not at all, without any transaction.
    function test_AReportEndsByDay() public {
        _attest(0, today + 30, 700);
        uint256 end = (uint256(today) + 31) * 1 days;
        assertEq(compliance.complianceBps(providerId, end - 1), 10_700, "the last day counts");
        assertEq(compliance.complianceBps(providerId, end), 10_000);
    }

    function test_AnAuditorsNewReportReplacesItsOld() public {
        _attest(0, today + 30, 700);
        _attest(1, today + 30, 100);
        _attest(0, today + 60, 300);
        assertEq(_p0(providerId).report(0) & 0x3ff, 300);
        assertEq(_p0(providerId).report(1) & 0x3ff, 100);
        assertEq(_p0(providerId).report(2), 0);
        assertEq(compliance.complianceBps(providerId, block.timestamp), 10_400);
    }

    /// S20: however many audit, four reports of at most 1000 bps count.
    function test_FourAuditorsAtMostAndAnExpiredPlaceIsFree() public {
        _attest(0, today + 30, 1000);
        _attest(1, today, 1000);
        _attest(2, today + 30, 1000);
        _attest(3, today + 30, 1000);
        assertEq(compliance.complianceBps(providerId, block.timestamp), 14_000);
        vm.prank(auditors[4]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.NoReportPlace.selector, providerId));
        compliance.attest(providerId, _report(today + 30, 10));
        vm.warp(block.timestamp + 1 days);
        _attest(4, today + 30, 10);
        vm.snapshotGasLastCall("ComplianceRegistry", "attest in the last place");
        assertEq(_p0(providerId).report(1) & 0x3ff, 10);
        assertEq(compliance.reportAuditor(providerId, 1), auditors[4]);
        // The auditor whose place was taken has no report any more.
        vm.prank(auditors[1]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportNotFound.selector, providerId, auditors[1]));
        compliance.revoke(providerId);
    }

    function test_OwnPlaceComesBeforeAnEarlierEmptyOne() public {
        _attest(0, today + 30, 10);
        _attest(1, today + 30, 20);
        vm.prank(auditors[0]);
        compliance.revoke(providerId);
        _attest(1, today + 30, 30);
        assertEq(_p0(providerId).report(0), 0);
        assertEq(_p0(providerId).report(1) & 0x3ff, 30);
    }

    function test_RevokeByTheAuditorAndByGovernance() public {
        for (uint256 i; i < 4; ++i) {
            _attest(i, today + 30, 10);
        }
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.ReportRevoked(providerId, auditors[0], 0);
        vm.prank(auditors[0]);
        compliance.revoke(providerId);
        vm.snapshotGasLastCall("ComplianceRegistry", "revoke");
        assertEq(_p0(providerId).report(0), 0);
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.ReportRevoked(providerId, auditors[3], 3);
        compliance.revokeReport(providerId, auditors[3]);
        vm.snapshotGasLastCall("ComplianceRegistry", "revokeReport");
        assertEq(compliance.complianceBps(providerId, block.timestamp), 10_020);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportNotFound.selector, providerId, auditors[3]));
        compliance.revokeReport(providerId, auditors[3]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportNotFound.selector, providerId, address(0)));
        compliance.revokeReport(providerId, address(0));
    }

    function test_RemovedAuditorsReportStaysAndCanBeRevoked() public {
        _attest(0, today + 30, 10);
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.AuditorRemoved(auditors[0]);
        compliance.accredit(auditors[0], 0);
        assertEq(compliance.complianceBps(providerId, block.timestamp), 10_010);
        vm.startPrank(auditors[0]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.NotAuditor.selector, auditors[0]));
        compliance.attest(providerId, _report(today, 10));
        compliance.revoke(providerId);
        vm.stopPrank();
        assertEq(compliance.complianceBps(providerId, block.timestamp), 10_000);
    }

    function test_RevertIf_AFieldIsOutOfBounds() public {
        compliance.accredit(auditors[0], 500);
        ComplianceReport memory report = _report(today, 1);
        report.standard = 0;
        _assertInvalid(report, "standard");
        report.standard = 64;
        _assertInvalid(report, "standard");
        report = _report(today, 1);
        report.scopeHash = 0;
        _assertInvalid(report, "scopeHash");
        report = _report(today, 1);
        report.reportHash = 0;
        _assertInvalid(report, "reportHash");
        report = _report(today, 1);
        report.uri = "";
        _assertInvalid(report, "uri");
        report.uri = string(new bytes(257));
        _assertInvalid(report, "uri");
        report = _report(today, 1);
        report.issueDay = today + 1;
        report.expiryDay = today + 2;
        _assertInvalid(report, "issueDay");
        _assertInvalid(_report(today - 1, 1), "expiryDay");
        _assertInvalid(_report(today + 1097, 1), "expiryDay");
        _assertInvalid(_report(today, 0), "bps");
        _assertInvalid(_report(today, 501), "bps");
    }

    function test_TheWidestReportIsTaken() public {
        ComplianceReport memory report = _report(today + 1096, 1000);
        report.uri = string(new bytes(256));
        vm.prank(auditors[0]);
        compliance.attest(providerId, report);
        vm.snapshotGasLastCall("ComplianceRegistry", "attest with the longest uri");
        assertEq(compliance.complianceBps(providerId, block.timestamp + 1096 days), 11_000);
    }

    function test_RevertIf_ProviderIsUnknown() public {
        vm.prank(auditors[0]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ProviderNotFound.selector, 9));
        compliance.attest(9, _report(today, 1));
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ProviderNotFound.selector, 9));
        compliance.complianceBps(9, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportFieldInvalid.selector, "index"));
        compliance.reportAuditor(providerId, 4);
    }

    // ---- accreditation

    function test_Accredit() public {
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.AuditorAccredited(stranger, 1000);
        compliance.accredit(stranger, 1000);
        vm.snapshotGasLastCall("ComplianceRegistry", "accredit");
        (uint16 maxBps, uint256 bond, uint40 releaseAt) = compliance.auditorOf(stranger);
        assertEq(maxBps, 1000);
        assertEq(bond, 0);
        assertEq(releaseAt, 0);
    }

    function test_RevertIf_AccreditationIsWrong() public {
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportFieldInvalid.selector, "maxBps"));
        compliance.accredit(stranger, 1001);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportFieldInvalid.selector, "auditor"));
        compliance.accredit(address(0), 10);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.NotAuditor.selector, stranger));
        compliance.accredit(stranger, 0);
    }

    // ---- bonds

    function test_BondIsWhatArrived() public {
        compliance.accredit(stranger, 1000);
        _approve(stranger, address(compliance), 100 ether);
        stakeToken.setFeeBps(1000);
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.BondPosted(stranger, 90 ether);
        vm.prank(stranger);
        compliance.postBond(100 ether);
        vm.snapshotGasLastCall("ComplianceRegistry", "postBond");
        _assertBond(stranger, 90 ether, 0);
        assertEq(compliance.bondToken(), address(stakeToken));
        _assertBondsSolvent();
    }

    function test_RevertIf_BondIsWrong() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.NotAuditor.selector, stranger));
        compliance.postBond(1);
        vm.startPrank(auditors[0]);
        _expectBondInvalid("amount");
        compliance.postBond(0);
        _expectBondInvalid("releaseAt");
        compliance.withdrawBond();
        compliance.requestBondRelease();
        _expectBondInvalid("releaseAt");
        compliance.requestBondRelease();
        _expectBondInvalid("releaseAt");
        compliance.postBond(1);
        vm.startPrank(stranger);
        _expectBondInvalid("bond");
        compliance.requestBondRelease();
    }

    function test_NoReportWithoutTheWholeBond() public {
        compliance.accredit(stranger, 1000);
        _post(stranger, MINIMUM_BOND - 1);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.BondTooLow.selector, MINIMUM_BOND - 1, MINIMUM_BOND));
        compliance.attest(providerId, _report(today, 1));
        _post(stranger, 1);
        vm.prank(stranger);
        compliance.attest(providerId, _report(today, 1));
    }

    function test_ABondWaitsForItsTime() public {
        uint40 releaseAt = uint40(block.timestamp) + BOND_SECONDS;
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.BondReleaseRequested(auditors[0], releaseAt);
        vm.prank(auditors[0]);
        compliance.requestBondRelease();
        vm.snapshotGasLastCall("ComplianceRegistry", "requestBondRelease");
        _assertBond(auditors[0], MINIMUM_BOND, releaseAt);
        vm.prank(auditors[0]);
        _expectBondInvalid("releaseAt");
        compliance.attest(providerId, _report(today, 1));
        vm.warp(releaseAt - 1);
        vm.prank(auditors[0]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.BondLocked.selector, releaseAt));
        compliance.withdrawBond();
        vm.warp(releaseAt);
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.BondReleased(auditors[0], MINIMUM_BOND);
        vm.prank(auditors[0]);
        assertEq(compliance.withdrawBond(), MINIMUM_BOND);
        vm.snapshotGasLastCall("ComplianceRegistry", "withdrawBond");
        assertEq(stakeToken.balanceOf(auditors[0]), MINIMUM_BOND);
        _assertBond(auditors[0], 0, 0);
        _assertBondsSolvent();
        _post(auditors[0], MINIMUM_BOND);
        _attest(0, uint16(block.timestamp / 1 days), 10);
    }

    /// The bond stands as long as any report did that it ever stood for, revoked and replaced ones included.
    function test_ABondWaitsForItsLatestReport() public {
        _attest(0, today + 300, 10);
        _attest(0, today + 100, 10);
        vm.prank(auditors[0]);
        compliance.revoke(providerId);
        uint40 over = uint40((uint256(today) + 301) * 1 days);
        vm.prank(auditors[0]);
        compliance.requestBondRelease();
        _assertBond(auditors[0], MINIMUM_BOND, over);
        vm.warp(over - 1);
        vm.prank(auditors[0]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.BondLocked.selector, over));
        compliance.withdrawBond();
        vm.warp(over);
        vm.prank(auditors[0]);
        compliance.withdrawBond();
    }

    function test_ASlashedBondGoesToTheTreasury() public {
        _attest(0, today + 30, 10);
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.AuditorSlashed(auditors[0], 400 ether, EVIDENCE);
        compliance.slashAuditor(auditors[0], 400 ether, EVIDENCE);
        vm.snapshotGasLastCall("ComplianceRegistry", "slashAuditor");
        _assertBond(auditors[0], 600 ether, 0);
        vm.prank(auditors[0]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.BondTooLow.selector, 600 ether, MINIMUM_BOND));
        compliance.attest(providerId, _report(today, 1));
        assertEq(compliance.complianceBps(providerId, block.timestamp), 10_010, "a report is revoked by itself");

        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.AuditorSlashed(auditors[0], 600 ether, keccak256("more"));
        compliance.slashAuditor(auditors[0], 700 ether, keccak256("more"));
        _assertBondsSolvent();
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.TreasuryWithdrawn(treasury, 1000 ether);
        vm.prank(stranger);
        assertEq(compliance.withdrawTreasury(), 1000 ether);
        vm.snapshotGasLastCall("ComplianceRegistry", "withdrawTreasury");
        assertEq(stakeToken.balanceOf(treasury), 1000 ether);
        _assertBondsSolvent();
        _expectBondInvalid("amount");
        compliance.withdrawTreasury();
    }

    function test_ABondIsSlashedWhileItWaits() public {
        vm.prank(auditors[0]);
        compliance.requestBondRelease();
        compliance.slashAuditor(auditors[0], MINIMUM_BOND, EVIDENCE);
        vm.warp(block.timestamp + BOND_SECONDS);
        vm.prank(auditors[0]);
        assertEq(compliance.withdrawBond(), 0);
        _post(auditors[0], MINIMUM_BOND);
        _assertBond(auditors[0], MINIMUM_BOND, 0);
    }

    function test_RevertIf_SlashIsWrong() public {
        _expectBondInvalid("amount");
        compliance.slashAuditor(auditors[0], 0, EVIDENCE);
        _expectBondInvalid("evidenceHash");
        compliance.slashAuditor(auditors[0], 1, 0);
        _expectBondInvalid("bond");
        compliance.slashAuditor(stranger, 1, EVIDENCE);
        compliance.slashAuditor(auditors[0], 1, EVIDENCE);
        _expectBondInvalid("evidenceHash");
        compliance.slashAuditor(auditors[0], 1, EVIDENCE);
        compliance.slashAuditor(auditors[1], 1, EVIDENCE);
    }

    // ---- terms

    function test_BondTerms() public {
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.BondTermsUpdated(5, 7 days);
        compliance.setBondTerms(5, 7 days);
        vm.snapshotGasLastCall("ComplianceRegistry", "setBondTerms");
        (uint256 minimumBond, uint32 bondSeconds) = compliance.bondTerms();
        assertEq(minimumBond, 5);
        assertEq(bondSeconds, 7 days);
        vm.expectEmit(address(compliance));
        emit IComplianceRegistry.TreasuryUpdated(bob);
        compliance.setTreasury(bob);
        vm.snapshotGasLastCall("ComplianceRegistry", "setTreasury");
        compliance.slashAuditor(auditors[0], 3, EVIDENCE);
        compliance.withdrawTreasury();
        assertEq(stakeToken.balanceOf(bob), 3);
    }

    function test_RevertIf_TermsAreOutOfBounds() public {
        _expectBondInvalid("minimumBond");
        compliance.setBondTerms(0, 1);
        _expectBondInvalid("minimumBond");
        compliance.setBondTerms(1 << 128, 1);
        _expectBondInvalid("bondSeconds");
        compliance.setBondTerms(1, 0);
        _expectBondInvalid("bondSeconds");
        compliance.setBondTerms(1, 365 days + 1);
        _expectBondInvalid("treasury");
        compliance.setTreasury(address(0));
    }

    // ---- module

    function test_RevertIf_CallerHasNoRole() public {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, auditors[0]);
        vm.startPrank(auditors[0]);
        vm.expectRevert(unauthorized);
        compliance.accredit(auditors[0], 1000);
        vm.expectRevert(unauthorized);
        compliance.revokeReport(providerId, auditors[1]);
        vm.expectRevert(unauthorized);
        compliance.slashAuditor(auditors[1], 1, EVIDENCE);
        vm.expectRevert(unauthorized);
        compliance.setBondTerms(1, 1);
        vm.expectRevert(unauthorized);
        compliance.setTreasury(auditors[0]);
        vm.expectRevert(unauthorized);
        compliance.upgradeToAndCall(address(1), "");
    }

    function test_IsInitializedOnceAndTheImplementationNever() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        compliance.initialize(address(authority), 1, 1, treasury);
        ComplianceRegistry implementation = new ComplianceRegistry(market, address(stakeToken));
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(address(authority), 1, 1, treasury);
    }

    function test_AnUpgradeKeepsEveryValue() public {
        _attest(0, today + 30, 10);
        compliance.slashAuditor(auditors[0], 1 ether, EVIDENCE);
        vm.prank(auditors[0]);
        compliance.requestBondRelease();
        compliance.upgradeToAndCall(address(new ComplianceRegistry(market, address(stakeToken))), "");
        vm.snapshotGasLastCall("ComplianceRegistry", "upgradeToAndCall");
        _assertBond(auditors[0], MINIMUM_BOND - 1 ether, uint40((uint256(today) + 31) * 1 days));
        assertEq(compliance.reportAuditor(providerId, 0), auditors[0]);
        assertEq(compliance.liabilities(), 6 * MINIMUM_BOND);
        assertEq(compliance.withdrawTreasury(), 1 ether);
        _expectBondInvalid("evidenceHash");
        compliance.slashAuditor(auditors[0], 1, EVIDENCE);
    }

    /// The first members of the state are where the formula of ERC-7201 says.
    function test_StateIsInItsNamespace() public view {
        uint256 word = uint256(vm.load(address(compliance), SlotDerivation.erc7201Slot("matchmaker.storage.ComplianceRegistry")));
        assertEq(uint128(word), MINIMUM_BOND);
        assertEq(uint32(word >> 128), BOND_SECONDS);
    }

    // ---- models

    /// S20: against a model that knows reports by auditor: one each, four running ones, expired ones make room.
    function testFuzz_ReportsAgreeWithModelByAuditor(uint256 seed) public {
        emit log_named_uint("seed", seed);
        uint256[6] memory bps;
        uint256[6] memory expiry;
        for (uint256 step; step < 24; ++step) {
            uint256 random = uint256(keccak256(abi.encode(seed, step)));
            uint256 auditor = random % 6;
            uint256 day = vm.getBlockTimestamp() / 1 days;
            uint256 running;
            for (uint256 i; i < 6; ++i) {
                if (i != auditor && bps[i] != 0 && expiry[i] >= day) ++running;
            }
            uint16 lasts = uint16(day + (random >> 8) % 5);
            uint16 value = uint16(1 + (random >> 16) % 1000);
            if (running < 4) {
                _attest(auditor, lasts, value);
                (bps[auditor], expiry[auditor]) = (value, lasts);
            } else if (bps[auditor] == 0 || expiry[auditor] < day) {
                vm.prank(auditors[auditor]);
                vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.NoReportPlace.selector, providerId));
                compliance.attest(providerId, _report(lasts, value));
            }
            uint256 expected = 10_000;
            for (uint256 i; i < 6; ++i) {
                if (expiry[i] >= day) expected += bps[i];
            }
            assertEq(compliance.complianceBps(providerId, vm.getBlockTimestamp()), expected);
            if (random & (1 << 60) != 0) vm.warp(vm.getBlockTimestamp() + 1 days);
        }
    }

    /// S13: bonds and what the treasury is owed are the balance, and nobody's bond moves but by its own call or a slash of it.
    function testFuzz_BondsAreTheBalance(uint256 seed) public {
        emit log_named_uint("seed", seed);
        uint256[6] memory bonds;
        uint256 owed;
        for (uint256 i; i < 6; ++i) {
            bonds[i] = MINIMUM_BOND;
        }
        for (uint256 step; step < 32; ++step) {
            uint256 random = uint256(keccak256(abi.encode(seed, step)));
            uint256 i = (random >> 8) % 6;
            (,, uint40 releaseAt) = compliance.auditorOf(auditors[i]);
            uint256 action = random % 5;
            if (action == 0 && releaseAt == 0) {
                uint256 amount = 1 + (random >> 16) % 10_000 ether;
                _post(auditors[i], amount);
                bonds[i] += amount;
            } else if (action == 1 && releaseAt == 0 && bonds[i] != 0) {
                vm.prank(auditors[i]);
                compliance.requestBondRelease();
            } else if (action == 2 && releaseAt != 0) {
                if (vm.getBlockTimestamp() < releaseAt) vm.warp(releaseAt);
                vm.prank(auditors[i]);
                assertEq(compliance.withdrawBond(), bonds[i]);
                bonds[i] = 0;
            } else if (action == 3 && bonds[i] != 0) {
                uint256 amount = 1 + (random >> 16) % 2000 ether;
                compliance.slashAuditor(auditors[i], amount, bytes32(random));
                if (amount > bonds[i]) amount = bonds[i];
                bonds[i] -= amount;
                owed += amount;
            } else if (action == 4 && owed != 0) {
                assertEq(compliance.withdrawTreasury(), owed);
                owed = 0;
            }
            uint256 sum = owed;
            for (uint256 k; k < 6; ++k) {
                (, uint256 bond,) = compliance.auditorOf(auditors[k]);
                assertEq(bond, bonds[k]);
                sum += bond;
            }
            assertEq(compliance.liabilities(), sum);
            _assertBondsSolvent();
        }
    }

    // ---- inside

    function _report(uint16 expiryDay, uint16 bps) private view returns (ComplianceReport memory) {
        return ComplianceReport({
            standard: 1,
            scopeHash: keccak256("scope"),
            reportHash: keccak256("report"),
            uri: "https://auditor.example/report",
            issueDay: expiryDay < today ? expiryDay : today,
            expiryDay: expiryDay,
            bps: bps
        });
    }

    function _attest(uint256 auditor, uint16 expiryDay, uint16 bps) private {
        vm.prank(auditors[auditor]);
        compliance.attest(providerId, _report(expiryDay, bps));
    }

    function _post(address auditor, uint256 amount) private {
        _approve(auditor, address(compliance), amount);
        vm.prank(auditor);
        compliance.postBond(amount);
    }

    function _assertInvalid(ComplianceReport memory report, string memory field) private {
        vm.prank(auditors[0]);
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.ReportFieldInvalid.selector, field));
        compliance.attest(providerId, report);
    }

    function _expectBondInvalid(string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IComplianceRegistry.BondInvalid.selector, field));
    }

    function _assertBond(address auditor, uint256 bond, uint40 releaseAt) private view {
        (, uint256 bond_, uint40 releaseAt_) = compliance.auditorOf(auditor);
        assertEq(bond_, bond, "bond");
        assertEq(releaseAt_, releaseAt, "releaseAt");
    }

    function _assertBondsSolvent() private view {
        assertEq(stakeToken.balanceOf(address(compliance)), compliance.liabilities(), "balance is what is owed");
    }
}
