import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { parseGwei } from 'viem';

import { buildMatchBatch } from '../chain/buildMatchBatch.js';
import { readTableEntries } from '../chain/eigenlayer/readTableEntries.js';
import { latestBlock, storageAt, transactionCount } from '../chain/rpc/rpcCall.js';
import { Submitter } from '../chain/submission/submitter.js';
import type { SubmitterEvent } from '../chain/submission/submission.js';
import { matchRound } from '../engine/matchRound.js';
import { quorumDigest } from '../protocol/certificate.js';
import { decodeSettlementWord } from '../protocol/words/settlementWord.js';
import { SETTLEMENT_SLOT, TABLE_SLOT } from '../protocol/words/slots.js';
import { decodeTableWord } from '../protocol/words/tableWord.js';
import { systemClock } from '../service/clock.js';
import { Metrics } from '../service/metrics.js';
import { FollowedRounds } from '../test/support/followedRounds.js';
import { MarketChain } from '../test/support/marketChain.js';
import { AggregatorEvents } from './aggregatorEvents.js';
import { RoundBook } from './roundBook.js';
import type { Certificate } from './roundPool.js';
import { Settler } from './settler.js';
import { Upkeep } from './upkeep.js';

const KEY = 0;

let chain: MarketChain;
let followed: FollowedRounds;
let directory: string;
let sent: Extract<SubmitterEvent, { kind: 'sent' }>[];
let resumed: Extract<SubmitterEvent, { kind: 'resumed' }>[];
let lines: Record<string, unknown>[];
const running: Submitter[] = [];

jest.setTimeout(60_000);

beforeEach(async () => {
  chain = await MarketChain.start({ roundLengthBlocks: 6 });
  directory = await mkdtemp(path.join(tmpdir(), 'settler-'));
  sent = [];
  resumed = [];
  lines = [];
  followed = new FollowedRounds({ deployment: chain.deployment, factsCheck: 'storage', pollIntervalMs: 5 }, chain.rpc);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((submitter) => submitter.stop()));
  await followed.follower.stop();
  await chain.stop();
  await rm(directory, { recursive: true });
});

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error(`waited in vain after ${JSON.stringify(lines)}`);
    await sleep(5);
  }
}

/** A certificate of the open round, in which an order is matched. */
async function certificateOfRound(): Promise<Certificate> {
  const { deployment } = chain;
  await chain.addProvider(0, [1_000_000]);
  await chain.fundProvider(0, 10n ** 12n);
  await chain.mined([chain.postOrder()]);
  await followed.follower.start();
  const seen = followed.rounds.length;
  while (followed.rounds.length === seen || followed.rounds.at(-1)?.orderIds.length === 0)
    await followed.untilBlock((await chain.mine()).number);
  const context = followed.rounds.at(-1)?.context;
  if (context === undefined) throw new Error('no round');
  const records = matchRound(context.snapshot, context.policy, context.seed);
  expect(records).toHaveLength(1);
  const { chainId, quorum } = deployment;
  const settlement = deployment.contracts.matchSettlement;
  const { batch, recordsHex, messageHash } = buildMatchBatch(context, records, { chainId, settlement });
  const hash = quorumDigest(quorum, { referenceTimestamp: batch.tableTimestamp, messageHash });
  const votes = await Promise.all(
    chain.operators.map(async ({ account }) => ({
      signer: account.address,
      messageHash,
      submission: { batch, records: recordsHex, signature: await account.sign({ hash }) },
    })),
  );
  return { terms: { ...context, snapshotHash: context.snapshot.snapshotHash }, messageHash, votes };
}

