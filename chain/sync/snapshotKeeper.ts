import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { syncFromSnapshot } from './historySync.js';
import { LocalSnapshot } from './localSnapshot.js';
import type { MarketState } from './marketState.js';
import { SnapshotRefusedError } from './snapshotFormat.js';

export interface LocalSnapshotOptions {
  readonly file: string;
  /** Seconds between two times that it is written while following; it is written at the stop too. */
  readonly everySeconds: number;
}

/** What became of the local snapshot. */
export type LocalSnapshotEvent =
  /** Following goes on from it; the contracts' words must agree before anything is handed over. */
  | { readonly kind: 'loaded'; readonly block: number; readonly seconds: number }
  /** It is not used, and the history is read instead. */
  | { readonly kind: 'dropped'; readonly reason: string }
  | { readonly kind: 'written'; readonly block: number; readonly bytes: number; readonly seconds: number }
  /** Following goes on without; it is tried again when its time comes. */
  | { readonly kind: 'unwritten'; readonly reason: string };

export interface SnapshotKeeperOptions extends LocalSnapshotOptions {
  readonly deployment: Deployment;
  /** Blocks that a state taken from the snapshot can go back. */
  readonly maxReorgBlocks: number;
  /** Rounds are to be handed over that closed up to `maxReorgBlocks` ago: a snapshot that is newer does not serve. */
  readonly needsPastRounds: boolean;
}

export interface SnapshotKeeperDependencies {
  readonly rpc: Rpc;
  readonly onEvent: (event: LocalSnapshotEvent) => void;
}

/** Starts a follower from its local snapshot, and keeps it up to date. A snapshot in doubt is dropped: the chain's history is always there. */
export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  readonly #dependencies: SnapshotKeeperDependencies;
  readonly #snapshot: LocalSnapshot;
  #isTried = false;
  /** The state comes from the snapshot, and the contracts' words have not agreed with it yet. */
  #isInDoubt = false;
  /** Block of what the file holds. */
  #keptBlock = -1;
  /** On performance.now(). */
  #dueMs = 0;

  constructor(options: SnapshotKeeperOptions, dependencies: SnapshotKeeperDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#snapshot = new LocalSnapshot(options.file, options.deployment);
  }

  /** The state that the snapshot leads to; null where there is none to use, and at every call after the first that got so far. Throws what the RPC throws. */
  async open(): Promise<MarketState | null> {
    if (this.#isTried) return null;
    const { deployment, maxReorgBlocks, needsPastRounds } = this.#options;
    const startMs = performance.now();
    let state: MarketState | null = null;
    try {
      const content = await this.#snapshot.load();
      if (content !== null) {
        state = await syncFromSnapshot(this.#dependencies.rpc, deployment, content, maxReorgBlocks);
        const block = content.block.number;
        if (needsPastRounds && state.oldest.number === block)
          throw new SnapshotRefusedError(`block ${block} is too new to hand over the rounds before it again`);
        this.#isInDoubt = true;
        this.#keptBlock = block;
        this.#dueMs = performance.now() + this.#pauseMs;
        const seconds = (performance.now() - startMs) / 1_000;
        this.#dependencies.onEvent({ kind: 'loaded', block, seconds });
      }
    } catch (error) {
      if (!(error instanceof SnapshotRefusedError)) throw error;
      state = null;
      await this.#drop(error.reason);
    }
    this.#isTried = true;
    return state;
  }

  /** The contracts' words agree with the state. */
  agreed(): void {
    this.#isInDoubt = false;
  }

  /** The state is given up; a snapshot that it came from is dropped unless the contracts' words agreed since. */
  async contradicted(reason: string): Promise<void> {
    if (!this.#isInDoubt) return;
    this.#isInDoubt = false;
    await this.#drop(reason);
  }

  /** Whether it is time to keep the state. */
  get isDue(): boolean {
    return performance.now() >= this.#dueMs;
  }

  /** Keeps a state that agrees with the contracts' words. It must not go on until this resolves. */
  async keep(state: MarketState): Promise<void> {
    const startMs = performance.now();
    const { content } = state;
    const block = content.block.number;
    try {
      const bytes = await this.#snapshot.save(content);
      this.#keptBlock = block;
      this.#dependencies.onEvent({ kind: 'written', block, bytes, seconds: (performance.now() - startMs) / 1_000 });
    } catch (error) {
      this.#dependencies.onEvent({ kind: 'unwritten', reason: error instanceof Error ? error.message : String(error) });
    }
    this.#dueMs = performance.now() + this.#pauseMs;
  }

  /**
   * Keeps a state that nobody needs any more as it was at the oldest block it can go back to: the next start then follows what a
   * reorganisation may take back block by block, as a start from the history does. `agreedBlock` is the last block at which the contracts'
   * words agreed; a state that can not go back that far is not kept.
   */
  async keepAtStop(state: MarketState, agreedBlock: number | null): Promise<void> {
    const { number } = state.oldest;
    if (agreedBlock === null || number > agreedBlock || number === this.#keptBlock) return;
    state.rollbackTo(number);
    await this.keep(state);
  }

  async #drop(reason: string): Promise<void> {
    this.#dependencies.onEvent({ kind: 'dropped', reason });
    // What can not be removed is refused again at the next start.
    await this.#snapshot.discard().catch(() => {});
  }

  get #pauseMs(): number {
    return this.#options.everySeconds * 1_000;
  }
}
