import type { Policy } from '../../engine/policy.js';
import type { Market } from '../../engine/market.js';
import { matchRound } from '../../engine/matchRound.js';
import { marketOfCells, snapshotOfShard, splitRound } from '../../engine/shards.js';
import type { Hex, Snapshot } from '../../engine/snapshot.js';
import { BenchMarket } from './benchMarket.js';
import { judgeRecords } from './judgeRecords.js';
import { packRecords, unpackRecords } from './packedRecords.js';
import { benchSnapshot, drawOrders, workloadNamed } from './workload.js';

/** A round that a thread makes for itself: all of it follows from these values. */
export interface RoundRecipe {
  readonly workload: string;
  readonly machines: number;
  readonly orders: number;
  readonly seed: number;
}

/** What a thread is asked to do. */
export type BenchTask =
  /** Judge some of the orders of a round by the reference. */
  | {
      readonly kind: 'judge';
      readonly round: RoundRecipe;
      readonly policy: Policy;
      readonly seed: Hex;
      readonly records: Float64Array;
      readonly totals: Float64Array;
      readonly from: number;
      readonly step: number;
    }
  /** Hold one of the shards of a round, its index built, for the matching that follows. */
  | {
      readonly kind: 'hold';
      readonly round: RoundRecipe;
      readonly policy: Policy;
      readonly seed: Hex;
      readonly shardCount: number;
      readonly shard: number;
    }
  /** Match the shard of a split into `shardCount` that is held. */
  | { readonly kind: 'match'; readonly shardCount: number };

/** What a thread answers: numbers that depend on the task, for 'match' the packed records. */
export type BenchAnswer =
  | { readonly kind: 'judge'; readonly judged: number; readonly equal: number }
  | { readonly kind: 'hold'; readonly shards: number; readonly orders: number }
  | { readonly kind: 'match'; readonly records: Float64Array<ArrayBuffer> };

/** The work of one thread, with what it keeps from one task to the next. */
export class BenchTasks {
  #market: { readonly key: string; readonly market: Market } | undefined;
  /** By the number of shards that the round was split into. */
  readonly #held = new Map<number, { readonly snapshot: Snapshot; readonly policy: Policy; readonly seed: Hex }>();

  /** Does one task. Throws when there is no shard to match. */
  run(task: BenchTask): BenchAnswer {
    if (task.kind === 'judge') {
      const { round, policy, seed, totals, from, step } = task;
      const records = unpackRecords(task.records);
      return { kind: 'judge', ...judgeRecords(this.#snapshotOf(round), policy, seed, records, totals, from, step) };
    }
    if (task.kind === 'hold') {
      const { policy, seed } = task;
      const whole = this.#snapshotOf(task.round);
      const shards = splitRound(whole, task.shardCount);
      const shard = shards[task.shard];
      this.#held.delete(task.shardCount);
      if (shard !== undefined) {
        const market = shards.length === 1 ? whole.market : marketOfCells(whole.market, shard.cells);
        const snapshot = snapshotOfShard(whole, shard, market);
        matchRound(snapshot, policy, seed);
        this.#held.set(task.shardCount, { snapshot, policy, seed });
      }
      return { kind: 'hold', shards: shards.length, orders: shard?.orders.length ?? 0 };
    }
    const held = this.#held.get(task.shardCount);
    if (held === undefined) throw new Error('this thread holds no shard');
    return { kind: 'match', records: packRecords(matchRound(held.snapshot, held.policy, held.seed)) };
  }

  /** The market of the last round is kept, for the next one is mostly on the same. */
  #snapshotOf({ workload, machines, orders, seed }: RoundRecipe): Snapshot {
    const wanted = workloadNamed(workload);
    const key = `${wanted.market} ${machines} ${seed}`;
    if (this.#market?.key !== key) {
      this.#market = { key, market: new BenchMarket(wanted.market, machines, seed).market };
    }
    return benchSnapshot(this.#market.market, drawOrders(wanted, orders, seed));
  }
}
