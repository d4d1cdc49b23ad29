import type { Address, Hex } from 'viem';

import type { Rpc } from '../chain/rpc/rpc.js';
import { latestBlock, storageAt, transactionReceipt } from '../chain/rpc/rpcCall.js';
import { decodeSettlementWord } from '../protocol/words/settlementWord.js';
import { SETTLEMENT_SLOT } from '../protocol/words/slots.js';
import type { AggregatorEvents } from './aggregatorEvents.js';
import type { RoundBook } from './roundBook.js';
import type { Settler } from './settler.js';

/** A mined settlement that must stay mined. */
export interface ConfirmJob {
  readonly round: number;
  readonly transactionHash: Hex;
  readonly blockNumber: number;
}

/** A submitted settlement that must be mined in time. */
export interface FeeBumpJob {
  readonly round: number;
  readonly deadlineBlock: number;
  /** Block in which it was submitted. */
  readonly submittedAtBlock: number;
}

/** Something that people should hear of. */
export interface AlertJob {
  readonly code: string;
  readonly round: number;
  readonly detail: string;
}

/** `again`: what the job waits for has not come; it is to be run later. */
export type FollowUpOutcome =
  'again' | 'confirmed' | 'resubmitted' | 'lost' | 'mined' | 'lapsed' | 'agrees' | 'repaired' | 'told';

/** Alerts that are not told a second time; older ones are forgotten. */
const REMEMBERED_ALERTS = 1_024;

export interface FollowUpHandlersOptions {
  readonly settlement: Address;
  /** Blocks on top of a settlement after which it is taken for good. */
  readonly confirmations: number;
  /** Blocks without inclusion after which an alert is raised. */
  readonly slowAfterBlocks: number;
}

export interface FollowUpHandlersDependencies {
  readonly rpc: Rpc;
  readonly book: RoundBook;
  readonly settler: Settler;
  readonly events: AggregatorEvents;
}

/**
 * What background jobs do. Each asks the chain first and acts on its answer alone, so that running one twice, late or never
 * changes nothing that counts.
 */
export class FollowUpHandlers {
  readonly #options: FollowUpHandlersOptions;
  readonly #dependencies: FollowUpHandlersDependencies;
  readonly #told = new Set<string>();

  constructor(options: FollowUpHandlersOptions, dependencies: FollowUpHandlersDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Checks that a settlement is still on the chain after enough blocks; settles again if a reorganisation took it and the round is open. */
  async confirm(job: ConfirmJob): Promise<FollowUpOutcome> {
    const { rpc, settler } = this.#dependencies;
    const [head, receipt] = await rpc.batch([latestBlock(), transactionReceipt(job.transactionHash)]);
    if (receipt !== null) {
      return head.number < receipt.blockNumber + this.#options.confirmations ? 'again' : 'confirmed';
    }
    const outcome = await settler.ensure(job.round);
    if (outcome === 'submitted') return 'resubmitted';
    // Settled without this transaction means by another one, which is as good.
    if (outcome === 'settled') return 'confirmed';
    this.alert({
      code: 'settlement-lost',
      round: job.round,
      detail: `${job.transactionHash} is no longer on the chain`,
    });
    return 'lost';
  }

  /** Watches a submitted settlement until it is mined or too late; raises an alert when raising its fees has not helped. */
  async feeBump(job: FeeBumpJob): Promise<FollowUpOutcome> {
    const { rpc } = this.#dependencies;
    const [head, word] = await rpc.batch([
      latestBlock(),
      storageAt(this.#options.settlement, SETTLEMENT_SLOT, 'latest'),
    ]);
    if (decodeSettlementWord(word).lastSettledRound >= job.round) return 'mined';
    if (head.number >= job.deadlineBlock) {
      this.alert({ code: 'settlement-lapsed', round: job.round, detail: `not mined by block ${job.deadlineBlock}` });
      return 'lapsed';
    }
    if (head.number >= job.submittedAtBlock + this.#options.slowAfterBlocks) {
      this.alert({
        code: 'settlement-slow',
        round: job.round,
        detail: `not mined ${head.number - job.submittedAtBlock} blocks after it was sent`,
      });
    }
    return 'again';
  }

  /** Compares the rounds of this process with the chain; settles what has a quorum and is missing there. */
  async reconcile(): Promise<FollowUpOutcome> {
    const { book, settler } = this.#dependencies;
    let outcome: FollowUpOutcome = 'agrees';
    for (const { terms } of book.unsettled()) {
      if (settler.inFlight.includes(terms.round)) continue;
      if ((await settler.ensure(terms.round)) === 'submitted') outcome = 'repaired';
    }
    return outcome;
  }

  /** Tells people, once for each code and round. */
  alert(job: AlertJob): FollowUpOutcome {
    const key = `${job.code}:${job.round}`;
    if (!this.#told.has(key)) {
      this.#told.add(key);
      const [oldest] = this.#told;
      if (this.#told.size > REMEMBERED_ALERTS && oldest !== undefined) this.#told.delete(oldest);
      this.#dependencies.events.alert(job.code, job.round, job.detail);
    }
    return 'told';
  }
}
