import type { Address, Hex } from 'viem';
import { isSameSet, type OperatorSet } from '../../protocol/operatorSet.js';
import type { OperatorAmount } from '../../protocol/rewards/operatorPayout.js';
import { iRewardsCoordinatorAbi } from '../contracts/generated/IRewardsCoordinator.js';
import type { Deployment } from '../deployment.js';
import { eventsBetween } from '../eigenlayer/eigenEvents.js';
import { LOG_RANGE_BLOCKS } from '../rewards/rewardHistory.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock } from '../rpc/rpcCall.js';
import type { RewardPeriod } from './rewardPeriod.js';

/** Rewards that an AVS gave to operators of a set. */
export interface RewardsSubmission {
  readonly hash: Hex;
  readonly operatorSet: OperatorSet;
  readonly submitter: Address;
  readonly token: Address;
  readonly amounts: readonly OperatorAmount[];
  readonly period: RewardPeriod;
  readonly strategies: readonly { readonly strategy: Address; readonly multiplier: bigint }[];
  readonly description: string;
  readonly blockNumber: number;
  readonly blockHash: Hex;
}

/**
 * Reads submissions of rewards to operators since the stake side's first block, in their order: of the market's set, or of all.
 * Throws the errors of the RPC.
 */
export async function readSubmissions(
  deployment: Pick<Deployment, 'eigenlayer' | 'operatorSet' | 'stake'>,
  rpc: Rpc,
  options: { readonly ofAllSets?: boolean; readonly rangeBlocks?: number } = {},
): Promise<readonly RewardsSubmission[]> {
  const head = await rpc.request(latestBlock());
  const found = await eventsBetween(
    rpc,
    {
      fromBlock: deployment.stake.deploymentBlock,
      toBlock: head.number,
      rangeBlocks: options.rangeBlocks ?? LOG_RANGE_BLOCKS,
    },
    {
      address: deployment.eigenlayer.rewardsCoordinator,
      abi: iRewardsCoordinatorAbi,
      eventName: 'OperatorDirectedOperatorSetRewardsSubmissionCreated',
    },
  );
  return found
    .filter(({ args }) => options.ofAllSets === true || isSameSet(args.operatorSet, deployment.operatorSet))
    .map(({ args, log }) => {
      const { operatorDirectedRewardsSubmission: submission } = args;
      return {
        hash: args.operatorDirectedRewardsSubmissionHash,
        operatorSet: args.operatorSet,
        submitter: args.caller,
        token: submission.token,
        amounts: submission.operatorRewards,
        period: {
          fromSeconds: submission.startTimestamp,
          toSeconds: submission.startTimestamp + submission.duration,
        },
        strategies: submission.strategiesAndMultipliers,
        description: submission.description,
        blockNumber: log.blockNumber,
        blockHash: log.blockHash,
      };
    });
}
