import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import { isHex, type Hex } from 'viem';
import { z } from 'zod';

import type { Deployment } from '../chain/deployment.js';
import { errnoCode } from '../service/thrown.js';

const hex = z.custom<Hex>((value) => isHex(value), 'must be hex');
const submissionSchema = z.object({
  batch: z.strictObject({
    round: z.int().min(0),
    snapshotBlock: z.int().min(0),
    snapshotHash: hex,
    policyHash: hex,
    operatorSetKey: hex,
    tableTimestamp: z.int().min(0),
    tableHash: hex,
    recordsHash: hex,
    matchCount: z.int().min(0),
  }),
  signature: hex,
  signer: z.object({ g1: hex, g2: hex }).optional(),
});
const conflictSchema = z.object({
  kind: z.literal('conflict'),
  round: z.int().min(0),
  /** The key as the operator table has it. */
  signer: hex,
  chainId: z.int(),
  settlement: hex,
  submissions: z.tuple([submissionSchema, submissionSchema]),
});

/** Two batches of one round by one key, as an aggregator kept them. */
export type SeenConflict = z.output<typeof conflictSchema>;

const NEWLINE = 0x0a;
const CHUNK_BYTES = 1024 * 1024;

/** Reads an aggregator's evidence log as it grows: each call gives the conflicts of this market that came since the last. */
export class EvidenceLogReader {
  readonly #file: string;
  readonly #deployment: Deployment;
  #offset = 0;
  #rest = Buffer.alloc(0);

  constructor(options: { file: string; deployment: Deployment }) {
    this.#file = options.file;
    this.#deployment = options.deployment;
  }

  /** Whole lines only; a log that does not exist yet has none. Lines that are no conflict are passed over. Throws the system's error. */
  read(): SeenConflict[] {
    let descriptor: number;
    try {
      descriptor = openSync(this.#file, 'r');
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return [];
      throw error;
    }
    try {
      // A log that became shorter was replaced by another.
      if (fstatSync(descriptor).size < this.#offset) this.#restart();
      const conflicts: SeenConflict[] = [];
      const chunk = Buffer.alloc(CHUNK_BYTES);
      for (;;) {
        const count = readSync(descriptor, chunk, 0, CHUNK_BYTES, this.#offset);
        if (count === 0) return conflicts;
        this.#offset += count;
        conflicts.push(...this.#take(chunk.subarray(0, count)));
      }
    } finally {
      closeSync(descriptor);
    }
  }

  #restart(): void {
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
  }

  #take(chunk: Buffer): SeenConflict[] {
    const bytes = Buffer.concat([this.#rest, chunk]);
    const end = bytes.lastIndexOf(NEWLINE);
    if (end === -1) {
      this.#rest = bytes;
      return [];
    }
    this.#rest = Buffer.from(bytes.subarray(end + 1));
    return bytes
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .flatMap((line) => this.#conflictIn(line));
  }

  #conflictIn(line: string): SeenConflict[] {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return [];
    }
    const parsed = conflictSchema.safeParse(value);
    if (!parsed.success) return [];
    const { chainId, settlement, submissions, round } = parsed.data;
    const isOurs =
      chainId === this.#deployment.chainId &&
      settlement.toLowerCase() === this.#deployment.contracts.matchSettlement &&
      submissions.every(({ batch }) => batch.round === round);
    return isOurs ? [parsed.data] : [];
  }
}
