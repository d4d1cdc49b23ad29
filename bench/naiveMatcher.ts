import { Jitter } from '../engine/jitter.js';
import {
  DEVICES_PER_MACHINE,
  OFFERS_PER_MACHINE,
  PROVIDER_ACTIVE,
  UNMEASURED_BPS,
  type Market,
} from '../engine/market.js';
import type { Order } from '../engine/order.js';
import { SCALE, type Policy } from '../engine/policy.js';
import type { Snapshot } from '../engine/snapshot.js';

/** A machine with its provider and offers, as an object of objects. */
interface MachineObject {
  readonly machineId: number;
  readonly model: number;
  readonly region: number;
  readonly isActive: boolean;
  free: { cpuMilli: number; memoryMib: number; storageGib: number; devices: number[] };
  readonly offers: readonly { tokenId: number; gpu: number; core: number; memory: number; storage: number }[];
  readonly provider: {
    readonly providerId: number;
    readonly status: number;
    readonly tier: number;
    readonly attributes: bigint;
    readonly stakeWhole: number;
    readonly uptimeBps: number;
    readonly reputationBps: number;
    readonly slashes: number;
    readonly complianceBps: number;
  };
}

/** Machines of a snapshot as objects: what the naive matcher works on, made before its clock starts. */
export function machineObjects(snapshot: Snapshot, policy: Policy): MachineObject[] {
  const { market, round } = snapshot;
  return Array.from({ length: market.machineCount }, (_, index) => {
    const machineId = index + 1;
    const providerId = market.providerId[machineId] as number;
    return {
      machineId,
      model: market.model[machineId] as number,
      region: market.region[machineId] as number,
      isActive:
        (market.activeFromRound[machineId] as number) <= round &&
        round < (market.activeUntilRound[machineId] as number),
      free: {
        cpuMilli: market.freeCpuMilli[machineId] as number,
        memoryMib: market.freeMemoryMib[machineId] as number,
        storageGib: market.freeStorageGib[machineId] as number,
        devices: [
          ...market.freeMilliGpu.subarray(machineId * DEVICES_PER_MACHINE, (machineId + 1) * DEVICES_PER_MACHINE),
        ],
      },
      offers: Array.from({ length: OFFERS_PER_MACHINE }, (_, offer) => {
        const row = machineId * OFFERS_PER_MACHINE + offer;
        return {
          tokenId: market.offerTokenId[row] as number,
          gpu: market.offerGpuMicroPerHour[row] as number,
          core: market.offerCoreMicroPerHour[row] as number,
          memory: market.offerMemoryGibMicroPerHour[row] as number,
          storage: market.offerStorageTibMicroPerHour[row] as number,
        };
      }),
      provider: {
        providerId,
        status: market.status[providerId] as number,
        tier: market.tier[providerId] as number,
        attributes:
          BigInt(market.attributesLow[providerId] as number) +
          (BigInt(market.attributesHigh[providerId] as number) << 27n),
        stakeWhole: market.stakeWhole[providerId] as number,
        uptimeBps: measured(market.uptimeBps[providerId] as number, policy.defaultUptimeBps),
        reputationBps: measured(market.reputationBps[providerId] as number, policy.defaultReputationBps),
        slashes: market.slashes[providerId] as number,
        complianceBps: complianceOf(market, providerId, snapshot, policy),
      },
    };
  });
}

/**
 * The match of a round as one would write it first: for each order filter the machines, map them to scores, sort, take the best.
 * Takes capacity from `machines`. Returns order and machine of each match.
 */
export function naiveMatch(
  snapshot: Snapshot,
  policy: Policy,
  seed: `0x${string}`,
  machines: MachineObject[],
): [number, number][] {
  const jitter = new Jitter(seed, policy.jitterRange);
  const matches: [number, number][] = [];
  for (const order of snapshot.orders) {
    if (matches.length === policy.maxMatches) break;
    const [best] = machines
      .filter((machine) => fits(order, machine))
      .map((machine) => ({ machine, price: priceOf(order, machine) }))
      .filter(({ price }) => price <= order.maxPriceMicroPerHour)
      .map(({ machine, price }) => ({
        machine,
        total: totalOf(order, machine, price, policy) + jitter.of(order.orderId, machine.provider.providerId),
      }))
      .sort(
        (a, b) =>
          b.total - a.total ||
          a.machine.provider.providerId - b.machine.provider.providerId ||
          a.machine.machineId - b.machine.machineId,
      );
    if (best === undefined) continue;
    reserve(order, best.machine);
    matches.push([order.orderId, best.machine.machineId]);
  }
  return matches;
}

