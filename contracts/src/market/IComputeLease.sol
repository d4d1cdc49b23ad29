// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Leases: who may end them and what they have earned.
interface IComputeLease {
    struct Lease {
        uint32 orderId;
        uint32 machineId;
        uint24 providerId;
        address tenant;
        uint16 tokenId;
        uint40 priceMicroPerHour;
        uint32 startTime;
        uint32 endTime;
        uint8 state;
    }

    event LeaseClosed(uint32 indexed orderId, uint24 indexed providerId, address indexed tenant, uint32 endTime);

    error OnlyTenantOrProvider(uint32 orderId, address caller);
    error LeaseNotActive(uint32 orderId);

    /// @notice Ends a lease: pays what has accrued, returns the rest to the tenant, frees the capacity at once.
    /// By tenant or provider; by anyone once the paid time is over.
    function closeLease(uint32 orderId) external;
    /// @notice Credits the provider with what has accrued so far. Anyone.
    function claim(uint32 orderId) external returns (uint256 amount);
    /// @notice Accrued since the start in token units: floor(price x 10^(decimals-6) x seconds / 3600), seconds capped by the duration.
    function accrued(uint32 orderId) external view returns (uint256);
    function getLease(uint32 orderId) external view returns (Lease memory);
}
