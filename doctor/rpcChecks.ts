import { chainId, latestBlock } from '../chain/rpc/rpcCall.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { messageOf } from '../service/thrown.js';
import { failed, ok, skipped, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** The market chain's node answers, and is of the right chain. */
export function checkMarketRpc({ rpc, deployment }: Patient): Promise<Finding> {
  return checkRpc(rpc, deployment.chainId, '--rpc-url');
}

/** The stake chain's node answers, and is of the right chain. */
export async function checkStakeRpc({ stakeRpc, deployment, role }: Patient): Promise<Finding> {
  if (role === 'aggregator') return skipped('an aggregator needs no node of the stake chain');
  if (stakeRpc === null) {
    return failed(
      `no node of the stake chain (chain id ${deployment.stake.chainId}) is named`,
      'set stakeRpcUrl or --stake-rpc',
    );
  }
  return checkRpc(stakeRpc, deployment.stake.chainId, '--stake-rpc');
}

async function checkRpc(rpc: Rpc, expected: number, flag: string): Promise<Finding> {
  try {
    const [id, block] = await rpc.batch([chainId(), latestBlock()]);
    if (id !== expected) {
      return failed(
        `the node serves chain ${id}, the deployment file names ${expected}`,
        `correct ${flag} or the deployment file`,
      );
    }
    return ok(`chain ${id}, block ${block.number}`);
  } catch (error) {
    return failed(messageOf(error), `start the node, or correct ${flag}`);
  }
}
