import * as fc from 'fast-check';
import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../market.js';
import type { MachineFields, Market, OfferFields, ProviderFields } from '../market.js';
import type { PackingTerms, Policy } from '../policy.js';
import type { MatchRecord } from '../record.js';
import type { Snapshot } from '../snapshot.js';
import {
  machineArbitrary,
  offerArbitrary,
  packingTermsArbitrary,
  policyArbitrary,
  providerArbitrary,
} from './arbitrarySnapshot.js';
import type { MarketPlan } from './arbitrarySnapshot.js';

/** What happens to a market between two rounds. */
export type MarketChange =
  | { readonly kind: 'machine'; readonly pick: number; readonly entry: MarketPlan['machines'][number] }
  | { readonly kind: 'offer'; readonly pick: number; readonly index: number; readonly offer: OfferFields }
  | { readonly kind: 'provider'; readonly pick: number; readonly provider: ProviderFields }
  | { readonly kind: 'settle' }
  | { readonly kind: 'rounds'; readonly by: number }
  | { readonly kind: 'days'; readonly by: number }
  | { readonly kind: 'policy'; readonly policy: Policy }
  | { readonly kind: 'packing'; readonly packing: PackingTerms };

const pick = fc.integer({ min: 0, max: 0xffff });

/** Any change; rounds and days go back as well, as they do when the chain does. */
export const changeArbitrary: fc.Arbitrary<MarketChange> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('machine' as const), pick, entry: machineArbitrary(5) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('offer' as const),
      pick,
      index: fc.integer({ min: 0, max: OFFERS_PER_MACHINE - 1 }),
      offer: offerArbitrary,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('provider' as const), pick, provider: providerArbitrary }),
  },
  { weight: 3, arbitrary: fc.constant<MarketChange>({ kind: 'settle' }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rounds' as const), by: fc.integer({ min: -2, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('days' as const), by: fc.constantFrom(-1, 1, 2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('policy' as const), policy: policyArbitrary }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('packing' as const), packing: packingTermsArbitrary }) },
);

/** The snapshot and policy after a change; the market is written on in place, `records` are what the round before matched. */
export function changed(
  snapshot: Snapshot,
  policy: Policy,
  records: readonly MatchRecord[],
  change: MarketChange,
): { snapshot: Snapshot; policy: Policy } {
  const { market } = snapshot;
  switch (change.kind) {
    case 'machine': {
      // One in so many is a machine that was not there before.
      const machineId = 1 + (change.pick % (market.machineCount + 1));
      market.setMachine(machineId, change.entry.machine);
      change.entry.offers.forEach((offer, index) => market.setOffer(machineId, index, offer));
      break;
    }
    case 'offer':
      market.setOffer(1 + (change.pick % market.machineCount), change.index, change.offer);
      break;
    case 'provider':
      market.setProvider(1 + (change.pick % (market.providerCount + 1)), change.provider);
      break;
    case 'settle': {
      for (const record of records) settle(market, record);
      const settled = new Set(records.map(({ orderId }) => orderId));
      return {
        snapshot: { ...snapshot, orders: snapshot.orders.filter(({ orderId }) => !settled.has(orderId)) },
        policy,
      };
    }
    case 'rounds':
      return { snapshot: { ...snapshot, round: snapshot.round + change.by }, policy };
    case 'days':
      return { snapshot: { ...snapshot, timestampSeconds: snapshot.timestampSeconds + change.by * 86_400 }, policy };
    case 'policy':
      return { snapshot, policy: change.policy };
    case 'packing':
      return { snapshot, policy: policy.packing === null ? policy : { ...policy, packing: change.packing } };
  }
  return { snapshot, policy };
}

/** A machine's fields as its columns hold them. */
export function machineFieldsOf(market: Market, machineId: number): MachineFields {
  const first = machineId * DEVICES_PER_MACHINE;
  return {
    activeFromRound: market.activeFromRound[machineId]!,
    activeUntilRound: market.activeUntilRound[machineId]!,
    providerId: market.providerId[machineId]!,
    model: market.model[machineId]!,
    region: market.region[machineId]!,
    offersWritten: market.offersWritten[machineId]!,
    freeMemoryMib: market.freeMemoryMib[machineId]!,
    freeCpuMilli: market.freeCpuMilli[machineId]!,
    freeStorageGib: market.freeStorageGib[machineId]!,
    freeMilliGpu: Array.from(market.freeMilliGpu.subarray(first, first + DEVICES_PER_MACHINE)),
  };
}

/** Takes from a machine what a record says, as settlement does. */
export function settle(market: Market, record: MatchRecord): void {
  const machine = machineFieldsOf(market, record.machineId);
  market.setMachine(record.machineId, {
    ...machine,
    freeMemoryMib: machine.freeMemoryMib - record.memoryMib,
    freeCpuMilli: machine.freeCpuMilli - record.cpuMilli,
    freeStorageGib: machine.freeStorageGib - record.storageGib,
    freeMilliGpu: machine.freeMilliGpu.map((free, device) =>
      (record.deviceMask >> device) & 1 ? free - Math.min(record.milliGpu, 1000) : free,
    ),
  });
}

/** Brings a market back to what an earlier copy of it says, by its setters, as a follower does when the chain takes blocks back. */
export function takeBack(market: Market, before: Market): void {
  for (let id = 1; id <= market.machineCount; id++) {
    market.setMachine(id, id <= before.machineCount ? machineFieldsOf(before, id) : NO_MACHINE);
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      market.setOffer(id, index, id <= before.machineCount ? offerFieldsOf(before, id, index) : NO_OFFER);
    }
  }
  for (let id = 1; id <= market.providerCount; id++) {
    market.setProvider(id, id <= before.providerCount ? providerFieldsOf(before, id) : NO_PROVIDER);
  }
  market.machineCount = before.machineCount;
  market.providerCount = before.providerCount;
}

