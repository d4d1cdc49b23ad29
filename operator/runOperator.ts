import path from 'node:path';

import type { FastifyInstance } from 'fastify';

import { buildMatchBatch } from '../chain/buildMatchBatch.js';
import type { Deployment } from '../chain/deployment.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { latestBlock } from '../chain/rpc/rpcCall.js';
import type {
  FollowerStatus,
  RoundContext,
  RoundFollowerDependencies,
  RoundFollowerOptions,
} from '../chain/sync/roundFollower.js';
import { matchRound } from '../engine/matchRound.js';
import { MatchmakerError } from '../engine/error.js';
import type { Clock } from '../service/clock.js';
import { createHttpServer, serverUrl, type Readiness } from '../service/httpServer.js';
import type { UnlockedKey } from '../service/keystore.js';
import type { Logger } from '../service/logger.js';
import { Metrics } from '../service/metrics.js';
import { defaultPollIntervalMs } from '../service/pollInterval.js';
import { BatchSigner } from './batchSigner.js';
import type { OperatorConfig } from './operatorConfig.js';
import { OperatorEvents } from './operatorEvents.js';
import { Outbox } from './outbox.js';
import { SignaturePoster } from './signaturePoster.js';
import { DoubleSignRefusedError, GuardBrokenError, SignGuard } from './signGuard.js';

/** Whoever delivers rounds: RoundFollower in a running operator. */
export interface RoundSource {
  start(): Promise<void>;
  stop(): Promise<void>;
  status(): FollowerStatus;
}

export interface OperatorDependencies {
  readonly deployment: Deployment;
  readonly key: UnlockedKey;
  readonly rpc: Rpc;
  readonly logger: Logger;
  readonly clock: Clock;
  /** 0 <= random() < 1, for the jitter of retries. */
  readonly random: () => number;
  readonly createFollower: (options: RoundFollowerOptions, dependencies: RoundFollowerDependencies) => RoundSource;
}

/** A running operator. */
export interface RunningOperator {
  /** Where metrics and health are served. */
  readonly url: string;
  /** Resolves when the node has caught up with the chain for the first time, or was stopped before. */
  readonly caughtUp: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts an operator: follows the chain, matches every round, signs under the guard and posts to all aggregators.
 * Throws when the guard cannot be opened or the port is taken; the chain may be away, it is tried until it answers.
 */
export async function runOperator(
  config: OperatorConfig,
  dependencies: OperatorDependencies,
): Promise<RunningOperator> {
  const { deployment, key, logger } = dependencies;
  const settlement = deployment.contracts.matchSettlement;
  const metrics = new Metrics({ process: 'operator' });
  const events = new OperatorEvents({ logger, metrics });
  const guard = new SignGuard(
    { dataDir: config.dataDir, scope: { chainId: deployment.chainId, settlement, keyAddress: key.address } },
    { onSync: (seconds) => events.guardSynced(seconds) },
  );
  const node = new OperatorNode(config, dependencies, { events, guard });
  let app: FastifyInstance;
  try {
    app = createHttpServer(
      { bodyLimitBytes: 1_024 },
      { logger, registry: metrics.registry, readiness: () => node.readiness() },
    );
    await app.listen({ host: config.listen.host, port: config.listen.port });
  } catch (error) {
    await guard.close();
    throw error;
  }
  const url = serverUrl(app);
  events.listening(url);
  const caughtUp = node.run().then((firstHead) => {
    if (firstHead !== undefined) events.started(url, key.address, firstHead);
  });
  return {
    url,
    caughtUp,
    stop: async () => {
      await node.stop();
      await app.close();
      await guard.close();
    },
  };
}

/** The part of an operator between the chain and the aggregators. */
class OperatorNode {
  readonly #dependencies: OperatorDependencies;
  readonly #events: OperatorEvents;
  readonly #guard: SignGuard;
  readonly #signer: BatchSigner;
  readonly #outbox: Outbox;
  readonly #poster: SignaturePoster;
  readonly #follower: RoundSource;
  readonly #stopped = new AbortController();
  /** Rounds that are being signed or posted, with the block after which that is of no use. */
  readonly #open = new Map<number, { deadlineBlock: number; close: AbortController; deliveredAtMs: number }>();
  readonly #working = new Set<Promise<void>>();
  #firstHead = Number.POSITIVE_INFINITY;
  #reachable = false;
  #caughtUp = false;

