import { percentile } from '../../devnet/percentile.js';
import type { Policy } from '../../engine/policy.js';
import type { MatchRecord } from '../../engine/record.js';
import { mergeShardRecords } from '../../engine/shards.js';
import type { Hex } from '../../engine/snapshot.js';
import { encodeRecords, hashRecords } from '../../protocol/records.js';
import type { RoundRecipe } from './benchTask.js';
import type { BenchThread } from './benchThreads.js';
import { unpackRecords } from './packedRecords.js';

/** One round matched by one and by two threads. */
export interface WorkerFigures {
  readonly orders: number;
  /** Parts that the round falls into; 1 when every order may meet every other, which two workers do not make faster. */
  readonly shards: number;
  readonly oneMedianMs: number;
  readonly twoMedianMs: number;
  readonly ratio: number;
  readonly recordsHash: Hex;
  readonly sameHash: boolean;
}

/**
 * Matches a round in turn by one thread that holds all of it and by two that hold a shard each, from the message that starts them to
 * the last of their records. Merging and hashing come after the clock, for both.
 */
export async function compareWorkers(
  threads: readonly [BenchThread, BenchThread],
  round: RoundRecipe,
  policy: Policy,
  seed: Hex,
  runs: number,
): Promise<WorkerFigures> {
  const terms = { ...policy, maxMatches: round.orders };
  const times: Record<1 | 2, number[]> = { 1: [], 2: [] };
  const hashes = new Set<Hex>();
  const busy: Record<1 | 2, BenchThread[]> = { 1: [], 2: [] };
  for (const workers of [1, 2] as const) {
    const used = threads.slice(0, workers);
    const held = await Promise.all(
      used.map((thread, shard) => thread.run({ kind: 'hold', round, policy: terms, seed, shardCount: workers, shard })),
    );
    busy[workers] = used.filter((_, index) => held[index]!.orders > 0);
  }
  for (let run = 0; run < runs; run++) {
    for (const workers of [1, 2] as const) {
      const start = performance.now();
      const answers = await Promise.all(
        busy[workers].map((thread) => thread.run({ kind: 'match', shardCount: workers })),
      );
      times[workers].push(performance.now() - start);
      const parts = answers.map(({ records }) => unpackRecords(records));
      hashes.add(hashOf(parts, round.orders));
    }
  }
  const one = percentile(times[1], 50)!;
  const two = percentile(times[2], 50)!;
  const [recordsHash] = hashes;
  return {
    orders: round.orders,
    shards: busy[2].length,
    oneMedianMs: one,
    twoMedianMs: two,
    ratio: one / two,
    recordsHash: recordsHash!,
    sameHash: hashes.size === 1,
  };
}

function hashOf(parts: readonly (readonly MatchRecord[])[], maxMatches: number): Hex {
  return hashRecords(encodeRecords(mergeShardRecords(parts, maxMatches)));
}
