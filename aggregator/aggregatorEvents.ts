import type { Address, Hex } from 'viem';

import type { SubmitterEvent } from '../chain/submission/submission.js';
import type { Reorg } from '../chain/sync/roundFollower.js';
import { describeTableAge, type TableAge, type TableStatus } from '../chain/sync/tableAge.js';
import type { Logger } from '../service/logger.js';
import { LATENCY_BUCKETS_SECONDS, type Metrics } from '../service/metrics.js';
import type { Settled } from './roundBook.js';

/** A settlement as it was mined. */
export interface MinedSettlement {
  readonly hash: Hex;
  readonly blockNumber: number;
  /** Blocks from the snapshot block to the settlement's. */
  readonly latencyBlocks: number;
  readonly gasUsed: bigint;
  readonly matches: number;
  readonly replacements: number;
}

const BLOCK_BUCKETS = [1, 2, 3, 4, 5, 6, 8, 12, 16, 32];
const GAS_PER_MATCH_BUCKETS = [
  10_000, 12_500, 15_000, 17_500, 20_000, 25_000, 30_000, 50_000, 100_000, 250_000, 500_000,
];

/** Everything an aggregator reports: each event is logged and counted here, and nowhere else. */
export class AggregatorEvents {
  readonly #logger: Logger;
  readonly #signatures;
  readonly #quorumSeconds;
  readonly #settlements;
  readonly #latencyBlocks;
  readonly #gasPerMatch;
  readonly #conflicts;
  readonly #dissents;
  readonly #openRounds;
  readonly #redisUp;
  readonly #headBlock;
  readonly #chainUp;
  readonly #transactions;
  readonly #abstained;
  readonly #reorgs;
  readonly #followUps;
  readonly #alerts;
  readonly #upkeep;
  readonly #funded;
  readonly #tableSecondsLeft;
  #tableSaid: TableStatus = 'fresh';
  #redisSaid: boolean | undefined;
  #fundsSaid: boolean | undefined;
  /** Last failure told of each kind. */
  readonly #upkeepFailures = new Map<string, string>();

