import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { numberToHex, recoverAddress } from 'viem';
import { generatePrivateKey } from 'viem/accounts';

import { createRpc, type Rpc } from '../chain/rpc/rpc.js';
import type { RoundContext, RoundFollowerDependencies } from '../chain/sync/roundFollower.js';
import { maintainIndex } from '../engine/maintainIndex.js';
import { Market, PROVIDER_ACTIVE, UNMEASURED_BPS } from '../engine/market.js';
import type { Order } from '../engine/order.js';
import { providerFieldsOf } from '../engine/reference/arbitraryChange.js';
import { PLAIN_POLICY } from '../engine/reference/plainRound.js';
import { bn254CertificateDigest } from '../protocol/bn254Certificate.js';
import { certificateDigest } from '../protocol/certificate.js';
import { hashMatchBatch } from '../protocol/matchBatch.js';
import { decodeRecords, hashRecords } from '../protocol/records.js';
import { systemClock } from '../service/clock.js';
import { SIGNATURES_PATH, type SignatureSubmission, type SubmissionSigner } from '../service/signatureApi.js';
import { generateBn254Secret } from '../service/bn254Keystore.js';
import { javascriptBn254 } from '../service/signing/bn254Javascript.js';
import { loadSecp256k1 } from '../service/signing/secp256k1.js';
import { bn254SigningKey, ecdsaSigningKey, type SigningKey } from '../service/signing/signingKey.js';
import { testDeployment } from '../test/support/testDeployment.js';
import { operatorConfigSchema } from './operatorConfig.js';
import { runOperator, type RunningOperator } from './runOperator.js';

const deployment = testDeployment();
const policy = { ...PLAIN_POLICY, maxTableAgeSeconds: 86_400 };
const LENGTH = 8;
const ecdsaKey = ecdsaSigningKey(generatePrivateKey(), loadSecp256k1().curve);
let key: SigningKey;

let folder: string;
let aggregator: FastifyInstance;
let received: SignatureSubmission[];
let answers: { status: number; body: object }[];
let chain: FastifyInstance;
let chainUrl: string;
let chainHead: number;
let rpc: Rpc;
let operators: RunningOperator[];
let callbacks: RoundFollowerDependencies;
let lines: Record<string, unknown>[];
let waiters: { test: () => boolean; resolve: () => void }[];

beforeEach(async () => {
  key = ecdsaKey;
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-operator-'));
  received = [];
  answers = [];
  lines = [];
  operators = [];
  waiters = [];
  chainHead = 100;
  aggregator = fastify({ forceCloseConnections: true });
  aggregator.post<{ Body: SignatureSubmission }>(SIGNATURES_PATH, async (request, reply) => {
    received.push(request.body);
    const answer = answers.shift() ?? { status: 202, body: { status: 'counted' } };
    wake();
    return reply.code(answer.status).send(answer.body);
  });
  await aggregator.listen({ host: '127.0.0.1', port: 0 });
  chain = fastify({ forceCloseConnections: true });
  chain.post<{ Body: { id: number; method: string } | { id: number; method: string }[] }>('/', (request, reply) => {
    const answer = ({ id, method }: { id: number; method: string }): object => ({
      jsonrpc: '2.0',
      id,
      result: method === 'eth_chainId' ? numberToHex(31_337) : block(chainHead),
    });
    void reply.send(Array.isArray(request.body) ? request.body.map(answer) : answer(request.body));
  });
  await chain.listen({ host: '127.0.0.1', port: 0 });
  chainUrl = urlOf(chain);
  rpc = createRpc({ url: chainUrl, requestTimeoutMs: 1_000, chainId: 31_337 });
});
afterEach(async () => {
  for (const operator of operators) await operator.stop();
  await aggregator.close();
  await chain.close();
  rmSync(folder, { recursive: true, force: true });
});

function block(number: number): object {
  const zero = numberToHex(0, { size: 32 });
  return {
    number: numberToHex(number),
    hash: numberToHex(number, { size: 32 }),
    parentHash: zero,
    timestamp: '0x1',
    logsBloom: `0x${'00'.repeat(256)}`,
    baseFeePerGas: '0x1',
    gasLimit: '0x1c9c380',
  };
}

