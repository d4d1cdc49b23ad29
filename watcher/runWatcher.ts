import path from 'node:path';

import type { FastifyInstance } from 'fastify';
import { privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex, LocalAccount } from 'viem';

import type { Deployment } from '../chain/deployment.js';
import { OffenceBook } from '../chain/judge/offenceBook.js';
import { readSettledBatch } from '../chain/proofs/settledBatch.js';
import { RpcAnswerError, type Rpc } from '../chain/rpc/rpc.js';
import type {
  FollowerStatus,
  RoundContext,
  RoundFollowerDependencies,
  RoundFollowerOptions,
} from '../chain/sync/roundFollower.js';
import { SubmitterStoppedError, type SubmitterEvent, type SubmitterOptions } from '../chain/submission/submission.js';
import { MatchmakerError } from '../engine/error.js';
import { TAKEN_ROUND_HASH } from '../protocol/words/settlementWord.js';
import type { Clock } from '../service/clock.js';
import { createHttpServer, type Readiness } from '../service/httpServer.js';
import { listenOn } from '../service/listenOn.js';
import type { UnlockedKey } from '../service/keystore.js';
import { localSnapshotIn } from '../service/localSnapshotConfig.js';
import { logLocalSnapshot } from '../service/localSnapshotLog.js';
import type { Logger } from '../service/logger.js';
import { Metrics } from '../service/metrics.js';
import { defaultPollIntervalMs } from '../service/pollInterval.js';
import { auditSettled, batchCaseId, buildBatchCase, unprovenCase, type CaseDependencies } from './batchCase.js';
import { CaseStore, type FaultCase } from './caseStore.js';
import { Challenger, type CaseStage, type TransactionSubmitter } from './challenger.js';
import { buildEquivocationCase, equivocationCaseId } from './equivocationCase.js';
import { EvidenceLogReader } from './evidenceLogReader.js';
import { keepRound, type KeptRound } from './keptRound.js';
import { RoundLog, type RoundOutcome } from './roundLog.js';
import type { WatcherConfig } from './watcherConfig.js';
import { WatcherEvents } from './watcherEvents.js';

/** Whoever delivers rounds: RoundFollower in a running watcher. */
export interface RoundSource {
  start(): Promise<void>;
  stop(): Promise<void>;
  status(): FollowerStatus;
}

/** A submitter that is started and stopped with the watcher. */
export interface RunningSubmitter extends TransactionSubmitter {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface WatcherDependencies {
  readonly deployment: Deployment;
  /** Of the challenger; undefined to report only. */
  readonly key: UnlockedKey | undefined;
  /** Of the market chain. */
  readonly rpc: Rpc;
  /** Of the stake chain; the same as `rpc` where that is one chain. */
  readonly stakeRpc: Rpc;
  readonly logger: Logger;
  readonly clock: Clock;
  /** 32 unpredictable bytes. */
  readonly randomSalt: () => Hex;
  readonly createFollower: (options: RoundFollowerOptions, dependencies: RoundFollowerDependencies) => RoundSource;
  readonly createSubmitter: (
    options: SubmitterOptions,
    dependencies: { rpc: Rpc; account: LocalAccount; onEvent: (event: SubmitterEvent) => void },
  ) => RunningSubmitter;
}

/** A running watcher. */
export interface RunningWatcher {
  /** Where metrics and health are served. */
  readonly url: string;
  /** Resolves when the watcher has caught up with the market chain for the first time, or was stopped before. */
  readonly caughtUp: Promise<void>;
  stop(): Promise<void>;
}

/** Rounds whose snapshot is kept, so that a settlement that a reorganisation brings again still meets it. */
const KEPT_ROUNDS = 4;
/** Times that a proof which the node refuses is asked for. */
const PROOF_ATTEMPTS = 6;
const LONGEST_PAUSE_MS = 10_000;
/** Cases that have come to their end are looked at again this often: an operator may be slashable later, a payment due. */
const REVIEW_MS = 600_000;
const AGAIN_MS = 1_000;

/**
 * Starts a watcher: recomputes every round, audits what was settled otherwise, keeps the proofs, and challenges where it has a key.
 * Throws when a folder or the port cannot be used; the chains may be away, they are tried until they answer.
 */
export async function runWatcher(config: WatcherConfig, dependencies: WatcherDependencies): Promise<RunningWatcher> {
  const { logger, key } = dependencies;
  const metrics = new Metrics({ process: 'watcher' });
  const events = new WatcherEvents({ logger, metrics });
  const watcher = new Watcher(config, dependencies, events);
  const app: FastifyInstance = createHttpServer(
    { bodyLimitBytes: 1_024 },
    { logger, registry: metrics.registry, readiness: () => watcher.readiness() },
  );
  const url = await listenOn(app, config.listen);
  events.listening(url);
  const caughtUp = watcher.run().then((isUp) => {
    if (isUp) events.started(url, key?.address);
  });
  return {
    url,
    caughtUp,
    stop: async () => {
      await watcher.stop();
      await app.close();
    },
  };
}

class Watcher {
  readonly #config: WatcherConfig;
  readonly #dependencies: WatcherDependencies;
  readonly #events: WatcherEvents;
  readonly #store: CaseStore;
  readonly #rounds: RoundLog;
  readonly #follower: RoundSource;
  readonly #submitter: RunningSubmitter | undefined;
  readonly #book: OffenceBook;
  readonly #challenger: Challenger;
  readonly #logs: readonly { readonly file: string; readonly reader: EvidenceLogReader }[];
  readonly #cases: CaseDependencies;
  readonly #stopped = new AbortController();
  readonly #kept = new Map<number, KeptRound>();
  readonly #settled = new Set<number>();
  readonly #working = new Set<Promise<void>>();
  readonly #reviewAtMs = new Map<string, number>();
  readonly #stages = new Map<string, CaseStage>();
  #wake = new AbortController();
  #caughtUp = false;
  #marketReachable = false;
  #stakeReachable = false;
  #diskError: string | undefined;

