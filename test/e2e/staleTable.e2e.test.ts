import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { ServiceProcess } from '../../devnet/runProcesses.js';
import { OrderState } from '../../protocol/words/orderWord.js';
import { LocalNetwork } from './localNetwork.js';

const SCENARIO_MS = 240_000;
const MAX_TABLE_AGE_SECONDS = 3_600;
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start({ roundLengthBlocks: 12, maxTableAgeSeconds: MAX_TABLE_AGE_SECONDS });
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

async function tableCheck({ url }: ServiceProcess): Promise<boolean | undefined> {
  const { checks } = (await (await fetch(`${url}/health/ready`)).json()) as { checks: { table?: { ok: boolean } } };
  return checks.table?.ok;
}

const sumOver = async (services: readonly ServiceProcess[], name: string, labels = {}): Promise<number> =>
  (await Promise.all(services.map((service) => network.metric(service, name, labels)))).reduce((a, b) => a + b, 0);

test(
  'when no newer operator table comes in time, rounds wait without a transaction or a signature, and settle again after one has',
  async () => {
    await network.run();
    await network.leased((await network.order()).orderId);
    const everybody = [network.aggregator, ...network.operators];
    expect(await Promise.all(everybody.map(tableCheck))).toEqual(everybody.map(() => true));

    await network.testClient.increaseTime({ seconds: MAX_TABLE_AGE_SECONDS + 1 });
    await network.until('everybody to see the age of the table', async () =>
      (await Promise.all(everybody.map(tableCheck))).every((isOk) => isOk === false),
    );
    const signed = network.sink.seen.length;
    const sent = await network.aggregatorTransactions();
    const { orderId } = await network.order();
    const abstained = { reason: 'TABLE_STALE' };
    await network.until(
      'the operators to hold back in two rounds',
      async () =>
        (await sumOver(network.operators, 'matchmaker_operator_rounds_abstained_total', abstained)) >=
        2 * network.operators.length,
    );
    expect(network.sink.seen).toHaveLength(signed);
    expect(await network.aggregatorTransactions()).toBe(sent);
    expect(await network.orderState(orderId)).toBe(OrderState.OPEN);
    expect(await network.metric(network.aggregator, 'matchmaker_aggregator_table_seconds_left')).toBeLessThan(0);
    expect(
      await network.metric(network.aggregator, 'matchmaker_aggregator_alerts_total', { code: 'table-stale' }),
    ).toBe(1);

    await network.publishTable();
    await network.leased(orderId);
    expect(await Promise.all(everybody.map(tableCheck))).toEqual(everybody.map(() => true));
    expect(
      await network.metric(network.aggregator, 'matchmaker_aggregator_settlements_total', { outcome: 'reverted' }),
    ).toBe(0);
  },
  SCENARIO_MS,
);
