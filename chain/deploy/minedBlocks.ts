import type { Hex } from 'viem';
import { latestBlock, blockByNumber, blockReceipts, type Block, type Receipt } from '../rpc/rpcCall.js';
import type { Rpc } from '../rpc/rpc.js';

/** A block that was mined, and what became of its transactions. */
export interface MinedBlock {
  readonly number: number;
  readonly hash: Hex;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** Wei per gas. */
  readonly baseFeePerGas: bigint;
  readonly gasLimit: bigint;
  readonly receipts: readonly Receipt[];
  /** When it was seen here, milliseconds of the injected clock. */
  readonly seenAtMs: number;
}

export interface MinedBlocksOptions {
  /** Milliseconds between looks at the head. */
  readonly pollIntervalMs: number;
}

export interface MinedBlocksDependencies {
  readonly rpc: Rpc;
  /** Milliseconds; only differences of its values are used. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/**
 * Follows the head of a chain without reorgs block by block and hands out receipts as they appear:
 * one receipts call a block, however many transactions are awaited. For deployments and devnets; services follow by hash.
 */
export class MinedBlocks {
  readonly #options: MinedBlocksOptions;
  readonly #dependencies: MinedBlocksDependencies;
  readonly #awaited = new Map<Hex, { resolve: (receipt: Receipt) => void; reject: (error: unknown) => void }>();
  readonly #heights: { height: number; resolve: (block: MinedBlock) => void; reject: (error: unknown) => void }[] = [];
  readonly #listeners = new Set<(block: MinedBlock) => void>();
  #head: MinedBlock | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #failure: unknown;

  constructor(options: MinedBlocksOptions, dependencies: MinedBlocksDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Reads the head and follows it until `stop`. Throws as `Rpc.batch` does. */
  async start(): Promise<void> {
    const block = await this.#dependencies.rpc.request(latestBlock());
    await this.#take(block);
    this.#running = this.#follow();
  }

  /** Ends following; whoever still waits gets an error. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#rejectAll(new Error('stopped following the chain'));
  }

  /** The newest block seen. Throws before `start`. */
  head(): MinedBlock {
    if (this.#head === undefined) throw new Error('not started');
    return this.#head;
  }

  /** Calls `listener` for every block from now on; returns what takes it off again. */
  onBlock(listener: (block: MinedBlock) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The receipt of a transaction that is sent after this call, as soon as it is mined, reverted or not. */
  receiptOf(hash: Hex): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined || this.#stopped)
        reject(this.#failure ?? new Error('stopped following the chain'));
      else this.#awaited.set(hash, { resolve, reject });
    });
  }

  /** Rejects whoever awaits the receipt of `hash`, which will never come. */
  forget(hash: Hex, reason: unknown): void {
    this.#awaited.get(hash)?.reject(reason);
    this.#awaited.delete(hash);
  }

  /** The newest block seen once the chain is at `height` or beyond. */
  reached(height: number): Promise<MinedBlock> {
    const head = this.head();
    if (head.number >= height) return Promise.resolve(head);
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined || this.#stopped)
        reject(this.#failure ?? new Error('stopped following the chain'));
      else this.#heights.push({ height, resolve, reject });
    });
  }

  async #follow(): Promise<void> {
    const { rpc, sleep } = this.#dependencies;
    try {
      while (!this.#stopped) {
        const newest = await rpc.request(latestBlock());
        for (let number = this.head().number + 1; number <= newest.number; number++) {
          const block = number === newest.number ? newest : await rpc.request(blockByNumber(number));
          if (block !== null) await this.#take(block);
        }
        await sleep(this.#options.pollIntervalMs);
      }
    } catch (error) {
      this.#failure = error;
      this.#rejectAll(error);
    }
  }

  async #take(block: Block): Promise<void> {
    const { rpc, now } = this.#dependencies;
    const seenAtMs = now();
    const receipts = await rpc.request(blockReceipts(block.hash));
    const mined: MinedBlock = {
      number: block.number,
      hash: block.hash,
      timestamp: block.timestamp,
      baseFeePerGas: block.baseFeePerGas,
      gasLimit: block.gasLimit,
      receipts,
      seenAtMs,
    };
    this.#head = mined;
    for (const receipt of receipts) {
      this.#awaited.get(receipt.transactionHash)?.resolve(receipt);
      this.#awaited.delete(receipt.transactionHash);
    }
    for (const listener of this.#listeners) listener(mined);
    for (let index = this.#heights.length - 1; index >= 0; index--) {
      const waiting = this.#heights[index];
      if (waiting === undefined || waiting.height > mined.number) continue;
      this.#heights.splice(index, 1);
      waiting.resolve(mined);
    }
  }

  #rejectAll(error: unknown): void {
    for (const { reject } of this.#awaited.values()) reject(error);
    for (const { reject } of this.#heights) reject(error);
    this.#awaited.clear();
    this.#heights.length = 0;
  }
}