  constructor(config: WatcherConfig, dependencies: WatcherDependencies, events: WatcherEvents) {
    const { deployment, key, rpc, stakeRpc, clock } = dependencies;
    this.#config = config;
    this.#dependencies = dependencies;
    this.#events = events;
    this.#store = new CaseStore({ folder: path.join(config.dataDir, 'cases') });
    this.#rounds = new RoundLog({ file: path.join(config.dataDir, 'rounds.jsonl') });
    this.#cases = { deployment, rpc, nowMs: () => clock.nowMs(), randomSalt: dependencies.randomSalt };
    this.#logs = config.evidenceLogs.map((file) => ({ file, reader: new EvidenceLogReader({ file, deployment }) }));
    const { judge, slasher, vault, deploymentBlock, blockTimeMs, chainId } = deployment.stake;
    const { curve } = deployment.quorum;
    this.#book = new OffenceBook({ slasher, vault, curve, fromBlock: deploymentBlock }, { rpc: stakeRpc });
    this.#submitter =
      key === undefined
        ? undefined
        : dependencies.createSubmitter(
            {
              chainId,
              maxFeePerGas: config.fees.maxFeePerGasWei,
              priorityFeePerGas: config.fees.priorityFeeWei,
              spendCapWei: config.fees.spendCapWei,
              spendPeriodSeconds: config.fees.spendPeriodSeconds,
              pollIntervalMs: defaultPollIntervalMs(blockTimeMs),
              journalFile: path.join(config.dataDir, 'journal', `${chainId}-${key.address.toLowerCase()}.jsonl`),
            },
            {
              rpc: stakeRpc,
              account: privateKeyToAccount(key.privateKey),
              onEvent: (event) => events.transaction(event),
            },
          );
    this.#challenger = new Challenger(
      { judge, slasher, vault, keyBytes: curve === 'ecdsa' ? 20 : 64 },
      { rpc: stakeRpc, book: this.#book, sender: senderOf(key?.address, this.#submitter), events },
    );
    this.#follower = dependencies.createFollower(
      {
        deployment,
        factsCheck: config.factsCheck,
        pollIntervalMs: config.pollIntervalMs ?? defaultPollIntervalMs(deployment.blockTimeMs),
        lateRounds: true,
        ...localSnapshotIn(config.dataDir, config.localSnapshot),
      },
      {
        rpc,
        onRound: (context) => this.#onRound(context),
        onAbstain: (round, reason, detail) => events.unseen(round, reason, detail),
        onBlock: ({ number }) => events.headMoved(number, this.#follower.status().lagBlocks),
        onSettled: (round, messageHash, _block, blockHash) => this.#onSettled(round, messageHash, blockHash),
        onReorg: (reorg) => events.reorged(reorg),
        onResync: (reason) => events.resynced(reason),
        onLocalSnapshot: (event) => logLocalSnapshot(dependencies.logger, event),
        onReachable: (isReachable, error) => this.#setMarketReachable(isReachable, error),
      },
    );
  }

