import { zeroAddress, zeroHash, type Address, type Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import type { Deployment } from '../deployment.js';
import { depositStake, type StakeDeposit } from './depositStake.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/** The restaker already stands behind another operator. */
export class DelegatedElsewhereError extends MatchmakerError<'DELEGATED_ELSEWHERE'> {
  constructor(restaker: Address, operator: Address, wanted: Address) {
    super(
      'DELEGATED_ELSEWHERE',
      `${restaker} delegates to ${operator}, not to ${wanted}: undelegate first or use another account`,
      { metadata: { restaker, operator, wanted } },
    );
  }
}

/** What a restaker puts behind an operator. */
export interface Delegation extends StakeDeposit {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'strategyManager' | 'delegationManager'>;
  readonly operator: Address;
  /** The approver's consent, for an operator that has an approver. */
  readonly approval?: { readonly signature: Hex; readonly expirySeconds: number; readonly salt: Hex };
}

/**
 * Delegates the lane's account to an operator, unless it already does, and deposits stake for it.
 * Throws DelegatedElsewhereError, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function delegateStake(delegation: Delegation, dependencies: EigenDependencies): Promise<void> {
  const { lane, rpc } = dependencies;
  const { operator, approval } = delegation;
  const manager = { address: delegation.eigenlayer.delegationManager, abi: iDelegationManagerAbi };
  const current = await readEigen(rpc, { ...manager, functionName: 'delegatedTo', args: [lane.address] });
  if (current === zeroAddress) {
    const signature = { signature: approval?.signature ?? '0x', expiry: BigInt(approval?.expirySeconds ?? 0) } as const;
    await writeEigen(lane, {
      ...manager,
      functionName: 'delegateTo',
      args: [operator, signature, approval?.salt ?? zeroHash],
    });
  } else if (current.toLowerCase() !== operator.toLowerCase()) {
    throw new DelegatedElsewhereError(lane.address, current, operator);
  }
  await depositStake(delegation, { lane });
}
