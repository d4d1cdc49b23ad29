// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The EIP-712 digest that operators sign for an ECDSA certificate: domain 'EigenLayer', '1' and the verifier, without a chain id.
library EcdsaDigest {
    bytes32 private constant DOMAIN_TYPEHASH = keccak256("EIP712Domain(string name,string version,address verifyingContract)");
    bytes32 private constant CERTIFICATE_TYPEHASH = keccak256("ECDSACertificate(uint32 referenceTimestamp,bytes32 messageHash)");

    function domainSeparator(address verifier) internal pure returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("EigenLayer"), keccak256("1"), verifier));
    }

    function digest(bytes32 separator, uint32 tableTimestamp, bytes32 messageHash) internal pure returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(CERTIFICATE_TYPEHASH, tableTimestamp, messageHash));
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }
}
