import type { Address, Hex } from 'viem';
import { iDelegationManagerAbi } from '../chain/contracts/generated/IDelegationManager.js';
import { iRewardsCoordinatorAbi } from '../chain/contracts/generated/IRewardsCoordinator.js';
import type { Deployment } from '../chain/deployment.js';
import { readEigen, writeEigen, type EigenDependencies } from '../chain/eigenlayer/eigenCall.js';
import { eventsBetween } from '../chain/eigenlayer/eigenEvents.js';
import { findRoot, type StandingRoot } from '../chain/operatorRewards/claimRewards.js';
import { readSubmissions, type RewardsSubmission } from '../chain/operatorRewards/readSubmissions.js';
import { LOG_RANGE_BLOCKS, lowerCase } from '../chain/rewards/rewardHistory.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { latestBlock } from '../chain/rpc/rpcCall.js';
import { MatchmakerError } from '../engine/error.js';
import { EigenClaimTree, type CumulativeEarning } from '../protocol/rewards/eigenClaimTree.js';
import { splitOperatorReward, type StakerWeight } from '../protocol/rewards/splitOperatorReward.js';

type StakeDeployment = Pick<Deployment, 'eigenlayer' | 'operatorSet' | 'stake'>;

/** A submitted root with all that it stands for. */
export interface SubmittedRoot extends StandingRoot {
  readonly earnings: readonly CumulativeEarning[];
}

/** Nobody submitted rewards yet. */
export class NoSubmissionsError extends MatchmakerError<'NO_SUBMISSIONS'> {
  constructor() {
    super('NO_SUBMISSIONS', 'no rewards were submitted yet: `matchmaker rewards operators submit` does');
  }
}

/**
 * Computes what everybody has earned from all submissions so far, and submits its root with the key of the devnet's rewards updater.
 * EigenLayer's own service does this in production, from daily snapshots; here the stake right after a submission counts for it.
 * Throws NoSubmissionsError, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function submitRewardsRoot(
  deployment: StakeDeployment,
  { lane, rpc }: EigenDependencies,
): Promise<SubmittedRoot> {
  const submissions = await readSubmissions(deployment, rpc, { ofAllSets: true });
  if (submissions.length === 0) throw new NoSubmissionsError();
  const head = await rpc.request(latestBlock());
  const earnings: CumulativeEarning[] = [];
  for (const submission of submissions) earnings.push(...(await earningsOf(deployment, rpc, submission)));
  const tree = new EigenClaimTree(earnings);
  await writeEigen(lane, {
    address: deployment.eigenlayer.rewardsCoordinator,
    abi: iRewardsCoordinatorAbi,
    functionName: 'submitRoot',
    // It must end before the block that takes it, and the node may estimate in the head's own second.
    args: [tree.root, head.timestamp - 1],
  });
  return { ...(await findRoot(deployment, rpc, tree.root)), earnings: tree.earnings };
}

async function earningsOf(
  deployment: StakeDeployment,
  rpc: Rpc,
  submission: RewardsSubmission,
): Promise<readonly CumulativeEarning[]> {
  const earned = await Promise.all(
    submission.amounts.map(async ({ operator, amount }) => {
      const [splitBps, stakers] = await Promise.all([
        readEigen(
          rpc,
          {
            address: deployment.eigenlayer.rewardsCoordinator,
            abi: iRewardsCoordinatorAbi,
            functionName: 'getOperatorSetSplit',
            args: [operator, submission.operatorSet],
          },
          submission.blockHash,
        ),
        stakersOf(deployment, rpc, { operator, submission }),
      ]);
      return splitOperatorReward(amount, { operator: lowerCase(operator), splitBps }, stakers);
    }),
  );
  return earned
    .flat()
    .map(({ earner, amount }) => ({ earner, token: lowerCase(submission.token), cumulative: amount }));
}

/** Who stood behind an operator when rewards were submitted, by stake times the submission's multipliers. */
async function stakersOf(
  { eigenlayer, stake }: StakeDeployment,
  rpc: Rpc,
  { operator, submission }: { readonly operator: Address; readonly submission: RewardsSubmission },
): Promise<readonly StakerWeight[]> {
  const manager = { address: eigenlayer.delegationManager, abi: iDelegationManagerAbi } as const;
  const at: Hex = submission.blockHash;
  const delegations = await eventsBetween(
    rpc,
    { fromBlock: stake.deploymentBlock, toBlock: submission.blockNumber, rangeBlocks: LOG_RANGE_BLOCKS },
    { ...manager, eventName: 'StakerDelegated' },
  );
  const candidates = new Set(
    delegations
      .filter(({ args }) => lowerCase(args.operator) === lowerCase(operator))
      .map(({ args }) => lowerCase(args.staker)),
  );
  const strategies = submission.strategies.map(({ strategy }) => strategy);
  const weighed = await Promise.all(
    [...candidates].map(async (staker) => {
      const [delegatedTo, [shares]] = await Promise.all([
        readEigen(rpc, { ...manager, functionName: 'delegatedTo', args: [staker] }, at),
        readEigen(rpc, { ...manager, functionName: 'getWithdrawableShares', args: [staker, strategies] }, at),
      ]);
      if (lowerCase(delegatedTo) !== lowerCase(operator)) return { staker, weight: 0n };
      const weight = submission.strategies.reduce(
        (sum, { multiplier }, index) => sum + (shares[index] ?? 0n) * multiplier,
        0n,
      );
      return { staker, weight };
    }),
  );
  return weighed.filter(({ weight }) => weight > 0n);
}
