import type { Address } from 'viem';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import type { Deployment } from '../deployment.js';
import { writeEigen, type EigenDependencies } from './eigenCall.js';

/**
 * Removes an operator's signing key from a set that can no longer slash it, so that another can be registered. The removed
 * key stays spent for ever. Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function removeKey(
  {
    eigenlayer,
    operatorSet,
    operator,
  }: {
    readonly eigenlayer: Pick<Deployment['eigenlayer'], 'keyRegistrar'>;
    readonly operatorSet: OperatorSet;
    readonly operator: Address;
  },
  { lane }: Pick<EigenDependencies, 'lane'>,
): Promise<void> {
  await writeEigen(lane, {
    address: eigenlayer.keyRegistrar,
    abi: iKeyRegistrarAbi,
    functionName: 'deregisterKey',
    args: [operator, operatorSet],
  });
}
