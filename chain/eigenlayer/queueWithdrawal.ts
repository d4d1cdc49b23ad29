import { zeroAddress, type Address, type ContractFunctionReturnType, type Hex } from 'viem';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import type { Deployment } from '../deployment.js';
import type { Receipt } from '../rpc/rpcCall.js';
import { writeEigen, type EigenDependencies } from './eigenCall.js';
import { eventsOf } from './eigenEvents.js';

/** A withdrawal as its root commits to it; `startBlock` is the block in which it was queued. */
export type Withdrawal = ContractFunctionReturnType<
  typeof iDelegationManagerAbi,
  'view',
  'getQueuedWithdrawals'
>[0][number];

/** A withdrawal that was queued in a transaction. */
export interface QueuedWithdrawal {
  readonly root: Hex;
  readonly withdrawal: Withdrawal;
}

/** Withdrawals that a transaction queued. */
export interface QueuedWithdrawals {
  readonly withdrawals: readonly QueuedWithdrawal[];
  readonly transactionHash: Hex;
}

/** What is to leave, in deposit shares, which slashing does not change. */
export interface WithdrawalRequest {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'delegationManager'>;
  readonly strategy: Address;
  readonly depositShares: bigint;
}

/**
 * Queues a withdrawal of the lane's account's stake in a strategy. It stays slashable through `startBlock` + the withdrawal delay and
 * can be completed one block later. Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function queueWithdrawal(
  request: WithdrawalRequest,
  { lane }: Pick<EigenDependencies, 'lane'>,
): Promise<QueuedWithdrawals> {
  const { delegationManager } = request.eigenlayer;
  const parameters = {
    strategies: [request.strategy],
    depositShares: [request.depositShares],
    // EigenLayer ignores it: the withdrawer is the staker.
    __deprecated_withdrawer: zeroAddress,
  };
  const receipt = await writeEigen(lane, {
    address: delegationManager,
    abi: iDelegationManagerAbi,
    functionName: 'queueWithdrawals',
    args: [[parameters]],
  });
  return queuedIn(receipt, delegationManager);
}

/** The withdrawals that a transaction queued, one for each strategy when it undelegated. */
export function queuedIn(receipt: Receipt, delegationManager: Address): QueuedWithdrawals {
  const queued = eventsOf(receipt.logs, {
    address: delegationManager,
    abi: iDelegationManagerAbi,
    eventName: 'SlashingWithdrawalQueued',
  });
  return {
    withdrawals: queued.map(({ args }) => ({ root: args.withdrawalRoot, withdrawal: args.withdrawal })),
    transactionHash: receipt.transactionHash,
  };
}
