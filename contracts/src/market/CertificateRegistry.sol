// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarketModule } from "../governance/MarketModule.sol";
import { ICertificateRegistry } from "./ICertificateRegistry.sol";

/// @title Which mTLS keys speak for an account: SHA-256 of the key's SubjectPublicKeyInfo. Providers and tenants use the same call.
/// @dev Publishing proves no possession of the key: it says whom the account trusts to speak for it, and harms nobody else. An expired
/// fingerprint may be published again, as a renewed certificate of the same key; a revoked one never.
contract CertificateRegistry is ICertificateRegistry, MarketModule {
    uint256 private constant MAX_CERTIFICATES = 8;

    struct Certificate {
        /// 0 = never published.
        uint40 notAfter;
        bool revoked;
    }

    /// @custom:storage-location erc7201:matchmaker.storage.CertificateRegistry
    struct Layout {
        mapping(address account => mapping(bytes32 fingerprint => Certificate)) certificates;
        /// Not revoked; expired ones leave when room is needed.
        mapping(address account => bytes32[]) fingerprints;
    }

    bytes32 private constant LAYOUT_SLOT = 0x5e58609f73077bc68e8cd83808ea921efe16ec6e60194a192170c73204c5d700;

    /// @notice Called once, in the proxy's creation.
    function initialize(address authority) external initializer {
        __AccessManaged_init(authority);
    }

    /// @inheritdoc ICertificateRegistry
    function publish(bytes32 fingerprint, uint40 notAfter) external {
        if (fingerprint == 0) revert CertificateFieldInvalid("fingerprint");
        if (notAfter <= block.timestamp) revert CertificateFieldInvalid("notAfter");
        Layout storage state = _layout();
        Certificate storage certificate = state.certificates[msg.sender][fingerprint];
        if (certificate.revoked || _isLive(certificate)) revert CertificateAlreadyPublished(msg.sender, fingerprint);
        _dropExpired(state);
        bytes32[] storage fingerprints = state.fingerprints[msg.sender];
        if (fingerprints.length == MAX_CERTIFICATES) revert TooManyCertificates(msg.sender, MAX_CERTIFICATES);
        fingerprints.push(fingerprint);
        certificate.notAfter = notAfter;
        emit CertificatePublished(msg.sender, fingerprint, notAfter);
    }

    /// @inheritdoc ICertificateRegistry
    function revoke(bytes32 fingerprint) external {
        Layout storage state = _layout();
        Certificate storage certificate = state.certificates[msg.sender][fingerprint];
        if (certificate.notAfter == 0 || certificate.revoked) revert CertificateNotFound(msg.sender, fingerprint);
        certificate.revoked = true;
        bytes32[] storage fingerprints = state.fingerprints[msg.sender];
        for (uint256 i; i < fingerprints.length; ++i) {
            if (fingerprints[i] != fingerprint) continue;
            _dropAt(fingerprints, i);
            break;
        }
        emit CertificateRevoked(msg.sender, fingerprint);
    }

    /// @inheritdoc ICertificateRegistry
    function isValid(address account, bytes32 fingerprint) external view returns (bool) {
        return _isLive(_layout().certificates[account][fingerprint]);
    }

    /// @inheritdoc ICertificateRegistry
    function certificatesOf(address account) external view returns (bytes32[] memory fingerprints, uint40[] memory notAfter) {
        Layout storage state = _layout();
        bytes32[] storage kept = state.fingerprints[account];
        uint256 live;
        for (uint256 i; i < kept.length; ++i) {
            if (_isLive(state.certificates[account][kept[i]])) ++live;
        }
        fingerprints = new bytes32[](live);
        notAfter = new uint40[](live);
        live = 0;
        for (uint256 i; i < kept.length; ++i) {
            Certificate storage certificate = state.certificates[account][kept[i]];
            if (!_isLive(certificate)) continue;
            (fingerprints[live], notAfter[live]) = (kept[i], certificate.notAfter);
            ++live;
        }
    }

    function _isLive(Certificate storage certificate) private view returns (bool) {
        return !certificate.revoked && block.timestamp <= certificate.notAfter;
    }

    /// At most eight are looked at.
    function _dropExpired(Layout storage state) private {
        bytes32[] storage fingerprints = state.fingerprints[msg.sender];
        for (uint256 i = fingerprints.length; i > 0; --i) {
            if (!_isLive(state.certificates[msg.sender][fingerprints[i - 1]])) _dropAt(fingerprints, i - 1);
        }
    }

    function _dropAt(bytes32[] storage fingerprints, uint256 index) private {
        fingerprints[index] = fingerprints[fingerprints.length - 1];
        fingerprints.pop();
    }

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }
}
