import { generateMarket } from '../devnet/generateMarket.js';
import { loadDefaultPolicy } from '../devnet/parameters.js';
import { percentile } from '../devnet/percentile.js';
import { matchRound } from '../engine/matchRound.js';
import { roundSeed } from '../protocol/seed.js';
import { benchPolicies } from './engine/benchPolicy.js';
import type { Figure } from './figure.js';
import { marketSnapshot } from './marketSnapshot.js';
import { machineObjects, naiveMatch } from './naiveMatcher.js';

const MACHINES_PER_PROVIDER = 6;
const PROVIDERS = 1_667;
const RUNS = 7;

/**
 * Matches per second of one full batch at 10,000 machines, and of a naive filter-map-sort over objects on the same batch,
 * in turn, medians. Throws when the two do not agree on every match.
 */
export function benchMatching(): Figure[] {
  // The naive matcher knows the six scores alone.
  const policy = benchPolicies(loadDefaultPolicy().maxMatches).get('scores');
  if (policy === undefined) throw new TypeError('no policy of the six scores');
  const snapshot = marketSnapshot(generateMarket({ providers: PROVIDERS, orders: 600, seed: 5 }));
  const seed = roundSeed(snapshot.snapshotHash, snapshot.round);
  const engineMs: number[] = [];
  const naiveMs: number[] = [];
  let matches = 0;
  for (let run = 0; run < RUNS; run++) {
    const objects = machineObjects(snapshot, policy);
    const start = performance.now();
    const records = matchRound(snapshot, policy, seed);
    const between = performance.now();
    const naive = naiveMatch(snapshot, policy, seed, objects);
    naiveMs.push(performance.now() - between);
    engineMs.push(between - start);
    matches = records.length;
    const same = records.every(
      ({ orderId, machineId }, index) => naive[index]?.[0] === orderId && naive[index]?.[1] === machineId,
    );
    if (!same || naive.length !== records.length) throw new Error('the naive matcher does not agree with matchRound');
  }
  const engine = percentile(engineMs, 50) as number;
  const naive = percentile(naiveMs, 50) as number;
  const setting = `${matches} matches, ${PROVIDERS * MACHINES_PER_PROVIDER} machines of ${PROVIDERS} providers, median of ${RUNS}`;
  return [
    { name: 'matchRound', value: (matches * 1_000) / engine, unit: 'matches/s', setting },
    {
      name: 'naive filter-map-sort',
      value: (matches * 1_000) / naive,
      unit: 'matches/s',
      setting: 'same batch, same run',
    },
    { name: 'matchRound over naive', value: naive / engine, unit: 'x', setting: 'same run' },
    { name: 'matchRound, whole batch', value: engine, unit: 'ms', setting },
  ];
}
