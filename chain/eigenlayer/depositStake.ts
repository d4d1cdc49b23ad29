import { isAddressEqual, type Address, type Hex } from 'viem';
import { iStrategyManagerAbi } from '../contracts/generated/IStrategyManager.js';
import type { Deployment } from '../deployment.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import { approveToken } from './approveToken.js';
import { writeEigen, type EigenDependencies } from './eigenCall.js';
import { eventsOf } from './eigenEvents.js';

/** What is deposited and where. */
export interface StakeDeposit {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'strategyManager'>;
  readonly strategy: Address;
  readonly stakeToken: Address;
  /** Smallest units of the token. */
  readonly amount: bigint;
}

/** What a deposit brought. */
export interface DepositedStake {
  readonly shares: bigint;
  readonly transactionHash: Hex;
}

/**
 * Deposits the lane's account's tokens into a strategy; they count for the operator that it delegates to, if any.
 * Throws TokenBalanceError, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function depositStake(deposit: StakeDeposit, dependencies: EigenDependencies): Promise<DepositedStake> {
  const { lane } = dependencies;
  const { strategyManager } = deposit.eigenlayer;
  await approveToken({ token: deposit.stakeToken, spender: strategyManager, amount: deposit.amount }, dependencies);
  const receipt = await writeEigen(lane, {
    address: strategyManager,
    abi: iStrategyManagerAbi,
    functionName: 'depositIntoStrategy',
    args: [deposit.strategy, deposit.stakeToken, deposit.amount],
  });
  const deposited = eventsOf(receipt.logs, {
    address: strategyManager,
    abi: iStrategyManagerAbi,
    eventName: 'Deposit',
  });
  const shares = deposited.find(({ args }) => isAddressEqual(args.staker, lane.address))?.args.shares;
  if (shares === undefined) throw new RpcAnswerError(`the receipt of ${receipt.transactionHash} shows no deposit`);
  return { shares, transactionHash: receipt.transactionHash };
}