function fits(order: Order, { isActive, provider, offers, model, region, free }: MachineObject): boolean {
  return (
    isActive &&
    provider.status === PROVIDER_ACTIVE &&
    !order.providersExcluded.includes(provider.providerId) &&
    (order.providersWanted.length === 0 || order.providersWanted.includes(provider.providerId)) &&
    offers.some(({ tokenId }) => tokenId === order.tokenId) &&
    (order.models.length === 0 || order.models.includes(model)) &&
    !order.regionsExcluded.includes(region) &&
    (!order.regionRequired || order.regions.length === 0 || order.regions.includes(region)) &&
    (order.tiers === 0 || ((order.tiers >> (provider.tier - 1)) & 1) === 1) &&
    (provider.attributes & order.attributes) === order.attributes &&
    provider.uptimeBps >= order.minUptimeBps &&
    provider.reputationBps >= order.minReputationBps &&
    provider.slashes <= order.maxSlashes &&
    free.cpuMilli >= order.cpuMilli &&
    free.memoryMib >= order.memoryMib &&
    free.storageGib >= order.storageGib &&
    devicesFor(order.milliGpu, free.devices) !== undefined
  );
}

function priceOf(order: Order, { offers }: MachineObject): number {
  const offer = offers.find(({ tokenId }) => tokenId === order.tokenId);
  if (offer === undefined) return Number.POSITIVE_INFINITY;
  return (
    Math.floor((order.milliGpu * offer.gpu) / 1_000) +
    Math.floor((order.cpuMilli * offer.core) / 1_000) +
    Math.floor((order.memoryMib * offer.memory) / 1_024) +
    Math.floor((order.storageGib * offer.storage) / 1_024)
  );
}

function totalOf(order: Order, machine: MachineObject, price: number, policy: Policy): number {
  const { provider, region } = machine;
  const isListed = order.regions.length === 0 || order.regions.includes(region);
  const isNear = order.regions.some((wanted) => wanted >> 5 === region >> 5);
  return (
    provider.complianceBps *
    (policy.weightPriceBps * Math.floor(((order.maxPriceMicroPerHour - price) * SCALE) / order.maxPriceMicroPerHour) +
      policy.weightStakeBps * Math.min(SCALE, Math.floor((provider.stakeWhole * SCALE) / policy.saturationWhole)) +
      policy.weightFitBps * fitOf(order, machine) +
      policy.weightRegionBps * (isListed ? SCALE : isNear ? SCALE / 2 : 0) +
      policy.weightUptimeBps * provider.uptimeBps +
      policy.weightReputationBps * provider.reputationBps)
  );
}

function fitOf(order: Order, { model, free }: MachineObject): number {
  if (order.milliGpu > 0)
    return Math.floor((order.milliGpu * SCALE) / free.devices.reduce((sum, device) => sum + device, 0));
  return model === 0 ? Math.floor((order.cpuMilli * SCALE) / free.cpuMilli) : 0;
}

/** Indices of the devices that an order would take, undefined when there are too few. */
function devicesFor(milliGpu: number, devices: readonly number[]): number[] | undefined {
  if (milliGpu === 0) return [];
  const indexed = devices.map((free, index) => ({ free, index }));
  if (milliGpu < 1_000) {
    const [tightest] = indexed
      .filter(({ free }) => free >= milliGpu)
      .sort((a, b) => a.free - b.free || a.index - b.index);
    return tightest === undefined ? undefined : [tightest.index];
  }
  const whole = indexed.filter(({ free }) => free === 1_000).slice(0, milliGpu / 1_000);
  return whole.length === milliGpu / 1_000 ? whole.map(({ index }) => index) : undefined;
}

function reserve(order: Order, { free }: MachineObject): void {
  for (const index of devicesFor(order.milliGpu, free.devices) ?? []) {
    free.devices[index] = (free.devices[index] as number) - Math.min(order.milliGpu, 1_000);
  }
  free.cpuMilli -= order.cpuMilli;
  free.memoryMib -= order.memoryMib;
  free.storageGib -= order.storageGib;
}

function measured(bps: number, defaultBps: number): number {
  return bps === UNMEASURED_BPS ? defaultBps : bps;
}

function complianceOf(market: Market, providerId: number, { timestampSeconds }: Snapshot, policy: Policy): number {
  const day = Math.floor(timestampSeconds / 86_400);
  const bonus = [...market.reports.subarray(providerId * 4, providerId * 4 + 4)]
    .filter((report) => day <= Math.floor(report / 1_024) % 65_536)
    .reduce((sum, report) => sum + (report % 1_024), 0);
  return Math.min(policy.complianceCapBps, 10_000 + bonus);
}
