import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';

import type { Address, Hex } from 'viem';

import type { SignatureSubmission } from '../service/signatureApi.js';

/** What an operator did that others must be able to prove. */
export interface Evidence {
  /** `conflict`: two batches of one round by one key; `dissent`: another batch than the one that reached the quorum. */
  readonly kind: 'conflict' | 'dissent';
  readonly round: number;
  /** The key as the operator table names it. */
  readonly signer: Hex;
  /** The two bodies of a conflict, or the dissenting one. */
  readonly submissions: readonly SignatureSubmission[];
}

/** An append-only file of JSON lines; an entry is on the disk when `append` returns. Nothing is ever taken out. */
export class EvidenceLog {
  readonly #descriptor: number;

  constructor(options: { file: string }) {
    mkdirSync(path.dirname(options.file), { recursive: true, mode: 0o700 });
    this.#descriptor = openSync(options.file, 'a', 0o600);
  }

  /** Adds an entry durably. Throws the system's error when the disk fails. */
  append(
    evidence: Evidence & { readonly chainId: number; readonly settlement: Address; readonly seenAt: string },
  ): void {
    const line = Buffer.from(`${JSON.stringify(evidence)}\n`);
    for (let written = 0; written < line.length;) written += writeSync(this.#descriptor, line, written);
    fdatasyncSync(this.#descriptor);
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#descriptor);
  }
}
