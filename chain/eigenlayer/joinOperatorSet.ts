import { encodeAbiParameters, type Address } from 'viem';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import type { Deployment } from '../deployment.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/** Who joins which set. */
export interface SetMembership {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager'>;
  readonly operatorSet: OperatorSet;
  readonly operator: Address;
  /** Where the operator can be reached; our registrar publishes it. */
  readonly socket: string;
}

/**
 * Has an operator join a set, unless it is a member. Its signing key must be registered before. Returns whether it was done now.
 * Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function joinOperatorSet(
  { eigenlayer, operatorSet, operator, socket }: SetMembership,
  { lane, rpc }: EigenDependencies,
): Promise<boolean> {
  const allocation = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const member = await readEigen(rpc, {
    ...allocation,
    functionName: 'isMemberOfOperatorSet',
    args: [operator, operatorSet],
  });
  if (member) return false;
  const data = encodeAbiParameters([{ type: 'string' }], [socket]);
  await writeEigen(lane, {
    ...allocation,
    functionName: 'registerForOperatorSets',
    args: [operator, { avs: operatorSet.avs, operatorSetIds: [operatorSet.id], data }],
  });
  return true;
}
