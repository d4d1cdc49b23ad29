// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Which mTLS keys speak for an account: SHA-256 of the key's SubjectPublicKeyInfo. Providers and tenants use the same call.
/// @dev Upgradeable. `constructor()`, `initialize(address authority)`. Revoked is for ever: a fingerprint never becomes valid again for the account.
interface ICertificateRegistry {
    event CertificatePublished(address indexed account, bytes32 indexed fingerprint, uint40 notAfter);
    event CertificateRevoked(address indexed account, bytes32 indexed fingerprint);

    error CertificateFieldInvalid(string field);
    error CertificateAlreadyPublished(address account, bytes32 fingerprint);
    error CertificateNotFound(address account, bytes32 fingerprint);
    error TooManyCertificates(address account, uint256 maximum);

    /// @notice At most 8 live certificates an account; expired and revoked ones make room.
    function publish(bytes32 fingerprint, uint40 notAfter) external;
    function revoke(bytes32 fingerprint) external;

    /// @notice True iff published by the account, not revoked, and not past `notAfter`.
    function isValid(address account, bytes32 fingerprint) external view returns (bool);
    /// @notice What is valid now.
    function certificatesOf(address account) external view returns (bytes32[] memory fingerprints, uint40[] memory notAfter);
}
