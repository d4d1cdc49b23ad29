import { expect, test } from '@jest/globals';

import { BenchMarket } from '../../bench/engine/benchMarket.js';
import { benchPolicies } from '../../bench/engine/benchPolicy.js';
import { benchSnapshot, drawOrders, workloadNamed } from '../../bench/engine/workload.js';
import { matchRound } from '../../engine/matchRound.js';
import { marketOfCells, mergeShardRecords, snapshotOfShard, splitRound } from '../../engine/shards.js';
import { roundSeed } from '../../protocol/seed.js';
import { encodeRecords, hashRecords } from '../../protocol/records.js';

const MACHINES = 3000;
const ORDERS = 600;
const SEED = 7;

/** Hash of a round's records by workload and policy: the same on every machine and version of Node. That of 'default' changes with its file in config/policies alone. */
const PINNED: readonly (readonly [workload: string, policy: 'scores' | 'default', recordsHash: string])[] = [
  ['uniform', 'scores', '0x8eaa34ee38de082c19e196edea7db2385def689cb22a4624fff1b6119dfcdfee'],
  ['skewed', 'scores', '0x014922e7acdbaca4c3a1d133118dd53423a6cc17a608ad450ca2cd2e7b22402c'],
  ['skewed', 'default', '0x917cdba91afdfada55579686b97f6d3d4ac969076455f0d3d2faa66c8b9e5764'],
  ['identical', 'default', '0x3318dc5f8135f3867206767d18211562320ecc9e74286fc763785f03fde21b58'],
];

test.each(PINNED)(
  '%s under %s, in one part and in two: the records have the hash they always had',
  (name, policyName, hash) => {
    const workload = workloadNamed(name);
    const { market } = new BenchMarket(workload.market, MACHINES, SEED);
    const snapshot = benchSnapshot(market, drawOrders(workload, ORDERS, SEED));
    const policy = benchPolicies(ORDERS).get(policyName)!;
    const seed = roundSeed(snapshot.snapshotHash, snapshot.round);
    const whole = matchRound(snapshot, policy, seed);
    expect(whole.length).toBeGreaterThan(ORDERS / 4);
    expect(hashRecords(encodeRecords(whole))).toBe(hash);
    const parts = splitRound(snapshot, 2).map((shard) =>
      matchRound(snapshotOfShard(snapshot, shard, marketOfCells(market, shard.cells)), policy, seed),
    );
    expect(hashRecords(encodeRecords(mergeShardRecords(parts, policy.maxMatches)))).toBe(hash);
  },
);
