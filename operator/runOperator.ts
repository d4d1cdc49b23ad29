import path from 'node:path';

import type { FastifyInstance } from 'fastify';

import { buildMatchBatch } from '../chain/buildMatchBatch.js';
import type { Deployment } from '../chain/deployment.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { clientVersion, latestBlock } from '../chain/rpc/rpcCall.js';
import type {
  FollowerStatus,
  RoundContext,
  RoundFollowerDependencies,
  RoundFollowerOptions,
} from '../chain/sync/roundFollower.js';
import { describeTableAge } from '../chain/sync/tableAge.js';
import { TableWatch } from '../chain/sync/tableWatch.js';
import { matchRound } from '../engine/matchRound.js';
import { MatchmakerError } from '../engine/error.js';
import type { Clock } from '../service/clock.js';
import { createHttpServer, type Readiness } from '../service/httpServer.js';
import { listenOn } from '../service/listenOn.js';
import { localSnapshotIn } from '../service/localSnapshotConfig.js';
import { logLocalSnapshot } from '../service/localSnapshotLog.js';
import type { Logger } from '../service/logger.js';
import { Metrics } from '../service/metrics.js';
import { defaultPollIntervalMs } from '../service/pollInterval.js';
import type { SigningKey } from '../service/signing/signingKey.js';
import { BatchSigner } from './batchSigner.js';
import type { OperatorConfig } from './operatorConfig.js';
import { EigenMetrics } from './eigenMetrics.js';
import { IndexUpkeep } from './indexUpkeep.js';
import { measuredRpc } from './measuredRpc.js';
import { registerNodeApi, type NodeHealth } from './nodeApi.js';
import { OperatorEvents } from './operatorEvents.js';
import { Outbox } from './outbox.js';
import { SignaturePoster } from './signaturePoster.js';
import { Surroundings } from './surroundings.js';
import { DoubleSignRefusedError, GuardBrokenError, SignGuard } from './signGuard.js';

/** Whoever delivers rounds: RoundFollower in a running operator. */
export interface RoundSource {
  start(): Promise<void>;
  stop(): Promise<void>;
  status(): FollowerStatus;
}

