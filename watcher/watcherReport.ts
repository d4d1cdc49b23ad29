import path from 'node:path';

import type { Deployment } from '../chain/deployment.js';
import { OffenceBook, type Offence } from '../chain/judge/offenceBook.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { CaseStore, type FaultCase } from './caseStore.js';

/** A kept case without its proofs' bytes. */
export type ReportedCase = Pick<FaultCase, 'id' | 'kind' | 'round' | 'messageHash' | 'foundAt' | 'findings'> & {
  readonly proofs: readonly { readonly fault: string; readonly words: number; readonly bytes: number }[];
  readonly problem: string | null;
  /** Offences that stand in the chain for it. */
  readonly offenceIds: readonly string[];
};

/** What a watcher found, and every offence that anybody proved. */
export interface WatcherReport {
  readonly cases: readonly ReportedCase[];
  readonly offences: readonly Offence[];
}

/** Reads the cases of a data folder and the offences of the stake chain. Throws CaseFileInvalidError and what the RPC throws. */
export async function readWatcherReport(
  config: { readonly dataDir: string },
  dependencies: { readonly deployment: Deployment; readonly stakeRpc: Rpc },
): Promise<WatcherReport> {
  const { deployment, stakeRpc } = dependencies;
  const { slasher, vault, deploymentBlock } = deployment.stake;
  const { curve } = deployment.quorum;
  const book = new OffenceBook({ slasher, vault, curve, fromBlock: deploymentBlock }, { rpc: stakeRpc });
  await book.refresh();
  const store = new CaseStore({ folder: path.join(config.dataDir, 'cases') });
  const cases = store.list().map(({ id, kind, round, messageHash, foundAt, findings, proofs, problem }) => ({
    id,
    kind,
    round,
    messageHash,
    foundAt,
    findings,
    proofs: proofs.map(({ fault, words, evidence }) => ({ fault, words, bytes: evidence.length / 2 - 1 })),
    problem: problem ?? null,
    offenceIds: book
      .of(messageHash)
      .filter(({ fault }) => (fault === 'equivocation') === (kind === 'equivocation'))
      .map(({ offenceId }) => offenceId),
  }));
  return { cases, offences: book.all() };
}
