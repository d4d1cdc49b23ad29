import type { Address } from 'viem';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import type { Deployment } from '../deployment.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/**
 * Sets how many blocks a new allocation of an operator takes to become slashable. Returns the block from which it is so:
 * EigenLayer's configuration delay lies between, so that nobody's stake becomes slashable sooner than was announced.
 * Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function setAllocationDelay(
  {
    eigenlayer,
    operator,
    delayBlocks,
  }: {
    readonly eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager'>;
    readonly operator: Address;
    readonly delayBlocks: number;
  },
  { lane, rpc }: EigenDependencies,
): Promise<{ readonly effectBlock: number }> {
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const configurationDelay = await readEigen(rpc, {
    ...manager,
    functionName: 'ALLOCATION_CONFIGURATION_DELAY',
    args: [],
  });
  const { blockNumber } = await writeEigen(lane, {
    ...manager,
    functionName: 'setAllocationDelay',
    args: [operator, delayBlocks],
  });
  return { effectBlock: blockNumber + configurationDelay + 1 };
}
