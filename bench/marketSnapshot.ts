import type { MarketPlan } from '../devnet/marketPlan.js';
import { Market, PROVIDER_ACTIVE, UNMEASURED_BPS } from '../engine/market.js';
import type { Order } from '../engine/order.js';
import type { Snapshot } from '../engine/snapshot.js';

const ROUND = 1;
const TIMESTAMP_SECONDS = 1_800_000_000;
const NO_ROUND = 0xffff_ffff;
const SECONDS_PER_DAY = 86_400;
const WHOLE_DEVICE = 1_000;

/** A plan's market as the engine would read it from the chain, with its first orders open. */
export function marketSnapshot(plan: MarketPlan): Snapshot {
  const market = new Market();
  const today = Math.floor(TIMESTAMP_SECONDS / SECONDS_PER_DAY);
  plan.providers.forEach((provider, index) => {
    const reports = provider.reports.map(
      ({ standard, bps, validDays }) => standard * 2 ** 26 + (today + validDays) * 2 ** 10 + bps,
    );
    market.setProvider(index + 1, {
      stakeWhole: provider.extraStakeWhole,
      status: PROVIDER_ACTIVE,
      tier: provider.tier,
      uptimeBps: provider.scores?.uptimeBps ?? UNMEASURED_BPS,
      reputationBps: provider.scores?.reputationBps ?? UNMEASURED_BPS,
      slashes: provider.scores?.slashes ?? 0,
      attributes: provider.attributes,
      reports: [reports[0] ?? 0, reports[1] ?? 0, reports[2] ?? 0, reports[3] ?? 0],
    });
  });
  plan.machines.forEach(({ provider, spec, offers }, index) => {
    const machineId = index + 1;
    market.setMachine(machineId, {
      activeFromRound: ROUND,
      activeUntilRound: NO_ROUND,
      providerId: provider + 1,
      model: spec.model,
      region: spec.region,
      offersWritten: 2 ** offers.length - 1,
      freeMemoryMib: spec.memoryMib,
      freeCpuMilli: spec.cpuMilli,
      freeStorageGib: spec.storageGib,
      freeMilliGpu: Array.from({ length: spec.deviceCount }, () => WHOLE_DEVICE),
    });
    offers.forEach((offer, offerIndex) => market.setOffer(machineId, offerIndex, offer));
  });
  const orders = plan.orders.map(({ spec }, index): Order => ({
    ...spec,
    orderId: index + 1,
    isOpen: true,
    untilRound: NO_ROUND,
    eligibleFromBlock: 0,
    expiresAtSeconds: TIMESTAMP_SECONDS + SECONDS_PER_DAY,
    providersWanted: spec.providersWanted.map((provider) => provider + 1),
    providersExcluded: spec.providersExcluded.map((provider) => provider + 1),
  }));
  return {
    round: ROUND,
    blockNumber: 1,
    snapshotHash: `0x${'5a'.repeat(32)}`,
    timestampSeconds: TIMESTAMP_SECONDS,
    orders,
    bids: new Map(),
    market,
  };
}