function urlOf(server: FastifyInstance): string {
  const at = server.server.address();
  if (at === null || typeof at === 'string') throw new Error('not listening');
  return `http://127.0.0.1:${at.port}`;
}

async function start(aggregators = [urlOf(aggregator)]): Promise<RunningOperator> {
  const config = operatorConfigSchema.parse({
    deployment: 'd.json',
    rpcUrl: chainUrl,
    keystore: { path: 'k.json', passwordEnv: 'PW' },
    aggregators,
    dataDir: folder,
    listen: { port: 0 },
  });
  const logger = pino(
    { level: 'debug' },
    {
      write: (line: string) => {
        lines.push(JSON.parse(line));
        wake();
      },
    },
  );
  const operator = await runOperator(config, {
    deployment,
    key,
    rpc,
    stakeRpc: null,
    version: '1.2.3',
    logger,
    clock: systemClock,
    random: () => 0.5,
    createFollower: (_options, dependencies) => {
      callbacks = dependencies;
      return {
        start: async () => undefined,
        stop: async () => undefined,
        status: () => ({ headBlock: chainHead, headHash: '0x', openRound: 0, caughtUp: true, lagBlocks: 0 }),
      };
    },
  });
  operators.push(operator);
  return operator;
}

/** Stops an operator as a crash would see it: what it wrote stays, nothing more is written. */
async function stop(operator: RunningOperator): Promise<void> {
  operators = operators.filter((other) => other !== operator);
  await operator.stop();
}

function wake(): void {
  for (const waiter of waiters) if (waiter.test()) waiter.resolve();
}

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (condition()) resolve();
    else waiters.push({ test: condition, resolve });
  });
}

const logged = (event: string): Record<string, unknown>[] => lines.filter((line) => line['event'] === event);

function order(orderId: number): Order {
  return {
    orderId,
    isOpen: true,
    untilRound: 0xffff_ffff,
    eligibleFromBlock: 1,
    expiresAtSeconds: 0xffff_ffff,
    milliGpu: 0,
    cpuMilli: 1_000,
    memoryMib: 10,
    storageGib: 0,
    models: [],
    regions: [],
    regionsExcluded: [],
    providersWanted: [],
    providersExcluded: [],
    tiers: 0,
    attributes: 0n,
    regionRequired: false,
    minUptimeBps: 0,
    minReputationBps: 0,
    maxSlashes: 255,
    tokenId: 1,
    maxPriceMicroPerHour: 1_000_000,
    durationMinutes: 60,
  };
}

function contextOf(
  round: number,
  orderIds: readonly number[],
  snapshotHash = numberToHex(round, { size: 32 }),
): RoundContext {
  const market = new Market();
  market.setProvider(1, {
    stakeWhole: 10,
    status: PROVIDER_ACTIVE,
    tier: 1,
    uptimeBps: UNMEASURED_BPS,
    reputationBps: UNMEASURED_BPS,
    slashes: 0,
    attributes: 0n,
    reports: [0, 0, 0, 0],
  });
  market.setMachine(1, {
    activeFromRound: 1,
    activeUntilRound: 0xffff_ffff,
    providerId: 1,
    model: 0,
    region: 0,
    offersWritten: 1,
    freeMemoryMib: 100_000,
    freeCpuMilli: 100_000,
    freeStorageGib: 100,
    freeMilliGpu: [0, 0, 0, 0, 0, 0, 0, 0],
  });
  market.setOffer(1, 0, {
    tokenId: 1,
    gpuMicroPerHour: 0,
    coreMicroPerHour: 10,
    memoryGibMicroPerHour: 0,
    storageTibMicroPerHour: 0,
  });
  const snapshotBlock = 100 + round * LENGTH;
  return {
    round,
    snapshotBlock,
    nextSnapshotBlock: snapshotBlock + LENGTH,
    snapshot: {
      round,
      blockNumber: snapshotBlock,
      snapshotHash,
      timestampSeconds: 1_000,
      orders: orderIds.map(order),
      bids: new Map(),
      market,
    },
    policy,
    policyHash: numberToHex(1, { size: 32 }),
    seed: numberToHex(2, { size: 32 }),
    table: {
      timestamp: 500,
      hash: numberToHex(3, { size: 32 }),
      totalWeight: 1n,
      entries: [{ key: key.publicKey, weight: 1n }],
      verifierMaxAgeSeconds: null,
    },
    lastSettledRound: 0,
    operatorSetKey: numberToHex(4, { size: 32 }),
    openOrderCount: orderIds.length,
  };
}

