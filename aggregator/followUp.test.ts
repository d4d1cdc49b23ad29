import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { numberToHex, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';

import { createRpc } from '../chain/rpc/rpc.js';
import type { SubmissionRequest, SubmissionResult } from '../chain/submission/submission.js';
import type { RoundContext } from '../chain/sync/roundFollower.js';
import { tableAge, tableTermsOf } from '../chain/sync/tableAge.js';
import { Market } from '../engine/market.js';
import { hashRecords } from '../protocol/records.js';
import { encodeSettlementWord } from '../protocol/words/settlementWord.js';
import { ensureRedis, type EnsuredRedis } from '../service/ensureRedis.js';
import { Metrics } from '../service/metrics.js';
import { AggregatorEvents } from './aggregatorEvents.js';
import { FollowUpHandlers } from './followUpHandlers.js';
import { FollowUpQueues } from './followUpQueues.js';
import { RoundBook } from './roundBook.js';
import { Settler } from './settler.js';

const settlement = numberToHex(0xaa, { size: 20 });
const hash = (seed: number): Hex => numberToHex(seed, { size: 32 });
const signer = privateKeyToAddress(generatePrivateKey());

let chain: FastifyInstance;
let head: number;
let nowSeconds: number;
let lastSettledRound: number;
let receipts: Map<string, object>;
let submitted: SubmissionRequest[];
let book: RoundBook;
let settler: Settler;
let handlers: FollowUpHandlers;
let events: AggregatorEvents;
let lines: Record<string, unknown>[];
let waiters: { test: () => boolean; resolve: () => void }[];
let answerSubmission: (request: SubmissionRequest) => Promise<SubmissionResult>;

beforeEach(async () => {
  head = 110;
  nowSeconds = 1;
  lastSettledRound = 0;
  receipts = new Map();
  submitted = [];
  lines = [];
  waiters = [];
  answerSubmission = () => new Promise(() => undefined);
  chain = fastify({ forceCloseConnections: true });
  chain.post<{ Body: RpcRequest | RpcRequest[] }>('/', (request, reply) => {
    void reply.send(Array.isArray(request.body) ? request.body.map(answer) : answer(request.body));
  });
  await chain.listen({ host: '127.0.0.1', port: 0 });
  const at = chain.server.address();
  if (at === null || typeof at === 'string') throw new Error('not listening');
  const rpc = createRpc({ url: `http://127.0.0.1:${at.port}`, requestTimeoutMs: 2_000 });
  const logger = pino(
    { level: 'debug' },
    {
      write: (line: string) => {
        lines.push(JSON.parse(line));
        for (const waiter of waiters) if (waiter.test()) waiter.resolve();
      },
    },
  );
  events = new AggregatorEvents({ logger, metrics: new Metrics({ process: 'aggregator', collectNodeMetrics: false }) });
  book = new RoundBook(
    { bufferedRounds: 2, bufferedSignatures: 10, keptRounds: 16 },
    {
      monotonicMs: () => 0,
      onQuorum: () => undefined,
      onConflict: () => undefined,
      onDissent: () => undefined,
      onBufferedOutcome: () => undefined,
      onClosed: () => undefined,
    },
  );
  settler = new Settler(
    { settlement, quorum: { curve: 'ecdsa', checkedBy: 'table' } },
    {
      submitter: {
        submit: (request) => {
          submitted.push(request);
          return answerSubmission(request);
        },
      },
      rpc,
      book,
      events,
      tableAgeOf: (terms) => tableAge(tableTermsOf(terms), nowSeconds, 0),
      onSubmitted: () => undefined,
      onMined: () => undefined,
    },
  );
  handlers = new FollowUpHandlers({ settlement, confirmations: 5, slowAfterBlocks: 3 }, { rpc, book, settler, events });
});
afterEach(() => chain.close());

interface RpcRequest {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

function answer({ id, method, params }: RpcRequest): object {
  const results: Record<string, () => unknown> = {
    eth_getBlockByNumber: () => ({
      number: numberToHex(head),
      hash: hash(head),
      parentHash: hash(head - 1),
      timestamp: '0x1',
      logsBloom: `0x${'00'.repeat(256)}`,
      baseFeePerGas: '0x1',
      gasLimit: '0x1c9c380',
    }),
    eth_getStorageAt: () =>
      hash(0).slice(0, 2) + encodeSettlementWord({ accumulator: 1n, lastSettledRound }).toString(16).padStart(64, '0'),
    eth_getTransactionReceipt: () => receipts.get(String(params[0])) ?? null,
  };
  return { jsonrpc: '2.0', id, result: results[method]?.() ?? null };
}

function receiptOf(transactionHash: Hex, blockNumber: number): object {
  return {
    transactionHash,
    blockNumber: numberToHex(blockNumber),
    blockHash: hash(blockNumber),
    status: '0x1',
    gasUsed: '0x1',
    effectiveGasPrice: '0x1',
    contractAddress: null,
    logs: [],
  };
}

/** A round with the quorum reached, open until block 116. */
function certifiedRound(): void {
  const context: RoundContext = {
    round: 1,
    snapshotBlock: 108,
    nextSnapshotBlock: 116,
    snapshot: {
      round: 1,
      blockNumber: 108,
      snapshotHash: hash(108),
      timestampSeconds: 1,
      orders: [],
      bids: new Map(),
      market: new Market(),
    },
    policy: {
      rulesVersion: 1,
      weightPriceBps: 10_000,
      weightStakeBps: 0,
      weightFitBps: 0,
      weightRegionBps: 0,
      weightUptimeBps: 0,
      weightReputationBps: 0,
      saturationWhole: 1,
      complianceCapBps: 12_000,
      jitterRange: 0,
      defaultUptimeBps: 0,
      defaultReputationBps: 0,
      maxMatches: 512,
      quorumBps: 6667,
      minTotalStake: 1n,
      maxTableAgeSeconds: 1,
      coolRounds: 1,
      selfMatchRounds: 1,
      weightPackingBps: 0,
      packing: null,
    },
    policyHash: hash(1),
    seed: hash(2),
    table: {
      timestamp: 1,
      hash: hash(3),
      totalWeight: 1n,
      entries: [{ key: signer, weight: 1n }],
      verifierMaxAgeSeconds: null,
    },
    lastSettledRound: 0,
    operatorSetKey: hash(4),
    openOrderCount: 1,
  };
  book.open(context);
  const records = hash(7);
  book.vote(
    {
      signer,
      messageHash: hash(9),
      submission: {
        batch: {
          round: 1,
          snapshotBlock: 108,
          snapshotHash: hash(108),
          policyHash: hash(1),
          operatorSetKey: hash(4),
          tableTimestamp: 1,
          tableHash: hash(3),
          recordsHash: hashRecords(records),
          matchCount: 1,
        },
        records,
        signature: `0x${'11'.repeat(64)}1b`,
      },
    },
    1,
  );
}

const logged = (event: string): Record<string, unknown>[] => lines.filter((line) => line['event'] === event);

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (condition()) resolve();
    else waiters.push({ test: condition, resolve });
  });
}

