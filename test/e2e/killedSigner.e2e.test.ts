import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { PseudoRandom } from '../vectors/pseudoRandom.js';
import { LocalNetwork } from './localNetwork.js';

const SCENARIO_MS = 120_000;
const KILLS = 30;
const CONCURRENT = 3;
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start({ roundLengthBlocks: 4 });
  await network.startAggregator();
  await network.ready(network.aggregator);
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

test(
  'operators killed at any moment around a signature, also while the chain is reorganised, never sign a round twice',
  async () => {
    const seed = randomInt(2 ** 31);
    const random = new PseudoRandom(seed);
    // Nothing settles, so that the order stays and every round is worth a signature.
    network.aggregatorRpc.script(async ({ method }, forward) =>
      method === 'eth_sendRawTransaction' ? Promise.reject(new Error('held back')) : forward(),
    );
    await network.order();
    const signedBefore = network.sink.seen.length;
    const killAgainAndAgain = async (index: number): Promise<void> => {
      for (let kill = 0; kill < KILLS / CONCURRENT; kill++) {
        const seen = network.sink.seen.length;
        await network.startOperator(index);
        await network.ready(network.operators[index]!);
        // Half of the kills follow a signature closely, the others come at any time of a round.
        if (random.bits(1) === 0) {
          await network.until('a signature', () => network.sink.seen.length > seen, 10_000);
          await sleep(random.bits(4));
        } else {
          await sleep(random.bits(10));
        }
        await network.kill(network.operators[index]!);
        if (random.bits(2) === 0) {
          await network.testClient.request({ method: 'anvil_reorg', params: [1 + random.bits(1), []] } as never);
        }
      }
    };
    try {
      await Promise.all([1, 2, 3].map(killAgainAndAgain));
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    expect({ seed, twice: network.sink.doubleSignatures() }).toEqual({ seed, twice: [] });
    expect(network.sink.seen.length).toBeGreaterThan(signedBefore + CONCURRENT);
    expect(network.evidence().filter(({ kind }) => kind === 'conflict')).toEqual([]);
  },
  SCENARIO_MS,
);