const NO_OFFER: OfferFields = {
  tokenId: 0,
  gpuMicroPerHour: 0,
  coreMicroPerHour: 0,
  memoryGibMicroPerHour: 0,
  storageTibMicroPerHour: 0,
};
const NO_MACHINE: MachineFields = {
  activeFromRound: 0,
  activeUntilRound: 0,
  providerId: 0,
  model: 0,
  region: 0,
  offersWritten: 0,
  freeMemoryMib: 0,
  freeCpuMilli: 0,
  freeStorageGib: 0,
  freeMilliGpu: [],
};
const NO_PROVIDER: ProviderFields = {
  stakeWhole: 0,
  status: 0,
  tier: 0,
  uptimeBps: 0,
  reputationBps: 0,
  slashes: 0,
  attributes: 0n,
  reports: [0, 0, 0, 0],
};

function offerFieldsOf(market: Market, machineId: number, index: number): OfferFields {
  const row = machineId * OFFERS_PER_MACHINE + index;
  return {
    tokenId: market.offerTokenId[row]!,
    gpuMicroPerHour: market.offerGpuMicroPerHour[row]!,
    coreMicroPerHour: market.offerCoreMicroPerHour[row]!,
    memoryGibMicroPerHour: market.offerMemoryGibMicroPerHour[row]!,
    storageTibMicroPerHour: market.offerStorageTibMicroPerHour[row]!,
  };
}

/** A provider's fields as its columns hold them. */
export function providerFieldsOf(market: Market, providerId: number): ProviderFields {
  const [a = 0, b = 0, c = 0, d = 0] = market.reports.subarray(providerId * 4, providerId * 4 + 4);
  return {
    stakeWhole: market.stakeWhole[providerId]!,
    status: market.status[providerId]!,
    tier: market.tier[providerId]!,
    uptimeBps: market.uptimeBps[providerId]!,
    reputationBps: market.reputationBps[providerId]!,
    slashes: market.slashes[providerId]!,
    attributes: BigInt(market.attributesLow[providerId]!) | (BigInt(market.attributesHigh[providerId]!) << 27n),
    reports: [a, b, c, d],
  };
}
