import type { Deployment } from '../deployment.js';
import { delegateTo, type DelegationTarget } from './delegateTo.js';
import { depositStake, type StakeDeposit } from './depositStake.js';
import type { EigenDependencies } from './eigenCall.js';

/** What a restaker puts behind an operator. */
export interface Delegation extends StakeDeposit, DelegationTarget {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'strategyManager' | 'delegationManager'>;
}

/**
 * Delegates the lane's account to an operator, unless it already does, and deposits stake for it.
 * Throws the errors of `delegateTo` and `depositStake`.
 */
export async function delegateStake(delegation: Delegation, dependencies: EigenDependencies): Promise<void> {
  await delegateTo(delegation, dependencies);
  await depositStake(delegation, dependencies);
}