/** The follower applies the block after the rounds it delivers. */
function blockFollowed(number: number, timestamp = 1): void {
  callbacks.onBlock?.({ number, hash: numberToHex(number, { size: 32 }), timestamp, openRound: 0 });
}

/** A round whose table may become that old, seen at second 1000: its table is of second 500. */
function agedContext(round: number, maxTableAgeSeconds: number, orderIds: readonly number[] = [1]): RoundContext {
  return { ...contextOf(round, orderIds), policy: { ...policy, maxTableAgeSeconds } };
}

async function readinessOf(operator: RunningOperator): Promise<{ status: number; table: { ok: boolean } }> {
  const response = await fetch(`${operator.url}/health/ready`);
  const { checks } = (await response.json()) as { checks: { table: { ok: boolean } } };
  return { status: response.status, table: checks.table };
}

async function secondsLeft(operator: RunningOperator): Promise<number> {
  const metrics = await (await fetch(`${operator.url}/metrics`)).text();
  return Number(/^matchmaker_operator_table_seconds_left(?:\{[^}]*\})? (-?\d+)$/m.exec(metrics)?.[1]);
}

test('a round is matched, signed over the certificate digest, and posted', async () => {
  const operator = await start();
  await operator.caughtUp;
  callbacks.onRound(contextOf(1, [7, 9]));
  await until(() => received.length === 1);
  const [submission] = received;
  if (submission === undefined) throw new Error('nothing was posted');
  expect(decodeRecords(submission.records).map(({ orderId }) => orderId)).toEqual([7, 9]);
  expect(submission.batch).toMatchObject({ round: 1, snapshotBlock: 108, matchCount: 2, tableTimestamp: 500 });
  expect(submission.batch.recordsHash).toBe(hashRecords(submission.records));
  const digest = certificateDigest({
    verifier: deployment.quorum.certificateVerifier,
    referenceTimestamp: 500,
    messageHash: hashMatchBatch(submission.batch, {
      chainId: 31_337,
      settlement: deployment.contracts.matchSettlement,
    }),
  });
  expect(await recoverAddress({ hash: digest, signature: submission.signature })).toBe(key.publicKey);
});

test('a round whose table is too old for any settlement is not signed, until a newer table counts', async () => {
  const operator = await start();
  await operator.caughtUp;
  expect(await readinessOf(operator)).toMatchObject({ status: 200, table: { ok: true } });
  callbacks.onRound(agedContext(1, 499));
  blockFollowed(108, 1_000);
  expect(logged('round_abstained')).toMatchObject([{ round: 1, reason: 'TABLE_STALE' }]);
  expect(await readinessOf(operator)).toMatchObject({ status: 503, table: { ok: false } });
  expect(await secondsLeft(operator)).toBe(-1);
  callbacks.onRound(agedContext(2, 499, []));
  callbacks.onRound(agedContext(3, 500));
  blockFollowed(124, 1_000);
  await until(() => received.length === 1);
  expect(received[0]?.batch.round).toBe(3);
  expect(logged('round_abstained')).toHaveLength(1);
  expect(await readinessOf(operator)).toMatchObject({ status: 200, table: { ok: true } });
  expect(await secondsLeft(operator)).toBe(0);
});

