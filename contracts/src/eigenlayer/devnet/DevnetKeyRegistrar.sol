// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { IAllocationManager } from "../IAllocationManager.sol";
import { IKeyRegistrar } from "../IKeyRegistrar.sol";
import { IPermissionController } from "../IPermissionController.sol";
import { OperatorSets } from "../OperatorSets.sol";
import { OperatorSet, CurveType } from "../EigenTypes.sol";
import { DevnetPermissioned } from "./DevnetPermissioned.sol";

/// @title Signing keys of operators, for a chain that has no EigenLayer. It takes ECDSA keys only.
contract DevnetKeyRegistrar is IKeyRegistrar, DevnetPermissioned, EIP712 {
    using OperatorSets for OperatorSet;

    struct KeyOwner {
        address operator;
        bytes32 setKey;
    }

    bytes32 private constant KEY_TYPEHASH =
        keccak256("ECDSAKeyRegistration(address operator,address avs,uint32 operatorSetId,address keyAddress)");

    IAllocationManager public immutable allocationManager;

    mapping(bytes32 setKey => CurveType) private _curveTypes;
    mapping(bytes32 setKey => mapping(address operator => address)) private _keys;
    /// @dev Never cleared: a key that was used once can never be registered again.
    mapping(bytes32 keyHash => KeyOwner) private _owners;

    constructor(IAllocationManager allocationManager_, IPermissionController permissionController_)
        DevnetPermissioned(permissionController_)
        EIP712("EigenLayer", "1")
    {
        allocationManager = allocationManager_;
    }

    function configureOperatorSet(OperatorSet memory operatorSet, CurveType curveType) external {
        require(_mayActFor(operatorSet.avs), InvalidPermissions());
        require(curveType == CurveType.ECDSA, InvalidCurveType());
        bytes32 setKey = operatorSet.key();
        require(_curveTypes[setKey] == CurveType.NONE, ConfigurationAlreadySet());
        _curveTypes[setKey] = curveType;
        emit OperatorSetConfigured(operatorSet, curveType);
    }

    function registerKey(address operator, OperatorSet memory operatorSet, bytes calldata pubkey, bytes calldata signature) external {
        require(_mayActFor(operator), InvalidPermissions());
        bytes32 setKey = operatorSet.key();
        require(_curveTypes[setKey] != CurveType.NONE, OperatorSetNotConfigured());
        require(_keys[setKey][operator] == address(0), OperatorAlreadyRegistered());
        require(pubkey.length == 20, InvalidKeyFormat());
        // Exactly 20 bytes, as was just checked.
        // forge-lint: disable-next-line(unsafe-typecast)
        address keyAddress = address(bytes20(pubkey));
        require(keyAddress != address(0), ZeroPubkey());
        bytes32 keyHash = _hashKey(keyAddress);
        require(!isKeyGloballyRegistered(keyHash), KeyAlreadyRegistered());
        bytes32 digest = getECDSAKeyRegistrationMessageHash(operator, operatorSet, keyAddress);
        require(SignatureChecker.isValidSignatureNow(keyAddress, digest, signature), InvalidSignature());

        _keys[setKey][operator] = keyAddress;
        _owners[keyHash] = KeyOwner(operator, setKey);
        emit KeyRegistered(operatorSet, operator, CurveType.ECDSA, pubkey);
    }

    function deregisterKey(address operator, OperatorSet memory operatorSet) external {
        require(_mayActFor(operator), InvalidPermissions());
        require(!allocationManager.isOperatorSlashable(operator, operatorSet), OperatorStillSlashable(operatorSet, operator));
        bytes32 setKey = operatorSet.key();
        require(_curveTypes[setKey] != CurveType.NONE, OperatorSetNotConfigured());
        require(_keys[setKey][operator] != address(0), KeyNotFound(operatorSet, operator));
        delete _keys[setKey][operator];
        emit KeyDeregistered(operatorSet, operator, CurveType.ECDSA);
    }

    function isRegistered(OperatorSet memory operatorSet, address operator) external view returns (bool) {
        return _keys[operatorSet.key()][operator] != address(0);
    }

    function getOperatorSetCurveType(OperatorSet memory operatorSet) external view returns (CurveType) {
        return _curveTypes[operatorSet.key()];
    }

    function getECDSAKey(OperatorSet memory operatorSet, address operator) external view returns (bytes memory) {
        address keyAddress = getECDSAAddress(operatorSet, operator);
        return keyAddress == address(0) ? bytes("") : abi.encodePacked(keyAddress);
    }

    function getECDSAAddress(OperatorSet memory operatorSet, address operator) public view returns (address) {
        bytes32 setKey = operatorSet.key();
        require(_curveTypes[setKey] == CurveType.ECDSA, InvalidCurveType());
        return _keys[setKey][operator];
    }

    function getKeyHash(OperatorSet memory operatorSet, address operator) external view returns (bytes32) {
        address keyAddress = _keys[operatorSet.key()][operator];
        return keyAddress == address(0) ? bytes32(0) : _hashKey(keyAddress);
    }

    function isKeyGloballyRegistered(bytes32 keyHash) public view returns (bool) {
        return _owners[keyHash].operator != address(0);
    }

    /// @return operator Who registered this key first, in whatever set.
    /// @return status Whether that operator has a key in `operatorSet` that is this one.
    function getOperatorFromSigningKey(OperatorSet memory operatorSet, bytes memory keyData)
        external
        view
        returns (address operator, bool status)
    {
        bytes32 keyHash = keccak256(keyData);
        operator = _owners[keyHash].operator;
        address keyAddress = _keys[operatorSet.key()][operator];
        status = keyAddress != address(0) && _hashKey(keyAddress) == keyHash;
    }

    function getECDSAKeyRegistrationMessageHash(address operator, OperatorSet memory operatorSet, address keyAddress)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(KEY_TYPEHASH, operator, operatorSet.avs, operatorSet.id, keyAddress)));
    }

    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _hashKey(address keyAddress) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(keyAddress));
    }
}
