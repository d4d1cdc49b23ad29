import { erc20Abi, type Address } from 'viem';
import { iStrategyManagerAbi } from '../contracts/generated/IStrategyManager.js';
import type { Deployment } from '../deployment.js';
import { writeEigen, type EigenDependencies } from './eigenCall.js';

/** What is deposited and where. */
export interface StakeDeposit {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'strategyManager'>;
  readonly strategy: Address;
  readonly stakeToken: Address;
  /** Smallest units of the token. */
  readonly amount: bigint;
}

/**
 * Deposits the lane's account's tokens into a strategy; they count for the operator that it delegates to, if any.
 * Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function depositStake(
  deposit: StakeDeposit,
  dependencies: Pick<EigenDependencies, 'lane'>,
): Promise<void> {
  const { lane } = dependencies;
  const { strategyManager } = deposit.eigenlayer;
  await writeEigen(lane, {
    address: deposit.stakeToken,
    abi: erc20Abi,
    functionName: 'approve',
    args: [strategyManager, deposit.amount],
  });
  await writeEigen(lane, {
    address: strategyManager,
    abi: iStrategyManagerAbi,
    functionName: 'depositIntoStrategy',
    args: [deposit.strategy, deposit.stakeToken, deposit.amount],
  });
}
