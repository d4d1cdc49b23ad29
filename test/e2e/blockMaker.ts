import { setTimeout as sleep } from 'node:timers/promises';
import { numberToHex } from 'viem';
import type { TestClient } from 'viem';

/** No account of a scenario. */
const FIRST_BENEFICIARY = 0xbe_ef_00;

/**
 * Makes the blocks of a chain that makes none by itself, and takes blocks back, one at a time. A node that makes blocks by the clock may make
 * one while it takes others back, and is then left with a chain that lacks a block.
 */
export class BlockMaker {
  readonly #blockTimeMs: number;
  readonly #testClient: TestClient;
  readonly #stopped = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #isPaused = false;
  #reorgs = 0;
  readonly #running: Promise<void>;

  /** Makes a block every so many milliseconds until `stop`. */
  constructor(blockTimeMs: number, testClient: TestClient) {
    this.#blockTimeMs = blockTimeMs;
    this.#testClient = testClient;
    this.#running = this.#run();
  }

  /** Makes one block. Throws what the node throws. */
  mine(): Promise<void> {
    return this.#inTurn(() => this.#testClient.mine({ blocks: 1 }));
  }

  /** Replaces the newest `depth` blocks by empty ones of another beneficiary. Throws what the node throws. */
  reorg(depth: number): Promise<void> {
    return this.#inTurn(async () => {
      // An empty block of the same second in the place of an empty one would be the very same block.
      this.#reorgs += 1;
      const address = numberToHex(FIRST_BENEFICIARY + this.#reorgs, { size: 20 });
      await this.#testClient.setCoinbase({ address });
      await this.#testClient.request({ method: 'anvil_reorg', params: [depth, []] } as never);
    });
  }

  /** Makes no more blocks by the clock; resolves when none is under way. */
  pause(): Promise<void> {
    this.#isPaused = true;
    return this.#inTurn(() => Promise.resolve());
  }

  /** Makes blocks by the clock again. */
  resume(): void {
    this.#isPaused = false;
  }

  /** Ends; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    await this.#last;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await sleep(this.#blockTimeMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || this.#isPaused) continue;
      await this.mine().catch((error: unknown) => {
        if (!signal.aborted) process.stderr.write(`no block: ${String(error)}\n`);
      });
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