describe('handlers ask the chain and may run any number of times', () => {
  const job = { round: 1, transactionHash: hash(50), blockNumber: 110 };

  test('confirm waits for its blocks, then is done, twice', async () => {
    receipts.set(hash(50), receiptOf(hash(50), 110));
    expect(await handlers.confirm(job)).toBe('again');
    head = 115;
    expect(await handlers.confirm(job)).toBe('confirmed');
    expect(await handlers.confirm(job)).toBe('confirmed');
    expect(submitted).toEqual([]);
  });

  test('a settlement that a reorganisation took is settled again, once, while the round is open', async () => {
    certifiedRound();
    expect(await handlers.confirm(job)).toBe('resubmitted');
    expect(await handlers.confirm(job)).toBe('resubmitted');
    expect(submitted).toHaveLength(1);
    expect(submitted[0]).toMatchObject({ to: settlement, deadlineBlock: 116, label: 'settle round 1', isUnique: true });
  });

  test('nothing is sent when the chain says settled, or the round is over', async () => {
    certifiedRound();
    lastSettledRound = 1;
    expect(await handlers.confirm(job)).toBe('confirmed');
    expect(await handlers.reconcile()).toBe('agrees');
    lastSettledRound = 0;
    head = 116;
    expect(await handlers.confirm(job)).toBe('lost');
    expect(await handlers.confirm(job)).toBe('lost');
    expect(logged('alert')).toMatchObject([{ code: 'settlement-lost', round: 1 }]);
    expect(submitted).toEqual([]);
  });

  test('reconcile settles what has a quorum and is missing, and leaves what is under way alone', async () => {
    certifiedRound();
    expect(await handlers.reconcile()).toBe('repaired');
    expect(await handlers.reconcile()).toBe('agrees');
    expect(submitted).toHaveLength(1);
  });

  test('what settlement would refuse for the age of its table is held: said once, sent never, and sent if time steps back', async () => {
    certifiedRound();
    const certificate = book.certificateOf(1);
    if (certificate === undefined) throw new Error('no quorum');
    // One second may pass after the table's first.
    nowSeconds = 3;
    await settler.settle(certificate);
    expect(logged('settlement_ended')).toMatchObject([{ round: 1, outcome: 'table-stale' }]);
    for (let run = 0; run < 3; run++) {
      expect(await handlers.reconcile()).toBe('agrees');
      expect(await settler.ensure(1)).toBe('held');
    }
    expect(logged('settlement_ended')).toHaveLength(1);
    expect(submitted).toEqual([]);
    // A reorganisation gave the chain an earlier head.
    nowSeconds = 2;
    expect(await handlers.reconcile()).toBe('repaired');
    expect(submitted).toHaveLength(1);
  });

  test('feeBump tells people once when a settlement is slow, and ends when it is mined or late', async () => {
    const slow = { round: 1, deadlineBlock: 116, submittedAtBlock: 109 };
    expect(await handlers.feeBump(slow)).toBe('again');
    head = 112;
    expect(await handlers.feeBump(slow)).toBe('again');
    expect(await handlers.feeBump(slow)).toBe('again');
    expect(logged('alert')).toMatchObject([{ code: 'settlement-slow' }]);
    lastSettledRound = 1;
    expect(await handlers.feeBump(slow)).toBe('mined');
    lastSettledRound = 0;
    head = 116;
    expect(await handlers.feeBump(slow)).toBe('lapsed');
  });
});

