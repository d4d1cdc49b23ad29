import {
  decodeEventLog,
  decodeFunctionData,
  getAbiItem,
  keccak256,
  recoverAddress,
  size,
  slice,
  toFunctionSelector,
} from 'viem';
import type { Address, Hex } from 'viem';
import { certificateDigest } from '../../protocol/certificate.js';
import { hashMatchBatch } from '../../protocol/matchBatch.js';
import type { OperatorParticipation, SettlerGas } from '../../protocol/rewards/eraInput.js';
import { iecdsaCertificateVerifierAbi } from '../contracts/generated/IECDSACertificateVerifier.js';
import { iMatchSettlementAbi } from '../contracts/generated/IMatchSettlement.js';
import type { Deployment } from '../deployment.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { transactionReceipt } from '../rpc/rpcCall.js';
import type { RpcLog } from '../rpc/rpcCall.js';
import { encoded, lowerCase } from './rewardHistory.js';
import { minedTransaction } from './transactionCall.js';
import { viewCall } from './viewCall.js';

/** Who signed and who paid for the batches of some blocks. */
export interface SettledBatches {
  /** Ascending by operator. */
  readonly operators: readonly OperatorParticipation[];
  readonly settlers: readonly SettlerGas[];
  /** Rounds whose signatures stand nowhere in the transaction's call data, so that nobody is counted for them. */
  readonly uncountedRounds: readonly number[];
}

/** One call of settle as it stands in some call data. */
export interface SettleCall {
  readonly messageHash: Hex;
  readonly tableTimestamp: number;
  readonly signatures: Hex;
}

const SIGNATURE_BYTES = 65;

const SETTLE_SELECTOR = toFunctionSelector(getAbiItem({ abi: iMatchSettlementAbi, name: 'settle' })).slice(2);

/**
 * Counts the operators' signatures and the settlers' gas over the BatchSettled logs. Signatures are taken from the call data of the
 * transaction, at any depth, recovered over the certificate's digest and matched to the operator table that the batch names, as of the
 * log's block. Throws RpcAnswerError when the node's transaction is not that of the log, and what the RPC throws.
 */
export async function readSettledBatches(
  deployment: Deployment,
  rpc: Rpc,
  logs: readonly RpcLog[],
): Promise<SettledBatches> {
  const transactions = await rpc.batch(logs.map((log) => minedTransaction(log.transactionHash)));
  const receipts = await rpc.batch(logs.map((log) => transactionReceipt(log.transactionHash)));
  const tables = new Map<string, Promise<ReadonlySet<Address>>>();
  const keysOf = (timestamp: number, blockHash: Hex): Promise<ReadonlySet<Address>> => {
    const key = String(timestamp);
    const known = tables.get(key);
    if (known !== undefined) return known;
    const read = readTableKeys(deployment, rpc, timestamp, blockHash);
    tables.set(key, read);
    return read;
  };

  const counts = new Map<Address, number>();
  const settlers: SettlerGas[] = [];
  const uncountedRounds: number[] = [];
  for (const [index, log] of logs.entries()) {
    const transaction = transactions[index];
    const receipt = receipts[index];
    if (transaction?.blockHash !== log.blockHash || receipt?.blockHash !== log.blockHash) {
      throw new RpcAnswerError(`transaction ${log.transactionHash} is in another block than its log`);
    }
    const { args } = decodeEventLog({ ...encoded(log), abi: iMatchSettlementAbi, eventName: 'BatchSettled' });
    const round = Number(args.round);
    settlers.push({
      settler: transaction.from,
      round,
      gasUsed: receipt.gasUsed,
      effectiveGasPriceWei: receipt.effectiveGasPrice,
    });
    const calls = findSettleCalls(transaction.input, {
      chainId: deployment.chainId,
      settlement: deployment.contracts.matchSettlement,
    }).filter(({ messageHash }) => messageHash === args.messageHash);
    const signers = new Set<Address>();
    for (const call of calls) {
      const keys = await keysOf(call.tableTimestamp, log.blockHash);
      for (const signer of await recoverSigners(call, deployment.eigenlayer.ecdsaCertificateVerifier)) {
        if (keys.has(signer)) signers.add(signer);
      }
    }
    if (signers.size === 0) uncountedRounds.push(round);
    for (const signer of signers) counts.set(signer, (counts.get(signer) ?? 0) + 1);
  }
  const operators = [...counts]
    .map(([operator, batches]) => ({ operator, batches }))
    .sort((a, b) => (a.operator < b.operator ? -1 : 1));
  return { operators, settlers, uncountedRounds };
}

/** Every call of settle that stands in `input`, at whatever byte it begins; what does not decode is none. */
export function findSettleCalls(
  input: Hex,
  domain: { readonly chainId: number; readonly settlement: Address },
): readonly SettleCall[] {
  const calls: SettleCall[] = [];
  for (let at = input.indexOf(SETTLE_SELECTOR, 2); at !== -1; at = input.indexOf(SETTLE_SELECTOR, at + 1)) {
    if (at % 2 === 1) continue;
    try {
      const call = decodeFunctionData({ abi: iMatchSettlementAbi, data: `0x${input.slice(at)}` });
      if (call.functionName !== 'settle') continue;
      const [batch, , records, signatures] = call.args;
      const fields = { ...batch, round: Number(batch.round), snapshotBlock: Number(batch.snapshotBlock) };
      if (keccak256(records) !== batch.recordsHash) continue;
      calls.push({
        messageHash: hashMatchBatch(fields, domain),
        tableTimestamp: batch.tableTimestamp,
        signatures,
      });
    } catch {
      // The selector's bytes occur by chance inside other data.
      continue;
    }
  }
  return calls;
}

async function recoverSigners(call: SettleCall, verifier: Address): Promise<readonly Address[]> {
  const { messageHash, tableTimestamp: referenceTimestamp, signatures } = call;
  const hash = certificateDigest({ verifier, referenceTimestamp, messageHash });
  const signers: Address[] = [];
  for (let start = 0; start + SIGNATURE_BYTES <= size(signatures); start += SIGNATURE_BYTES) {
    try {
      const signature = slice(signatures, start, start + SIGNATURE_BYTES);
      signers.push(lowerCase(await recoverAddress({ hash, signature })));
    } catch {
      // Not a signature; the verifier would not have counted it either.
      continue;
    }
  }
  return signers;
}

async function readTableKeys(
  deployment: Deployment,
  rpc: Rpc,
  timestamp: number,
  blockHash: Hex,
): Promise<ReadonlySet<Address>> {
  const infos = await rpc.request(
    viewCall(
      {
        address: deployment.eigenlayer.ecdsaCertificateVerifier,
        abi: iecdsaCertificateVerifierAbi,
        functionName: 'getOperatorInfos',
        args: [deployment.operatorSet, timestamp],
      },
      blockHash,
    ),
  );
  return new Set(infos.map(({ pubkey }) => lowerCase(pubkey)));
}
