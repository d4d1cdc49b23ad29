import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';

import { isHex, type Hex } from 'viem';
import { z } from 'zod';

import { MatchmakerError } from '../engine/error.js';
import { messageOf } from '../service/thrown.js';

const hex = z.custom<Hex>((value) => isHex(value), 'must be hex');
const faultName = z.enum(['equivocation', 'wrongRecord', 'betterCandidate', 'unknownName', 'omittedOrder']);
const nodes = z.array(hex);

const proofSchema = z.strictObject({
  fault: faultName,
  /** Whose tenant is made whole; 0 for nobody's. */
  orderId: z.int().min(0),
  /** Market words that it shows. */
  words: z.int().min(0),
  /** What the judge reads. */
  evidence: hex,
});

const victimSchema = z.strictObject({
  orderId: z.int().min(1),
  header: hex,
  ordersAccount: nodes,
  ownerWord: nodes,
});

const caseSchema = z.strictObject({
  version: z.literal(1),
  id: z.string().min(1),
  kind: z.enum(['batch', 'equivocation']),
  round: z.int().min(0),
  /** The batch, or of two the lower one. */
  messageHash: hex,
  /** Zero hash for an equivocation. */
  snapshotHash: hex,
  foundAt: z.string(),
  /** What is wrong, one line each. */
  findings: z.array(z.string()),
  /** The cheapest first. Empty when none could be kept. */
  proofs: z.array(proofSchema),
  victims: z.array(victimSchema),
  /** Hides the commitment until the proof is shown. */
  salt: hex,
  /** Why there is no proof. */
  problem: z.string().optional(),
});

/** A fault that was found, with everything that is needed to prove it after nodes have forgotten the snapshot. */
export type FaultCase = z.output<typeof caseSchema>;
export type CaseProof = FaultCase['proofs'][number];
export type CaseVictim = FaultCase['victims'][number];

/** A file of the case folder is no case. */
export class CaseFileInvalidError extends MatchmakerError<'CASE_FILE_INVALID'> {
  constructor(file: string, problem: string) {
    super('CASE_FILE_INVALID', `case file ${file}: ${problem}; move it away to go on without it`, {
      metadata: { file, problem },
    });
  }
}

const EXTENSION = '.json';

/** Cases on disk, one file each; a case is there in full or not at all, whenever the process dies. */
export class CaseStore {
  readonly #folder: string;
  readonly #cases: Map<string, FaultCase>;

  /** Reads what is kept. Throws CaseFileInvalidError. */
  constructor(options: { folder: string }) {
    this.#folder = options.folder;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const kept = readdirSync(this.#folder)
      .filter((name) => name.endsWith(EXTENSION))
      .map((name) => readCase(path.join(this.#folder, name)));
    this.#cases = new Map(kept.map((faultCase) => [faultCase.id, faultCase]));
  }

  /** Whether a case with at least one proof is kept. */
  hasProof(id: string): boolean {
    return (this.#cases.get(id)?.proofs.length ?? 0) > 0;
  }

  /** All cases, by round. */
  list(): FaultCase[] {
    return [...this.#cases.values()].sort((a, b) => a.round - b.round || (a.id < b.id ? -1 : 1));
  }

  /** Keeps a case, durably unless the disk fails; then the system's error is thrown and the case is kept in memory. */
  put(faultCase: FaultCase): void {
    this.#cases.set(faultCase.id, faultCase);
    const file = path.join(this.#folder, `${faultCase.id}${EXTENSION}`);
    const draft = `${file}.draft`;
    const descriptor = openSync(draft, 'w', 0o600);
    try {
      const bytes = Buffer.from(`${JSON.stringify(faultCase)}\n`);
      for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file);
    const folder = openSync(this.#folder, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}

function readCase(file: string): FaultCase {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CaseFileInvalidError(file, messageOf(error));
  }
  const parsed = caseSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CaseFileInvalidError(file, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is no case'}`);
}
