import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

import type { SignatureSubmission } from '../service/signatureApi.js';

/** A signed batch that aggregators may still want. */
export interface OutboxEntry {
  readonly round: number;
  /** Last block that may settle the round. */
  readonly deadlineBlock: number;
  readonly submission: SignatureSubmission;
}

/**
 * Signed batches of rounds that are still open, one file each, so that a restarted operator sends again what it signed
 * instead of signing anew. Losing one loses a vote in one round, nothing else. They outlive the process and not a power failure, after
 * which their round is over: the disk is not waited for.
 */
export class Outbox {
  readonly #folder: string;

  constructor(options: { folder: string }) {
    this.#folder = options.folder;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** Stores an entry, whole or not at all. */
  put(entry: OutboxEntry): void {
    const file = this.#fileOf(entry.round);
    const descriptor = openSync(`${file}.new`, 'w', 0o600);
    try {
      writeSync(descriptor, JSON.stringify(entry));
    } finally {
      closeSync(descriptor);
    }
    renameSync(`${file}.new`, file);
  }

  /** Entries that are stored, by ascending round; unreadable files are left out. */
  list(): OutboxEntry[] {
    return readdirSync(this.#folder)
      .filter((name) => /^\d+\.json$/.test(name))
      .flatMap((name) => {
        try {
          const entry: OutboxEntry = JSON.parse(readFileSync(path.join(this.#folder, name), 'utf8'));
          return [entry];
        } catch {
          return [];
        }
      })
      .toSorted((a, b) => a.round - b.round);
  }

  /** Removes the entry of a round, if there is one. */
  drop(round: number): void {
    rmSync(this.#fileOf(round), { force: true });
  }

  /** Removes entries whose last block lies below `block`. */
  dropClosed(block: number): void {
    for (const entry of this.list()) {
      if (entry.deadlineBlock < block) this.drop(entry.round);
    }
  }

  #fileOf(round: number): string {
    return path.join(this.#folder, `${round}.json`);
  }
}
