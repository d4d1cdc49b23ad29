import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { OrderState } from '../../protocol/words/orderWord.js';
import { LocalNetwork } from './localNetwork.js';

const SCENARIO_MS = 120_000;
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start();
  await network.run();
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

test(
  'the largest operator is killed in the middle of the run: rounds still settle',
  async () => {
    const before = await network.order();
    await network.leased(before.orderId);
    await network.kill(network.operators[0]!);

    const after = await Promise.all([0, 1, 2].map(() => network.order()));
    for (const { orderId } of after) await network.leased(orderId);

    const settlements = await network.settlements();
    const dead = network.operatorKeys[0]!.signer.toLowerCase();
    const last = settlements.at(-1)!;
    expect(await network.signersOf(last)).toHaveLength(3);
    expect(await network.signersOf(last)).not.toContain(dead);
    expect(settlements.every(({ skipped }) => skipped === 0n)).toBe(true);
    expect(network.sink.doubleSignatures()).toEqual([]);
  },
  SCENARIO_MS,
);

test(
  'operators below the threshold: nothing settles, nothing is lost, matching resumes when they return',
  async () => {
    const first = await network.order();
    await network.leased(first.orderId);
    await network.kill(network.operators[0]!);
    await network.kill(network.operators[1]!);
    const settledBefore = await network.lastSettledRound();

    const waiting = await network.order();
    await network.blocks(16);
    expect(await network.orderState(waiting.orderId)).toBe(OrderState.OPEN);
    expect(await network.lastSettledRound()).toBe(settledBefore);
    expect(network.sink.seen.some(({ round }) => round > settledBefore)).toBe(true);

    await network.startOperator(0);
    await network.startOperator(1);
    await network.leased(waiting.orderId);
    const batches = (await network.settlements()).filter(({ orderIds }) => orderIds.includes(waiting.orderId));
    expect(batches).toHaveLength(1);
    expect(network.sink.doubleSignatures()).toEqual([]);
  },
  SCENARIO_MS,
);
