import { MatchmakerError } from '../../engine/error.js';
import { bloomBitsOf, bloomHas } from '../rpc/logsBloom.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { blockByNumber, latestBlock, logsInBlock } from '../rpc/rpcCall.js';
import type { Block, LogFilter, RpcCall, RpcLog } from '../rpc/rpcCall.js';
import type { BlockReference } from './marketState.js';
import type { Hex } from 'viem';

/** What is kept in step with the chain, block by block. */
export interface BlockSink {
  readonly head: BlockReference;
  /** Hash of a followed block that can still be gone back to. */
  hashAt(number: number): Hex | undefined;
  /** Reads to make in the same round trip as the block's logs. */
  readsAt(block: Block, newest: Block): readonly RpcCall<unknown>[];
  /** Takes the block after `head`. */
  apply(block: Block, logs: readonly RpcLog[], reads: readonly unknown[], newest: Block): Promise<void>;
  /** Takes back every block after `commonBlock`, because the chain went another way from there. */
  rollback(commonBlock: number, newest: Block): void;
}

/** The chain went another way from before the oldest block that can be taken back. */
export class ReorgTooDeepError extends MatchmakerError<'REORG_TOO_DEEP'> {
  constructor(block: number) {
    super('REORG_TOO_DEEP', `the chain changed at or before block ${block}, deeper than can be rolled back`, {
      metadata: { block },
    });
  }
}

/** Blocks walked in one go when far behind; a reorg is looked for one such stride at a time. */
const STRIDE_BLOCKS = 256;
/** Blocks whose logs are asked for in one round trip. */
const LOGS_PER_BATCH = 32;
const HEADERS_PER_BATCH = 64;
/** How often a block's logs are asked for again when it answers with none although its bloom filter has them. */
const EMPTY_RETRIES = 2;

/** Follows the chain by hash: each block's parent is the one before, logs are asked for by block hash, a changed chain is rolled back to the common block. */
export class BlockFollower {
  readonly #rpc: Rpc;
  readonly #filter: LogFilter;
  readonly #sink: BlockSink;
  readonly #addressBits: readonly (readonly number[])[];
  readonly #topicBits: readonly (readonly number[])[];

  constructor(rpc: Rpc, filter: LogFilter, sink: BlockSink) {
    this.#rpc = rpc;
    this.#filter = filter;
    this.#sink = sink;
    this.#addressBits = filter.addresses.map(bloomBitsOf);
    this.#topicBits = filter.topics.map(bloomBitsOf);
  }

  /** The newest block of the node. Throws what the RPC throws. */
  newest(): Promise<Block> {
    return this.#rpc.request(latestBlock());
  }

  /**
   * Brings the sink to `newest`. A node that is merely behind changes nothing: a reorg needs another hash at a followed height.
   * Throws ReorgTooDeepError, what the RPC throws and what the sink throws; what was applied before stays applied.
   */
  async advanceTo(newest: Block): Promise<void> {
    while (this.#sink.head.hash !== newest.hash) {
      const { head } = this.#sink;
      if (newest.number <= head.number) {
        const followed = this.#sink.hashAt(newest.number);
        if (followed === undefined || followed === newest.hash) return;
      }
      const goal =
        newest.number > head.number + STRIDE_BLOCKS ? await this.#blockAt(head.number + STRIDE_BLOCKS) : newest;
      const path = await this.#pathTo(goal);
      const commonBlock = goal.number - path.length;
      if (commonBlock < this.#sink.head.number) this.#sink.rollback(commonBlock, newest);
      await this.#applyAll(path, newest);
    }
  }

  /** Blocks from the first that is not followed up to `goal`, each the parent of the next. */
  async #pathTo(goal: Block): Promise<Block[]> {
    const path = [goal];
    let lowest = goal;
    for (;;) {
      const below = lowest.number - 1;
      const { head } = this.#sink;
      if (below <= head.number) {
        const followed = this.#sink.hashAt(below);
        if (followed === undefined) throw new ReorgTooDeepError(below);
        if (followed === lowest.parentHash) return path.toReversed();
      }
      const first = Math.max(0, below > head.number ? head.number + 1 : below - 15, below - HEADERS_PER_BATCH + 1);
      const numbers = Array.from({ length: below - first + 1 }, (_, index) => below - index);
      const parents = await this.#rpc.batch(numbers.map((number) => blockByNumber(number)));
      for (const parent of parents) {
        if (parent === null || parent.hash !== lowest.parentHash) {
          throw new RpcAnswerError(`the chain changed while blocks ${first}..${below} were read`);
        }
        path.push(parent);
        lowest = parent;
        if (this.#sink.hashAt(parent.number - 1) === parent.parentHash) break;
      }
    }
  }

  async #blockAt(number: number): Promise<Block> {
    const block = await this.#rpc.request(blockByNumber(number));
    if (block === null) throw new RpcAnswerError(`the node has no block ${number} although it told of later ones`);
    return block;
  }

  async #applyAll(path: readonly Block[], newest: Block): Promise<void> {
    for (let start = 0; start < path.length; start += LOGS_PER_BATCH) {
      const blocks = path.slice(start, start + LOGS_PER_BATCH);
      const reads = blocks.map((block) => this.#sink.readsAt(block, newest));
      const calls = [...blocks.map((block) => logsInBlock(block.hash, this.#filter)), ...reads.flat()];
      const answers: readonly unknown[] = await this.#rpc.batch(calls);
      let nextRead = blocks.length;
      for (const [index, block] of blocks.entries()) {
        const logs = await this.#checkedLogs(block, answers[index] as readonly RpcLog[]);
        const count = reads[index]?.length ?? 0;
        await this.#sink.apply(block, logs, answers.slice(nextRead, nextRead + count), newest);
        nextRead += count;
      }
    }
  }

  /** A node that has the header but not yet the receipts answers with no logs; asking again helps, and the facts check decides in the end. */
  async #checkedLogs(block: Block, first: readonly RpcLog[]): Promise<readonly RpcLog[]> {
    let logs = first;
    for (let retry = 0; retry < EMPTY_RETRIES && logs.length === 0 && this.#mayHoldLogs(block); retry++) {
      logs = await this.#rpc.request(logsInBlock(block.hash, this.#filter));
    }
    return logs;
  }

  #mayHoldLogs({ logsBloom }: Block): boolean {
    return (
      this.#addressBits.some((bits) => bloomHas(logsBloom, bits)) &&
      this.#topicBits.some((bits) => bloomHas(logsBloom, bits))
    );
  }
}