  constructor(dependencies: { logger: Logger; metrics: Metrics }) {
    const { metrics } = dependencies;
    this.#logger = dependencies.logger;
    this.#signatures = metrics.counter('signatures', 'Posted signatures by outcome', ['outcome']);
    this.#quorumSeconds = metrics.histogram(
      'quorum_latency_seconds',
      "From the snapshot's arrival here to the quorum",
      LATENCY_BUCKETS_SECONDS,
    );
    this.#settlements = metrics.counter('settlements', 'Settlements by outcome', ['outcome']);
    this.#latencyBlocks = metrics.histogram(
      'settlement_latency_blocks',
      'From the snapshot block to the block of the settlement',
      BLOCK_BUCKETS,
    );
    this.#gasPerMatch = metrics.histogram(
      'gas_per_match',
      'Gas of a settlement, for each match',
      GAS_PER_MATCH_BUCKETS,
    );
    this.#conflicts = metrics.counter('conflicts', 'Keys that signed two batches of one round');
    this.#dissents = metrics.counter('dissents', "Signatures for another batch than the quorum's");
    this.#openRounds = metrics.gauge('open_rounds', 'Rounds that can still be settled');
    this.#redisUp = metrics.gauge('redis_up', '1 while Redis answers');
    this.#headBlock = metrics.gauge('head_block', 'Last block followed');
    this.#chainUp = metrics.gauge('chain_reachable', '1 while the chain can be followed');
    this.#transactions = metrics.counter('transaction_events', 'What happened to transactions', ['kind']);
    this.#abstained = metrics.counter('rounds_abstained', 'Rounds this aggregator cannot settle, by reason', [
      'reason',
    ]);
    this.#reorgs = metrics.counter('reorgs', 'Reorganisations followed');
    this.#followUps = metrics.counter('follow_ups', 'Background jobs by kind and outcome', ['job', 'outcome']);
    this.#alerts = metrics.counter('alerts', 'Alerts by code', ['code']);
    this.#funded = metrics.gauge('key_funded', '1 while the key can pay for the largest settlement');
    this.#tableSecondsLeft = metrics.gauge(
      'table_seconds_left',
      'Seconds for which the operator table of the newest round still counts; negative once it is stale',
    );
    this.#upkeep = metrics.counter('upkeep', 'Transactions that keep the market going, by outcome', [
      'what',
      'outcome',
    ]);
  }

  listening(url: string): void {
    this.#logger.info({ event: 'listening', listenUrl: url }, 'taking signatures');
  }

  started(url: string, submitter: Address): void {
    this.#logger.info({ event: 'ready', listenUrl: url, submitter }, 'caught up with the chain');
  }

  signature(outcome: string, round: number, detail: string): void {
    this.#signatures.inc({ outcome });
    this.#logger.debug({ event: 'signature', outcome, round, detail }, 'a signature was posted');
  }

  quorumReached(round: number, messageHash: Hex, signers: number, matches: number, seconds: number): void {
    this.#quorumSeconds.observe(seconds);
    this.#logger.info(
      { event: 'quorum_reached', round, messageHash, signers, matches, quorumMs: seconds * 1000 },
      'quorum',
    );
  }

  settlementSubmitted(round: number, messageHash: Hex, signers: number, gasLimit: bigint): void {
    this.#settlements.inc({ outcome: 'submitted' });
    this.#logger.info(
      { event: 'settlement_submitted', round, messageHash, signers, gasLimit: gasLimit.toString() },
      'submitting the settlement',
    );
  }

  settlementMined(round: number, mined: MinedSettlement): void {
    this.#settlements.inc({ outcome: 'mined' });
    this.#gasPerMatch.observe(Number(mined.gasUsed) / Math.max(1, mined.matches));
    this.#logger.info(
      { event: 'settlement_mined', round, ...mined, gasUsed: mined.gasUsed.toString() },
      'the settlement was mined',
    );
  }

  settlementEnded(round: number, outcome: string, detail: string): void {
    this.#settlements.inc({ outcome });
    this.#logger.warn({ event: 'settlement_ended', round, outcome, detail }, 'the settlement was not mined by us');
  }

  settlementFailed(round: number, outcome: 'reverted' | 'failed', error: unknown): void {
    this.#settlements.inc({ outcome });
    this.#logger.error({ event: 'settlement_ended', round, outcome, err: error }, 'the settlement failed');
  }

  roundSettled(round: number, settled: Settled, latencyBlocks: number | undefined): void {
    if (latencyBlocks !== undefined) this.#latencyBlocks.observe(latencyBlocks);
    this.#logger.info({ event: 'round_settled', round, ...settled, latencyBlocks }, 'the chain settled the round');
  }

  roundTaken(round: number, { blockNumber, blockHash }: Settled): void {
    this.#logger.info(
      { event: 'round_taken', round, blockNumber, blockHash },
      'a self-match or the growth of a lease took the place of the round, which can not be settled any more',
    );
  }

  roundClosed(round: number, participants: number): void {
    this.#logger.debug({ event: 'round_closed', round, participants }, 'the round is closed');
  }

  settlementUndone(round: number): void {
    this.#settlements.inc({ outcome: 'undone' });
    this.#logger.warn({ event: 'settlement_undone', round }, 'a reorganisation took the settlement back');
  }

  conflict(round: number, signer: Hex, first: Hex, second: Hex): void {
    this.#conflicts.inc();
    this.#logger.error({ event: 'conflict', round, signer, first, second }, 'a key signed two batches of one round');
  }

  conflictUnproven(round: number, signer: Hex): void {
    this.#logger.warn(
      { event: 'conflict_unproven', round, signer },
      'one key stands for two batches, by signatures that hold only together with those of others',
    );
  }

  verificationWorkerLost(reason: string, left: number): void {
    this.#logger.warn(
      { event: 'verification_worker_lost', reason, left },
      left > 0 ? 'fewer threads check signatures' : 'signatures are checked on the main thread',
    );
  }

  dissent(round: number, signer: Hex, messageHash: Hex): void {
    this.#dissents.inc();
    this.#logger.warn({ event: 'dissent', round, signer, messageHash }, "a key signed another batch than the quorum's");
  }

  evidenceFailed(error: unknown): void {
    this.#alerts.inc({ code: 'evidence-not-written' });
    this.#logger.fatal({ event: 'evidence_failed', err: error }, 'evidence could not be written');
  }

  abstained(round: number, reason: string, detail: string): void {
    this.#abstained.inc({ reason });
    this.#logger.warn({ event: 'round_abstained', round, reason, detail }, 'this round cannot be settled from here');
  }

  headMoved(headBlock: number, openRounds: number): void {
    this.#headBlock.set(headBlock);
    this.#openRounds.set(openRounds);
  }

  reorged(reorg: Reorg): void {
    this.#reorgs.inc();
    this.#logger.warn({ event: 'reorg', ...reorg }, 'the chain was reorganised');
  }

  resynced(reason: string): void {
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

  transaction(event: SubmitterEvent): void {
    this.#transactions.inc({ kind: event.kind });
    this.#logger.info({ event: 'transaction', ...event }, 'transaction');
  }

  redis(isUp: boolean, detail: string): void {
    this.#redisUp.set(isUp ? 1 : 0);
    if (this.#redisSaid === isUp) return;
    this.#redisSaid = isUp;
    if (isUp) this.#logger.info({ event: 'redis_up' }, 'Redis answers');
    else this.#logger.warn({ event: 'redis_down', detail }, 'Redis is away; settlement goes on without it');
  }

  funds(isFunded: boolean, detail: string): void {
    this.#funded.set(isFunded ? 1 : 0);
    if (this.#fundsSaid === isFunded) return;
    const isFirst = this.#fundsSaid === undefined;
    this.#fundsSaid = isFunded;
    if (!isFunded)
      this.#logger.error({ event: 'unfunded', detail }, 'the key cannot pay for settlements: send it funds');
    else if (!isFirst) this.#logger.info({ event: 'funded', detail }, 'the key can pay for settlements');
  }

  tableAge(age: TableAge): void {
    this.#tableSecondsLeft.set(age.secondsLeft);
    if (this.#tableSaid === age.status) return;
    this.#tableSaid = age.status;
    const fields = { ...age, detail: describeTableAge(age) };
    if (age.status === 'fresh') {
      this.#logger.info({ event: 'table_fresh', ...fields }, 'a newer operator table counts');
      return;
    }
    const isStale = age.status === 'stale';
    this.#alerts.inc({ code: isStale ? 'table-stale' : 'table-ageing' });
    if (isStale)
      this.#logger.error({ event: 'table_stale', ...fields }, 'nothing is settled until a newer table is recorded');
    else this.#logger.error({ event: 'table_ageing', ...fields }, 'no newer operator table has come yet');
  }

  followUp(job: string, outcome: string, round: number | null): void {
    this.#followUps.inc({ job, outcome });
    this.#logger.debug({ event: 'follow_up', job, outcome, round }, 'background job');
  }

  alert(code: string, round: number, detail: string): void {
    this.#alerts.inc({ code });
    this.#logger.error({ event: 'alert', code, round, detail }, 'needs attention');
  }

  upkeep(what: 'tick' | 'recordTable', outcome: 'mined' | 'done-by-other' | 'failed', detail: string): void {
    this.#upkeep.inc({ what, outcome });
    const fields = { event: 'upkeep', what, outcome, detail };
    if (outcome !== 'failed') {
      this.#upkeepFailures.delete(what);
      this.#logger.info(fields, 'kept the market going');
    } else if (this.#upkeepFailures.get(what) !== detail) {
      // It is tried every few hundred milliseconds; the counter tells how often.
      this.#upkeepFailures.set(what, detail);
      this.#logger.warn(fields, 'could not keep the market going');
    }
  }
}
