// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IStrategy } from "./IStrategy.sol";

/// Types of EigenLayer's ABI, declared by us. Field order and widths fix selectors and encodings, so they never change.

/// @notice One operator set of an AVS. Its key is `bytes32(abi.encodePacked(avs, uint96(id)))`.
struct OperatorSet {
    address avs;
    uint32 id;
}

enum CurveType {
    NONE,
    ECDSA,
    BN254
}

struct SignatureWithExpiry {
    bytes signature;
    uint256 expiry;
}

/// @notice A point of BN254's G1, affine; (0, 0) is the point at infinity.
struct G1Point {
    uint256 X;
    uint256 Y;
}

/// @notice A point of BN254's G2; each coordinate is [imaginary, real], as the pairing precompile takes it.
struct G2Point {
    uint256[2] X;
    uint256[2] Y;
}

/// @notice What a new operator set consists of; `slasher` alone may slash it.
struct CreateSetParamsV2 {
    uint32 operatorSetId;
    IStrategy[] strategies;
    address slasher;
}

struct RegisterParams {
    address avs;
    uint32[] operatorSetIds;
    bytes data;
}

struct DeregisterParams {
    address operator;
    address avs;
    uint32[] operatorSetIds;
}

/// @notice Absolute target magnitudes of one operator for one set, by strategy; 1e18 is all of the operator's stake in a strategy.
struct AllocateParams {
    OperatorSet operatorSet;
    IStrategy[] strategies;
    uint64[] newMagnitudes;
}

struct Allocation {
    uint64 currentMagnitude;
    int128 pendingDiff;
    uint32 effectBlock;
}

/// @notice What a table carries to every chain: who owns the set there and for how many seconds its table stays usable (0 = for ever).
struct OperatorSetConfig {
    address owner;
    uint32 maxStalenessPeriod;
}

/// @notice One line of an ECDSA operator table: the signing key's address and its weights.
struct ECDSAOperatorInfo {
    address pubkey;
    uint256[] weights;
}

/// @param messageHash What the operators certify.
/// @param sig Signatures r||s||v of 65 bytes, strictly ascending by recovered address.
struct ECDSACertificate {
    uint32 referenceTimestamp;
    bytes32 messageHash;
    bytes sig;
}

struct BN254OperatorInfo {
    G1Point pubkey;
    uint256[] weights;
}

struct BN254OperatorSetInfo {
    bytes32 operatorInfoTreeRoot;
    uint256 numOperators;
    G1Point aggregatePubkey;
    uint256[] totalWeights;
}

struct BN254OperatorInfoWitness {
    uint32 operatorIndex;
    bytes operatorInfoProof;
    BN254OperatorInfo operatorInfo;
}

struct BN254Certificate {
    uint32 referenceTimestamp;
    bytes32 messageHash;
    G1Point signature;
    G2Point apk;
    BN254OperatorInfoWitness[] nonSignerWitnesses;
}
