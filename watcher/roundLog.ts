import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';

import type { Hex } from 'viem';

/** What became of a round, as far as this watcher saw. */
export type RoundOutcome =
  /** The settled batch is the one that this watcher computed. */
  | 'agreed'
  /** A self-match or a growing lease took the round. */
  | 'taken'
  /** It closed without a settlement although there were matches. */
  | 'lapsed'
  /** Another batch was settled, in which faults were found. */
  | 'faulty'
  /** Another batch was settled, and no fault that can be proven was found in it. */
  | 'unexplained'
  /** A batch was settled that this watcher could not recompute. */
  | 'unaudited';

/** One line of the record. */
export interface RoundEntry {
  readonly round: number;
  readonly outcome: RoundOutcome;
  /** Of the settled batch, or of the one that should have been. */
  readonly messageHash: Hex;
  readonly matches: number;
  readonly at: string;
}

const LARGEST_BYTES = 32 * 1024 * 1024;

/** A light record of rounds, one JSON line each; two files of 32 MiB at the most. It proves nothing and is not synced to disk. */
export class RoundLog {
  readonly #file: string;

  constructor(options: { file: string }) {
    this.#file = options.file;
    mkdirSync(path.dirname(options.file), { recursive: true, mode: 0o700 });
  }

  /** Adds a line. Throws the system's error when the disk fails. */
  append(entry: RoundEntry): void {
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
    if (size >= LARGEST_BYTES) renameSync(this.#file, `${this.#file}.1`);
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  }
}
