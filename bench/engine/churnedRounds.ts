import { percentile } from '../../devnet/percentile.js';
import { SeededRandom } from '../../devnet/random.js';
import { maintainIndex } from '../../engine/maintainIndex.js';
import { DEVICES_PER_MACHINE } from '../../engine/market.js';
import type { Market } from '../../engine/market.js';
import { matchRound } from '../../engine/matchRound.js';
import type { Order } from '../../engine/order.js';
import type { Policy } from '../../engine/policy.js';
import type { MatchRecord } from '../../engine/record.js';
import { encodeRecords, hashRecords } from '../../protocol/records.js';
import { roundSeed } from '../../protocol/seed.js';
import type { BenchMarket } from './benchMarket.js';
import { MarketUpdates } from './marketUpdates.js';
import { benchSnapshot, drawOrder, drawOrders } from './workload.js';
import type { Workload } from './workload.js';

/** Leaves that are tended at a time. */
const LEAVES_AT_ONCE = 32;
/** Of the network of `config/networks/devnet.json`: blocks of a round, and milliseconds from one to the next. */
const BLOCKS = 8;
const BLOCK_MS = 250;

/** Matches a batch of the policy default. */
export const BATCH = 512;

/**
 * When the changes of a round are written: all just before it, so that it has to follow every one itself, which is the worst case; or an
 * eighth in each of its eight blocks, followed between them, the last eighth just before it, as an operator sees them.
 */
export const ARRIVALS = ['atOnce', 'byBlock'] as const;
export type Arrival = (typeof ARRIVALS)[number];

/** Milliseconds of a round's matching and of its records hash, over many rounds of a market that changes. */
export interface ChurnedRounds {
  readonly arrival: Arrival;
  readonly rounds: number;
  readonly openOrders: number;
  readonly machinesChanged: number;
  readonly matchesPerRound: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Writing the changes into the market, which happens as blocks arrive. */
  readonly writeP50Ms: number;
  /** Bringing the index up to the changes before a round and tending it, which an operator does whenever it waits. */
  readonly upkeepP50Ms: number;
}

/**
 * Runs rounds one after the other: changes a hundredth of the machines, matches at most 512 of the open orders and hashes the records,
 * takes the capacity and puts new orders in the place of the matched ones. Between two blocks, all that an operator waits for, the index
 * has the time of a block to be brought up to the market and tended. Stops after `rounds` rounds or `budgetMs`.
 */
export function runChurnedRounds(
  market: BenchMarket,
  workload: Workload,
  policy: Policy,
  options: {
    readonly arrival: Arrival;
    readonly orders: number;
    readonly seed: number;
    readonly rounds: number;
    readonly budgetMs: number;
  },
): ChurnedRounds {
  const updates = new MarketUpdates(market, options.seed);
  const random = new SeededRandom(options.seed + 1);
  const changes = Math.ceil(market.market.machineCount / 100);
  let open: Order[] = drawOrders(workload, options.orders, options.seed);
  let nextId = options.orders + 1;
  const matchMs: number[] = [];
  const writeMs: number[] = [];
  const upkeepMs: number[] = [];
  let matches = 0;
  const end = performance.now() + options.budgetMs;
  const terms = { ...policy, maxMatches: BATCH };
  const parts = options.arrival === 'atOnce' ? 1 : BLOCKS;
  for (let count = 0; count < options.rounds && (count < 2 || performance.now() < end); count++) {
    const drawn = updates.draw(changes);
    let writing = 0;
    let tending = 0;
    for (let part = 0; part < parts; part++) {
      if (part > 0) tending += tend(market.market, BLOCK_MS);
      const written = performance.now();
      updates.apply(drawn.slice(Math.floor((part * changes) / parts), Math.floor(((part + 1) * changes) / parts)));
      writing += performance.now() - written;
    }
    const snapshot = benchSnapshot(market.market, open);
    const round = snapshot.round + count;
    const start = performance.now();
    const records = matchRound({ ...snapshot, round }, terms, roundSeed(snapshot.snapshotHash, round));
    hashRecords(encodeRecords(records));
    matchMs.push(performance.now() - start);
    writeMs.push(writing);
    matches += records.length;
    upkeepMs.push(tending + tend(market.market, (BLOCKS + 1 - parts) * BLOCK_MS));
    for (const record of records) lease(market.market, record);
    const matched = new Set(records.map(({ orderId }) => orderId));
    open = open.filter(({ orderId }) => !matched.has(orderId));
    while (open.length < options.orders) open.push(drawOrder(workload, random, nextId++));
  }
  // The first round builds what later ones keep.
  const steady = matchMs.slice(1);
  return {
    arrival: options.arrival,
    rounds: steady.length,
    openOrders: options.orders,
    machinesChanged: changes,
    matchesPerRound: matches / matchMs.length,
    p50Ms: percentile(steady, 50)!,
    p99Ms: percentile(steady, 99)!,
    writeP50Ms: percentile(writeMs, 50)!,
    upkeepP50Ms: percentile(upkeepMs, 50)!,
  };
}

/** Tends the index until nothing is left to do or `mostMs` are over; returns the milliseconds that it took. */
function tend(market: Market, mostMs: number): number {
  const start = performance.now();
  while (maintainIndex(market, LEAVES_AT_ONCE) && performance.now() - start < mostMs);
  return performance.now() - start;
}

/** Writes into the market what a settled match takes of its machine. */
export function lease(market: Market, record: MatchRecord): void {
  const { machineId } = record;
  const perDevice = Math.min(record.milliGpu, 1000);
  market.setMachine(machineId, {
    activeFromRound: market.activeFromRound[machineId]!,
    activeUntilRound: market.activeUntilRound[machineId]!,
    providerId: market.providerId[machineId]!,
    model: market.model[machineId]!,
    region: market.region[machineId]!,
    offersWritten: market.offersWritten[machineId]!,
    freeMemoryMib: market.freeMemoryMib[machineId]! - record.memoryMib,
    freeCpuMilli: market.freeCpuMilli[machineId]! - record.cpuMilli,
    freeStorageGib: market.freeStorageGib[machineId]! - record.storageGib,
    freeMilliGpu: Array.from({ length: DEVICES_PER_MACHINE }, (_, device) => {
      const free = market.freeMilliGpu[machineId * DEVICES_PER_MACHINE + device]!;
      return ((record.deviceMask >> device) & 1) === 1 ? free - perDevice : free;
    }),
  });
}
