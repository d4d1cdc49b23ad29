import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { concat, numberToHex, slice, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAddress, sign } from 'viem/accounts';

import { certificateDigest } from '../protocol/certificate.js';
import { hashMatchBatch, type MatchBatch } from '../protocol/matchBatch.js';
import type { TableEntry } from '../protocol/operatorTable.js';
import { hashRecords } from '../protocol/records.js';
import { systemClock } from '../service/clock.js';
import { createHttpServer } from '../service/httpServer.js';
import { Metrics } from '../service/metrics.js';
import type { SignatureSubmission } from '../service/signatureApi.js';
import { loadCurves, type Curves } from '../service/signing/curves.js';
import { VerificationPool } from '../service/signing/verificationPool.js';
import { hashOf, INTAKE_DOMAIN, IntakeRounds, recordsOf } from '../test/support/intakeRounds.js';
import { AggregatorEvents } from './aggregatorEvents.js';
import { EvidenceLog } from './evidenceLog.js';
import { RoundBook } from './roundBook.js';
import type { Certificate } from './roundPool.js';
import { SignatureCandidates } from './signatureCandidates.js';
import { SignatureIntake } from './signatureIntake.js';
import { registerSignatureRoutes } from './signatureRoutes.js';
import { SIGNATURE_BODY_LIMIT_BYTES } from './signatureSchema.js';
import { TokenBuckets } from './tokenBuckets.js';

const domain = INTAKE_DOMAIN;
const keys = [30n, 27n, 23n, 20n].map((weight) => {
  const privateKey = generatePrivateKey();
  return { privateKey, address: privateKeyToAddress(privateKey), weight };
});
const entries: TableEntry[] = keys.map(({ address, weight }) => ({ key: address, weight }));
const rounds = new IntakeRounds(entries);
const contextOf = rounds.context.bind(rounds);
const batchOf = rounds.batch.bind(rounds);
const hash = hashOf;
const SIGNATURE = '/v1/signatures';
const QUEUE_LIMIT = 300;

async function signed(
  signer: number,
  { batch, records }: { batch: MatchBatch; records: Hex },
  to: { chainId: number; settlement: Hex; verifier: Hex } = domain,
): Promise<SignatureSubmission> {
  const digest = certificateDigest({
    verifier: to.verifier,
    referenceTimestamp: batch.tableTimestamp,
    messageHash: hashMatchBatch(batch, to),
  });
  const key = keys[signer]?.privateKey ?? generatePrivateKey();
  return { batch, records, signature: await sign({ hash: digest, privateKey: key, to: 'hex' }) };
}

let curves: Curves;
let folder: string;
let app: FastifyInstance;
let pool: VerificationPool;
let candidates: SignatureCandidates;
let book: RoundBook;
let quorums: Certificate[];
let metrics: Metrics;
let evidence: EvidenceLog;
let openRound: number;

function build(burst = 10_000): void {
  quorums = [];
  openRound = 0;
  metrics = new Metrics({ process: 'aggregator', collectNodeMetrics: false });
  const events = new AggregatorEvents({ logger: pino({ level: 'silent' }), metrics });
  const keep = (kind: 'conflict' | 'dissent', round: number, signer: Hex, submissions: SignatureSubmission[]): void =>
    evidence.append({ kind, round, signer, submissions, chainId: 1, settlement: domain.settlement, seenAt: 'now' });
  book = new RoundBook(
    { bufferedRounds: 2, bufferedSignatures: 3, keptRounds: 16 },
    {
      monotonicMs: () => 0,
      onQuorum: (certificate) => quorums.push(certificate),
      onConflict: (round, first, second) => {
        keep('conflict', round, first.signer, [first.submission, second.submission]);
        events.conflict(round, first.signer, first.messageHash, second.messageHash);
      },
      onDissent: (round, vote) => keep('dissent', round, vote.signer, [vote.submission]),
      onBufferedOutcome: (round, outcome) =>
        events.signature(outcome.status === 'refused' ? outcome.code : outcome.status, round, ''),
      onClosed: () => undefined,
    },
  );
  app = createHttpServer(
    { bodyLimitBytes: SIGNATURE_BODY_LIMIT_BYTES },
    { logger: pino({ level: 'silent' }), registry: metrics.registry, readiness: () => ({ ready: true, checks: {} }) },
  );
  pool = new VerificationPool(
    { queueLimit: QUEUE_LIMIT, workerFile: path.join(folder, 'none.js') },
    { curves, onWorkerLost: () => undefined },
  );
  candidates = new SignatureCandidates({
    book,
    pool,
    openRound: () => openRound,
    onLateOutcome: () => undefined,
  });
  registerSignatureRoutes(
    app,
    { curve: 'ecdsa' },
    {
      intake: new SignatureIntake(
        { ...domain, curve: 'ecdsa' },
        { book, pool, candidates, openRound: () => openRound },
      ),
      book,
      buckets: new TokenBuckets({ perSecond: 1, burst, maxAddresses: 100 }, { clock: systemClock }),
      events,
      status: () => ({ openRounds: book.openRounds }),
    },
  );
}

