import type { Hex } from 'viem';
import type { Deployment } from '../chain/deployment.js';
import { findSettleCalls } from '../chain/quorum/findSettleCalls.js';
import { readCertificate } from '../chain/quorum/settledSigners.js';
import { tableEntriesCall } from '../chain/quorum/tableEntries.js';
import { minedTransaction } from '../chain/rewards/transactionCall.js';
import type { Rpc } from '../chain/rpc/rpc.js';

/**
 * Keys that signed the certificate of a settlement, read from the transaction's own data, lower case.
 * Throws when there is no such transaction or it is no settlement, and what the RPC throws.
 */
export async function settlementSigners(deployment: Deployment, rpc: Rpc, transactionHash: Hex): Promise<Hex[]> {
  const { input, blockHash } = await rpc.request(minedTransaction(transactionHash));
  const domain = { chainId: deployment.chainId, settlement: deployment.contracts.matchSettlement };
  const [call] = findSettleCalls(input, domain);
  if (call === undefined) throw new Error(`transaction ${transactionHash} settles nothing`);
  const entries = await rpc.request(tableEntriesCall(deployment, call.batch.tableTimestamp, blockHash));
  const { signers } = await readCertificate(deployment, entries, call);
  return entries.flatMap(({ key }, position) => (signers.includes(position) ? [key] : []));
}
