import { iCrossChainRegistryAbi } from '../chain/contracts/generated/ICrossChainRegistry.js';
import { readEigen } from '../chain/eigenlayer/eigenCall.js';
import { publishOperatorTable, type DevnetMarket } from './deployDevnet.js';
import type { DevnetChain } from './devnetChain.js';

/**
 * Carries the operator table to settlement whenever the one that the stake chain would give has changed, as EigenLayer's
 * generator does from time to time. Returns how to end it.
 */
export function carryTables(
  chain: DevnetChain,
  market: DevnetMarket,
  dependencies: { readonly onProblem: (problem: string) => void },
): () => Promise<void> {
  const { deployment, stakeChain } = market;
  let carried: string | undefined;
  let working: Promise<void> | undefined;
  let isStopped = false;

  const look = async (): Promise<void> => {
    const table = await readEigen(stakeChain.rpc, {
      address: deployment.eigenlayer.crossChainRegistry,
      abi: iCrossChainRegistryAbi,
      functionName: 'calculateOperatorTableBytes',
      args: [deployment.operatorSet],
    });
    if (carried !== undefined && carried !== table && !isStopped) await publishOperatorTable(chain, market);
    carried = table;
  };
  const off = stakeChain.blocks.onBlock(() => {
    if (working !== undefined) return;
    working = look()
      .catch((error: unknown) => {
        if (!isStopped) dependencies.onProblem(String(error));
      })
      .finally(() => {
        working = undefined;
      });
  });
  return async () => {
    isStopped = true;
    off();
    await working;
  };
}
