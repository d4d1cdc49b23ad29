// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OperatorSet, CurveType, G1Point, G2Point } from "./EigenTypes.sol";

/// @title EigenLayer's key registrar: one signing key per operator and set, unique over all AVSs for ever.
interface IKeyRegistrar {
    event OperatorSetConfigured(OperatorSet operatorSet, CurveType curveType);
    event KeyRegistered(OperatorSet operatorSet, address indexed operator, CurveType curveType, bytes pubkey);
    event KeyDeregistered(OperatorSet operatorSet, address indexed operator, CurveType curveType);

    error InvalidPermissions();
    error ConfigurationAlreadySet();
    error OperatorSetNotConfigured();
    error OperatorAlreadyRegistered();
    error KeyAlreadyRegistered();
    error InvalidKeyFormat();
    error ZeroPubkey();
    error InvalidCurveType();
    error KeyNotFound(OperatorSet operatorSet, address operator);
    error OperatorStillSlashable(OperatorSet operatorSet, address operator);
    error InvalidSignature();

    function configureOperatorSet(OperatorSet memory operatorSet, CurveType curveType) external;
    /// @param pubkey An ECDSA key is its 20-byte address, packed; a BN254 key is `encodeBN254KeyData`, 192 bytes.
    /// @param signature By the key itself, over `getECDSAKeyRegistrationMessageHash` or `getBN254KeyRegistrationMessageHash`; for BN254
    /// the key times the hash's point on G1, 64 bytes.
    function registerKey(address operator, OperatorSet memory operatorSet, bytes calldata pubkey, bytes calldata signature) external;
    function deregisterKey(address operator, OperatorSet memory operatorSet) external;
    function isRegistered(OperatorSet memory operatorSet, address operator) external view returns (bool);
    function getOperatorSetCurveType(OperatorSet memory operatorSet) external view returns (CurveType);
    function getECDSAKey(OperatorSet memory operatorSet, address operator) external view returns (bytes memory);
    function getECDSAAddress(OperatorSet memory operatorSet, address operator) external view returns (address);
    /// @return g1Point Zeros, as the other, if the operator has no key.
    function getBN254Key(OperatorSet memory operatorSet, address operator)
        external
        view
        returns (G1Point memory g1Point, G2Point memory g2Point);
    function getKeyHash(OperatorSet memory operatorSet, address operator) external view returns (bytes32);
    function isKeyGloballyRegistered(bytes32 keyHash) external view returns (bool);
    /// @param keyData 20 bytes of an ECDSA key's address, or 64 bytes of a BN254 key's G1 point.
    /// @return operator Who registered this key first, in whatever set.
    /// @return status Whether that operator now has this key in `operatorSet`.
    function getOperatorFromSigningKey(OperatorSet memory operatorSet, bytes memory keyData)
        external
        view
        returns (address operator, bool status);
    function getECDSAKeyRegistrationMessageHash(address operator, OperatorSet memory operatorSet, address keyAddress)
        external
        view
        returns (bytes32);
    function getBN254KeyRegistrationMessageHash(address operator, OperatorSet memory operatorSet, bytes calldata keyData)
        external
        view
        returns (bytes32);
    function encodeBN254KeyData(G1Point memory g1Point, G2Point memory g2Point) external pure returns (bytes memory);
    function domainSeparator() external view returns (bytes32);
}
