import { NEVER, TIMESTAMP, TODAY } from './arbitrarySnapshot.js';
import type { MarketPlan, RoundPlan } from './arbitrarySnapshot.js';
import type { Bid, Order } from '../order.js';
import type { MachineFields, OfferFields, ProviderFields } from '../market.js';
import type { Policy } from '../policy.js';

/** The default policy with no jitter, so that scores alone decide. */
export const PLAIN_POLICY: Policy = {
  rulesVersion: 1,
  weightPriceBps: 4500,
  weightStakeBps: 1500,
  weightFitBps: 1500,
  weightRegionBps: 1000,
  weightUptimeBps: 1000,
  weightReputationBps: 500,
  saturationWhole: 100_000,
  complianceCapBps: 12_000,
  jitterRange: 0,
  defaultUptimeBps: 9500,
  defaultReputationBps: 5000,
  maxMatches: 512,
  quorumBps: 6667,
  minTotalStake: 1n,
  maxTableAgeSeconds: 604_800,
  coolRounds: 10,
  selfMatchRounds: 30,
  weightPackingBps: 0,
  packing: null,
};

/** An order of one whole GPU in token 1 that a plain machine can take for 1,058,000 micro-units an hour. */
export function plainOrder(changes: Partial<Order> = {}): Order {
  return {
    orderId: 1,
    isOpen: true,
    untilRound: NEVER,
    eligibleFromBlock: 1,
    expiresAtSeconds: TIMESTAMP + 3600,
    milliGpu: 1000,
    cpuMilli: 4000,
    memoryMib: 8192,
    storageGib: 1024,
    models: [],
    regions: [],
    regionsExcluded: [],
    providersWanted: [],
    providersExcluded: [],
    tiers: 0,
    attributes: 0n,
    regionRequired: false,
    minUptimeBps: 0,
    minReputationBps: 0,
    maxSlashes: 0,
    tokenId: 1,
    maxPriceMicroPerHour: 2_000_000,
    durationMinutes: 60,
    ...changes,
  };
}

/** A provider that passes every filter of a plain order. */
export function plainProvider(changes: Partial<ProviderFields> = {}): ProviderFields {
  return {
    stakeWhole: 10_000,
    status: 2,
    tier: 3,
    uptimeBps: 9900,
    reputationBps: 7000,
    slashes: 0,
    attributes: 0n,
    reports: [0, 0, 0, 0],
    ...changes,
  };
}

/** A machine of provider 1 with two wholly free devices of model 5 in region 33, offered in token 1. */
export function plainMachine(
  changes: Partial<MachineFields> = {},
  ...offers: readonly Partial<OfferFields>[]
): MarketPlan['machines'][number] {
  return {
    machine: {
      activeFromRound: 1,
      activeUntilRound: NEVER,
      providerId: 1,
      model: 5,
      region: 33,
      offersWritten: 1,
      freeMemoryMib: 65_536,
      freeCpuMilli: 32_000,
      freeStorageGib: 4096,
      freeMilliGpu: [1000, 1000, 0, 0, 0, 0, 0, 0],
      ...changes,
    },
    offers: (offers.length === 0 ? [{}] : offers).map((offer) => ({
      tokenId: 1,
      gpuMicroPerHour: 1_000_000,
      coreMicroPerHour: 10_000,
      memoryGibMicroPerHour: 1000,
      storageTibMicroPerHour: 10_000,
      ...offer,
    })),
  };
}

/** A bid of provider 1 for machine 1 on order 1. */
export function plainBid(changes: Partial<Bid> = {}): Bid {
  return {
    orderId: 1,
    bidIndex: 0,
    machineId: 1,
    providerId: 1,
    priceMicroPerHour: 900_000,
    untilRound: NEVER,
    ...changes,
  };
}

/** One plain order, machine and provider under the plain policy. */
export function plainRound(changes: Partial<RoundPlan> = {}): RoundPlan {
  return {
    market: { providers: [plainProvider()], machines: [plainMachine()] },
    orders: [plainOrder()],
    bids: [],
    policy: PLAIN_POLICY,
    seed: `0x${'ab'.repeat(32)}`,
    ...changes,
  };
}

/** A compliance report of standard 1 whose last day is `daysFromNow` after the snapshot's. */
export function reportUntil(daysFromNow: number, bps: number): number {
  return 2 ** 26 + (TODAY + daysFromNow) * 2 ** 10 + bps;
}