  /** Follows until stopped; resolves to whether it caught up. */
  async run(): Promise<boolean> {
    await this.#submitter?.start();
    this.#work(() => this.#challengeForever());
    await this.#follower.start();
    if (this.#stopped.signal.aborted) return false;
    this.#caughtUp = true;
    this.#setMarketReachable(true, undefined);
    return true;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake.abort();
    await this.#follower.stop();
    await this.#submitter?.stop();
    await Promise.all(this.#working);
  }

  readiness(): Readiness {
    const status = this.#caughtUp ? this.#follower.status() : undefined;
    const checks = {
      chain: {
        ok: this.#marketReachable,
        detail: this.#marketReachable ? 'the market chain answers' : (status?.lastError ?? 'it has not answered'),
      },
      sync:
        status === undefined
          ? { ok: false, detail: 'catching up for the first time' }
          : { ok: status.caughtUp, detail: `block ${status.headBlock}, ${status.lagBlocks} behind` },
      stakeChain: {
        ok: this.#stakeReachable,
        detail: this.#stakeReachable ? 'the stake chain answers' : 'the stake chain has not answered',
      },
      disk: { ok: this.#diskError === undefined, detail: this.#diskError ?? 'proofs can be kept' },
    };
    return { ready: Object.values(checks).every(({ ok }) => ok), checks };
  }

  #setMarketReachable(isReachable: boolean, error: Error | undefined): void {
    if (isReachable && this.#marketReachable) return;
    this.#marketReachable = isReachable;
    this.#events.reachable('market', isReachable, error);
  }

  #setStakeReachable(isReachable: boolean, error: Error | undefined): void {
    if (isReachable === this.#stakeReachable && (isReachable || error === undefined)) return;
    const isNews = isReachable || this.#stakeReachable;
    this.#stakeReachable = isReachable;
    if (isNews) this.#events.reachable('stake', isReachable, error);
  }

  #onRound(context: RoundContext): void {
    const { round, table, policy, snapshot } = context;
    const { clock, deployment } = this.#dependencies;
    const start = clock.monotonicMs();
    this.#noteLapsed(round - 1);
    this.#kept.delete(round - KEPT_ROUNDS);
    this.#settled.delete(round - KEPT_ROUNDS);
    let kept: KeptRound;
    try {
      kept = keepRound(context, deployment);
    } catch (error) {
      if (!(error instanceof MatchmakerError)) throw error;
      this.#events.caseFailed(round, error);
      return;
    }
    this.#kept.set(round, kept);
    this.#events.roundKept(round, kept.matches, (clock.monotonicMs() - start) / 1000);
    const remaining = table.timestamp + policy.maxTableAgeSeconds - snapshot.timestampSeconds;
    const warnBelow = (policy.maxTableAgeSeconds * this.#config.tableWarningPercent) / 100;
    this.#events.tableAge(remaining, remaining < warnBelow);
  }

  #noteLapsed(round: number): void {
    const kept = this.#kept.get(round);
    if (kept === undefined || kept.matches === 0 || this.#settled.has(round)) return;
    this.#endRound(round, 'lapsed', kept.messageHash, kept.matches);
  }

  #onSettled(round: number, messageHash: Hex, blockHash: Hex): void {
    const kept = this.#kept.get(round);
    this.#settled.add(round);
    if (messageHash === TAKEN_ROUND_HASH) this.#endRound(round, 'taken', messageHash, 0);
    else if (kept === undefined) this.#endRound(round, 'unaudited', messageHash, 0);
    else if (kept.messageHash === messageHash) this.#endRound(round, 'agreed', messageHash, kept.matches);
    else this.#work(() => this.#investigate(kept, messageHash, blockHash));
  }

  #endRound(round: number, outcome: RoundOutcome, messageHash: Hex, matches: number): void {
    this.#events.roundEnded(round, outcome, messageHash, matches);
    const at = new Date(this.#dependencies.clock.nowMs()).toISOString();
    this.#onDisk(() => this.#rounds.append({ round, outcome, messageHash, matches, at }));
  }

  /** Audits a batch that is not the rules', and keeps what proves it; tries on until the node answers. */
  async #investigate(kept: KeptRound, messageHash: Hex, blockHash: Hex): Promise<void> {
    const { round } = kept.context;
    if (this.#store.hasProof(batchCaseId(round, messageHash))) return;
    for (let attempt = 1; !this.#stopped.signal.aborted; attempt++) {
      try {
        await this.#keepCase(kept, messageHash, blockHash, attempt >= PROOF_ATTEMPTS);
        return;
      } catch (error) {
        if (!(error instanceof MatchmakerError)) throw error;
        this.#events.caseFailed(round, error);
        const pause = Math.min(LONGEST_PAUSE_MS, 250 * 2 ** Math.min(attempt, 8));
        await this.#dependencies.clock.sleep(pause, this.#stopped.signal);
      }
    }
  }

  async #keepCase(kept: KeptRound, messageHash: Hex, blockHash: Hex, isLastAttempt: boolean): Promise<void> {
    const { context, matches } = kept;
    const { round } = context;
    const { deployment, rpc } = this.#dependencies;
    const call = await readSettledBatch(deployment, rpc, blockHash, messageHash);
    if (call === undefined) {
      this.#endRound(round, 'unexplained', messageHash, matches);
      this.#events.proofUnavailable(round, messageHash, 'no call data shows the certificate');
      return;
    }
    try {
      const findings = await auditSettled(context, call, { deployment, rpc });
      if (findings.length === 0) {
        this.#endRound(round, 'unexplained', messageHash, matches);
        return;
      }
      this.#keep(await buildBatchCase(context, call, findings, this.#cases));
    } catch (error) {
      if (!isLastAttempt || !(error instanceof RpcAnswerError)) throw error;
      this.#events.proofUnavailable(round, messageHash, error.message);
      this.#onDisk(() => this.#store.put(unprovenCase(call, [], error.message, this.#cases)));
    }
    this.#endRound(round, 'faulty', messageHash, matches);
  }

  #keep(faultCase: FaultCase): void {
    this.#onDisk(() => this.#store.put(faultCase));
    this.#events.caseKept(faultCase);
    this.#wake.abort();
  }

