import { size, type Hex } from 'viem';

import type { Deployment } from '../chain/deployment.js';
import { fetchSnapshotWords, WordAbsentError } from '../chain/proofs/snapshotProof.js';
import type { SettleCall } from '../chain/quorum/findSettleCalls.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { storageAt } from '../chain/rpc/rpcCall.js';
import type { RoundContext } from '../chain/sync/roundFollower.js';
import { auditBatch, type BatchFinding } from '../engine/auditBatch.js';
import { canonicalCertificate, quorumDigest } from '../protocol/certificate.js';
import { encodeEvidence, type SignedBatch } from '../protocol/evidence/encodeEvidence.js';
import { byCost, evidenceWordsOf, hasVictim, victimWordOf } from '../protocol/evidence/evidenceWords.js';
import { packTable } from '../protocol/operatorTable.js';
import { decodeRecords } from '../protocol/records.js';
import { ORDERS_COUNTER_SLOT } from '../protocol/words/slots.js';
import type { CaseProof, CaseVictim, FaultCase } from './caseStore.js';
import { describeFinding } from './describeFinding.js';

/** Proofs kept of one batch: one is enough, another serves where the judge does not follow the first. */
const PROOFS_PER_CASE = 3;
/** Words that the lines of a case name at most. */
const LINES_PER_CASE = 20;
/** `uint32` at the foot of the orders' counter. */
const ORDER_ID_BITS = 0xffff_ffffn;

export interface CaseDependencies {
  readonly deployment: Deployment;
  readonly rpc: Rpc;
  /** Wall-clock milliseconds since 1970. */
  readonly nowMs: () => number;
  /** 32 unpredictable bytes. */
  readonly randomSalt: () => Hex;
}

/** Every fault of a settled batch that can be proven. Throws what `auditBatch` throws, RecordsMalformedError, and what the RPC throws. */
export async function auditSettled(
  context: RoundContext,
  call: SettleCall,
  dependencies: Pick<CaseDependencies, 'deployment' | 'rpc'>,
): Promise<BatchFinding[]> {
  const { snapshot, policy, seed } = context;
  const { orderRequest } = dependencies.deployment.contracts;
  const counter = await dependencies.rpc.request(storageAt(orderRequest, ORDERS_COUNTER_SLOT, snapshot.snapshotHash));
  const nextOrderId = Number(counter & ORDER_ID_BITS);
  return auditBatch({ snapshot, policy, seed, nextOrderId, records: decodeRecords(call.records) });
}

/** Which case a batch belongs to. */
export function batchCaseId(round: number, messageHash: Hex): string {
  return `${round}-${messageHash.slice(2)}`;
}

/**
 * The case of a settled batch with at least one finding: the cheapest proofs, fetched and verified now, and the words that name the
 * wronged tenants. Throws what `fetchSnapshotWords` and `canonicalCertificate` throw.
 */
export async function buildBatchCase(
  context: RoundContext,
  call: SettleCall,
  findings: readonly BatchFinding[],
  dependencies: CaseDependencies,
): Promise<FaultCase> {
  const signed = await signedBatchOf(context, call, dependencies.deployment);
  const proofs: CaseProof[] = [];
  const victims = new Map<number, CaseVictim>();
  for (const finding of byCost(findings)) {
    if (proofs.length === PROOFS_PER_CASE) break;
    const proven = await prove(finding, { context, call, signed }, dependencies);
    if (proven === undefined) continue;
    proofs.push(proven.proof);
    if (proven.victim !== undefined) victims.set(proven.victim.orderId, proven.victim);
  }
  proofs.sort((a, b) => Number(a.orderId === 0) - Number(b.orderId === 0) || a.words - b.words || bytes(a) - bytes(b));
  return { ...caseOf(call, findings, dependencies), proofs, victims: [...victims.values()] };
}

/** The case of a batch of which no proof could be had, for the record. */
export function unprovenCase(
  call: SettleCall,
  findings: readonly BatchFinding[],
  problem: string,
  dependencies: Pick<CaseDependencies, 'nowMs' | 'randomSalt'>,
): FaultCase {
  return { ...caseOf(call, findings, dependencies), proofs: [], victims: [], problem };
}

function caseOf(
  { batch, messageHash }: SettleCall,
  findings: readonly BatchFinding[],
  { nowMs, randomSalt }: Pick<CaseDependencies, 'nowMs' | 'randomSalt'>,
): Omit<FaultCase, 'proofs' | 'victims'> {
  return {
    version: 1,
    id: batchCaseId(batch.round, messageHash),
    kind: 'batch',
    round: batch.round,
    messageHash,
    snapshotHash: batch.snapshotHash,
    foundAt: new Date(nowMs()).toISOString(),
    findings: byCost(findings).slice(0, LINES_PER_CASE).map(describeFinding),
    salt: randomSalt(),
  };
}

async function signedBatchOf(context: RoundContext, call: SettleCall, deployment: Deployment): Promise<SignedBatch> {
  const { entries } = context.table;
  const { batch, messageHash } = call;
  const digest = quorumDigest(deployment.quorum, { referenceTimestamp: batch.tableTimestamp, messageHash });
  return {
    batch,
    table: packTable(entries),
    certificate: await canonicalCertificate(deployment.quorum, entries, call.certificate, digest),
  };
}

async function prove(
  finding: BatchFinding,
  { context, call, signed }: { context: RoundContext; call: SettleCall; signed: SignedBatch },
  { deployment, rpc }: CaseDependencies,
): Promise<{ proof: CaseProof; victim: CaseVictim | undefined } | undefined> {
  const shown = evidenceWordsOf(finding);
  const victimWord = victimWordOf(finding);
  const { snapshotHash } = call.batch;
  try {
    const words = await fetchSnapshotWords(
      rpc,
      deployment.contracts,
      snapshotHash,
      victimWord === undefined ? shown : [...shown, victimWord],
    );
    const spec = context.snapshot.orders.find(({ orderId }) => orderId === finding.orderId);
    const { policy } = context;
    const { records } = call;
    const orderId = hasVictim(finding) ? finding.orderId : 0;
    const evidence = encodeEvidence(finding, { signed, policy, records, words, spec });
    const ownerWord = victimWord === undefined ? undefined : words.nodes.get(victimWord.slot);
    return {
      proof: { fault: finding.fault, orderId, words: shown.length, evidence },
      victim:
        ownerWord === undefined
          ? undefined
          : { orderId, header: words.header, ordersAccount: [...words.ordersAccount], ownerWord: [...ownerWord] },
    };
  } catch (error) {
    // What the snapshot does not hold cannot be shown; another finding may do.
    if (error instanceof WordAbsentError) return undefined;
    throw error;
  }
}

function bytes({ evidence }: CaseProof): number {
  return size(evidence);
}
