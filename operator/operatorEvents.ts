import type { AbstainReason, Reorg } from '../chain/sync/roundFollower.js';
import { describeTableAge, type TableAge, type TableStatus } from '../chain/sync/tableAge.js';
import { maskUrl, type Logger } from '../service/logger.js';
import { LATENCY_BUCKETS_SECONDS, type Metrics } from '../service/metrics.js';
import type { Address, Hex } from 'viem';
import type { EigenMetrics, RewardSource } from './eigenMetrics.js';
import type { PostResult } from './signaturePoster.js';

/** Why an operator signed nothing for a round it saw. */
export type OperatorAbstainReason =
  | AbstainReason
  /** The guard holds another batch, or refuses everything so old. */
  | 'DOUBLE_SIGN_REFUSED'
  /** The round's snapshot block is not above the first head seen after the start. */
  | 'BEFORE_START'
  /** Settlement would refuse the round's operator table for its age in every block that may settle the round. */
  | 'TABLE_STALE'
  /** The guard's disk failed; nothing is signed until a restart. */
  | 'GUARD_BROKEN'
  /** Matching or signing failed inside this process. */
  | 'INTERNAL';

/** The node was not there yet, or nobody could have signed: neither says how well it performs. */
const NOT_SCORED: ReadonlySet<OperatorAbstainReason> = new Set(['BEFORE_START', 'NO_TABLE', 'TABLE_STALE']);

/** Outcomes of posts that are counted apart. */
const MAX_OUTCOMES = 64;

/** Everything an operator reports: each event is logged and counted here, and nowhere else. */
export class OperatorEvents {
  readonly #logger: Logger;
  readonly #roundsSeen;
  readonly #roundsSigned;
  readonly #roundsEmpty;
  readonly #roundsAbstained;
  readonly #matchSeconds;
  readonly #signToPostSeconds;
  readonly #posts;
  readonly #guardSyncSeconds;
  readonly #headBlock;
  readonly #lagBlocks;
  readonly #openOrders;
  readonly #reorgs;
  readonly #resyncs;
  readonly #chainUp;
  readonly #tableSecondsLeft;
  #tableSaid: TableStatus = 'fresh';
  readonly #outcomes = new Set<string>();
  readonly #eigen: EigenMetrics;