export interface OperatorDependencies {
  readonly deployment: Deployment;
  /** On the curve of the deployment's quorum. */
  readonly key: SigningKey;
  readonly rpc: Rpc;
  /** The stake chain, to see slashes; null when it is another and no node of it is known. */
  readonly stakeRpc: Rpc | null;
  /** Of this software, as `1.2.3`. */
  readonly version: string;
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
  const { deployment, key, logger, clock } = dependencies;
  const settlement = deployment.contracts.matchSettlement;
  const metrics = new Metrics({ process: 'operator' });
  const eigen = new EigenMetrics(
    { operatorSetId: deployment.operatorSet.id, quorumName: deployment.name },
    { registry: metrics.registry },
  );
  const events = new OperatorEvents({ logger, metrics, eigen });
  const rpc = measuredRpc(dependencies.rpc, {
    monotonicMs: () => clock.monotonicMs(),
    onAnswered: (method, seconds) => events.rpcAnswered(method, seconds),
  });
  const guard = new SignGuard(
    { dataDir: config.dataDir, scope: { chainId: deployment.chainId, settlement, keyAddress: key.id } },
    { onSync: (seconds) => events.guardSynced(seconds) },
  );
  const node = new OperatorNode(config, { ...dependencies, rpc }, { events, guard });
  const surroundings = new Surroundings(
    { deployment, key, aggregators: config.aggregators },
    { rpc, stakeRpc: dependencies.stakeRpc, clock, events },
  );
  let app: FastifyInstance;
  let url: string;
  try {
    app = createHttpServer(
      { bodyLimitBytes: 1_024 },
      { logger, registry: metrics.registry, readiness: () => node.readiness() },
    );
    registerNodeApi(
      app,
      { nodeName: 'Matchmaker', nodeVersion: `v${dependencies.version}` },
      { health: () => node.health(surroundings) },
    );
    url = await listenOn(app, config.listen);
  } catch (error) {
    await guard.close();
    throw error;
  }
  events.listening(url);
  surroundings.start();
  const caughtUp = node.run().then((firstHead) => {
    if (firstHead !== undefined) events.started(url, key.publicKey, firstHead);
  });
  return {
    url,
    caughtUp,
    stop: async () => {
      await Promise.all([node.stop(), surroundings.stop()]);
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
  readonly #tableWatch: TableWatch;
  readonly #upkeep = new IndexUpkeep();
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
        verifier: deployment.quorum.certificateVerifier,
      },
      { key: dependencies.key, guard: parts.guard },
    );
    this.#outbox = new Outbox({
      folder: path.join(
        config.dataDir,
        'outbox',
        `${deployment.chainId}-${deployment.contracts.matchSettlement}-${dependencies.key.id}`.toLowerCase(),
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
    this.#tableWatch = new TableWatch({ blockTimeMs: deployment.blockTimeMs, alarmBps: config.tableAlarmBps });
    this.#follower = dependencies.createFollower(
      {
        deployment,
        factsCheck: config.factsCheck,
        pollIntervalMs: config.pollIntervalMs ?? defaultPollIntervalMs(deployment.blockTimeMs),
        ...localSnapshotIn(config.dataDir, config.localSnapshot),
        ...(config.pollIntervalMs === undefined ? { blockTimeMs: deployment.blockTimeMs } : {}),
      },
      {
        rpc: dependencies.rpc,
        onRound: (context) => this.#onRound(context),
        onAbstain: (round, reason, detail) => this.#events.abstained(round, reason, detail),
        onBlock: (block) => this.#onBlock(block.number, block.timestamp),
        onReorg: (reorg) => this.#events.reorged(reorg),
        onReachable: (isReachable, error) => this.#setReachable(isReachable, error),
        onResync: (reason) => {
          // What is read again becomes another market.
          this.#upkeep.stop();
          this.#events.resynced(reason);
        },
        onLocalSnapshot: (event) => logLocalSnapshot(dependencies.logger, event),
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
    this.#upkeep.stop();
    for (const { close } of this.#open.values()) close.abort();
    await this.#follower.stop();
    await Promise.all(this.#working);
  }

  readiness(): Readiness {
    const status = this.#caughtUp ? this.#follower.status() : undefined;
    const { age } = this.#tableWatch;
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
      table:
        age === null
          ? { ok: true, detail: 'no round was seen yet' }
          : { ok: age.status !== 'stale', detail: describeTableAge(age) },
      key: { ok: true, detail: this.#signer.publicKey },
    };
    return { ready: Object.values(checks).every(({ ok }) => ok), checks };
  }

  /** How the node is, in the terms of the AVS Node Specification. */
  health(surroundings: Surroundings): NodeHealth {
    const marketRpc = this.#reachable ? 'Up' : this.#firstHead === Number.POSITIVE_INFINITY ? 'Initializing' : 'Down';
    return {
      isWorking: this.#guard.isWritable,
      isInitializing: !this.#caughtUp || !this.#follower.status().caughtUp,
      services: surroundings.services(marketRpc),
    };
  }

  /** The newest block, tried with growing pauses until the chain answers; undefined when stopped before. */
  async #awaitChain(): Promise<number | undefined> {
    const { clock, random, rpc } = this.#dependencies;
    for (let attempt = 0; !this.#stopped.signal.aborted; attempt++) {
      try {
        const { number } = await rpc.request(latestBlock());
        this.#setReachable(true, undefined);
        void this.#learnClient();
        return number;
      } catch (error) {
        if (error instanceof MatchmakerError && error.code === 'RPC_WRONG_CHAIN') throw error;
        if (attempt === 0) this.#setReachable(false, error instanceof Error ? error : new Error(String(error)));
        await clock.sleep(Math.min(100 * 2 ** Math.min(attempt, 7), 10_000) * (1 - random() / 2), this.#stopped.signal);
      }
    }
    return undefined;
  }

  /** Asks the RPC what it calls itself, for the labels of its metrics; one that does not say stays unknown. */
  async #learnClient(): Promise<void> {
    try {
      this.#events.nodeIs(await this.#dependencies.rpc.request(clientVersion()));
    } catch (error) {
      if (!(error instanceof MatchmakerError)) throw error;
    }
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

  #onBlock(number: number, timestampSeconds: number): void {
    this.#tableWatch.onBlock(timestampSeconds);
    const { age } = this.#tableWatch;
    if (age !== null) this.#events.tableAge(age);
    // A block may settle the rounds before the snapshot it is itself; after it they are closed.
    for (const [round, { deadlineBlock, close }] of this.#open) {
      if (number < deadlineBlock) continue;
      close.abort();
      this.#open.delete(round);
      // The block may also be a snapshot: its round is matched and signed before a file is removed that nobody wants any more.
      setImmediate(() => this.#outbox.drop(round));
    }
    this.#events.headMoved(number, this.#follower.status().lagBlocks);
    this.#upkeep.goOn();
  }

  #onRound(context: RoundContext): void {
    if (this.#stopped.signal.aborted) return;
    const { clock, deployment } = this.#dependencies;
    const { round } = context;
    this.#upkeep.pause();
    if (context.snapshotBlock <= this.#firstHead) {
      this.#events.abstained(round, 'BEFORE_START', `block ${context.snapshotBlock} is not above ${this.#firstHead}`);
      this.#prepare(context);
      return;
    }
    this.#tableWatch.onRound(context);
    const publicKey = this.#dependencies.key.publicKey.toLowerCase();
    this.#events.seated(context.table.entries.find(({ key }) => key === publicKey)?.weight ?? 0n);
    const start = clock.monotonicMs();
    try {
      const records = matchRound(context.snapshot, context.policy, context.seed);
      this.#events.matched(round, records.length, context.openOrderCount, (clock.monotonicMs() - start) / 1000);
      if (records.length === 0) {
        this.#tend(context);
        return;
      }
      const age = this.#tableWatch.ageAtSettlement(context);
      if (age.status === 'stale') {
        this.#events.abstained(round, 'TABLE_STALE', describeTableAge(age));
        this.#tend(context);
        return;
      }
      const { batch, recordsHex } = buildMatchBatch(context, records, {
        chainId: deployment.chainId,
        settlement: deployment.contracts.matchSettlement,
      });
      const closed = this.#openRound(round, context.nextSnapshotBlock);
      this.#work(round, async () => {
        const { messageHash, ...signed } = await this.#signer.sign(batch);
        this.#events.signed(round, messageHash, records.length, context.snapshotBlock);
        const submission = { batch, records: recordsHex, ...signed };
        this.#outbox.put({ round, deadlineBlock: context.nextSnapshotBlock, submission });
        const posted = this.#poster.post(submission, closed);
        this.#tend(context);
        await posted;
      });
    } catch (error) {
      this.#events.failed(round, error);
    }
  }

  /**
   * Matches a round that is not signed, so that the first one that is finds the index of the market built, which takes seconds where
   * machines are many, and code that has run.
   */
  #prepare({ round, snapshot, policy, seed }: RoundContext): void {
    try {
      matchRound(snapshot, policy, seed);
      this.#upkeep.begin(snapshot.market);
    } catch (error) {
      this.#events.failed(round, error);
    }
  }

  /** Once nothing of a round is waited for any more, lets the index be tended until the next one. */
  #tend(context: RoundContext): void {
    if (!this.#stopped.signal.aborted) this.#upkeep.begin(context.snapshot.market);
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
