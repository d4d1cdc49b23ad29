// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {
    OperatorSet,
    OperatorDirectedRewardsSubmission,
    RewardsMerkleClaim,
    DistributionRoot,
    EarnerTreeMerkleLeaf,
    TokenTreeMerkleLeaf
} from "./EigenTypes.sol";

/// @title EigenLayer's rewards coordinator: takes rewards of AVSs and pays them out against roots that are computed off-chain.
/// @dev Claims are cumulative: a leaf names what an earner earned since the beginning, and the difference to what it claimed is paid.
interface IRewardsCoordinator {
    event OperatorDirectedOperatorSetRewardsSubmissionCreated(
        address indexed caller,
        bytes32 indexed operatorDirectedRewardsSubmissionHash,
        OperatorSet operatorSet,
        uint256 submissionNonce,
        OperatorDirectedRewardsSubmission operatorDirectedRewardsSubmission
    );
    event OperatorSetSplitBipsSet(
        address indexed caller,
        address indexed operator,
        OperatorSet operatorSet,
        uint32 activatedAt,
        uint16 oldOperatorSetSplitBips,
        uint16 newOperatorSetSplitBips
    );
    event ClaimerForSet(address indexed earner, address indexed oldClaimer, address indexed claimer);
    event DistributionRootSubmitted(
        uint32 indexed rootIndex, bytes32 indexed root, uint32 indexed rewardsCalculationEndTimestamp, uint32 activatedAt
    );
    event DistributionRootDisabled(uint32 indexed rootIndex);
    event RewardsClaimed(
        bytes32 root, address indexed earner, address indexed claimer, address indexed recipient, IERC20 token, uint256 claimedAmount
    );

    error InvalidPermissions();
    error InputAddressZero();
    error InputArrayLengthZero();
    error InputArrayLengthMismatch();
    error InvalidOperatorSet();
    error StrategiesNotInAscendingOrder();
    error OperatorsNotInAscendingOrder();
    error SubmissionNotRetroactive();
    error AmountIsZero();
    error AmountExceedsMax();
    error StrategyNotWhitelisted();
    error DurationExceedsMax();
    error DurationIsZero();
    error InvalidDurationRemainder();
    error InvalidStartTimestampRemainder();
    error StartTimestampTooFarInPast();
    error StartTimestampTooFarInFuture();
    error UnauthorizedCaller();
    error InvalidEarner();
    error SplitExceedsMax();
    error PreviousSplitPending();
    error EarningsNotGreaterThanClaimed();
    error RootDisabled();
    error RootNotActivated();
    error RootAlreadyActivated();
    error InvalidRoot();
    error InvalidRootIndex();
    error InvalidClaimProof();
    error InvalidEarnerLeafIndex();
    error InvalidTokenLeafIndex();
    error NewRootMustBeForNewCalculatedPeriod();
    error RewardsEndTimestampNotElapsed();

    /// @notice Pays operators of a set and their stakers for a past period; takes the sum of all amounts from the caller.
    function createOperatorDirectedOperatorSetRewardsSubmission(
        OperatorSet calldata operatorSet,
        OperatorDirectedRewardsSubmission[] calldata operatorDirectedRewardsSubmissions
    ) external;
    /// @param split The operator's share of its rewards from the set, basis points; counts after `activationDelay`.
    function setOperatorSetSplit(address operator, OperatorSet calldata operatorSet, uint16 split) external;
    /// @notice Names who may claim for the caller.
    function setClaimerFor(address claimer) external;
    /// @notice Names who may claim for an operator or an AVS; by it or whoever may act for it.
    function setClaimerFor(address earner, address claimer) external;
    /// @param claim By the earner's claimer, who is the earner itself if none is named.
    function processClaim(RewardsMerkleClaim calldata claim, address recipient) external;
    function processClaims(RewardsMerkleClaim[] calldata claims, address recipient) external;
    /// @param root Of earners' leaves; only the rewards updater, who computes it off-chain.
    /// @param rewardsCalculationEndTimestamp Seconds, in the past and after the last root's.
    function submitRoot(bytes32 root, uint32 rewardsCalculationEndTimestamp) external;
    /// @notice Takes back a root that is not active yet; only the rewards updater.
    function disableRoot(uint32 rootIndex) external;

    /// @return True; reverts with the reason if the claim does not hold.
    function checkClaim(RewardsMerkleClaim calldata claim) external view returns (bool);
    /// @return The newest root that is active and not disabled; zeros if there is none.
    function getCurrentClaimableDistributionRoot() external view returns (DistributionRoot memory);
    function getCurrentDistributionRoot() external view returns (DistributionRoot memory);
    function getDistributionRootAtIndex(uint256 index) external view returns (DistributionRoot memory);
    function getDistributionRootsLength() external view returns (uint256);
    function getRootIndexFromHash(bytes32 rootHash) external view returns (uint32);
    /// @return Basis points.
    function getOperatorSetSplit(address operator, OperatorSet calldata operatorSet) external view returns (uint16);
    function defaultOperatorSplitBips() external view returns (uint16);
    /// @return Zero if the earner claims for itself.
    function claimerFor(address earner) external view returns (address);
    function cumulativeClaimed(address earner, IERC20 token) external view returns (uint256);
    function submissionNonce(address submitter) external view returns (uint256);
    function rewardsUpdater() external view returns (address);
    /// @return Seconds between a root's submission and the first claim against it.
    function activationDelay() external view returns (uint32);
    function currRewardsCalculationEndTimestamp() external view returns (uint32);
    function calculateEarnerLeafHash(EarnerTreeMerkleLeaf calldata leaf) external pure returns (bytes32);
    function calculateTokenLeafHash(TokenTreeMerkleLeaf calldata leaf) external pure returns (bytes32);
    /// @return Seconds; periods begin and last a multiple of it.
    function CALCULATION_INTERVAL_SECONDS() external view returns (uint32);
    function MAX_REWARDS_DURATION() external view returns (uint32);
    function MAX_RETROACTIVE_LENGTH() external view returns (uint32);
    function MAX_FUTURE_LENGTH() external view returns (uint32);
    function GENESIS_REWARDS_TIMESTAMP() external view returns (uint32);
}