/** What an aggregator sends transactions with. */
async function startSender(): Promise<{ submitter: Submitter; settler: Settler; upkeep: Upkeep }> {
  const { deployment, rpc } = chain;
  const { account } = chain.account(KEY);
  const settlement = deployment.contracts.matchSettlement;
  const logger = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const metrics = new Metrics({ process: 'aggregator', collectNodeMetrics: false });
  const events = new AggregatorEvents({ logger, metrics });
  const submitter = new Submitter(
    {
      chainId: deployment.chainId,
      journalFile: path.join(directory, 'nonces.jsonl'),
      maxFeePerGas: parseGwei('100'),
      priorityFeePerGas: parseGwei('1'),
      spendCapWei: 10n ** 19n,
      spendPeriodSeconds: 3600,
      maxPending: 4,
      pollIntervalMs: 5,
    },
    {
      rpc,
      account,
      onEvent: (event) => {
        if (event.kind === 'sent') sent.push(event);
        if (event.kind === 'resumed') resumed.push(event);
      },
    },
  );
  running.push(submitter);
  await submitter.start();
  const book = new RoundBook(
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
  const settler = new Settler(
    { settlement, quorum: deployment.quorum },
    {
      submitter,
      rpc,
      book,
      events,
      tableAgeOf: () => ({
        status: 'fresh',
        tableTimestamp: 0,
        ageSeconds: 0,
        maxAgeSeconds: 1_000,
        secondsLeft: 1_000,
      }),
      onSubmitted: () => undefined,
      onMined: () => undefined,
    },
  );
  const upkeep = new Upkeep(
    {
      deployment,
      submitter: account.address,
      priorityFeePerGas: parseGwei('1'),
      tickAfterMs: 3_600_000,
      intervalMs: 3_600_000,
    },
    {
      rpc,
      submitter,
      clock: systemClock,
      events,
      wouldBeStale: () => false,
      entriesOf: (timestamp) => readTableEntries(deployment, timestamp, { rpc, stakeRpc: rpc }),
    },
  );
  return { submitter, settler, upkeep };
}

async function chainSays(): Promise<{ lastSettledRound: number; tableTimestamp: number; used: number }> {
  const settlement = chain.deployment.contracts.matchSettlement;
  const [word, table, used] = await chain.rpc.batch([
    storageAt(settlement, SETTLEMENT_SLOT, 'latest'),
    storageAt(settlement, TABLE_SLOT, 'latest'),
    transactionCount(chain.account(KEY).account.address),
  ]);
  const { lastSettledRound } = decodeSettlementWord(word);
  return { lastSettledRound, tableTimestamp: decodeTableWord(table).tableTimestamp, used };
}

test('a settlement does not wait for a table that is being recorded: both are mined in one block', async () => {
  const certificate = await certificateOfRound();
  const { settler, upkeep } = await startSender();
  await chain.transportTable([5n, 6n]);
  const before = await chainSays();
  const looked = upkeep.look();
  await until(() => sent.length === 1);
  const settled = settler.settle(certificate);
  await until(() => sent.length === 2);
  expect(sent.map(({ label }) => label)).toEqual([
    expect.stringMatching(/^record table/),
    expect.stringMatching(/^settle/),
  ]);
  const { number } = await chain.mine();
  await Promise.all([looked, settled]);
  expect(await chainSays()).toEqual({
    lastSettledRound: certificate.terms.round,
    tableTimestamp: before.tableTimestamp + 1,
    used: before.used + 2,
  });
  expect(lines).toContainEqual(expect.objectContaining({ event: 'settlement_mined', blockNumber: number }));
});

test('after a restart between the two both go on, and the round is not settled a second time', async () => {
  const certificate = await certificateOfRound();
  const first = await startSender();
  await chain.transportTable([5n, 6n]);
  const before = await chainSays();
  const looked = first.upkeep.look();
  await until(() => sent.length === 1);
  const settled = first.settler.settle(certificate);
  await until(() => sent.length === 2);
  await first.submitter.stop();
  await Promise.all([looked, settled]);
  for (const { hash } of sent)
    await chain.rpc.request({ method: 'anvil_dropTransaction', params: [hash], decode: String });
  const second = await startSender();
  const again = [second.upkeep.look(), second.settler.settle(certificate)];
  await until(async () => {
    await chain.mine();
    await sleep(20);
    return resumed.length === 2;
  });
  await Promise.all(again);
  await chain.mine();
  expect(resumed.map(({ outcome }) => outcome)).toEqual(['mined', 'mined']);
  expect(await chainSays()).toEqual({
    lastSettledRound: certificate.terms.round,
    tableTimestamp: before.tableTimestamp + 1,
    used: before.used + 2,
  });
  const { number } = await chain.rpc.request(latestBlock());
  expect(number).toBeLessThanOrEqual(certificate.terms.nextSnapshotBlock);
});
