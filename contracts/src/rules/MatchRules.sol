// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OrderSpec, Policy, ProviderStatus } from "../market/MarketTypes.sol";
import { BidWord } from "../words/BidWord.sol";
import { MachineWord } from "../words/MachineWord.sol";
import { OfferWord } from "../words/OfferWord.sol";
import { OrderWord } from "../words/OrderWord.sol";
import { ProviderWord, ProviderWordLib } from "../words/ProviderWord.sol";

/// @notice The snapshot that a round is matched on.
struct RoundFacts {
    uint256 round;
    /// B(round).
    uint256 snapshotBlock;
    /// Seconds, of block B(round).
    uint256 timestamp;
}

/// @notice A machine that might take an order: its words at B(round), with what earlier records of the batch took already reserved.
struct Candidate {
    uint256 machineId;
    MachineWord machine;
    ProviderWord provider;
    /// The machine's offer in the order's token, zero for none.
    OfferWord offer;
    /// The best bid on the order that names the machine, zero for none.
    BidWord bid;
}

/// @notice Components of a score, 0 .. 10000 each.
struct Components {
    uint256 price;
    uint256 stake;
    uint256 fit;
    uint256 region;
    uint256 uptime;
    uint256 reputation;
}

/// @title The rules of matching, version 1: filters, price, score and devices, to the integer what every operator's engine computes.
/// @dev Assumes a spec that `createOrder` accepted, a policy that MatchPolicy accepted, and words that their contracts wrote; under these
/// bounds nothing overflows. All divisions round down.
library MatchRules {
    /// @notice The rules of which this is the code.
    uint256 internal constant RULES_VERSION = 1;
    /// @notice S: the scale of components and weights.
    uint256 internal constant SCALE = 10_000;

    uint256 internal constant ORDER_NOT_ELIGIBLE = 1;
    uint256 internal constant MACHINE_INACTIVE = 2;
    uint256 internal constant PROVIDER_NOT_ACTIVE = 3;
    uint256 internal constant PROVIDER_EXCLUDED = 4;
    uint256 internal constant PROVIDER_NOT_WANTED = 5;
    uint256 internal constant TOKEN = 6;
    uint256 internal constant GPU_MODEL = 7;
    uint256 internal constant REGION_EXCLUDED = 8;
    uint256 internal constant REGION_REQUIRED = 9;
    uint256 internal constant TIER = 10;
    uint256 internal constant ATTRIBUTES = 11;
    uint256 internal constant UPTIME = 12;
    uint256 internal constant REPUTATION = 13;
    uint256 internal constant SLASHES = 14;
    uint256 internal constant CPU = 15;
    uint256 internal constant MEMORY = 16;
    uint256 internal constant STORAGE = 17;
    uint256 internal constant DEVICES = 18;
    uint256 internal constant PRICE = 19;

    uint256 private constant DEVICE_COUNT = 8;
    uint256 private constant WHOLE_DEVICE = 1000;
    uint256 private constant REGION_GROUP_BITS = 5;
    uint256 private constant REPORT_COUNT = 4;

    /// @notice Whether an order may be matched in the round.
    function isEligible(RoundFacts memory facts, OrderWord order) internal pure returns (bool) {
        return order.isOpen() && order.eligibleFromBlock() <= facts.snapshotBlock && facts.round < order.untilRound()
            && facts.timestamp < order.expiresAt();
    }

    /// @notice The first filter, 1 to 19, that keeps the candidate from taking the order; 0 when none does.
    function rejection(RoundFacts memory facts, Policy memory policy, OrderWord order, OrderSpec memory spec, Candidate memory candidate)
        internal
        pure
        returns (uint256 reason)
    {
        if (!isEligible(facts, order)) return ORDER_NOT_ELIGIBLE;
        if (!candidate.machine.isActiveIn(facts.round)) return MACHINE_INACTIVE;
        reason = _providerRejection(spec, candidate);
        if (reason != 0) return reason;
        if (!hasLiveOffer(spec, candidate) && !hasLiveBid(facts, candidate)) return TOKEN;
        reason = _placeRejection(spec, candidate.machine);
        if (reason != 0) return reason;
        reason = _standingRejection(policy, spec, candidate.provider);
        if (reason != 0) return reason;
        reason = _capacityRejection(spec, candidate.machine);
        if (reason != 0) return reason;
        (uint256 price,) = quote(facts, spec, candidate);
        return price > spec.maxPriceMicroPerHour ? PRICE : 0;
    }

    /// @notice Whether the candidate's offer is in the order's token.
    function hasLiveOffer(OrderSpec memory spec, Candidate memory candidate) internal pure returns (bool) {
        return spec.tokenId != 0 && candidate.offer.tokenId() == spec.tokenId;
    }

    /// @notice Whether the candidate's bid counts in the round: not withdrawn, on this machine, by its provider.
    function hasLiveBid(RoundFacts memory facts, Candidate memory candidate) internal pure returns (bool) {
        BidWord bid = candidate.bid;
        return
            facts.round < bid.untilRound() && bid.machineId() == candidate.machineId && bid.providerId() == candidate.machine.providerId();
    }

    /// @notice The lower of live offer and live bid, the offer on a tie. The candidate has one of them.
    function quote(RoundFacts memory facts, OrderSpec memory spec, Candidate memory candidate)
        internal
        pure
        returns (uint256 priceMicroPerHour, bool fromBid)
    {
        bool offered = hasLiveOffer(spec, candidate);
        if (offered) priceMicroPerHour = priceOf(spec, candidate.offer);
        if (hasLiveBid(facts, candidate)) {
            uint256 bidden = candidate.bid.priceMicroPerHour();
            if (!offered || bidden < priceMicroPerHour) return (bidden, true);
        }
    }

    /// @notice What the order's resources cost an hour under an offer.
    function priceOf(OrderSpec memory spec, OfferWord offer) internal pure returns (uint256) {
        return priceOf(spec.milliGpu, spec.cpuMilli, spec.memoryMib, spec.storageGib, offer);
    }

    /// @notice What these resources cost an hour under an offer; each of the four terms rounds down.
    function priceOf(uint256 milliGpu, uint256 cpuMilli, uint256 memoryMib, uint256 storageGib, OfferWord offer)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            return milliGpu * offer.gpuMicroPerHour() / 1000 + cpuMilli * offer.coreMicroPerHour() / 1000 + memoryMib
                * offer.memoryGibMicroPerHour() / 1024 + storageGib * offer.storageTibMicroPerHour() / 1024;
        }
    }

    /// @notice The six components of a candidate that no filter rejects, at `priceMicroPerHour`.
    function componentsOf(Policy memory policy, OrderSpec memory spec, Candidate memory candidate, uint256 priceMicroPerHour)
        internal
        pure
        returns (Components memory components)
    {
        uint256 max = spec.maxPriceMicroPerHour;
        components.price = (max - priceMicroPerHour) * SCALE / max;
        uint256 stake = candidate.provider.stakeWhole() * SCALE / policy.saturationWhole;
        components.stake = stake < SCALE ? stake : SCALE;
        components.fit = fitOf(spec, candidate.machine);
        components.region = regionOf(spec, candidate.machine.region());
        components.uptime = uptimeOf(policy, candidate.provider);
        components.reputation = reputationOf(policy, candidate.provider);
    }

    /// @notice Compliance times the weighted sum of the components: the total without jitter.
    function baseOf(RoundFacts memory facts, Policy memory policy, ProviderWord provider, Components memory components)
        internal
        pure
        returns (uint256)
    {
        return complianceOf(facts, policy, provider) * weightedSumOf(policy, components);
    }

    /// @notice The six components, each times its weight.
    function weightedSumOf(Policy memory policy, Components memory components) internal pure returns (uint256) {
        return uint256(policy.weightPriceBps) * components.price + uint256(policy.weightStakeBps) * components.stake
            + uint256(policy.weightFitBps) * components.fit + uint256(policy.weightRegionBps) * components.region
            + uint256(policy.weightUptimeBps) * components.uptime + uint256(policy.weightReputationBps) * components.reputation;
    }

    /// @notice What the round's seed adds to the total of every machine of a provider, 0 .. J.
    function jitterOf(Policy memory policy, bytes32 seed, uint32 orderId, uint24 providerId) internal pure returns (uint256) {
        return uint256(keccak256(abi.encodePacked(seed, orderId, providerId))) % (uint256(policy.jitterRange) + 1);
    }

    /// @notice 10000 plus the bps of every report whose last day has not passed, at most the policy's cap.
    function complianceOf(RoundFacts memory facts, Policy memory policy, ProviderWord provider) internal pure returns (uint256 bps) {
        bps = SCALE;
        for (uint256 i = 0; i < REPORT_COUNT; i++) {
            uint256 report = provider.report(i);
            if (facts.timestamp / 1 days <= (report >> 10) & 0xffff) bps += report & 0x3ff;
        }
        if (bps > policy.complianceCapBps) bps = policy.complianceCapBps;
    }

    /// @notice Need x S / free of the dominant resource: milli-GPU over all devices for an order with GPU, else cpu-milli; an order
    /// without GPU scores 0 on a machine with GPU. The machine has room for the order.
    function fitOf(OrderSpec memory spec, MachineWord machine) internal pure returns (uint256) {
        if (spec.milliGpu != 0) {
            uint256 free = 0;
            for (uint256 device = 0; device < DEVICE_COUNT; device++) {
                free += machine.freeMilliGpu(device);
            }
            return uint256(spec.milliGpu) * SCALE / free;
        }
        return machine.model() != 0 ? 0 : uint256(spec.cpuMilli) * SCALE / machine.freeCpuMilli();
    }

    /// @notice S when the region is listed or none is, S/2 when a listed region is of its group, else 0.
    function regionOf(OrderSpec memory spec, uint256 region) internal pure returns (uint256) {
        if (spec.regions.length == 0 || _contains(spec.regions, region)) return SCALE;
        for (uint256 i = 0; i < spec.regions.length; i++) {
            if (spec.regions[i] >> REGION_GROUP_BITS == region >> REGION_GROUP_BITS) return SCALE / 2;
        }
        return 0;
    }

    /// @notice The provider's uptime, the policy's default before any is measured.
    function uptimeOf(Policy memory policy, ProviderWord provider) internal pure returns (uint256 bps) {
        bps = provider.uptimeBps();
        if (bps == ProviderWordLib.UNMEASURED) bps = policy.defaultUptimeBps;
    }

    /// @notice The provider's reputation, the policy's default before any is measured.
    function reputationOf(Policy memory policy, ProviderWord provider) internal pure returns (uint256 bps) {
        bps = provider.reputationBps();
        if (bps == ProviderWordLib.UNMEASURED) bps = policy.defaultReputationBps;
    }

    /// @notice Where `milliGpu` goes: a share to the fitting device with the least free, whole GPUs to the wholly free devices, lowest
    /// index first. `mask` is 0 when it is 0 or does not fit.
    function chooseDevices(MachineWord machine, uint256 milliGpu) internal pure returns (bool fits, uint256 mask) {
        if (milliGpu == 0) return (true, 0);
        if (milliGpu < WHOLE_DEVICE) {
            uint256 least = type(uint256).max;
            for (uint256 device = 0; device < DEVICE_COUNT; device++) {
                uint256 free = machine.freeMilliGpu(device);
                if (free >= milliGpu && free < least) (least, mask) = (free, 1 << device);
            }
            return (mask != 0, mask);
        }
        uint256 missing = milliGpu / WHOLE_DEVICE;
        for (uint256 device = 0; device < DEVICE_COUNT && missing != 0; device++) {
            if (machine.freeMilliGpu(device) == WHOLE_DEVICE) {
                mask |= 1 << device;
                missing--;
            }
        }
        return missing == 0 ? (true, mask) : (false, 0);
    }

    function _providerRejection(OrderSpec memory spec, Candidate memory candidate) private pure returns (uint256) {
        uint256 providerId = candidate.machine.providerId();
        if (candidate.provider.status() != uint256(ProviderStatus.Active)) return PROVIDER_NOT_ACTIVE;
        if (_containsId(spec.providersExcluded, providerId)) return PROVIDER_EXCLUDED;
        if (spec.providersWanted.length != 0 && !_containsId(spec.providersWanted, providerId)) return PROVIDER_NOT_WANTED;
        return 0;
    }

    function _placeRejection(OrderSpec memory spec, MachineWord machine) private pure returns (uint256) {
        if (spec.models.length != 0 && !_contains(spec.models, machine.model())) return GPU_MODEL;
        uint256 region = machine.region();
        if (_contains(spec.regionsExcluded, region)) return REGION_EXCLUDED;
        if (spec.regionRequired && spec.regions.length != 0 && !_contains(spec.regions, region)) return REGION_REQUIRED;
        return 0;
    }

    function _standingRejection(Policy memory policy, OrderSpec memory spec, ProviderWord provider) private pure returns (uint256) {
        // Tier 0 is no tier: shifted left by one, its bit 0 is never in the bitmap.
        if (spec.tiers != 0 && ((uint256(spec.tiers) << 1) >> provider.tier()) & 1 == 0) return TIER;
        if (provider.attributes() & spec.attributes != spec.attributes) return ATTRIBUTES;
        if (uptimeOf(policy, provider) < spec.minUptimeBps) return UPTIME;
        if (reputationOf(policy, provider) < spec.minReputationBps) return REPUTATION;
        if (provider.slashes() > spec.maxSlashes) return SLASHES;
        return 0;
    }

    function _capacityRejection(OrderSpec memory spec, MachineWord machine) private pure returns (uint256) {
        if (machine.freeCpuMilli() < spec.cpuMilli) return CPU;
        if (machine.freeMemoryMib() < spec.memoryMib) return MEMORY;
        if (machine.freeStorageGib() < spec.storageGib) return STORAGE;
        (bool fits,) = chooseDevices(machine, spec.milliGpu);
        return fits ? 0 : DEVICES;
    }

    function _contains(uint16[] memory list, uint256 value) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; i++) {
            if (list[i] == value) return true;
        }
        return false;
    }

    function _containsId(uint24[] memory list, uint256 value) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; i++) {
            if (list[i] == value) return true;
        }
        return false;
    }
}