describe.each([
  ['the embedded Redis', { PATH: '' }],
  ['the Redis of PATH, else the embedded one', { PATH: process.env['PATH'] }],
])('queues on %s', (_name, env) => {
  let redis: EnsuredRedis;
  let queues: FollowUpQueues;

  beforeEach(async () => {
    redis = await ensureRedis({ profile: 'devnet', env }, { logger: pino({ level: 'silent' }) });
    queues = new FollowUpQueues(
      { redisUrl: redis.url, chainId: 31_337, prefix: 'matchmaker-test', againAfterMs: 20, reconcileEveryMs: 200 },
      { handlers, events, logger: pino({ level: 'silent' }) },
    );
  });
  afterEach(async () => {
    await queues.close();
    await redis.stop();
  });

  test('a job runs, waits when told to, and leaves no trace of what it must not hold', async () => {
    await queues.start();
    receipts.set(hash(50), receiptOf(hash(50), 110));
    queues.confirm({ round: 1, transactionHash: hash(50), blockNumber: 110 });
    await until(() => logged('follow_up').some(({ job, outcome }) => job === 'confirm' && outcome === 'again'));
    head = 115;
    await until(() => logged('follow_up').some(({ job, outcome }) => job === 'confirm' && outcome === 'confirmed'));
    queues.alert({ code: 'test', round: 4, detail: 'hello' });
    await until(() => logged('alert').length === 1);
  });

  test('after the server lost everything, new jobs run and the reconciliation comes back', async () => {
    await queues.start();
    await until(() => logged('follow_up').some(({ job }) => job === 'reconcile'));
    const client = new Redis(redis.url, { disconnectTimeout: 50 });
    await client.flushall();
    client.disconnect();
    queues.alert({ code: 'after-wipe', round: 5, detail: '' });
    await until(() => logged('alert').length === 1);
  });

  test('without a server, jobs are dropped, it is said once, and nothing throws or hangs', async () => {
    await redis.stop();
    await queues.start();
    queues.alert({ code: 'lost', round: 6, detail: '' });
    queues.confirm({ round: 6, transactionHash: hash(1), blockNumber: 1 });
    expect(queues.isUp).toBe(false);
    expect(logged('follow_up')).toMatchObject([{ outcome: 'not-queued' }, { outcome: 'not-queued' }]);
    expect(logged('redis_down')).toHaveLength(1);
  });
});
