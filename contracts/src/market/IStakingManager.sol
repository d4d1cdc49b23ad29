// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Providers' stake, required by the capacity they register.
interface IStakingManager {
    event Staked(uint24 indexed providerId, address indexed from, uint256 amount);
    event Unstaked(uint24 indexed providerId, address indexed to, uint256 amount);
    event StakeRequirementUpdated(uint32 wholePerDevice, uint32 wholePerCore, uint32 wholeMinimum);

    error InsufficientStake(uint256 stakeWhole, uint256 requiredWhole);
    error InsufficientBalance(uint256 available, uint256 required);
    error InvalidAmount();
    /// @notice `field` of the stake requirement is outside its bounds.
    error RequirementOutOfBounds(string field);
    error NotProviderOwner(uint24 providerId, address caller);

    function stake(uint24 providerId, uint256 amount) external;
    /// @notice Down to what the registered capacity needs. Only the provider's owner.
    function unstake(uint24 providerId, uint256 amount) external;
    function setStakeRequirement(uint32 wholePerDevice, uint32 wholePerCore, uint32 wholeMinimum) external;

    /// @notice Whole tokens that a machine of this size needs, rounded up.
    function requirementOf(uint8 deviceCount, uint24 cpuMilli) external view returns (uint40 whole);
    function stakeOf(uint24 providerId) external view returns (uint256 amount);
    function stakingToken() external view returns (address);
}
