import { DelayedError, Queue, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';

import { checkRedisPolicy, connectRedis, RedisPolicyError } from '../service/redis.js';
import type { Logger } from '../service/logger.js';
import { messageOf } from '../service/thrown.js';
import type { AggregatorEvents } from './aggregatorEvents.js';
import type { AlertJob, ConfirmJob, FeeBumpJob, FollowUpHandlers, FollowUpOutcome } from './followUpHandlers.js';

/** Kinds of background jobs, one queue each. */
export const FOLLOW_UPS = ['confirm', 'feeBump', 'reconcile', 'alert'] as const;
export type FollowUp = (typeof FOLLOW_UPS)[number];

export interface FollowUpQueuesOptions {
  readonly redisUrl: string;
  readonly chainId: number;
  /** Keeps markets that share a Redis apart. */
  readonly prefix: string;
  /** Pause before a job that has to wait looks again, milliseconds. */
  readonly againAfterMs: number;
  /** Pause between two reconciliations, milliseconds. */
  readonly reconcileEveryMs: number;
}

export interface FollowUpQueuesDependencies {
  readonly handlers: FollowUpHandlers;
  readonly events: AggregatorEvents;
  readonly logger: Logger;
}

const KEEP = { removeOnComplete: true, removeOnFail: { count: 100 } } as const;

/**
 * Background jobs on Redis: confirmation, fee bumps, reconciliation, alerts. A job names a round and a transaction, never
 * an order, a score or a signature. When Redis is away or empty jobs are missing and nothing else changes.
 */
export class FollowUpQueues {
  readonly #options: FollowUpQueuesOptions;
  readonly #dependencies: FollowUpQueuesDependencies;
  readonly #producer: Redis;
  readonly #worker: Redis;
  readonly #queues = new Map<FollowUp, Queue>();
  readonly #workers: Worker[] = [];
  #closed = false;

  constructor(options: FollowUpQueuesOptions, dependencies: FollowUpQueuesDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const down = (error: Error): void => this.#down(error);
    this.#producer = connectRedis(options.redisUrl, 'producer', down);
    this.#worker = connectRedis(options.redisUrl, 'worker', down);
    this.#producer.on('ready', () => void this.#up());
  }

  /** Whether Redis answers right now. */
  get isUp(): boolean {
    return this.#producer.status === 'ready';
  }

  /** Connects and starts the workers; goes on trying while Redis is away. Throws RedisPolicyError for a server that evicts. */
  async start(): Promise<void> {
    try {
      await this.#producer.connect();
      await checkRedisPolicy(this.#producer, this.#dependencies.logger);
    } catch (error) {
      if (error instanceof RedisPolicyError) throw error;
      this.#down(error);
    }
    for (const name of FOLLOW_UPS) {
      const queue = new Queue(name, {
        connection: this.#producer,
        prefix: this.#options.prefix,
        skipWaitingForReady: true,
        streams: { events: { maxLen: 100 } },
        defaultJobOptions: KEEP,
      });
      queue.on('error', (error) => this.#down(error));
      this.#queues.set(name, queue);
      const worker = new Worker(name, (job, token) => this.#run(name, job, token), {
        connection: this.#worker,
        prefix: this.#options.prefix,
        concurrency: 4,
      });
      worker.on('error', (error) => this.#down(error));
      worker.on('failed', (job, error) => {
        this.#dependencies.events.followUp(name, 'failed', roundOf(job));
        this.#dependencies.logger.warn(
          { event: 'follow_up_failed', job: name, detail: messageOf(error) },
          'a background job failed',
        );
      });
      this.#workers.push(worker);
    }
    if (this.isUp) await this.#up();
  }

  /** Has a mined settlement looked at again later. */
  confirm(job: ConfirmJob): void {
    this.#add('confirm', job.round, job);
  }

  /** Has a submitted settlement watched. */
  feeBump(job: FeeBumpJob): void {
    this.#add('feeBump', job.round, job);
  }

  /** Has people told. */
  alert(job: AlertJob): void {
    this.#add('alert', job.round, job);
  }

  /** Stops the workers and leaves Redis; a job that is cut off runs again after the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    // Without waiting for jobs: they run again elsewhere, and an absent server would be waited for without end.
    await Promise.all(this.#workers.map((worker) => worker.close(true)));
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    this.#producer.disconnect();
    this.#worker.disconnect();
  }

  #add(name: FollowUp, round: number, data: object): void {
    const { chainId, againAfterMs } = this.#options;
    const queue = this.#queues.get(name);
    if (queue === undefined || !this.isUp) {
      this.#dependencies.events.followUp(name, 'not-queued', round);
      return;
    }
    queue
      .add(name, data, {
        jobId: `${chainId}-${round}-${name}`,
        attempts: 5,
        backoff: { type: 'exponential', delay: againAfterMs },
        ...(name === 'alert' ? {} : { delay: againAfterMs }),
      })
      .catch((error: unknown) => {
        this.#down(error);
        this.#dependencies.events.followUp(name, 'not-queued', round);
      });
  }

  async #run(name: FollowUp, job: Job, token: string | undefined): Promise<FollowUpOutcome> {
    const { handlers, events } = this.#dependencies;
    const handle: Record<FollowUp, () => Promise<FollowUpOutcome> | FollowUpOutcome> = {
      confirm: () => handlers.confirm(job.data),
      feeBump: () => handlers.feeBump(job.data),
      reconcile: () => handlers.reconcile(),
      alert: () => handlers.alert(job.data),
    };
    const outcome = await handle[name]();
    events.followUp(name, outcome, roundOf(job));
    if (outcome !== 'again') return outcome;
    await job.moveToDelayed(Date.now() + this.#options.againAfterMs, token);
    throw new DelayedError();
  }

  /** Redis answers: the repeated job is set up again, since the server may have come back empty. */
  async #up(): Promise<void> {
    if (this.#closed) return;
    this.#dependencies.events.redis(true, '');
    try {
      await this.#queues
        .get('reconcile')
        ?.upsertJobScheduler('reconcile', { every: this.#options.reconcileEveryMs }, { name: 'reconcile', opts: KEEP });
    } catch (error) {
      this.#down(error);
    }
  }

  #down(error: unknown): void {
    if (this.#closed || this.isUp) return;
    this.#dependencies.events.redis(false, messageOf(error));
  }
}

function roundOf(job: Job | undefined): number | null {
  const round: unknown = job?.data?.round;
  return typeof round === 'number' ? round : null;
}
