import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import type { Address, Hex } from 'viem';

import { MatchmakerError } from '../../engine/error.js';
import { messageOf } from '../thrown.js';
import type { Bn254PublicKey } from './bn254.js';
import type { Curves } from './curves.js';
import { FairQueue } from './fairQueue.js';
import { costOf, verifyTask, type VerificationResult, type VerificationTask } from './verification.js';
import type { WorkerMessage } from './verificationWorker.js';

/** A check was not made: too many wait, it failed, or the pool was stopped. Nothing is known about the signature. */
export class VerificationUnavailableError extends MatchmakerError<'VERIFICATION_UNAVAILABLE'> {
  constructor(reason: string) {
    super('VERIFICATION_UNAVAILABLE', `the signature could not be checked: ${reason}`, { retryable: true });
  }
}

export interface VerificationPoolOptions {
  /** Worker threads; default one less than the machine has cores, 1 to 4. */
  readonly workers?: number;
  /** Checks that wait at most. */
  readonly queueLimit: number;
  /** The built verificationWorker; default the one beside the running bundle. */
  readonly workerFile?: string;
}

export interface VerificationPoolDependencies {
  readonly curves: Curves;
  /** A worker could not be started or died; `left` go on, with 0 the checks run on the main thread. */
  readonly onWorkerLost: (reason: string, left: number) => void;
}

interface Waiting {
  readonly task: VerificationTask;
  readonly resolve: (result: VerificationResult) => void;
  readonly reject: (error: VerificationUnavailableError) => void;
}

interface Thread {
  readonly worker: Worker;
  /** Handed over and not answered. */
  running: readonly Waiting[];
  isReady: boolean;
}

/** Work handed to a thread at once, in recoveries: enough that messages cost little, little enough that turns stay fair. */
const BATCH_COST = 32;

/**
 * Checks signatures away from the main thread. Who posts is named with each check, so that a flood from one source delays
 * only that source's own; checks without a source are the process's own and go first.
 */
export class VerificationPool {
  readonly #dependencies: VerificationPoolDependencies;
  readonly #own: Waiting[] = [];
  readonly #posted: FairQueue<Waiting>;
  readonly #threads = new Set<Thread>();
  #isRunningHere = false;
  #isStopped = false;
  readonly #started: Promise<unknown>;

  constructor(options: VerificationPoolOptions, dependencies: VerificationPoolDependencies) {
    this.#dependencies = dependencies;
    this.#posted = new FairQueue({ limit: options.queueLimit });
    const file = options.workerFile ?? fileURLToPath(new URL('./verificationWorker.js', import.meta.url));
    const count = options.workers ?? Math.min(4, Math.max(1, availableParallelism() - 1));
    if (existsSync(file)) {
      this.#started = Promise.all(Array.from({ length: count }, () => this.#startThread(file)));
    } else {
      this.#started = Promise.resolve();
      dependencies.onWorkerLost(`there is no ${file}`, 0);
    }
  }

  /** Resolves when every worker thread runs or has failed to. */
  async started(): Promise<void> {
    await this.#started;
  }

  /** Threads that check; 0 when the main thread does. */
  get workers(): number {
    return this.#threads.size;
  }

  /** Checks that wait for a thread. */
  get queued(): number {
    return this.#own.length + this.#posted.size;
  }

  /** Address that an ECDSA signature recovers to, undefined for none. Throws VerificationUnavailableError. */
  async recover(digest: Hex, signature: Hex, source?: string): Promise<Address | undefined> {
    const result = await this.#check({ kind: 'recover', digest, signature }, source);
    return typeof result === 'string' ? result : undefined;
  }

  /** Bn254.keysMatch. Throws VerificationUnavailableError. */
  async keysMatch(key: Bn254PublicKey, source?: string): Promise<boolean> {
    return (await this.#check({ kind: 'keysMatch', key }, source)) === true;
  }

  /** Bn254.verify. Throws VerificationUnavailableError. */
  async verify(digest: Hex, signatures: readonly Hex[], g2Keys: readonly Hex[], source?: string): Promise<boolean> {
    return (await this.#check({ kind: 'verify', digest, signatures, g2Keys }, source)) === true;
  }

  /** Ends the threads; what waits or runs is rejected. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const threads = [...this.#threads];
    this.#threads.clear();
    const abandoned = threads.flatMap(({ running }) => [...running]);
    for (let next = this.#next(); next !== undefined; next = this.#next()) abandoned.push(next);
    for (const { reject } of abandoned) reject(new VerificationUnavailableError('the process stops'));
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #check(task: VerificationTask, source: string | undefined): Promise<VerificationResult> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { task, resolve, reject };
      if (this.#isStopped) {
        reject(new VerificationUnavailableError('the process stops'));
        return;
      }
      if (source === undefined) this.#own.push(waiting);
      else this.#posted.push(source, waiting)?.reject(new VerificationUnavailableError('too many are waiting'));
      this.#dispatch();
    });
  }

  #next(): Waiting | undefined {
    return this.#own.shift() ?? this.#posted.take();
  }

  #dispatch(): void {
    for (const thread of this.#threads) {
      if (!thread.isReady || thread.running.length > 0) continue;
      const batch: Waiting[] = [];
      for (let cost = 0; cost < BATCH_COST;) {
        const next = this.#next();
        if (next === undefined) break;
        batch.push(next);
        cost += costOf(next.task);
      }
      if (batch.length === 0) return;
      thread.running = batch;
      thread.worker.ref();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
      thread.worker.postMessage(batch.map(({ task }) => task));
    }
    if (this.#threads.size === 0) this.#runHere();
  }

  #startThread(file: string): Promise<void> {
    return new Promise((resolve) => {
      let worker: Worker;
      try {
        worker = new Worker(file);
      } catch (error) {
        this.#dependencies.onWorkerLost(messageOf(error), this.#threads.size);
        resolve();
        return;
      }
      const thread: Thread = { worker, running: [], isReady: false };
      this.#threads.add(thread);
      worker.on('message', (message: WorkerMessage) => {
        // An idle thread does not keep the process alive.
        worker.unref();
        if (message.kind === 'ready') {
          thread.isReady = true;
          resolve();
        } else {
          const { running } = thread;
          thread.running = [];
          running.forEach((waiting, index) => answer(waiting, message.results[index]));
        }
        this.#dispatch();
      });
      const lost = (reason: string): void => {
        resolve();
        if (!this.#threads.delete(thread)) return;
        this.#dependencies.onWorkerLost(reason, this.#threads.size);
        // Nobody else can know why it died: what it was doing is done where it can be caught.
        this.#own.unshift(...thread.running);
        thread.running = [];
        this.#dispatch();
      };
      worker.on('error', (error) => lost(messageOf(error)));
      worker.on('exit', (code) => lost(`it ended with code ${code}`));
    });
  }

  /** One check a turn of the event loop, so that the process stays responsive. */
  #runHere(): void {
    if (this.#isRunningHere) return;
    this.#isRunningHere = true;
    setImmediate(() => {
      this.#isRunningHere = false;
      if (this.#threads.size > 0) {
        this.#dispatch();
        return;
      }
      const next = this.#next();
      if (next === undefined) return;
      try {
        next.resolve(verifyTask(next.task, this.#dependencies.curves));
      } catch (error) {
        next.reject(new VerificationUnavailableError(messageOf(error)));
      }
      this.#runHere();
    });
  }
}

function answer(waiting: Waiting, result: VerificationResult | { readonly error: string }): void {
  if (typeof result === 'object') waiting.reject(new VerificationUnavailableError(result.error));
  else waiting.resolve(result);
}
