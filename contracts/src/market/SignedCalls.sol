// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712Upgradeable } from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";
import { NoncesKeyedUpgradeable } from "@openzeppelin/contracts-upgradeable/utils/NoncesKeyedUpgradeable.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { IComputeLease, LeaseUpdate } from "./IComputeLease.sol";
import { IEscrow } from "./IEscrow.sol";
import { IOrderRequest } from "./IOrderRequest.sol";
import { ISignedCalls } from "./ISignedCalls.sol";
import { OrderSpec } from "./MarketTypes.sol";

/// @title The tenant's calls by signature, forwarded to the market with the tenant appended.
/// @dev OrderRequest, ComputeLease and Escrow believe this contract about who calls, so whoever may replace its code can act for every
/// account. It forwards the calls below and no others, only to these three, and only with a signature over every field. A signature that a
/// contract account has approved stays valid until its nonce is used, its deadline passes, or the account withdraws its approval.
contract SignedCalls is ISignedCalls, MarketModule, EIP712Upgradeable, NoncesKeyedUpgradeable {
    using Address for address;

    string private constant AUTHORIZATION_FIELDS = "address tenant,uint256 nonce,uint256 deadline)";
    string private constant ORDER_SPEC_TYPE = "OrderSpec(uint16 milliGpu,uint24 cpuMilli,uint24 memoryMib,uint24 storageGib,uint16[] models,"
        "uint16[] regions,uint16[] regionsExcluded,uint24[] providersWanted,uint24[] providersExcluded,uint8 tiers,uint64 attributes,"
        "bool regionRequired,uint16 minUptimeBps,uint16 minReputationBps,uint8 maxSlashes,uint16 tokenId,uint40 maxPriceMicroPerHour,"
        "uint24 durationMinutes)";
    string private constant LEASE_UPDATE_TYPE = "LeaseUpdate(uint16 milliGpu,uint24 cpuMilli,uint24 memoryMib,uint24 storageGib,"
        "uint40 maxPriceMicroPerHour,bytes32 manifestHash)";

    bytes32 private immutable _ORDER_SPEC_TYPEHASH = keccak256(bytes(ORDER_SPEC_TYPE));
    bytes32 private immutable _LEASE_UPDATE_TYPEHASH = keccak256(bytes(LEASE_UPDATE_TYPE));
    bytes32 private immutable _CREATE_ORDER_TYPEHASH =
        keccak256(bytes(string.concat("CreateOrder(OrderSpec spec,uint32 expiresAt,", AUTHORIZATION_FIELDS, ORDER_SPEC_TYPE)));
    bytes32 private immutable _REPLACE_ORDER_TYPEHASH = keccak256(
        bytes(string.concat("ReplaceOrder(uint32 orderId,OrderSpec spec,uint32 expiresAt,", AUTHORIZATION_FIELDS, ORDER_SPEC_TYPE))
    );
    bytes32 private immutable _CANCEL_ORDER_TYPEHASH = keccak256(bytes(string.concat("CancelOrder(uint32 orderId,", AUTHORIZATION_FIELDS)));
    bytes32 private immutable _ANNOUNCE_MANIFEST_TYPEHASH =
        keccak256(bytes(string.concat("AnnounceManifest(uint32 orderId,bytes32 manifestHash,", AUTHORIZATION_FIELDS)));
    bytes32 private immutable _REQUEST_UPDATE_TYPEHASH =
        keccak256(bytes(string.concat("RequestUpdate(uint32 orderId,LeaseUpdate update,", AUTHORIZATION_FIELDS, LEASE_UPDATE_TYPE)));
    bytes32 private immutable _CANCEL_UPDATE_TYPEHASH =
        keccak256(bytes(string.concat("CancelUpdate(uint32 orderId,", AUTHORIZATION_FIELDS)));
    bytes32 private immutable _RENEW_LEASE_TYPEHASH =
        keccak256(bytes(string.concat("RenewLease(uint32 orderId,uint24 durationMinutes,", AUTHORIZATION_FIELDS)));
    bytes32 private immutable _TOP_UP_TYPEHASH =
        keccak256(bytes(string.concat("TopUp(uint32 orderId,uint24 addedMinutes,", AUTHORIZATION_FIELDS)));
    bytes32 private immutable _CLOSE_LEASE_TYPEHASH = keccak256(bytes(string.concat("CloseLease(uint32 orderId,", AUTHORIZATION_FIELDS)));
    bytes32 private immutable _DEPOSIT_TYPEHASH =
        keccak256(bytes(string.concat("Deposit(uint16 tokenId,uint256 amount,", AUTHORIZATION_FIELDS)));
    bytes32 private immutable _WITHDRAW_TYPEHASH =
        keccak256(bytes(string.concat("Withdraw(uint16 tokenId,uint256 amount,", AUTHORIZATION_FIELDS)));
    bytes32 private immutable _CHOOSE_SPONSOR_TYPEHASH =
        keccak256(bytes(string.concat("ChooseSponsor(address sponsor,", AUTHORIZATION_FIELDS)));

    address private immutable _ORDER_REQUEST;
    address private immutable _COMPUTE_LEASE;
    address private immutable _ESCROW;

    constructor(MarketContracts memory market) {
        _ORDER_REQUEST = market.orderRequest;
        _COMPUTE_LEASE = market.computeLease;
        _ESCROW = market.escrow;
    }

    function initialize(address authority) external initializer {
        __AccessManaged_init(authority);
        __EIP712_init("Matchmaker", "1");
    }

    // ---- orders

    /// @inheritdoc ISignedCalls
    function createOrder(OrderSpec calldata spec, uint32 expiresAt, Authorization calldata authorization)
        external
        returns (uint32 orderId)
    {
        _authorize(abi.encode(_CREATE_ORDER_TYPEHASH, _hashSpec(spec), expiresAt), authorization);
        bytes memory result = _forward(_ORDER_REQUEST, abi.encodeCall(IOrderRequest.createOrder, (spec, expiresAt)), authorization.tenant);
        return abi.decode(result, (uint32));
    }

    /// @inheritdoc ISignedCalls
    function replaceOrder(uint32 orderId, OrderSpec calldata spec, uint32 expiresAt, Authorization calldata authorization)
        external
        returns (uint32 newOrderId)
    {
        _authorize(abi.encode(_REPLACE_ORDER_TYPEHASH, orderId, _hashSpec(spec), expiresAt), authorization);
        bytes memory call = abi.encodeCall(IOrderRequest.replaceOrder, (orderId, spec, expiresAt));
        return abi.decode(_forward(_ORDER_REQUEST, call, authorization.tenant), (uint32));
    }

    /// @inheritdoc ISignedCalls
    function cancelOrder(uint32 orderId, Authorization calldata authorization) external {
        _authorize(abi.encode(_CANCEL_ORDER_TYPEHASH, orderId), authorization);
        _forward(_ORDER_REQUEST, abi.encodeCall(IOrderRequest.cancel, (orderId)), authorization.tenant);
    }

    // ---- leases

    /// @inheritdoc ISignedCalls
    function announceManifest(uint32 orderId, bytes32 manifestHash, Authorization calldata authorization) external {
        _authorize(abi.encode(_ANNOUNCE_MANIFEST_TYPEHASH, orderId, manifestHash), authorization);
        _forward(_COMPUTE_LEASE, abi.encodeCall(IComputeLease.announceManifest, (orderId, manifestHash)), authorization.tenant);
    }

    /// @inheritdoc ISignedCalls
    function requestUpdate(uint32 orderId, LeaseUpdate calldata update, Authorization calldata authorization) external {
        bytes32 updateHash = keccak256(abi.encode(_LEASE_UPDATE_TYPEHASH, update));
        _authorize(abi.encode(_REQUEST_UPDATE_TYPEHASH, orderId, updateHash), authorization);
        _forward(_COMPUTE_LEASE, abi.encodeCall(IComputeLease.requestUpdate, (orderId, update)), authorization.tenant);
    }

    /// @inheritdoc ISignedCalls
    function cancelUpdate(uint32 orderId, Authorization calldata authorization) external {
        _authorize(abi.encode(_CANCEL_UPDATE_TYPEHASH, orderId), authorization);
        _forward(_COMPUTE_LEASE, abi.encodeCall(IComputeLease.cancelUpdate, (orderId)), authorization.tenant);
    }

    /// @inheritdoc ISignedCalls
    function renewLease(uint32 orderId, uint24 durationMinutes, Authorization calldata authorization) external {
        _authorize(abi.encode(_RENEW_LEASE_TYPEHASH, orderId, durationMinutes), authorization);
        _forward(_COMPUTE_LEASE, abi.encodeCall(IComputeLease.renewLease, (orderId, durationMinutes)), authorization.tenant);
    }

    /// @inheritdoc ISignedCalls
    function topUp(uint32 orderId, uint24 addedMinutes, Authorization calldata authorization) external {
        _authorize(abi.encode(_TOP_UP_TYPEHASH, orderId, addedMinutes), authorization);
        _forward(_COMPUTE_LEASE, abi.encodeCall(IComputeLease.topUp, (orderId, addedMinutes)), authorization.tenant);
    }

    /// @inheritdoc ISignedCalls
    function closeLease(uint32 orderId, Authorization calldata authorization) external {
        _authorize(abi.encode(_CLOSE_LEASE_TYPEHASH, orderId), authorization);
        _forward(_COMPUTE_LEASE, abi.encodeCall(IComputeLease.closeLease, (orderId)), authorization.tenant);
    }

    // ---- money

    /// @inheritdoc ISignedCalls
    function deposit(uint16 tokenId, uint256 amount, Authorization calldata authorization) external {
        _authorize(abi.encode(_DEPOSIT_TYPEHASH, tokenId, amount), authorization);
        _forward(_ESCROW, abi.encodeCall(IEscrow.deposit, (tokenId, amount)), authorization.tenant);
    }

    /// @inheritdoc ISignedCalls
    function withdraw(uint16 tokenId, uint256 amount, Authorization calldata authorization) external {
        _authorize(abi.encode(_WITHDRAW_TYPEHASH, tokenId, amount), authorization);
        _forward(_ESCROW, abi.encodeCall(IEscrow.withdraw, (tokenId, amount)), authorization.tenant);
    }

    /// @inheritdoc ISignedCalls
    function chooseSponsor(address sponsor, Authorization calldata authorization) external {
        _authorize(abi.encode(_CHOOSE_SPONSOR_TYPEHASH, sponsor), authorization);
        _forward(_ESCROW, abi.encodeCall(IEscrow.chooseSponsor, (sponsor)), authorization.tenant);
    }

    /// @inheritdoc ISignedCalls
    function nonces(address tenant, uint192 key) public view override(ISignedCalls, NoncesKeyedUpgradeable) returns (uint256) {
        return super.nonces(tenant, key);
    }

    /// Checks deadline and signature of the struct whose encoding begins with `encodedCall`, and uses its nonce up.
    function _authorize(bytes memory encodedCall, Authorization calldata authorization) private {
        if (block.timestamp > authorization.deadline) revert SignatureExpired(authorization.deadline);
        bytes32 structHash =
            keccak256(bytes.concat(encodedCall, abi.encode(authorization.tenant, authorization.nonce, authorization.deadline)));
        bytes32 digest = _hashTypedDataV4(structHash);
        if (!SignatureChecker.isValidSignatureNowCalldata(authorization.tenant, digest, authorization.signature)) {
            revert InvalidSignature(authorization.tenant);
        }
        _useCheckedNonce(authorization.tenant, authorization.nonce);
    }

    /// Calls as ERC-2771 has it; what the market reverts with reaches the caller as it is.
    function _forward(address target, bytes memory call, address tenant) private returns (bytes memory) {
        return target.functionCall(bytes.concat(call, bytes20(tenant)));
    }

    function _hashSpec(OrderSpec calldata spec) private view returns (bytes32) {
        bytes memory resources = abi.encode(_ORDER_SPEC_TYPEHASH, spec.milliGpu, spec.cpuMilli, spec.memoryMib, spec.storageGib);
        // Elements of an array are padded to words here as EIP-712 wants them.
        bytes memory places = abi.encode(
            keccak256(abi.encodePacked(spec.models)),
            keccak256(abi.encodePacked(spec.regions)),
            keccak256(abi.encodePacked(spec.regionsExcluded)),
            keccak256(abi.encodePacked(spec.providersWanted)),
            keccak256(abi.encodePacked(spec.providersExcluded))
        );
        bytes memory standing = abi.encode(
            spec.tiers, spec.attributes, spec.regionRequired, spec.minUptimeBps, spec.minReputationBps, spec.maxSlashes, spec.tokenId
        );
        return keccak256(bytes.concat(resources, places, standing, abi.encode(spec.maxPriceMicroPerHour, spec.durationMinutes)));
    }
}
