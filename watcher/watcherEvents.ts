import type { Hex } from 'viem';

import type { AbstainReason, Reorg } from '../chain/sync/roundFollower.js';
import type { SubmitterEvent } from '../chain/submission/submission.js';
import { LATENCY_BUCKETS_SECONDS, type Metrics } from '../service/metrics.js';
import type { Logger } from '../service/logger.js';
import type { FaultCase } from './caseStore.js';
import type { CaseProgress, CaseStage } from './challenger.js';
import type { RoundOutcome } from './roundLog.js';

/** Everything a watcher reports: each event is logged and counted here, and nowhere else. */
export class WatcherEvents {
  readonly #logger: Logger;
  readonly #rounds;
  readonly #abstained;
  readonly #auditSeconds;
  readonly #cases;
  readonly #proofs;
  readonly #proofsUnavailable;
  readonly #transactions;
  readonly #openCases;
  readonly #tableRemainingSeconds;
  readonly #tableStale;
  readonly #headBlock;
  readonly #lagBlocks;
  readonly #reorgs;
  readonly #resyncs;
  readonly #chainUp;
  #isTableStale = false;
  readonly #stages = new Map<string, string>();

  constructor(dependencies: { logger: Logger; metrics: Metrics }) {
    const { metrics } = dependencies;
    this.#logger = dependencies.logger;
    this.#rounds = metrics.counter('rounds', 'Rounds, by what became of them', ['outcome']);
    this.#abstained = metrics.counter('rounds_unseen', 'Rounds that could not be recomputed, by reason', ['reason']);
    this.#auditSeconds = metrics.histogram(
      'keep_duration_seconds',
      'Time to recompute a round and keep its snapshot',
      LATENCY_BUCKETS_SECONDS,
    );
    this.#cases = metrics.counter('cases', 'Faults found, by the kind of the cheapest proof', ['fault']);
    this.#proofs = metrics.counter('proofs_kept', 'Proofs fetched, verified and written to disk');
    this.#proofsUnavailable = metrics.counter('proofs_unavailable', 'Faults whose proof no node gave in time');
    this.#transactions = metrics.counter('challenge_transactions', 'Transactions of challenges', ['step', 'outcome']);
    this.#openCases = metrics.gauge('cases_by_stage', 'Kept cases, by where they stand', ['stage']);
    this.#tableRemainingSeconds = metrics.gauge(
      'table_remaining_seconds',
      'Time until the operator table in force is too old to settle with',
    );
    this.#tableStale = metrics.gauge('table_stale', '1 while the operator table is about to be too old, or is');
    this.#headBlock = metrics.gauge('head_block', 'Last block followed');
    this.#lagBlocks = metrics.gauge('head_lag_blocks', 'Blocks between the newest head seen and the last one followed');
    this.#reorgs = metrics.counter('reorgs', 'Reorganisations followed');
    this.#resyncs = metrics.counter('resyncs', 'Times the whole history was read again');
    this.#chainUp = metrics.gauge('chain_reachable', '1 while the chain can be followed', ['chain']);
  }

  roundKept(round: number, matches: number, seconds: number): void {
    this.#auditSeconds.observe(seconds);
    this.#logger.debug({ event: 'round_kept', round, matches }, 'recomputed a round');
  }

  roundEnded(round: number, outcome: RoundOutcome, messageHash: Hex, matches: number): void {
    this.#rounds.inc({ outcome });
    const fields = { event: `round_${outcome}`, round, messageHash, matches };
    switch (outcome) {
      case 'agreed':
      case 'taken':
        this.#logger.debug(fields, 'the round is as it should be');
        break;
      case 'lapsed':
        this.#logger.warn(fields, 'the round had matches and was not settled');
        break;
      case 'faulty':
        this.#logger.error(fields, 'the quorum settled another batch than the rules give');
        break;
      case 'unexplained':
        this.#logger.error(fields, 'another batch was settled, and no fault that can be proven was found in it');
        break;
      default:
        this.#logger.error(fields, 'a batch was settled that this watcher could not recompute');
    }
  }

  unseen(round: number, reason: AbstainReason, detail: string): void {
    this.#abstained.inc({ reason });
    this.#logger.warn({ event: 'round_unseen', round, reason, detail }, 'the round cannot be recomputed');
  }

  caseKept(faultCase: FaultCase): void {
    const { id, round, messageHash, findings, proofs } = faultCase;
    this.#cases.inc({ fault: proofs[0]?.fault ?? 'unproven' });
    this.#proofs.inc(proofs.length);
    this.#logger.error(
      { event: 'case_kept', case: id, round, messageHash, findings, proofs: proofs.length },
      'found a fault and kept what proves it',
    );
  }

  proofUnavailable(round: number, messageHash: Hex, detail: string): void {
    this.#proofsUnavailable.inc();
    this.#logger.error(
      { event: 'proof_unavailable', round, messageHash, detail },
      'a fault was found and nothing can prove it: the node has dropped the state, or does not show the certificate',
    );
  }

  caseFailed(round: number, error: unknown): void {
    this.#logger.error({ event: 'case_failed', round, err: error }, 'could not look into a settlement; trying on');
  }

  caseMoved(faultCase: FaultCase, progress: CaseProgress): void {
    const { id, round } = faultCase;
    const { stage, detail } = progress;
    if (this.#stages.get(id) === `${stage} ${detail}`) return;
    this.#stages.set(id, `${stage} ${detail}`);
    const fields = { event: 'case_moved', case: id, round, stage, detail };
    if (stage === 'refused' || stage === 'unproven') this.#logger.error(fields, 'the case cannot be proven');
    else this.#logger.info(fields, 'the case stands');
  }

  casesByStage(stages: ReadonlyMap<CaseStage, number>): void {
    this.#openCases.reset();
    for (const [stage, count] of stages) this.#openCases.set({ stage }, count);
  }

  challengeMined(faultCase: FaultCase, step: string, hash: Hex, gasUsed: bigint): void {
    this.#transactions.inc({ step, outcome: 'mined' });
    this.#logger.info(
      { event: 'challenge_mined', step, case: faultCase.id, round: faultCase.round, hash, gasUsed: Number(gasUsed) },
      'a step of the challenge is mined',
    );
  }

  challengeFailed(faultCase: FaultCase, step: string, error: Error): void {
    this.#transactions.inc({ step, outcome: 'failed' });
    this.#logger.warn(
      { event: 'challenge_failed', step, case: faultCase.id, round: faultCase.round, detail: error.message },
      'a step of the challenge failed; the chain is asked again',
    );
  }

  transaction(event: SubmitterEvent): void {
    const { kind, ...fields } = event;
    this.#logger.debug({ event: `transaction_${kind}`, ...fields }, 'transaction');
  }

  tableAge(remainingSeconds: number, isStale: boolean): void {
    this.#tableRemainingSeconds.set(remainingSeconds);
    this.#tableStale.set(isStale ? 1 : 0);
    if (isStale === this.#isTableStale) return;
    this.#isTableStale = isStale;
    const fields = { event: isStale ? 'table_stale' : 'table_fresh', remainingSeconds };
    if (isStale) this.#logger.error(fields, 'the operator table is about to be too old: carry a newer one across');
    else this.#logger.info(fields, 'the operator table is young enough');
  }

  evidenceLogUnreadable(file: string, error: unknown): void {
    this.#logger.error({ event: 'evidence_log_unreadable', file, err: error }, 'cannot read an evidence log');
  }

  headMoved(headBlock: number, lagBlocks: number): void {
    this.#headBlock.set(headBlock);
    this.#lagBlocks.set(lagBlocks);
  }

  reorged(reorg: Reorg): void {
    this.#reorgs.inc();
    this.#logger.warn({ event: 'reorg', ...reorg }, 'the chain was reorganised');
  }

  resynced(reason: string): void {
    this.#resyncs.inc();
    this.#logger.warn({ event: 'resync', reason }, 'reading the whole history again');
  }

  reachable(chain: 'market' | 'stake', isReachable: boolean, error: Error | undefined): void {
    this.#chainUp.set({ chain }, isReachable ? 1 : 0);
    if (isReachable) this.#logger.info({ event: 'chain_reachable', chain }, 'the chain answers');
    else this.#logger.error({ event: 'chain_unreachable', chain, detail: error?.message }, 'the chain does not answer');
  }

  started(url: string, challenger: string | undefined): void {
    this.#logger.info({ event: 'ready', listenUrl: url, challenger }, 'caught up with the chain');
  }

  listening(url: string): void {
    this.#logger.info({ event: 'listening', listenUrl: url }, 'serving metrics and health');
  }
}