test('an ageing table raises one alarm, a stale one another, however many blocks come', async () => {
  const operator = await start();
  await operator.caughtUp;
  callbacks.onRound(agedContext(1, 1_000));
  for (const timestamp of [1_299, 1_300, 1_301, 1_400, 1_500, 1_501, 1_600]) blockFollowed(108, timestamp);
  const alarms = lines.filter(({ event }) => String(event).startsWith('table_'));
  expect(alarms).toMatchObject([
    { event: 'table_ageing', secondsLeft: 199 },
    { event: 'table_stale', secondsLeft: -1 },
  ]);
  callbacks.onRound(agedContext(2, 10_000));
  blockFollowed(116, 1_700);
  expect(logged('table_fresh')).toHaveLength(1);
});

test('a BN254 key signs the digest of its curve, says both points of its key, and is guarded under its hash', async () => {
  const bn254 = javascriptBn254();
  key = bn254SigningKey(generateBn254Secret(), bn254);
  await (
    await start()
  ).caughtUp;
  callbacks.onRound(contextOf(1, [1]));
  await until(() => received.length === 1);
  const { batch, signature, signer } = received[0] as SignatureSubmission;
  const messageHash = hashMatchBatch(batch, {
    chainId: 31_337,
    settlement: deployment.contracts.matchSettlement,
  });
  expect(signer).toEqual(key.bn254);
  expect(bn254.keysMatch(signer as SubmissionSigner)).toBe(true);
  const digest = bn254CertificateDigest(batch.tableTimestamp, messageHash);
  expect(bn254.verify(digest, [signature], [(signer as SubmissionSigner).g2])).toBe(true);
  expect(readdirSync(path.join(folder, 'guard'))).toEqual([
    `31337-${deployment.contracts.matchSettlement}-${key.id}`.toLowerCase(),
  ]);
  // The same round again, after a reorganisation: the guard knows the key.
  callbacks.onRound(contextOf(1, [1], numberToHex(99, { size: 32 })));
  await until(() => logged('round_abstained').length === 1);
  expect(received).toHaveLength(1);
});

test.each(['ecdsa', 'bn254'])('a signature (%s) that does not verify never leaves the process', async (curve) => {
  const sound = curve === 'ecdsa' ? ecdsaKey : bn254SigningKey(generateBn254Secret(), javascriptBn254());
  let flips = 1;
  key = {
    ...sound,
    sign: (digest) => {
      const signature = sound.sign(digest);
      return flips-- > 0 ? `0x${signature.slice(2, 3) === '1' ? '2' : '1'}${signature.slice(3)}` : signature;
    },
  };
  await (
    await start()
  ).caughtUp;
  callbacks.onRound(contextOf(1, [1]));
  await until(() => logged('round_abstained').length === 1);
  callbacks.onRound(contextOf(2, [1]));
  await until(() => received.length === 1);
  expect(received[0]?.batch.round).toBe(2);
  expect(logged('round_abstained')).toMatchObject([{ round: 1, reason: 'INTERNAL', err: { code: 'SIGNATURE_FAULT' } }]);
});

test('an empty round is neither signed nor posted', async () => {
  await (
    await start()
  ).caughtUp;
  callbacks.onRound(contextOf(1, []));
  callbacks.onRound(contextOf(2, [1]));
  await until(() => received.length === 1);
  expect(received[0]?.batch.round).toBe(2);
  expect(logged('round_empty')).toHaveLength(1);
});

describe('what is never signed', () => {
  test('another batch of the same round, as after a reorganisation of its snapshot block', async () => {
    await (
      await start()
    ).caughtUp;
    callbacks.onRound(contextOf(1, [1]));
    await until(() => received.length === 1);
    callbacks.onRound(contextOf(1, [1], numberToHex(99, { size: 32 })));
    await until(() => logged('round_abstained').length === 1);
    expect(logged('round_abstained')[0]).toMatchObject({ round: 1, reason: 'DOUBLE_SIGN_REFUSED' });
    expect(received).toHaveLength(1);
  });

  test('a round whose snapshot block is not above the first head seen', async () => {
    chainHead = 108;
    await (
      await start()
    ).caughtUp;
    callbacks.onRound(contextOf(1, [1]));
    expect(logged('round_abstained')[0]).toMatchObject({ round: 1, reason: 'BEFORE_START' });
    callbacks.onRound(contextOf(2, [1]));
    await until(() => received.length === 1);
    expect(received[0]?.batch.round).toBe(2);
  });
});

