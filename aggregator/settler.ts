import type { Address } from 'viem';

import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { latestBlock, storageAt } from '../chain/rpc/rpcCall.js';
import { describeTableAge, type TableAge } from '../chain/sync/tableAge.js';
import {
  SubmitterStoppedError,
  TransactionRevertedError,
  type SubmissionRequest,
  type SubmissionResult,
} from '../chain/submission/submission.js';
import type { QuorumKind } from '../protocol/certificate.js';
import { decodeSettlementWord } from '../protocol/words/settlementWord.js';
import { SETTLEMENT_SLOT } from '../protocol/words/slots.js';
import type { AggregatorEvents } from './aggregatorEvents.js';
import type { RoundBook } from './roundBook.js';
import type { Certificate, RoundTerms } from './roundPool.js';
import { settleCall } from './settleCall.js';

/** Brings a transaction into the chain: Submitter in a running aggregator. */
export interface TransactionSubmitter {
  submit(request: SubmissionRequest): Promise<SubmissionResult>;
}

export interface SettlerDependencies {
  readonly submitter: TransactionSubmitter;
  readonly rpc: Rpc;
  readonly book: RoundBook;
  readonly events: AggregatorEvents;
  /** The least age of a round's operator table in the next block. */
  readonly tableAgeOf: (terms: RoundTerms) => TableAge;
  /** A settlement was handed over or mined; what may wait follows from it. */
  readonly onSubmitted: (certificate: Certificate) => void;
  readonly onMined: (round: number, result: Extract<SubmissionResult, { status: 'mined' }>) => void;
}

/** Turns certificates into settlements, one at a time for each round. */
export class Settler {
  readonly #settlement: Address;
  readonly #quorum: QuorumKind;
  readonly #dependencies: SettlerDependencies;
  readonly #inFlight = new Map<number, Promise<void>>();

  constructor(options: { settlement: Address; quorum: QuorumKind }, dependencies: SettlerDependencies) {
    this.#settlement = options.settlement;
    this.#quorum = options.quorum;
    this.#dependencies = dependencies;
  }

  /** Rounds whose settlement is under way. */
  get inFlight(): readonly number[] {
    return [...this.#inFlight.keys()];
  }

  /** Submits a fresh certificate at once. Never rejects. */
  settle(certificate: Certificate): Promise<void> {
    const { round } = certificate.terms;
    const running = this.#inFlight.get(round);
    if (running !== undefined) return running;
    const done = this.#submit(certificate).finally(() => this.#inFlight.delete(round));
    this.#inFlight.set(round, done);
    return done;
  }

  /**
   * Settles a round again if its certificate still can and the chain says that it is not settled; asks the chain first and
   * is safe to call any number of times. `held`: settlement would refuse the operator table for its age. Throws what the RPC throws.
   */
  async ensure(round: number): Promise<'settled' | 'closed' | 'held' | 'submitted'> {
    const { rpc, book } = this.#dependencies;
    const [head, word] = await rpc.batch([latestBlock(), storageAt(this.#settlement, SETTLEMENT_SLOT, 'latest')]);
    if (decodeSettlementWord(word).lastSettledRound >= round) return 'settled';
    const certificate = book.certificateOf(round);
    if (certificate === undefined || head.number >= certificate.terms.nextSnapshotBlock) return 'closed';
    if (this.#dependencies.tableAgeOf(certificate.terms).status === 'stale') return 'held';
    void this.settle(certificate);
    return 'submitted';
  }

  /** Resolves when nothing is under way any more. */
  async drained(): Promise<void> {
    await Promise.all(this.#inFlight.values());
  }

  async #submit(certificate: Certificate): Promise<void> {
    const { submitter, events, tableAgeOf, onSubmitted, onMined } = this.#dependencies;
    const { round, nextSnapshotBlock, snapshotBlock, table, policy } = certificate.terms;
    if (table.totalWeight < policy.minTotalStake) {
      events.settlementEnded(round, 'total-stake-too-low', `${table.totalWeight} of ${policy.minTotalStake}`);
      return;
    }
    const age = tableAgeOf(certificate.terms);
    if (age.status === 'stale') {
      events.settlementEnded(round, 'table-stale', describeTableAge(age));
      return;
    }
    try {
      const { data, gasLimit } = settleCall(certificate, this.#quorum);
      events.settlementSubmitted(round, certificate.messageHash, certificate.votes.length, gasLimit);
      onSubmitted(certificate);
      const result = await submitter.submit({
        to: this.#settlement,
        data,
        gasLimit,
        deadlineBlock: nextSnapshotBlock,
        label: `settle round ${round}`,
        errorsAbi: matchSettlementAbi,
        // One that was signed before a restart settles the round as well.
        isUnique: true,
      });
      if (result.status === 'lapsed') {
        events.settlementEnded(round, 'lapsed', `nothing was mined by block ${result.deadlineBlock}`);
        return;
      }
      const matches = certificate.votes[0]?.submission.batch.matchCount ?? 0;
      events.settlementMined(round, {
        hash: result.hash,
        blockNumber: result.receipt.blockNumber,
        latencyBlocks: result.receipt.blockNumber - snapshotBlock,
        gasUsed: result.receipt.gasUsed,
        matches,
        replacements: result.replacements,
      });
      onMined(round, result);
    } catch (error) {
      if (error instanceof SubmitterStoppedError) {
        events.settlementEnded(round, 'stopped', 'the journal goes on with it after the next start');
      } else if (error instanceof TransactionRevertedError && error.errorName === 'RoundAlreadySettled') {
        // Another aggregator was faster, which is as good.
        events.settlementEnded(round, 'settled-by-other', error.message);
      } else if (error instanceof TransactionRevertedError) {
        events.settlementFailed(round, 'reverted', error);
      } else {
        events.settlementFailed(round, 'failed', error);
      }
    }
  }
}
