import { beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { encodeErrorResult, numberToHex, type Address, type Hex } from 'viem';

import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import { RpcAnswerError, type Rpc } from '../chain/rpc/rpc.js';
import type { Receipt, RpcCall } from '../chain/rpc/rpcCall.js';
import { TransactionRevertedError, type SubmissionRequest } from '../chain/submission/submission.js';
import { encodeTableWord } from '../protocol/words/tableWord.js';
import { ORDERS_FACTS_SLOT } from '../protocol/words/slots.js';
import type { Clock } from '../service/clock.js';
import { Metrics } from '../service/metrics.js';
import { testDeployment } from '../test/support/testDeployment.js';
import { AggregatorEvents } from './aggregatorEvents.js';
import { Upkeep } from './upkeep.js';

const SUBMITTER: Address = '0x0000000000000000000000000000000000000009';
const deployment = testDeployment();
const RECEIPT: Receipt = {
  transactionHash: numberToHex(1, { size: 32 }),
  blockNumber: 1,
  blockHash: numberToHex(1, { size: 32 }),
  succeeded: false,
  gasUsed: 1n,
  effectiveGasPrice: 1n,
  contractAddress: null,
  logs: [],
};

let head: number;
let ordersFacts: bigint;
let verifierTimestamp: number;
let recordedTimestamp: number;
let balance: bigint;
let nowMs: number;
let staleBefore: number;
let sent: string[];
let failWith: (label: string) => Error | undefined;
let lines: Record<string, unknown>[];
let upkeep: Upkeep;

beforeEach(() => {
  head = 10;
  ordersFacts = 0n;
  verifierTimestamp = 5;
  recordedTimestamp = 5;
  balance = 10n ** 18n;
  nowMs = 0;
  staleBefore = 0;
  sent = [];
  failWith = () => undefined;
  lines = [];
  const answers: Record<string, (params: readonly unknown[]) => unknown> = {
    eth_getBlockByNumber: () => ({
      number: numberToHex(head),
      hash: numberToHex(head, { size: 32 }),
      parentHash: numberToHex(head - 1, { size: 32 }),
      timestamp: '0x1',
      logsBloom: `0x${'00'.repeat(256)}`,
      baseFeePerGas: '0x1',
      gasLimit: '0x1c9c380',
    }),
    eth_getStorageAt: ([, slot]) =>
      numberToHex(
        BigInt(slot as Hex) === ORDERS_FACTS_SLOT
          ? ordersFacts
          : encodeTableWord({ tableTimestamp: recordedTimestamp, fromRound: 1, totalWeight: 1n }),
        { size: 32 },
      ),
    eth_getBalance: () => numberToHex(balance),
    eth_call: () => numberToHex(verifierTimestamp, { size: 32 }),
  };
  const ask = <Answer>(call: RpcCall<Answer>): Answer => call.decode(answers[call.method]?.(call.params));
  const rpc = {
    batch: async (calls: readonly RpcCall<unknown>[]) => calls.map(ask),
    request: async <Answer>(call: RpcCall<Answer>) => ask(call),
  } as unknown as Rpc;
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => undefined };
  const logger = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const metrics = new Metrics({ process: 'aggregator', collectNodeMetrics: false });
  upkeep = new Upkeep(
    { deployment, submitter: SUBMITTER, priorityFeePerGas: 1n, tickAfterMs: 400, intervalMs: 100 },
    {
      rpc,
      clock,
      wouldBeStale: (tableTimestamp) => tableTimestamp < staleBefore,
      entriesOf: async (timestamp) => numberToHex(timestamp),
      events: new AggregatorEvents({ logger, metrics }),
      submitter: {
        submit: async ({ label }: SubmissionRequest) => {
          sent.push(label.split(' ').slice(0, 2).join(' '));
          const failure = failWith(label);
          if (failure !== undefined) throw failure;
          return { status: 'mined', hash: RECEIPT.transactionHash, receipt: RECEIPT, replacements: 0 };
        },
      },
    },
  );
});

const said = (): unknown[] =>
  lines.filter(({ event }) => event === 'upkeep').map(({ what, outcome }) => [what, outcome]);
const order = (expiresAtSeconds: number, untilRound = 0xffff_ffff) => ({ expiresAtSeconds, untilRound });
const snapshot = (orders: readonly { expiresAtSeconds: number; untilRound: number }[]) => ({
  round: 7,
  blockNumber: 10,
  timestampSeconds: 1_000,
  orders,
});

/** Lets the chain be silent for long enough, and looks. */
async function silence(): Promise<void> {
  nowMs += 500;
  await upkeep.look();
}

