import { DEVICES_PER_MACHINE, Market, OFFERS_PER_MACHINE } from './market.js';
import { requireAscending } from './matchRound.js';
import type { Bid, Order } from './order.js';
import type { MatchRecord } from './record.js';
import type { Snapshot } from './snapshot.js';

const MODELS = 1024;
const REGIONS = 1024;
/** Orders may name ids that no machine can have. */
const NAMED_IDS = 65_536;
const HIGH_SHIFT = 27n;

/** Machines that orders tell apart from others by what they name: those of a model, in one region or, with `region` null, in all. */
export interface MachineCell {
  readonly model: number;
  readonly region: number | null;
}

/** A part of a round that no other part can influence: the machines of some cells, and the orders that can only go to them. */
export interface RoundShard {
  /** Ascending; no machine is in the cells of two shards. A machine that no order can go to may be in none. */
  readonly cells: readonly MachineCell[];
  /** In the order of the snapshot. */
  readonly orders: readonly Order[];
}

/**
 * Splits a round into at most `shardCount` parts (at least 1) with no machine in common and numbers of orders as even as the joins allow.
 * Orders that require regions meet only in a model and a region, those that do not in a model. An order that can go to several cells joins
 * them; one that takes any model joins all, so that there is one part. Throws OrdersNotAscendingError.
 */
