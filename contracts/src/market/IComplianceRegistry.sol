// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An auditor's report about a provider.
struct ComplianceReport {
    /// Identifier of the standard, 1..63.
    uint8 standard;
    /// What was audited: keccak256 of the scope statement.
    bytes32 scopeHash;
    bytes32 reportHash;
    /// Where the report can be read, at most 256 bytes.
    string uri;
    /// First and last day that count, in days since 1970. The last is at most 3 years after the first; the first is not in the future.
    uint16 issueDay;
    uint16 expiryDay;
    /// 1..the auditor's maximum.
    uint16 bps;
}

/// @title Auditors' reports about providers and the bonus they carry in score and rewards.
/// @dev Upgradeable. `constructor(MarketContracts, address bondToken)`, `initialize(address authority, uint256 minimumBond, uint32 bondSeconds,
/// address treasury)`. An auditor's reports count only while they stand in the provider's word; they end by day without a transaction.
interface IComplianceRegistry {
    event AuditorAccredited(address indexed auditor, uint16 maxBps);
    event AuditorRemoved(address indexed auditor);
    event BondPosted(address indexed auditor, uint256 amount);
    event BondReleaseRequested(address indexed auditor, uint40 releaseAt);
    event BondReleased(address indexed auditor, uint256 amount);
    event AuditorSlashed(address indexed auditor, uint256 amount, bytes32 evidenceHash);
    event ReportAttested(uint24 indexed providerId, address indexed auditor, uint8 index, ComplianceReport report);
    event ReportRevoked(uint24 indexed providerId, address indexed auditor, uint8 index);
    event BondTermsUpdated(uint256 minimumBond, uint32 bondSeconds);
    event TreasuryUpdated(address treasury);
    event TreasuryWithdrawn(address indexed treasury, uint256 amount);

    error NotAuditor(address caller);
    error BondTooLow(uint256 bond, uint256 minimum);
    error BondInvalid(string field);
    /// @notice A bond leaves `bondSeconds` after the request, and not before the auditor's last report would have run out, revoked or not.
    error BondLocked(uint40 releaseAt);
    error ReportFieldInvalid(string field);
    /// @notice All four places are taken by running reports of other auditors.
    error NoReportPlace(uint24 providerId);
    error ReportNotFound(uint24 providerId, address auditor);
    error ProviderNotFound(uint24 providerId);

    /// @notice `maxBps` at most 1000; 0 removes the auditor (its reports stay until they expire or are revoked). Compliance role.
    function accredit(address auditor, uint16 maxBps) external;
    function postBond(uint256 amount) external;
    /// @notice No new reports from here on.
    function requestBondRelease() external;
    function withdrawBond() external returns (uint256 amount);
    /// @notice Takes up to `amount` of a bond for the treasury. Slasher's role.
    function slashAuditor(address auditor, uint256 amount, bytes32 evidenceHash) external;
    /// @notice Accredited auditors with a full bond; replaces the auditor's own report on the provider.
    function attest(uint24 providerId, ComplianceReport calldata report) external;
    function revoke(uint24 providerId) external;
    /// @notice Governance takes back any auditor's report. Compliance role.
    function revokeReport(uint24 providerId, address auditor) external;
    /// @notice Parameters' role.
    function setBondTerms(uint256 minimumBond, uint32 bondSeconds) external;
    /// @notice Parameters' role.
    function setTreasury(address treasury) external;
    /// @notice Pays slashed bonds to the treasury. Anyone.
    function withdrawTreasury() external returns (uint256 amount);

    /// @notice 10000 plus the counting reports' bps at `timestamp`, before the policy's cap.
    function complianceBps(uint24 providerId, uint256 timestamp) external view returns (uint256);
    function auditorOf(address auditor) external view returns (uint16 maxBps, uint256 bond, uint40 releaseAt);
    function reportAuditor(uint24 providerId, uint8 index) external view returns (address auditor);
    function bondTerms() external view returns (uint256 minimumBond, uint32 bondSeconds);
    function bondToken() external view returns (address);
    /// @notice Bonds and what is owed to the treasury. Equals its balance for a plain token.
    function liabilities() external view returns (uint256);
}
