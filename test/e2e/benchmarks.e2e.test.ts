import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

import { benchLoad } from '../../bench/load/benchLoad.js';
import { benchSubmission } from '../../bench/submission/benchSubmission.js';

const SCENARIO_MS = 240_000;
const CLI_FILE = fileURLToPath(new URL('../../dist/matchmaker.js', import.meta.url));
const HOST_FILE = fileURLToPath(new URL('../../dist/operatorHost.js', import.meta.url));
const BLOCK_TIME_MS = 250;
const ROUND_LENGTH_BLOCKS = 8;

test(
  'the benchmark of submission accounts for every round it measured, and for every order it sent',
  async () => {
    const rounds = 2;
    const result = await benchSubmission(
      {
        cliFile: CLI_FILE,
        hostFile: HOST_FILE,
        operators: 4,
        processes: 2,
        rounds,
        ordersPerRound: 2,
        blockTimeMs: BLOCK_TIME_MS,
        roundLengthBlocks: ROUND_LENGTH_BLOCKS,
        providers: 2,
        seed: 3,
      },
      { say: () => undefined },
    );
    expect(result.settled + result.lapsed).toBe(rounds);
    expect(Object.values(result.latencyBlocks.counts).reduce((sum, count) => sum + count, 0)).toBe(rounds);
    expect(result.settled).toBeGreaterThan(0);
    const [few, many] = result.spans;
    expect(few!.orders).toBeGreaterThan(0);
    expect(many!.orders).toBeGreaterThan(5 * few!.orders);
    expect(few!.redisCommands).toBeGreaterThan(0);
  },
  SCENARIO_MS,
);

test(
  'a market under load keeps to its gas bound, clears its backlog after an outage and agrees with an audit',
  async () => {
    const result = await benchLoad(
      {
        cliFile: CLI_FILE,
        seconds: 4,
        outageSeconds: 3,
        operators: 4,
        providers: 2,
        tenants: 4,
        blockTimeMs: BLOCK_TIME_MS,
        roundLengthBlocks: ROUND_LENGTH_BLOCKS,
        blockGasLimit: 36_000_000,
        ratePercent: 20,
        seed: 3,
      },
      { say: () => undefined },
    );
    expect(result.load.created).toBeGreaterThan(0);
    expect(result.gas.creation).toBeGreaterThan(result.gas.settlementPerMatch);
    // What was sent for a block may be mined in the next.
    expect(result.load.gasPercentOfTarget).toBeLessThan(100);
    expect(result.recovery.backlogAtRestart).toBeGreaterThan(0);
    expect(result.recovery).toMatchObject({ cleared: true, atMaxMatches: true });
    expect(result.churn.reverted).toBe(0);
    expect(result.audit.mismatches).toEqual([]);
    expect(Object.keys(result.processes)).toEqual(
      expect.arrayContaining(['anvil', 'aggregator', 'operator-1', 'operator-4', 'bench']),
    );
  },
  SCENARIO_MS,
);
