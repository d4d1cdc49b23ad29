// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OperatorSet, CurveType } from "./EigenTypes.sol";

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
    /// @param pubkey An ECDSA key is its 20-byte address, packed.
    /// @param signature By the key itself, over `getECDSAKeyRegistrationMessageHash`.
    function registerKey(address operator, OperatorSet memory operatorSet, bytes calldata pubkey, bytes calldata signature) external;
    function deregisterKey(address operator, OperatorSet memory operatorSet) external;
    function isRegistered(OperatorSet memory operatorSet, address operator) external view returns (bool);
    function getOperatorSetCurveType(OperatorSet memory operatorSet) external view returns (CurveType);
    function getECDSAKey(OperatorSet memory operatorSet, address operator) external view returns (bytes memory);
    function getECDSAAddress(OperatorSet memory operatorSet, address operator) external view returns (address);
    function getKeyHash(OperatorSet memory operatorSet, address operator) external view returns (bytes32);
    function isKeyGloballyRegistered(bytes32 keyHash) external view returns (bool);
    function getOperatorFromSigningKey(OperatorSet memory operatorSet, bytes memory keyData)
        external
        view
        returns (address operator, bool status);
    function getECDSAKeyRegistrationMessageHash(address operator, OperatorSet memory operatorSet, address keyAddress)
        external
        view
        returns (bytes32);
}
