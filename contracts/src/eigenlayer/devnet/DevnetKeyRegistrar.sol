// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { IAllocationManager } from "../IAllocationManager.sol";
import { IKeyRegistrar } from "../IKeyRegistrar.sol";
import { IPermissionController } from "../IPermissionController.sol";
import { OperatorSets } from "../OperatorSets.sol";
import { OperatorSet, CurveType, G1Point, G2Point } from "../EigenTypes.sol";
import { Bn254Signature } from "./Bn254Signature.sol";
import { DevnetPermissioned } from "./DevnetPermissioned.sol";

/// @title Signing keys of operators, for a chain that has no EigenLayer.
contract DevnetKeyRegistrar is IKeyRegistrar, DevnetPermissioned, EIP712 {
    using OperatorSets for OperatorSet;

    bytes32 private constant ECDSA_KEY_TYPEHASH =
        keccak256("ECDSAKeyRegistration(address operator,address avs,uint32 operatorSetId,address keyAddress)");
    bytes32 private constant BN254_KEY_TYPEHASH =
        keccak256("BN254KeyRegistration(address operator,address avs,uint32 operatorSetId,bytes keyData)");

    uint256 private constant ECDSA_KEY_BYTES = 20;
    uint256 private constant BN254_KEY_BYTES = 192;
    uint256 private constant BN254_SIGNATURE_BYTES = 64;

    IAllocationManager public immutable allocationManager;

    mapping(bytes32 setKey => CurveType) private _curveTypes;
    /// @dev As it was registered: 20 bytes for ECDSA, 192 for BN254.
    mapping(bytes32 setKey => mapping(address operator => bytes)) private _keys;
    /// @dev Never cleared: a key that was used once can never be registered again.
    mapping(bytes32 keyHash => address operator) private _owners;

    constructor(IAllocationManager allocationManager_, IPermissionController permissionController_)
        DevnetPermissioned(permissionController_)
        EIP712("EigenLayer", "1")
    {
        allocationManager = allocationManager_;
    }

    function configureOperatorSet(OperatorSet memory operatorSet, CurveType curveType) external {
        require(_mayActFor(operatorSet.avs), InvalidPermissions());
        require(curveType != CurveType.NONE, InvalidCurveType());
        bytes32 setKey = operatorSet.key();
        require(_curveTypes[setKey] == CurveType.NONE, ConfigurationAlreadySet());
        _curveTypes[setKey] = curveType;
        emit OperatorSetConfigured(operatorSet, curveType);
    }

    function registerKey(address operator, OperatorSet memory operatorSet, bytes calldata pubkey, bytes calldata signature) external {
        require(_mayActFor(operator), InvalidPermissions());
        bytes32 setKey = operatorSet.key();
        CurveType curveType = _curveTypes[setKey];
        require(curveType != CurveType.NONE, OperatorSetNotConfigured());
        require(_keys[setKey][operator].length == 0, OperatorAlreadyRegistered());
        bytes32 keyHash = curveType == CurveType.ECDSA
            ? _checkECDSAKey(operator, operatorSet, pubkey, signature)
            : _checkBN254Key(operator, operatorSet, pubkey, signature);
        require(!isKeyGloballyRegistered(keyHash), KeyAlreadyRegistered());

        _keys[setKey][operator] = pubkey;
        _owners[keyHash] = operator;
        emit KeyRegistered(operatorSet, operator, curveType, pubkey);
    }

    function deregisterKey(address operator, OperatorSet memory operatorSet) external {
        require(_mayActFor(operator), InvalidPermissions());
        require(!allocationManager.isOperatorSlashable(operator, operatorSet), OperatorStillSlashable(operatorSet, operator));
        bytes32 setKey = operatorSet.key();
        CurveType curveType = _curveTypes[setKey];
        require(curveType != CurveType.NONE, OperatorSetNotConfigured());
        require(_keys[setKey][operator].length != 0, KeyNotFound(operatorSet, operator));
        delete _keys[setKey][operator];
        emit KeyDeregistered(operatorSet, operator, curveType);
    }

    function isRegistered(OperatorSet memory operatorSet, address operator) external view returns (bool) {
        return _keys[operatorSet.key()][operator].length != 0;
    }

    function getOperatorSetCurveType(OperatorSet memory operatorSet) external view returns (CurveType) {
        return _curveTypes[operatorSet.key()];
    }

    function getECDSAKey(OperatorSet memory operatorSet, address operator) public view returns (bytes memory) {
        bytes32 setKey = operatorSet.key();
        require(_curveTypes[setKey] == CurveType.ECDSA, InvalidCurveType());
        return _keys[setKey][operator];
    }

    function getECDSAAddress(OperatorSet memory operatorSet, address operator) external view returns (address) {
        // Zero for no key.
        return address(bytes20(getECDSAKey(operatorSet, operator)));
    }

    function getBN254Key(OperatorSet memory operatorSet, address operator)
        external
        view
        returns (G1Point memory g1Point, G2Point memory g2Point)
    {
        bytes32 setKey = operatorSet.key();
        require(_curveTypes[setKey] == CurveType.BN254, InvalidCurveType());
        bytes memory keyData = _keys[setKey][operator];
        if (keyData.length != 0) (g1Point, g2Point) = abi.decode(keyData, (G1Point, G2Point));
    }

    function getKeyHash(OperatorSet memory operatorSet, address operator) public view returns (bytes32) {
        bytes memory keyData = _keys[operatorSet.key()][operator];
        if (keyData.length == 0) return bytes32(0);
        if (keyData.length == ECDSA_KEY_BYTES) return keccak256(keyData);
        (G1Point memory g1Point,) = abi.decode(keyData, (G1Point, G2Point));
        return _hashG1(g1Point);
    }

    function isKeyGloballyRegistered(bytes32 keyHash) public view returns (bool) {
        return _owners[keyHash] != address(0);
    }

    function getOperatorFromSigningKey(OperatorSet memory operatorSet, bytes memory keyData)
        external
        view
        returns (address operator, bool status)
    {
        bytes32 keyHash = keccak256(keyData);
        operator = _owners[keyHash];
        status = operator != address(0) && getKeyHash(operatorSet, operator) == keyHash;
    }

    function getECDSAKeyRegistrationMessageHash(address operator, OperatorSet memory operatorSet, address keyAddress)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(ECDSA_KEY_TYPEHASH, operator, operatorSet.avs, operatorSet.id, keyAddress)));
    }

    function getBN254KeyRegistrationMessageHash(address operator, OperatorSet memory operatorSet, bytes calldata keyData)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(BN254_KEY_TYPEHASH, operator, operatorSet.avs, operatorSet.id, keccak256(keyData))));
    }

    function encodeBN254KeyData(G1Point memory g1Point, G2Point memory g2Point) external pure returns (bytes memory) {
        return abi.encode(g1Point, g2Point);
    }

    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _checkECDSAKey(address operator, OperatorSet memory operatorSet, bytes calldata pubkey, bytes calldata signature)
        private
        view
        returns (bytes32 keyHash)
    {
        require(pubkey.length == ECDSA_KEY_BYTES, InvalidKeyFormat());
        // Exactly 20 bytes, as was just checked.
        // forge-lint: disable-next-line(unsafe-typecast)
        address keyAddress = address(bytes20(pubkey));
        require(keyAddress != address(0), ZeroPubkey());
        bytes32 digest = getECDSAKeyRegistrationMessageHash(operator, operatorSet, keyAddress);
        require(SignatureChecker.isValidSignatureNow(keyAddress, digest, signature), InvalidSignature());
        return keccak256(pubkey);
    }

    function _checkBN254Key(address operator, OperatorSet memory operatorSet, bytes calldata pubkey, bytes calldata signature)
        private
        view
        returns (bytes32 keyHash)
    {
        require(pubkey.length == BN254_KEY_BYTES, InvalidKeyFormat());
        (G1Point memory g1Point, G2Point memory g2Point) = abi.decode(pubkey, (G1Point, G2Point));
        require(g1Point.X != 0 || g1Point.Y != 0, ZeroPubkey());
        require(signature.length == BN254_SIGNATURE_BYTES, InvalidSignature());
        bytes32 digest = getBN254KeyRegistrationMessageHash(operator, operatorSet, pubkey);
        (, bool valid) = Bn254Signature.check(digest, g1Point, g2Point, abi.decode(signature, (G1Point)));
        require(valid, InvalidSignature());
        return _hashG1(g1Point);
    }

    function _hashG1(G1Point memory g1Point) private pure returns (bytes32) {
        return keccak256(abi.encode(g1Point.X, g1Point.Y));
    }
}