  constructor(
    config: OperatorConfig,
    dependencies: OperatorDependencies,
    parts: { events: OperatorEvents; guard: SignGuard },
  ) {
    const { deployment, clock } = dependencies;
    this.#dependencies = dependencies;
    this.#events = parts.events;
    this.#guard = parts.guard;
    this.#signer = new BatchSigner(
      {
        chainId: deployment.chainId,
        settlement: deployment.contracts.matchSettlement,
        verifier: deployment.eigenlayer.ecdsaCertificateVerifier,
      },
      { key: dependencies.key, guard: parts.guard },
    );
    this.#outbox = new Outbox({
      folder: path.join(
        config.dataDir,
        'outbox',
        `${deployment.chainId}-${deployment.contracts.matchSettlement}-${dependencies.key.address}`.toLowerCase(),
      ),
    });
    this.#poster = new SignaturePoster(
      { aggregators: config.aggregators, requestTimeoutMs: 5_000, firstBackoffMs: 50, maxBackoffMs: 1_000 },
      {
        clock,
        random: dependencies.random,
        onResult: (round, result) => {
          const deliveredAtMs = this.#open.get(round)?.deliveredAtMs ?? clock.monotonicMs();
          this.#events.posted(round, result, (clock.monotonicMs() - deliveredAtMs) / 1000);
        },
      },
    );
    this.#follower = dependencies.createFollower(
      {
        deployment,
        factsCheck: config.factsCheck,
        pollIntervalMs: config.pollIntervalMs ?? defaultPollIntervalMs(deployment.blockTimeMs),
      },
      {
        rpc: dependencies.rpc,
        onRound: (context) => this.#onRound(context),
        onAbstain: (round, reason, detail) => this.#events.abstained(round, reason, detail),
        onBlock: (block) => this.#onBlock(block.number),
        onReorg: (reorg) => this.#events.reorged(reorg),
        onReachable: (isReachable, error) => this.#setReachable(isReachable, error),
        onResync: (reason) => this.#events.resynced(reason),
      },
    );
  }

  /** Follows the chain; resolves to the first head seen once caught up with it, to undefined when stopped before. */
  async run(): Promise<number | undefined> {
    const head = await this.#awaitChain();
    if (head === undefined) return undefined;
    this.#firstHead = head;
    this.#resend();
    await this.#follower.start();
    if (this.#stopped.signal.aborted) return undefined;
    this.#caughtUp = true;
    return head;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    for (const { close } of this.#open.values()) close.abort();
    await this.#follower.stop();
    await Promise.all(this.#working);
  }

  readiness(): Readiness {
    const status = this.#caughtUp ? this.#follower.status() : undefined;
    const checks = {
      chain: this.#reachable
        ? { ok: true, detail: 'the chain answers' }
        : { ok: false, detail: status?.lastError ?? 'the chain has not answered' },
      sync:
        status === undefined
          ? { ok: false, detail: 'catching up for the first time' }
          : { ok: status.caughtUp, detail: `block ${status.headBlock}, ${status.lagBlocks} behind` },
      guard: this.#guard.isWritable
        ? { ok: true, detail: 'decisions can be recorded' }
        : { ok: false, detail: 'the guard cannot be written; restart after the disk is repaired' },
      key: { ok: true, detail: this.#signer.address },
    };
    return { ready: Object.values(checks).every(({ ok }) => ok), checks };
  }

  /** The newest block, tried with growing pauses until the chain answers; undefined when stopped before. */
  async #awaitChain(): Promise<number | undefined> {
    const { clock, random, rpc } = this.#dependencies;
    for (let attempt = 0; !this.#stopped.signal.aborted; attempt++) {
      try {
        const { number } = await rpc.request(latestBlock());
        this.#setReachable(true, undefined);
        return number;
      } catch (error) {
        if (error instanceof MatchmakerError && error.code === 'RPC_WRONG_CHAIN') throw error;
        if (attempt === 0) this.#setReachable(false, error instanceof Error ? error : new Error(String(error)));
        await clock.sleep(Math.min(100 * 2 ** Math.min(attempt, 7), 10_000) * (1 - random() / 2), this.#stopped.signal);
      }
    }
    return undefined;
  }

  #setReachable(isReachable: boolean, error: Error | undefined): void {
    if (isReachable && this.#reachable) return;
    this.#reachable = isReachable;
    this.#events.reachable(isReachable, error);
  }

  /** Sends what was signed before the restart, for rounds that can still be settled. */
  #resend(): void {
    this.#outbox.dropClosed(this.#firstHead);
    for (const { round, deadlineBlock, submission } of this.#outbox.list()) {
      this.#events.resending(round, deadlineBlock);
      const closed = this.#openRound(round, deadlineBlock);
      this.#work(round, () => this.#poster.post(submission, closed));
    }
  }

  #onBlock(number: number): void {
    // A block may settle the rounds before the snapshot it is itself; after it they are closed.
    for (const [round, { deadlineBlock, close }] of this.#open) {
      if (number < deadlineBlock) continue;
      close.abort();
      this.#open.delete(round);
      this.#outbox.dropClosed(number + 1);
    }
    this.#events.headMoved(number, this.#follower.status().lagBlocks);
  }

  #onRound(context: RoundContext): void {
    if (this.#stopped.signal.aborted) return;
    const { clock, deployment } = this.#dependencies;
    const { round } = context;
    if (context.snapshotBlock <= this.#firstHead) {
      this.#events.abstained(round, 'BEFORE_START', `block ${context.snapshotBlock} is not above ${this.#firstHead}`);
      return;
    }
    const start = clock.monotonicMs();
    try {
      const records = matchRound(context.snapshot, context.policy, context.seed);
      this.#events.matched(round, records.length, context.openOrderCount, (clock.monotonicMs() - start) / 1000);
      if (records.length === 0) return;
      const { batch, recordsHex } = buildMatchBatch(context, records, {
        chainId: deployment.chainId,
        settlement: deployment.contracts.matchSettlement,
      });
      const closed = this.#openRound(round, context.nextSnapshotBlock);
      this.#work(round, async () => {
        const { signature, messageHash } = await this.#signer.sign(batch);
        this.#events.signed(round, messageHash, records.length, context.snapshotBlock);
        const submission = { batch, records: recordsHex, signature };
        this.#outbox.put({ round, deadlineBlock: context.nextSnapshotBlock, submission });
        await this.#poster.post(submission, closed);
      });
    } catch (error) {
      this.#events.failed(round, error);
    }
  }

  #openRound(round: number, deadlineBlock: number): AbortSignal {
    const close = new AbortController();
    this.#open.get(round)?.close.abort();
    this.#open.set(round, { deadlineBlock, close, deliveredAtMs: this.#dependencies.clock.monotonicMs() });
    return close.signal;
  }

  #work(round: number, task: () => Promise<void>): void {
    const done = task()
      .catch((error: unknown) => {
        if (error instanceof DoubleSignRefusedError || error instanceof GuardBrokenError) {
          this.#events.abstained(round, error.code, error.message);
        } else {
          this.#events.failed(round, error);
        }
      })
      .finally(() => this.#working.delete(done));
    this.#working.add(done);
  }
}
