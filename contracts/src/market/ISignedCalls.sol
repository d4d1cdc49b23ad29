// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LeaseUpdate } from "./IComputeLease.sol";
import { OrderSpec } from "./MarketTypes.sol";

/// @title The tenant's calls by signature: one EIP-712 type a call, which covers every field, the spec included. Anyone may send them.
/// @dev Upgradeable. `constructor(MarketContracts)`, `initialize(address authority)`. Domain {name "Matchmaker", version "1", chainId,
/// verifyingContract: this contract}. Every type ends in `address tenant, uint256 nonce, uint256 deadline`; `nonce` is keyed (OpenZeppelin
/// NoncesKeyed: 192 bits key, 64 bits sequence), so that independent calls need not wait for each other. Signatures by accounts (65 bytes) and by
/// contracts (ERC-1271). The call goes to the market contract with the tenant appended (ERC-2771); those contracts trust this one alone.
/// Types: CreateOrder(OrderSpec spec,uint32 expiresAt,...) with OrderSpec spelled out, ReplaceOrder(uint32 orderId,OrderSpec spec,
/// uint32 expiresAt,...), CancelOrder(uint32 orderId,...), SelfMatch is not signed, AnnounceManifest(uint32 orderId,bytes32 manifestHash,...),
/// RequestUpdate(uint32 orderId,LeaseUpdate update,...), CancelUpdate(uint32 orderId,...), RenewLease(uint32 orderId,uint24 durationMinutes,...),
/// TopUp(uint32 orderId,uint24 addedMinutes,...), CloseLease(uint32 orderId,...), Deposit(uint16 tokenId,uint256 amount,...),
/// Withdraw(uint16 tokenId,uint256 amount,...), ChooseSponsor(address sponsor,...).
interface ISignedCalls {
    struct Authorization {
        address tenant;
        uint256 nonce;
        uint256 deadline;
        bytes signature;
    }

    error SignatureExpired(uint256 deadline);
    error InvalidSignature(address tenant);

    function createOrder(OrderSpec calldata spec, uint32 expiresAt, Authorization calldata authorization) external returns (uint32 orderId);
    function replaceOrder(uint32 orderId, OrderSpec calldata spec, uint32 expiresAt, Authorization calldata authorization)
        external
        returns (uint32 newOrderId);
    function cancelOrder(uint32 orderId, Authorization calldata authorization) external;
    function announceManifest(uint32 orderId, bytes32 manifestHash, Authorization calldata authorization) external;
    function requestUpdate(uint32 orderId, LeaseUpdate calldata update, Authorization calldata authorization) external;
    function cancelUpdate(uint32 orderId, Authorization calldata authorization) external;
    function renewLease(uint32 orderId, uint24 durationMinutes, Authorization calldata authorization) external;
    function topUp(uint32 orderId, uint24 addedMinutes, Authorization calldata authorization) external;
    function closeLease(uint32 orderId, Authorization calldata authorization) external;
    function deposit(uint16 tokenId, uint256 amount, Authorization calldata authorization) external;
    function withdraw(uint16 tokenId, uint256 amount, Authorization calldata authorization) external;
    function chooseSponsor(address sponsor, Authorization calldata authorization) external;

    function nonces(address tenant, uint192 key) external view returns (uint256);
}