export function splitRound(snapshot: Snapshot, shardCount: number): RoundShard[] {
  requireAscending(snapshot);
  if (snapshot.orders.some(({ models }) => models.length === 0)) {
    const cells = Array.from({ length: MODELS }, (_, model) => ({ model, region: null }));
    return [{ cells, orders: snapshot.orders }];
  }
  const groups = new CellGroups(snapshot.orders);
  const orderCounts = new Map<number, number>();
  for (const order of snapshot.orders) {
    const group = groups.groupOf(order);
    orderCounts.set(group, (orderCounts.get(group) ?? 0) + 1);
  }
  // The largest group first, each to the shard with the fewest orders so far.
  const bySize = [...orderCounts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const loads = Array.from({ length: Math.min(shardCount, bySize.length) }, () => 0);
  const shardOfGroup = new Map<number, number>();
  for (const [group, count] of bySize) {
    const shard = loads.indexOf(Math.min(...loads));
    loads[shard]! += count;
    shardOfGroup.set(group, shard);
  }
  const shards = loads.map(() => ({ cells: [] as MachineCell[], orders: [] as Order[] }));
  for (const [cell, group] of groups.cells()) shards[shardOfGroup.get(group)!]!.cells.push(cell);
  for (const order of snapshot.orders) shards[shardOfGroup.get(groups.groupOf(order))!]!.orders.push(order);
  return shards;
}

/** The round of one shard: its orders and their bids on `market`, which holds at least the shard's machines. */
export function snapshotOfShard(snapshot: Snapshot, shard: RoundShard, market: Market): Snapshot {
  const bids = new Map<number, readonly Bid[]>();
  for (const { orderId } of shard.orders) {
    const ofOrder = snapshot.bids.get(orderId);
    if (ofOrder !== undefined) bids.set(orderId, ofOrder);
  }
  return { ...snapshot, orders: shard.orders, bids, market };
}

/** A market with all providers but only the machines of `cells`, under the ids they have; the rows of others are empty. */
export function marketOfCells(market: Market, cells: readonly MachineCell[]): Market {
  const part = new Market();
  for (let providerId = 1; providerId <= market.providerCount; providerId++) copyProvider(market, part, providerId);
  const isWanted = Array.from({ length: MODELS }, () => new Uint8Array(REGIONS));
  for (const { model, region } of cells) {
    if (region === null) isWanted[model]?.fill(1);
    else isWanted[model]?.fill(1, region, region + 1);
  }
  for (let machineId = 1; machineId <= market.machineCount; machineId++) {
    if (isWanted[market.model[machineId]!]![market.region[machineId]!] === 1) copyMachine(market, part, machineId);
  }
  return part;
}

/**
 * The records of the whole round from those of its shards: ascending by order id, the first `maxMatches`.
 * Equal to the round matched in one part, because a shard's records up to any order id depend on no other shard.
 */
export function mergeShardRecords(parts: readonly (readonly MatchRecord[])[], maxMatches: number): MatchRecord[] {
  return parts
    .flat()
    .sort((a, b) => a.orderId - b.orderId)
    .slice(0, maxMatches);
}

/** The cells that orders, each of which names a model, can go to, joined where one order can go to several. */
class CellGroups {
  /** Models that some order takes in any region: they are one cell. */
  readonly #isWhole = new Uint8Array(NAMED_IDS);
  /** By cell number a cell of the same group with a lower number, or itself. */
  readonly #parents = new Map<number, number>();

  constructor(orders: readonly Order[]) {
    for (const order of orders) {
      if (!requiresRegion(order)) for (const model of order.models) this.#isWhole[model] = 1;
    }
    for (const order of orders) {
      const cells = this.#cellsOf(order);
      for (const cell of cells) if (!this.#parents.has(cell)) this.#parents.set(cell, cell);
      for (const cell of cells) this.#join(cells[0]!, cell);
    }
  }

  /** The group of an order, by the lowest cell number in it. */
  groupOf(order: Order): number {
    return this.#rootOf(this.#cellsOf(order)[0]!);
  }

  /** All cells that some order can go to, ascending, each with its group. */
  cells(): [cell: MachineCell, group: number][] {
    return [...this.#parents.keys()]
      .sort((a, b) => a - b)
      .map((cell) => {
        const model = Math.floor(cell / NAMED_IDS);
        const region = this.#isWhole[model] === 1 ? null : cell % NAMED_IDS;
        return [{ model, region }, this.#rootOf(cell)];
      });
  }

  /** Numbers of the cells that an order can go to: at least one. A model that is one cell has the number of its region 0. */
  #cellsOf({ models, regions }: Order): number[] {
    return models.flatMap((model) =>
      this.#isWhole[model] === 1 ? [model * NAMED_IDS] : regions.map((region) => model * NAMED_IDS + region),
    );
  }

  #rootOf(cell: number): number {
    let root = cell;
    while (this.#parents.get(root) !== root) root = this.#parents.get(root)!;
    this.#parents.set(cell, root);
    return root;
  }

  #join(a: number, b: number): void {
    const [low, high] = [this.#rootOf(a), this.#rootOf(b)].sort((x, y) => x - y) as [number, number];
    this.#parents.set(high, low);
  }
}

function requiresRegion({ regions, regionRequired }: Order): boolean {
  return regionRequired && regions.length > 0;
}

function copyMachine(from: Market, to: Market, machineId: number): void {
  to.setMachine(machineId, {
    activeFromRound: from.activeFromRound[machineId]!,
    activeUntilRound: from.activeUntilRound[machineId]!,
    providerId: from.providerId[machineId]!,
    model: from.model[machineId]!,
    region: from.region[machineId]!,
    offersWritten: from.offersWritten[machineId]!,
    freeMemoryMib: from.freeMemoryMib[machineId]!,
    freeCpuMilli: from.freeCpuMilli[machineId]!,
    freeStorageGib: from.freeStorageGib[machineId]!,
    freeMilliGpu: Array.from(
      from.freeMilliGpu.subarray(machineId * DEVICES_PER_MACHINE, (machineId + 1) * DEVICES_PER_MACHINE),
    ),
  });
  for (let offerIndex = 0; offerIndex < OFFERS_PER_MACHINE; offerIndex++) {
    const row = machineId * OFFERS_PER_MACHINE + offerIndex;
    to.setOffer(machineId, offerIndex, {
      tokenId: from.offerTokenId[row]!,
      gpuMicroPerHour: from.offerGpuMicroPerHour[row]!,
      coreMicroPerHour: from.offerCoreMicroPerHour[row]!,
      memoryGibMicroPerHour: from.offerMemoryGibMicroPerHour[row]!,
      storageTibMicroPerHour: from.offerStorageTibMicroPerHour[row]!,
    });
  }
}

function copyProvider(from: Market, to: Market, providerId: number): void {
  const report = (index: number): number => from.reports[providerId * 4 + index]!;
  to.setProvider(providerId, {
    stakeWhole: from.stakeWhole[providerId]!,
    status: from.status[providerId]!,
    tier: from.tier[providerId]!,
    uptimeBps: from.uptimeBps[providerId]!,
    reputationBps: from.reputationBps[providerId]!,
    slashes: from.slashes[providerId]!,
    attributes: BigInt(from.attributesLow[providerId]!) + (BigInt(from.attributesHigh[providerId]!) << HIGH_SHIFT),
    reports: [report(0), report(1), report(2), report(3)],
  });
}
