// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
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

/// @notice One slashing: of what the operator now allocates to the set, by strategy in ascending order, `wadsToSlash` out of 1e18 each.
struct SlashingParams {
    address operator;
    uint32 operatorSetId;
    IStrategy[] strategies;
    uint256[] wadsToSlash;
    string description;
}

/// @notice A queued withdrawal as its hash commits to it.
/// @param startBlock Slashable up to and including this block plus the withdrawal delay.
/// @param scaledShares Shares before the operator's slashings: times its maximum magnitude at the end they are what is paid.
struct Withdrawal {
    address staker;
    address delegatedTo;
    address withdrawer;
    uint256 nonce;
    uint32 startBlock;
    IStrategy[] strategies;
    uint256[] scaledShares;
}

struct QueuedWithdrawalParams {
    IStrategy[] strategies;
    uint256[] depositShares;
    address __deprecated_withdrawer;
}

struct StrategyAndMultiplier {
    IStrategy strategy;
    uint96 multiplier;
}

struct OperatorReward {
    address operator;
    uint256 amount;
}

/// @notice Pay for a past period, by operator; each operator's stakers share it by stake in these strategies.
struct OperatorDirectedRewardsSubmission {
    StrategyAndMultiplier[] strategiesAndMultipliers;
    IERC20 token;
    OperatorReward[] operatorRewards;
    uint32 startTimestamp;
    uint32 duration;
    string description;
}

struct EarnerTreeMerkleLeaf {
    address earner;
    bytes32 earnerTokenRoot;
}

struct TokenTreeMerkleLeaf {
    IERC20 token;
    uint256 cumulativeEarnings;
}

/// @notice One earner's claim against one distribution root, for some of its tokens.
struct RewardsMerkleClaim {
    uint32 rootIndex;
    uint32 earnerIndex;
    bytes earnerTreeProof;
    EarnerTreeMerkleLeaf earnerLeaf;
    uint32[] tokenIndices;
    bytes[] tokenTreeProofs;
    TokenTreeMerkleLeaf[] tokenLeaves;
}

struct DistributionRoot {
    bytes32 root;
    uint32 rewardsCalculationEndTimestamp;
    uint32 activatedAt;
    bool disabled;
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