  constructor(dependencies: { logger: Logger; metrics: Metrics; eigen: EigenMetrics }) {
    const { metrics } = dependencies;
    this.#eigen = dependencies.eigen;
    this.#logger = dependencies.logger;
    this.#roundsSeen = metrics.counter('rounds_seen', 'Rounds whose snapshot this operator matched');
    this.#roundsSigned = metrics.counter('rounds_signed', 'Rounds whose batch this operator signed');
    this.#roundsEmpty = metrics.counter('rounds_empty', 'Rounds without a match; they are not signed');
    this.#roundsAbstained = metrics.counter('rounds_abstained', 'Rounds not signed, by reason', ['reason']);
    this.#matchSeconds = metrics.histogram(
      'match_duration_seconds',
      'Time the engine took for a round',
      LATENCY_BUCKETS_SECONDS,
    );
    this.#signToPostSeconds = metrics.histogram(
      'sign_to_accept_seconds',
      "From the snapshot's delivery to an aggregator's acceptance",
      LATENCY_BUCKETS_SECONDS,
    );
    this.#posts = metrics.counter('posts', 'Answers of aggregators to signatures', ['aggregator', 'outcome']);
    this.#guardSyncSeconds = metrics.histogram(
      'guard_sync_seconds',
      'Time to make a decision durable',
      LATENCY_BUCKETS_SECONDS,
    );
    this.#headBlock = metrics.gauge('head_block', 'Last block followed');
    this.#lagBlocks = metrics.gauge('head_lag_blocks', 'Blocks between the newest head seen and the last one followed');
    this.#openOrders = metrics.gauge('open_orders', 'Open orders at the last snapshot');
    this.#reorgs = metrics.counter('reorgs', 'Reorganisations followed');
    this.#resyncs = metrics.counter('resyncs', 'Times the whole history was read again');
    this.#chainUp = metrics.gauge('chain_reachable', '1 while the chain can be followed');
    this.#tableSecondsLeft = metrics.gauge(
      'table_seconds_left',
      'Seconds for which the operator table of the newest round still counts; negative once it is stale',
    );
  }

  matched(round: number, matches: number, openOrders: number, seconds: number): void {
    this.#roundsSeen.inc();
    this.#openOrders.set(openOrders);
    this.#matchSeconds.observe(seconds);
    if (matches === 0) {
      this.#roundsEmpty.inc();
      this.#logger.debug(
        { event: 'round_empty', round, openOrders, matchMs: seconds * 1000 },
        'no match in this round',
      );
    }
  }

  /** The operator's weight in a round's table; 0 when it is not in it. */
  seated(weight: bigint): void {
    this.#eigen.seated(weight);
  }

  slashingIs(isSlashed: boolean): void {
    this.#eigen.slashingIs(isSlashed);
  }

  earned(source: RewardSource, token: Address, cumulative: bigint): void {
    this.#eigen.earned(source, token, cumulative);
  }

  rpcAnswered(method: string, seconds: number): void {
    this.#eigen.rpcAnswered(method, seconds);
  }

  /** What the RPC calls itself. */
  nodeIs(clientVersion: string): void {
    this.#eigen.nodeIs(clientVersion);
  }

  stakeUnknown(detail: string): void {
    this.#logger.warn({ event: 'stake_unknown', detail }, 'slashes or rewards cannot be read; trying on');
  }

  signed(round: number, messageHash: Hex, matches: number, snapshotBlock: number): void {
    this.#roundsSigned.inc();
    this.#eigen.signed(round);
    this.#logger.info({ event: 'round_signed', round, messageHash, matches, snapshotBlock }, 'signed a batch');
  }

  resending(round: number, deadlineBlock: number): void {
    this.#logger.info(
      { event: 'round_resent', round, deadlineBlock },
      'sending again what was signed before the restart',
    );
  }

  abstained(round: number, reason: OperatorAbstainReason, detail: string): void {
    this.#roundsAbstained.inc({ reason });
    if (!NOT_SCORED.has(reason)) this.#eigen.missed(round);
    this.#logger.warn({ event: 'round_abstained', round, reason, detail }, 'signed nothing for this round');
  }

  failed(round: number, error: unknown): void {
    this.#roundsAbstained.inc({ reason: 'INTERNAL' });
    this.#eigen.missed(round);
    this.#logger.error(
      { event: 'round_abstained', round, reason: 'INTERNAL', err: error },
      'matching or signing failed',
    );
  }

  posted(round: number, result: PostResult, secondsSinceSnapshot: number): void {
    // An aggregator chooses its outcomes; however many it invents, the metric stays small.
    if (this.#outcomes.size < MAX_OUTCOMES) this.#outcomes.add(result.outcome);
    const outcome = this.#outcomes.has(result.outcome) ? result.outcome : 'other';
    this.#posts.inc({ aggregator: maskUrl(result.aggregator), outcome });
    if (result.accepted) this.#signToPostSeconds.observe(secondsSinceSnapshot);
    const fields = {
      event: result.accepted ? 'signature_accepted' : 'signature_refused',
      round,
      aggregator: result.aggregator,
      outcome: result.outcome,
      detail: result.detail,
      retrying: result.retrying,
    };
    if (result.accepted) this.#logger.debug(fields, 'the aggregator has the signature');
    else this.#logger.warn(fields, 'the aggregator did not take the signature');
  }

  guardSynced(seconds: number): void {
    this.#guardSyncSeconds.observe(seconds);
  }

  headMoved(headBlock: number, lagBlocks: number): void {
    this.#headBlock.set(headBlock);
    this.#lagBlocks.set(lagBlocks);
  }

  tableAge(age: TableAge): void {
    this.#tableSecondsLeft.set(age.secondsLeft);
    if (this.#tableSaid === age.status) return;
    this.#tableSaid = age.status;
    const fields = { ...age, detail: describeTableAge(age) };
    if (age.status === 'fresh') this.#logger.info({ event: 'table_fresh', ...fields }, 'a newer operator table counts');
    else if (age.status === 'ageing')
      this.#logger.error({ event: 'table_ageing', ...fields }, 'no newer operator table has come yet');
    else
      this.#logger.error({ event: 'table_stale', ...fields }, 'rounds are not signed until a newer table is recorded');
  }

  reorged(reorg: Reorg): void {
    this.#reorgs.inc();
    this.#logger.warn({ event: 'reorg', ...reorg }, 'the chain was reorganised');
  }

  resynced(reason: string): void {
    this.#resyncs.inc();
    this.#logger.warn({ event: 'resync', reason }, 'reading the whole history again');
  }

  reachable(isReachable: boolean, error: Error | undefined): void {
    this.#chainUp.set(isReachable ? 1 : 0);
    if (isReachable) this.#logger.info({ event: 'chain_reachable' }, 'the chain can be followed');
    else
      this.#logger.error(
        { event: 'chain_unreachable', detail: error?.message },
        'the chain cannot be followed; trying on',
      );
  }

  started(url: string, address: string, firstHead: number): void {
    this.#logger.info({ event: 'ready', listenUrl: url, operator: address, firstHead }, 'caught up with the chain');
  }

  listening(url: string): void {
    this.#logger.info({ event: 'listening', listenUrl: url }, 'serving metrics and health');
  }
}
