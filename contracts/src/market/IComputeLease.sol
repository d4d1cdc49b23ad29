// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Policy } from "./MarketTypes.sol";

/// @notice What governance sets about leases, in seconds. A change holds for leases that begin after it.
struct LeaseTerms {
    /// From the match to the provider's ready.
    uint32 readySeconds;
    /// From ready to the tenant's manifest.
    uint32 manifestSeconds;
    /// From ready and the newest manifest to the provider's confirmation.
    uint32 confirmSeconds;
    /// A tenant that closes after ready pays at least this time, never more than the duration.
    uint32 minimumChargeSeconds;
}

/// @notice What a tenant wants of a running lease. Resources are new totals.
struct LeaseUpdate {
    uint16 milliGpu;
    uint24 cpuMilli;
    uint24 memoryMib;
    uint24 storageGib;
    /// Ceiling of the new price; the price of now and unchanged resources make an update of the manifest alone.
    uint40 maxPriceMicroPerHour;
    bytes32 manifestHash;
}

/// @notice Why a lease ended.
enum LeaseEnd {
    None,
    ByTenant,
    ByProvider,
    /// The provider was not ready in time or gave up before; the order is open again.
    NotReady,
    /// Ready, but the tenant announced no manifest in time; the minimum charge is due.
    NoManifest,
    /// Ready and announced, but the provider did not confirm in time; nothing is due.
    NotConfirmed,
    /// The paid time is over.
    PaidThrough
}

/// @title Leases: readiness, manifest, confirmation, updates, renewal, accrual and end.
/// @dev Upgradeable. `constructor(MarketContracts)`, `initialize(address authority, LeaseTerms terms)`. A lease is an order's word in state Matched
/// plus an account here that begins at the first call about it. Accrual starts at the provider's ready and stops at the paid-through time;
/// nothing can be claimed before the deployment is confirmed.
interface IComputeLease {
    struct Lease {
        uint32 orderId;
        uint32 machineId;
        uint24 providerId;
        address tenant;
        uint16 tokenId;
        uint40 priceMicroPerHour;
        /// When settlement made the lease (CREATE_LEASE).
        uint32 matchedAt;
        /// 0 until the provider is ready; accrual starts here.
        uint32 readyAt;
        /// 0 until DEPLOYMENT_CONFIRMED.
        uint32 confirmedAt;
        /// Paid-through time, 0 before ready; of an ended lease the moment accrual stopped.
        uint32 endTime;
        uint24 durationMinutes;
        bytes32 manifestHash;
        /// OrderState of the word.
        uint8 state;
        LeaseEnd end;
    }

    event ProviderReady(uint32 indexed orderId, uint24 indexed providerId, uint32 readyAt, uint32 paidThrough);
    event ManifestAnnounced(uint32 indexed orderId, address indexed tenant, bytes32 manifestHash);
    /// @notice DEPLOYMENT_CONFIRMED.
    event DeploymentConfirmed(uint32 indexed orderId, uint24 indexed providerId, bytes32 manifestHash);
    /// @notice UPDATE_LEASE.
    event LeaseUpdateRequested(uint32 indexed orderId, address indexed tenant, LeaseUpdate update);
    event LeaseUpdateCancelled(uint32 indexed orderId);
    event LeaseUpdated(
        uint32 indexed orderId, uint24 indexed providerId, uint40 priceMicroPerHour, bytes32 leaseWord, bytes32 manifestHash
    );
    event LeaseExtended(uint32 indexed orderId, uint24 durationMinutes, uint32 paidThrough);
    /// @notice LEASE_CLOSED. `endTime` is when accrual stopped, `accrued` the whole of what was earned.
    event LeaseClosed(
        uint32 indexed orderId, uint24 indexed providerId, address indexed tenant, uint32 endTime, LeaseEnd end, uint96 accrued
    );
    event LeaseTermsUpdated(LeaseTerms terms);

