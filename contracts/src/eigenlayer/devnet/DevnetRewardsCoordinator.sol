// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IAllocationManager } from "../IAllocationManager.sol";
import { IDelegationManager } from "../IDelegationManager.sol";
import { IPermissionController } from "../IPermissionController.sol";
import { IRewardsCoordinator } from "../IRewardsCoordinator.sol";
import { IStrategyManager } from "../IStrategyManager.sol";
import { OperatorSets } from "../OperatorSets.sol";
import {
    OperatorSet,
    StrategyAndMultiplier,
    OperatorReward,
    OperatorDirectedRewardsSubmission,
    EarnerTreeMerkleLeaf,
    TokenTreeMerkleLeaf,
    RewardsMerkleClaim,
    DistributionRoot
} from "../EigenTypes.sol";
import { DevnetPermissioned } from "./DevnetPermissioned.sol";
import { EigenMerkle } from "./EigenMerkle.sol";

/// @title Takes operator-directed rewards and pays claims against roots of its rewards updater, for a chain that has no EigenLayer.
/// @dev The updater is trusted: a root may name anything, and whatever tokens are here pay it. Takes no protocol fee.
contract DevnetRewardsCoordinator is IRewardsCoordinator, DevnetPermissioned, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;
    using OperatorSets for OperatorSet;

    /// @param calculationInterval Seconds; periods begin and last a multiple of it.
    /// @param maxRetroactiveLength Seconds that a period may begin before its submission.
    /// @param genesisTimestamp No period begins before.
    /// @param activationDelay Seconds between a root or a split and its use.
    struct Parameters {
        address rewardsUpdater;
        uint32 calculationInterval;
        uint32 maxRewardsDuration;
        uint32 maxRetroactiveLength;
        uint32 maxFutureLength;
        uint32 genesisTimestamp;
        uint32 activationDelay;
        uint16 defaultOperatorSplitBips;
    }

    /// @dev `next` counts from `activatedAt` on; both are 0 for an operator that never set one.
    struct Split {
        uint16 current;
        uint16 next;
        uint32 activatedAt;
    }

    address private constant BEACON_CHAIN_ETH = 0xbeaC0eeEeeeeEEeEeEEEEeeEEeEeeeEeeEEBEaC0;
    uint16 private constant ONE_HUNDRED_IN_BIPS = 10_000;
    uint256 private constant MAX_REWARDS_AMOUNT = 1e38 - 1;
    /// @dev Keep leaves apart from inner nodes and from each other.
    bytes1 private constant EARNER_LEAF_SALT = 0x00;
    bytes1 private constant TOKEN_LEAF_SALT = 0x01;

    IAllocationManager public immutable allocationManager;
    IDelegationManager public immutable delegationManager;
    IStrategyManager public immutable strategyManager;
    address public immutable rewardsUpdater;
    uint32 public immutable CALCULATION_INTERVAL_SECONDS;
    uint32 public immutable MAX_REWARDS_DURATION;
    uint32 public immutable MAX_RETROACTIVE_LENGTH;
    uint32 public immutable MAX_FUTURE_LENGTH;
    uint32 public immutable GENESIS_REWARDS_TIMESTAMP;
    uint32 public immutable activationDelay;
    uint16 public immutable defaultOperatorSplitBips;

    uint32 public currRewardsCalculationEndTimestamp;
    DistributionRoot[] private _roots;
    mapping(address earner => address) public claimerFor;
    mapping(address earner => mapping(IERC20 token => uint256)) public cumulativeClaimed;
    mapping(address avs => uint256) public submissionNonce;
    mapping(address avs => mapping(bytes32 submissionHash => bool)) public isOperatorDirectedOperatorSetRewardsSubmissionHash;
    mapping(address operator => mapping(bytes32 setKey => Split)) private _splits;

    constructor(
        IAllocationManager allocationManager_,
        IDelegationManager delegationManager_,
        IStrategyManager strategyManager_,
        IPermissionController permissionController_,
        Parameters memory parameters
    ) DevnetPermissioned(permissionController_) {
        allocationManager = allocationManager_;
        delegationManager = delegationManager_;
        strategyManager = strategyManager_;
        rewardsUpdater = parameters.rewardsUpdater;
        CALCULATION_INTERVAL_SECONDS = parameters.calculationInterval;
        MAX_REWARDS_DURATION = parameters.maxRewardsDuration;
        MAX_RETROACTIVE_LENGTH = parameters.maxRetroactiveLength;
        MAX_FUTURE_LENGTH = parameters.maxFutureLength;
        GENESIS_REWARDS_TIMESTAMP = parameters.genesisTimestamp;
        activationDelay = parameters.activationDelay;
        defaultOperatorSplitBips = parameters.defaultOperatorSplitBips;
    }

    modifier onlyRewardsUpdater() {
        require(msg.sender == rewardsUpdater, UnauthorizedCaller());
        _;
    }

    // ------------------------------------------------------------------ AVS

    function createOperatorDirectedOperatorSetRewardsSubmission(
        OperatorSet calldata operatorSet,
        OperatorDirectedRewardsSubmission[] calldata operatorDirectedRewardsSubmissions
    ) external nonReentrant {
        require(_mayActFor(operatorSet.avs), InvalidPermissions());
        require(allocationManager.isOperatorSet(operatorSet), InvalidOperatorSet());
        for (uint256 i; i < operatorDirectedRewardsSubmissions.length; ++i) {
            OperatorDirectedRewardsSubmission calldata submission = operatorDirectedRewardsSubmissions[i];
            uint256 total = _checkSubmission(submission);
            uint256 nonce = submissionNonce[operatorSet.avs]++;
            bytes32 submissionHash = keccak256(abi.encode(operatorSet.avs, nonce, submission));
            isOperatorDirectedOperatorSetRewardsSubmissionHash[operatorSet.avs][submissionHash] = true;
            emit OperatorDirectedOperatorSetRewardsSubmissionCreated(msg.sender, submissionHash, operatorSet, nonce, submission);
            submission.token.safeTransferFrom(msg.sender, address(this), total);
        }
    }

    // ------------------------------------------------------------------ operators and other earners

    function setOperatorSetSplit(address operator, OperatorSet calldata operatorSet, uint16 split) external {
        require(_mayActFor(operator), InvalidPermissions());
        require(allocationManager.isOperatorSet(operatorSet), InvalidOperatorSet());
        require(split <= ONE_HUNDRED_IN_BIPS, SplitExceedsMax());
        bytes32 setKey = operatorSet.key();
        require(block.timestamp > _splits[operator][setKey].activatedAt, PreviousSplitPending());
        uint16 current = getOperatorSetSplit(operator, operatorSet);
        uint32 activatedAt = block.timestamp.toUint32() + activationDelay;
        _splits[operator][setKey] = Split(current, split, activatedAt);
        emit OperatorSetSplitBipsSet(msg.sender, operator, operatorSet, activatedAt, current, split);
    }

    function setClaimerFor(address claimer) external {
        _setClaimer(msg.sender, claimer);
    }

    function setClaimerFor(address earner, address claimer) external {
        require(_mayActFor(earner), InvalidPermissions());
        require(delegationManager.isOperator(earner) || allocationManager.getOperatorSetCount(earner) != 0, InvalidEarner());
        _setClaimer(earner, claimer);
    }

    function processClaim(RewardsMerkleClaim calldata claim, address recipient) external nonReentrant {
        _processClaim(claim, recipient);
    }

    function processClaims(RewardsMerkleClaim[] calldata claims, address recipient) external nonReentrant {
        for (uint256 i; i < claims.length; ++i) {
            _processClaim(claims[i], recipient);
        }
    }

    // ------------------------------------------------------------------ the rewards updater

    function submitRoot(bytes32 root, uint32 rewardsCalculationEndTimestamp) external onlyRewardsUpdater {
        require(rewardsCalculationEndTimestamp > currRewardsCalculationEndTimestamp, NewRootMustBeForNewCalculatedPeriod());
        require(rewardsCalculationEndTimestamp < block.timestamp, RewardsEndTimestampNotElapsed());
        uint32 rootIndex = _roots.length.toUint32();
        uint32 activatedAt = block.timestamp.toUint32() + activationDelay;
        currRewardsCalculationEndTimestamp = rewardsCalculationEndTimestamp;
        _roots.push(DistributionRoot(root, rewardsCalculationEndTimestamp, activatedAt, false));
        emit DistributionRootSubmitted(rootIndex, root, rewardsCalculationEndTimestamp, activatedAt);
    }

    function disableRoot(uint32 rootIndex) external onlyRewardsUpdater {
        require(rootIndex < _roots.length, InvalidRootIndex());
        DistributionRoot storage root = _roots[rootIndex];
        require(!root.disabled, RootDisabled());
        require(block.timestamp < root.activatedAt, RootAlreadyActivated());
        root.disabled = true;
        emit DistributionRootDisabled(rootIndex);
    }

    // ------------------------------------------------------------------ views

    function checkClaim(RewardsMerkleClaim calldata claim) public view returns (bool) {
        DistributionRoot memory root = _roots[claim.rootIndex];
        require(!root.disabled, RootDisabled());
        require(block.timestamp >= root.activatedAt, RootNotActivated());
        require(claim.tokenIndices.length == claim.tokenTreeProofs.length, InputArrayLengthMismatch());
        require(claim.tokenTreeProofs.length == claim.tokenLeaves.length, InputArrayLengthMismatch());

        require(_isIndex(claim.earnerIndex, claim.earnerTreeProof), InvalidEarnerLeafIndex());
        bytes32 earnerLeaf = calculateEarnerLeafHash(claim.earnerLeaf);
        require(EigenMerkle.isIncluded(claim.earnerTreeProof, root.root, earnerLeaf, claim.earnerIndex), InvalidClaimProof());
        for (uint256 i; i < claim.tokenIndices.length; ++i) {
            bytes calldata proof = claim.tokenTreeProofs[i];
            require(_isIndex(claim.tokenIndices[i], proof), InvalidTokenLeafIndex());
            bytes32 tokenLeaf = calculateTokenLeafHash(claim.tokenLeaves[i]);
            bool proven = EigenMerkle.isIncluded(proof, claim.earnerLeaf.earnerTokenRoot, tokenLeaf, claim.tokenIndices[i]);
            require(proven, InvalidClaimProof());
        }
        return true;
    }

    function getCurrentClaimableDistributionRoot() external view returns (DistributionRoot memory root) {
        for (uint256 i = _roots.length; i > 0; --i) {
            root = _roots[i - 1];
            if (!root.disabled && block.timestamp >= root.activatedAt) return root;
        }
        return DistributionRoot(bytes32(0), 0, 0, false);
    }

    function getCurrentDistributionRoot() external view returns (DistributionRoot memory) {
        return _roots[_roots.length - 1];
    }

    function getDistributionRootAtIndex(uint256 index) external view returns (DistributionRoot memory) {
        return _roots[index];
    }

    function getDistributionRootsLength() external view returns (uint256) {
        return _roots.length;
    }

    function getRootIndexFromHash(bytes32 rootHash) external view returns (uint32) {
        for (uint256 i = _roots.length; i > 0; --i) {
            if (_roots[i - 1].root == rootHash) return (i - 1).toUint32();
        }
        revert InvalidRoot();
    }

    function getOperatorSetSplit(address operator, OperatorSet calldata operatorSet) public view returns (uint16) {
        Split memory split = _splits[operator][operatorSet.key()];
        if (split.activatedAt == 0) return defaultOperatorSplitBips;
        return block.timestamp >= split.activatedAt ? split.next : split.current;
    }

    function calculateEarnerLeafHash(EarnerTreeMerkleLeaf calldata leaf) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(EARNER_LEAF_SALT, leaf.earner, leaf.earnerTokenRoot));
    }

    function calculateTokenLeafHash(TokenTreeMerkleLeaf calldata leaf) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(TOKEN_LEAF_SALT, leaf.token, leaf.cumulativeEarnings));
    }

    // ------------------------------------------------------------------ internals

    /// @return total Of the token, for all operators.
    function _checkSubmission(OperatorDirectedRewardsSubmission calldata submission) private view returns (uint256 total) {
        _checkPeriod(submission.startTimestamp, submission.duration);
        _checkStrategies(submission.strategiesAndMultipliers);
        require(submission.operatorRewards.length != 0, InputArrayLengthZero());
        address last;
        for (uint256 i; i < submission.operatorRewards.length; ++i) {
            OperatorReward calldata reward = submission.operatorRewards[i];
            require(reward.operator != address(0), InputAddressZero());
            require(reward.operator > last, OperatorsNotInAscendingOrder());
            require(reward.amount != 0, AmountIsZero());
            // Checked within the loop, so that no sum overflows.
            require(reward.amount <= MAX_REWARDS_AMOUNT - total, AmountExceedsMax());
            last = reward.operator;
            total += reward.amount;
        }
        require(uint256(submission.startTimestamp) + submission.duration < block.timestamp, SubmissionNotRetroactive());
    }

    function _checkPeriod(uint32 startTimestamp, uint32 duration) private view {
        require(duration != 0, DurationIsZero());
        require(duration <= MAX_REWARDS_DURATION, DurationExceedsMax());
        require(duration % CALCULATION_INTERVAL_SECONDS == 0, InvalidDurationRemainder());
        require(startTimestamp % CALCULATION_INTERVAL_SECONDS == 0, InvalidStartTimestampRemainder());
        bool recent = uint256(startTimestamp) + MAX_RETROACTIVE_LENGTH >= block.timestamp;
        require(recent && startTimestamp >= GENESIS_REWARDS_TIMESTAMP, StartTimestampTooFarInPast());
    }

    function _checkStrategies(StrategyAndMultiplier[] calldata strategies) private view {
        require(strategies.length != 0, InputArrayLengthZero());
        address last;
        for (uint256 i; i < strategies.length; ++i) {
            address strategy = address(strategies[i].strategy);
            bool known = strategy == BEACON_CHAIN_ETH || strategyManager.strategyIsWhitelistedForDeposit(strategies[i].strategy);
            require(known, StrategyNotWhitelisted());
            require(strategy > last, StrategiesNotInAscendingOrder());
            last = strategy;
        }
    }

    function _setClaimer(address earner, address claimer) private {
        emit ClaimerForSet(earner, claimerFor[earner], claimer);
        claimerFor[earner] = claimer;
    }

    function _processClaim(RewardsMerkleClaim calldata claim, address recipient) private {
        checkClaim(claim);
        address earner = claim.earnerLeaf.earner;
        address claimer = claimerFor[earner];
        if (claimer == address(0)) claimer = earner;
        require(msg.sender == claimer, UnauthorizedCaller());
        for (uint256 i; i < claim.tokenLeaves.length; ++i) {
            TokenTreeMerkleLeaf calldata leaf = claim.tokenLeaves[i];
            uint256 claimed = cumulativeClaimed[earner][leaf.token];
            require(leaf.cumulativeEarnings > claimed, EarningsNotGreaterThanClaimed());
            cumulativeClaimed[earner][leaf.token] = leaf.cumulativeEarnings;
            uint256 amount = leaf.cumulativeEarnings - claimed;
            emit RewardsClaimed(_roots[claim.rootIndex].root, earner, claimer, recipient, leaf.token, amount);
            leaf.token.safeTransfer(recipient, amount);
        }
    }

    /// @dev Whether the tree that the proof is from has a leaf of this index.
    function _isIndex(uint32 index, bytes calldata proof) private pure returns (bool) {
        return proof.length >= 32 * 32 || index < uint256(1) << (proof.length / 32);
    }
}
