import type { Hex } from 'viem';
import type { OperatorParticipation, SettlerGas } from '../../protocol/rewards/eraInput.js';
import type { Deployment } from '../deployment.js';
import { readSettledSigners } from '../quorum/settledSigners.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { transactionReceipt } from '../rpc/rpcCall.js';
import type { RpcLog } from '../rpc/rpcCall.js';
import { minedTransaction } from './transactionCall.js';

/** Who signed and who paid for the batches of some blocks. */
export interface SettledBatches {
  /** Ascending by operator. None for a BN254 set: its keys are no accounts, EigenLayer's RewardsCoordinator pays those operators. */
  readonly operators: readonly OperatorParticipation[];
  readonly settlers: readonly SettlerGas[];
  /** Rounds whose certificate stands nowhere in the transaction's call data, so that nobody is counted for them. */
  readonly uncountedRounds: readonly number[];
}

/**
 * Counts the operators' signatures and the settlers' gas over the BatchSettled logs.
 * Throws RpcAnswerError when the node's transaction is not that of the log, and what the RPC throws.
 */
export async function readSettledBatches(
  deployment: Deployment,
  rpc: Rpc,
  logs: readonly RpcLog[],
): Promise<SettledBatches> {
  const transactions = await rpc.batch(logs.map((log) => minedTransaction(log.transactionHash)));
  const receipts = await rpc.batch(logs.map((log) => transactionReceipt(log.transactionHash)));
  const signed = await readSettledSigners(deployment, rpc, logs);
  const counts = new Map<Hex, number>();
  const settlers: SettlerGas[] = [];
  const uncountedRounds: number[] = [];
  for (const [index, { round, certificate, transactionHash }] of signed.entries()) {
    const transaction = transactions[index];
    const receipt = receipts[index];
    if (transaction === undefined || receipt?.blockHash !== transaction.blockHash) {
      throw new RpcAnswerError(`transaction ${transactionHash} is in another block than its log`);
    }
    settlers.push({
      settler: transaction.from,
      round,
      gasUsed: receipt.gasUsed,
      effectiveGasPriceWei: receipt.effectiveGasPrice,
    });
    if (certificate === null) uncountedRounds.push(round);
    if (certificate === null || deployment.quorum.curve !== 'ecdsa') continue;
    for (const position of certificate.signers) {
      const key = certificate.entries[position]?.key;
      if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const operators = [...counts]
    .map(([operator, batches]) => ({ operator, batches }))
    .sort((a, b) => (a.operator < b.operator ? -1 : 1));
  return { operators, settlers, uncountedRounds };
}
