import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { decodeFunctionData, parseTransaction, type Hex } from 'viem';

import { matchSettlementAbi } from '../../chain/contracts/generated/MatchSettlement.js';
import { LocalNetwork } from './localNetwork.js';
import { DropConnection } from './rpcProxy.js';

const SCENARIO_MS = 120_000;
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start();
  await network.run();
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

/** Kills the aggregator the moment it hands its first settlement to the node, which never gets it. Resolves with the round. */
function killAtSettlement(): Promise<number> {
  return new Promise((resolve) => {
    network.aggregatorRpc.script(async ({ method, params }, forward) => {
      const round = method === 'eth_sendRawTransaction' ? settlementRound(params[0] as Hex) : undefined;
      if (round === undefined) return forward();
      network.aggregatorRpc.script(undefined);
      await network.kill(network.aggregator);
      resolve(round);
      throw new DropConnection();
    });
  });
}

function settlementRound(raw: Hex): number | undefined {
  const { data } = parseTransaction(raw);
  if (data === undefined) return undefined;
  const { functionName, args } = decodeFunctionData({ abi: matchSettlementAbi, data });
  return functionName === 'settle' ? Number(args[0].round) : undefined;
}

test(
  'the aggregator is killed after the quorum and before the transaction, and starts again at once: one settlement',
  async () => {
    const killed = killAtSettlement();
    const { orderId } = await network.order();
    const round = await killed;
    await network.startAggregator();
    await network.ready(network.aggregator);
    await network.leased(orderId);

    const settlements = await network.settlements();
    expect(settlements.filter(({ orderIds }) => orderIds.includes(orderId))).toHaveLength(1);
    expect(settlements.filter((settlement) => settlement.round === round).length).toBeLessThanOrEqual(1);
    expect(new Set(settlements.map((settlement) => settlement.round)).size).toBe(settlements.length);
    const next = await network.order();
    await network.leased(next.orderId);
  },
  SCENARIO_MS,
);

test(
  'the aggregator is killed after the quorum and starts again after the round closed: the round lapses, the next one settles',
  async () => {
    const killed = killAtSettlement();
    const { orderId } = await network.order();
    const round = await killed;
    await network.blocks(6);
    await network.startAggregator();
    await network.leased(orderId);

    const settlements = await network.settlements();
    expect(settlements.filter(({ orderIds }) => orderIds.includes(orderId))).toHaveLength(1);
    expect(settlements.map((settlement) => settlement.round)).not.toContain(round);
    const next = await network.order();
    await network.leased(next.orderId);
    expect(network.sink.doubleSignatures()).toEqual([]);
  },
  SCENARIO_MS,
);

test(
  'Redis is wiped again and again, then killed: same outcome',
  async () => {
    const redis = new Redis(network.redis.url, { maxRetriesPerRequest: null, retryStrategy: () => null });
    redis.on('error', () => undefined);
    const ids: number[] = [];
    try {
      for (let index = 0; index < 4; index++) {
        const { orderId } = await network.order();
        await redis.flushall();
        await network.leased(orderId);
        await redis.flushall();
        ids.push(orderId);
      }
    } finally {
      redis.disconnect();
    }
    await network.redis.stop();
    const last = await network.order();
    await network.leased(last.orderId);
    ids.push(last.orderId);

    const settlements = await network.settlements();
    for (const id of ids) expect(settlements.filter(({ orderIds }) => orderIds.includes(id))).toHaveLength(1);
    expect(settlements.every(({ skipped }) => skipped === 0n)).toBe(true);
  },
  SCENARIO_MS,
);
