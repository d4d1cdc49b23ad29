import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import type { Deployment } from '../deployment.js';
import { writeEigen, type EigenDependencies } from './eigenCall.js';
import { queuedIn, type QueuedWithdrawals } from './queueWithdrawal.js';

/**
 * Ends the lane's account's delegation, which queues all of its stake for withdrawal, each strategy by itself.
 * Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function undelegate(
  { eigenlayer }: { readonly eigenlayer: Pick<Deployment['eigenlayer'], 'delegationManager'> },
  { lane }: Pick<EigenDependencies, 'lane'>,
): Promise<QueuedWithdrawals> {
  const receipt = await writeEigen(lane, {
    address: eigenlayer.delegationManager,
    abi: iDelegationManagerAbi,
    functionName: 'undelegate',
    args: [lane.address],
  });
  return queuedIn(receipt, eigenlayer.delegationManager);
}
