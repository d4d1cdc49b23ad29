import type { Block } from 'viem';
import type { MarketClient } from '../marketClient.js';
import { rpcErrorFrom } from './rpcErrorFrom.js';

/** The newest block: the chain's clock. Throws RpcWrongChainError, RpcUnavailableError and RpcAnswerError. */
export async function readBlock(
  client: MarketClient,
): Promise<Pick<Block<bigint, false, 'latest'>, 'timestamp' | 'number'>> {
  await client.checkChain();
  try {
    return await client.publicClient.getBlock();
  } catch (error) {
    throw rpcErrorFrom(error, 'eth_getBlockByNumber');
  }
}
