import { isAddressEqual, zeroAddress, type Address, type Hex } from 'viem';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import { iStrategyAbi } from '../contracts/generated/IStrategy.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';
import type { Withdrawal } from './queueWithdrawal.js';

/** EigenLayer's name for native stake: there is no contract and no token behind it. */
export const NATIVE_STRATEGY: Address = '0xbeaC0eeEeeeeEEeEeEEEEeeEEeEeeeEeeEEBEaC0';

/** Withdrawals to end, and how. */
export interface WithdrawalCompletion {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'delegationManager'>;
  readonly withdrawals: readonly Withdrawal[];
  /** False: the stake comes back as shares, and counts for the operator that the account delegates to then. */
  readonly asTokens: boolean;
}

/**
 * Completes queued withdrawals of the lane's account: what all slashes up to now left of them. Returns the transaction's hash.
 * Throws EigenCallRevertedError (WithdrawalDelayNotElapsed when one is not due), TransactionRevertedError and the errors of the RPC.
 */
export async function completeWithdrawals(
  completion: WithdrawalCompletion,
  { lane, rpc }: EigenDependencies,
): Promise<Hex> {
  const { withdrawals, asTokens } = completion;
  const tokens = await Promise.all(
    withdrawals.map(({ strategies }) => Promise.all(strategies.map((strategy) => tokenOf(rpc, strategy)))),
  );
  const { transactionHash } = await writeEigen(lane, {
    address: completion.eigenlayer.delegationManager,
    abi: iDelegationManagerAbi,
    functionName: 'completeQueuedWithdrawals',
    args: [withdrawals, tokens, withdrawals.map(() => asTokens)],
  });
  return transactionHash;
}

/** The token behind a strategy; native stake has none, and EigenLayer does not look at what is named for it. */
async function tokenOf(rpc: Rpc, strategy: Address): Promise<Address> {
  if (isAddressEqual(strategy, NATIVE_STRATEGY)) return zeroAddress;
  return readEigen(rpc, { address: strategy, abi: iStrategyAbi, functionName: 'underlyingToken', args: [] });
}
