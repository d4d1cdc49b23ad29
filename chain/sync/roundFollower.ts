import type { Hex } from 'viem';
import { SUPPORTED_RULES_VERSIONS } from '../../engine/policy.js';
import type { Policy } from '../../engine/policy.js';
import type { Snapshot } from '../../engine/snapshot.js';
import { MatchmakerError } from '../../engine/error.js';
import { operatorSetKey } from '../../protocol/operatorSet.js';
import { snapshotBlockOf } from '../../protocol/rounds.js';
import { roundSeed } from '../../protocol/seed.js';
import type { Deployment } from '../deployment.js';
import { RpcAnswerError, RpcWrongChainError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { blockByNumber } from '../rpc/rpcCall.js';
import type { Block, RpcLog } from '../rpc/rpcCall.js';
import { BlockFollower, ReorgTooDeepError } from './blockFollower.js';
import type { BlockSink } from './blockFollower.js';
import { HeadPacer } from './headPacer.js';
import { syncHistory } from './historySync.js';
import { marketLogFilter } from './marketState.js';
import type { MarketState } from './marketState.js';
import { NoTableError, OperatorTableReader, TableMismatchError } from './operatorTable.js';
import type { RoundTable } from './operatorTable.js';
import { differenceBetween, roundWordsAt } from './roundWords.js';
import type { RoundWords, RoundWordsReading } from './roundWords.js';
import { SnapshotKeeper } from './snapshotKeeper.js';
import type { LocalSnapshotEvent, LocalSnapshotOptions } from './snapshotKeeper.js';

/** Everything a round's result depends on, as it was in block B(round). */
export interface RoundContext {
  readonly round: number;
  readonly snapshotBlock: number;
  /** B(round + 1): the last block that may settle the round. */
  readonly nextSnapshotBlock: number;
  /** `snapshot.market` is the follower's live market: it is at B(round) until onRound returns, and changes after. */
  readonly snapshot: Snapshot;
  readonly policy: Policy;
  readonly policyHash: Hex;
  readonly seed: Hex;
  /** The operators that may sign, as settlement will require them. */
  readonly table: RoundTable;
  readonly lastSettledRound: number;
  readonly operatorSetKey: Hex;
  readonly openOrderCount: number;
}

/** Why a node signs nothing for a round. */
export type AbstainReason =
  /** The facts this node followed are not those the contracts folded: a log was lost or forged. A resync follows. */
  | 'FACTS_MISMATCH'
  /** The round's policy names rules this engine does not implement. */
  | 'RULES_VERSION'
  /** Settlement has recorded no operator table for the round. */
  | 'NO_TABLE'
  /** The verifier's operator table is not the one settlement recorded. */
  | 'TABLE_MISMATCH'
  /** The node's RPC did not answer what the round needs before its successor closed. */
  | 'RPC_UNAVAILABLE'
  /** The next round had closed before this node saw the round's snapshot block. */
  | 'SEEN_TOO_LATE';

export interface FollowedBlock {
  readonly number: number;
  readonly hash: Hex;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** The round that is open in the block, 0 for none. */
  readonly openRound: number;
}

export interface Reorg {
  /** The last block both chains share. */
  readonly commonBlock: number;
  /** How many followed blocks were taken back. */
  readonly depth: number;
  readonly oldHeadHash: Hex;
  readonly newHeadHash: Hex;
}

export interface RoundFollowerOptions {
  readonly deployment: Deployment;
  /** `proof` verifies Merkle proofs against the block's header; `storage` trusts the node's storage answers. */
  readonly factsCheck: 'proof' | 'storage';
  readonly pollIntervalMs: number;
  /** Time between blocks as a rule: the head is looked at when the next one is due. Default: every `pollIntervalMs`. */
  readonly blockTimeMs?: number;
  /** Blocks that can be rolled back; a deeper reorg is answered by a full resync. Default 256. */
  readonly maxReorgBlocks?: number;
  /**
   * Hands over rounds too whose successor has closed, as far back as blocks are followed one by one and the node has their state: for
   * those who check what was settled, not for those who sign. Default false.
   */
  readonly lateRounds?: boolean;
  /** Where the market is kept for a start without the whole history; by default nowhere. */
  readonly localSnapshot?: LocalSnapshotOptions;
}

export interface RoundFollowerDependencies {
  readonly rpc: Rpc;
  /** Called synchronously with the state at B(r), after every check passed. */
  readonly onRound: (context: RoundContext) => void;
  readonly onAbstain: (round: number, reason: AbstainReason, detail: string) => void;
  readonly onBlock?: (block: FollowedBlock) => void;
  readonly onReorg?: (reorg: Reorg) => void;
  readonly onSettled?: (round: number, messageHash: Hex, blockNumber: number, blockHash: Hex) => void;
  /** Said once when the chain can not be followed (`error` given), and once when it can again. */
  readonly onReachable?: (reachable: boolean, error?: Error) => void;
  /** Said when the whole history is read again, with the reason. */
  readonly onResync?: (reason: string) => void;
  readonly onLocalSnapshot?: (event: LocalSnapshotEvent) => void;
  /** Following ended by a fault inside this process after it had started. By default thrown as an uncaught exception: nobody must go on with a follower that is dead. */
  readonly onFailed?: (error: unknown) => void;
  /** 0 <= random() < 1, for the jitter of the backoff. */
  readonly random?: () => number;
  /** Milliseconds; only differences count. */
  readonly monotonicMs?: () => number;
}

export interface FollowerStatus {
  readonly headBlock: number;
  readonly headHash: Hex;
  readonly openRound: number;
  readonly caughtUp: boolean;
  /** Blocks between the newest head seen and the last one applied. */
  readonly lagBlocks: number;
  readonly lastError?: string;
}

/** The contracts' words at a block are not those that the followed logs lead to. */
class FactsMismatchError extends MatchmakerError<'FACTS_MISMATCH'> {
  constructor(block: number, what: string) {
    super('FACTS_MISMATCH', `block ${block}: ${what}`, { metadata: { block } });
  }
}

/** A closed round that is not handed over yet. */
interface PendingRound {
  readonly round: number;
  readonly nextSnapshotBlock: number;
  readonly block: Block;
  /** Answers to the reads of its words, null while they must be asked for. */
  answers: readonly unknown[] | null;
}

const DEFAULT_MAX_REORG_BLOCKS = 256;
/** Times that words differing from what was followed are read again before the round is given up. */
const WORD_REREADS = 4;
const LONGEST_BACKOFF_MS = 5_000;
const LONGEST_RESYNC_PAUSE_MS = 30_000;

/**
 * Follows the market block by block and hands over each round, with the state exactly at B(r), once the contracts' words at
 * the hash of B(r) agree with what the logs led to. Where they do not, it abstains, goes back to the last block that agreed
 * and reads the logs again; if that does not help, it reads the whole history again.
 */
export class RoundFollower {
  readonly #options: RoundFollowerOptions;
  readonly #dependencies: RoundFollowerDependencies;
  readonly #maxReorgBlocks: number;
  readonly #blocks: BlockFollower;
  readonly #tables: OperatorTableReader;
  readonly #random: () => number;
  readonly #keeper: SnapshotKeeper | null;
  readonly #pacer: HeadPacer;

  #state: MarketState | null = null;
  #pending: PendingRound | null = null;
  /** Last block at which the contracts' words agreed; null when none is known to. */
  #agreedBlock: number | null = null;
  /** The words at the head must agree before the state counts as caught up. */
  #mustAgree = true;
  /** Blocks up to here were reported before a repair took them back. */
  #reportedBlock = -1;
  /** A round that was abstained from stays so, also when a repair passes it again. */
  #abstainedRound = 0;
  #newestSeen = 0;
  #caughtUp = false;
  #everCaughtUp = false;
  #failures = 0;
  #resyncs = 0;
  #unreachableReported = false;
  #lastError: MatchmakerError | null = null;

  #running: Promise<void> | null = null;
  #stopped = false;
  #wake: () => void = () => {};

  constructor(options: RoundFollowerOptions, dependencies: RoundFollowerDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#maxReorgBlocks = options.maxReorgBlocks ?? DEFAULT_MAX_REORG_BLOCKS;
    this.#random = dependencies.random ?? Math.random;
    this.#pacer = new HeadPacer(options, { monotonicMs: dependencies.monotonicMs ?? (() => performance.now()) });
    this.#blocks = new BlockFollower(dependencies.rpc, marketLogFilter(options.deployment), this.#sink());
    this.#tables = new OperatorTableReader(options.deployment, dependencies.rpc);
    const { deployment, localSnapshot, lateRounds = false } = options;
    this.#keeper =
      localSnapshot === undefined
        ? null
        : new SnapshotKeeper(
            { ...localSnapshot, deployment, maxReorgBlocks: this.#maxReorgBlocks, needsPastRounds: lateRounds },
            { rpc: dependencies.rpc, onEvent: (event) => dependencies.onLocalSnapshot?.(event) },
          );
  }

  /**
   * Starts following; resolves when the newest block is reached and agrees with the contracts' words for the first time, or when
   * `stop` is called. An unreachable chain is waited for. Throws RpcWrongChainError when the RPC serves another chain at the start.
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      let started = false;
      this.#running = this.#run(() => {
        started = true;
        resolve();
      });
      this.#running.then(resolve, (error: unknown) => {
        this.#caughtUp = false;
        if (started) this.#failed(error);
        else reject(error);
      });
    });
  }

  /** Stops following; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    try {
      await this.#running;
    } catch {
      // Whoever started it was told of the failure; a state that broke off is not kept.
      return;
    }
    if (this.#state !== null && !this.#mustAgree) await this.#keeper?.keepAtStop(this.#state, this.#agreedBlock);
  }

  /** Where following stands. */
  status(): FollowerStatus {
    const head: { number: number; hash: Hex } = this.#state?.head ?? { number: 0, hash: '0x' };
    return {
      headBlock: head.number,
      headHash: head.hash,
      openRound: this.#state?.openRoundAt(head.number) ?? 0,
      caughtUp: this.#caughtUp,
      lagBlocks: Math.max(0, this.#newestSeen - head.number),
      ...(this.#lastError === null ? {} : { lastError: this.#lastError.message }),
    };
  }

  #failed(error: unknown): void {
    if (this.#dependencies.onFailed !== undefined) this.#dependencies.onFailed(error);
    else
      queueMicrotask(() => {
        throw error;
      });
  }

  async #run(caughtUp: () => void): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#follow();
        this.#succeeded();
        if (this.#caughtUp) caughtUp();
        await this.#pause(this.#pacer.pauseMs());
      } catch (error) {
        if (!(error instanceof MatchmakerError)) throw error;
        if (error instanceof RpcWrongChainError && !this.#everCaughtUp) throw error;
        await this.#recover(error);
      }
    }
  }

  async #follow(): Promise<void> {
    if (this.#state === null) {
      const { rpc } = this.#dependencies;
      const kept = await this.#keeper?.open();
      this.#state = kept ?? (await syncHistory(rpc, this.#options.deployment, this.#maxReorgBlocks));
      this.#reportedBlock = this.#state.head.number;
    }
    const newest = await this.#blocks.newest();
    this.#newestSeen = newest.number;
    this.#pacer.saw(newest.number);
    await this.#closePending(newest);
    await this.#blocks.advanceTo(newest);
    if (this.#mustAgree && this.#state.head.hash === newest.hash) await this.#agree(newest);
    if (this.#mustAgree) return;
    this.#caughtUp = this.#everCaughtUp = true;
    await this.#keepIfDue(newest);
  }

  /** Keeps the state when its time has come: between two rounds, when nobody waits for it, and once it is known to agree. */
  async #keepIfDue(newest: Block): Promise<void> {
    const state = this.#followed();
    if (this.#keeper?.isDue !== true || state.head.hash !== newest.hash) return;
    if (this.#pending !== null || this.#roundClosedBy(newest) !== null) return;
    if (this.#agreedBlock !== newest.number) await this.#agree(newest);
    await this.#keeper.keep(state);
  }

  /** Checks the state at `head` against the contracts' words. Throws FactsMismatchError and what reading the words throws. */
  async #agree(head: Block, answers: readonly unknown[] | null = null): Promise<RoundWords> {
    const words = await this.#wordsThatAgree(head, answers);
    this.#agreedBlock = head.number;
    this.#mustAgree = false;
    this.#keeper?.agreed();
    this.#resyncs = 0;
    return words;
  }

  /**
   * The words of `head` that match what was followed. A node may answer for its newest block with the state of the one it is
   * just making, so differing words are read again; words that match cannot do so by accident. Throws FactsMismatchError.
   */
  async #wordsThatAgree(head: Block, answers: readonly unknown[] | null): Promise<RoundWords> {
    const state = this.#followed();
    const reading = this.#wordsReading(head);
    for (let attempt = 0; ; attempt++) {
      const read = attempt === 0 && answers !== null ? answers : await this.#dependencies.rpc.batch(reading.calls);
      const words = reading.read(read);
      const difference = state.damage ?? differenceBetween(state.commitments, words.commitments);
      if (difference === null) return words;
      if (state.damage !== null || attempt === WORD_REREADS) throw new FactsMismatchError(head.number, difference);
      await this.#pause(this.#backoff(this.#options.pollIntervalMs, attempt, 4 * this.#options.pollIntervalMs));
    }
  }

  #sink(): BlockSink {
    const state = () => this.#followed();
    return {
      get head() {
        return state().head;
      },
      hashAt: (number) => state().hashAt(number),
      readsAt: (block, newest) => {
        const closed = this.#roundClosedBy(block);
        return closed === null || newest.number >= closed.nextSnapshotBlock ? [] : this.#wordsReading(block).calls;
      },
      apply: (block, logs, reads, newest) => this.#apply(block, logs, reads, newest),
      rollback: (commonBlock, newest) => this.#rollback(commonBlock, newest),
    };
  }

  async #apply(block: Block, logs: readonly RpcLog[], reads: readonly unknown[], newest: Block): Promise<void> {
    const state = this.#followed();
    const settled = state.apply({ number: block.number, hash: block.hash, timestamp: block.timestamp }, logs);
    if (block.number > this.#reportedBlock) {
      this.#reportedBlock = block.number;
      const { number, hash, timestamp } = block;
      this.#dependencies.onBlock?.({ number, hash, timestamp, openRound: state.openRoundAt(number) });
      for (const { round, messageHash } of settled) this.#dependencies.onSettled?.(round, messageHash, number, hash);
    }
    const closed = this.#roundClosedBy(block);
    if (closed === null) return;
    // Rounds that closed before this node followed the chain are nobody's concern.
    if (newest.number >= closed.nextSnapshotBlock && !this.#everCaughtUp && this.#options.lateRounds !== true) return;
    this.#pending = { ...closed, block, answers: reads.length === 0 ? null : reads };
    await this.#closePending(newest);
  }

  /** The round whose snapshot `block` is, null for none and for rounds that were abstained from already. */
  #roundClosedBy(block: Block): { round: number; nextSnapshotBlock: number } | null {
    const state = this.#followed();
    const { schedule } = state;
    const round = state.openRoundAt(block.number + 1);
    if (schedule === null || round <= this.#abstainedRound || round < (schedule.previous ?? schedule.newest).fromRound)
      return null;
    if (snapshotBlockOf(schedule, round) !== block.number) return null;
    return { round, nextSnapshotBlock: snapshotBlockOf(schedule, round + 1) };
  }

  #rollback(commonBlock: number, newest: Block): void {
    const state = this.#followed();
    const oldHead = state.head;
    state.rollbackTo(commonBlock);
    this.#pending = null;
    this.#reportedBlock = Math.min(this.#reportedBlock, commonBlock);
    if (this.#agreedBlock !== null) this.#agreedBlock = Math.min(this.#agreedBlock, commonBlock);
    const depth = oldHead.number - commonBlock;
    this.#dependencies.onReorg?.({ commonBlock, depth, oldHeadHash: oldHead.hash, newHeadHash: newest.hash });
  }

  /** Hands the pending round over, or abstains from it. What the RPC throws leaves it pending. */
  async #closePending(newest: Block): Promise<void> {
    const pending = this.#pending;
    if (pending === null) return;
    const { round, block } = pending;
    const isLate = newest.number >= pending.nextSnapshotBlock;
    if (isLate && this.#options.lateRounds !== true) {
      if (this.#lastError === null)
        this.#abstain(round, 'SEEN_TOO_LATE', `block ${newest.number} was there before block ${block.number} was read`);
      else this.#abstain(round, 'RPC_UNAVAILABLE', this.#lastError.message);
      return;
    }
    try {
      const words = await this.#agree(block, pending.answers);
      const table = await this.#tables.tableOf(round, words, block.hash);
      this.#deliver(pending, table);
    } catch (error) {
      if (error instanceof FactsMismatchError) {
        this.#abstain(round, 'FACTS_MISMATCH', error.message);
        throw error;
      }
      if (error instanceof NoTableError || error instanceof TableMismatchError) {
        this.#abstain(round, error.code, error.message);
        return;
      }
      if (!(error instanceof MatchmakerError)) throw error;
      if (isLate && error instanceof RpcAnswerError) {
        // Nodes drop the state of old blocks; asking again would hold up the rounds after it for ever.
        this.#abstain(round, 'RPC_UNAVAILABLE', error.message);
        return;
      }
      pending.answers = null;
      // A node that was reorganised no longer knows the block; then there is nothing to hand over.
      const canonical = await this.#dependencies.rpc.request(blockByNumber(block.number));
      if (canonical?.hash === block.hash) throw error;
      this.#pending = null;
    }
  }

  #deliver(pending: PendingRound, table: RoundTable): void {
    const state = this.#followed();
    const { round, block, nextSnapshotBlock } = pending;
    const scheduled = state.policyOf(round);
    if (scheduled === null || !SUPPORTED_RULES_VERSIONS.includes(scheduled.policy.rulesVersion)) {
      this.#abstain(
        round,
        'RULES_VERSION',
        `the policy has rules version ${scheduled?.policy.rulesVersion}, this engine ${SUPPORTED_RULES_VERSIONS.join(' and ')}`,
      );
      return;
    }
    this.#pending = null;
    this.#dependencies.onRound({
      round,
      snapshotBlock: block.number,
      nextSnapshotBlock,
      snapshot: {
        round,
        blockNumber: block.number,
        snapshotHash: block.hash,
        timestampSeconds: block.timestamp,
        orders: state.openOrders(),
        bids: state.bids(),
        market: state.market,
      },
      policy: scheduled.policy,
      policyHash: scheduled.hash,
      seed: roundSeed(block.hash, round),
      table,
      lastSettledRound: state.lastSettledRound,
      operatorSetKey: operatorSetKey(this.#options.deployment.operatorSet),
      openOrderCount: state.openOrderCount,
    });
  }

  #abstain(round: number, reason: AbstainReason, detail: string): void {
    this.#pending = null;
    this.#abstainedRound = round;
    this.#dependencies.onAbstain(round, reason, detail);
  }

  #wordsReading(block: Block): RoundWordsReading {
    return roundWordsAt(this.#options.deployment.contracts, block, this.#options.factsCheck);
  }

  /** The state, which is there whenever blocks are followed. */
  #followed(): MarketState {
    if (this.#state === null) throw new TypeError('no state is followed');
    return this.#state;
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#lastError = null;
    if (!this.#unreachableReported) return;
    this.#unreachableReported = false;
    this.#dependencies.onReachable?.(true);
  }

  async #recover(error: MatchmakerError): Promise<void> {
    this.#lastError = error;
    if (error instanceof FactsMismatchError) {
      await this.#repair(error.message);
    } else if (error instanceof ReorgTooDeepError) {
      await this.#resync(error.message);
    } else {
      this.#failures += 1;
      // One wrong answer is what a chain that changes while it is read gives; only more of them are worth a word.
      if (!this.#unreachableReported && (!(error instanceof RpcAnswerError) || this.#failures > 2)) {
        this.#unreachableReported = true;
        this.#caughtUp = false;
        this.#dependencies.onReachable?.(false, error);
      }
      await this.#pause(this.#backoff(this.#options.pollIntervalMs, this.#failures, LONGEST_BACKOFF_MS));
    }
  }

  /** Reads the logs since the last agreeing block again; without such a block, or if they did not help, the whole history. */
  async #repair(reason: string): Promise<void> {
    const state = this.#followed();
    const agreed = this.#agreedBlock;
    if (agreed === null || agreed < state.oldest.number || this.#mustAgree) {
      await this.#resync(reason);
      return;
    }
    state.rollbackTo(agreed);
    this.#mustAgree = true;
    this.#caughtUp = false;
  }

  async #resync(reason: string): Promise<void> {
    this.#state = null;
    this.#caughtUp = false;
    this.#pending = null;
    this.#agreedBlock = null;
    this.#mustAgree = true;
    await this.#keeper?.contradicted(reason);
    this.#dependencies.onResync?.(reason);
    if (this.#resyncs > 0)
      await this.#pause(this.#backoff(this.#options.pollIntervalMs, this.#resyncs, LONGEST_RESYNC_PAUSE_MS));
    this.#resyncs += 1;
  }

  #backoff(firstMs: number, attempt: number, longestMs: number): number {
    const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 16));
    return full / 2 + (this.#random() * full) / 2;
  }

  #pause(milliseconds: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
