import type { Rpc } from './rpc.js';
import { RpcAnswerError } from './rpc.js';
import { blockByNumber, type Block } from './rpcCall.js';

/**
 * Number of the first block of `span` (both ends included) whose timestamp is at least `seconds`; the last one's successor when none is.
 * Throws the errors of the RPC.
 */
export async function firstBlockAtTime(
  rpc: Rpc,
  seconds: number,
  span: { readonly fromBlock: number; readonly head: Pick<Block, 'number' | 'timestamp'> },
): Promise<number> {
  const { head } = span;
  if (head.timestamp < seconds) return head.number + 1;
  // The block sought is in [low, high], and high is late enough.
  let [low, high] = [span.fromBlock, head.number];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const block = await rpc.request(blockByNumber(middle));
    if (block === null) throw new RpcAnswerError(`the node has no block ${middle}`);
    if (block.timestamp < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}
