// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Why a provider is slashed.
enum SlashCause {
    /// Own and delegated stake, what is unbonding, and accrued rewards; the provider is suspended.
    Misconduct,
    /// Own stake only, for downtime of a lease that is active. Refused in Maintenance.
    DowntimeWithLease,
    /// No collateral: only the era's rewards, through the reward oracle. `amountBps` must be 0. Refused in Maintenance.
    DowntimeIdle
}

/// @notice What the slasher asks for.
struct SlashOrder {
    uint24 providerId;
    SlashCause cause;
    /// Share of the stake the cause may take, 1..10000; bounded by `maxSlashBps` of the cause.
    uint16 amountBps;
    /// The harmed tenant's order, 0 for none. Its tenant is paid first, up to `harm`. Must be the provider's lease for DowntimeWithLease.
    uint32 orderId;
    /// What the tenant lost, in staking token units.
    uint256 harm;
    /// Not zero, and good for one slash of a provider.
    bytes32 evidenceHash;
}

/// @notice What governance sets about stake.
struct StakeTerms {
    uint32 wholePerDevice;
    uint32 wholePerCore;
    /// A machine needs at least this much.
    uint32 wholeMinimumPerMachine;
    /// A provider needs at least this much to be Active.
    uint32 wholeMinimumPerProvider;
    /// Longer than any challenge window.
    uint32 unbondingSeconds;
    uint16 maxCommissionBps;
    uint16 maxMisconductBps;
    uint16 maxDowntimeBps;
    /// Least seconds between two slashes of one provider for downtime.
    uint32 downtimeCooldownSeconds;
}

/// @title Providers' own stake, what others delegate to them, unbonding, and slashing.
/// @dev Upgradeable. `constructor(MarketContracts, address stakingToken)`, `initialize(address authority, StakeTerms terms, address treasury)`.
/// Requirements count own stake; the score counts own and delegated stake. What is unbonding counts for neither and can still be slashed.
/// Every division rounds against who is slashed or leaves, in favour of the pool.
interface IStakingManager {
    event Staked(uint24 indexed providerId, address indexed from, uint256 amount);
    event Delegated(uint24 indexed providerId, address indexed delegator, uint256 amount, uint256 shares);
    /// @notice `shares` of the delegation were given up for it, 0 of own stake.
    event UnbondingStarted(
        uint24 indexed providerId,
        address indexed account,
        uint32 indexed unbondingId,
        uint256 amount,
        uint256 shares,
        uint40 releaseAt,
        bool own
    );
    event Unbonded(uint24 indexed providerId, address indexed account, uint32 indexed unbondingId, uint256 amount);
    event CommissionUpdated(uint24 indexed providerId, uint16 commissionBps, uint40 effectiveAt);
    event Slashed(
        uint24 indexed providerId,
        SlashCause indexed cause,
        uint32 indexed orderId,
        uint256 ownAmount,
        uint256 delegatedAmount,
        uint256 unbondingAmount,
        uint256 toTenant,
        uint256 toTreasury,
        bytes32 evidenceHash
    );
    event CompensationPaid(address indexed account, uint256 amount);
    event StakeTermsUpdated(StakeTerms terms);
    event TreasuryUpdated(address treasury);

    error InsufficientStake(uint256 stakeWhole, uint256 requiredWhole);
    error InsufficientBalance(uint256 available, uint256 required);
    error InvalidAmount();
    error StakeTermsInvalid(string field);
    error NotProviderOwner(uint24 providerId, address caller);
    error ProviderNotFound(uint24 providerId);
    /// @notice At most 8 unbondings an account and provider at a time.
    error TooManyUnbondings(uint24 providerId, address account);
    error UnbondingNotFound(uint24 providerId, address account, uint32 unbondingId);
    error UnbondingNotOver(uint32 unbondingId, uint40 releaseAt);
    error CommissionTooHigh(uint16 commissionBps, uint16 maximumBps);
    error SlashInvalid(string field);
    error NoSlashInMaintenance(uint24 providerId);
    error SlashCoolingDown(uint24 providerId, uint40 earliest);

    // ---- providers and delegators
    /// @notice Adds to the provider's own stake; whoever sends it gives it to the provider's owner.
    function stake(uint24 providerId, uint256 amount) external;
    /// @notice Own stake leaves, down to what is required, or all of it where no machine needs any; it waits `unbondingSeconds` and can be
    /// slashed until it is withdrawn. Only the owner, unless suspended.
    function requestUnstake(uint24 providerId, uint256 amount) external returns (uint32 unbondingId);
    function delegate(uint24 providerId, uint256 amount) external returns (uint256 shares);
    function requestUndelegate(uint24 providerId, uint256 shares) external returns (uint32 unbondingId);
    /// @notice Pays out an unbonding that is over. Only its account.
    function withdrawUnbonded(uint24 providerId, uint32 unbondingId) external returns (uint256 amount);
    /// @notice The provider's share of its delegators' rewards; holds one `unbondingSeconds` from now, so that they can leave first
    /// (a lower one holds at once). Only the owner.
    function setCommission(uint24 providerId, uint16 commissionBps) external;
    /// @notice Pays what slashes credited to the caller, a harmed tenant or the treasury.
    function withdrawCompensation() external returns (uint256 amount);

    // ---- roles
    /// @notice Only the slasher's role.
    function slash(SlashOrder calldata order) external returns (uint256 slashed);
    /// @notice Only the parameters' role.
    function setStakeTerms(StakeTerms calldata terms) external;
    /// @notice Only the parameters' role.
    function setTreasury(address treasury) external;

    // ---- views
    /// @notice Whole tokens that a machine of this size needs, rounded up.
    function requirementOf(uint8 deviceCount, uint24 cpuMilli) external view returns (uint40 whole);
    /// @notice Own stake in whole tokens, rounded down.
    function ownStakeWhole(uint24 providerId) external view returns (uint256 whole);
    function stakeTerms() external view returns (StakeTerms memory);
    /// @notice Token units: the owner's own, what is delegated, and what is unbonding.
    function stakeOf(uint24 providerId) external view returns (uint256 own, uint256 delegated, uint256 unbonding);
    function delegationOf(uint24 providerId, address delegator) external view returns (uint256 shares, uint256 amount);
    function unbondingOf(uint24 providerId, address account, uint32 unbondingId)
        external
        view
        returns (uint256 amount, uint40 releaseAt, bool own);
    function commissionBps(uint24 providerId, uint40 timestamp) external view returns (uint16);
    function compensationOf(address account) external view returns (uint256);
    /// @notice Everything the contract owes: own, delegated, unbonding, compensation. Equals its balance for a plain token.
    function liabilities() external view returns (uint256);
    function stakingToken() external view returns (address);
}
