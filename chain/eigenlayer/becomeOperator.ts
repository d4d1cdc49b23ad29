import { isAddressEqual, zeroAddress, type Address } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import type { Deployment } from '../deployment.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/** What EigenLayer is told of a new operator. */
export interface NewOperator {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'delegationManager'>;
  /** The account that is or becomes an operator. */
  readonly operator: Address;
  readonly metadataUri: string;
  /** Blocks until a new allocation counts; in force at once, later changes take EigenLayer's configuration delay. */
  readonly allocationDelayBlocks: number;
}

/** Only the account itself can become an operator; nobody can do it for another. */
export class NotTheOperatorError extends MatchmakerError<'NOT_THE_OPERATOR'> {
  constructor(action: string, operator: Address, caller: Address) {
    super('NOT_THE_OPERATOR', `${caller} cannot ${action} for ${operator}: sign with the operator's own key, once`, {
      metadata: { action, operator, caller },
    });
  }
}

/**
 * Makes an account an operator of EigenLayer, unless it is one; that is for ever. Returns whether it was done now.
 * Throws NotTheOperatorError, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function becomeOperator(
  { eigenlayer, operator, metadataUri, allocationDelayBlocks }: NewOperator,
  { lane, rpc }: EigenDependencies,
): Promise<boolean> {
  const delegation = { address: eigenlayer.delegationManager, abi: iDelegationManagerAbi };
  if (await readEigen(rpc, { ...delegation, functionName: 'isOperator', args: [operator] })) return false;
  if (!isAddressEqual(operator, lane.address)) throw new NotTheOperatorError('register', operator, lane.address);
  await writeEigen(lane, {
    ...delegation,
    functionName: 'registerAsOperator',
    args: [zeroAddress, allocationDelayBlocks, metadataUri],
  });
  return true;
}
