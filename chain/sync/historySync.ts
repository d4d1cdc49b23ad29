import type { Deployment } from '../deployment.js';
import { RpcAnswerError, RpcWrongChainError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { blockByNumber, chainId, latestBlock, logsInRange } from '../rpc/rpcCall.js';
import type { LogFilter, RpcLog } from '../rpc/rpcCall.js';
import { MarketState, marketLogFilter } from './marketState.js';
import type { MarketContent } from './marketState.js';
import { SnapshotRefusedError } from './snapshotFormat.js';

const FIRST_SPAN_BLOCKS = 2_000;
const LARGEST_SPAN_BLOCKS = 20_000;

/**
 * Builds the market from the deployment's first block up to `maxReorgBlocks` before the newest one; the rest is followed by hash.
 * The result is only as good as the node: check it against the facts words. Throws RpcWrongChainError and what the RPC throws.
 */
export async function syncHistory(rpc: Rpc, deployment: Deployment, maxReorgBlocks: number): Promise<MarketState> {
  const [servedChain, newest] = await rpc.batch([chainId(), latestBlock()]);
  const { deploymentBlock, contracts } = deployment;
  if (servedChain !== deployment.chainId) throw new RpcWrongChainError(deployment.chainId, servedChain);
  if (newest.number < deploymentBlock) {
    throw new RpcAnswerError(
      `the chain is at block ${newest.number}, before the deployment's block ${deploymentBlock}: the node lags or serves another chain`,
    );
  }
  const base = newest.number - maxReorgBlocks;
  if (base <= deploymentBlock)
    return new MarketState(contracts, await blockAt(rpc, Math.max(0, deploymentBlock - 1)), maxReorgBlocks);

  const state = new MarketState(contracts, await blockAt(rpc, base), maxReorgBlocks);
  await forLogs(rpc, marketLogFilter(deployment), { from: deploymentBlock, to: base }, (logs) =>
    state.loadHistory(logs),
  );
  return state;
}

/**
 * The market of a snapshot, taken on with the logs after it up to `maxReorgBlocks` before the newest block; the rest is followed by hash. It
 * is only as good as the snapshot and the node: check it against the facts words. Throws SnapshotRefusedError for a snapshot of a block that
 * is not on the node's chain, RpcWrongChainError and what the RPC throws.
 */
export async function syncFromSnapshot(
  rpc: Rpc,
  deployment: Deployment,
  content: MarketContent,
  maxReorgBlocks: number,
): Promise<MarketState> {
  const { number, hash } = content.block;
  const [servedChain, newest, block] = await rpc.batch([chainId(), latestBlock(), blockByNumber(number)]);
  if (servedChain !== deployment.chainId) throw new RpcWrongChainError(deployment.chainId, servedChain);
  if (block?.hash !== hash) throw new SnapshotRefusedError(`its block ${number} is not on the chain`);
  const base = newest.number - maxReorgBlocks;
  if (base <= number) return new MarketState(deployment.contracts, block, maxReorgBlocks, content);
  const state = new MarketState(deployment.contracts, await blockAt(rpc, base), maxReorgBlocks, content);
  await forLogs(rpc, marketLogFilter(deployment), { from: number + 1, to: base }, (logs) => state.loadHistory(logs));
  return state;
}

/**
 * Hands over the logs of a range of blocks in their order, part by part. Spans that the node refuses (too many results, too wide) are
 * halved. Throws what the RPC throws.
 */
export async function forLogs(
  rpc: Rpc,
  filter: LogFilter,
  range: { readonly from: number; readonly to: number },
  take: (logs: readonly RpcLog[]) => void,
): Promise<void> {
  let span = FIRST_SPAN_BLOCKS;
  let { from } = range;
  while (from <= range.to) {
    const to = Math.min(range.to, from + span - 1);
    try {
      take(await rpc.request(logsInRange(from, to, filter)));
      from = to + 1;
      span = Math.min(LARGEST_SPAN_BLOCKS, span * 2);
    } catch (error) {
      if (!(error instanceof RpcAnswerError) || to === from) throw error;
      span = Math.max(1, Math.floor((to - from + 1) / 2));
    }
  }
}

async function blockAt(rpc: Rpc, number: number): Promise<{ number: number; hash: `0x${string}`; timestamp: number }> {
  const block = await rpc.request(blockByNumber(number));
  if (block === null) throw new RpcAnswerError(`the node has no block ${number} although it told of later ones`);
  return block;
}