describe('ticks', () => {
  test('only while an order waits and the chain is silent', async () => {
    await upkeep.look();
    await silence();
    expect(sent).toEqual([]);
    upkeep.onSnapshot(snapshot([order(2_000)]));
    nowMs += 100;
    head += 1;
    await upkeep.look();
    nowMs += 399;
    await upkeep.look();
    expect(sent).toEqual([]);
    nowMs += 1;
    await upkeep.look();
    expect(sent).toEqual(['tick after']);
    upkeep.onSnapshot({ ...snapshot([]), blockNumber: 20 });
    await silence();
    expect(sent).toEqual(['tick after']);
  });

  test('for an order posted after the last snapshot', async () => {
    await upkeep.look();
    upkeep.onSnapshot(snapshot([]));
    ordersFacts = 9n;
    head = 11;
    await upkeep.look();
    await silence();
    expect(sent).toEqual(['tick after']);
  });

  test('not for orders that can be matched in no later round: they would cost the key a tick a block for ever', async () => {
    await upkeep.look();
    upkeep.onSnapshot(snapshot([order(1_000), order(999), order(2_000, 8), order(2_000, 3)]));
    await silence();
    await silence();
    expect(sent).toEqual([]);
  });
});

test('no tick is paid for while nothing could settle under the newest table, and ticks go on with a newer one', async () => {
  await upkeep.look();
  upkeep.onSnapshot(snapshot([order(2_000)]));
  staleBefore = 6;
  await silence();
  await silence();
  expect(sent).toEqual([]);
  verifierTimestamp = 6;
  await upkeep.look();
  expect(sent).toEqual(['record table']);
  recordedTimestamp = 6;
  await silence();
  expect(sent).toEqual(['record table', 'tick after']);
});

describe('a newer table of the verifier', () => {
  beforeEach(async () => {
    await upkeep.look();
    upkeep.onSnapshot(snapshot([order(2_000)]));
    verifierTimestamp = 6;
  });

  test('is recorded', async () => {
    await upkeep.look();
    expect(sent).toEqual(['record table']);
    expect(said()).toEqual([['recordTable', 'mined']]);
  });

  test.each([
    ['when its gas is estimated', () => new RpcAnswerError('eth_estimateGas: execution reverted', { rpcCode: 3 })],
    ['when it is mined', () => new TransactionRevertedError('record table 6', RECEIPT, null, null)],
  ])('that the contract refuses %s is left alone, and the ticks go on', async (_when, failure) => {
    failWith = (label) => (label.startsWith('record') ? failure() : undefined);
    await silence();
    await silence();
    await silence();
    expect(sent.filter((label) => label === 'record table')).toHaveLength(1);
    expect(sent.filter((label) => label === 'tick after').length).toBeGreaterThanOrEqual(2);
    verifierTimestamp = 7;
    failWith = () => undefined;
    await upkeep.look();
    expect(sent.at(-1)).toBe('record table');
  });

  test.each([
    [
      'at the estimate',
      () =>
        new RpcAnswerError('execution reverted', {
          data: encodeErrorResult({ abi: matchSettlementAbi, errorName: 'TableNotNewer', args: [6] }),
        }),
    ],
    [
      'in a block',
      () => new TransactionRevertedError('record table 6', RECEIPT, { name: 'TableNotNewer', args: [6] }, null),
    ],
  ])('that another aggregator recorded first, seen %s, is no alarm', async (_where, failure) => {
    failWith = failure;
    await upkeep.look();
    expect(said()).toEqual([['recordTable', 'done-by-other']]);
    expect(lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });
});

test('the same failure is said once, however often it comes', async () => {
  await upkeep.look();
  upkeep.onSnapshot(snapshot([order(2_000)]));
  failWith = () => new Error('no funds');
  for (let look = 0; look < 5; look++) await silence();
  expect(sent).toHaveLength(5);
  expect(said()).toEqual([['tick', 'failed']]);
  failWith = () => undefined;
  await silence();
  failWith = () => new Error('no funds');
  await silence();
  expect(said()).toEqual([
    ['tick', 'failed'],
    ['tick', 'mined'],
    ['tick', 'failed'],
  ]);
});

test('a key without funds is said once, with its address, and again when it has some', async () => {
  expect(upkeep.funds.ok).toBe(false);
  balance = 2n * 16_777_216n - 1n;
  for (let look = 0; look < 3; look++) await upkeep.look();
  expect(upkeep.funds).toEqual({ ok: false, detail: expect.stringContaining(SUBMITTER) });
  balance += 1n;
  for (let look = 0; look < 3; look++) await upkeep.look();
  expect(upkeep.funds.ok).toBe(true);
  expect(lines.map(({ event }) => event)).toEqual(['unfunded', 'funded']);
});
