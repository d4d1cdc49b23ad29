import { iMatchSettlementAbi } from '../contracts/generated/IMatchSettlement.js';
import type { Deployment } from '../deployment.js';
import { readSettledSigners, type SettledSigners } from '../quorum/settledSigners.js';
import { eventTopic, LOG_RANGE_BLOCKS, logsBetween } from '../rewards/rewardHistory.js';
import type { Rpc } from '../rpc/rpc.js';
import type { RpcLog } from '../rpc/rpcCall.js';

type SettlementDeployment = Pick<Deployment, 'chainId' | 'contracts' | 'quorum' | 'deploymentBlock'>;

/** Who signed the batches that were settled in a span of blocks, both ends included, in their order. Throws as `readSettledSigners`. */
export async function settlementsBetween(
  deployment: SettlementDeployment,
  rpc: Rpc,
  span: { readonly fromBlock: number; readonly toBlock: number; readonly rangeBlocks?: number },
): Promise<readonly SettledSigners[]> {
  const logs = await logsBetween(rpc, { rangeBlocks: LOG_RANGE_BLOCKS, ...span }, settledFilter(deployment));
  return readSettledSigners(deployment, rpc, logs);
}

/** Who signed the last `count` settled batches up to block `headNumber`, oldest first. Throws as `readSettledSigners`. */
export async function lastSettlements(
  deployment: SettlementDeployment,
  rpc: Rpc,
  options: { readonly headNumber: number; readonly count: number; readonly rangeBlocks?: number },
): Promise<readonly SettledSigners[]> {
  const { headNumber, count, rangeBlocks = LOG_RANGE_BLOCKS } = options;
  let logs: RpcLog[] = [];
  for (let toBlock = headNumber; toBlock >= deployment.deploymentBlock && logs.length < count; toBlock -= rangeBlocks) {
    const fromBlock = Math.max(deployment.deploymentBlock, toBlock - rangeBlocks + 1);
    logs = [...(await logsBetween(rpc, { fromBlock, toBlock, rangeBlocks }, settledFilter(deployment))), ...logs];
  }
  return readSettledSigners(deployment, rpc, logs.slice(-count));
}

function settledFilter({ contracts }: SettlementDeployment) {
  return { addresses: [contracts.matchSettlement], topics: [eventTopic(iMatchSettlementAbi, 'BatchSettled')] };
}
