// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice How an era's rewards are computed; every number that the sources leave open or contradict is here.
struct RewardTerms {
    /// Points an era for one unit of a resource with multiplier 1, in thousandths: GPU 20 000, CPU 100.
    uint32 gpuPointsMilli;
    uint32 cpuPointsMilli;
    /// Multiplier of trust tier 1..7 in bps: 20000, 17000, 15000, 12000, 11000, 10000, 0.
    uint16[7] tierMultiplierBps;
    /// An era's uptime below this voids its points: 8500, 8000, 7500, 7000, 6500, 6000, 0.
    uint16[7] slashLineBps;
    uint16 complianceCapBps;
    /// Seconds without rewards after a reconnect.
    uint32 cooldownSeconds;
    /// What one point is worth, in micro-USD.
    uint64 pointMicroUsd;
    /// What all operators share an era by participation, in micro-USD.
    uint64 operatorPoolMicroUsd;
    /// Gas of a settlement is refunded up to this price, in wei per gas, and this gas a batch.
    uint64 maxRefundGasPriceWei;
    uint32 maxRefundGas;
    /// No era may add more than this, in token units.
    uint128 maxPerEra;
}

enum RootState {
    None,
    Pending,
    Contested,
    Disabled
}

/// @title Pays rewards: eras are closed on-chain, computed off-chain by a published rule, posted as a Merkle root, contestable until active.
/// @dev Upgradeable. `constructor(MarketContracts, address rewardToken)`, `initialize(address authority, RewardTerms terms, uint32 activationSeconds,
/// uint128 contestBond, address treasury)`. Cumulative leaves: keccak256(bytes.concat(keccak256(abi.encode(uint256 chainId, address rewarder, address earner,
/// uint256 cumulative)))). Only the newest active root pays; claimed amounts never exceed its total, totals never what was funded.
interface IRewarder {
    event Funded(address indexed from, uint256 amount, uint256 totalFunded);
    /// @notice The state at the end of the block that holds this log is what the era is computed from; prices in micro-USD.
    event EraClosed(uint32 indexed era, uint64 blockNumber, uint64 rewardTokenMicroUsd, uint64 nativeMicroUsd, RewardTerms terms);
    event RootProposed(uint32 indexed era, bytes32 root, uint256 cumulativeTotal, uint40 activeAt, bytes32 participationHash, string uri);
    event RootContested(uint32 indexed era, address indexed challenger, uint256 bond, string uri);
    event ContestResolved(uint32 indexed era, address indexed challenger, bool upheld);
    event RootDisabled(uint32 indexed era);
    event RewardClaimed(address indexed earner, address indexed wallet, uint256 amount, uint256 cumulative, uint32 era);
    event RewardWalletUpdated(address indexed earner, address wallet);
    event RewardsForfeited(address indexed earner, uint256 claimed, uint32 untilEra);
    event CreditWithdrawn(address indexed account, uint256 amount);
    event RewardTermsUpdated(RewardTerms terms);
    event DistributionTermsUpdated(uint32 activationSeconds, uint128 contestBond, address treasury);

    error EraNotOver(uint32 era);
    error EraAlreadyClosed(uint32 era);
    error EraNotClosed(uint32 era);
    /// @notice Eras with a root that stands ascend strictly, and while one is pending or contested no later one is proposed.
    error RootNotNewer(uint32 era, uint32 newest);
    error RootStateInvalid(uint32 era, RootState state);
    error RootPending(uint32 era);
    error TotalDecreased(uint256 cumulativeTotal, uint256 before);
    error NotFunded(uint256 cumulativeTotal, uint256 totalFunded);
    error EraCapExceeded(uint256 added, uint256 maximum);
    error RootActive(uint32 era);
    error NoActiveRoot();
    error InvalidProof();
    error NothingToClaim(address earner);
    error EarnerForfeited(address earner, uint32 untilEra);
    error RewardTermsInvalid(string field);
    error InvalidAmount();
    error NotAuthorized(address caller);

    /// @notice Adds reward tokens. Anyone; never returned.
    function fund(uint256 amount) external;
    /// @notice Fixes block and prices of an era that is over; in ascending order, missed ones may be left out. Anyone.
    function closeEra(uint32 era) external;
    /// @notice Only the reward poster's role. `participationHash` = keccak256 of the operators' list that `uri` serves.
    function proposeRoot(uint32 era, bytes32 root, uint256 cumulativeTotal, bytes32 participationHash, string calldata uri) external;
    /// @notice Holds a pending root until the guardian has decided; takes the contest bond in reward tokens. Anyone.
    function contest(uint32 era, string calldata uri) external;
    /// @notice Upheld: the root is disabled and the bond returned; else the bond goes to the treasury and the delay begins anew. Guardian's role.
    function resolve(uint32 era, bool upheld) external;
    /// @notice Only before activation. Guardian's role.
    function disableRoot(uint32 era) external;
    /// @notice Pays `earner` (its reward wallet) what the newest active root gives it beyond what it has had. Anyone.
    function claim(address earner, uint256 cumulative, bytes32[] calldata proof) external returns (uint256 amount);
    function setRewardWallet(address wallet) external;
    /// @notice Only the staking manager: what the earner has not claimed of eras up to now is lost; later roots count from what it has claimed.
    function forfeit(address earner) external;
    /// @notice Only the parameters' role; hold from the next era that is closed.
    function setRewardTerms(RewardTerms calldata terms) external;
    /// @notice Only the parameters' role.
    function setDistributionTerms(uint32 activationSeconds, uint128 contestBond, address treasury) external;
    /// @notice Pays out bonds and forfeits credited to the caller.
    function withdrawCredit() external returns (uint256 amount);

    function totalFunded() external view returns (uint256);
    function totalClaimed() external view returns (uint256);
    function claimedOf(address earner) external view returns (uint256);
    function rewardWalletOf(address earner) external view returns (address);
    function creditOf(address account) external view returns (uint256);
    /// @notice Whether the earner ever forfeited, and the last era that it lost; roots up to it pay it nothing.
    function forfeitOf(address earner) external view returns (bool forfeited, uint32 untilEra);
    function rootOf(uint32 era)
        external
        view
        returns (bytes32 root, uint256 cumulativeTotal, uint40 activeAt, RootState state, address challenger);
    /// @notice Newest root that is past its delay, neither contested nor disabled; 0 for none, and when it is that of era 0.
    function activeEra() external view returns (uint32);
    /// @notice Newest era whose root is not disabled, pending and contested ones included: what the next root builds on.
    function standingRoot() external view returns (bool found, uint32 era);
    function closedEra(uint32 era) external view returns (uint64 blockNumber, uint64 rewardTokenMicroUsd, uint64 nativeMicroUsd);
    function rewardTerms() external view returns (RewardTerms memory);
    function distributionTerms() external view returns (uint32 activationSeconds, uint128 contestBond, address treasury);
    /// @notice Everything the contract owes: funded and not claimed, bonds, credits. Equals its balance for a plain token without donations.
    function liabilities() external view returns (uint256);
    function rewardToken() external view returns (address);
}