describe('the index of the market', () => {
  /** Lets everything be done that waits to be. */
  async function idle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await nextTurn();
  }

  test('is there before the first round that is signed, and follows each block', async () => {
    chainHead = 108;
    await (
      await start()
    ).caughtUp;
    const context = contextOf(1, [1]);
    const { market } = context.snapshot;
    const providerId = 1;
    const write = (): void => market.setProvider(providerId, providerFieldsOf(market, providerId));
    callbacks.onRound(context);
    expect(logged('round_abstained')[0]).toMatchObject({ round: 1, reason: 'BEFORE_START' });
    await idle();
    write();
    expect(maintainIndex(market, 1)).toBe(true);
    write();
    blockFollowed(109);
    await idle();
    expect(maintainIndex(market, 1)).toBe(false);
  });

  test('is left alone once the market is read again', async () => {
    chainHead = 108;
    await (
      await start()
    ).caughtUp;
    const context = contextOf(1, [1]);
    const { market } = context.snapshot;
    callbacks.onRound(context);
    await idle();
    market.setProvider(1, providerFieldsOf(market, 1));
    callbacks.onResync?.('the words differ');
    blockFollowed(109);
    await idle();
    expect(maintainIndex(market, 1)).toBe(true);
  });
});

test('after a restart the same bytes are sent again, and nothing new is signed for that round', async () => {
  const first = await start();
  await first.caughtUp;
  callbacks.onRound(contextOf(1, [1]));
  await until(() => received.length === 1);
  await stop(first);
  chainHead = 110;
  const second = await start();
  await until(() => received.length === 2);
  expect(received[1]).toEqual(received[0]);
  await second.caughtUp;
  callbacks.onRound(contextOf(1, [1, 2]));
  expect(logged('round_abstained')).toMatchObject([{ reason: 'BEFORE_START' }]);
  await stop(second);
  // Its last block has passed: nobody wants it any more.
  chainHead = 117;
  await (
    await start()
  ).caughtUp;
  expect(logged('round_resent')).toHaveLength(1);
});

