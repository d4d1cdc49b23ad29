import { zeroHash, type Hex } from 'viem';

import type { Deployment } from '../chain/deployment.js';
import { tableEntriesCall } from '../chain/quorum/tableEntries.js';
import { latestBlock } from '../chain/rpc/rpcCall.js';
import { MatchmakerError } from '../engine/error.js';
import { encodeCertificate } from '../protocol/certificate.js';
import { encodeEquivocation, type SignedBatch } from '../protocol/evidence/encodeEvidence.js';
import { hashMatchBatch } from '../protocol/matchBatch.js';
import { hashTable, packTable } from '../protocol/operatorTable.js';
import type { CaseDependencies } from './batchCase.js';
import type { FaultCase } from './caseStore.js';
import type { SeenConflict } from './evidenceLogReader.js';

/** The table that a batch names is not the one that the quorum verifier keeps. */
export class TableUnknownError extends MatchmakerError<'TABLE_UNKNOWN'> {
  constructor(tableTimestamp: number, tableHash: Hex) {
    super('TABLE_UNKNOWN', `the quorum verifier keeps no operator table of ${tableTimestamp} with hash ${tableHash}`, {
      metadata: { tableTimestamp, tableHash },
    });
  }
}

/** Which case two batches of one key belong to. */
export function equivocationCaseId(conflict: SeenConflict, deployment: Deployment): string {
  const [first, second] = ordered(conflict, deployment);
  return `${conflict.round}-${first.messageHash.slice(2, 34)}-${second.messageHash.slice(2, 34)}-${conflict.signer.slice(2, 42).toLowerCase()}`;
}

/**
 * The case of two batches of one round that one key signed, as an aggregator saw them. Throws TableUnknownError, SignaturesInvalidError
 * for a signer that is not in the table, PointInvalidError, and what the RPC throws.
 */
export async function buildEquivocationCase(
  conflict: SeenConflict,
  { deployment, rpc, nowMs, randomSalt }: CaseDependencies,
): Promise<FaultCase> {
  const pair = ordered(conflict, deployment);
  const { hash: head } = await rpc.request(latestBlock());
  const [first, second] = await Promise.all(
    pair.map(async ({ submission: { batch, signature, signer } }): Promise<SignedBatch> => {
      const entries = await rpc.request(tableEntriesCall(deployment, batch.tableTimestamp, head));
      if (hashTable(entries) !== batch.tableHash) throw new TableUnknownError(batch.tableTimestamp, batch.tableHash);
      const vote = { signer: conflict.signer, g2: signer?.g2, signature };
      const kind = { curve: deployment.quorum.curve, checkedBy: 'table' } as const;
      return { batch, table: packTable(entries), certificate: encodeCertificate(kind, entries, [vote]) };
    }),
  );
  return {
    version: 1,
    id: equivocationCaseId(conflict, deployment),
    kind: 'equivocation',
    round: conflict.round,
    messageHash: pair[0].messageHash,
    snapshotHash: zeroHash,
    foundAt: new Date(nowMs()).toISOString(),
    findings: [`${conflict.signer} signed batches ${pair[0].messageHash} and ${pair[1].messageHash}`],
    proofs: [{ fault: 'equivocation', orderId: 0, words: 0, evidence: encodeEquivocation(first!, second!) }],
    victims: [],
    salt: randomSalt(),
  };
}

interface HashedSubmission {
  readonly messageHash: Hex;
  readonly submission: SeenConflict['submissions'][number];
}

/** The two batches, the lower message hash first. */
function ordered({ submissions }: SeenConflict, deployment: Deployment): readonly [HashedSubmission, HashedSubmission] {
  const domain = { chainId: deployment.chainId, settlement: deployment.contracts.matchSettlement };
  const [a, b] = submissions.map((submission) => ({
    messageHash: hashMatchBatch(submission.batch, domain),
    submission,
  }));
  return BigInt(a!.messageHash) < BigInt(b!.messageHash) ? [a!, b!] : [b!, a!];
}
