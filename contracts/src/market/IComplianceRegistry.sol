// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Auditors' reports about providers and the score bonus they carry.
interface IComplianceRegistry {
    event AuditorAccredited(address indexed auditor, uint16 maxBps);
    event AuditorRemoved(address indexed auditor);
    event ReportAttested(
        uint24 indexed providerId, address indexed auditor, uint8 index, uint8 standard, bytes32 reportHash, uint16 expiryDay, uint16 bps
    );
    event ReportRevoked(uint24 indexed providerId, address indexed auditor, uint8 index);

    error NotAuditor(address caller);
    error ReportFieldInvalid(string field);
    /// @notice All four places are taken by running reports of other auditors.
    error NoReportPlace(uint24 providerId);
    error ReportNotFound(uint24 providerId, address auditor);

    /// @notice `maxBps` at most 1000; 0 removes the auditor (its reports stay until they expire or are revoked).
    function accredit(address auditor, uint16 maxBps) external;
    /// @param standard Identifier of the standard, 1..63.
    /// @param expiryDay Last day that counts, in days since 1970.
    function attest(uint24 providerId, uint8 standard, bytes32 reportHash, uint16 expiryDay, uint16 bps) external;
    function revoke(uint24 providerId) external;
    /// @notice Governance takes back any auditor's report.
    function revokeReport(uint24 providerId, address auditor) external;

    /// @notice 10000 plus the counting reports' bps at `timestamp`, before the policy's cap.
    function complianceBps(uint24 providerId, uint256 timestamp) external view returns (uint256);
}