  /** A disk that fails must not end the watch: what is in memory can still be proven. */
  #onDisk(write: () => void): void {
    try {
      write();
      this.#diskError = undefined;
    } catch (error) {
      this.#diskError = error instanceof Error ? error.message : String(error);
      this.#dependencies.logger.error({ event: 'disk_failed', err: error }, 'cannot write to the data folder');
    }
  }

  async #challengeForever(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      let acted = false;
      try {
        await this.#takeEvidence();
        await this.#book.refresh();
        this.#setStakeReachable(true, undefined);
        acted = await this.#challengeAll();
      } catch (error) {
        if (error instanceof SubmitterStoppedError) return;
        if (!(error instanceof MatchmakerError)) throw error;
        this.#setStakeReachable(false, error);
      }
      if (acted) continue;
      this.#wake = new AbortController();
      const pause = Math.max(AGAIN_MS, this.#dependencies.deployment.stake.blockTimeMs / 2);
      await this.#dependencies.clock.sleep(pause, AbortSignal.any([this.#wake.signal, this.#stopped.signal]));
    }
  }

  /** One step for every case that is due; resolves to whether a transaction was mined. */
  async #challengeAll(): Promise<boolean> {
    const { clock } = this.#dependencies;
    let acted = false;
    for (const faultCase of this.#store.list()) {
      if (this.#stopped.signal.aborted) return false;
      if (clock.monotonicMs() < (this.#reviewAtMs.get(faultCase.id) ?? 0)) continue;
      const progress = await this.#challenger.advance(faultCase);
      this.#events.caseMoved(faultCase, progress);
      this.#stages.set(faultCase.id, progress.stage);
      acted ||= progress.acted;
      if (progress.stage === 'proving' || progress.acted) continue;
      this.#reviewAtMs.set(faultCase.id, clock.monotonicMs() + REVIEW_MS);
    }
    const counts = new Map<CaseStage, number>();
    for (const stage of this.#stages.values()) counts.set(stage, (counts.get(stage) ?? 0) + 1);
    this.#events.casesByStage(counts);
    return acted;
  }

  async #takeEvidence(): Promise<void> {
    const { deployment } = this.#dependencies;
    for (const { file, reader } of this.#logs) {
      let conflicts;
      try {
        conflicts = reader.read();
      } catch (error) {
        this.#events.evidenceLogUnreadable(file, error);
        continue;
      }
      for (const conflict of conflicts) {
        if (this.#store.hasProof(equivocationCaseId(conflict, deployment))) continue;
        try {
          this.#keep(await buildEquivocationCase(conflict, this.#cases));
        } catch (error) {
          if (!(error instanceof MatchmakerError)) throw error;
          this.#events.caseFailed(conflict.round, error);
        }
      }
    }
  }

  #work(task: () => Promise<void>): void {
    const done = task().finally(() => this.#working.delete(done));
    this.#working.add(done);
  }
}

function senderOf(
  address: Address | undefined,
  submitter: TransactionSubmitter | undefined,
): { address: Address; submitter: TransactionSubmitter } | undefined {
  return address === undefined || submitter === undefined ? undefined : { address, submitter };
}
