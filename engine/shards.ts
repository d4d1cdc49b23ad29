import { DEVICES_PER_MACHINE, Market, OFFERS_PER_MACHINE } from './market.js';
import { requireAscending } from './matchRound.js';
import type { Bid, Order } from './order.js';
import type { MatchRecord } from './record.js';
import type { Snapshot } from './snapshot.js';

const MODELS = 1024;
const HIGH_SHIFT = 27n;

/** A part of a round that no other part can influence: the machines of some models, and the orders that can only go to them. */
export interface RoundShard {
  /** Ascending; no model is in two shards. A model that no order can go to may be in none. */
  readonly models: readonly number[];
  /** In the order of the snapshot. */
  readonly orders: readonly Order[];
}

/**
 * Splits a round into at most `shardCount` parts (at least 1) with no machine in common and numbers of orders as even as the joins allow.
 * An order that names several models joins them; one that takes any model joins all, so that there is one part.
 * Throws OrdersNotAscendingError.
 */
export function splitRound(snapshot: Snapshot, shardCount: number): RoundShard[] {
  requireAscending(snapshot);
  const groups = joinedModels(snapshot.orders);
  const orderCounts = new Map<number, number>();
  for (const order of snapshot.orders) {
    const group = groups[order.models[0] ?? 0]!;
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
  const shards = loads.map(() => ({ models: [] as number[], orders: [] as Order[] }));
  groups.forEach((group, model) => {
    const shard = shardOfGroup.get(group);
    if (shard !== undefined) shards[shard]!.models.push(model);
  });
  for (const order of snapshot.orders) shards[shardOfGroup.get(groups[order.models[0] ?? 0]!)!]!.orders.push(order);
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

/** A market with all providers but only the machines of `models`, under the ids they have; the rows of others are empty. */
export function marketOfModels(market: Market, models: readonly number[]): Market {
  const part = new Market();
  for (let providerId = 1; providerId <= market.providerCount; providerId++) copyProvider(market, part, providerId);
  const isWanted = new Uint8Array(MODELS);
  for (const model of models) isWanted[model] = 1;
  for (let machineId = 1; machineId <= market.machineCount; machineId++) {
    if (isWanted[market.model[machineId]!] === 1) copyMachine(market, part, machineId);
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

/** By model id the least model that it is joined with. */
function joinedModels(orders: readonly Order[]): Uint16Array {
  const parents = Uint16Array.from({ length: MODELS }, (_, model) => model);
  const rootOf = (model: number): number => {
    let root = model;
    while (parents[root] !== root) root = parents[root]!;
    parents[model] = root;
    return root;
  };
  const join = (a: number, b: number): void => {
    const [low, high] = [rootOf(a), rootOf(b)].sort((x, y) => x - y) as [number, number];
    parents[high] = low;
  };
  for (const { models } of orders) {
    if (models.length === 0) return new Uint16Array(MODELS);
    for (const model of models) join(models[0]!, model);
  }
  return parents.map((_, model) => rootOf(model));
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
