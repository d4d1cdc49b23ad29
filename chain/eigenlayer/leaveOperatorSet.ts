import type { Address } from 'viem';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import type { Deployment } from '../deployment.js';
import { writeEigen, type EigenDependencies } from './eigenCall.js';
import { slashableUntil, type OperatorDeparture } from './operatorDeparture.js';

/**
 * Has an operator leave a set. Its membership ends at once; the set can slash it for EigenLayer's deallocation delay more,
 * and the allocation stays until it is set to 0. Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function leaveOperatorSet(
  {
    eigenlayer,
    operatorSet,
    operator,
  }: {
    readonly eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager'>;
    readonly operatorSet: OperatorSet;
    readonly operator: Address;
  },
  { lane, rpc }: EigenDependencies,
): Promise<OperatorDeparture> {
  const { blockNumber } = await writeEigen(lane, {
    address: eigenlayer.allocationManager,
    abi: iAllocationManagerAbi,
    functionName: 'deregisterFromOperatorSets',
    args: [{ operator, avs: operatorSet.avs, operatorSetIds: [operatorSet.id] }],
  });
  return { leftInBlock: blockNumber, slashableUntilBlock: await slashableUntil(eigenlayer, rpc, blockNumber) };
}