    error OnlyTenantOrProvider(uint32 orderId, address caller);
    error OnlyProvider(uint32 orderId, address caller);
    error OnlyTenant(uint32 orderId, address caller);
    error LeaseNotActive(uint32 orderId);
    error AlreadyReady(uint32 orderId);
    error NotReady(uint32 orderId);
    error AlreadyConfirmed(uint32 orderId);
    error NotConfirmed(uint32 orderId);
    /// @notice The time for this step ended at `deadline`; only `endLease` is left.
    error DeadlinePassed(uint32 orderId, uint32 deadline);
    /// @notice No deadline of the lease has passed; the next one is at `deadline`.
    error LeaseNotOverdue(uint32 orderId, uint32 deadline);
    error ManifestMismatch(uint32 orderId, bytes32 announced, bytes32 given);
    error LeaseFieldInvalid(string field);
    error UpdateNotRequested(uint32 orderId);
    error PriceAboveConsent(uint40 priceMicroPerHour, uint40 maxPriceMicroPerHour);

    /// @notice The provider is ready for the manifest. Starts accrual, fixes the paid-through time, frees nothing.
    function markReady(uint32 orderId) external;
    /// @notice The tenant names the manifest it sends over mTLS; from the match on, and again until it is confirmed or `manifestSeconds` after ready.
    function announceManifest(uint32 orderId, bytes32 manifestHash) external;
    /// @notice The provider runs the announced manifest.
    function confirmDeployment(uint32 orderId, bytes32 manifestHash) external;

    /// @notice The tenant of a confirmed lease asks for other resources, another price ceiling or another manifest; replaces an earlier request.
    function requestUpdate(uint32 orderId, LeaseUpdate calldata update) external;
    function cancelUpdate(uint32 orderId) external;
    /// @notice The provider accepts the request as it stands (`updateHash = keccak256(abi.encode(update))`) at a price within it. Smaller
    /// resources are free at once; larger ones pass settlement's gate and need `policy` of the open round. The lock is fitted to the new price.
    /// @param deviceMask The devices from now on, bit i = device i; must follow the rule of the record.
    function acceptUpdate(uint32 orderId, bytes32 updateHash, uint40 priceMicroPerHour, uint8 deviceMask, Policy calldata policy) external;

    /// @notice Sets the paid time to `durationMinutes` from now, at the price of now; locks what is missing or returns what is over.
    function renewLease(uint32 orderId, uint24 durationMinutes) external;
    /// @notice Adds minutes at the price of now.
    function topUp(uint32 orderId, uint24 addedMinutes) external;

    /// @notice CLOSE_LEASE by tenant or provider: pays what has accrued (the tenant at least the minimum charge), returns the rest exactly. A
    /// provider that closes before it was ready ends the lease as NotReady. After a deadline its fault's rule holds, whoever closes.
    function closeLease(uint32 orderId) external;
    /// @notice Ends a lease one of whose deadlines has passed, at the fault's side. Anyone.
    function endLease(uint32 orderId) external;
    /// @notice Returns to the tenant what the lock holds beyond price x remaining time plus fees. Anyone.
    function releaseExcess(uint32 orderId) external returns (uint256 amount);
    /// @notice Credits the provider with what has accrued so far; after confirmation. Anyone.
    function claim(uint32 orderId) external returns (uint256 amount);
    /// @notice Only the parameters' role.
    function setLeaseTerms(LeaseTerms calldata terms) external;

    /// @notice Accrued so far in token units, before fees: floor(price x 10^(decimals-6) x seconds / 3600) for the time since the current price
    /// began, plus what earlier prices earned; of an ended lease its whole.
    function accrued(uint32 orderId) external view returns (uint256);
    function getLease(uint32 orderId) external view returns (Lease memory);
    /// @notice Reason and time of the next deadline after which `endLease` works.
    function nextDeadline(uint32 orderId) external view returns (LeaseEnd reason, uint32 deadline);
    function pendingUpdate(uint32 orderId) external view returns (LeaseUpdate memory);
    function leaseTerms() external view returns (LeaseTerms memory);
}
