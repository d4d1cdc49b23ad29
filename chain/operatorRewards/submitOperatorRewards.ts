import { isAddressEqual, type Address, type Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { operatorPayout, type OperatorAmount } from '../../protocol/rewards/operatorPayout.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iRewardsCoordinatorAbi } from '../contracts/generated/IRewardsCoordinator.js';
import type { Deployment } from '../deployment.js';
import { approveToken } from '../eigenlayer/approveToken.js';
import { readEigen, writeEigen, type EigenDependencies } from '../eigenlayer/eigenCall.js';
import type { Rpc } from '../rpc/rpc.js';
import { readParticipation, type Participation } from './readParticipation.js';
import { readSubmissions, type RewardsSubmission } from './readSubmissions.js';
import { checkPeriod, readPeriodLimits, type RewardPeriod } from './rewardPeriod.js';

/** What is to be paid for a period. */
export interface OperatorRewards {
  readonly period: RewardPeriod;
  readonly token: Address;
  /** Smallest units of the token, for all operators. */
  readonly amount: bigint;
  /** Pay although a submission of the set covers a part of the period already. */
  readonly again: boolean;
}

/** Rewards as they will be submitted. */
export interface PreparedRewards {
  readonly rewards: OperatorRewards;
  readonly participation: Participation;
  /** Ascending by operator, as EigenLayer wants them. */
  readonly amounts: readonly OperatorAmount[];
  /** The set's strategies, ascending, each with multiplier 1e18. */
  readonly strategies: readonly { readonly strategy: Address; readonly multiplier: bigint }[];
  readonly description: string;
}

/** A part of the period was paid before. */
export class PeriodPaidError extends MatchmakerError<'PERIOD_PAID'> {
  constructor({ fromSeconds, toSeconds }: RewardPeriod, submission: RewardsSubmission) {
    const paid = `${submission.period.fromSeconds} to ${submission.period.toSeconds}`;
    super(
      'PERIOD_PAID',
      `${fromSeconds} to ${toSeconds} meets the period ${paid} that submission ${submission.hash} paid in the same token: choose one that begins at ${submission.period.toSeconds} or later, or pay twice on purpose with --again`,
      { metadata: { fromSeconds, toSeconds, submission: submission.hash } },
    );
  }
}

const WHOLE_MULTIPLIER = 10n ** 18n;

/**
 * Computes a submission from both chains, and sends nothing. Throws RewardPeriodError, PeriodPaidError, PayoutAmountError,
 * NoParticipationError, the errors of `readParticipation`, EigenCallRevertedError and the errors of the RPC.
 */
export async function prepareOperatorRewards(
  deployment: Deployment,
  rewards: OperatorRewards,
  rpcs: { readonly rpc: Rpc; readonly marketRpc: Rpc; readonly rangeBlocks?: number },
): Promise<PreparedRewards> {
  const { rpc } = rpcs;
  const { period, token, amount } = rewards;
  checkPeriod(period, await readPeriodLimits(deployment, rpc));
  if (!rewards.again) {
    const paid = (await readSubmissions(deployment, rpc)).find(
      (earlier) => isAddressEqual(earlier.token, token) && overlap(earlier.period, period),
    );
    if (paid !== undefined) throw new PeriodPaidError(period, paid);
  }
  const participation = await readParticipation(deployment, period, rpcs);
  const strategies = await readEigen(rpc, {
    address: deployment.eigenlayer.allocationManager,
    abi: iAllocationManagerAbi,
    functionName: 'getStrategiesInOperatorSet',
    args: [deployment.operatorSet],
  });
  return {
    rewards,
    participation,
    amounts: operatorPayout(amount, participation.credits),
    strategies: [...strategies]
      .sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))
      .map((strategy) => ({ strategy, multiplier: WHOLE_MULTIPLIER })),
    description: `Matchmaker on chain ${deployment.chainId}: ${participation.rounds.length} rounds settled from ${period.fromSeconds} to ${period.toSeconds}, by signing weight`,
  };
}

/**
 * Approves the tokens and submits prepared rewards with the AVS's key or an appointee's. Returns the transaction's hash.
 * Throws TokenBalanceError, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function submitOperatorRewards(
  { eigenlayer, operatorSet }: Pick<Deployment, 'eigenlayer' | 'operatorSet'>,
  prepared: PreparedRewards,
  dependencies: EigenDependencies,
): Promise<Hex> {
  const { rewards, amounts, strategies, description } = prepared;
  const { token, period } = rewards;
  const spender = eigenlayer.rewardsCoordinator;
  await approveToken({ token, spender, amount: rewards.amount }, dependencies);
  const submission = {
    strategiesAndMultipliers: strategies,
    token,
    operatorRewards: amounts,
    startTimestamp: period.fromSeconds,
    duration: period.toSeconds - period.fromSeconds,
    description,
  };
  const { transactionHash } = await writeEigen(dependencies.lane, {
    address: spender,
    abi: iRewardsCoordinatorAbi,
    functionName: 'createOperatorDirectedOperatorSetRewardsSubmission',
    args: [operatorSet, [submission]],
  });
  return transactionHash;
}

function overlap(a: RewardPeriod, b: RewardPeriod): boolean {
  return a.fromSeconds < b.toSeconds && b.fromSeconds < a.toSeconds;
}