beforeAll(async () => {
  curves = await loadCurves();
});
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-intake-'));
  evidence = new EvidenceLog({ file: path.join(folder, 'evidence.jsonl') });
  build();
});
afterEach(async () => {
  await app.close();
  await pool.stop();
  evidence.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  status: number;
  body: { status?: string; code?: string; detail?: string; type?: string; errors?: { field: string }[] };
}

async function post(body: unknown, remoteAddress = '127.0.0.1'): Promise<Answer> {
  const response = await app.inject({
    method: 'POST',
    url: SIGNATURE,
    remoteAddress,
    headers: { 'content-type': 'application/json' },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.statusCode, body: response.json() };
}

function evidenceLines(): { kind: string; signer: string; submissions: SignatureSubmission[] }[] {
  return readFileSync(path.join(folder, 'evidence.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function counted(outcome: string): Promise<number> {
  const metric = await metrics.registry.getSingleMetric('matchmaker_aggregator_signatures_total')?.get();
  return metric?.values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
}

describe('what is refused', () => {
  const cases: [string, number, string, () => Promise<unknown>][] = [
    ['no JSON', 400, 'malformed', async () => '{"batch":'],
    ['a prototype in the body', 400, 'malformed', async () => '{"__proto__":{"a":1},"batch":{}}'],
    ['a missing field', 400, 'malformed', async () => ({ ...(await signed(0, batchOf(5))), signature: undefined })],
    [
      'an added field',
      400,
      'malformed',
      async () => ({ ...(await signed(0, batchOf(5))), operator: keys[1]?.address }),
    ],
    [
      'a number as text',
      400,
      'malformed',
      async () => {
        const body = await signed(0, batchOf(5));
        return { ...body, batch: { ...body.batch, round: '5' } };
      },
    ],
    ['no match', 400, 'malformed', async () => ({ ...(await signed(0, batchOf(5, [1], { matchCount: 0 }))) })],
    [
      'more than 512 records',
      400,
      'malformed',
      async () => ({ ...(await signed(0, batchOf(5))), records: `0x${'00'.repeat(513 * 32)}` }),
    ],
    [
      'a body over 64 KiB',
      413,
      'oversized',
      async () => ({ ...(await signed(0, batchOf(5))), records: `0x${'00'.repeat(40_000)}` }),
    ],
    [
      'a count that is not that of the records',
      422,
      'match-count-mismatch',
      () => signed(0, batchOf(5, [1, 2], { matchCount: 3 })),
    ],
    [
      'records of another hash',
      422,
      'records-hash-mismatch',
      async () => ({ ...(await signed(0, batchOf(5))), records: recordsOf([1, 3]) }),
    ],
    [
      'records out of order',
      422,
      'malformed',
      async () => {
        const records = concat([recordsOf([2]), recordsOf([1])]);
        return signed(0, { records, batch: { ...batchOf(5).batch, recordsHash: hashRecords(records) } });
      },
    ],
    ['a closed round', 410, 'closed-round', () => signed(0, batchOf(3))],
    ['a round far ahead', 425, 'round-too-far', () => signed(0, batchOf(8))],
    ['another chain', 403, 'unknown-signer', () => signed(0, batchOf(5), { ...domain, chainId: 1 })],
    [
      'another settlement contract',
      403,
      'unknown-signer',
      () => signed(0, batchOf(5), { ...domain, settlement: domain.verifier }),
    ],
    [
      'another verifier',
      403,
      'unknown-signer',
      () => signed(0, batchOf(5), { ...domain, verifier: domain.settlement }),
    ],
    ['a key outside the table', 403, 'unknown-signer', () => signed(99, batchOf(5))],
    ['another snapshot hash', 409, 'wrong-snapshot', () => signed(0, batchOf(5, [1], { snapshotHash: hash(99) }))],
    ['another snapshot block', 409, 'wrong-snapshot', () => signed(0, batchOf(5, [1], { snapshotBlock: 9 }))],
    ['another policy', 409, 'wrong-policy', () => signed(0, batchOf(5, [1], { policyHash: hash(99) }))],
    ['another operator set', 409, 'wrong-operator-set', () => signed(0, batchOf(5, [1], { operatorSetKey: hash(99) }))],
    ['another table', 409, 'unknown-table', () => signed(0, batchOf(5, [1], { tableTimestamp: 999 }))],
    [
      'a signature of zeros',
      422,
      'invalid-signature',
      async () => ({ ...(await signed(0, batchOf(5))), signature: `0x${'00'.repeat(64)}1b` }),
    ],
    [
      'a v of 0 or 1',
      422,
      'invalid-signature',
      async () => {
        const body = await signed(0, batchOf(5));
        return {
          ...body,
          signature: concat([slice(body.signature, 0, 64), body.signature.endsWith('1b') ? '0x00' : '0x01']),
        };
      },
    ],
    [
      'the malleated twin of a signature',
      422,
      'invalid-signature',
      async () => {
        const body = await signed(0, batchOf(5));
        const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
        const s = order - BigInt(slice(body.signature, 32, 64));
        const v: Hex = body.signature.endsWith('1b') ? '0x1c' : '0x1b';
        return { ...body, signature: concat([slice(body.signature, 0, 32), numberToHex(s, { size: 32 }), v]) };
      },
    ],
  ];
  test.each(cases)('%s: %i %s, and the signer can still vote', async (_name, status, code, body) => {
    book.open(contextOf(3));
    book.open(contextOf(5));
    book.advance(contextOf(3).nextSnapshotBlock);
    openRound = 5;
    const answer = await post(await body());
    expect(answer.body).toMatchObject({ code, status, type: `urn:matchmaker:problem:${code}` });
    expect(answer.status).toBe(status);
    expect(await counted(code)).toBe(1);
    // What names another market, or no valid signature, leaves nothing behind for anyone's key.
    const before = answer.status === 409 ? 1 : 0;
    await post(await signed(0, batchOf(5)));
    expect(await counted('counted')).toBe(1);
    expect(evidenceLines()).toHaveLength(before);
  });

  test('a schema error names the field', async () => {
    const body = await signed(0, batchOf(5));
    const answer = await post({ ...body, batch: { ...body.batch, matchCount: 1_000 } });
    expect(answer.body.errors).toEqual([{ field: '/batch/matchCount', detail: expect.stringContaining('512') }]);
  });
});

test("a hundred invalid signatures in a victim's name, then its valid one: it counts", async () => {
  book.open(contextOf(5));
  const honest = await signed(0, batchOf(5));
  for (let i = 0; i < 100; i++) {
    const forged = { ...honest, signature: concat([hash(i + 1), slice(honest.signature, 32)]) };
    const answer = await post(forged);
    expect([403, 422]).toContain(answer.status);
  }
  expect((await post(honest)).body).toEqual({ status: 'counted' });
  expect(evidenceLines()).toEqual([]);
});

describe('the quorum', () => {
  test('is reached by weight over one batch, once, and late signatures still count as participation', async () => {
    book.open(contextOf(5));
    expect((await post(await signed(0, batchOf(5)))).body.status).toBe('counted');
    expect((await post(await signed(0, batchOf(5)))).body.status).toBe('duplicate');
    expect((await post(await signed(3, batchOf(5)))).body.status).toBe('counted');
    expect(quorums).toEqual([]);
    await post(await signed(1, batchOf(5)));
    expect(quorums).toHaveLength(1);
    expect(new Set(quorums[0]?.votes.map(({ signer }) => signer))).toEqual(
      new Set([keys[0], keys[1], keys[3]].map((key) => key?.address)),
    );
    expect((await post(await signed(2, batchOf(5)))).body.status).toBe('counted');
    expect(quorums).toHaveLength(1);
    book.advance(contextOf(5).nextSnapshotBlock);
    expect(book.summary(5)?.participants).toHaveLength(4);
  });

  test('is not reached by two groups together, and the minority leaves evidence', async () => {
    book.open(contextOf(5));
    await post(await signed(0, batchOf(5, [1, 2])));
    await post(await signed(1, batchOf(5, [1, 3])));
    await post(await signed(2, batchOf(5, [1, 2])));
    expect(quorums).toEqual([]);
    await post(await signed(3, batchOf(5, [1, 2])));
    expect(quorums).toHaveLength(1);
    expect(evidenceLines()).toMatchObject([{ kind: 'dissent', signer: keys[1]?.address }]);
  });

  test('keeps one copy of a batch that several keys signed', async () => {
    book.open(contextOf(5));
    for (const signer of [0, 1, 2, 3]) await post(await signed(signer, batchOf(5)));
    const [first, ...others] = quorums[0]?.votes ?? [];
    expect(others.length).toBeGreaterThan(0);
    for (const other of others) {
      expect(other.submission.batch).toBe(first?.submission.batch);
      expect(other.submission.signature).not.toBe(first?.submission.signature);
    }
  });

  test('records that held for one operator do not hold under another hash, nor others under theirs', async () => {
    book.open(contextOf(5));
    const good = await signed(0, batchOf(5, [1]));
    expect((await post(good)).body.status).toBe('counted');
    const otherHash = await signed(1, batchOf(5, [1], { recordsHash: hash(77) }));
    expect((await post({ ...otherHash, records: good.records })).body.code).toBe('records-hash-mismatch');
    expect((await post({ ...(await signed(1, batchOf(5, [1]))), records: recordsOf([2]) })).body.code).toBe(
      'records-hash-mismatch',
    );
    expect((await post(await signed(1, batchOf(5, [1])))).body.status).toBe('counted');
  });

  test('hex in upper case is the same vote', async () => {
    book.open(contextOf(5));
    const body = await signed(0, batchOf(5));
    const upper = (hex: Hex): Hex => `0x${hex.slice(2).toUpperCase()}`;
    await post(body);
    const answer = await post({ ...body, records: upper(body.records), signature: upper(body.signature) });
    expect(answer.body.status).toBe('duplicate');
  });
});

describe('two batches by one key', () => {
  test('the first stays counted, both bodies are kept, it counts as one conflict', async () => {
    book.open(contextOf(5));
    const first = await signed(0, batchOf(5, [1]));
    await post(first);
    for (const orders of [[2], [3]]) {
      const answer = await post(await signed(0, batchOf(5, orders)));
      expect(answer.body).toMatchObject({ status: 409, code: 'conflicting-signature' });
    }
    const lines = evidenceLines();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ kind: 'conflict', signer: keys[0]?.address });
    expect(lines[0]?.submissions.map(({ batch }) => batch.recordsHash)).toEqual([
      first.batch.recordsHash,
      hashRecords(recordsOf([2])),
    ]);
    await post(await signed(1, batchOf(5, [1])));
    await post(await signed(3, batchOf(5, [1])));
    expect(quorums).toHaveLength(1);
  });

  test('is seen after a reorganisation too, and in a round that closed', async () => {
    book.open(contextOf(5));
    await post(await signed(0, batchOf(5)));
    book.open(contextOf(5, hash(77)));
    const answer = await post(await signed(0, batchOf(5, [1], { snapshotHash: hash(77) })));
    expect(answer.body.status).toBe('counted');
    expect(evidenceLines()).toMatchObject([{ kind: 'conflict' }]);
    await post(await signed(1, batchOf(5, [1], { snapshotHash: hash(77) })));
    book.advance(contextOf(5).nextSnapshotBlock);
    const late = await post(await signed(1, batchOf(5, [2], { snapshotHash: hash(77) })));
    expect(late.body.code).toBe('closed-round');
    expect(evidenceLines()).toHaveLength(2);
  });

  test('votes of an abandoned branch do not count on the new one', async () => {
    book.open(contextOf(5));
    for (const signer of [0, 1]) await post(await signed(signer, batchOf(5)));
    book.open(contextOf(5, hash(77)));
    await post(await signed(2, batchOf(5, [1, 2], { snapshotHash: hash(77) })));
    await post(await signed(3, batchOf(5, [1, 2], { snapshotHash: hash(77) })));
    expect(quorums).toEqual([]);
  });
});

describe('rounds not seen yet', () => {
  test('signatures wait for the snapshot, then count; strangers and repeats take no room', async () => {
    book.open(contextOf(5));
    for (const signer of [0, 1, 3]) expect((await post(await signed(signer, batchOf(6)))).body.status).toBe('buffered');
    expect((await post(await signed(0, batchOf(6)))).body.status).toBe('duplicate');
    expect((await post(await signed(99, batchOf(6)))).body.code).toBe('unknown-signer');
    expect(quorums).toEqual([]);
    book.open(contextOf(6));
    expect(quorums).toHaveLength(1);
    expect(await counted('counted')).toBe(3);
    expect((await post(await signed(2, batchOf(7)))).body.status).toBe('buffered');
  });

  test('keys under a table nobody knows fill their own room, never that of the operators', async () => {
    book.open(contextOf(5));
    const stranger = async () => (await post(await signed(99, batchOf(6, [1], { tableHash: hash(66) })))).body;
    for (let key = 0; key < 3; key++) expect(await stranger()).toMatchObject({ status: 'buffered' });
    expect(await stranger()).toMatchObject({ code: 'buffer-full', status: 503 });
    for (const signer of [0, 1, 2, 3]) {
      expect((await post(await signed(signer, batchOf(6)))).body.status).toBe('buffered');
    }
    book.open(contextOf(6));
    expect(quorums).toHaveLength(1);
    expect(await counted('unknown-signer')).toBe(3);
  });

  test('one operator cannot fill the room with batches: two of a round are evidence, more are refused', async () => {
    book.open(contextOf(5));
    for (const orders of [[1], [2]]) {
      expect((await post(await signed(3, batchOf(6, orders)))).body.status).toBe('buffered');
    }
    for (const orders of [[3], [4], [5], [6]]) {
      expect((await post(await signed(3, batchOf(6, orders)))).body.code).toBe('conflicting-signature');
    }
    for (const signer of [0, 1, 2]) await post(await signed(signer, batchOf(6)));
    book.open(contextOf(6));
    expect(quorums).toHaveLength(1);
    const kept = readFileSync(path.join(folder, 'evidence.jsonl'), 'utf8').trim().split('\n');
    expect(kept.map((line) => (JSON.parse(line) as { kind: string }).kind)).toContain('conflict');
  });

  test('what waited for a snapshot that never came is dropped and makes room', async () => {
    for (const signer of [0, 1, 2]) await post(await signed(signer, batchOf(1)));
    book.open(contextOf(2));
    expect(await counted('closed-round')).toBe(3);
    expect((await post(await signed(0, batchOf(3)))).body.status).toBe('buffered');
  });

  test('a buffered batch of another snapshot is refused when the snapshot comes', async () => {
    await post(await signed(0, batchOf(1, [1], { snapshotHash: hash(50) })));
    book.open(contextOf(1));
    expect(await counted('wrong-snapshot')).toBe(1);
  });
});

describe('what is served', () => {
  test('nothing of an open round; the closed round with its participants', async () => {
    book.open(contextOf(5));
    const body = await signed(0, batchOf(5));
    await post(body);
    for (const url of ['/v1/rounds/5', '/v1/status', '/metrics', '/health/ready']) {
      const response = await app.inject({ url });
      expect(response.body).not.toContain(hashMatchBatch(body.batch, domain).slice(2));
      expect(response.body).not.toContain(body.signature.slice(2, 40));
    }
    expect((await app.inject({ url: '/v1/rounds/5' })).json()).toMatchObject({
      status: 404,
      code: 'round-not-readable',
    });
    book.advance(contextOf(5).nextSnapshotBlock);
    expect((await app.inject({ url: '/v1/rounds/5' })).json()).toMatchObject({
      round: 5,
      participants: [{ signer: keys[0]?.address }],
    });
    expect((await app.inject({ url: '/v1/rounds/abc' })).json()).toMatchObject({ status: 400, code: 'malformed' });
  });
});

test('an address that posts too fast gets 429 and nothing else happens', async () => {
  await app.close();
  build(2);
  book.open(contextOf(5));
  const codes = [];
  for (const signer of [0, 1, 2]) codes.push((await post(await signed(signer, batchOf(5)))).status);
  expect(codes).toEqual([202, 202, 429]);
});

describe('a flood of invalid signatures', () => {
  // 64 bytes each, so that only a recovery tells; every one recovers to some stranger or to nobody.
  const forged = (honest: SignatureSubmission, index: number): SignatureSubmission => ({
    ...honest,
    signature: concat([hash(index + 1), slice(honest.signature, 32)]),
  });

  test.each([1, 50])(
    'from %i addresses: every operator is counted at its first try, and work and room stay bounded',
    async (addresses) => {
      await app.close();
      const burst = 20;
      build(burst);
      let checks = 0;
      let mostQueued = 0;
      const recover = pool.recover.bind(pool);
      pool.recover = (...parameters) => {
        checks++;
        const result = recover(...parameters);
        mostQueued = Math.max(mostQueued, pool.queued);
        return result;
      };
      book.open(contextOf(5));
      const honest = await Promise.all(keys.map((_, index) => signed(index, batchOf(5))));
      const posts = 1_500;
      const answers = new Map<number, number>();
      const flood = Array.from({ length: posts }, async (_, index) => {
        const { status } = await post(forged(honest[0]!, index), `10.0.0.${index % addresses}`);
        answers.set(status, (answers.get(status) ?? 0) + 1);
      });
      const votes = await Promise.all(honest.map((body, index) => post(body, `10.1.0.${index}`)));
      await Promise.all(flood);
      expect(votes.map(({ status, body }) => [status, body.status])).toEqual(keys.map(() => [202, 'counted']));
      expect(quorums).toHaveLength(1);
      // The buckets let a burst of each address through, and what little trickles in while this runs.
      const refused = answers.get(429) ?? 0;
      expect(checks).toBe(posts - refused + keys.length);
      expect(refused).toBeGreaterThan(posts - addresses * burst * 2);
      expect(mostQueued).toBeLessThanOrEqual(QUEUE_LIMIT);
      expect(evidenceLines()).toEqual([]);
    },
    60_000,
  );

  test('that fills the queue is answered 503, and costs an operator nothing', async () => {
    await app.close();
    build();
    book.open(contextOf(5));
    const honest = await Promise.all(keys.map((_, index) => signed(index, batchOf(5))));
    const flood = Array.from({ length: QUEUE_LIMIT + 200 }, (_, index) => post(forged(honest[0]!, index), '10.0.0.1'));
    const votes = await Promise.all(honest.map((body, index) => post(body, `10.1.0.${index}`)));
    expect(votes.map(({ body }) => body.status)).toEqual(keys.map(() => 'counted'));
    for (const { status, body } of await Promise.all(flood)) {
      expect([403, 422, 503]).toContain(status);
      if (status === 503) expect(body).toMatchObject({ code: 'busy' });
    }
  }, 60_000);
});