describe('posting', () => {
  test('goes on until the aggregator answers, and stops at a refusal that no retry cures', async () => {
    await (
      await start()
    ).caughtUp;
    answers = [
      { status: 500, body: {} },
      { status: 425, body: { code: 'round-too-far', detail: 'later' } },
      { status: 202, body: { status: 'buffered' } },
    ];
    callbacks.onRound(contextOf(1, [1]));
    await until(() => logged('signature_accepted').length === 1);
    expect(logged('signature_refused').map(({ outcome }) => outcome)).toEqual(['http-500', 'round-too-far']);
    answers = [{ status: 403, body: { code: 'unknown-signer', detail: 'no' } }];
    callbacks.onRound(contextOf(2, [1]));
    await until(() => logged('signature_refused').length === 3);
    expect(logged('signature_refused')[2]).toMatchObject({ outcome: 'unknown-signer', retrying: false });
    expect(received).toHaveLength(4);
  });

  test('an aggregator that answers without end, or with ever new codes, costs no memory', async () => {
    let written = 0;
    let ended = false;
    const endless = createServer((request, response) => {
      request.resume();
      response.writeHead(202, { 'content-type': 'application/json' });
      const more = (): void => {
        written += 1;
        if (response.destroyed) ended = true;
        else if (response.write(' '.repeat(100_000))) setImmediate(more);
        else response.once('drain', more);
      };
      response.on('close', () => {
        ended = true;
        wake();
      });
      more();
    });
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
    const { port } = endless.address() as AddressInfo;
    const operator = await start([`http://127.0.0.1:${port}`, urlOf(aggregator)]);
    await operator.caughtUp;
    callbacks.onRound(contextOf(1, [1]));
    await until(() => logged('signature_accepted').length === 2 && ended);
    expect(written).toBeLessThan(200);
    const name = (index: number): string => String.fromCodePoint(97 + Math.floor(index / 26), 97 + (index % 26));
    answers = Array.from({ length: 120 }, (_, index) => ({ status: 400, body: { code: `made-up-${name(index)}` } }));
    for (let round = 2; round < 122; round++) {
      callbacks.onRound(contextOf(round, [1]));
      await until(() => logged('signature_refused').some((line) => line['round'] === round));
    }
    const text = await (await fetch(`${operator.url}/metrics`)).text();
    const posts = text.split('\n').filter((line) => line.startsWith('matchmaker_operator_posts_total{'));
    expect(posts.length).toBeLessThan(70);
    expect(posts.some((line) => line.includes('outcome="other"'))).toBe(true);
    endless.closeAllConnections();
    endless.close();
  }, 20_000);

  test('a dead aggregator does not keep the others waiting, and the retries end with the round', async () => {
    await (
      await start(['http://127.0.0.1:9', urlOf(aggregator)])
    ).caughtUp;
    callbacks.onRound(contextOf(1, [1]));
    await until(() => received.length === 1 && logged('signature_refused').length > 0);
    expect(logged('signature_refused')[0]).toMatchObject({ outcome: 'unreachable', retrying: true });
    blockFollowed(116);
    const tried = logged('signature_refused').length;
    callbacks.onRound(contextOf(2, [1]));
    await until(() => received.length === 2 && logged('signature_refused').some(({ round }) => round === 2));
    expect(logged('signature_refused').filter(({ round }) => round === 1)).toHaveLength(tried);
  });
});

describe('health', () => {
  const ready = async (
    operator: RunningOperator,
  ): Promise<{ status: number; body: { checks: Record<string, { ok: boolean }> } }> => {
    const response = await fetch(`${operator.url}/health/ready`);
    const body: { checks: Record<string, { ok: boolean }> } = JSON.parse(await response.text());
    return { status: response.status, body };
  };

  test('an unreachable chain is said once, readiness is false, and the operator goes on when it is back', async () => {
    const port = Number(new URL(chainUrl).port);
    await chain.close();
    const operator = await start();
    await until(() => logged('chain_unreachable').length === 1);
    expect(await ready(operator)).toMatchObject({ status: 503, body: { checks: { chain: { ok: false } } } });
    expect((await fetch(`${operator.url}/health/live`)).status).toBe(200);
    chain = fastify({ forceCloseConnections: true });
    chain.post<{ Body: { id: number; method: string }[] }>('/', (request, reply) => {
      const answer = ({ id, method }: { id: number; method: string }): object => ({
        jsonrpc: '2.0',
        id,
        result: method === 'eth_chainId' ? numberToHex(31_337) : block(chainHead),
      });
      void reply.send(request.body.map(answer));
    });
    await chain.listen({ host: '127.0.0.1', port });
    await operator.caughtUp;
    expect(logged('chain_unreachable')).toHaveLength(1);
    expect(logged('chain_reachable')).toHaveLength(1);
    expect((await ready(operator)).status).toBe(200);
  });

  test('metrics count rounds by what became of them', async () => {
    const operator = await start();
    await operator.caughtUp;
    callbacks.onRound(contextOf(1, [1]));
    callbacks.onAbstain(2, 'FACTS_MISMATCH', 'a log was lost');
    await until(() => logged('signature_accepted').length === 1);
    const text = await (await fetch(`${operator.url}/metrics`)).text();
    expect(text).toMatch(/matchmaker_operator_rounds_signed_total 1/);
    expect(text).toMatch(/matchmaker_operator_rounds_abstained_total\{reason="FACTS_MISMATCH"\} 1/);
    expect(text).toMatch(/matchmaker_operator_guard_sync_seconds_count 1/);
  });
});
