import { beforeEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { Address } from 'viem';

import { RpcUnavailableError, type Rpc } from '../chain/rpc/rpc.js';
import type { RpcCall } from '../chain/rpc/rpcCall.js';
import { EigenMetrics } from './eigenMetrics.js';
import { measuredRpc } from './measuredRpc.js';

const TOKEN = '0x00000000000000000000000000000000000000aa';
const OTHER_TOKEN = '0x00000000000000000000000000000000000000bb';
let registry: Registry;
let metrics: EigenMetrics;

beforeEach(() => {
  registry = new Registry();
  metrics = new EigenMetrics({ operatorSetId: 3, quorumName: 'devnet' }, { registry });
});

/** The exposition's lines of a metric, without help and buckets. */
async function linesOf(name: string): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line.includes(name) && !line.startsWith('# HELP') && !line.includes('_bucket'));
}

test('names and types are those of the specification, and nothing else begins with eigen_', async () => {
  metrics.slashingIs(false);
  const types = (await registry.metrics()).split('\n').filter((line) => line.startsWith('# TYPE'));
  expect(types.toSorted()).toEqual([
    '# TYPE eigen_fees_earned_total counter',
    '# TYPE eigen_performance_score gauge',
    '# TYPE eigen_registered_stakes gauge',
    '# TYPE eigen_rpc_request_duration_seconds histogram',
    '# TYPE eigen_rpc_request_total counter',
    '# TYPE eigen_slashing_status gauge',
  ]);
});

test('the score is the percentage signed of the last hundred rounds, each counted once', async () => {
  const score = async (): Promise<string | undefined> => (await linesOf('eigen_performance_score'))[1];
  expect(await score()).toBe('eigen_performance_score 100');
  metrics.signed(1);
  metrics.missed(2);
  expect(await score()).toBe('eigen_performance_score 50');
  metrics.signed(2);
  expect(await score()).toBe('eigen_performance_score 100');
  for (let round = 3; round <= 102; round++) metrics.missed(round);
  expect(await score()).toBe('eigen_performance_score 0');
  for (let round = 103; round <= 127; round++) metrics.signed(round);
  expect(await score()).toBe('eigen_performance_score 25');
});

test('stake, fees and slashing are what the chain says, and absent before it does', async () => {
  expect(await linesOf('eigen_slashing_status')).toEqual([]);
  expect(await linesOf('eigen_fees_earned_total{')).toEqual([]);
  metrics.seated(25n * 10n ** 18n);
  metrics.earned('market', TOKEN, 700n);
  metrics.earned('market', TOKEN, 1_000n);
  metrics.earned('market', TOKEN, 900n);
  metrics.slashingIs(true);
  expect(await linesOf('eigen_registered_stakes{')).toEqual([
    'eigen_registered_stakes{quorum_number="3",quorum_name="devnet"} 25000000000000000000',
  ]);
  expect(await linesOf('eigen_fees_earned_total{')).toEqual([`eigen_fees_earned_total{token="${TOKEN}"} 1000`]);
  expect(await linesOf('eigen_slashing_status')).toContain('eigen_slashing_status 1');
});

test('rewards of the market and of EigenLayer in one token add up, those in another stand apart', async () => {
  metrics.earned('market', TOKEN, 1_000n);
  metrics.earned('operator', TOKEN.replace('aa', 'AA') as Address, 50n);
  metrics.earned('operator', TOKEN, 80n);
  metrics.earned('operator', OTHER_TOKEN, 7n);
  expect(await linesOf('eigen_fees_earned_total{')).toEqual([
    `eigen_fees_earned_total{token="${TOKEN}"} 1080`,
    `eigen_fees_earned_total{token="${OTHER_TOKEN}"} 7`,
  ]);
});

test('every call of a measured RPC is counted with its method and node, also one that fails', async () => {
  let nowMs = 0;
  const failing = { method: 'eth_call', params: [], decode: (raw: unknown) => raw };
  const rpc: Rpc = {
    batch: async () => {
      nowMs += 250;
      return [] as never;
    },
    request: async <Answer>({ method }: RpcCall<Answer>): Promise<Answer> => {
      nowMs += 1_000;
      throw new RpcUnavailableError(method);
    },
  };
  const measured = measuredRpc(rpc, {
    monotonicMs: () => nowMs,
    onAnswered: (method, seconds) => metrics.rpcAnswered(method, seconds),
  });
  metrics.nodeIs(`anvil/v1${'x'.repeat(100)}`);
  await measured.batch([{ ...failing, method: 'eth_getLogs' }, failing]);
  await expect(measured.request(failing)).rejects.toBeInstanceOf(RpcUnavailableError);
  const version = `anvil/v1${'x'.repeat(56)}`;
  expect(await linesOf('eigen_rpc_request_total{')).toEqual([
    `eigen_rpc_request_total{method="eth_getLogs",client_version="${version}"} 1`,
    `eigen_rpc_request_total{method="eth_call",client_version="${version}"} 2`,
  ]);
  expect(await linesOf('eigen_rpc_request_duration_seconds_sum')).toEqual([
    `eigen_rpc_request_duration_seconds_sum{method="eth_getLogs",client_version="${version}"} 0.25`,
    `eigen_rpc_request_duration_seconds_sum{method="eth_call",client_version="${version}"} 1.25`,
  ]);
});
