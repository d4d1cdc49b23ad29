import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { LocalNetwork } from './localNetwork.js';

const SCENARIO_MS = 120_000;
const BLIND = 3;
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start();
  await network.run();
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

test(
  "an operator's RPC loses one log: it abstains, reads again and signs the same batches as the others",
  async () => {
    const orders = network.deployment.contracts.orderRequest.toLowerCase();
    let lost = 0;
    network.operatorRpc[BLIND]!.script(async ({ method }, forward) => {
      const result = await forward();
      if (method !== 'eth_getLogs' || lost > 0) return result;
      const logs = result as { address: string }[];
      const index = logs.findIndex(({ address }) => address.toLowerCase() === orders);
      if (index === -1) return result;
      lost += 1;
      return logs.filter((_, position) => position !== index);
    });

    const first = await network.order();
    await network.leased(first.orderId);
    expect(lost).toBe(1);
    const operator = network.operators[BLIND]!;
    await network.until('the operator to abstain', async () => {
      return (
        (await network.metric(operator, 'matchmaker_operator_rounds_abstained_total', { reason: 'FACTS_MISMATCH' })) >=
        1
      );
    });
    await network.ready(operator);

    const key = network.operatorKeys[BLIND]!.signer.toLowerCase();
    const signed = network.sink.seen.filter(({ signer }) => signer.toLowerCase() === key).length;
    const next = await network.order();
    await network.leased(next.orderId);
    await network.until('the operator to sign again', () => {
      return network.sink.seen.filter(({ signer }) => signer.toLowerCase() === key).length > signed;
    });
    const messageOf = new Map<number, Set<string>>();
    for (const { round, messageHash } of network.sink.seen) {
      messageOf.set(round, (messageOf.get(round) ?? new Set()).add(messageHash));
    }
    for (const hashes of messageOf.values()) expect(hashes.size).toBe(1);
  },
  SCENARIO_MS,
);
