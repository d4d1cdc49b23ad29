import { decodeEventLog, encodeFunctionData } from 'viem';
import type { Hex } from 'viem';
import { canonicalCertificate, certificateSigners, quorumDigest } from '../../protocol/certificate.js';
import type { TableEntry } from '../../protocol/operatorTable.js';
import { iMatchSettlementAbi } from '../contracts/generated/IMatchSettlement.js';
import { iQuorumVerifierAbi } from '../contracts/generated/IQuorumVerifier.js';
import type { Deployment } from '../deployment.js';
import { encoded } from '../rewards/rewardHistory.js';
import { minedTransaction } from '../rewards/transactionCall.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import type { RpcLog } from '../rpc/rpcCall.js';
import { callAt } from '../rpc/rpcCall.js';
import { findSettleCalls } from './findSettleCalls.js';
import type { SettleCall } from './findSettleCalls.js';
import { tableEntriesCall } from './tableEntries.js';

/** Who signed one settled batch. */
export interface SettledSigners {
  readonly round: number;
  readonly messageHash: Hex;
  readonly transactionHash: Hex;
  /** The certificate that settled the batch; null when it stands nowhere in the transaction's call data. */
  readonly certificate: SettledCertificate | null;
}

/** A settled batch's certificate, read against its table. */
export interface SettledCertificate {
  readonly call: SettleCall;
  /** The batch's operator table, in its order. */
  readonly entries: readonly TableEntry[];
  /** Positions in `entries` of those who signed, ascending. */
  readonly signers: readonly number[];
  /** The form that the judge takes. */
  readonly canonical: Hex;
}

/** JSON-RPC code of a call that reverted. */
const EXECUTION_REVERTED = 3;

/**
 * Reads who signed the batches of some BatchSettled logs: from the call data of their transactions, at any depth, against the table that
 * the batch names, as of the log's block. A certificate counts if the quorum verifier takes it in that block, so that bytes that only look
 * like one name nobody. Throws RpcAnswerError when the node's transaction is not that of the log, and what the RPC throws.
 */
export async function readSettledSigners(
  deployment: Pick<Deployment, 'chainId' | 'contracts' | 'quorum'>,
  rpc: Rpc,
  logs: readonly RpcLog[],
): Promise<SettledSigners[]> {
  const transactions = await rpc.batch(logs.map((log) => minedTransaction(log.transactionHash)));
  const domain = { chainId: deployment.chainId, settlement: deployment.contracts.matchSettlement };
  const tables = new Map<number, readonly TableEntry[]>();
  const settled: SettledSigners[] = [];
  for (const [index, log] of logs.entries()) {
    const transaction = transactions[index];
    if (transaction?.blockHash !== log.blockHash) {
      throw new RpcAnswerError(`transaction ${log.transactionHash} is in another block than its log`);
    }
    const { args } = decodeEventLog({ ...encoded(log), abi: iMatchSettlementAbi, eventName: 'BatchSettled' });
    const { messageHash } = args;
    let certificate: SettledCertificate | null = null;
    for (const call of findSettleCalls(transaction.input, domain)) {
      if (call.messageHash !== messageHash || !(await isTaken(deployment, rpc, call, log.blockHash))) continue;
      const { tableTimestamp } = call.batch;
      const entries =
        tables.get(tableTimestamp) ?? (await rpc.request(tableEntriesCall(deployment, tableTimestamp, log.blockHash)));
      tables.set(tableTimestamp, entries);
      certificate = await readCertificate(deployment, entries, call);
      break;
    }
    settled.push({ round: Number(args.round), messageHash, transactionHash: log.transactionHash, certificate });
  }
  return settled;
}

/** Reads a call's certificate against its table; says nothing about whether it is valid. Throws CertificateMalformedError. */
export async function readCertificate(
  { quorum }: Pick<Deployment, 'quorum'>,
  entries: readonly TableEntry[],
  call: SettleCall,
): Promise<SettledCertificate> {
  const { messageHash, batch, certificate } = call;
  const digest = quorumDigest(quorum, { referenceTimestamp: batch.tableTimestamp, messageHash });
  const canonical = await canonicalCertificate(quorum, entries, certificate, digest);
  return { call, entries, canonical, signers: certificateSigners(quorum.curve, entries, canonical) };
}

/** Whether the quorum verifier takes a call's certificate in the block `at`. */
async function isTaken({ quorum }: Pick<Deployment, 'quorum'>, rpc: Rpc, call: SettleCall, at: Hex): Promise<boolean> {
  const data = encodeFunctionData({
    abi: iQuorumVerifierAbi,
    functionName: 'signedWeight',
    args: [call.batch.tableTimestamp, call.messageHash, call.certificate],
  });
  try {
    await rpc.request(callAt({ to: quorum.verifier, data }, at));
    return true;
  } catch (error) {
    if (error instanceof RpcAnswerError && (error.data !== null || error.rpcCode === EXECUTION_REVERTED)) return false;
    throw error;
  }
}
