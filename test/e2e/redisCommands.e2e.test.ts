import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';

import { LocalNetwork } from './localNetwork.js';

const SCENARIO_MS = 180_000;
const FEW = 6;
const MANY = 10 * FEW;
/** What an aggregator has done for a settled round, whatever is in it. */
const JOBS_OF_A_ROUND = ['confirm', 'feeBump'];
let network: LocalNetwork;
let redis: Redis;
let monitor: Redis;
/** Every command that the aggregator sent, as one text each. */
let commands: string[];

beforeEach(async () => {
  network = await LocalNetwork.start({ roundLengthBlocks: 16 });
  commands = [];
  redis = new Redis(network.redis.url);
  monitor = await redis.monitor();
  monitor.on('monitor', (_time: string, args: readonly string[]) => commands.push(args.join(' ')));
  await network.run();
}, SCENARIO_MS);

afterEach(async () => {
  monitor?.disconnect();
  redis?.disconnect();
  await network?.stop();
}, SCENARIO_MS);

/** Has so many orders leased in rounds of their own; returns the jobs that were added for the rounds, by round. */
async function jobsFor(orderCount: number): Promise<{ rounds: number[]; jobs: Map<number, string[]> }> {
  const settledBefore = await network.lastSettledRound();
  const from = commands.length;
  const sent = await Promise.all(
    Array.from({ length: orderCount }, () => network.sendOrder({ milliGpu: 10, cpuMilli: 10 })),
  );
  for (const { hash } of sent) await network.leased((await network.orderOf(hash)).orderId);
  const settlements = (await network.settlements()).filter(({ round }) => round > settledBefore);
  expect(settlements.flatMap(({ orderIds }) => orderIds)).toHaveLength(orderCount);
  const rounds = settlements.map(({ round }) => round);
  const added = (): Map<number, string[]> =>
    jobsIn(commands.slice(from), network.deployment.chainId, (round) => round > settledBefore);
  await network.until(
    'the jobs of the last round',
    () => added().get(rounds.at(-1)!)?.length === JOBS_OF_A_ROUND.length,
  );
  return { rounds, jobs: added() };
}

/** Kinds of jobs that commands name, by round. */
function jobsIn(sent: readonly string[], chainId: number, isWanted: (round: number) => boolean): Map<number, string[]> {
  const jobs = new Map<number, Set<string>>();
  for (const command of sent) {
    for (const [, round, kind] of command.matchAll(new RegExp(`${chainId}-(\\d+)-([A-Za-z]+)`, 'g'))) {
      if (!isWanted(Number(round))) continue;
      jobs.set(Number(round), (jobs.get(Number(round)) ?? new Set()).add(kind!));
    }
  }
  return new Map([...jobs].map(([round, kinds]) => [round, [...kinds].toSorted()]));
}

test(
  'Redis hears of rounds, never of orders: ten times the orders are the same jobs a round',
  async () => {
    const few = await jobsFor(FEW);
    const many = await jobsFor(MANY);
    for (const { rounds, jobs } of [few, many]) {
      expect([...jobs].toSorted(([a], [b]) => a - b)).toEqual(rounds.map((round) => [round, JOBS_OF_A_ROUND]));
    }
    // Far fewer rounds than orders, or the count would say nothing.
    expect(many.rounds.length).toBeLessThan(MANY / 5);
    // Nothing that Redis was sent holds an order: a record is 32 bytes, a signature 65, whoever encodes them.
    for (const command of commands) expect(command).not.toMatch(/0x[0-9a-f]{128}/i);
  },
  SCENARIO_MS,
);
