import { decodeEventLog, encodeEventTopics } from 'viem';
import type { Address, Hex } from 'viem';
import { matchSettlementAbi } from '../contracts/generated/MatchSettlement.js';
import type { Deployment } from '../deployment.js';
import { encoded } from '../rewards/rewardHistory.js';
import { findSettleCalls } from '../quorum/findSettleCalls.js';
import type { SettleCall } from '../quorum/findSettleCalls.js';
import { minedTransaction } from '../rewards/transactionCall.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { logsInBlock } from '../rpc/rpcCall.js';
import { tracedInputs } from './callTrace.js';

const [BATCH_SETTLED] = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'BatchSettled' });

/**
 * The batch with policy, records and certificate as it was handed to settlement in the block with the hash. A contract may have made
 * the call up from data that shows none of it; then the node's trace of the transaction tells. Undefined when that node gives no traces,
 * or the block settled no such message. Throws what the RPC throws.
 */
export async function readSettledBatch(
  deployment: Deployment,
  rpc: Rpc,
  blockHash: Hex,
  messageHash: Hex,
): Promise<SettleCall | undefined> {
  const { matchSettlement } = deployment.contracts;
  const logs = await rpc.request(logsInBlock(blockHash, { addresses: [matchSettlement], topics: [BATCH_SETTLED] }));
  const log = logs.find((entry) => {
    const { args } = decodeEventLog({ ...encoded(entry), abi: matchSettlementAbi, eventName: 'BatchSettled' });
    return args.messageHash === messageHash;
  });
  if (log === undefined) return undefined;
  const domain = { chainId: deployment.chainId, settlement: matchSettlement };
  const settledBy = (input: Hex) => findSettleCalls(input, domain).find((call) => call.messageHash === messageHash);
  const { input } = await rpc.request(minedTransaction(log.transactionHash));
  const shown = settledBy(input);
  if (shown !== undefined) return shown;
  for (const inner of await traceOf(rpc, log.transactionHash, matchSettlement)) {
    const call = settledBy(inner);
    if (call !== undefined) return call;
  }
  return undefined;
}

async function traceOf(rpc: Rpc, transactionHash: Hex, settlement: Address): Promise<readonly Hex[]> {
  try {
    return await rpc.request(tracedInputs(transactionHash, settlement));
  } catch (error) {
    // Many nodes do not trace; what they would have told stays unknown.
    if (error instanceof RpcAnswerError) return [];
    throw error;
  }
}
