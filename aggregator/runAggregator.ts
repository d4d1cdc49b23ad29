import path from 'node:path';

import type { FastifyInstance } from 'fastify';
import type { Address, LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import type { Deployment } from '../chain/deployment.js';
import { readTableEntries } from '../chain/eigenlayer/readTableEntries.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import type { SubmitterEvent, SubmitterOptions } from '../chain/submission/submission.js';
import type {
  FollowerStatus,
  RoundContext,
  RoundFollowerDependencies,
  RoundFollowerOptions,
} from '../chain/sync/roundFollower.js';
import { describeTableAge } from '../chain/sync/tableAge.js';
import { TableWatch } from '../chain/sync/tableWatch.js';
import { TAKEN_ROUND_HASH } from '../protocol/words/settlementWord.js';
import type { Clock } from '../service/clock.js';
import type { EnsuredRedis } from '../service/ensureRedis.js';
import { createHttpServer, type Readiness } from '../service/httpServer.js';
import { listenOn } from '../service/listenOn.js';
import type { UnlockedKey } from '../service/keystore.js';
import { localSnapshotIn } from '../service/localSnapshotConfig.js';
import { logLocalSnapshot } from '../service/localSnapshotLog.js';
import type { Logger } from '../service/logger.js';
import { Metrics } from '../service/metrics.js';
import { defaultPollIntervalMs } from '../service/pollInterval.js';
import type { Curves } from '../service/signing/curves.js';
import { VerificationPool } from '../service/signing/verificationPool.js';
import type { AggregatorConfig } from './aggregatorConfig.js';
import { AggregatorEvents } from './aggregatorEvents.js';
import { ConflictEvidence } from './conflictEvidence.js';
import { EvidenceLog, type Evidence } from './evidenceLog.js';
import { FollowUpHandlers } from './followUpHandlers.js';
import { FollowUpQueues } from './followUpQueues.js';
import { RoundBook } from './roundBook.js';
import { Settler, type TransactionSubmitter } from './settler.js';
import { SignatureCandidates } from './signatureCandidates.js';
import { SignatureIntake } from './signatureIntake.js';
import { registerSignatureRoutes } from './signatureRoutes.js';
import { SIGNATURE_BODY_LIMIT_BYTES } from './signatureSchema.js';
import { TokenBuckets } from './tokenBuckets.js';
import { Upkeep } from './upkeep.js';

/** Signature checks that wait at most: seconds of ECDSA, and more BN254 signatures than two tables have. */
const QUEUED_CHECKS = 4_096;

/** Blocks after a snapshot for which the nonce, balance and fees that were read with it are good for its settlement. */
const PREPARED_BLOCKS = 2;

/** A settlement, a table and a tick need not wait for each other, nor the next settlement for one that is being given up. */
const PENDING_TRANSACTIONS = 4;

/** Whoever follows the chain: RoundFollower in a running aggregator. */
export interface RoundSource {
  start(): Promise<void>;
  stop(): Promise<void>;
  status(): FollowerStatus;
}

/** Whoever sends transactions: Submitter in a running aggregator. */
export interface RunningSubmitter extends TransactionSubmitter {
  /** Asks in advance for what a transaction that may follow within `validMs` needs to know. */
  prepare(validMs: number): void;
  /** A block was seen: what is under way may be in it. */
  headMoved(): void;
  /** Opens the journal and takes up what it holds from before the start. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface AggregatorDependencies {
  readonly deployment: Deployment;
  readonly key: UnlockedKey;
  readonly rpc: Rpc;
  /** Of the stake chain, which may be the same. */
  readonly stakeRpc: Rpc;
  readonly redis: EnsuredRedis;
  /** Check signatures where no worker thread can. */
  readonly curves: Curves;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly createFollower: (options: RoundFollowerOptions, dependencies: RoundFollowerDependencies) => RoundSource;
  readonly createSubmitter: (
    options: SubmitterOptions,
    dependencies: { rpc: Rpc; account: LocalAccount; onEvent: (event: SubmitterEvent) => void },
  ) => RunningSubmitter;
}

/** A running aggregator. */
export interface RunningAggregator {
  /** Where signatures are taken. */
  readonly url: string;
  /** Resolves when the chain has been caught up with for the first time, or the aggregator was stopped before. */
  readonly caughtUp: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts an aggregator: takes signatures, settles at the quorum, keeps rounds closing, and follows up through Redis.
 * Throws when a folder or port cannot be used or Redis evicts keys; chain and Redis may be away, they are tried on.
 */
export async function runAggregator(
  config: AggregatorConfig,
  dependencies: AggregatorDependencies,
): Promise<RunningAggregator> {
  const { deployment, key, rpc, stakeRpc, logger, clock } = dependencies;
  const { matchSettlement: settlement } = deployment.contracts;
  const metrics = new Metrics({ process: 'aggregator' });
  const events = new AggregatorEvents({ logger, metrics });
  const pollIntervalMs = config.pollIntervalMs ?? defaultPollIntervalMs(deployment.blockTimeMs);
  const evidence = new EvidenceLog({ file: path.join(config.dataDir, 'evidence.jsonl') });
  const keep = (entry: Evidence): void => keepEvidence(evidence, entry, { deployment, clock, events });

  const submitter = dependencies.createSubmitter(
    {
      chainId: deployment.chainId,
      maxFeePerGas: config.fees.maxFeePerGasWei,
      priorityFeePerGas: config.fees.priorityFeeWei,
      spendCapWei: config.fees.spendCapWei,
      spendPeriodSeconds: config.fees.spendPeriodSeconds,
      maxPending: PENDING_TRANSACTIONS,
      pollIntervalMs,
      journalFile: path.join(config.dataDir, 'journal', `${deployment.chainId}-${key.address.toLowerCase()}.jsonl`),
    },
    { rpc, account: privateKeyToAccount(key.privateKey), onEvent: (event) => events.transaction(event) },
  );

  const { curve } = deployment.quorum;
  const pool = new VerificationPool(
    { queueLimit: QUEUED_CHECKS },
    { curves: dependencies.curves, onWorkerLost: (reason, left) => events.verificationWorkerLost(reason, left) },
  );
  const conflicts = new ConflictEvidence({
    pool,
    onProven: (round, first, second) => {
      keep({ kind: 'conflict', round, signer: first.signer, submissions: [first.submission, second.submission] });
      events.conflict(round, first.signer, first.messageHash, second.messageHash);
    },
    onUnproven: (round, first) => events.conflictUnproven(round, first.signer),
  });
  const book = new RoundBook(
    { ...config.intake, keptRounds: 256 },
    {
      monotonicMs: () => clock.monotonicMs(),
      onQuorum: (certificate, seconds) => {
        const { round } = certificate.terms;
        const matches = certificate.votes[0]?.submission.batch.matchCount ?? 0;
        void settler.settle(certificate);
        events.quorumReached(round, certificate.messageHash, certificate.votes.length, matches, seconds);
      },
      onConflict: (round, first, second) => conflicts.add(round, first, second),
      onDissent: (round, vote) => {
        keep({ kind: 'dissent', round, signer: vote.signer, submissions: [vote.submission] });
        events.dissent(round, vote.signer, vote.messageHash);
      },
      onBufferedOutcome: (round, outcome) =>
        events.signature(outcome.status === 'refused' ? outcome.code : outcome.status, round, 'after waiting'),
      onClosed: (summary) => events.roundClosed(summary.round, summary.participants.length),
    },
  );
  const tableWatch = new TableWatch({ blockTimeMs: deployment.blockTimeMs, alarmBps: config.tableAlarmBps });
  const openRound = (): number => follower.status().openRound;
  const candidates = new SignatureCandidates({
    book,
    pool,
    openRound,
    onLateOutcome: (round, outcome) =>
      events.signature(outcome.status === 'refused' ? outcome.code : outcome.status, round, 'after waiting'),
  });
  const settler: Settler = new Settler(
    { settlement, quorum: deployment.quorum },
    {
      submitter,
      rpc,
      book,
      events,
      tableAgeOf: (terms) => tableWatch.ageAtSettlement(terms),
      onSubmitted: (certificate) =>
        queues.feeBump({
          round: certificate.terms.round,
          deadlineBlock: certificate.terms.nextSnapshotBlock,
          submittedAtBlock: follower.status().headBlock,
        }),
      onMined: (round, { hash, receipt }) =>
        queues.confirm({ round, transactionHash: hash, blockNumber: receipt.blockNumber }),
    },
  );
  const handlers = new FollowUpHandlers(
    { settlement, confirmations: config.confirmations, slowAfterBlocks: 4 },
    { rpc, book, settler, events },
  );
  const queues: FollowUpQueues = new FollowUpQueues(
    {
      redisUrl: dependencies.redis.url,
      chainId: deployment.chainId,
      prefix: `matchmaker-${deployment.chainId}-${settlement}`,
      againAfterMs: Math.max(500, 2 * deployment.blockTimeMs),
      reconcileEveryMs: Math.max(5_000, 8 * deployment.blockTimeMs),
    },
    { handlers, events, logger },
  );
  const upkeep = new Upkeep(
    {
      deployment,
      submitter: key.address,
      priorityFeePerGas: config.fees.priorityFeeWei,
      tickAfterMs: Math.round(1.5 * deployment.blockTimeMs) + pollIntervalMs,
      intervalMs: Math.max(100, Math.round(deployment.blockTimeMs / 2)),
    },
    {
      rpc,
      submitter,
      clock,
      events,
      wouldBeStale: (tableTimestamp, atSeconds) => tableWatch.wouldBeStale(tableTimestamp, atSeconds),
      entriesOf: (timestamp) => readTableEntries(deployment, timestamp, { rpc, stakeRpc }),
    },
  );
  let chainReachable = false;
  let caughtUpOnce = false;
  const follower: RoundSource = dependencies.createFollower(
    // A wrong view here can only delay: the contract checks every certificate against its own words.
    {
      deployment,
      factsCheck: 'storage',
      pollIntervalMs,
      ...localSnapshotIn(config.dataDir, config.localSnapshot),
      ...(config.pollIntervalMs === undefined ? { blockTimeMs: deployment.blockTimeMs } : {}),
    },
    {
      rpc,
      onRound: (context: RoundContext) => {
        submitter.prepare(PREPARED_BLOCKS * deployment.blockTimeMs);
        tableWatch.onRound(context);
        upkeep.onSnapshot(context.snapshot);
        book.open(context);
        candidates.advance();
      },
      onAbstain: (round, reason, detail) => events.abstained(round, reason, detail),
      onBlock: ({ number, timestamp }) => {
        submitter.headMoved();
        tableWatch.onBlock(timestamp);
        if (tableWatch.age !== null) events.tableAge(tableWatch.age);
        book.advance(number);
        candidates.advance();
        events.headMoved(number, book.openRounds);
      },
      onReorg: (reorg) => {
        events.reorged(reorg);
        for (const round of book.rollBack(reorg.commonBlock)) {
          events.settlementUndone(round);
          settler.ensure(round).catch((error: unknown) => events.settlementFailed(round, 'failed', error));
        }
      },
      onSettled: (round, messageHash, blockNumber, blockHash) => {
        const settled = { messageHash, blockNumber, blockHash };
        const latencyBlocks = book.settled(round, settled);
        if (messageHash === TAKEN_ROUND_HASH) events.roundTaken(round, settled);
        else events.roundSettled(round, settled, latencyBlocks);
      },
      onReachable: (isReachable, error) => {
        chainReachable = isReachable;
        events.reachable(isReachable, error);
      },
      onResync: (reason) => events.resynced(reason),
      onLocalSnapshot: (event) => logLocalSnapshot(logger, event),
    },
  );

  const app: FastifyInstance = createHttpServer(
    { bodyLimitBytes: SIGNATURE_BODY_LIMIT_BYTES },
    {
      logger,
      registry: metrics.registry,
      readiness: () => readinessOf(follower, caughtUpOnce, chainReachable, queues, upkeep, tableWatch),
    },
  );
  registerSignatureRoutes(
    app,
    { curve },
    {
      intake: new SignatureIntake(
        { chainId: deployment.chainId, settlement, verifier: deployment.quorum.certificateVerifier, curve },
        { book, pool, candidates, openRound },
      ),
      book,
      buckets: new TokenBuckets(
        { perSecond: config.intake.requestsPerSecond, burst: config.intake.burst, maxAddresses: 10_000 },
        { clock },
      ),
      events,
      status: () => statusOf(deployment, key.address, follower, book, queues),
    },
  );

  let url: string;
  try {
    await pool.started();
    await submitter.start();
    await queues.start();
    url = await listenOn(app, config.listen);
  } catch (error) {
    await submitter.stop();
    await queues.close();
    await pool.stop();
    evidence.close();
    throw error;
  }
  events.listening(url);
  let stopping = false;
  const caughtUp = follower.start().then(() => {
    if (stopping) return;
    caughtUpOnce = true;
    chainReachable = true;
    upkeep.start();
    events.started(url, key.address);
  });
  return {
    url,
    caughtUp,
    stop: async () => {
      stopping = true;
      await app.close();
      await upkeep.stop();
      await follower.stop();
      await submitter.stop();
      await settler.drained();
      await queues.close();
      await pool.stop();
      await Promise.all([candidates.drained(), conflicts.drained()]);
      evidence.close();
    },
  };
}

function keepEvidence(
  log: EvidenceLog,
  entry: Evidence,
  { deployment, clock, events }: { deployment: Deployment; clock: Clock; events: AggregatorEvents },
): void {
  try {
    log.append({
      ...entry,
      chainId: deployment.chainId,
      settlement: deployment.contracts.matchSettlement,
      seenAt: new Date(clock.nowMs()).toISOString(),
    });
  } catch (error) {
    // Settling goes on: refusing signatures for a full disk would help the very operator the evidence is about.
    events.evidenceFailed(error);
  }
}

function readinessOf(
  follower: RoundSource,
  caughtUpOnce: boolean,
  chainReachable: boolean,
  queues: FollowUpQueues,
  upkeep: Upkeep,
  { age }: TableWatch,
): Readiness {
  const status = follower.status();
  const checks = {
    chain: chainReachable
      ? { ok: true, detail: 'the chain answers' }
      : { ok: false, detail: status.lastError ?? 'the chain has not answered' },
    sync: {
      ok: caughtUpOnce && status.caughtUp,
      detail: caughtUpOnce ? `block ${status.headBlock}, ${status.lagBlocks} behind` : 'catching up for the first time',
    },
    funds: upkeep.funds,
    table:
      age === null
        ? { ok: true, detail: 'no round was seen yet' }
        : { ok: age.status !== 'stale', detail: describeTableAge(age) },
    redis: { ok: queues.isUp, detail: queues.isUp ? 'answers' : 'away; signatures are taken and settled all the same' },
  };
  return { ready: Object.values(checks).every(({ ok }) => ok), checks };
}

function statusOf(
  deployment: Deployment,
  submitter: Address,
  follower: RoundSource,
  book: RoundBook,
  queues: FollowUpQueues,
): object {
  const { headBlock, openRound, caughtUp, lagBlocks } = follower.status();
  return {
    name: deployment.name,
    chainId: deployment.chainId,
    settlement: deployment.contracts.matchSettlement,
    submitter,
    headBlock,
    openRound,
    caughtUp,
    lagBlocks,
    openRounds: book.openRounds,
    redisUp: queues.isUp,
  };
}
