import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { LocalNetwork } from './localNetwork.js';

const SCENARIO_MS = 120_000;
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start({ mining: 'instant' });
  await network.run();
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

test(
  'on a chain that makes blocks only on demand, tick closes the round of a lone order',
  async () => {
    const { orderId } = await network.order();
    await network.leased(orderId);
    expect(
      await network.metric(network.aggregator, 'matchmaker_aggregator_upkeep_total', {
        what: 'tick',
        outcome: 'mined',
      }),
    ).toBeGreaterThan(0);
    const again = await network.order();
    await network.leased(again.orderId);
  },
  SCENARIO_MS,
);
