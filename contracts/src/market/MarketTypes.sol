// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a tenant asks for: one co-located placement on one machine. `keccak256(abi.encode(spec))` is the order's spec word.
/// @dev Lists hold at most 8 entries; an empty list, and a zero bitmap, means any.
struct OrderSpec {
    /// 0, or 1..999 (a share of one device), or a multiple of 1000 up to 8000 (whole devices).
    uint16 milliGpu;
    /// 1 .. 2^20 - 1.
    uint24 cpuMilli;
    uint24 memoryMib;
    /// 0 .. 2^20 - 1.
    uint24 storageGib;
    /// Accepted GPU models, 1..1023; must be empty when `milliGpu` is 0.
    uint16[] models;
    /// Preferred regions, 0..1023; required ones when `regionRequired`.
    uint16[] regions;
    uint16[] regionsExcluded;
    uint24[] providersWanted;
    uint24[] providersExcluded;
    /// Trust tier t is bit t - 1, t = 1..7.
    uint8 tiers;
    /// Attributes the provider must have, 54 bits.
    uint64 attributes;
    bool regionRequired;
    uint16 minUptimeBps;
    uint16 minReputationBps;
    uint8 maxSlashes;
    uint16 tokenId;
    /// Micro-units of the token per hour, 1 .. 2^39 - 1.
    uint40 maxPriceMicroPerHour;
    uint24 durationMinutes;
}

/// @notice Terms of matching for a span of rounds, by preimage of `policyHash` (see PolicyHash).
struct Policy {
    uint32 rulesVersion;
    uint16 weightPriceBps;
    uint16 weightStakeBps;
    uint16 weightFitBps;
    uint16 weightRegionBps;
    uint16 weightUptimeBps;
    uint16 weightReputationBps;
    uint32 saturationWhole;
    uint16 complianceCapBps;
    /// J: the jitter added to a total is 0 .. J.
    uint64 jitterRange;
    uint16 defaultUptimeBps;
    uint16 defaultReputationBps;
    uint16 maxMatches;
    uint16 quorumBps;
    uint96 minTotalStake;
    uint32 maxTableAgeSeconds;
    uint32 coolRounds;
    uint32 selfMatchRounds;
    /// From version 2 of the rules on; of a policy of version 1 this word and the next are 0 and not part of its hash.
    uint16 weightPackingBps;
    /// Preimage: PackingTerms.
    bytes32 packingHash;
}

/// @notice What operators sign for one round, as EIP-712 struct.
struct MatchBatch {
    uint64 round;
    uint64 snapshotBlock;
    bytes32 snapshotHash;
    bytes32 policyHash;
    bytes32 operatorSetKey;
    uint32 tableTimestamp;
    bytes32 tableHash;
    bytes32 recordsHash;
    uint32 matchCount;
}

/// @notice A machine's hardware. Model 0 means a machine without GPU, and only such a machine has no device.
struct MachineSpec {
    uint16 model;
    uint16 region;
    uint24 cpuMilli;
    uint24 memoryMib;
    uint24 storageGib;
    uint8 deviceCount;
}

/// @notice Unit prices of one offer in micro-units of `tokenId` per hour.
struct OfferTerms {
    uint16 tokenId;
    uint40 gpuMicroPerHour;
    uint32 coreMicroPerHour;
    uint32 memoryGibMicroPerHour;
    uint32 storageTibMicroPerHour;
}

/// @notice A provider's standing with the network.
enum ProviderStatus {
    Unregistered,
    Registered,
    Active,
    Maintenance,
    Suspended,
    Deactivated
}

/// @notice State of an order word. The lease is the same word rewritten.
enum OrderState {
    None,
    Open,
    Provisioned,
    Closed,
    Matched
}

/// @notice Why settlement left a record out. The reasons marked so bench the record's machine, the others nobody.
enum SkipReason {
    None,
    MachineUnknown,
    /// benches
    MachineInactive,
    ProviderMismatch,
    DeviceMask,
    /// benches
    MachineCapacity,
    /// benches
    OfferMissing,
    OfferPrice,
    OrderNotOpen,
    OrderTerms,
    OrderNotEligible,
    OrderMaxPrice,
    BidMissing,
    BidPrice
}
