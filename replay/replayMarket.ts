import type { MachineSupply, PastOrder } from '../engine/derivation/derivePackingTerms.js';
import { DEVICES_PER_MACHINE, Market, PROVIDER_ACTIVE } from '../engine/market.js';
import type { Order } from '../engine/order.js';
import type { Policy } from '../engine/policy.js';
import type { MatchRecord } from '../engine/record.js';
import type { Snapshot } from '../engine/snapshot.js';
import type { WorkloadMachine, WorkloadTask } from './parseWorkload.js';

/** Unit prices of one machine, micro-units of token 1 per hour. */
export interface UnitPrices {
  readonly gpu: number;
  readonly core: number;
  readonly memoryGib: number;
}

/** What a machine asks, and the most that a task pays. */
export interface ReplayPrices {
  readonly offerOf: (machineId: number) => UnitPrices;
  readonly maxPriceOf: (task: WorkloadTask) => number;
}

const NEVER = 0xffff_ffff;
const TOKEN = 1;
const PROVIDER = 1;
const ROUND = 1;
const MAX_PRICE = 2 ** 39 - 1;

const FREE_OF_CHARGE: ReplayPrices = {
  offerOf: () => ({ gpu: 0, core: 0, memoryGib: 0 }),
  maxPriceOf: () => MAX_PRICE,
};

/** A market of one provider whose machines carry the load; machines count from 1 in the order given, models by name. */
export class ReplayMarket {
  readonly market = new Market();
  readonly installedMilliGpu: number;
  readonly supply: readonly MachineSupply[];
  readonly #models: ReadonlyMap<string, number>;
  readonly #prices: ReplayPrices;

  /** Machines without GPU are left out. */
  constructor(machines: readonly WorkloadMachine[], tasks: readonly WorkloadTask[], prices = FREE_OF_CHARGE) {
    this.#prices = prices;
    const withGpu = machines.filter(({ devices }) => devices > 0);
    const names = new Set([...withGpu.map(({ model }) => model), ...tasks.flatMap(({ models }) => models)]);
    this.#models = new Map([...names].sort().map((name, index) => [name, index + 1]));
    this.supply = withGpu.map(({ model, devices }) => ({
      model: this.#models.get(model)!,
      milliGpu: devices * 1000,
    }));
    this.installedMilliGpu = this.supply.reduce((sum, { milliGpu }) => sum + milliGpu, 0);
    this.market.setProvider(PROVIDER, {
      stakeWhole: 0,
      status: PROVIDER_ACTIVE,
      tier: 1,
      uptimeBps: 0,
      reputationBps: 0,
      slashes: 0,
      attributes: 0n,
      reports: [0, 0, 0, 0],
    });
    withGpu.forEach(({ cpuMilli, memoryMib, devices, model }, index) => {
      const machineId = index + 1;
      const freeMilliGpu = Array.from({ length: DEVICES_PER_MACHINE }, (_, device) => (device < devices ? 1000 : 0));
      this.#write(machineId, this.#models.get(model)!, cpuMilli, memoryMib, freeMilliGpu);
      const offer = prices.offerOf(machineId);
      this.market.setOffer(machineId, 0, {
        tokenId: TOKEN,
        gpuMicroPerHour: offer.gpu,
        coreMicroPerHour: offer.core,
        memoryGibMicroPerHour: offer.memoryGib,
        storageTibMicroPerHour: 0,
      });
    });
  }

  /** A task as a past order. */
  pastOrderOf({ milliGpu, cpuMilli, memoryMib, models }: WorkloadTask): PastOrder {
    return { milliGpu, cpuMilli, memoryMib, models: models.map((model) => this.#models.get(model)!) };
  }

  /** A round in which `tasks` are ordered, in their order, with ids from `firstOrderId` on. */
  snapshotOf(tasks: readonly WorkloadTask[], firstOrderId: number): Snapshot {
    return {
      round: ROUND,
      blockNumber: 1,
      snapshotHash: `0x${'00'.repeat(32)}`,
      timestampSeconds: 1,
      orders: tasks.map((task, index) => this.#orderOf(task, firstOrderId + index)),
      bids: new Map(),
      market: this.market,
    };
  }

  /** Takes what the records of a round take, for good. */
  settle(records: readonly MatchRecord[]): void {
    const { market } = this;
    for (const { machineId, deviceMask, milliGpu, cpuMilli, memoryMib } of records) {
      const first = machineId * DEVICES_PER_MACHINE;
      const freeMilliGpu = Array.from(
        market.freeMilliGpu.subarray(first, first + DEVICES_PER_MACHINE),
        (free, device) => ((deviceMask >> device) & 1 ? free - Math.min(milliGpu, 1000) : free),
      );
      this.#write(
        machineId,
        market.model[machineId]!,
        market.freeCpuMilli[machineId]! - cpuMilli,
        market.freeMemoryMib[machineId]! - memoryMib,
        freeMilliGpu,
      );
    }
  }

  #write(
    machineId: number,
    model: number,
    freeCpuMilli: number,
    freeMemoryMib: number,
    freeMilliGpu: readonly number[],
  ): void {
    this.market.setMachine(machineId, {
      activeFromRound: ROUND,
      activeUntilRound: NEVER,
      providerId: PROVIDER,
      model,
      region: 0,
      offersWritten: 1,
      freeMemoryMib,
      freeCpuMilli,
      freeStorageGib: 0,
      freeMilliGpu,
    });
  }

  #orderOf(task: WorkloadTask, orderId: number): Order {
    const { milliGpu, cpuMilli, memoryMib, models } = this.pastOrderOf(task);
    return {
      orderId,
      isOpen: true,
      untilRound: NEVER,
      eligibleFromBlock: 0,
      expiresAtSeconds: NEVER,
      milliGpu,
      cpuMilli,
      memoryMib,
      storageGib: 0,
      models,
      regions: [],
      regionsExcluded: [],
      providersWanted: [],
      providersExcluded: [],
      tiers: 0,
      attributes: 0n,
      regionRequired: false,
      minUptimeBps: 0,
      minReputationBps: 0,
      maxSlashes: 255,
      tokenId: TOKEN,
      maxPriceMicroPerHour: this.#prices.maxPriceOf(task),
      durationMinutes: 60,
    };
  }
}

/** A policy of version 2 without jitter in which packing alone counts; its terms are still to be given. */
export const PACKING_ALONE: Omit<Policy, 'packing'> = {
  rulesVersion: 2,
  weightPriceBps: 0,
  weightStakeBps: 0,
  weightFitBps: 0,
  weightRegionBps: 0,
  weightUptimeBps: 0,
  weightReputationBps: 0,
  weightPackingBps: 10_000,
  saturationWhole: 1,
  complianceCapBps: 10_000,
  jitterRange: 0,
  defaultUptimeBps: 0,
  defaultReputationBps: 0,
  maxMatches: NEVER,
  quorumBps: 6667,
  minTotalStake: 1n,
  maxTableAgeSeconds: 1,
  coolRounds: 0,
  selfMatchRounds: 1,
};
